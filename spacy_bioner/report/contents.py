"""The report: what a user looks at to decide, from metrics files, their documents, a card and training logs."""

from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ..annotation import Annotation
from ..evaluation.error_types import FARTHEST, KINDS
from .curves import Curve, collect_figures
from .document_browser import name_documents, render_browser
from .examples import table_examples
from .page import Block, Chapter, Definitions, Fragment, Page, Plot, Section
from .plots import plot_bars, plot_intervals, plot_lines
from .tables import (
    define_errors,
    percent,
    table_comparisons,
    table_confusions,
    table_error_changes,
    table_error_kinds,
    table_facts,
    table_issues,
    table_label_counts,
    table_labels,
    table_runs,
    table_scores,
    table_shifts,
    table_slices,
    table_sources,
)


@dataclass(frozen=True)
class Evaluated:
    """One gold set with the systems measured on it.

    name (str): Of the gold set, for headings.
    metrics (Mapping[str, Any]): The metrics file.
    gold (Sequence[Annotation]): Its documents; none leaves out the browser and the examples.
    found (Mapping[str, Mapping[str, Annotation]]): For each system, id to document.
    limit (Optional[int]): How many documents the browser shows; it says so where there are more.
    """

    name: str
    metrics: Mapping[str, Any]
    gold: Sequence[Annotation] = ()
    found: Mapping[str, Mapping[str, Annotation]] = field(default_factory=dict)
    limit: Optional[int] = None


def build_page(parts: Sequence[Evaluated], *, title: str = "Evaluation", card: Optional[Mapping[str, Any]] = None,
               curves: Sequence[Curve] = ()) -> Page:
    """Lay out the report.

    parts (Sequence[Evaluated]): What was measured.
    title (str): Heading of the page.
    card (Optional[Mapping[str, Any]]): Facts on data and models: any nested mapping; its parts become tables.
    curves (Sequence[Curve]): Training logs.
    RETURNS (Page): The page, for `page.render_html` and `page.render_markdown`.
    """
    several = len(parts) > 1
    chapters = [Chapter(part.name if several else "", _lay_out(part, number, f"d{number}-" if several else ""))
                for number, part in enumerate(parts)]
    chapters.append(Chapter("Training and data" if several else "",
                            [*_curve_sections(curves), _card_section(parts, card or {})]))
    browsers = [_document_section(part, number, several) for number, part in enumerate(parts) if part.gold]
    if browsers:
        chapters.append(Chapter("Documents" if several else "", browsers))
    return Page(title, " ".join(_say_best(part, several) for part in parts), chapters, _facts(parts))


def collect_figures_of_report(parts: Sequence[Evaluated], *, title: str, card: Optional[Mapping[str, Any]] = None,
                              curves: Sequence[Curve] = ()) -> Dict[str, Any]:
    """Return the figures of the report as one JSON object, without the documents."""
    return {"title": title, "evaluated": {part.name: dict(part.metrics) for part in parts}, "card": dict(card or {}),
            "curves": {curve.name: curve.columns for curve in curves}}


def _lay_out(part: Evaluated, number: int, prefix: str) -> List[Section]:
    metrics = part.metrics
    systems = metrics["systems"]
    sections = [
        Section(f"{prefix}scores", "Scores", blocks=[table_scores(metrics), _plot_scores(systems)]),
        Section(f"{prefix}labels", "Labels", blocks=[
            _plot_grid(systems, "labels", "F1 by label"), table_labels(metrics), *table_label_counts(metrics)]),
        Section(f"{prefix}slices", "Kinds of mention", "Strict F1 where mentions are nested, long, or new to training.",
                table_slices(metrics)),
    ]
    if metrics["comparisons"]:
        sections.append(Section(f"{prefix}comparison", "Comparison", blocks=[
            table_comparisons(metrics), *table_error_changes(metrics)]))
    if metrics["runs"]:
        sections.append(Section(f"{prefix}runs", "Runs with several seeds", blocks=[table_runs(metrics)]))
    sections.append(_error_section(part, number, prefix))
    sections.append(Section(f"{prefix}shifts", "Boundary deviation",
                            "How many units the boundaries of overlapping but wrong predictions are off.",
                            [*(_plot_shifts(name, system) for name, system in systems.items()
                               if any(system["errors"]["shifts"]["total"].values())), *table_shifts(metrics)]))
    sections.append(Section(f"{prefix}confusion", "Confusion of labels", blocks=table_confusions(metrics)))
    return sections


def _error_section(part: Evaluated, number: int, prefix: str) -> Section:
    systems = part.metrics["systems"]
    kinds = {kind: [system["errors"]["kinds"][kind] for system in systems.values()] for kind in KINDS}
    blocks: List[Block] = [
        Definitions(define_errors()), table_error_kinds(part.metrics),
        Plot("Errors by kind", plot_bars(list(systems), kinds, axis="errors", stacked=True),
             "; ".join(f"{name}: " + ", ".join(f"{counts[place]} {kind}" for kind, counts in kinds.items())
                       for place, name in enumerate(systems)))]
    if part.gold:
        blocks += table_examples(part.metrics, {document.id: document for document in part.gold},
                                 name_documents(part.gold[:part.limit], anchor=_anchor(number)))
    issues = table_issues(part.metrics)
    return Section(f"{prefix}errors", "Errors", "Each wrong prediction and each missed mention has one kind.",
                   [*blocks, issues] if issues.rows else blocks)


