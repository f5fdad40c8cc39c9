"""Thresholds of a pipeline that keep a promise of recall, chosen on texts that nothing else was chosen on."""

from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

import numpy
from spacy.language import Language

from ..annotation import Annotation
from ..errors import BionerError, Errors
from ..evaluation.counts import count_strict
from ..evaluation.metrics import Sampling, Tally, score_tallies, tally
from ..evaluation.pairing import Pair
from ..formats.docbin import doc_to_annotation
from ..formats.jsonl import read_jsonl
from ..ml.recall_guarantee import MOST_COUNTED, THRESHOLDS, DocumentScores, Guarantee, guarantee_recall
from ..training.spacy_training import describe_file
from ..training.training_texts import TrainingTexts

CONFIDENCE = 0.95
_FACTORY, _SELECTOR = "bioner_spancat", "span_selector"
_AT_ONCE = 64


def promise_recall(nlp: Language, path: Path, *, missed: float, seen: Optional[TrainingTexts]) -> Dict[str, Any]:
    """Choose the thresholds of a pipeline anew, so that it misses at most a share of the mentions of each label.

    nlp (Language): A pipeline with a `bioner_spancat` and no selector; its thresholds are changed where a promise can
        be made, and it keeps spans that overlap.
    path (Path): Calibration records, of texts that the pipeline was neither trained nor tuned on.
    missed (float): Most gold mentions that may be missed, as a share; a document with more than ten of a label counts
        as one with ten.
    seen (Optional[TrainingTexts]): Texts of training and dev, where they are known.
    RETURNS (Dict[str, Any]): The promise, for the card: missed, confidence, data, documents, and for each label, those
        of gold that the pipeline lacks among them, what `Guarantee` has.
    RAISES BionerError: E805 where it cannot be made for any label, E806 for data of training or dev, E807 for another
        pipeline, E008 for a file without records.
    """
    name = next((name for name, factory in nlp.pipe_factories.items() if factory == _FACTORY), None)
    if name is None or _SELECTOR in nlp.pipe_factories.values():
        raise BionerError(Errors.E807.format(found=", ".join(nlp.pipe_factories.values())))
    data = describe_file(path)
    records = list(read_jsonl(path))
    if not records:
        raise BionerError(Errors.E008.format(path=path))
    _refuse_known(nlp.meta.get("spacy_bioner", {}), data, path)
    known = next((record.id for record in records if seen is not None and seen.holds(record)), None)
    if known is not None:
        raise BionerError(Errors.E806.format(what=f"Record '{known}' of {path}"))
    component: Any = nlp.get_pipe(name)
    before = component.cfg["threshold"]
    # Of overlapping spans the likelier one is often the wrong one: what drops the others makes no such promise.
    component.cfg.update(threshold=THRESHOLDS[0], overlaps="any")
    found = [doc_to_annotation(doc, component.key) for doc in nlp.pipe((one.text for one in records),
                                                                      batch_size=_AT_ONCE)]
    kept = promise_labels(records, found, component.labels, missed=missed)
    if not any(one.holds for one in kept.values()):
        worst = max(component.labels, key=lambda label: kept[label].missed)
        raise BionerError(Errors.E805.format(path=path, label=worst, missed=f"{100 * kept[worst].missed:.1f}",
                                             mentions=kept[worst].mentions, documents=kept[worst].documents))
    by_label = dict(before) if isinstance(before, Mapping) else {"*": before}
    by_label.update({label: one.threshold for label, one in kept.items() if one.holds})
    component.cfg["threshold"] = by_label
    nlp.get_pipe_config(name).update(threshold=by_label, overlaps="any")
    return {"missed": missed, "confidence": CONFIDENCE, "data": data, "documents": next(iter(kept.values())).documents,
            "labels": {label: asdict(one) for label, one in kept.items()}}


def promise_labels(records: Sequence[Annotation], found: Sequence[Annotation], labels: Sequence[str], *,
                   missed: float) -> Dict[str, Guarantee]:
    """Choose thresholds for the labels that can be found, and list those of gold that cannot.

    records (Sequence[Annotation]): Gold.
    found (Sequence[Annotation]): For each what was found at the lowest threshold, with probabilities.
    labels (Sequence[str]): The labels that can be found.
    missed (float): Most gold mentions that may be missed, as a share.
    RETURNS (Dict[str, Guarantee]): For each label its threshold and promise.
    """
    others = sorted({mention.label for one in records for mention in one.mentions}.difference(labels))
    # Nothing is tested of labels that are never found, so the other promises need no correction for them.
    return {label: guarantee for some in (labels, others) for label, guarantee in guarantee_recall(
        score_documents(records, found, some), missed=missed, confidence=CONFIDENCE).items()}


def score_documents(records: Sequence[Annotation], found: Sequence[Annotation],
                    labels: Sequence[str]) -> Dict[str, List[DocumentScores]]:
    """Give each gold mention the probability with which it was found, document by document.

    records (Sequence[Annotation]): Gold; sentences of a document name it in `meta["document"]`.
    found (Sequence[Annotation]): For each what was found at the lowest threshold, with probabilities.
    labels (Sequence[str]): The labels that can be found.
    RETURNS (Dict[str, List[DocumentScores]]): For each label the documents, also those without a mention of it.
    """
    documents: Dict[str, Dict[str, List[float]]] = defaultdict(lambda: defaultdict(list))
    for record, answer in zip(records, found):
        scores = {mention.key: mention.score or 0.0 for mention in answer.mentions}
        document = documents[str(record.meta.get("document", record.id))]
        for mention in record.mentions:
            document[mention.label].append(scores.get(mention.key, 0.0))
    return {label: [document[label] for document in documents.values()] for label in labels}


def measure_promised(pairs: Sequence[Pair], *, sampling: Sampling) -> Dict[str, List[float]]:
    """Measure recall as it is promised: a document with more than ten mentions of a label counts as one with ten.

    pairs (Sequence[Pair]): Test records beside what a pipeline found in them.
    sampling (Sampling): How intervals are made.
    RETURNS (Dict[str, List[float]]): For each label of gold its recall with the ends of the confidence interval.
    """
    counted = tally(pairs, count_strict)
    gold = counted.table[..., 0] + counted.table[..., 2]
    weights = MOST_COUNTED / numpy.maximum(gold, MOST_COUNTED)
    scores = score_tallies({"": Tally(counted.labels, counted.table * weights[..., None])}, sampling)[""]["labels"]
    return {label: [scores[label]["recall"], *scores[label]["intervals"]["recall"]]
            for label, mentions in zip(counted.labels, gold.sum(axis=0)) if mentions}


def _refuse_known(made: Mapping[str, Any], data: Mapping[str, str], path: Path) -> None:
    """Refuse the file that a pipeline was trained or tuned on. RAISES BionerError: E806."""
    files = [*made.get("sources", {}).values(), made.get("dev", {})]
    if data["sha256"] in [each.get("sha256") for each in files]:
        raise BionerError(Errors.E806.format(what=path))
