"""The report: what a user looks at to decide, from metrics files, their documents, a card and training logs."""

from dataclasses import dataclass, field
from typing import Any, Collection, Dict, List, Mapping, Optional, Sequence, Tuple

from ..annotation import Annotation
from ..evaluation.error_types import FARTHEST, KINDS
from .curves import Curve, collect_figures
from .document_browser import name_documents, render_browser
from .error_examples import table_examples
from .lead import Shipped, write_lead
from .page import Block, Chapter, Definitions, Fragment, Page, Plot, Section
from .plots import Estimate, plot_bars, plot_intervals, plot_lines
from .tables import (
    FEW,
    count_labels,
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
from .unmeasured import make_unmeasured_section


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
               curves: Sequence[Curve] = (), shipped: Optional[Shipped] = None) -> Page:
    """Lay out the report.

    parts (Sequence[Evaluated]): What was measured.
    title (str): Heading of the page.
    card (Optional[Mapping[str, Any]]): Facts on data and models: any nested mapping; its parts become tables. Labels
        that it defines are listed even where the test set lacks them.
    curves (Sequence[Curve]): Training logs.
    shipped (Optional[Shipped]): The pipeline in the wheel, with which the page begins.
    RETURNS (Page): The page, for `page.render_html` and `page.render_markdown`.
    """
    several = len(parts) > 1
    definitions = (card or {}).get("definitions")
    labels = list(definitions) if isinstance(definitions, Mapping) else []
    chapters = [Chapter(part.name if several else "", _lay_out(part, number, f"d{number}-" if several else "", labels,
                                                                  shipped.system if shipped else ""))
                for number, part in enumerate(parts)]
    chapters.append(Chapter("Training and data" if several else "",
                            [*_curve_sections(curves), _card_section(parts, card or {}, shipped)]))
    browsers = [_document_section(part, number, several) for number, part in enumerate(parts) if part.gold]
    if browsers:
        chapters.append(Chapter("Documents" if several else "", browsers))
    leads = [tuple(f"{part.name}: {said}" if several and said else said for said in write_lead(part.metrics, shipped))
             for part in parts]
    first, more = (" ".join(said) for said in zip(*leads))
    return Page(title, first, chapters, _facts(parts, shipped), more)


def collect_figures_of_report(parts: Sequence[Evaluated], *, title: str, card: Optional[Mapping[str, Any]] = None,
                              curves: Sequence[Curve] = (), shipped: Optional[Shipped] = None) -> Dict[str, Any]:
    """Return the figures of the report as one JSON object, without the documents."""
    return {"title": title, "shipped": shipped.describe() if shipped else None,
            "evaluated": {part.name: dict(part.metrics) for part in parts}, "card": dict(card or {}),
            "curves": {curve.name: curve.columns for curve in curves}}


def _lay_out(part: Evaluated, number: int, prefix: str, labels: Collection[str],
             shipped: str) -> List[Section]:
    metrics = part.metrics
    systems = metrics["systems"]
    sections = [
        *make_unmeasured_section(metrics, part.gold, part.found, prefix=prefix,
                                 targets=name_documents(part.gold[:part.limit], anchor=_anchor(number))),
        Section(f"{prefix}scores", "Scores", blocks=[_plot_scores(metrics), *table_scores(metrics, shipped)]),
        Section(f"{prefix}labels", "Labels", blocks=[
            _plot_labels(metrics, labels), table_labels(metrics, labels), *table_label_counts(metrics)]),
        Section(f"{prefix}slices", "Kinds of mention", "F1 for mentions that are nested, long, or new to training.",
                table_slices(metrics)),
    ]
    if metrics["comparisons"]:
        sections.append(Section(f"{prefix}comparison", "Comparison", blocks=[
            table_comparisons(metrics), *table_error_changes(metrics)]))
    if metrics["runs"]:
        sections.append(Section(f"{prefix}runs", "Runs with several random seeds", blocks=[table_runs(metrics)]))
    sections.append(_error_section(part, number, prefix))
    sections.append(Section(f"{prefix}confusion", "Confusion of labels", blocks=table_confusions(metrics)))
    sections.append(Section(f"{prefix}shifts", "Boundary errors",
                            "By how many pre-tokens the boundaries of overlapping but wrong predictions are off.",
                            [*(_plot_shifts(name, system) for name, system in systems.items()
                               if any(system["errors"]["shifts"]["total"].values())), *table_shifts(metrics)]))
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


