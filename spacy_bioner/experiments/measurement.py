"""The rows of an experiment in figures: scores, differences, errors, calibration, what was chosen on dev."""

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy

from ..annotation import Annotation
from ..corpus.set_aside import read_set_aside
from ..errors import BionerError, Errors
from ..evaluation.counts import count_strict, count_strings
from ..evaluation.error_types import KINDS, count_shifts, find_errors
from ..evaluation.metrics import Sampling
from ..evaluation.pairing import Pair, pair_documents
from ..evaluation.runs import RunScores, compare_runs, score_runs
from ..formats.jsonl import read_jsonl
from ..ml.calibration import expected_calibration_error, reliability, to_logit, to_probability
from .expansion import Expanded
from .json_values import find_value
from .rows import ONCE, Row, Run
from .table_figures import judge_claims, measure_tables, read_reports


def measure_rows(expanded: Expanded, sampling: Sampling = Sampling()) -> Dict[str, Any]:
    """Measure the rows of an experiment.

    expanded (Expanded): The experiment; the files of its rows are there.
    sampling (Sampling): How intervals are made.
    RETURNS (Dict[str, Any]): `rows` by name, `comparisons`, `claims`, `chosen`, `tables`, `reports`, the rows that were
        `not_made`, and `sampling` as it was given.
    RAISES BionerError: E601 to E603 where documents do not match, E717 where compared rows have other test parts.
    """
    measured: Dict[str, Any] = {}
    strict: Dict[str, RunScores] = {}
    for name, row in expanded.rows.items():
        pairs = [read_pairs(run, name) for run in row.runs.values()]
        devs = {key: _read_figure(run.dev) for key, run in row.runs.items() if run.dev}
        strict[name] = score_runs(pairs, measure=count_strict, sampling=sampling)
        measured[name] = {
            "runs": {key: str(run.predicted) for key, run in row.runs.items()},
            "gold": str(row.gold), "documents": len(pairs[0]),
            "mentions": sum(len(pair.gold.mentions) for pair in pairs[0]),
            "set_aside": sum(len(read_set_aside(run.predicted)) for run in row.runs.values()),
            "strict": strict[name].describe(),
            "strings": score_runs(pairs, measure=count_strings, sampling=sampling).describe(),
            "errors": count_errors(pairs), "near": share_near(pairs), "x": row.x, "line": row.line,
            "dev": mean_of(devs), "dev_runs": devs, "calibration": measure_calibration(row, pairs)}
    chosen = {name: choose(among, measured) for name, among in expanded.choose.items()}

    def compare(before: str, after: str) -> Dict[str, Any]:
        first, second = (chosen[name]["row"] if name in chosen else name for name in (before, after))
        return _compare(expanded.rows[first], expanded.rows[second], strict)

    return {"rows": measured, "sampling": asdict(sampling), "chosen": chosen, "not_made": expanded.not_made,
            "comparisons": [compare(*pair) for pair in expanded.compare],
            "claims": judge_claims(expanded, compare), "tables": measure_tables(expanded, measured, chosen, compare),
            "reports": read_reports(expanded)}


def read_pairs(run: Run, name: str) -> List[Pair]:
    """Return the documents of a run beside gold's, in those that were set aside nothing was found;
    raises BionerError E602 where one is missing."""
    found = [*read_jsonl(run.predicted), *read_set_aside(run.predicted)]
    return pair_documents(list(read_jsonl(run.gold)), found, system=name)[0]


def count_errors(runs: Sequence[Sequence[Pair]]) -> Dict[str, float]:
    """Return the kind to number of errors, mean over the runs."""
    counts = Counter(error.kind for pairs in runs for pair in pairs for error in find_errors(pair.gold, pair.predicted))
    return {kind: round(counts[kind] / len(runs), 1) for kind in KINDS}


def share_near(runs: Sequence[Sequence[Pair]]) -> float:
    """Return which part of the boundary errors of all runs is off by two tokens at most; 0 where there is none."""
    return float(count_shifts((pair, error) for pairs in runs for pair in pairs
                              for error in find_errors(pair.gold, pair.predicted))["near"])


def mean_of(runs: Mapping[str, float], keys: Sequence[str] = ()) -> Optional[float]:
    """Return the mean of the figures of some runs, of all where none is named; None without any."""
    values = [runs[key] for key in keys or runs]
    return sum(values) / len(values) if values else None


def find_shared(rows: Sequence[Mapping[str, Any]], figure: str) -> List[str]:
    """Find the repetitions that rows have in common: the mean of three is not compared with a single one.

    rows (Sequence[Mapping[str, Any]]): Measured rows.
    figure (str): What is compared, a mapping by run.
    RETURNS (List[str]): Names of the runs that each row has; empty where there is none.
    """
    return [key for key in rows[0][figure] if all(key in row[figure] for row in rows)]


