"""The pipeline that is shipped: a trained span categorizer, its selector where one is used, and the model card."""

import shutil
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from spacy.language import Language

from ..errors import BionerError, Errors
from ..loading import read_json
from ..ml.listeners import take_encoders
from ..training.pipeline_loading import load_pipeline
from ..training.spacy_training import forget_paths
from ..training.training_texts import TrainingTexts
from .hub_header import LICENCE_FILE
from .model_card import Facts, collect_facts, describe_terms, meta_fields, render_card
from .recall_promise import promise_recall


def choose_on_dev(pipelines: Mapping[str, Path]) -> Tuple[str, Dict[str, float]]:
    """Choose by the strict F1 on dev that `train spancat` wrote down, with the thresholds that it stored.

    pipelines (Mapping[str, Path]): Name to pipeline, as `train spancat` makes it; of equals the first is taken.
    RETURNS (Tuple[str, Dict[str, float]]): The name of the best, and F1 in percent by name.
    RAISES BionerError: E001 where there is no pipeline, E011 where its meta.json is broken, E536 where its dev score is
        not known, E537 where two were scored on different dev files.
    """
    scores: Dict[str, float] = {}
    measured_on: Dict[str, str] = {}
    for name, path in pipelines.items():
        made = _read_training(path)
        scores[name] = made["tuned"].get("dev_f", made["best"]["dev_f"])
        measured_on[made["dev"]["sha256"]] = name
    if len(measured_on) > 1:
        first, second, *_ = measured_on.values()
        raise BionerError(Errors.E537.format(first=pipelines[first], second=pipelines[second]))
    return max(scores, key=lambda name: scores[name]), scores


def _read_training(path: Path) -> Dict[str, Any]:
    if not (path / "meta.json").is_file():
        raise BionerError(Errors.E001.format(path=path, wanted="pipeline"))
    meta = read_json(path / "meta.json", wanted="the meta.json of a pipeline")
    made = meta.get("spacy_bioner") if isinstance(meta, dict) else None
    if not isinstance(made, dict) or not isinstance(made.get("best"), dict) or not isinstance(made.get("dev"), dict):
        raise BionerError(Errors.E536.format(path=path))
    return {**made, "tuned": made.get("tuned") or {}}


_SELECTOR, _LINKER = "span_selector", "concept_linker"


def assemble(pipeline: Path, output: Path, *, selector: Optional[Path] = None,
             corpus: Optional[Mapping[str, Any]] = None, scores: Optional[Facts] = None,
             dev: Optional[Mapping[str, float]] = None, system: str = "", linker: Optional[Path] = None,
             int8: bool = False, seen: Sequence[Path] = (), calibration: Optional[Path] = None,
             missed: float = 0.1) -> Facts:
    """Write a pipeline as it is shipped; `spacy package` takes it from there, card and all.

    pipeline (Path): A trained pipeline, as `train spancat` makes it.
    output (Path): Folder for the pipeline; an older pipeline in it is replaced, when the new one is complete.
    selector (Optional[Path]): A pipeline with a span selector, which is put behind the other components.
    corpus (Optional[Mapping[str, Any]]): The card of the corpus, as `prepare` writes it.
    scores (Optional[Facts]): What `model_card.read_scores` gives.
    dev (Optional[Mapping[str, float]]): F1 on dev of the pipelines that this one was chosen among, for the card.
    system (str): Name of the pipeline in metrics files, for the card.
    linker (Optional[Path]): A pipeline with a concept linker, which is put behind all others.
    int8 (bool): Whether the weights of the encoders are rounded to 8 bits, for use on CPUs.
    seen (Sequence[Path]): Records of training and dev, whose salted hashes are put beside the pipeline.
    calibration (Optional[Path]): Records that new thresholds with a promise of recall are chosen on.
    missed (float): Most gold mentions that may then be missed, as a share.
    RETURNS (Facts): The card.
    RAISES BionerError: E001, E549, E522, E526 to E531, E804 to E807 for what does not go together, or cannot be
        shipped.
    """
    if output.exists() and not (output / "meta.json").is_file() and any(output.iterdir()):
        raise BionerError(Errors.E530.format(path=output))
    nlp = load_pipeline(pipeline, int8=int8)
    _check_whole(nlp, pipeline)
    if selector is not None:
        append_selector(nlp, selector, pipeline=pipeline, int8=int8)
    texts = TrainingTexts.read(seen) if seen else None
    promise = promise_recall(nlp, calibration, missed=missed, seen=texts) if calibration is not None else None
    if linker is not None:
        append_linker(nlp, linker)
    thresholds = {name: getattr(pipe, "cfg", {}).get("threshold") for name, pipe in nlp.pipeline}
    facts = collect_facts(nlp.meta, nlp.config["components"], thresholds=thresholds, corpus=corpus, scores=scores,
                          dev=dev, system=system, promise=promise)
    nlp.meta.update(meta_fields(facts))
    nlp.meta["spacy_bioner"] = {**nlp.meta.get("spacy_bioner", {}), "card": facts}
    fresh = output.with_name(f".{output.name}.new")
    _remove(fresh)
    nlp.to_disk(fresh)
    forget_paths(fresh / "config.cfg")
    (fresh / "README.md").write_text(render_card(facts, title=f"Named entities: {facts['corpus']['name']}"),
                                     encoding="utf8")
    terms = ["This pipeline was made from works under these terms:", "", *describe_terms(facts)]
    if texts is not None:
        texts.write(fresh)
    (fresh / LICENCE_FILE).write_text("\n".join(terms) + "\n", encoding="utf8")
    _remove(output)
    fresh.rename(output)
    return facts


