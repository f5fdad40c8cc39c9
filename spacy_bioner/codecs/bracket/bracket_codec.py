"""Bracket lines: for each label a line with the source text in it, each mention of the label in brackets.

    Disease:  accumulation of betacatenin ( reviewed in [ 1 ] ) in [colon carcinoma]
    Chemical:  accumulation of betacatenin ( reviewed in [ 1 ] ) in colon carcinoma
"""

from typing import Dict, List, Sequence, Tuple

from ...annotation import Annotation, Mention
from ...errors import BionerError, Errors
from ..base import Piece, Reading
from ..checks import check_labels, describe_span
from ..descriptions import describe_format
from ..pieces import join_pieces, weave
from .bracket_reader import read_lines
from .crossing import drop_crossing, find_crossing

NONE = "none"
LINES = ("all", "occurring")


class BracketCodec:
    """Writes and reads bracket lines.

    lines (str): "all" writes a line for every label, marked or not; "occurring" only for the labels that occur, and
        the word `none` where there is no mention.
    """

    name = "bracket"

    def __init__(self, *, lines: str = "all") -> None:
        if lines not in LINES:
            raise BionerError(Errors.E109.format(option="lines", value=lines, known=", ".join(LINES)))
        self.lines = lines

    def settings(self) -> Dict[str, object]:
        return {"name": self.name, "lines": self.lines}

    def describe(self, labels: Sequence[str], *, lang: str = "en") -> str:
        return describe_format(self.name, self.lines, lang=lang)

    def unwritable(self, annotation: Annotation) -> Tuple[Mention, ...]:
        """Find what bracket lines cannot write.

        annotation (Annotation): The annotation.
        RETURNS (Tuple[Mention, ...]): The fewest mentions of one label that cross another, and those at whose edge a
            bracket of the text itself makes the mark ambiguous; those whose label holds a line break.
        """
        dropped = {mention for mention in annotation.mentions if _breaks_line(mention.label)}
        for label in {mention.label for mention in annotation.mentions}:
            own = [mention for mention in annotation.mentions if mention.label == label and mention not in dropped]
            dropped.update(drop_crossing(own))
            kept = [mention for mention in own if mention not in dropped]
            dropped.update(_ambiguous(annotation.text, kept, label))
        return tuple(mention for mention in annotation.mentions if mention in dropped)

    def pieces(self, annotation: Annotation, labels: Sequence[str]) -> Tuple[Piece, ...]:
        """Spell the answer.

        annotation (Annotation): The annotation.
        labels (Sequence[str]): The labels of the schema, in the order of the lines.
        RETURNS (Tuple[Piece, ...]): The pieces.
        RAISES BionerError: E110 for mentions that cross, E111 for an ambiguous edge, E112 for an unknown label.
        """
        check_labels(annotation, labels)
        for label in filter(_breaks_line, labels):
            raise BionerError(Errors.E116.format(label=label, codec=self.name))
        self._check_writable(annotation)
        occurring = {mention.label for mention in annotation.mentions}
        written = [label for label in labels if self.lines == "all" or label in occurring]
        if not written:
            return (Piece(NONE, "other"),)
        pieces: List[Piece] = []
        for label in written:
            if pieces:
                pieces.append(Piece("\n", "other"))
            pieces += [Piece(label, "label"), Piece(":  ", "other")]
            pieces += mark_text(annotation.text, [mention for mention in annotation.mentions if mention.label == label])
        return tuple(pieces)

    def encode(self, annotation: Annotation, labels: Sequence[str]) -> str:
        return join_pieces(self.pieces(annotation, labels))

    def decode(self, text: str, labels: Sequence[str], reply: str, *, truncated: bool = False) -> Reading:
        return read_lines(text, tuple(labels), reply, truncated=truncated)

    def _check_writable(self, annotation: Annotation) -> None:
        dropped = self.unwritable(annotation)
        if not dropped:
            return
        first = dropped[0]
        for one, other in find_crossing(annotation.mentions):
            if one.label == other.label:
                raise BionerError(Errors.E110.format(codec=self.name, first=describe_span(one),
                                                     second=describe_span(other)))
        raise BionerError(Errors.E111.format(codec=self.name, mention=describe_span(first)))


def _breaks_line(label: str) -> bool:
    return len(label.splitlines()) > 1


def mark_text(text: str, mentions: Sequence[Mention]) -> List[Piece]:
    """Return the text with brackets round mentions of one label, none of which cross."""
    opens: Dict[int, List[Piece]] = {}
    closes: Dict[int, List[Piece]] = {}
    for mention in mentions:
        opens.setdefault(mention.start, []).append(Piece("[", "open"))
        closes.setdefault(mention.end, []).append(Piece("]", "close"))
    return weave(text, opens, closes)


def _ambiguous(text: str, mentions: Sequence[Mention], label: str) -> Tuple[Mention, ...]:
    """Return mentions that touch a bracket of the text and are read otherwise than written."""
    kept = list(mentions)
    dropped: List[Mention] = []
    while any(_touches_bracket(text, mention) for mention in kept):
        line = f"{label}:  {join_pieces(mark_text(text, kept))}"
        found = {mention.key for mention in read_lines(text, (label,), line).mentions}
        if found == {mention.key for mention in kept}:
            break
        touching = [mention for mention in kept if _touches_bracket(text, mention)]
        wrong = [mention for mention in touching if mention.key not in found] or touching
        dropped.append(wrong[0])
        kept.remove(wrong[0])
    return tuple(dropped)


def _touches_bracket(text: str, mention: Mention) -> bool:
    """Return whether a bracket of the text stands right inside or outside an edge of the mention."""
    edges = text[max(mention.start - 1, 0):mention.start + 1] + text[mention.end - 1:mention.end + 1]
    return "[" in edges or "]" in edges
