"""Seed tags, for generated sentences: `<start_sentence>Give <Chemical>aspirin</Chemical>.</end_sentence>`."""

from typing import Dict, List, Sequence, Tuple

from ..annotation import Annotation, Mention, in_text_order
from .base import Piece, Reading
from .checks import check_labels
from .collect import Collector
from .crossing import drop_crossing
from .descriptions import describe_format
from .pieces import join_pieces, weave

OPEN_WRAPPER = "<start_sentence>"
CLOSE_WRAPPER = "</end_sentence>"


class SeedTagCodec:
    """Writes and reads sentences with tagged seeds."""

    name = "seed_tags"

    def settings(self) -> Dict[str, object]:
        return {"name": self.name}

    def describe(self, labels: Sequence[str], *, lang: str = "en") -> str:
        return describe_format(self.name, lang=lang)

    def unwritable(self, annotation: Annotation) -> Tuple[Mention, ...]:
        """RETURNS (Tuple[Mention, ...]): The fewest mentions, whatever their labels, that cross another."""
        return drop_crossing(annotation.mentions)

    def pieces(self, annotation: Annotation, labels: Sequence[str]) -> Tuple[Piece, ...]:
        """Spell the answer; an opening tag is `<`, the label and `>`, a closing tag one piece."""
        check_labels(annotation, labels)
        opens: Dict[int, List[Piece]] = {}
        closes: Dict[int, List[Piece]] = {}
        for mention in in_text_order(annotation.mentions):
            opens.setdefault(mention.start, []).extend(
                [Piece("<", "open"), Piece(mention.label, "label"), Piece(">", "other")])
            closes.setdefault(mention.end, []).insert(0, Piece(f"</{mention.label}>", "close"))
        return (Piece(OPEN_WRAPPER, "other"), *weave(annotation.text, opens, closes), Piece(CLOSE_WRAPPER, "other"))

    def encode(self, annotation: Annotation, labels: Sequence[str]) -> str:
        return join_pieces(self.pieces(annotation, labels))

    def decode(self, text: str, labels: Sequence[str], reply: str, *, truncated: bool = False) -> Reading:
        return Collector(text).reading()
