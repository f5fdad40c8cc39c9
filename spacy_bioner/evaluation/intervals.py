"""How sure a figure is: bootstrap over documents, a paired test of two systems, mean and deviation over seeds.

Every figure is computed from sums of counts over documents. So one table of counts (documents by columns) is resampled
once, and all figures of all systems are read from the same resamples, which makes their differences paired.
"""

from dataclasses import dataclass
from typing import Iterator, Sequence, Tuple

import numpy
from numpy.typing import NDArray

from ..errors import BionerError, Errors

Table = NDArray[numpy.float64]
# Numbers held at a time while resampling; bounds memory, not the result.
_BLOCK = 4_000_000
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Interval:
    """Where a figure probably lies.

    low (float): Lower end.
    high (float): Upper end.
    """

    low: float
    high: float


def resample(table: Table, *, resamples: int, seed: int) -> Table:
    """Sum the counts of documents drawn with replacement, as many as there are, many times over.

    table (Table): Shape (documents, columns): the counts of each document.
    resamples (int): How often to draw.
    seed (int): Of the random numbers; the same seed draws the same documents.
    RETURNS (Table): Shape (resamples, columns): sums of each draw.
    RAISES BionerError: E604 without documents.
    """
    documents = len(table)
    if documents == 0:
        raise BionerError(Errors.E604)
    random = numpy.random.default_rng(seed)
    sums = numpy.empty((resamples, table.shape[1]))
    for first, size in _blocks(resamples, documents):
        drawn = random.integers(documents, size=(size, documents), dtype=numpy.int32)
        drawn += numpy.arange(size, dtype=numpy.int32)[:, None] * documents
        times = numpy.bincount(drawn.ravel(), minlength=size * documents).reshape(size, documents)
        sums[first:first + size] = times.astype(float) @ table
    return sums


def swap(first: Table, second: Table, *, resamples: int, seed: int) -> Tuple[Table, Table]:
    """Sum the counts of two systems after each document's have changed places with probability one half.

    first (Table): Shape (documents, columns): counts of one system.
    second (Table): The same shape: counts of the other on the same documents.
    resamples (int): How often to swap.
    seed (int): Of the random numbers.
    RETURNS (Tuple[Table, Table]): Shape (resamples, columns) each: sums of the two mixtures.
    """
    documents = len(first)
    random = numpy.random.default_rng(seed)
    moved = numpy.empty((resamples, first.shape[1]))
    for start, size in _blocks(resamples, documents):
        moved[start:start + size] = random.integers(2, size=(size, documents), dtype=numpy.int8) @ (second - first)
    return first.sum(axis=0) + moved, second.sum(axis=0) - moved


def find_interval(values: NDArray[numpy.float64], *, level: float = 0.95) -> Interval:
    """Percentile interval of resampled figures.

    values (NDArray[numpy.float64]): Shape (resamples,).
    level (float): Share of the values that lie inside.
    RETURNS (Interval): The interval.
    """
    low, high = numpy.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def widen(interval: Interval, value: float, *, documents: int, level: float = 0.95) -> Interval:
    """Give the interval of a share of 0 or 1 its exact end, since all resamples of it are alike.

    The end is that of Clopper and Pearson (1934, doi:10.1093/biomet/26.4.404), with each document as one trial.

    interval (Interval): The percentile interval.
    value (float): The figure.
    documents (int): Documents that it is computed from.
    level (float): Share of the resampled figures inside the interval.
    RETURNS (Interval): The interval, as it was for other figures.
    """
    end = ((1 - level) / 2) ** (1 / documents) if documents else 1.0
    return Interval(min(interval.low, end) if value >= 1 else interval.low,
                    max(interval.high, 1 - end) if value <= 0 else interval.high)


def find_p_value(observed: float, swapped: NDArray[numpy.float64]) -> float:
    """Two-sided p value of a difference, by approximate randomisation.

    observed (float): The difference of the two systems.
    swapped (NDArray[numpy.float64]): Shape (resamples,): the differences after swapping documents.
    RETURNS (float): Share of differences at least as large, the observed one counted among them.
    """
    as_large = int(numpy.count_nonzero(numpy.abs(swapped) >= abs(observed) - _ROUNDING))
    return (as_large + 1) / (len(swapped) + 1)


def adjust_p_values(p_values: Sequence[float]) -> Tuple[float, ...]:
    """Raise p values for the number of comparisons, by Holm's step-down rule.

    p_values (Sequence[float]): One for each comparison.
    RETURNS (Tuple[float, ...]): The adjusted ones, in the same order.
    """
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return tuple(adjusted)


def mean_and_deviation(values: Sequence[float]) -> Tuple[float, float]:
    """Mean and sample standard deviation of the same figure over runs with several seeds.

    values (Sequence[float]): One for each run.
    RETURNS (Tuple[float, float]): The mean, and the deviation (0 for a single run).
    """
    return float(numpy.mean(values)), float(numpy.std(values, ddof=1)) if len(values) > 1 else 0.0


def micro_scores(sums: Table) -> Table:
    """Precision, recall and F1 over all labels.

    sums (Table): Shape (..., labels, 3): tp, fp, fn.
    RETURNS (Table): Shape (..., 3): precision, recall, F1.
    """
    return _scores(sums.sum(axis=-2))


def macro_scores(sums: Table) -> Table:
    """Mean precision, recall and F1 over the labels that occur.

    sums (Table): Shape (..., labels, 3): tp, fp, fn.
    RETURNS (Table): Shape (..., 3): the means, 0 where no label occurs.
    """
    occurring = sums.sum(axis=-1, keepdims=True) > 0
    return _divide((_scores(sums) * occurring).sum(axis=-2), occurring.sum(axis=-2))


def _scores(sums: Table) -> Table:
    """Return the shape (..., 3): precision, recall, F1 of tp, fp, fn in the last dimension; 0 for 0 / 0."""
    tp, fp, fn = sums[..., 0], sums[..., 1], sums[..., 2]
    return numpy.stack([_divide(tp, tp + fp), _divide(tp, tp + fn), _divide(2 * tp, 2 * tp + fp + fn)], axis=-1)


def _divide(above: Table, below: Table) -> Table:
    return numpy.divide(above, below, out=numpy.zeros(numpy.broadcast(above, below).shape), where=below > 0)


def _blocks(resamples: int, documents: int) -> Iterator[Tuple[int, int]]:
    """Yield first resample and number of resamples that are done at a time."""
    size = max(1, _BLOCK // documents)
    for first in range(0, resamples, size):
        yield first, min(size, resamples - first)
