"""The tables of an experiment in figures, the verdicts on its claims, and what its steps report."""

from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from ..evaluation.intervals import mean_and_deviation
from .expansion import Expanded
from .json_values import find_key, find_value
from .rows import Cell, Table

Compare = Callable[[str, str], Dict[str, Any]]
HOLDS, FAILS, OPEN = "holds", "does not hold", "cannot be decided"
# Fewer runs tell too little of how far seeds alone move a figure.
LEAST_RUNS = 3


def judge(interval: Sequence[float], *, runs: int) -> str:
    """Decide a claim of a difference above zero.

    interval (Sequence[float]): Ends of the confidence interval of the difference.
    runs (int): Runs that both rows have.
    RETURNS (str): The verdict; it stays open with fewer than three runs.
    """
    low, high = interval
    if runs < LEAST_RUNS:
        return OPEN
    return HOLDS if low > 0 else FAILS if high < 0 else OPEN


def judge_claims(expanded: Expanded, compare: Compare) -> List[Dict[str, Any]]:
    """Decide the claims of an experiment.

    expanded (Expanded): The experiment.
    compare (Compare): Compares two rows or choices by name, the one before first.
    RETURNS (List[Dict[str, Any]]): For each claim its text, the names, the `verdict` and the `difference` of F1 that
        decides it: None, and the verdict open, where a row was not made. It is open too with fewer than three runs that
        both rows have.
    """
    judged = []
    for (before, after), claim in expanded.claims.items():
        compared = compare(before, after) if (before, after) in expanded.compare else None
        verdict = OPEN if compared is None else judge(compared["strict"]["f1"]["interval"],
                                                          runs=compared["shared"])
        judged.append({"claim": claim, "before": before, "after": after, "verdict": verdict, "compared": compared})
    return judged


def measure_tables(expanded: Expanded, rows: Mapping[str, Any], chosen: Mapping[str, Any],
                   compare: Compare) -> List[Dict[str, Any]]:
    """Fill the tables of an experiment; lines and columns without a row are left out, and so is an empty table.

    expanded (Expanded): The experiment.
    rows (Mapping[str, Any]): Its measured rows.
    chosen (Mapping[str, Any]): What was chosen.
    compare (Compare): Compares two rows or choices by name, the one before first.
    RETURNS (List[Dict[str, Any]]): For each table `title`, `note`, `axis`, `columns` (item to heading) and `lines`,
        item to a cell for each column, None where there is none. A cell has its `row`, `mean` and `deviation` over the
        `runs`, the `published` number, and the `difference`: None without one. A row that was not made has no mean.
    """
    filled = (_fill(table, expanded, rows, chosen, compare) for table in expanded.tables)
    return [table for table in filled if table["lines"]]


def read_reports(expanded: Expanded) -> List[Dict[str, Any]]:
    """Read what steps report.

    expanded (Expanded): The experiment.
    RETURNS (List[Dict[str, Any]]): For each table `title`, `note`, `columns` and `lines`, name to values; a value that
        a report lacks is None.
    """
    tables = []
    for reports in expanded.reports:
        found = {name: find_value(f"{path}#") for name, path in reports.files.items()
                 if expanded.plan.maker(path) is not None}
        lines = {name: [find_key(content, key) for key in reports.template.columns.values()]
                 for name, content in found.items() if content is not None}
        if lines:
            tables.append({"title": reports.template.title, "note": reports.template.note,
                           "columns": list(reports.template.columns), "lines": lines})
    return tables


def _fill(table: Table, expanded: Expanded, rows: Mapping[str, Any], chosen: Mapping[str, Any],
          compare: Compare) -> Dict[str, Any]:
    def fill(cell: Cell) -> Optional[Dict[str, Any]]:
        row = chosen[cell.row]["row"] if cell.row in chosen else cell.row
        if row not in rows and cell.row not in unmade:
            return None
        found: Dict[str, Any] = {"row": row, "mean": None, "deviation": None, "runs": {}, "difference": None,
                                 "published": find_value(cell.published) if cell.published else None}
        if row in rows:
            f1 = rows[row]["strict"]["f1"]
            mean, deviation = mean_and_deviation(f1["runs"])
            found.update(mean=mean, deviation=deviation, runs=dict(zip(rows[row]["runs"], f1["runs"])))
            if cell.against in {*rows, *chosen} and cell.against != cell.row:
                compared = compare(cell.against, cell.row)
                found["difference"] = {"before": compared["before"], "runs": compared["runs"],
                                       **compared["strict"]["f1"]}
        return found

    unmade = set(expanded.not_made)
    filled = {line: [fill(cell) for cell in cells] for line, cells in table.lines.items()}
    kept = [place for place in range(len(table.columns)) if any(cells[place] for cells in filled.values())]
    columns = list(table.columns.items())
    return {"title": table.title, "note": table.template.note, "axis": table.template.axis,
            "columns": dict(columns[place] for place in kept),
            "lines": {line: [cells[place] for place in kept] for line, cells in filled.items()
                      if any(cells[place] for place in kept)}}
