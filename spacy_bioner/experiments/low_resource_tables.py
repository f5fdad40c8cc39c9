"""The page of a low-resource experiment: its conclusions, tables and plots, with the document's numbers beside them."""

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ..report.page import Block, Cell, Chapter, Definitions, Page, Plot, Section, Table
from ..report.plots import plot_lines
from .low_resource_figures import (
    FAILS,
    HOLDS,
    NOTHING,
    OPEN,
    count,
    find_published,
    percent,
    points,
    say_size,
    say_verdict,
)

_ABOUT_BRACKETS = ("In brackets: the document's number; of generated sentences, where it does not list the prompt, "
                   "beside the prompt that is chosen on dev.")
Published = Mapping[str, Any]
Summaries = Sequence[Mapping[str, Any]]


def build_page(corpus: str, sizes: Summaries, *, whole: Summaries = (), high: Optional[Mapping[str, Any]] = None,
               curve: Optional[Mapping[str, Any]] = None, published: Optional[Published] = None,
               written: Optional[Mapping[str, Mapping[str, Any]]] = None) -> Page:
    """Lay out the tables, plots and conclusions.

    corpus (str): Name of the corpus.
    sizes (Summaries): Summaries on the test sample, by size.
    whole (Summaries): Summaries on the whole test part.
    high (Optional[Mapping[str, Any]]): Summary of the trainings with all of train as gold.
    curve (Optional[Mapping[str, Any]]): Of `summarise_curve`.
    published (Optional[Published]): The document's own numbers.
    written (Optional[Mapping[str, Mapping[str, Any]]]): Name of a part to the report of its sentences.
    RETURNS (Page): The page.
    """
    facts = published or {}
    told = facts.get("corpora", {}).get(corpus)
    source = f"Document: {facts['measure']}. {facts['source']}." if told else ""
    claim = f"The document claims: {facts['claims']}." if facts.get("claims") else ""
    sections = [Section("claim", "Does the claim hold here?", claim, [Definitions(
        [(say_size(each), say_verdict(each)) for each in sizes]
        + [(f"{say_size(each)}, whole test part", say_verdict(each)) for each in whole])])]
    if sizes:
        sections.append(Section("sizes", "F1 by size of the dictionary", source, [
            table_sizes(sizes, told), table_gains(sizes), *_plot_sizes(sizes, told)]))
    if whole:
        sections.append(Section("whole", "On the whole test part", "", [table_sizes(whole, told), table_gains(whole)]))
    if high is not None:
        intro = "All of train is gold; generated are the sentences of all sizes together. " + say_high(high)
        sections.append(Section("all-gold", "With all gold", intro, [table_sizes([high], told), table_gains([high])]))
    if curve is not None:
        told_curve = say_published_curve(facts.get("curve"))
        sections.append(Section("curve", "Generated sentences alone against gold sentences",
                                f"{_say_crossing(curve)} {told_curve}".strip(),
                                [table_curve(curve, told_curve), _plot_curve(curve)]))
    if written:
        sections.append(Section("written", "The generated and changed sentences", "", [
            table_written(written, facts.get("errors"))]))
    counted = ", ".join(f"{count(sum(each['verdict'] == verdict for each in sizes), 'size')} where it {verdict}"
                        for verdict in (HOLDS, FAILS, OPEN))
    return Page(f"Low-resource experiment on {corpus}",
                f"The claim that generated sentences help at every size: {counted}.", [Chapter("", sections)])


def table_sizes(sizes: Summaries, told: Optional[Mapping[str, Any]] = None) -> Table:
    """RETURNS (Table): A row a method, a column a size: mean and deviation, and below it the document's number."""
    rows: List[List[Any]] = []
    for method in _methods(sizes):
        row: List[Any] = [method]
        for each in sizes:
            found = each["methods"].get(method)
            detail = _told_text(told, method, each)
            if found is None:
                row.append(Cell(NOTHING, detail=detail) if method in each["failed"] else "")
                continue
            best = max(cell["mean"] for cell in each["methods"].values())
            row.append(Cell(f"{percent(found['mean'])} ± {percent(found['deviation'])}",
                            strong=found["mean"] == best, detail=detail))
        rows.append(row)
    return Table("Strict F1, mean and deviation over seeds, in percent", ["Method", *map(say_size, sizes)], rows,
                 note=_ABOUT_BRACKETS if told else "")


def table_gains(sizes: Summaries) -> Table:
    """RETURNS (Table): A row a method, a column a size: how far it is above gold alone, with its interval."""
    rows: List[List[str]] = []
    for method in _methods(sizes):
        gains = [each["gains"].get(method) for each in sizes]
        cells = [NOTHING if method in each["failed"] else "" if gain is None else
                 f"{points(gain['difference'])} ({' to '.join(map(points, gain['interval']))})"
                 for each, gain in zip(sizes, gains)]
        if any(cells):
            rows.append([method, *cells])
    return Table("Above gold alone, in points of F1", ["Method", *map(say_size, sizes)], rows,
                 note="On the same sentences with the same seeds; in brackets the 95% interval over sentences.")


def table_curve(curve: Mapping[str, Any], told: str = "") -> Table:
    """RETURNS (Table): A row for each number of gold sentences, and one for the generated ones."""
    rows = [[f"{size} gold", percent(each["mean"]), percent(each["deviation"])]
            for size, each in curve["gold"].items()]
    made = curve["generated"]
    rows.append(["generated", NOTHING, ""] if made is None else
                [f"{made['sentences']} generated", percent(made["mean"]), percent(made["deviation"])])
    return Table("Strict F1 by sentences trained on, in percent", ["Sentences", "F1", "Deviation over seeds"], rows,
                 note=told)


