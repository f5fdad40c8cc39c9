"""The scores of systems as a table on the terminal."""

from typing import Any, List, Mapping, Sequence

_COLUMNS = ("system", "P", "R", "F1", "95% interval", "macro F1", "boundary F1", "documents", "mentions")


def format_scores(metrics: Mapping[str, Mapping[str, Any]]) -> str:
    """Write a row for each system: strict precision, recall and F1 with its interval, macro F1, boundary F1.

    metrics (Mapping[str, Mapping[str, Any]]): Name to content of each metrics file; the names are shown if there are
        several.
    RETURNS (str): The table, in percent, columns aligned.
    """
    rows: List[Sequence[str]] = [_COLUMNS]
    for evaluated, each in metrics.items():
        for name, system in each["systems"].items():
            strict = system["micro"]
            low, high = strict["intervals"]["f1"]
            rows.append((f"{evaluated}: {name}" if len(metrics) > 1 else name,
                         *(_percent(strict[figure]) for figure in ("precision", "recall", "f1")),
                         f"{_percent(low)}-{_percent(high)}", _percent(system["macro"]["f1"]),
                         _percent(system["boundary"]["f1"]), str(each["gold"]["count"]),
                         str(each["gold"]["mentions"])))
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    return "\n".join("  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in
                                                          zip(row[1:], widths[1:]))]) for row in rows)


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"
