"""The figures of a system with their intervals, as a metrics file holds them."""

from dataclasses import dataclass
from functools import partial
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence

import numpy

from ..annotation import Annotation
from .counts import MEASURES, Measure, count_strict
from .error_types import summarise_errors
from .intervals import Table, find_interval, macro_scores, micro_scores, resample, widen
from .pairing import Pair, number_documents, pair_documents
from .slices import SLICES, SliceByFamiliarity, Slicer, count_slices, slice_by_depth, slice_by_length

FIGURES = ("precision", "recall", "f1")
# Which of the counts tp, fp and fn (rows) are behind which figure (columns).
_BEHIND = numpy.asarray([[1, 1, 1], [1, 0, 1], [0, 1, 1]])


@dataclass(frozen=True)
class Sampling:
    """How intervals are made.

    resamples (int): How many resamples of the documents.
    seed (int): Of the random numbers; systems measured with the same seed are compared document by document.
    level (float): Share of the resampled figures inside an interval.
    """

    resamples: int = 10_000
    seed: int = 0
    level: float = 0.95


@dataclass(frozen=True)
class Tally:
    """Counts of one measure over all documents.

    labels (Sequence[str]): What the counts are kept apart by.
    table (Table): Shape (documents, labels, 3): tp, fp, fn.
    """

    labels: Sequence[str]
    table: Table


def tally(pairs: Sequence[Pair], measure: Measure) -> Tally:
    """Count records, and add up those of a document.

    Sentences of a document are no independent draws: a name that is missed in one is missed in the next.

    pairs (Sequence[Pair]): The records.
    measure (Measure): How mentions of a record are counted.
    RETURNS (Tally): The counts of the documents as one table, labels in alphabetical order.
    """
    rows = [measure(pair.gold, pair.predicted) for pair in pairs]
    labels = sorted({label for row in rows for label in row})
    places = {label: index for index, label in enumerate(labels)}
    documents = number_documents(pairs)
    table = numpy.zeros((max(documents, default=-1) + 1, len(labels), 3))
    for number, row in zip(documents, rows):
        for label, counts in row.items():
            table[number, places[label]] += (counts.tp, counts.fp, counts.fn)
    return Tally(labels, table)


def evaluate(gold: Sequence[Annotation], predicted: Iterable[Annotation], *,
             sampling: Sampling = Sampling()) -> Dict[str, Any]:
    """Score predicted mentions against gold mentions: start, end and label must all be equal.

    gold (Sequence[Annotation]): Documents with their true mentions.
    predicted (Iterable[Annotation]): The same documents as a system annotated them, matched by id, in any order.
    sampling (Sampling): How the bootstrap confidence intervals are computed.
    RETURNS (Dict[str, Any]): `micro`, `macro`, and `labels` by label. Each has `precision`, `recall`, `f1`, the
        counts `tp`, `fp` and `fn`, and `intervals` with the low and high end of each score.
    RAISES BionerError: E601 to E603 for documents that do not match, E604 without documents.
    """
    pairs, _ = pair_documents(gold, predicted, system="predicted")
    return score_tallies({"strict": tally(pairs, count_strict)}, sampling)["strict"]


def measure_system(pairs: Sequence[Pair], *, familiarity: Optional[SliceByFamiliarity] = None,
                   sampling: Sampling = Sampling()) -> Dict[str, Any]:
    """Measure a system in every way.

    pairs (Sequence[Pair]): Its documents beside gold's.
    familiarity (Optional[SliceByFamiliarity]): Knows the mentions of the training part; without it the scores of
        seen and unseen mentions are left out.
    sampling (Sampling): How intervals are made.
    RETURNS (Dict[str, Any]): `micro`, `macro` and `labels` (strict), `boundary`, `overlap` and `strings`,
        `slices` by `depth`, `length` and `training`, and `errors`.
    """
    tallies = {name: tally(pairs, measure) for name, measure in MEASURES.items()}
    slicers: Dict[str, Slicer] = {"depth": slice_by_depth, "length": slice_by_length}
    if familiarity is not None:
        slicers["training"] = familiarity
    for name, slicer in slicers.items():
        tallies[name] = tally(pairs, partial(count_slices, slicer=slicer))
    scores = score_tallies(tallies, sampling)
    return {
        **scores["strict"],
        "boundary": scores["boundary"]["micro"],
        "overlap": scores["overlap"],
        "strings": scores["strings"],
        "errors": summarise_errors(pairs),
        "slices": {name: {kind: scores[name]["labels"][kind] for kind in SLICES[name] if kind in scores[name]["labels"]}
                   for name in slicers},
    }


def score_tallies(tallies: Mapping[str, Tally], sampling: Sampling) -> Dict[str, Dict[str, Any]]:
    """Score counts, all on the same draws of documents.

    tallies (Mapping[str, Tally]): Counts of the same documents by name.
    sampling (Sampling): How intervals are made.
    RETURNS (Dict[str, Dict[str, Any]]): For each name what `evaluate` returns.
    """
    flat = [each.table.reshape(len(each.table), 3 * len(each.labels)) for each in tallies.values()]
    drawn = resample(numpy.concatenate(flat, axis=1), resamples=sampling.resamples, seed=sampling.seed)
    scores, column = {}, 0
    for name, each in tallies.items():
        width = 3 * len(each.labels)
        draws = drawn[:, column:column + width].reshape(len(drawn), len(each.labels), 3)
        scores[name] = _score_tally(each, draws, sampling.level)
        column += width
    return scores


def _score_tally(each: Tally, draws: Table, level: float) -> Dict[str, Any]:
    scores: Dict[str, Any] = {"micro": _score(each.table, draws, micro_scores, level),
                              "macro": _score(each.table, draws, macro_scores, level), "labels": {}}
    for index, label in enumerate(each.labels):
        one = slice(index, index + 1)
        scores["labels"][label] = _score(each.table[:, one], draws[:, one], micro_scores, level)
    return scores


def _score(table: Table, draws: Table, scores_of: Callable[[Table], Table], level: float) -> Dict[str, Any]:
    """Return precision, recall and f1, their intervals, and the counts that they come from."""
    tp, fp, fn = (int(count) for count in table.sum(axis=(0, 1)))
    values, resampled = scores_of(table.sum(axis=0)), scores_of(draws)
    behind = table.sum(axis=1) @ _BEHIND
    intervals: Dict[str, List[float]] = {}
    for index, name in enumerate(FIGURES):
        interval = widen(find_interval(resampled[:, index], level=level), float(values[index]), level=level,
                         documents=int(numpy.count_nonzero(behind[:, index])))
        intervals[name] = [round(interval.low, 6), round(interval.high, 6)]
    return {**{name: round(float(value), 6) for name, value in zip(FIGURES, values)},
            "tp": tp, "fp": fp, "fn": fn, "intervals": intervals}
