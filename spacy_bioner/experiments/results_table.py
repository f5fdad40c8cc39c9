"""The report of an experiment: its tables as Markdown and JSON, with plots where rows have a place in them."""

import re
import shlex
from collections import defaultdict
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from ..evaluation.error_types import KINDS
from ..files import open_atomic, write_json
from .definition import Experiment
from .execution import Journal
from .measurement import f1_by_run, find_shared, mean_of
from .steps import Plan

# A character may take four bytes of the 255 of a file name.
_LONGEST_NAME = 55


def write_report(experiment: Experiment, measured: Mapping[str, Any], plan: Plan, out: Path,
                 command: Sequence[str]) -> List[Path]:
    """Write `table.md`, `table.json` and plots: `plot.svg` where rows have an x, `reliability.svg` with selectors, and
    one below `plots` for each table with an axis.

    experiment (Experiment): What was asked.
    measured (Mapping[str, Any]): What `measure_rows` gives.
    plan (Plan): The steps, for their times.
    out (Path): Folder of the experiment.
    command (Sequence[str]): The command that makes all this.
    RETURNS (List[Path]): The files.
    """
    journal = Journal(out, plan)
    content = {"title": experiment.title, "question": " ".join(experiment.question.split()),
               "command": shlex.join(command), "vars": experiment.vars, "lists": experiment.lists, **measured,
               "steps": {step.name: {**vars(stamp), "command": shlex.join(["spacy-bioner", *step.arguments])}
                         for step in plan.steps for stamp in [journal.read(step)] if stamp is not None}}
    drawn = {"plot": draw_lines(experiment, measured["rows"]), "reliability": draw_reliability(measured["rows"]),
             **{f"plots/{name}{kind}": plot for name, table in zip(_name_plots(measured["tables"]), measured["tables"])
                for kind, plot in draw_table(table).items()}}
    plots = {name: plot for name, plot in drawn.items() if plot}
    written = [out / "table.json", out / "table.md"]
    write_json(written[0], content)
    with open_atomic(written[1]) as file_:
        file_.write(format_table(content, plan, journal, plots))
    for name, plot in plots.items():
        written.append(out / f"{name}.svg")
        with open_atomic(written[-1]) as file_:
            file_.write(plot)
    # Of an earlier run, whose rows had a place in them.
    for path in {out / "plot.svg", out / "reliability.svg", *(out / "plots").glob("*.svg")}.difference(written):
        path.unlink(missing_ok=True)
    return written


def format_table(content: Mapping[str, Any], plan: Plan, journal: Journal, plots: Iterable[str] = ()) -> str:
    """Return the report as Markdown; figures in percent, with 95% intervals over documents."""
    rows, sampling = content["rows"], content["sampling"]
    parts = [f"# {content['title']}", content["question"], f"```\n{content['command']}\n```"]
    if content["claims"]:
        parts += ["## Claims", _table(("claim", "verdict", "after", "less before", "runs", "F1 (95%)"),
                                      [_claim(each) for each in content["claims"]])]
    for table in content["tables"]:
        parts += _format_table(table)
    for table in content["reports"]:
        parts += [f"## {table['title']}", _table(("", *table["columns"]), [
            (name, *map(_shown, values)) for name, values in table["lines"].items()]), table["note"]]
    parts += ["## Rows",
              _table(("row", "runs", "P", "R", "strict F1 (95%)", "range of F1", "string-set F1", "dev", "mentions"),
                     [_row(name, row) for name, row in rows.items()]),
              f"Intervals are from {sampling['resamples']:,} resamples of the documents, seed {sampling['seed']}."]
    if content["not_made"]:
        parts += [f"Not made, since a step they need has made nothing: {', '.join(content['not_made'])}."]
    failed = ", ".join(f"{name} {row['set_aside']}" for name, row in rows.items() if row["set_aside"])
    if failed:
        parts += [f"Documents that could not be annotated, with nothing found in them, over all runs: {failed}."]
    if content["comparisons"]:
        parts += ["## Differences", _table(("after", "less before", "runs", "P", "R", "F1 (95%)"),
                                           [_difference(each) for each in content["comparisons"]])]
    if content["chosen"]:
        parts += ["## Chosen on dev", _table(("choice", "row", "runs", "dev", "test F1"), [
            (name, each["row"], ", ".join(each["runs"]) or "all", f"{each['dev']:.4g}", _percent(each["test"]))
            for name, each in content["chosen"].items()])]
    parts += ["## Errors", _table(("row", *KINDS, "Span and Type&Span within 2 tokens"), [
        (name, *(f"{row['errors'][kind]:g}" for kind in KINDS), f"{100 * row['near']:.0f}%")
        for name, row in rows.items()])]
    judged = [(name, row["calibration"]) for name, row in rows.items() if row["calibration"]]
    if judged:
        parts += ["## Calibration", _table(
            ("row", "candidates", "temperature", "error without it", "error with it"),
            [(name, str(each["candidates"]), ", ".join(f"{one:.2f}" for one in each["temperatures"]),
              _percent(each["error_before"]), _percent(each["error"])) for name, each in judged])]
    parts += [f"![{name}]({name}.svg)" for name in plots]
    parts += ["## Time", _table(("step", "times", "seconds each", "seconds"), time_steps(plan, journal)),
              "Of a step that was killed the last attempt counts; table.json has each step with its attempts."]
    return "\n\n".join(filter(None, parts)) + "\n"


