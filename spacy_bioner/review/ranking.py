"""Which sentences to correct next: those whose correction is expected to bring most.

`gain` takes sentences in which much is in doubt and which are unlike those that are known or taken already; the other
strategies are its two parts, what several annotators disagree on, and chance as the control.
"""

from dataclasses import dataclass
from typing import List, Optional, Sequence

import numpy
from numpy.typing import NDArray

from ..errors import BionerError, Errors
from .choices import Strategy

Vectors = NDArray[numpy.float32]


@dataclass(frozen=True)
class Choice:
    """A sentence that was chosen.

    row (int): Its row in the pool.
    doubt (float): Corrections that are to be expected in it; 0 where the strategy did not ask.
    novelty (float): One minus the cosine to the most similar sentence known or taken before; 1 where it did not ask.
    """

    row: int
    doubt: float = 0.0
    novelty: float = 1.0

    @property
    def gain(self) -> float:
        return self.doubt * self.novelty


def rank(size: int, count: int, *, strategy: Strategy, seed: int, doubts: Optional[Sequence[float]] = None,
         vectors: Optional[Vectors] = None, known: Optional[Vectors] = None) -> List[Choice]:
    """Choose sentences of a pool, the most useful first.

    Diversity is greedy k-center selection (Sener and Savarese 2018, Active learning for convolutional neural networks:
    a core-set approach, arXiv 1708.00489): each next sentence is the one farthest from all known and taken ones. Gain
    multiplies that distance by the doubt.

    size (int): Sentences of the pool.
    count (int): How many to choose; all where there are no more.
    strategy (Strategy): What they are chosen by.
    seed (int): Of the random choice.
    doubts (Optional[Sequence[float]]): Corrections to be expected in each sentence, where the strategy asks.
    vectors (Optional[Vectors]): Sentence vectors of length 1, (size, width), where the strategy asks.
    known (Optional[Vectors]): Those of the sentences that are corrected already.
    RETURNS (List[Choice]): The chosen ones.
    """
    count = min(count, size)
    if strategy is Strategy.random:
        return [Choice(int(row)) for row in numpy.random.default_rng(seed).permutation(size)[:count]]
    doubt = numpy.ones(size) if doubts is None else numpy.asarray(doubts, dtype="float64")
    if not strategy.needs_vectors:
        return [Choice(int(row), float(doubt[row])) for row in numpy.argsort(-doubt, kind="stable")[:count]]
    if vectors is None:
        raise ValueError(f"{strategy.value} needs sentence vectors")
    if strategy is Strategy.diversity:
        doubt = numpy.ones(size)
    return _choose_unlike(doubt, vectors, known, count)


def refuse_certain(doubts: Sequence[float], *, source: str) -> None:
    """Refuse a pool in which nothing is in doubt, for nothing could be ranked.

    doubts (Sequence[float]): Corrections to be expected in each sentence.
    source (str): The pool, for the error.
    RAISES BionerError: E901 where all are 0.
    """
    if not any(doubts):
        raise BionerError(Errors.E901.format(source=source))


def _choose_unlike(doubt: NDArray[numpy.float64], vectors: Vectors, known: Optional[Vectors],
                   count: int) -> List[Choice]:
    nearest = numpy.zeros(len(vectors), dtype="float32")
    if known is not None:
        for row in known:
            numpy.maximum(nearest, vectors @ row, out=nearest)
    open_ = numpy.ones(len(vectors), dtype=bool)
    chosen: List[Choice] = []
    while len(chosen) < count:
        novelty = numpy.clip(1.0 - nearest, 0.0, 1.0)
        # Also where all are alike one is taken, the one with most doubt.
        value = numpy.where(open_, doubt * novelty + 1e-9 * doubt, -1.0)
        row = int(value.argmax())
        chosen.append(Choice(row, float(doubt[row]), float(novelty[row])))
        open_[row] = False
        numpy.maximum(nearest, vectors @ vectors[row], out=nearest)
    return chosen
