"""The model card: what a shipped pipeline was made from, under which terms, and how well it does.

It begins with the header that the Hugging Face hub reads (`hub_header`), and goes on in words. Facts come from the
pipeline's own `meta.json`, from the card of the corpus (`corpus.json`, as `prepare` writes it) and from a metrics file;
what none of them says is left out, never guessed.
"""

from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from ..errors import BionerError, Errors
from ..llm.local.hub import EMBEDDED
from ..ml.recall_guarantee import MOST_COUNTED
from .hub_header import name_model, render_header

UNKNOWN_TERMS = "see the corpus' own terms"
UNKNOWN_LICENCE = "see the model's own terms"
_FIGURES = (("precision", "p"), ("recall", "r"), ("f1", "f"))
_SETS = {"train": "Training set", "dev": "Development set", "test": "Test set", "raw": "Raw text"}
_ENCODERS = ("spacy-bioner.TransformerEncoder.v1", "spacy-bioner.MarkedSelector.v1")

Facts = Dict[str, Any]


def find_encoders(components: Mapping[str, Any]) -> List[Dict[str, str]]:
    """Find the pretrained models that components began from.

    components (Mapping[str, Any]): The section [components] of a pipeline's config.
    RETURNS (List[Dict[str, str]]): component, name (of a folder without its path) and license of each.
    """
    return [{"component": component, "name": Path(name).name if Path(name).is_absolute() else name,
             "license": _licence_of(name)}
            for component, settings in components.items() for name in _names(settings)]


def _licence_of(name: str) -> str:
    return EMBEDDED[name].license if name in EMBEDDED else UNKNOWN_LICENCE


def _names(settings: Any) -> Iterator[str]:
    if isinstance(settings, Mapping):
        if settings.get("@architectures") in _ENCODERS:
            yield str(settings["name"])
        for value in settings.values():
            yield from _names(value)


def collect_facts(meta: Mapping[str, Any], components: Mapping[str, Any], *, thresholds: Mapping[str, Any],
                  corpus: Optional[Mapping[str, Any]] = None, scores: Optional[Facts] = None,
                  dev: Optional[Mapping[str, float]] = None, system: str = "",
                  promise: Optional[Facts] = None) -> Facts:
    """Put together what the card says.

    meta (Mapping[str, Any]): `meta.json` of the pipeline; under "spacy_bioner" what `train spancat` wrote, and there
        under "selector" what `train selector` wrote, where a selector was appended.
    components (Mapping[str, Any]): The section [components] of its config.
    thresholds (Mapping[str, Any]): Component to its thresholds.
    corpus (Optional[Mapping[str, Any]]): The card of the corpus.
    scores (Optional[Facts]): What `read_scores` gives.
    dev (Optional[Mapping[str, float]]): F1 on dev, in percent, of the pipelines that this one was chosen among.
    system (str): Name of the pipeline in metrics files.
    promise (Optional[Facts]): What `recall_promise.promise_recall` gives.
    RETURNS (Facts): system, corpus, parts, components, training, selector, linker, labels, thresholds, promise,
        encoders, scores, dev and versions.
    """
    made, corpus = meta.get("spacy_bioner", {}), corpus or {}
    labels = sorted({label for known in meta.get("labels", {}).values() for label in known})
    definitions = corpus.get("definitions", {})
    return {
        "system": system,
        "corpus": {"name": corpus.get("name") or corpus.get("corpus") or "not named", "key": corpus.get("corpus", ""),
                   "license": corpus.get("license") or UNKNOWN_TERMS, "lang": corpus.get("lang", meta.get("lang")),
                   "dataset": corpus.get("dataset", "")},
        "parts": {name: {key: part[key] for key in ("sentences", "mentions", "source") if key in part}
                  for name, part in corpus.get("parts", {}).items()},
        "components": list(components),
        "training": _training(made),
        "selector": _training(made["selector"]) if "selector" in made else None,
        "linker": {key: made["linker"].get(key) for key in ("names", "concepts", "sources", "tuned")}
        if "linker" in made else None,
        "labels": {label: definitions.get(label, "") for label in labels},
        "thresholds": {name: value for name, value in thresholds.items() if value is not None},
        "promise": promise,
        "encoders": find_encoders(components),
        "scores": scores,
        "dev": dict(dev or {}),
        "versions": dict(made.get("versions", {})),
    }


def _training(made: Mapping[str, Any]) -> Facts:
    """Return seed, strategy, updates and the files, each as far as it is known."""
    files = made.get("sources") or {name: made[name] for name in ("gold", "predicted") if name in made}
    updates = made.get("updates") or sum(stage["updates"] for stage in made.get("stages", ()))
    return {"seed": made.get("seed"), "strategy": made.get("strategy"), "updates": updates or None,
            "sources": {name: {key: file[key] for key in ("file", "records", "sha256", "annotators") if file.get(key)}
                        for name, file in files.items()}}