def time_steps(plan: Plan, journal: Journal) -> List[Tuple[str, str, str, str]]:
    """Return for each kind of step how often it ran and what it took."""
    times: Dict[str, List[float]] = defaultdict(list)
    for step in plan.steps:
        stamp = journal.read(step)
        if stamp is not None and stamp.seconds is not None:
            times[step.kind or step.verb].append(stamp.seconds)
    return [(kind, str(len(each)), f"{sum(each) / len(each):.0f}", f"{sum(each):.0f}") for kind, each in times.items()]


def draw_lines(experiment: Experiment, rows: Mapping[str, Any]) -> str:
    """Draw F1 along x, a line for each name that rows give, over the runs that all points of the line have.

    experiment (Experiment): Says what x is.
    rows (Mapping[str, Any]): Measured rows.
    RETURNS (str): The picture (SVG); empty where no row has an x.
    """
    from ..report.plots import make_picture, plot_lines

    lines: Dict[str, List[Mapping[str, Any]]] = defaultdict(list)
    for name, row in rows.items():
        if row["x"] is not None:
            lines[row["line"] or name].append(row)
    series: Dict[str, Any] = {}
    for name, points in lines.items():
        shared = find_shared(points, "runs")
        series[name] = tuple(zip(*sorted((row["x"], 100 * (mean_of(f1_by_run(row), shared) or 0.0))
                                         for row in points)))
    return make_picture(plot_lines(series, axis="strict F1 (%)", across=experiment.axis)) if series else ""


def _name_plots(tables: Sequence[Mapping[str, Any]]) -> List[str]:
    """Return the names of the plots of tables: their titles, numbered where a name comes again."""
    names: List[str] = []
    for table in tables:
        base = re.sub(r"[\W_]+", "-", table["title"].lower())[:_LONGEST_NAME].strip("-") or "table"
        name, number = base, 1
        while name in names:
            number += 1
            name = f"{base}-{number}"
        names.append(name)
    return names


def draw_table(table: Mapping[str, Any]) -> Dict[str, str]:
    """Draw the F1 of a table along its columns, a line for each of its lines, and beside it what was published.

    table (Mapping[str, Any]): A measured table.
    RETURNS (Dict[str, str]): What the name of a plot ends with to the picture (SVG); none for a table without an axis,
        and none of two points that are no numbers.
    """
    from ..report.plots import make_picture, plot_lines

    drawn = {}
    for kind, figure, factor in (("", "mean", 100), ("-published", "published", 1)):
        series: Dict[str, Any] = {line: tuple(zip(*points)) for line, cells in table["lines"].items() for points in [
            [(float(column), factor * cell[figure]) for column, cell in zip(table["columns"], cells)
             if cell is not None and cell[figure] is not None]] if points} if table["axis"] else {}
        if series:
            drawn[kind] = make_picture(plot_lines(series, axis="strict F1 (%)", across=table["axis"]))
    return drawn


