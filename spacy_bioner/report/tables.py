"""The figures of a metrics file as tables; HTML and Markdown show the same ones."""

from dataclasses import replace
from typing import Any, Collection, Dict, List, Mapping, Sequence

from ..evaluation.error_types import DEFINITIONS, FARTHEST, KINDS, NEAR
from .page import Cell, Table

Metrics = Mapping[str, Any]
# Of tables that come once for each system or comparison, as many are shown unfolded.
OPEN = 3
# Scores of fewer mentions are marked as uncertain: of 10 correct ones an exact 95% interval still reaches down to 69%.
# So are those without a width: resamples of a single document, or of documents with the same share, are all alike.
FEW = 10
_NAMES = {"depth": "Nesting depth", "length": "Length in pre-tokens", "training": "In the training set"}
_UNCERTAIN = "uncertain"
_FEW_NOTE = f"Uncertain: fewer than {FEW} mentions, or all of one document, too few for a confidence interval."


def table_scores(metrics: Metrics, shipped: str = "") -> List[Table]:
    """Return strict scores with confidence intervals, and scores by other measures, a row a system."""
    systems = metrics["systems"]
    best = max((system["micro"]["f1"] for system in systems.values()), default=0.0)
    strict: List[List[Any]] = []
    others: List[List[Any]] = []
    for name, system in systems.items():
        scores = system["micro"]
        strict.append([Cell(name, detail="shipped" if name == shipped else ""),
                       with_interval(scores, "precision"), with_interval(scores, "recall"),
                       replace(with_interval(scores, "f1"), strong=scores["f1"] == best and len(systems) > 1),
                       *(str(scores[count]) for count in ("tp", "fp", "fn"))])
        others.append([name, *(with_interval(part, "f1") for part in (
            system["macro"], system["boundary"], system["overlap"]["micro"], system["strings"]["micro"]))])
    level = f"{100 * metrics['settings']['level']:g}%"
    return [
        Table("Scores of the systems, in percent",
              ["System", "Precision", "Recall", "F1", "Correct", "Wrong", "Missed"], strict, note=(
                  "A prediction is correct if start, end and label are correct. "
                  f"Brackets: {level} confidence interval, from {metrics['settings']['resamples']:,} resamples of the "
                  "documents.")),
        Table("F1 by other measures, in percent",
              ["System", "Macro F1", "Boundary F1", "Overlap F1", "String-set F1"], others, note=(
                  "Macro: mean over labels. Boundary: labels ignored. Overlap: label correct and a character shared, "
                  "one to one. String set: distinct pairs of label and text in a document.")),
    ]


def count_labels(metrics: Metrics, known: Collection[str] = ()) -> Dict[str, int]:
    """Count the gold mentions of each label, most frequent first.

    metrics (Mapping[str, Any]): The metrics file.
    known (Collection[str]): Labels of the schema, which need not occur.
    RETURNS (Dict[str, int]): Label to number of gold mentions, which may be 0.
    """
    counts = dict.fromkeys(known, 0)
    for system in metrics["systems"].values():
        counts.update({label: _count_gold(each) for label, each in system["labels"].items()})
    counts.update(metrics["gold"]["labels"])
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def table_labels(metrics: Metrics, known: Collection[str] = ()) -> Table:
    """Return F1 of each label, a column a system; a label without gold mentions is listed too."""
    return _score_grid(metrics, "F1 by label, in percent", "Label", list(count_labels(metrics, known)),
                       lambda system, label: system["labels"].get(label))


def table_label_counts(metrics: Metrics) -> List[Table]:
    """Return for each system precision, recall, F1 and counts of each label."""
    order = list(count_labels(metrics))
    return [Table(f"Labels, {name}", ["Label", "Precision", "Recall", "F1", "Correct", "Wrong", "Missed"],
                  [[label, *(with_interval(each, figure) for figure in ("precision", "recall", "f1")),
                    str(each["tp"]), str(each["fp"]), str(each["fn"])]
                   for label, each in sorted(system["labels"].items(), key=lambda item: order.index(item[0]))],
                  folded=True) for name, system in metrics["systems"].items()]


def table_slices(metrics: Metrics) -> List[Table]:
    """Return for each kind of slice, F1 of each slice, a column a system."""
    tables = []
    for kind, title in _NAMES.items():
        names: Dict[str, None] = {}
        for system in metrics["systems"].values():
            names.update(dict.fromkeys(system["slices"].get(kind, ())))
        if names:
            tables.append(_score_grid(metrics, f"F1 by: {title[0].lower()}{title[1:]}", title, list(names),
                                      lambda system, name, kind=kind: system["slices"].get(kind, {}).get(name)))
    return tables