def _plot_scores(metrics: Mapping[str, Any]) -> Plot:
    estimates = {name: _estimate(system["micro"]) for name, system in metrics["systems"].items()}
    level = f"{100 * metrics['settings']['level']:g}%"
    return Plot(f"F1 of each system with its {level} confidence interval",
                plot_intervals(list(estimates), {"F1": list(estimates.values())}, axis="F1, percent"),
                "; ".join(f"{name}: {each.value:.1f}, from {each.low:.1f} to {each.high:.1f}"
                          for name, each in estimates.items() if each))


def _plot_labels(metrics: Mapping[str, Any], labels: Collection[str]) -> Plot:
    counts = count_labels(metrics, labels)
    series = {name: [_estimate(system["labels"].get(label)) for label in counts]
              for name, system in metrics["systems"].items()}
    return Plot("F1 by label, with the number of gold mentions; hollow: too few mentions to be sure",
                plot_intervals([f"{label} ({count:,})" for label, count in counts.items()], series,
                               axis="F1, percent"), "The figures are in the table that follows.")


def _estimate(scores: Optional[Mapping[str, Any]]) -> Optional[Estimate]:
    """Return F1 for a plot; nothing where there is no gold mention to find."""
    gold = scores["tp"] + scores["fn"] if scores else 0
    if not scores or not gold:
        return None
    low, high = scores["intervals"]["f1"]
    return Estimate(100 * scores["f1"], 100 * low, 100 * high, sure=gold >= FEW and low < high)


def _plot_shifts(name: str, system: Mapping[str, Any]) -> Plot:
    shifts = system["errors"]["shifts"]
    groups = [f"{int(shift):+d}" if int(shift) else "0" for shift in shifts["start"]]
    series = {"start": list(shifts["start"].values()), "end": list(shifts["end"].values())}
    return Plot(f"{name}: {percent(shifts['near'])}% are off by two pre-tokens or less in all",
                plot_bars(groups, series, axis="predictions",
                          across=f"pre-tokens too early (−) or too late (+), {FARTHEST} or more together"),
                "The counts are in the table that follows.")


def _curve_sections(curves: Sequence[Curve]) -> List[Section]:
    if not curves:
        return []
    plots = [Plot(figure, plot_lines(lines, axis=figure, across=across),
                  "; ".join(f"{name}: from {y[0]:.4g} to {y[-1]:.4g}" for name, (_, y) in lines.items()))
             for figure, across, lines in collect_figures(curves)]
    return [Section("curves", "Learning curves", blocks=plots)]


def _card_section(parts: Sequence[Evaluated], card: Mapping[str, Any], shipped: Optional[Shipped]) -> Section:
    """Return gold, settings and sources of what was measured, then all that the card says."""
    blocks: List[Block] = [table_facts("Shipped pipeline", shipped.describe())] if shipped else []
    for part in parts:
        metrics = part.metrics
        gold = {key: metrics["gold"][key] for key in ("source", "count", "characters", "mentions")}
        gold["labels"] = [f"{label} {count}" for label, count in metrics["gold"]["labels"].items()]
        blocks += [table_facts(f"Gold: {part.name}", {**gold, "SHA-256": metrics["gold"]["documents"]["sha256"]}),
                   table_facts(f"Settings: {part.name}", {"spacy-bioner": metrics["version"], **metrics["settings"]}),
                   table_sources(f"Systems: {part.name}", metrics["systems"])]
    single = {name: fact for name, fact in card.items() if not isinstance(fact, Mapping)}
    blocks += [table_facts("Card", single)] if single else []
    blocks += [table_facts(name, facts) for name, facts in card.items() if isinstance(facts, Mapping)]
    return Section("card", "Data and models", blocks=blocks)


def _facts(parts: Sequence[Evaluated], shipped: Optional[Shipped]) -> List[Tuple[str, str]]:
    kind = "test" if any(part.metrics["gold"].get("silver") for part in parts) else "gold"
    systems = parts[0].metrics["systems"]
    if len(parts) > 1:
        first = (str(len(parts)), "gold sets")
    elif shipped is not None and shipped.system in systems:
        first = (percent(systems[shipped.system]["micro"]["f1"]), "F1 of the shipped pipeline")
    else:
        first = (percent(max(system["micro"]["f1"] for system in systems.values())), "best F1")
    return [first, (str(max(len(part.metrics["systems"]) for part in parts)), "systems"),
            (f"{sum(part.metrics['gold']['count'] for part in parts):,}", f"{kind} documents"),
            (f"{sum(part.metrics['gold']['mentions'] for part in parts):,}", f"{kind} mentions")]
