"""The table of an experiment, as Markdown and JSON, with a plot where rows have a place in it."""

import shlex
from collections import defaultdict
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from ..evaluation.error_types import KINDS
from ..files import open_atomic, write_json
from .definition import Experiment
from .execution import Journal
from .measurement import f1_by_run, find_shared, mean_of
from .steps import Plan


def write_report(experiment: Experiment, measured: Mapping[str, Any], plan: Plan, out: Path,
                 command: Sequence[str]) -> List[Path]:
    """Write `table.md`, `table.json` and, where rows have an x, `plot.svg`; with selectors `reliability.svg`.

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
    drawn = {"plot": draw_lines(experiment, measured["rows"]), "reliability": draw_reliability(measured["rows"])}
    plots = {name: plot for name, plot in drawn.items() if plot}
    written = [out / "table.json", out / "table.md"]
    write_json(written[0], content)
    with open_atomic(written[1]) as file_:
        file_.write(format_table(content, plan, journal, plots))
    for name, plot in plots.items():
        written.append(out / f"{name}.svg")
        with open_atomic(written[-1]) as file_:
            file_.write(plot)
    for name in drawn.keys() - plots.keys():
        # Of an earlier run, whose rows had a place in it.
        (out / f"{name}.svg").unlink(missing_ok=True)
    return written


def format_table(content: Mapping[str, Any], plan: Plan, journal: Journal, plots: Sequence[str] = ()) -> str:
    """RETURNS (str): The report as Markdown; figures in percent, with 95% intervals over documents."""
    rows, sampling = content["rows"], content["sampling"]
    parts = [f"# {content['title']}", content["question"], f"```\n{content['command']}\n```",
             _table(("row", "runs", "P", "R", "strict F1 (95%)", "range of F1", "string-set F1", "dev", "mentions"),
                    [_row(name, row) for name, row in rows.items()]),
             f"Intervals are from {sampling['resamples']:,} resamples of the documents, seed {sampling['seed']}."]
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
    parts += ["## Errors", _table(("row", *KINDS), [(name, *(f"{row['errors'][kind]:g}" for kind in KINDS))
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
    return "\n\n".join(parts) + "\n"


def time_steps(plan: Plan, journal: Journal) -> List[Tuple[str, str, str, str]]:
    """RETURNS (List[Tuple[str, str, str, str]]): For each kind of step how often it ran and what it took."""
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
    series = {}
    for name, points in lines.items():
        shared = find_shared(points, "runs")
        series[name] = tuple(zip(*sorted((row["x"], 100 * (mean_of(f1_by_run(row), shared) or 0.0))
                                         for row in points)))
    return make_picture(plot_lines(series, axis="strict F1 (%)", across=experiment.axis)) if series else ""


def draw_reliability(rows: Mapping[str, Any]) -> str:
    """RETURNS (str): What selectors said along what was so, in bins, a panel each; empty without selectors."""
    from ..report.plots import make_picture, plot_panels

    series = {name: ([one["said"] for one in bins], [one["was"] for one in bins]) for name, row in rows.items()
              if row["calibration"] for bins in [row["calibration"]["bins"]]}
    if not series:
        return ""
    return make_picture(plot_panels(series, axis="share that is right", across="probability that was said",
                                    guide=([0, 1], [0, 1])))


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
            *(_signed(strict[figure]["difference"]) for figure in ("precision", "recall")),
            f"{_signed(strict['f1']['difference'])} ({' to '.join(map(_signed, strict['f1']['interval']))})")


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def _with_interval(value: float, interval: Sequence[float]) -> str:
    return f"{_percent(value)} ({'-'.join(map(_percent, interval))})"


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"


def _signed(value: float) -> str:
    return f"{100 * value:+.2f}"