def read_scores(metrics: Mapping[str, Any], system: str, *, path: Any) -> Facts:
    """Take the strict scores of one system from a metrics file.

    metrics (Mapping[str, Any]): What `evaluate` wrote.
    system (str): Name of the system.
    path (Any): Where it was read, for the error.
    RETURNS (Facts): system, documents, mentions, level, components, micro, and f1 by label; figures with low and high
        ends. Under "silver" the models that annotated the test set; None where it is gold.
    RAISES BionerError: E608 where it is no metrics file, E529 for an unknown system.
    """
    if not isinstance(metrics.get("systems"), Mapping):
        raise BionerError(Errors.E608.format(path=path, why="no key 'systems'"))
    if system not in metrics["systems"]:
        raise BionerError(Errors.E529.format(path=path, name=system, known=", ".join(metrics["systems"])))
    found = metrics["systems"][system]
    return {"system": system, "documents": metrics["gold"]["count"], "mentions": metrics["gold"]["mentions"],
            "level": metrics["settings"]["level"], "components": found.get("components", []),
            "silver": (metrics["gold"].get("silver") or {}).get("models"),
            "micro": {figure: [found["micro"][figure], *found["micro"]["intervals"][figure]] for figure, _ in _FIGURES},
            "labels": {label: [each["f1"], *each["intervals"]["f1"]] for label, each in found["labels"].items()}}


def describe_licence(facts: Facts) -> str:
    """Return terms of the corpus, and of each pretrained model, in one line."""
    encoders = dict.fromkeys((each["name"], each["license"]) for each in facts["encoders"])
    return "; ".join([f"corpus {facts['corpus']['name']}: {facts['corpus']['license']}",
                      *(f"encoder {name}: {licence}" for name, licence in encoders)])


def meta_fields(facts: Facts) -> Facts:
    """Return the keys of `meta.json` that spaCy knows: description, license, sources, performance."""
    corpus, scores = facts["corpus"], facts["scores"]
    sources = [{"name": corpus["name"], "license": corpus["license"]},
               *({"name": each["name"], "license": each["license"]} for each in facts["encoders"])]
    unique = list({source["name"]: source for source in sources}.values())
    fields: Facts = {"license": describe_licence(facts), "sources": unique,
                     "description": f"{describe_pipeline(facts)} Labels: {', '.join(facts['labels'])}."}
    if scores and scores["silver"] is None:
        fields["performance"] = {f"spans_sc_{short}": scores["micro"][figure][0] for figure, short in _FIGURES}
        fields["performance"]["spans_per_type"] = {label: {"f": each[0]} for label, each in scores["labels"].items()}
    return fields


def render_card(facts: Facts, *, title: str) -> str:
    """Write the card: a header for the Hugging Face hub, then the same for people.

    facts (Facts): What `collect_facts` gives.
    title (str): Its heading.
    RETURNS (str): Markdown with a YAML header.
    """
    chapters = [("Use", _use_lines(facts)), ("Scores", _score_lines(facts)),
                ("Labels", [f"- `{label}`{': ' * bool(text)}{text}" for label, text in facts["labels"].items()]),
                ("Thresholds", _threshold_lines(facts["thresholds"])),
                ("Guarantee", _promise_lines(facts["promise"]) if facts["promise"] else []),
                ("Data", _data_lines(facts)),
                ("Training", [*_training_lines("Span categorizer", facts["training"]),
                              *_choice_lines(facts),
                              *(_training_lines("Span selector", facts["selector"]) if facts["selector"] else ()),
                              *(_linker_lines(facts["linker"]) if facts["linker"] else ())]),
                ("Terms", describe_terms(facts)),
                ("Versions", [f"- {name} {version}" for name, version in facts["versions"].items()])]
    parts = [f"# {title}", describe_pipeline(facts),
             *(f"## {name}\n\n" + "\n".join(lines) for name, lines in chapters if lines)]
    return render_header(facts) + "\n" + "\n\n".join(parts) + "\n"


def describe_pipeline(facts: Facts) -> str:
    """Return what the pipeline does, in a sentence."""
    return f"Finds mentions of the labels of the corpus {facts['corpus']['name']}, nested ones included."


def _use_lines(facts: Facts) -> List[str]:
    return ["Load it by the name of the installed package, or from the folder with these files. It needs spaCy and "
            "spacy-bioner.", "", "```python", "import spacy", "", f'nlp = spacy.load("{name_model(facts)}")',
            'doc = nlp("A text.")', 'for span in doc.spans["sc"]:', "    print(span.start_char, span.end_char, "
            "span.label_, span.text)", "```"]


