"""Two systems on the same documents: is the difference real, which errors went and came; runs with several seeds."""

from collections import defaultdict
from itertools import combinations
from typing import Any, Dict, List, Mapping, Sequence, Set, Tuple

import numpy

from .counts import count_strict
from .error_types import KINDS, find_errors
from .intervals import (
    Table,
    adjust_p_values,
    find_interval,
    find_p_value,
    macro_scores,
    mean_and_deviation,
    micro_scores,
    resample,
    swap,
)
from .metrics import FIGURES, Sampling, tally
from .pairing import Pair

_SCORES = {"micro": micro_scores, "macro": macro_scores}


def compare_systems(systems: Mapping[str, Sequence[Pair]], sampling: Sampling = Sampling()) -> List[Dict[str, Any]]:
    """Compare each two systems, the one named first being the one before.

    systems (Mapping[str, Sequence[Pair]]): Documents of each, on the same gold.
    sampling (Sampling): How intervals and p values are made.
    RETURNS (List[Dict[str, Any]]): For each two: `before` and `after` (names), `micro` and `macro` with difference,
        interval and p value of each figure, and `errors`. `p_adjusted` allows for the number of comparisons.
    """
    tables = _align({name: tally(pairs, count_strict) for name, pairs in systems.items()})
    drawn = {name: resample(_flatten(table), **_draw(sampling)).reshape(sampling.resamples, *table.shape[1:])
             for name, table in tables.items()}
    errors = {name: _list_errors(pairs) for name, pairs in systems.items()}
    comparisons = []
    for before, after in combinations(systems, 2):
        comparisons.append({"before": before, "after": after,
                            **_test_difference([tables[before], tables[after]], [drawn[before], drawn[after]],
                                               sampling),
                            "errors": compare_errors(errors[before], errors[after])})
    for average in _SCORES:
        for figure in FIGURES:
            cells = [comparison[average][figure] for comparison in comparisons]
            for cell, adjusted in zip(cells, adjust_p_values([cell["p"] for cell in cells])):
                cell["p_adjusted"] = adjusted
    return comparisons


def compare_errors(before: Mapping[str, Set[Tuple]], after: Mapping[str, Set[Tuple]]) -> Dict[str, Dict[str, int]]:
    """Count which errors of one system another has too, which are gone, and which are new.

    before (Mapping[str, Set[Tuple]]): Kind to errors of the one system.
    after (Mapping[str, Set[Tuple]]): Kind to errors of the other.
    RETURNS (Dict[str, Dict[str, int]]): For each kind `before`, `after`, `gone` and `new`.
    """
    return {kind: {"before": len(before[kind]), "after": len(after[kind]), "gone": len(before[kind] - after[kind]),
                   "new": len(after[kind] - before[kind])} for kind in KINDS}


def summarise_runs(systems: Mapping[str, Mapping[str, Any]]) -> Dict[str, Dict[str, Any]]:
    """Mean and deviation of systems that were run with several seeds, named `name@seed`.

    systems (Mapping[str, Mapping[str, Any]]): Name to measured figures.
    RETURNS (Dict[str, Dict[str, Any]]): For each name with two or more runs, `runs` and for micro and macro the `mean`
        and `deviation` of each figure.
    """
    groups: Dict[str, List[str]] = defaultdict(list)
    for name in systems:
        group, at, _ = name.rpartition("@")
        if at:
            groups[group].append(name)
    summary: Dict[str, Dict[str, Any]] = {}
    for group, names in groups.items():
        if len(names) < 2:
            continue
        summary[group] = {"runs": names}
        for average in _SCORES:
            summary[group][average] = {}
            for figure in FIGURES:
                mean, deviation = mean_and_deviation([systems[name][average][figure] for name in names])
                summary[group][average][figure] = {"mean": mean, "deviation": deviation}
    return summary


def _test_difference(tables: Sequence[Table], drawn: Sequence[Table], sampling: Sampling) -> Dict[str, Any]:
    """Return for micro and macro, each figure's difference with interval and p value."""
    shape = tables[0].shape[1:]
    swapped = [sums.reshape(sampling.resamples, *shape)
               for sums in swap(*map(_flatten, tables), **_draw(sampling))]
    result: Dict[str, Any] = {}
    for average, scores_of in _SCORES.items():
        observed, draws, chance = (scores_of(after) - scores_of(before) for before, after in (
            [table.sum(axis=0) for table in tables], drawn, swapped))
        result[average] = {}
        for index, figure in enumerate(FIGURES):
            interval = find_interval(draws[:, index], level=sampling.level)
            result[average][figure] = {"difference": float(observed[index]), "interval": [interval.low, interval.high],
                                       "p": find_p_value(float(observed[index]), chance[:, index])}
    return result


def _draw(sampling: Sampling) -> Dict[str, Any]:
    return {"resamples": sampling.resamples, "seed": sampling.seed}


def _flatten(table: Table) -> Table:
    """Return the shape (documents, labels * 3) of (documents, labels, 3)."""
    return table.reshape(len(table), table.shape[1] * table.shape[2])


def _align(tallies: Mapping[str, Any]) -> Dict[str, Table]:
    """Return the tables of systems, all with a row for each label that any system has."""
    labels = sorted({label for each in tallies.values() for label in each.labels})
    aligned = {}
    for name, each in tallies.items():
        table = numpy.zeros((len(each.table), len(labels), 3))
        table[:, [labels.index(label) for label in each.labels]] = each.table
        aligned[name] = table
    return aligned


def _list_errors(pairs: Sequence[Pair]) -> Dict[str, Set[Tuple]]:
    """Return the kind to errors; what is wrong tells them apart, not what they stand for."""
    errors: Dict[str, Set[Tuple]] = {kind: set() for kind in KINDS}
    for pair in pairs:
        for error in find_errors(pair.gold, pair.predicted):
            mention = error.predicted or error.gold
            errors[error.kind].add((pair.gold.id, mention.key if mention else None))
    return errors