def table_written(reports: Mapping[str, Mapping[str, Any]], told: Optional[Mapping[str, Any]] = None) -> Table:
    """Say what became of the sentences of each part.

    reports (Mapping[str, Mapping[str, Any]]): Name of a part to the report of `synthesize` or of `augment`.
    told (Optional[Mapping[str, Any]]): The document's error analysis: `corpus`, `sentences`, and errors by kind.
    RETURNS (Table): A row a part.
    """
    note = ("Missing, spurious and boundary: errors against the seeds before any repair. Sentences a second only "
            "where no reply came from the cache.")
    if told:
        note += (f" The document, of {told['sentences']} sentences on {told['corpus']}: {told['missing']} missing, "
                 f"{told['spurious']} spurious, {told['boundary']} boundary.")
    return Table("What was kept, repaired and rejected", [
        "Part", "Asked", "Kept", "Without repair", "Repaired", "Missing", "Spurious", "Boundary", "Sentences/s",
        "Rejected"], [_written_row(name, report) for name, report in reports.items()], note=note, words=True)


def say_high(high: Mapping[str, Any]) -> str:
    """RETURNS (str): What generated sentences add where all of train is gold."""
    gain = high["gain"]
    if gain is None:
        return "Generated sentences are not compared with gold alone."
    return (f"{high['variant']} is {points(gain['difference'])} points from gold alone "
            f"(95% interval over sentences {' to '.join(map(points, gain['interval']))}).")


def say_published_curve(told: Optional[Mapping[str, Any]]) -> str:
    """RETURNS (str): The document's own curve in a sentence; empty where it is not given."""
    if not told:
        return ""
    low, high = told["crossing"]
    corpora = f" on {' and '.join(told['corpora'])}" if told.get("corpora") else ""
    return (f"Document{corpora}: {told['sentences']} sentences generated from {told['names']} names of each label are "
            f"above gold sentences until there are {low} to {high} of these.")


def _written_row(name: str, report: Mapping[str, Any]) -> List[str]:
    """RETURNS (List[str]): A row; of llm-da the contexts are asked for one by one, of lsms nothing is."""
    asked_for = report.get("contexts", report)
    asked, errors = asked_for.get("asked"), asked_for.get("errors")
    rejected = {**asked_for.get("rejected", {}),
                **({"held_out_text": report["held_out_text"]} if report.get("held_out_text") else {})}
    rate = asked / report["seconds"] if asked and report.get("seconds") and not report.get("cached") else None
    kept = report.get("accepted", report.get("made"))
    return [name, *(_shown(number) for number in (asked, kept, asked_for.get("untouched"))),
            _list_counts(asked_for["repaired"]) if "repaired" in asked_for else "",
            *("" if errors is None else str(errors.get(kind, 0)) for kind in ("missing", "spurious", "boundary")),
            "" if rate is None else f"{rate:.2f}", _list_counts(rejected)]


def _list_counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {reason}" for reason, number in counts.items()) or "none"


def _shown(number: Optional[int]) -> str:
    return "" if number is None else str(number)


def _methods(sizes: Summaries) -> List[str]:
    """RETURNS (List[str]): All methods of some sizes, those for which no sentence was made last."""
    return list(dict.fromkeys([method for each in sizes for method in each["methods"]]
                              + [method for each in sizes for method in each["failed"]]))


def _plot_curve(curve: Mapping[str, Any]) -> Plot:
    counts = list(curve["gold"])
    made = curve["generated"]
    lines = {"gold": (counts, [100 * each["mean"] for each in curve["gold"].values()])}
    if made is not None:
        lines[f"{made['sentences']} generated"] = (counts, [100 * made["mean"]] * len(counts))
    return Plot("F1 by gold sentences, and the level of generated ones",
                plot_lines(lines, axis="F1, %", across="gold sentences"), _say_crossing(curve))


def _say_crossing(curve: Mapping[str, Any]) -> str:
    if curve["crossing"] is None:
        return f"Not compared: {NOTHING}."
    below, above = curve["crossing"]
    if not below:
        return "By their means, generated sentences alone stay below the smallest number of gold sentences."
    until = f" and less than {above}" if above is not None else ", the largest number tried"
    return f"By their means, generated sentences alone are worth at least {below} gold sentences{until}."


def _plot_sizes(sizes: Summaries, told: Optional[Mapping[str, Any]]) -> List[Block]:
    measured: Dict[str, Tuple[List[float], List[float]]] = {}
    for each in sizes:
        for method, found in each["methods"].items():
            line = measured.setdefault(method, ([], []))
            line[0].append(each["size"])
            line[1].append(100 * found["mean"])
    plots: List[Block] = [Plot("Measured here", plot_lines(measured, axis="F1, %", across="names of each label"),
                               _describe(measured))]
    if told:
        lines = {method: (told["sizes"], scores) for method, scores in told["f1"].items()}
        plots.append(Plot("In the document", plot_lines(lines, axis="F1, %", across="names of each label"),
                          _describe(lines)))
    return plots


def _describe(lines: Mapping[str, Tuple[Sequence[float], Sequence[float]]]) -> str:
    return "; ".join(f"{name}: " + ", ".join(f"{size:g}: {score:.2f}" for size, score in zip(*line))
                     for name, line in lines.items())


def _told_text(told: Optional[Mapping[str, Any]], method: str, summary: Mapping[str, Any]) -> str:
    number = find_published(told, method, summary["size"], chosen=method == summary["variant"])
    return "" if number is None else f"({number:.2f})"
