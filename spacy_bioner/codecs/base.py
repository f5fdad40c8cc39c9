"""What a codec is, and what reading a reply gives: mentions, and the issues met on the way."""

from dataclasses import dataclass
from typing import Dict, Mapping, Optional, Protocol, Sequence, Tuple

from ..annotation import Annotation, Mention


@dataclass(frozen=True)
class Issue:
    """Something that was wrong with a reply, or had to be read with care.

    kind (str): One of the issue words of `docs/reference/issue-words.md`.
    detail (str): The part of the reply that it is about; never logged, since replies hold document text.
    """

    kind: str
    detail: str = ""


@dataclass(frozen=True)
class Reading:
    """What was read from a reply.

    mentions (Tuple[Mention, ...]): Grounded mentions, in text order.
    issues (Tuple[Issue, ...]): In the order in which they were met.
    """

    mentions: Tuple[Mention, ...] = ()
    issues: Tuple[Issue, ...] = ()


@dataclass(frozen=True)
class Piece:
    """A part of a written answer, the unit in which answers are tokenised.

    text (str): The characters, with the white space that stands before them in the source.
    kind (str): "copy" (source text), "open", "close" (marks), "label", or "other" (fixed text of the format).
    start (Optional[int]): For a copy, its first source character, white space included.
    end (Optional[int]): For a copy, one past its last source character.
    """

    text: str
    kind: str
    start: Optional[int] = None
    end: Optional[int] = None


class Codec(Protocol):
    """A way of writing an annotation as an answer, and of reading it back.

    `pieces` is the one place where an answer is spelt out: `encode` joins it, fine-tuning tokenises it piece by
    piece, and grounded decoding walks the same pieces.
    """

    name: str

    def describe(self, labels: Sequence[str], *, lang: str = "en") -> str:
        """Return the sentences of the prompt that explain the format."""

    def unwritable(self, annotation: Annotation) -> Tuple[Mention, ...]:
        """Return the fewest mentions to drop so that the rest can be written."""

    def pieces(self, annotation: Annotation, labels: Sequence[str]) -> Tuple[Piece, ...]:
        """Return the answer in pieces; raises BionerError for what cannot be written."""

    def encode(self, annotation: Annotation, labels: Sequence[str]) -> str:
        """Return the answer."""

    def decode(self, text: str, labels: Sequence[str], reply: str, *, truncated: bool = False) -> Reading:
        """Read a reply; never raises on what a model wrote.

        text (str): The source text.
        labels (Sequence[str]): The labels of the schema.
        reply (str): What the model wrote.
        truncated (bool): Whether the model says that the token limit cut it.
        RETURNS (Reading): Mentions of the text and issues.
        """

    def settings(self) -> Dict[str, object]:
        """Return the name and options, enough to make the same codec again."""


def label_definitions(labels: Mapping[str, str]) -> str:
    """Return one line a label, with its definition where it has one."""
    return "\n".join(f"{label}: {definition}" if definition else label for label, definition in labels.items())