def choose(among: Sequence[str], measured: Mapping[str, Any]) -> Dict[str, Any]:
    """Choose the row with the best figure on dev over the runs that all have; the first of several that are as good.

    among (Sequence[str]): Names of rows.
    measured (Mapping[str, Any]): The rows.
    RETURNS (Dict[str, Any]): `row`, the `runs` that were compared (empty: all of each), its `dev` over them, and its
        `test` F1 over them, which had no part in the choice.
    RAISES BionerError: E718 for a row without a figure of dev.
    """
    for name in among:
        if measured[name]["dev"] is None:
            raise BionerError(Errors.E718.format(name=name))
    shared = find_shared([measured[name] for name in among], "dev_runs")
    devs = {name: mean_of(measured[name]["dev_runs"], shared) for name in among}
    best = max(among, key=lambda name: devs[name] or 0.0)
    return {"row": best, "among": list(among), "runs": shared, "dev": devs[best],
            "test": mean_of(f1_by_run(measured[best]), shared)}


def f1_by_run(row: Mapping[str, Any]) -> Dict[str, float]:
    """Return the name of each run of a measured row to its strict F1."""
    return dict(zip(row["runs"], row["strict"]["f1"]["runs"]))


def measure_calibration(row: Row, runs: Sequence[Sequence[Pair]]) -> Optional[Dict[str, Any]]:
    """Compare the probabilities of a selector with what was so, on the test part.

    row (Row): The row; its runs name the dropped candidates and the selector.
    runs (Sequence[Sequence[Pair]]): The documents of each run, with the kept candidates.
    RETURNS (Optional[Dict[str, Any]]): Temperatures, `error_before` and `error` (expected calibration error without
        and with the temperature) and the bins of both; None for a row without a selector.
    """
    logits: List[float] = []
    scaled: List[float] = []
    valid: List[bool] = []
    temperatures: List[float] = []
    for run, pairs in zip(row.runs.values(), runs):
        if run.rejected is None or run.selector is None:
            continue
        temperatures.append(_read_temperature(run.selector))
        for probability, right in judge(pairs, read_jsonl(run.rejected)):
            scaled.append(probability)
            logits.append(float(to_logit(numpy.asarray(probability))) * temperatures[-1])
            valid.append(right)
    if not valid:
        return None
    before, after, truth = to_probability(numpy.asarray(logits)), numpy.asarray(scaled), numpy.asarray(valid)
    return {"temperatures": temperatures, "candidates": len(valid),
            "error_before": round(expected_calibration_error(before, truth), 4),
            "error": round(expected_calibration_error(after, truth), 4),
            "bins_before": reliability(before, truth), "bins": reliability(after, truth)}


def judge(pairs: Sequence[Pair], rejected: Any) -> List[Tuple[float, bool]]:
    """Return the probability of each candidate, kept or dropped, and whether it is right."""
    dropped: Dict[str, Annotation] = {record.id: record for record in rejected}
    judged = []
    for pair in pairs:
        gold = {mention.key for mention in pair.gold.mentions}
        others = dropped[pair.gold.id].mentions if pair.gold.id in dropped else ()
        judged += [(mention.score, mention.key in gold) for mention in (*pair.predicted.mentions, *others)
                   if mention.score is not None]
    return judged


def _compare(before: Row, after: Row, strict: Mapping[str, RunScores]) -> Dict[str, Any]:
    """Return the difference over the repetitions that both rows have; over all where none is."""
    if before.gold != after.gold:
        raise BionerError(Errors.E717.format(first=before.name, second=after.name))
    shared = [key for key in before.runs if key in after.runs]
    scores = [strict[row.name].take([list(row.runs).index(key) for key in shared or row.runs])
              for row in (before, after)]
    compared = shared or [key for key in (*before.runs, *after.runs) if key != ONCE]
    return {"before": before.name, "after": after.name, "runs": compared, "shared": len(shared),
            "strict": compare_runs(*scores)}


def _read_figure(place: str) -> float:
    """Return a number in a JSON file, `FILE#key.key`; raises BionerError E719 where there is none."""
    found = find_value(place)
    if not isinstance(found, (int, float)):
        path, _, dotted = place.partition("#")
        raise BionerError(Errors.E719.format(path=path, key=dotted))
    return float(found)


def _read_temperature(selector: Path) -> float:
    """Return what the selector divides its logits by; 1 where none was fitted."""
    card = json.loads((selector / "meta.json").read_text(encoding="utf8")).get("spacy_bioner", {})
    return float(card.get("tuned", {}).get("temperature", 1.0))
