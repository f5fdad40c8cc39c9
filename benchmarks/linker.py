"""The concept linker on gold spans and behind a pipeline: accuracy with intervals, and mentions per second.

Records with identifiers are the input, as `convert` makes them of PubTator files. The dictionary holds what the
training part names, and nothing else, unless a file is added.

    python -m benchmarks.linker --train train.jsonl --dev dev.jsonl --test test.jsonl --predicted predicted.jsonl
"""

import argparse
import time
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence, Tuple

import numpy

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.evaluation.intervals import find_interval, resample
from spacy_bioner.files import write_json
from spacy_bioner.formats.jsonl import read_jsonl
from spacy_bioner.formats.parsing.problems import Problems
from spacy_bioner.linking.concept_dictionary import Link
from spacy_bioner.linking.concept_linker import ConceptLinker
from spacy_bioner.linking.concept_sources import read_concept_names
from spacy_bioner.linking.linker_training import score_links, tune_linker

STEPS = (("exact",), ("exact", "folded"), ("exact", "folded", "words"), ("exact", "folded", "words", "parts"),
         ("exact", "folded", "words", "parts", "similar"))
Find = Callable[[Annotation], List[List[Link]]]


def link(annotation: Annotation, found: Sequence[List[Link]], *, threshold: float,
         kinds: Sequence[str] = STEPS[-1]) -> Annotation:
    """Return a document whose mentions have the identifiers of their likeliest meanings."""
    linked = []
    for mention, links in zip(annotation.mentions, found):
        best = links[0] if links and links[0].score >= threshold and links[0].how in kinds else None
        linked.append(Mention(mention.start, mention.end, mention.label, ids=best.ids if best else ()))
    return annotation.with_mentions(linked)


def measure(gold: Sequence[Annotation], linked: Sequence[Annotation]) -> Dict[str, Tuple[float, float, float]]:
    """Return precision, recall and F1 of the links, each with a 95% interval over documents."""
    counts = [score_links(*pair) for pair in zip(gold, linked)]
    table = numpy.asarray([[one.right, one.linked, one.wanted] for one in counts], dtype=float)
    sums = numpy.vstack([table.sum(axis=0), resample(table, resamples=10_000, seed=0)])
    right, made, wanted = sums.T
    figures = {"precision": right / numpy.maximum(made, 1), "accuracy": right / numpy.maximum(wanted, 1),
               "f1": 2 * right / numpy.maximum(made + wanted, 1)}
    found = {}
    for name, values in figures.items():
        interval = find_interval(values[1:])
        found[name] = (float(values[0]), interval.low, interval.high)
    return found


def time_lookups(linker: ConceptLinker, annotations: Sequence[Annotation]) -> float:
    """Return mentions per second, names looked up for the first time."""
    linker.add_concepts(())  # forgets what was looked up before
    started = time.process_time()
    for annotation in annotations:
        linker.find(annotation.text, [mention.key for mention in annotation.mentions])
    return sum(len(annotation.mentions) for annotation in annotations) / (time.process_time() - started)


def run(train: Path, dev: Path, test: Path, predicted: Optional[Path], more: Sequence[Path]) -> Dict[str, object]:
    """Measure a linker whose threshold is chosen on dev.

    train (Path): Records with identifiers, which the dictionary is made of.
    dev (Path): Records on which the threshold is chosen.
    test (Path): Records that are scored once.
    predicted (Optional[Path]): What a pipeline found in the texts of test.
    more (Sequence[Path]): Further dictionaries.
    RETURNS (Dict[str, object]): Rows of the table, and what the dictionary covers.
    """
    linker = ConceptLinker()
    linker.add_concepts(name for path in (train, *more) for name in read_concept_names(path, problems=Problems()))
    gold = list(read_jsonl(test))
    known = {id for name in linker.dictionary.names for id in name.ids}
    mentions = [mention for annotation in gold for mention in annotation.mentions if mention.ids]
    result: Dict[str, object] = {
        "names": len(linker.dictionary.names), "concepts": len(known), "mentions": len(mentions),
        "covered": sum(set(mention.ids) <= known for mention in mentions) / len(mentions),
        "tuned": tune_linker(linker, list(read_jsonl(dev)), path=dev), "per_second": time_lookups(linker, gold)}
    threshold = linker.cfg["threshold"]
    found = [linker.find(one.text, [mention.key for mention in one.mentions]) for one in gold]
    bare = [[linker.dictionary.find(one.surface(mention), mention.label) for mention in one.mentions] for one in gold]
    rows = {" + ".join(kinds): measure(gold, [link(one, links, threshold=0, kinds=kinds)
                                              for one, links in zip(gold, bare)]) for kinds in STEPS}
    rows["and abbreviations"] = measure(gold, [link(one, links, threshold=0) for one, links in zip(gold, found)])
    rows["and threshold"] = measure(gold, [link(one, links, threshold=threshold) for one, links in zip(gold, found)])
    if predicted is not None:
        spans = {one.id: one for one in read_jsonl(predicted)}
        ends = [one.with_mentions(spans[one.id].mentions) for one in gold]
        links = [linker.find(one.text, [mention.key for mention in one.mentions]) for one in ends]
        rows["end to end"] = measure(gold, [link(one, each, threshold=threshold) for one, each in zip(ends, links)])
    return {**result, "rows": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("train", "dev", "test"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--predicted", type=Path)
    parser.add_argument("--dictionary", type=Path, action="append", default=[])
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    result = run(options.train, options.dev, options.test, options.predicted, options.dictionary)
    if options.output:
        write_json(options.output, result)
    print({key: value for key, value in result.items() if key != "rows"})
    for name, figures in result["rows"].items():  # type: ignore[attr-defined]
        print(f"{name:45}", *(f"{key} {100 * value:.1f} ({100 * low:.1f}-{100 * high:.1f})"
                              for key, (value, low, high) in figures.items()))


if __name__ == "__main__":
    main()
