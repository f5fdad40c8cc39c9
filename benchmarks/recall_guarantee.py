"""Does the guarantee of recall hold: thresholds chosen on one half of the documents, counted on the other, many times.

The pipeline is run once, its candidates are stored; the splits need nothing but numpy. "Holds" is said of the whole set
that the halves are drawn from, which is what is promised, and of the other half, whose own share also varies.

    python -m benchmarks.recall_guarantee training/spancat/model-best test.jsonl --stored candidates.jsonl
"""

import argparse
from collections import defaultdict
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Tuple

import numpy

from spacy_bioner.annotation import Annotation
from spacy_bioner.files import write_json
from spacy_bioner.formats.docbin import doc_to_annotation
from spacy_bioner.formats.jsonl import read_jsonl, write_jsonl
from spacy_bioner.ml.recall_guarantee import THRESHOLDS, guarantee_recall
from spacy_bioner.packaging.recall_promise import score_documents
from spacy_bioner.pipeline.overlaps import drop_overlaps
from spacy_bioner.pipeline.tuning import label_values
from spacy_bioner.training.pipeline_loading import load_pipeline

# Counts of a document and a label: right, found, gold.
Counts = Dict[str, numpy.ndarray]


def store_candidates(pipeline: Path, test: Path, stored: Path) -> Tuple[Mapping[str, float], str]:
    """Write what the pipeline finds at the lowest threshold, overlapping spans too, unless it is there already.

    RETURNS (Tuple[Mapping[str, float], str]): Its own thresholds by label, and what it does with overlaps.
    """
    nlp = load_pipeline(pipeline)
    component: Any = nlp.get_pipe("bioner_spancat")
    own = dict(zip(component.labels, label_values(component.cfg["threshold"], component.labels).tolist()))
    overlaps = component.cfg["overlaps"]
    if not stored.is_file():
        component.cfg.update(threshold=THRESHOLDS[0], overlaps="any")
        texts = list(read_jsonl(test))
        docs = nlp.pipe((one.text for one in texts), batch_size=64)
        write_jsonl(stored, (one.with_mentions(doc_to_annotation(doc, component.key).mentions)
                             for one, doc in zip(texts, docs)))
    return own, overlaps


def resolve(annotation: Annotation, thresholds: Mapping[str, float], overlaps: str) -> Annotation:
    """Return what a pipeline with these thresholds finds."""
    spans = [(one.start, one.end, number, one.score or 0.0) for number, one in enumerate(annotation.mentions)
             if (one.score or 0.0) >= thresholds[one.label]]
    return annotation.with_mentions(annotation.mentions[number] for _, _, number, _ in drop_overlaps(spans, overlaps))


def count(gold: Sequence[Annotation], found: Sequence[Annotation], labels: Sequence[str]) -> Dict[str, Counts]:
    """Return for each document and label right, found and gold mentions."""
    counts: Dict[str, Counts] = defaultdict(lambda: {label: numpy.zeros(3) for label in labels})
    for one, answer in zip(gold, found):
        document = counts[str(one.meta.get("document", one.id))]
        right = {mention.key for mention in one.mentions} & {mention.key for mention in answer.mentions}
        for place, keys in enumerate((right, {mention.key for mention in answer.mentions},
                                      {mention.key for mention in one.mentions})):
            for _, _, label in keys:
                document[label][place] += 1
    return counts


class Splits:
    """Counts of a stored run under any thresholds.

    gold (Sequence[Annotation]): The test set.
    stored (Sequence[Annotation]): Candidates of each record.
    labels (Sequence[str]): Its labels.
    """

    def __init__(self, gold: Sequence[Annotation], stored: Sequence[Annotation], labels: Sequence[str]) -> None:
        self.labels, self._gold, self._stored = labels, gold, stored
        self._known: Dict[Tuple[float, ...], numpy.ndarray] = {}
        self.scores = score_documents(gold, stored, labels)

    def counts(self, thresholds: Mapping[str, float], *, overlaps: str = "any") -> numpy.ndarray:
        """Return the shape (documents, labels, 3): right, found, gold."""
        key = tuple(thresholds[label] for label in self.labels)
        if key not in self._known:
            found = [resolve(one, thresholds, overlaps) for one in self._stored]
            by_document = count(self._gold, found, self.labels)
            self._known[key] = numpy.asarray([[each[label] for label in self.labels] for each in by_document.values()])
        return self._known[key]


