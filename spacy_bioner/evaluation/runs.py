"""Systems that were run several times, with several seeds: mean figures, and the difference of two, with intervals.

The documents are resampled, and in each resample the mean over the runs is taken. So the interval of a system says how
sure the mean of these runs is for other documents; how far runs lie apart is told by their range. The interval of a
difference allows for other seeds too: the error of the mean over the runs is added to each resample.
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
    seed (int): Of the random numbers of the draws.
    """

    runs: Table
    draws: Table
    level: float
    seed: int = 0

    def take(self, indices: Sequence[int]) -> "RunScores":
        """Return those of some of the runs."""
        return RunScores(self.runs[list(indices)], self.draws[:, list(indices)], self.level, self.seed)

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
    return RunScores(numpy.stack([micro_scores(table.sum(axis=0)[None]) for table in tables]), draws, sampling.level,
                     sampling.seed)


def compare_runs(before: RunScores, after: RunScores) -> Dict[str, Dict[str, object]]:
    """Compare two systems that were scored on the same documents with the same sampling.

    before (RunScores): The one.
    after (RunScores): The other, its runs with the same seeds in the same order, if both have as many.
    RETURNS (Dict[str, Dict[str, object]]): For each figure the `difference` of the means and its `interval`, from the
        same draws of documents, with the error of the means over seeds where there are several runs.
    """
    means = after.runs.mean(axis=0) - before.runs.mean(axis=0)
    draws = after.draws.mean(axis=1) - before.draws.mean(axis=1)
    draws = add_seed_errors(draws, before.runs, after.runs, seed=before.seed)
    compared: Dict[str, Dict[str, object]] = {}
    for index, name in enumerate(FIGURES):
        interval = find_interval(draws[:, index], level=before.level)
        compared[name] = {"difference": float(means[index]), "interval": [interval.low, interval.high]}
    return compared


def add_seed_errors(draws: Table, before: Table, after: Table, *, seed: int) -> Table:
    """Add to resampled differences of means what other seeds would have changed, by Student's t-distribution.

    Three runs drawn with replacement would vary too little: the mean of the draws lies between the runs, and a third of
    their variance is lost.

    draws (Table): Shape (resamples, figures): differences of the means on resampled documents.
    before (Table): Shape (runs, figures): figures of the runs of the one system.
    after (Table): The same of the other. As many runs are pairs, and only the spread of their differences counts.
    seed (int): Of the random numbers.
    RETURNS (Table): The same shape as the draws, kept between -1 and 1; the draws themselves where no system has two
        runs.
    """
    random = numpy.random.default_rng(seed)
    for figures in [after - before] if len(before) == len(after) else [before, after]:
        runs = len(figures)
        if runs > 1:
            error = figures.std(axis=0, ddof=1) / runs ** 0.5
            draws = numpy.clip(draws + error * random.standard_t(runs - 1, size=(len(draws), 1)), -1, 1)
    return draws