def _document_section(part: Evaluated, number: int, several: bool) -> Section:
    labels = sorted({label for system in part.metrics["systems"].values() for label in system["labels"]})
    shown = part.gold[:part.limit]
    browser = render_browser(shown, part.found, labels=labels, anchor=_anchor(number))
    rest = f" The first {len(shown)} of {len(part.gold)} documents are shown." if len(shown) < len(part.gold) else ""
    return Section(f"d{number}-documents" if several else "documents",
                   f"Documents of {part.name}" if several else "Documents",
                   "Line by line, gold above what the systems found. Dotted: gold that a system lacks; dashed: wrong, "
                   f"with the kind of error. A line that a system has as gold has it is not repeated.{rest}",
                   [Fragment(browser)])


def _anchor(number: int) -> str:
    """Return what the ids of the documents of a gold set begin with."""
    return f"doc{number}"


def _plot_scores(systems: Mapping[str, Any]) -> Plot:
    rows = [(name, 100 * system["micro"]["f1"], *(100 * end for end in system["micro"]["intervals"]["f1"]))
            for name, system in systems.items()]
    return Plot("Strict F1 with its interval", plot_intervals(rows, axis="F1, percent"),
                "; ".join(f"{name}: {value:.1f}, from {low:.1f} to {high:.1f}" for name, value, low, high in rows))


def _plot_grid(systems: Mapping[str, Any], key: str, caption: str) -> Plot:
    names = sorted({name for system in systems.values() for name in system[key]})
    series = {system_name: [100 * system[key].get(name, {"f1": 0.0})["f1"] for name in names]
              for system_name, system in systems.items()}
    return Plot(caption, plot_bars(names, series, axis="F1, percent"), "The figures are in the table that follows.")


def _plot_shifts(name: str, system: Mapping[str, Any]) -> Plot:
    shifts = system["errors"]["shifts"]
    groups = [f"{int(shift):+d}" if int(shift) else "0" for shift in shifts["start"]]
    series = {"start": list(shifts["start"].values()), "end": list(shifts["end"].values())}
    return Plot(f"{name}: {percent(shifts['near'])}% are off by two units or less in all",
                plot_bars(groups, series, axis="predictions",
                          across=f"units too early (−) or too late (+), {FARTHEST} or more together"),
                "The counts are in the table that follows.")


def _curve_sections(curves: Sequence[Curve]) -> List[Section]:
    if not curves:
        return []
    plots = [Plot(figure, plot_lines(lines, axis=figure, across=across),
                  "; ".join(f"{name}: from {y[0]:.4g} to {y[-1]:.4g}" for name, (_, y) in lines.items()))
             for figure, across, lines in collect_figures(curves)]
    return [Section("curves", "Learning curves", blocks=plots)]


def _card_section(parts: Sequence[Evaluated], card: Mapping[str, Any]) -> Section:
    """Return gold, settings and sources of what was measured, then all that the card says."""
    blocks: List[Block] = []
    for part in parts:
        metrics = part.metrics
        gold = {key: metrics["gold"][key] for key in ("source", "count", "characters", "mentions")}
        gold["labels"] = [f"{label} {count}" for label, count in metrics["gold"]["labels"].items()]
        blocks += [table_facts(f"Gold: {part.name}", {**gold, "SHA-256": metrics["gold"]["documents"]["sha256"]}),
                   table_facts(f"Settings: {part.name}", {"spacy-bioner": metrics["version"], **metrics["settings"]}),
                   table_sources(f"Systems: {part.name}", metrics["systems"])]
    for name, facts in card.items():
        blocks.append(table_facts(name, facts if isinstance(facts, Mapping) else {name: facts}))
    return Section("card", "Data and models", blocks=blocks)


def _say_best(part: Evaluated, several: bool) -> str:
    """Return the best system in words, and whether it is surely better than the next."""
    ranked = sorted(part.metrics["systems"].items(), key=lambda item: -item[1]["micro"]["f1"])
    name, best = ranked[0]
    low, high = best["micro"]["intervals"]["f1"]
    where = f"On {part.name}, " if several else ""
    text = (f"{where}{name} finds {percent(best['micro']['recall'])}% of the gold mentions exactly, and "
            f"{percent(best['micro']['precision'])}% of what it finds is right: F1 {percent(best['micro']['f1'])} "
            f"({percent(low)} to {percent(high)}).")
    if len(ranked) > 1:
        second = ranked[1][0]
        test = next(each for each in part.metrics["comparisons"] if {each["before"], each["after"]} == {name, second})
        cell = test["micro"]["f1"]
        sure = "more than chance would give" if cell["p_adjusted"] < 0.05 else "which may be chance"
        text += f" It leads {second} by {abs(100 * cell['difference']):.2f} points, {sure}."
    return text


def _facts(parts: Sequence[Evaluated]) -> List[Tuple[str, str]]:
    best = max(system["micro"]["f1"] for system in parts[0].metrics["systems"].values())
    return [*([(percent(best), "best strict F1")] if len(parts) == 1 else [(str(len(parts)), "gold sets")]),
            (str(max(len(part.metrics["systems"]) for part in parts)), "systems"),
            (f"{sum(part.metrics['gold']['count'] for part in parts):,}", "gold documents"),
            (f"{sum(part.metrics['gold']['mentions'] for part in parts):,}", "gold mentions")]