def _data_lines(facts: Facts) -> List[str]:
    corpus = facts["corpus"]
    lines = [f"- Corpus: {corpus['name']}" + (f", language {corpus['lang']}" if corpus["lang"] else "")]
    lines += [f"- {_SETS.get(name, name)}: {part['sentences']:,} sentences, {part['mentions']:,} mentions"
              for name, part in facts["parts"].items()]
    for name, file in facts["training"]["sources"].items():
        count = f"{file['records']:,} sentences" if "records" in file else "sentences not counted"
        lines.append(f"- Trained on {name}: {count} ({file.get('file', 'file not named')})")
        lines += [f"- {name}: {each['records']:,} sentences labelled or generated by {each['model']}"
                  + (f" with the adapter {each['adapter']}" if each["adapter"] else "")
                  for each in file.get("annotators", ())]
    return lines


def find_teachers(training: Facts) -> List[Dict[str, str]]:
    """Return name and license of each language model that labelled or generated sentences."""
    names = dict.fromkeys(each["model"] for file in training["sources"].values() for each in file.get("annotators", ()))
    return [{"name": name, "license": _licence_of(name)} for name in names]


def describe_terms(facts: Facts) -> List[str]:
    """Return the terms of the corpus and of each model, a Markdown list item each."""
    return [f"- Corpus {facts['corpus']['name']}: {facts['corpus']['license']}",
            *(f"- Encoder {each['name']} (in {each['component']}): {each['license']}" for each in facts["encoders"]),
            *(f"- Language model {each['name']} (made training sentences; not shipped): {each['license']}"
              for each in find_teachers(facts["training"]))]


def _score_lines(facts: Facts) -> List[str]:
    scores = facts["scores"]
    if not scores:
        return ["Not measured."]
    rows: List[Tuple[str, Sequence[float]]] = [
        *((f"{figure.capitalize()}, all labels", scores["micro"][figure]) for figure, _ in _FIGURES),
        *((f"F1, `{label}`".replace("|", "\\|"), each) for label, each in scores["labels"].items())]
    said = (f"A prediction is correct if start, end and label are all correct. Test set: {scores['documents']:,} texts "
            f"with {scores['mentions']:,} mentions. Scores are in percent, with bootstrap confidence intervals "
            f"({100 * scores['level']:g}%) over the texts.")
    if scores["silver"] is not None:
        said = (f"Not measured against gold. {' and '.join(scores['silver']) or 'A model'} annotated the test set, so "
                f"these scores are agreement with it, not correctness. {said}")
    absent = [name for name in facts["components"] if scores["components"] and name not in scores["components"]]
    if absent:
        said += f" Measured without {', '.join(absent)}."
    return [said, "", "| Score | Value | Confidence interval |", "| --- | --- | --- |",
            *(f"| {name} | {100 * value:.2f} | {100 * low:.2f} to {100 * high:.2f} |"
              for name, (value, low, high) in rows)]


def _threshold_lines(thresholds: Mapping[str, Any]) -> List[str]:
    lines = []
    for name, setting in thresholds.items():
        by_label = dict(setting) if isinstance(setting, Mapping) else {"*": setting}
        others = "all labels" if len(by_label) == 1 else "all other labels"
        lines.append(f"- {name}: " + ", ".join(f"{others if label == '*' else label} {least:g}"
                                               for label, least in by_label.items()))
    return lines


def _choice_lines(facts: Facts) -> List[str]:
    said = ", ".join(f"{name} {score:.2f}" for name, score in facts["dev"].items())
    return [f"- Chosen by F1 on the development set, in percent: {said}"] if said else []


def _training_lines(name: str, made: Facts) -> List[str]:
    said = [f"{word} {made[key]}" for key, word in (("strategy", "strategy"), ("updates", "steps"),
                                                    ("seed", "random seed")) if made.get(key) is not None]
    return [f"- {name}: {', '.join(said)}"] if said else []


def _linker_lines(linker: Facts) -> List[str]:
    said = f"- Concept linker: {linker['names']:,} names of {linker['concepts']:,} concepts, from "
    said += ", ".join(linker["sources"])
    if linker["tuned"]:
        said += f"; F1 of links on the development set {linker['tuned']['dev_f']:.2f}, gold mentions"
    return [said]


def _promise_lines(promise: Facts) -> List[str]:
    kept = [label for label, one in promise["labels"].items() if one["holds"]]
    without = [label for label, one in promise["labels"].items() if not one["holds"]]
    said = [f"- With {100 * promise['confidence']:g}% confidence at most {100 * promise['missed']:g}% of the gold "
            f"mentions of each of these labels are missed, where a document with more than {MOST_COUNTED} mentions of "
            f"a label counts as one with {MOST_COUNTED}: " + ", ".join(kept),
            f"- Calibrated on {promise['documents']:,} documents ({promise['data']['file']}); it holds for documents "
            "like these, drawn independently",
            "- The price: spans that overlap are all kept, and more of them are wrong than the scores above say"]
    if without:
        return [*said, f"- No guarantee: {', '.join(without)}; so none of all labels together"]
    return [*said, "- It holds of the mentions of all labels together too, counted so"]
