"""The figures of a metrics file as tables; HTML and Markdown show the same ones."""

from dataclasses import replace
from typing import Any, Dict, List, Mapping, Sequence

from ..evaluation.error_types import DEFINITIONS, FARTHEST, KINDS, NEAR
from .page import Cell, Table

Metrics = Mapping[str, Any]
# Of tables that come once for each system or comparison, as many are shown unfolded.
OPEN = 3
_NAMES = {"depth": "How deep it is nested", "length": "Units long", "training": "In the training part"}


def table_scores(metrics: Metrics) -> Table:
    """Return a row a system: strict scores with intervals, macro, boundary, overlap and string scores."""
    header = ["System", "Precision", "Recall", "F1", "Macro F1", "Boundary F1", "Overlap F1", "String-set F1",
              "Right", "Wrong", "Missing"]
    systems = metrics["systems"]
    best = max((system["micro"]["f1"] for system in systems.values()), default=0.0)
    rows = []
    for name, system in systems.items():
        strict = system["micro"]
        rows.append([name, with_interval(strict, "precision"), with_interval(strict, "recall"),
                     replace(with_interval(strict, "f1"), strong=strict["f1"] == best and len(systems) > 1),
                     *(with_interval(part, "f1") for part in (system["macro"], system["boundary"],
                                                              system["overlap"]["micro"],
                                                              system["strings"]["micro"])),
                     str(strict["tp"]), str(strict["fp"]), str(strict["fn"])])
    level = f"{100 * metrics['settings']['level']:g}%"
    return Table("Scores of the systems, in percent", header, rows, note=(
        f"Brackets: {level} interval from {metrics['settings']['resamples']:,} resamples of the documents. Strict: "
        "start, end and label right. Macro: mean over labels. Boundary: label not looked at. Overlap: label right and "
        "a character shared, one to one. String set: distinct label and surface of a document."))


def table_labels(metrics: Metrics) -> Table:
    """Return F1 of each label, a column a system."""
    labels = sorted({label for system in metrics["systems"].values() for label in system["labels"]})
    return _score_grid(metrics, "F1 by label, strict, in percent", "Label", labels,
                       lambda system, label: system["labels"].get(label))


def table_label_counts(metrics: Metrics) -> List[Table]:
    """Return for each system precision, recall, F1 and counts of each label."""
    return [Table(f"Labels, {name}", ["Label", "Precision", "Recall", "F1", "Right", "Wrong", "Missing"],
                  [[label, with_interval(each, "precision"), with_interval(each, "recall"), with_interval(each, "f1"),
                    str(each["tp"]), str(each["fp"]), str(each["fn"])] for label, each in system["labels"].items()],
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
        "Paired over the same documents: interval by bootstrap, two-sided p by approximate randomisation, adjusted for "
        "the number of comparisons by Holm's rule. Bold: adjusted p below 0.05."))


def table_error_changes(metrics: Metrics) -> List[Table]:
    """Return for each two systems the errors before and after, those gone and those new."""
    tables = []
    for each in metrics["comparisons"]:
        rows = []
        for kind, cell in each["errors"].items():
            change = f"{100 * (cell['after'] / cell['before'] - 1):+.1f}%" if cell["before"] else "–"
            rows.append([kind, *(str(cell[name]) for name in ("before", "after")), change,
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
    """Return for each system, how many boundaries are off by how many units."""
    tables: List[Table] = []
    for name, system in metrics["systems"].items():
        shifts = system["errors"]["shifts"]
        rows = [[_shift_name(int(shift)), str(shifts["start"][shift]), str(shifts["end"][shift]),
                 str(shifts["total"].get(shift, "–"))] for shift in shifts["start"]]
        tables.append(Table(f"Boundary deviation, {name}", ["Units", "Start", "End", "Start and end, without sign"],
                            rows, folded=True, note=(
            f"Errors of kind Span and Type&Span; negative: too early. {percent(shifts['near'])}% are off by at most "
            f"{NEAR} units in all.")))
    return tables


def table_confusions(metrics: Metrics) -> List[Table]:
    """Return for each system, gold labels against the labels that they got."""
    tables: List[Table] = []
    for name, system in metrics["systems"].items():
        confusion = system["errors"]["confusion"]
        labels = confusion["labels"]
        rows: List[List[Any]] = []
        for index, label in enumerate(labels):
            counts = [*confusion["table"][index], confusion["shifted"][index], confusion["missed"][index]]
            rows.append([label, *_shaded(counts)])
        rows.append(["nothing (Spurious)", *_shaded(confusion["spurious"]), "", ""])
        header = ["Gold", *labels, "right label, other boundary", "nothing (Missed)"]
        tables.append(Table(f"Labels that gold mentions got, {name}", header, rows, folded=len(tables) >= OPEN, note=(
            "Rows: gold; columns: predicted. Diagonal: right; elsewhere Type and Type&Span. Shade: share of row.")))
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
    """Return where the answers of each system come from, and what else is known of them."""
    known = [key for key in ("kind", "source", "lang", "components", "annotator", "seconds", "tokens_per_second",
                             "extra_documents") if any(key in system for system in systems.values())]
    return Table(caption, ["System", *(key.replace("_", " ") for key in known)],
                 [[name, *(_say(system.get(key)) for key in known)] for name, system in systems.items()], words=True)


def define_errors() -> Sequence[Any]:
    """Return the kinds of error and what they mean."""
    return list(DEFINITIONS.items())


def percent(value: float) -> str:
    return f"{100 * value:.2f}"


def with_interval(scores: Mapping[str, Any], figure: str) -> Cell:
    """Return a figure in percent, its interval as detail."""
    low, high = scores["intervals"][figure]
    return Cell(percent(scores[figure]), detail=f"[{100 * low:.1f}, {100 * high:.1f}]")


def _score_grid(metrics: Metrics, caption: str, title: str, names: Sequence[str], score_of: Any) -> Table:
    """Return F1 with interval of each name and system, and how many gold mentions there are."""
    rows = []
    for name in names:
        scores = [score_of(system, name) for system in metrics["systems"].values()]
        gold = max((each["tp"] + each["fn"] for each in scores if each), default=0)
        rows.append([name, str(gold), *(replace(with_interval(each, "f1"), shade=each["f1"]) if each else "–"
                                        for each in scores)])
    return Table(caption, [title, "Gold mentions", *metrics["systems"]], rows)


def _shaded(counts: Sequence[int]) -> List[Cell]:
    total = sum(counts)
    return [Cell(str(count), shade=count / total if total else 0.0) for count in counts]


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
