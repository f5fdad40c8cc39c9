"""The scores of systems as a table on the terminal."""

from typing import Any, List, Mapping, Sequence

_COLUMNS = ("system", "P", "R", "F1", "95% interval", "macro F1", "boundary F1", "documents", "mentions")


def format_scores(metrics: Sequence[Mapping[str, Any]]) -> str:
    """Write a row for each system: strict precision, recall and F1 with its interval, macro F1, boundary F1.

    metrics (Sequence[Mapping[str, Any]]): Contents of metrics files.
    RETURNS (str): The table, in percent, columns aligned.
    """
    rows: List[Sequence[str]] = [_COLUMNS]
    for each in metrics:
        for name, system in each["systems"].items():
            strict = system["micro"]
            low, high = strict["intervals"]["f1"]
            rows.append((name, _percent(strict["precision"]), _percent(strict["recall"]), _percent(strict["f1"]),
                         f"{_percent(low)}-{_percent(high)}", _percent(system["macro"]["f1"]),
                         _percent(system["boundary"]["f1"]), str(each["gold"]["count"]),
                         str(each["gold"]["mentions"])))
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    return "\n".join("  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in
                                                          zip(row[1:], widths[1:]))]) for row in rows)


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"
