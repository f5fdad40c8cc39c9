"""Thresholds with a guarantee: at most a given share of the gold mentions is missed, with a given confidence.

Learn then Test (Angelopoulos et al. 2021, arXiv:2110.01052): the hypothesis "with this threshold more is missed" is
tested for threshold after threshold of a fixed list, the lowest first, on a calibration set that nothing else was
chosen on. The last one before the first that is not rejected is taken, so no correction for the number of thresholds
is due. The p-value is that of a betting martingale (Waudby-Smith and Ramdas 2024, arXiv:2010.09686): it holds for
finite samples and assumes nothing of the distribution.

Mentions of a document are no independent draws: a name that is missed is missed again. So the unit is the document, and
assumed is that documents are independent draws of one population. Of each the missed and the gold mentions are counted,
and tested is whether E[missed] <= share * E[gold]. Such a test needs a bound of what one document can do: a document
with more than ten mentions of a label counts as one with ten, of which the same share is missed. So the promise is
about mentions that are counted so. Where long documents miss more than others, the plain share is larger; a threshold
of which the plain share of the calibration set is too large is therefore not taken either.
"""

import math
from dataclasses import dataclass
from typing import Dict, Mapping, Sequence

import numpy

# From which thresholds one is chosen: fixed before anything is seen, denser where probabilities are low.
THRESHOLDS = tuple(round(value, 4) for value in numpy.concatenate([
    numpy.arange(0.002, 0.05, 0.002), numpy.arange(0.05, 0.2, 0.005), numpy.arange(0.2, 0.951, 0.01)]).tolist())

# Mentions of a label that a document counts as at most.
MOST_COUNTED = 10

# The gold mentions of a label in a document: the probability of each that is found, 0 where no threshold lets it pass.
DocumentScores = Sequence[float]


@dataclass(frozen=True)
class Guarantee:
    """What is promised of a label.

    threshold (float): The highest one that keeps the promise; the lowest of all where none does.
    holds (bool): Whether the promise could be made.
    missed (float): Plain share of the gold mentions of the calibration set that it misses.
    documents (int): Documents that were calibrated on.
    mentions (int): Their gold mentions of the label.
    """

    threshold: float
    holds: bool
    missed: float
    documents: int
    mentions: int


def guarantee_recall(labels: Mapping[str, Sequence[DocumentScores]], *, missed: float,
                     confidence: float = 0.95) -> Dict[str, Guarantee]:
    """Choose the thresholds of all labels, so that all promises hold together with the confidence.

    labels (Mapping[str, Sequence[DocumentScores]]): For each label its mentions in each document of the calibration
        set, documents without one among them.
    missed (float): Most gold mentions that may be missed, as a share; a document with more than ten of a label counts
        as one with ten.
    confidence (float): Probability over calibration sets that all promises hold.
    RETURNS (Dict[str, Guarantee]): For each label its threshold and promise.
    """
    level = (1 - confidence) / max(1, len(labels))
    return {label: _choose(documents, missed=missed, level=level) for label, documents in labels.items()}


def _choose(documents: Sequence[DocumentScores], *, missed: float, level: float) -> Guarantee:
    gold = numpy.asarray([len(one) for one in documents], dtype="float64")
    total = int(gold.sum())
    losses = count_missed(documents, THRESHOLDS)
    weights = MOST_COUNTED / numpy.maximum(gold, MOST_COUNTED)
    chosen = None
    for place in range(len(THRESHOLDS)):
        if not total or losses[place].sum() > missed * total:
            break
        if missed_p_value(losses[place] * weights, gold * weights, missed=missed, level=level) > level:
            break
        chosen = place
    lost = float(losses[chosen or 0].sum() / total) if total else 0.0
    return Guarantee(THRESHOLDS[chosen or 0], chosen is not None, lost, len(documents), total)


def count_missed(documents: Sequence[DocumentScores], thresholds: Sequence[float]) -> numpy.ndarray:
    """Count what each threshold misses.

    documents (Sequence[DocumentScores]): The documents.
    thresholds (Sequence[float]): The thresholds.
    RETURNS (numpy.ndarray): Shape (thresholds, documents): gold mentions of a lower probability.
    """
    limits = numpy.asarray(thresholds)
    counts = [numpy.searchsorted(numpy.sort(numpy.asarray(one, dtype="float64")), limits, side="left")
              for one in documents]
    return numpy.stack(counts, axis=1).astype("float64") if counts else numpy.zeros((len(limits), 0))


def missed_p_value(lost: numpy.ndarray, gold: numpy.ndarray, *, missed: float, level: float) -> float:
    """Test that more than a share of the mentions is missed; a small value speaks against it.

    lost (numpy.ndarray): Missed mentions of each document.
    gold (numpy.ndarray): Gold mentions of each document, ten at most.
    missed (float): The share.
    level (float): What the value will be compared with; the stakes are chosen for it.
    RETURNS (float): An upper bound of the probability of such data, or clearer ones, were the hypothesis true.
    """
    # Under the hypothesis above 0 in the mean, and always at most (1 - missed) * MOST_COUNTED.
    excess = lost - missed * gold
    most = 0.75 / ((1 - missed) * MOST_COUNTED)
    wealth = best = total = 0.0
    squares = 1.0
    for number, value in enumerate(excess.tolist(), start=1):
        # What is bet on the next document losing less than the share, by the variance of those before it.
        stake = min(most, math.sqrt(2 * math.log(1 / level) * number / (len(excess) * squares)))
        wealth += math.log1p(-stake * value)
        best = max(best, wealth)
        total += value
        squares += (value - total / (number + 1)) ** 2
    return math.exp(-best)
