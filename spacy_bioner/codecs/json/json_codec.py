"""A JSON list with one object a mention, in text order, in one of three shapes.

    offsets   [{"start_idx":9,"end_idx":26,"type":"DNA","entity":"peri-kappa B site"}]
    name      [{"type":"DNA","name":"peri-kappa B site"}]
    context   [{"context":"the peri-kappa B site is seen","DNA":"peri-kappa B site"}]
"""

import json
from bisect import bisect_left, bisect_right
from dataclasses import replace
from typing import Dict, List, Sequence, Tuple

from ...annotation import Annotation, Mention, in_text_order
from ...errors import BionerError, Errors
from ...tokens import find_units
from ..base import Piece, Reading
from ..checks import check_labels
from ..descriptions import describe_format
from ..pieces import copy_pieces, join_pieces
from .json_reader import read_items

# Units on either side of the mention, at first.
_FIRST_REACH = 3


def choose_context(text: str, mention: Mention) -> str:
    """Choose the context of a mention.

    text (str): The source text.
    mention (Mention): The mention.
    RETURNS (str): The mention with a few units on either side, with more where it is found elsewhere too; the whole
        text at most.
    """
    units = find_units(text)
    first = bisect_right(units, mention.start, key=lambda unit: unit[1])
    last = bisect_left(units, mention.end, key=lambda unit: unit[0])
    reach = _FIRST_REACH
    while True:
        left, right = max(first - reach, 0), min(last + reach, len(units))
        context = text[min(units[left][0], mention.start):max(units[right - 1][1], mention.end)]
        if (left == 0 and right == len(units)) or text.find(context) == text.rfind(context):
            return context
        reach *= 2


SHAPES = ("name", "offsets", "context")


class JsonCodec:
    """Writes one shape of the JSON list, and reads all of them.

    shape (str): "name" (label and text), "offsets" (with character offsets), or "context" (words around the mention,
        and the label as key).
    """

    name = "json"

    def __init__(self, *, shape: str = "name") -> None:
        if shape not in SHAPES:
            raise BionerError(Errors.E109.format(option="shape", value=shape, known=", ".join(SHAPES)))
        self.shape = shape

    def settings(self) -> Dict[str, object]:
        return {"name": self.name, "shape": self.shape}

    def describe(self, labels: Sequence[str], *, lang: str = "en") -> str:
        return describe_format(self.name, self.shape, lang=lang)

    def unwritable(self, annotation: Annotation) -> Tuple[Mention, ...]:
        """Return nothing: a list holds any mention, though a name may not tell its place."""
        return ()

    def pieces(self, annotation: Annotation, labels: Sequence[str]) -> Tuple[Piece, ...]:
        """Spell the answer.

        annotation (Annotation): The annotation.
        labels (Sequence[str]): The labels of the schema.
        RETURNS (Tuple[Piece, ...]): The pieces; the mention's text in copies, escaped as JSON strings are.
        RAISES BionerError: E112 for an unknown label.
        """
        check_labels(annotation, labels)
        pieces: List[Piece] = []
        for mention in in_text_order(annotation.mentions):
            pieces.append(Piece("," if pieces else "[", "other"))
            pieces += self._item(annotation, mention)
        return (*(pieces or [Piece("[", "other")]), Piece("]", "other"))

    def _item(self, annotation: Annotation, mention: Mention) -> List[Piece]:
        surface = [replace(piece, text=_escape(piece.text))
                   for piece in copy_pieces(annotation.text, mention.start, mention.end)]
        label = Piece(_escape(mention.label), "label")
        if self.shape == "context":
            context = _escape(choose_context(annotation.text, mention))
            return [Piece('{"context":"', "open"), Piece(context, "other"), Piece('","', "other"), label,
                    Piece('":"', "other"), *surface, Piece('"}', "close")]
        if self.shape == "offsets":
            numbers = f'"start_idx":{mention.start},"end_idx":{mention.end},'
            return [Piece("{", "open"), Piece(numbers, "other"), Piece('"type":"', "other"), label,
                    Piece('","entity":"', "other"), *surface, Piece('"}', "close")]
        return [Piece('{"type":"', "open"), label, Piece('","name":"', "other"), *surface, Piece('"}', "close")]

    def encode(self, annotation: Annotation, labels: Sequence[str]) -> str:
        return join_pieces(self.pieces(annotation, labels))

    def decode(self, text: str, labels: Sequence[str], reply: str, *, truncated: bool = False) -> Reading:
        return read_items(text, tuple(labels), reply, truncated=truncated)


def _escape(text: str) -> str:
    """Return the text as it stands inside a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]