def table_comparisons(metrics: Metrics) -> Table:
    """Return for each two systems the differences of micro and macro F1, with interval and p value."""
    rows = []
    for each in metrics["comparisons"]:
        row: List[Any] = [f"{each['before']} → {each['after']}"]
        for average in ("micro", "macro"):
            cell = each[average]["f1"]
            row += [Cell(_signed(cell["difference"]), strong=cell["p_adjusted"] < 0.05,
                         detail=f"[{_signed(cell['interval'][0])}, {_signed(cell['interval'][1])}]"),
                    _p_value(cell["p"]), _p_value(cell["p_adjusted"])]
        rows.append(row)
    return Table("Differences in F1, in points", ["Systems", "Micro F1", "p", "p, adjusted", "Macro F1", "p",
                                                  "p, adjusted"], rows, note=(
        "Paired over the same documents. Brackets: bootstrap confidence interval. p: two-sided, by approximate "
        "randomisation; adjusted for the number of comparisons by Holm's rule. Bold: adjusted p below 0.05. Of a "
        "system with several seeds the mean is compared, and seeds count as chance too."))


def table_error_changes(metrics: Metrics) -> List[Table]:
    """Return for each two systems the errors before and after, those gone and those new."""
    tables = []
    for each in metrics["comparisons"]:
        rows = []
        for kind, cell in each["errors"].items():
            change = cell["after"] - cell["before"]
            rows.append([kind, *(str(cell[name]) for name in ("before", "after")), f"{change:+d}" if change else "0",
                         str(cell["gone"]), str(cell["new"])])
        tables.append(Table(f"Errors before and after: {each['before']} → {each['after']}",
                            ["Kind", "Before", "After", "Change", "Gone", "New"], rows,
                            folded=len(metrics["comparisons"]) > OPEN))
    return tables


def table_runs(metrics: Metrics) -> Table:
    """Return the mean and deviation of systems that were run with several seeds."""
    rows = [[group, str(len(each["runs"])), *(f"{percent(each[average][figure]['mean'])} ± "
                                              f"{percent(each[average][figure]['deviation'])}"
                                              for average, figure in (("micro", "precision"), ("micro", "recall"),
                                                                      ("micro", "f1"), ("macro", "f1")))]
            for group, each in metrics["runs"].items()]
    return Table("Mean and standard deviation over seeds, in percent",
                 ["System", "Runs", "Precision", "Recall", "F1", "Macro F1"], rows)


def table_error_kinds(metrics: Metrics) -> Table:
    """Return errors of each kind, a column a system."""
    systems = metrics["systems"]
    rows: List[List[str]] = [[kind, *(str(system["errors"]["kinds"][kind]) for system in systems.values())]
                             for kind in KINDS]
    rows.append(["Span and Type&Span, share of wrong predictions",
                 *(f"{percent(system['errors']['boundary_share'])}%" for system in systems.values())])
    return Table("Errors by kind", ["Kind", *systems], rows)


def table_shifts(metrics: Metrics) -> List[Table]:
    """Return for each system, how many boundaries are off by how many pre-tokens."""
    tables: List[Table] = []
    for name, system in metrics["systems"].items():
        shifts = system["errors"]["shifts"]
        rows = [[_shift_name(int(shift)), str(shifts["start"][shift]), str(shifts["end"][shift]),
                 str(shifts["total"].get(shift, "–"))] for shift in shifts["start"]]
        tables.append(Table(f"Boundary errors, {name}", ["Pre-tokens", "Start", "End", "Start and end, without sign"],
                            rows, folded=True, note=(
            f"Errors of kind Span and Type&Span; negative: too early. {percent(shifts['near'])}% are off by at most "
            f"{NEAR} pre-tokens in all.")))
    return tables


def table_confusions(metrics: Metrics) -> List[Table]:
    """Return for each system what became of the gold mentions of each label, with the labels that they got instead."""
    order = list(count_labels(metrics))
    tables: List[Table] = []
    for name, system in metrics["systems"].items():
        confusion = system["errors"]["confusion"]
        labels = confusion["labels"]
        rows: List[List[Any]] = []
        for label in sorted(labels, key=order.index):
            index = labels.index(label)
            others = {other: count for place, (other, count) in enumerate(zip(labels, confusion["table"][index]))
                      if count and place != index}
            most = sorted(others.items(), key=lambda item: -item[1])
            instead = ", ".join(f"{other}\u00a0{count}" for other, count in most)
            counts = _shaded([confusion["table"][index][index], confusion["shifted"][index], sum(others.values()),
                              confusion["missed"][index]])
            counts[2] = replace(counts[2], detail=instead, wraps=True)
            rows.append([label, *counts, _count(confusion["spurious"][index])])
        header = ["Gold label", "Correct", "Wrong boundary", "Wrong label", "Missed", "Spurious"]
        tables.append(Table(f"What gold mentions became, {name}", header, rows, folded=len(tables) >= OPEN, note=(
            "Wrong boundary: errors of kind Span. Wrong label: kinds Type and Type&Span, with the labels that were "
            "predicted instead. Each gold mention counts once, one that was found as correct whatever else was "
            "predicted there. Spurious: predictions of the label where gold has no mention. Shade: share of the row "
            "without Spurious.")))
    return tables


