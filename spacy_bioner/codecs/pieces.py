"""Weaves marks into a source text: the pieces that answers are spelt in."""

from dataclasses import replace
from typing import Iterable, List, Mapping, Sequence, Set, Tuple

from ..tokens import find_units
from .base import Piece

Marks = Mapping[int, Sequence[Piece]]


def copy_pieces(text: str, start: int, end: int) -> List[Piece]:
    """Copy a run of the source, one piece a unit, each with the white space before it.

    text (str): The source text.
    start (int): First character of the run.
    end (int): One past its last character.
    RETURNS (List[Piece]): The pieces; white space at the end of the run is a piece of its own.
    """
    pieces, at = [], start
    for _, unit_end in find_units(text[start:end]):
        pieces.append(Piece(text[at:start + unit_end], "copy", at, start + unit_end))
        at = start + unit_end
    if at < end:
        pieces.append(Piece(text[at:end], "copy", at, end))
    return pieces


def weave(text: str, opens: Marks, closes: Marks) -> List[Piece]:
    """Copy a text with marks in it.

    text (str): The source text.
    opens (Marks): Offset to the pieces that stand before the character there. The first takes the white space
        before it along, so that the first copy inside a mark has none.
    closes (Marks): Offset to the pieces that stand right after the character before it.
    RETURNS (List[Piece]): Copies and marks; their texts without the marks are the source.
    """
    pieces: List[Piece] = []
    at = 0
    for start, end in _cut_units(text, {*opens, *closes}):
        opening = opens.get(start, ())
        if opening:
            pieces.append(replace(opening[0], text=text[at:start] + opening[0].text))
            pieces.extend(opening[1:])
            at = start
        pieces.append(Piece(text[at:end], "copy", at, end))
        pieces.extend(closes.get(end, ()))
        at = end
    if at < len(text):
        pieces.append(Piece(text[at:], "copy", at, len(text)))
    return pieces


def _cut_units(text: str, cuts: Set[int]) -> Iterable[Tuple[int, int]]:
    """Yield the units of a text, cut further where a mark stands inside one."""
    for start, end in find_units(text):
        if end - start > 1:
            for cut in range(start + 1, end):
                if cut in cuts:
                    yield start, cut
                    start = cut
        yield start, end


def join_pieces(pieces: Iterable[Piece]) -> str:
    """Return the answer that the pieces spell."""
    return "".join(piece.text for piece in pieces)
