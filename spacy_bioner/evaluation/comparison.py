"""Two systems on the same documents: is the difference real, which errors went and came; runs with several seeds."""

from collections import defaultdict
from itertools import combinations
from math import lcm
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Set, Tuple

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
from .runs import add_seed_errors

_SCORES = {"micro": micro_scores, "macro": macro_scores}


def group_runs(names: Iterable[str]) -> Dict[str, List[str]]:
    """Group systems that are runs of one with several seeds, named `name@seed`.

    names (Iterable[str]): Names of the systems.
    RETURNS (Dict[str, List[str]]): Name of each group to its runs; a system without another run stands alone under its
        own name.
    """
    groups: Dict[str, List[str]] = defaultdict(list)
    for name in names:
        groups[name.rpartition("@")[0] or name].append(name)
    return {group if len(runs) > 1 else runs[0]: runs for group, runs in groups.items()}


def compare_systems(systems: Mapping[str, Sequence[Pair]], sampling: Sampling = Sampling()) -> List[Dict[str, Any]]:
    """Compare each two systems, the one named first being the one before; of several runs of a system the mean counts.

    systems (Mapping[str, Sequence[Pair]]): Documents of each, on the same gold; runs with several seeds are named
        `name@seed`.
    sampling (Sampling): How intervals and p values are made.
    RETURNS (List[Dict[str, Any]]): For each two: `before` and `after` (names), `micro` and `macro` with difference,
        interval and p value of each figure, and `errors`. `p_adjusted` allows for the number of comparisons.
    """
    tables = _align({name: tally(pairs, count_strict) for name, pairs in systems.items()})
    drawn = {name: resample(_flatten(table), **_draw(sampling)).reshape(sampling.resamples, *table.shape[1:])
             for name, table in tables.items()}
    errors = {name: _list_errors(pairs) for name, pairs in systems.items()}
    groups = group_runs(systems)
    comparisons = []
    for before, after in combinations(groups, 2):
        pairs = _pair_runs(groups[before], groups[after])
        changes = [compare_errors(errors[first], errors[second]) for first, second in pairs]
        comparisons.append({"before": before, "after": after, **_test_difference(pairs, tables, drawn, sampling),
                            "errors": {kind: {name: round(sum(each[kind][name] for each in changes) / len(changes))
                                              for name in changes[0][kind]} for kind in KINDS}})
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
    summary: Dict[str, Dict[str, Any]] = {}
    for group, names in group_runs(systems).items():
        if len(names) < 2:
            continue
        summary[group] = {"runs": names}
        for average in _SCORES:
            summary[group][average] = {}
            for figure in FIGURES:
                mean, deviation = mean_and_deviation([systems[name][average][figure] for name in names])
                summary[group][average][figure] = {"mean": mean, "deviation": deviation}
    return summary


def _pair_runs(before: Sequence[str], after: Sequence[str]) -> List[Tuple[str, str]]:
    """Return runs with the same seed, where both systems have the same; else each run as often as any other."""
    seeds = {name.rpartition("@")[2]: name for name in after}
    if len(before) == len(after) and all(name.rpartition("@")[2] in seeds for name in before):
        return [(name, seeds[name.rpartition("@")[2]]) for name in before]
    return [(before[place % len(before)], after[place % len(after)]) for place in range(lcm(len(before), len(after)))]


def _test_difference(pairs: Sequence[Tuple[str, str]], tables: Mapping[str, Table], drawn: Mapping[str, Table],
                     sampling: Sampling) -> Dict[str, Any]:
    """Return for micro and macro, each figure's difference with interval and p value, means over pairs of runs."""
    sides = [list(dict.fromkeys(side)) for side in zip(*pairs)]
    swapped = [[sums.reshape(sampling.resamples, *tables[first].shape[1:])
                for sums in swap(_flatten(tables[first]), _flatten(tables[second]), **_draw(sampling))]
               for first, second in pairs]
    result: Dict[str, Any] = {}
    for average, scores_of in _SCORES.items():
        runs = [numpy.stack([scores_of(tables[name].sum(axis=0)) for name in side]) for side in sides]
        observed = runs[1].mean(axis=0) - runs[0].mean(axis=0)
        before, after = (numpy.mean([scores_of(drawn[name]) for name in side], axis=0) for side in sides)
        draws = add_seed_errors(after - before, *runs, seed=sampling.seed)
        chance = numpy.mean([scores_of(second) - scores_of(first) for first, second in swapped], axis=0)
        result[average] = {}
        for index, figure in enumerate(FIGURES):
            interval, difference = find_interval(draws[:, index], level=sampling.level), float(observed[index])
            p_value = find_p_value(difference, chance[:, index])
            if len(pairs) > 1:
                # Swapping documents tells nothing of other seeds.
                p_value = max(p_value, find_p_value(difference, draws[:, index] - difference))
            result[average][figure] = {"difference": difference, "interval": [interval.low, interval.high],
                                       "p": p_value}
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
