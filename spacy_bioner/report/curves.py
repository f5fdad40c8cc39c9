"""Training logs as curves: what was written at each step, by figure."""

from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple

# What a curve may run along, the first that a log has.
ALONG = ("step", "steps", "epoch", "size", "examples", "records")
Line = Tuple[List[float], List[float]]


@dataclass(frozen=True)
class Curve:
    """The log of one training run.

    name (str): Of the run.
    columns (Mapping[str, List[float]]): Figure to values, with None where a step has none.
    """

    name: str
    columns: Mapping[str, List[Any]]

    @classmethod
    def from_rows(cls, name: str, rows: Iterable[Mapping[str, Any]]) -> "Curve":
        """Return the curve of log lines; inner mappings become figures with joined names, what is no number is left."""
        flat = [dict(_numbers(row)) for row in rows]
        keys = list(dict.fromkeys(key for row in flat for key in row))
        return cls(name, {key: [row.get(key) for row in flat] for key in keys})


def collect_figures(curves: Sequence[Curve]) -> List[Tuple[str, str, Dict[str, Line]]]:
    """Bring the same figure of several logs together.

    curves (Sequence[Curve]): The logs.
    RETURNS (List[Tuple[str, str, Dict[str, Line]]]): Figure, what it runs along, and for each log its line.
    """
    figures: Dict[Tuple[str, str], Dict[str, Line]] = {}
    for curve in curves:
        along = next((key for key in ALONG if key in curve.columns), None)
        rows = max((len(column) for column in curve.columns.values()), default=0)
        x = curve.columns[along] if along else list(range(1, rows + 1))
        for figure, column in curve.columns.items():
            points = [(a, b) for a, b in zip(x, column) if a is not None and b is not None]
            if figure not in ALONG and len(points) > 1 and len({b for _, b in points}) > 1:
                line = ([a for a, _ in points], [b for _, b in points])
                figures.setdefault((figure, along or "line"), {})[curve.name] = line
    return [(figure, along, lines) for (figure, along), lines in figures.items()]


def _numbers(row: Mapping[str, Any], before: str = "") -> Iterable[Tuple[str, float]]:
    for key, value in row.items():
        name = f"{before} {key}".strip()
        if isinstance(value, Mapping):
            yield from _numbers(value, name)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield name, value