def run(splits: Splits, own: Mapping[str, float], overlaps: str, *, times: int, missed: float,
        share: float) -> Dict[str, Any]:
    """Split the documents many times.

    splits (Splits): The stored run.
    own (Mapping[str, float]): Thresholds of the best F1 on dev, by label.
    overlaps (str): What the pipeline does with overlaps where nothing is promised.
    times (int): Number of splits.
    missed (float): Most gold mentions that may be missed, as a share.
    share (float): Share of the documents that is calibrated on.
    RETURNS (Dict[str, Any]): Per label and for all: splits that hold, shares missed; precision and recall.
    """
    documents = len(splits.scores[splits.labels[0]])
    names = [*splits.labels, "all labels"]
    rows: Dict[str, List[List[float]]] = {name: [] for name in names}
    unkept, together = 0, []
    for seed in range(times):
        order = numpy.random.default_rng(seed).permutation(documents)
        first, rest = order[:int(share * documents)], order[int(share * documents):]
        kept = guarantee_recall({label: [splits.scores[label][one] for one in first] for label in splits.labels},
                                missed=missed)
        unkept += not all(one.holds for one in kept.values())
        table = splits.counts({label: one.threshold for label, one in kept.items()})
        for place, name in enumerate(names):
            among = slice(place, place + 1) if name in splits.labels else slice(None)
            right, found, gold = table[:, among].sum(axis=1)[rest].sum(axis=0)
            whole_right, _, whole_gold = table[:, among].sum(axis=(0, 1))
            rows[name].append([1 - whole_right / whole_gold, 1 - right / gold, right / found, right / gold,
                               kept[name].threshold if name in kept else numpy.nan])
        together.append([all(rows[label][-1][column] <= missed for label in splits.labels) for column in (0, 1)])
    base = splits.counts(own, overlaps=overlaps)
    result: Dict[str, Any] = {"splits": times, "documents": documents, "without_guarantee": unkept,
                              "each_label_whole": float(numpy.mean([whole for whole, _ in together])),
                              "each_label_rest": float(numpy.mean([rest for _, rest in together])), "labels": {}}
    for place, name in enumerate(names):
        values = numpy.asarray(rows[name])
        among = slice(place, place + 1) if name in splits.labels else slice(None)
        right, found, gold = base[:, among].sum(axis=(0, 1))
        result["labels"][name] = {
            "holds_whole": float((values[:, 0] <= missed).mean()), "holds_rest": float((values[:, 1] <= missed).mean()),
            "missed_mean": float(values[:, 1].mean()), "missed_95": float(numpy.quantile(values[:, 1], 0.95)),
            "precision": float(values[:, 2].mean()), "recall": float(values[:, 3].mean()),
            "threshold": float(values[:, 4].mean()), "own_precision": float(right / found),
            "own_recall": float(right / gold)}
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pipeline", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("--stored", type=Path, required=True)
    parser.add_argument("--splits", type=int, default=200)
    parser.add_argument("--missed", type=float, default=0.1)
    parser.add_argument("--share", type=float, default=0.5)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    own, overlaps = store_candidates(options.pipeline, options.test, options.stored)
    splits = Splits(list(read_jsonl(options.test)), list(read_jsonl(options.stored)), sorted(own))
    result = run(splits, own, overlaps, times=options.splits, missed=options.missed, share=options.share)
    if options.output:
        write_json(options.output, result)
    print({key: value for key, value in result.items() if key != "labels"})
    for name, figures in result["labels"].items():
        print(name, {key: round(value, 4) for key, value in figures.items()})


if __name__ == "__main__":
    main()
