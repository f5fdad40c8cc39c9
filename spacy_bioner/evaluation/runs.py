"""Systems that were run several times, with several seeds: mean figures, and the difference of two, with intervals.

The documents are resampled, and in each resample the mean over the runs is taken. So an interval says how sure the mean
of these runs is for other documents; how far runs lie apart is told by their range.
"""

from dataclasses import dataclass
from typing import Dict, Sequence

import numpy

from .counts import Measure, count_strict
from .intervals import Table, find_interval, micro_scores, resample
from .metrics import FIGURES, Sampling, tally
from .pairing import Pair


@dataclass(frozen=True)
class RunScores:
    """Precision, recall and F1 of the runs of a system.

    runs (Table): Shape (runs, 3): the figures of each run.
    draws (Table): Shape (resamples, runs, 3): the same on resampled documents.
    level (float): Share of the draws inside an interval.
    """

    runs: Table
    draws: Table
    level: float

    def take(self, indices: Sequence[int]) -> "RunScores":
        """Return those of some of the runs."""
        return RunScores(self.runs[list(indices)], self.draws[:, list(indices)], self.level)

    def describe(self) -> Dict[str, Dict[str, object]]:
        """Return for each figure `mean`, `interval`, `range` and `runs`."""
        described: Dict[str, Dict[str, object]] = {}
        for index, name in enumerate(FIGURES):
            interval, each = find_interval(self.draws[..., index].mean(axis=1), level=self.level), self.runs[:, index]
            described[name] = {"mean": float(each.mean()), "interval": [interval.low, interval.high],
                               "range": [float(each.min()), float(each.max())], "runs": each.tolist()}
        return described


def score_runs(runs: Sequence[Sequence[Pair]], *, measure: Measure = count_strict,
               sampling: Sampling = Sampling()) -> RunScores:
    """Score the runs of a system on the same documents.

    runs (Sequence[Sequence[Pair]]): The documents of each run beside gold's, in the same order.
    measure (Measure): How mentions are counted.
    sampling (Sampling): How intervals are made; with the same seed the same documents are drawn.
    RETURNS (RunScores): The scores.
    """
    tables = [tally(pairs, measure).table.sum(axis=1) for pairs in runs]
    drawn = resample(numpy.concatenate(tables, axis=1), resamples=sampling.resamples, seed=sampling.seed)
    draws = micro_scores(drawn.reshape(len(drawn), len(runs), 1, 3))
    return RunScores(numpy.stack([micro_scores(table.sum(axis=0)[None]) for table in tables]), draws, sampling.level)


def compare_runs(before: RunScores, after: RunScores) -> Dict[str, Dict[str, object]]:
    """Compare two systems that were scored on the same documents with the same sampling.

    before (RunScores): The one.
    after (RunScores): The other.
    RETURNS (Dict[str, Dict[str, object]]): For each figure the `difference` of the means and its `interval`, from the
        same draws of documents.
    """
    means = after.runs.mean(axis=0) - before.runs.mean(axis=0)
    draws = after.draws.mean(axis=1) - before.draws.mean(axis=1)
    compared: Dict[str, Dict[str, object]] = {}
    for index, name in enumerate(FIGURES):
        interval = find_interval(draws[:, index], level=before.level)
        compared[name] = {"difference": float(means[index]), "interval": [interval.low, interval.high]}
    return compared
