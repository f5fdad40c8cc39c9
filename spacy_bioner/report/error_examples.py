"""Examples of errors: what was said where something else was right, with a little of the text round it."""

from typing import Any, List, Mapping, Optional, Sequence

from ..annotation import Annotation
from .page import Cell, Table

_ROUND = 40


def table_examples(metrics: Mapping[str, Any], gold: Mapping[str, Annotation],
                   targets: Mapping[str, str]) -> List[Table]:
    """Show the errors that a metrics file names as examples.

    metrics (Mapping[str, Any]): The metrics file.
    gold (Mapping[str, Annotation]): Id to gold document.
    targets (Mapping[str, str]): Id of each document that the page shows to the id of its element.
    RETURNS (List[Table]): A table for each system that has errors.
    """
    tables = []
    for name, system in metrics["systems"].items():
        rows = [[kind, _in_text(example["gold"] or example["predicted"], gold[example["id"]].text),
                 _say(example["gold"], gold[example["id"]].text), _say(example["predicted"], gold[example["id"]].text),
                 Cell(example["id"], target=targets.get(example["id"], ""))]
                for kind, examples in system["errors"]["examples"].items() for example in examples]
        if rows:
            tables.append(Table(f"Examples, {name}", ["Kind", "In the text", "Gold", "Predicted", "Document"], rows,
                                folded=True, words=True))
    return tables


def _say(key: Optional[Sequence[Any]], text: str) -> str:
    return f"{text[key[0]:key[1]]} ({key[2]})" if key else "–"


def _in_text(key: Sequence[Any], text: str) -> str:
    """Return the place with some text before and after, cut at blanks where there are any."""
    start, end = max(0, key[0] - _ROUND), min(len(text), key[1] + _ROUND)
    before, after = text[start:key[0]], text[key[1]:end]
    before = f"…{before.partition(' ')[2] or before}" if start else before
    after = f"{after.rpartition(' ')[0] or after}…" if end < len(text) else after
    return f"{before}[{text[key[0]:key[1]]}]{after}"