def table_issues(metrics: Metrics) -> Table:
    """Return what the annotators noted while finding their answers in the text; empty where nothing."""
    systems = metrics["systems"]
    names = sorted({issue for system in systems.values() for issue in system["errors"]["issues"]})
    return Table("Issues of reading and grounding", ["Issue", *systems],
                 [[issue, *(str(system["errors"]["issues"].get(issue, 0)) for system in systems.values())]
                  for issue in names])


def table_facts(caption: str, facts: Mapping[str, Any]) -> Table:
    """Return nested facts as names and values, names of inner ones joined by blanks."""
    return Table(caption, ["What", "Value"], [[name, value] for name, value in _flatten(facts)],
                 words=True)


def table_sources(caption: str, systems: Mapping[str, Any]) -> Table:
    """Return where the answers of each system come from, and what else is known of them, a column a system."""
    known = [key for key in ("kind", "source", "lang", "components", "annotator", "seconds", "tokens_per_second",
                             "extra_documents") if any(key in system for system in systems.values())]
    return Table(caption, ["What", *systems],
                 [[key.replace("_", " "), *(_say(system.get(key)) for system in systems.values())] for key in known],
                 words=True)


def define_errors() -> Sequence[Any]:
    """Return the kinds of error and what they mean."""
    return list(DEFINITIONS.items())


def percent(value: float) -> str:
    return f"{100 * value:.2f}"


def with_interval(scores: Mapping[str, Any], figure: str) -> Cell:
    """Return a figure in percent with its confidence interval, or with a mark where too few mentions are behind it."""
    behind = scores["tp"] + scores["fp"] if figure == "precision" else _count_gold(scores)
    if not behind:
        return Cell("–", faint=True)
    low, high = scores["intervals"][figure]
    if behind < FEW or low == high:
        return Cell(percent(scores[figure]), detail=_UNCERTAIN, faint=True)
    return Cell(percent(scores[figure]), detail=f"[{100 * low:.1f}, {100 * high:.1f}]")


def _count_gold(scores: Mapping[str, Any]) -> int:
    return scores["tp"] + scores["fn"]


def _score_grid(metrics: Metrics, caption: str, title: str, names: Sequence[str], score_of: Any) -> Table:
    """Return F1 with confidence interval of each name and system, and how many gold mentions there are."""
    rows: List[List[Any]] = []
    few = False
    for name in names:
        scores = [score_of(system, name) for system in metrics["systems"].values()]
        gold = max((_count_gold(each) for each in scores if each), default=0)
        cells = list(map(_grid_cell, scores))
        few |= any(cell.detail == _UNCERTAIN for cell in cells)
        rows.append([name, str(gold) if gold else Cell("0", detail="not in the test set", faint=True, wraps=True),
                     *cells])
    return Table(caption, [title, "Gold mentions", *metrics["systems"]], rows, note=_FEW_NOTE if few else "")


def _grid_cell(scores: Any) -> Cell:
    if not scores:
        return Cell("–", faint=True)
    cell = with_interval(scores, "f1")
    if cell.text == "–" and scores["fp"]:
        return replace(cell, detail=f"{scores['fp']} wrong")
    return cell if cell.faint else replace(cell, shade=scores["f1"])


def _shaded(counts: Sequence[int]) -> List[Cell]:
    total = sum(counts)
    return [replace(_count(count), shade=count / total if count else None) for count in counts]


def _count(count: int) -> Cell:
    return Cell(str(count), faint=not count)


def _shift_name(shift: int) -> str:
    if abs(shift) < FARTHEST:
        return f"{shift:+d}" if shift else "0"
    return f"{shift:+d} or more" if shift > 0 else f"{shift:d} or less"


def _signed(value: float) -> str:
    return f"{100 * value:+.2f}"


def _p_value(value: float) -> str:
    return f"{value:.4f}" if value >= 0.0001 else "< 0.0001"


def _flatten(facts: Mapping[str, Any], before: str = "") -> List[Any]:
    rows: List[Any] = []
    for name, value in facts.items():
        full = f"{before} {name}".strip()
        if isinstance(value, Mapping):
            rows += _flatten(value, full)
        else:
            rows.append((full, _say(value)))
    return rows


def _say(value: Any) -> str:
    """Return a value as words: lists joined by commas, mappings as pairs, a dash for nothing."""
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_say(each)}" for name, each in value.items()) or "–"
    if isinstance(value, (list, tuple)):
        return ", ".join(_say(each) for each in value) or "–"
    return "–" if value is None else str(value)
