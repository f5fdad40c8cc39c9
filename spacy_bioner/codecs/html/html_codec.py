"""HTML-like tags in the text: `<label:surface>...</label:surface>`, nested and crossing.

    the <DNA:peri-kappa B site>peri-kappa B site</DNA:peri-kappa B site> is seen
"""

from typing import Dict, List, Sequence, Tuple

from ...annotation import Annotation, Mention, in_text_order
from ..base import Piece, Reading
from ..checks import check_labels
from ..descriptions import describe_format
from ..pieces import copy_pieces, join_pieces, weave
from .html_reader import read_tags


class HtmlCodec:
    """Writes and reads text with tags; the unmarked text stands for no mention."""

    name = "html"

    def settings(self) -> Dict[str, object]:
        return {"name": self.name}

    def describe(self, labels: Sequence[str], *, lang: str = "en") -> str:
        return describe_format(self.name, lang=lang)

    def unwritable(self, annotation: Annotation) -> Tuple[Mention, ...]:
        """Return nothing: tags write whatever an annotation can hold."""
        return ()

    def pieces(self, annotation: Annotation, labels: Sequence[str]) -> Tuple[Piece, ...]:
        """Spell the answer.

        annotation (Annotation): The annotation.
        labels (Sequence[str]): The labels of the schema.
        RETURNS (Tuple[Piece, ...]): The pieces. An opening tag is `<`, the label and its colon, the surface in
            copies, and `>`; a closing tag, which has no choice in it, is one piece.
        RAISES BionerError: E112 for an unknown label.
        """
        check_labels(annotation, labels)
        opens: Dict[int, List[Piece]] = {}
        closes: Dict[int, List[Piece]] = {}
        for mention in in_text_order(annotation.mentions):
            surface = copy_pieces(annotation.text, mention.start, mention.end)
            opens.setdefault(mention.start, []).extend(
                [Piece("<", "open"), Piece(f"{mention.label}:", "label"), *surface, Piece(">", "other")])
            closes.setdefault(mention.end, []).insert(
                0, Piece(f"</{mention.label}:{annotation.surface(mention)}>", "close"))
        return tuple(weave(annotation.text, opens, closes))

    def encode(self, annotation: Annotation, labels: Sequence[str]) -> str:
        return join_pieces(self.pieces(annotation, labels))

    def decode(self, text: str, labels: Sequence[str], reply: str, *, truncated: bool = False) -> Reading:
        return read_tags(text, tuple(labels), reply, truncated=truncated)