def draw_reliability(rows: Mapping[str, Any]) -> str:
    """Return what selectors said along what was so, in bins, a panel each; empty without selectors."""
    from ..report.plots import make_picture, plot_panels

    series = {name: ([one["said"] for one in bins], [one["was"] for one in bins]) for name, row in rows.items()
              if row["calibration"] for bins in [row["calibration"]["bins"]]}
    if not series:
        return ""
    return make_picture(plot_panels(series, axis="share that is right", across="probability that was said",
                                    guide=([0, 1], [0, 1])))


def _format_table(table: Mapping[str, Any]) -> List[str]:
    """Return the paragraphs of a table: F1, and the differences where there are any."""
    columns, lines = table["columns"].values(), table["lines"]
    best = [max((cell["mean"] for cells in lines.values() for cell in [cells[place]]
                 if cell is not None and cell["mean"] is not None), default=None) for place in range(len(columns))]
    parts = [f"## {table['title']}", _table(("strict F1", *columns), [
        (line, *map(_cell, cells, best)) for line, cells in lines.items()])]
    differences = {line: [cell and cell["difference"] for cell in cells] for line, cells in lines.items()}
    compared = {line: cells for line, cells in differences.items() if any(cells)}
    if compared:
        before = {each["before"] for cells in compared.values() for each in cells if each}
        names = [line for line, cells in lines.items() if before & {cell["row"] for cell in cells if cell}]
        parts += [f"Difference from {' and '.join(names or sorted(before))} with its 95% confidence interval over "
                  f"documents and seeds, paired, over the runs that both have:", _table(("F1", *columns), [
                      (line, *(_points(each) if each else "" for each in cells)) for line, cells in compared.items()])]
    return [*parts, table["note"]]


def _cell(cell: Optional[Mapping[str, Any]], best: Optional[float]) -> str:
    """Return the mean and deviation over the runs, the best of its column in bold, and the published number."""
    if cell is None:
        return ""
    published = f" ({cell['published']:.2f})" if cell["published"] is not None else ""
    if cell["mean"] is None:
        return f"not made{published}"
    spread = f" ± {_percent(cell['deviation'])}" if len(cell["runs"]) > 1 else ""
    figure = f"{_percent(cell['mean'])}{spread}"
    return (f"**{figure}**" if cell["mean"] == best else figure) + published


def _claim(each: Mapping[str, Any]) -> Tuple[str, ...]:
    compared = each["compared"]
    if compared is None:
        return each["claim"], f"{each['verdict']}, not made", each["after"], each["before"], "", ""
    return (each["claim"], each["verdict"], compared["after"], compared["before"], ", ".join(compared["runs"]),
            _points(compared["strict"]["f1"]))


def _points(f1: Mapping[str, Any]) -> str:
    return f"{_signed(f1['difference'])} ({' to '.join(map(_signed, f1['interval']))})"


def _shown(value: Any) -> str:
    """Return a value of a report; of a mapping from reason to number all of them."""
    if isinstance(value, dict):
        return ", ".join(f"{number} {reason}" for reason, number in value.items()) or "none"
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _row(name: str, row: Mapping[str, Any]) -> Tuple[str, ...]:
    f1, strings = row["strict"]["f1"], row["strings"]["f1"]
    runs = ", ".join(row["runs"])
    spread = "-".join(map(_percent, f1["range"])) if len(row["runs"]) > 1 else ""
    return (name, f"{len(row['runs'])} ({runs})" if len(row["runs"]) > 1 else "1",
            *(_percent(row["strict"][figure]["mean"]) for figure in ("precision", "recall")),
            _with_interval(f1["mean"], f1["interval"]), spread, _with_interval(strings["mean"], strings["interval"]),
            "" if row["dev"] is None else f"{row['dev']:.4g}", str(row["mentions"]))


def _difference(each: Mapping[str, Any]) -> Tuple[str, ...]:
    strict = each["strict"]
    return (each["after"], each["before"], ", ".join(each["runs"]),
            *(_signed(strict[figure]["difference"]) for figure in ("precision", "recall")), _points(strict["f1"]))


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def _with_interval(value: float, interval: Sequence[float]) -> str:
    return f"{_percent(value)} ({'-'.join(map(_percent, interval))})"


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"


def _signed(value: float) -> str:
    return f"{100 * value:+.2f}"