def append_selector(nlp: Language, path: Path, *, pipeline: Path, int8: bool = False) -> None:
    """Put a trained selector behind the components of a pipeline: it chooses from what they found.

    nlp (Language): The pipeline.
    path (Path): The pipeline of the selector.
    pipeline (Path): Where the first one was read, for errors.
    int8 (bool): Whether the weights of its encoder are rounded to 8 bits.
    RAISES BionerError: E522 where there is no selector, E531 where there are two, E528 for another language, E526 for
        a label that it has not learnt, E527 for a component that cannot be shipped.
    """
    source = load_pipeline(path, int8=int8)
    name = _find_selector(source)
    if name is None:
        raise BionerError(Errors.E522.format(path=path))
    if _find_selector(nlp) is not None:
        raise BionerError(Errors.E531.format(path=pipeline))
    if source.lang != nlp.lang:
        raise BionerError(Errors.E528.format(path=path, found=source.lang, wanted=nlp.lang))
    chosen: Any = source.get_pipe(name)
    unknown = sorted({label for labels in nlp.pipe_labels.values() for label in labels} - set(chosen.labels))
    if unknown:
        raise BionerError(Errors.E526.format(path=path, label=unknown[0], known=", ".join(chosen.labels)))
    _check_whole(source, path)
    take_encoders(source, name)
    nlp.add_pipe(name, source=source, name=_SELECTOR)
    # In training the candidates have a group of their own; here they are what the pipeline found.
    settings = {"candidates_key": chosen.cfg["spans_key"]}
    added: Any = nlp.get_pipe(_SELECTOR)
    added.cfg.update(settings)
    nlp.get_pipe_config(_SELECTOR).update(settings)
    if "spacy_bioner" in source.meta:
        nlp.meta.setdefault("spacy_bioner", {})["selector"] = source.meta["spacy_bioner"]


def append_linker(nlp: Language, path: Path) -> None:
    """Put a linker behind the components of a pipeline; one that it has is replaced.

    nlp (Language): The pipeline.
    path (Path): The pipeline of the linker.
    RAISES BionerError: E804 where there is no linker.
    """
    source = load_pipeline(path)
    name = next((name for name, factory in source.pipe_factories.items() if factory == _LINKER), None)
    if name is None:
        raise BionerError(Errors.E804.format(path=path))
    if _LINKER in nlp.pipe_names:
        nlp.remove_pipe(_LINKER)
    nlp.add_pipe(name, source=source, name=_LINKER)
    nlp.meta.setdefault("spacy_bioner", {})["linker"] = source.meta.get("spacy_bioner", {})


def _find_selector(nlp: Language) -> Optional[str]:
    return next((name for name, factory in nlp.pipe_factories.items() if factory == _SELECTOR), None)


def _check_whole(nlp: Language, path: Path) -> None:
    """Refuse a pipeline of which a part lies elsewhere. RAISES BionerError: E527."""
    for component, pipe in nlp.pipeline:
        for base in _outside_models(pipe):
            raise BionerError(Errors.E527.format(component=component, path=path, name=base))


def _outside_models(pipe: Any) -> List[str]:
    """Return names of models that a component does not store, but reads when it is loaded."""
    layers = pipe.model.walk() if hasattr(pipe, "model") else ()
    configs: List[Dict[str, Any]] = [shim.config for layer in layers for shim in layer.shims if hasattr(shim, "config")]
    return [str(config["name"]) for config in configs if "base" in config]


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
