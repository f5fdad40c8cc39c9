"""What a grammar is: the legal answers to one text, told choice by choice."""

from dataclasses import dataclass
from typing import Any, Callable, Hashable, NamedTuple, Optional, Protocol, Sequence, Tuple

from ....codecs.base import Codec
from ...local.tokenization import end_id
from .source_tokens import PieceTokens, SourceTokens

Factors = Tuple[int, ...]


class Choice(NamedTuple):
    """Something that may come next.

    tokens (Tuple[int, ...]): How it is spelt, at least one token.
    text (str): The same as text.
    build (Callable[[Factors], Any]): The state behind it, from the numbers of the decisions that led to it.
    likely (bool): Whether a draft goes this way.
    inside (bool): Whether a mention is open here whose end is still to be found.
    place (Optional[Hashable]): For a mark that opens a mention, where it stands; None for all else.
    """

    tokens: Tuple[int, ...]
    text: str
    build: Callable[[Factors], Any]
    likely: bool = False
    inside: bool = False
    place: Optional[Hashable] = None


class Found(NamedTuple):
    """A mention that has been written, linked to the ones before it.

    start (int): Its first unit.
    end (int): One past its last unit.
    label (str): Its label.
    factors (Factors): The decisions that it rests on.
    before (Optional[Found]): The mention found before it.
    """

    start: int
    end: int
    label: str
    factors: Factors
    before: Optional["Found"]


class Grammar(Protocol):
    """What an answer may look like.

    `choices` lists preferred ones first: of two that are spelt alike the first is meant. States hold the last
    mention that was written, as `found`.
    """

    @property
    def least_tokens(self) -> int:
        """Return tokens of the shortest answer, about."""

    @property
    def most_tokens(self) -> int:
        """Return tokens after which an answer is cut."""

    def start(self) -> Any:
        """Return the state before the answer."""

    def choices(self, state: Any) -> Sequence[Choice]:
        """Return what may come next; nothing at the end of the answer."""


@dataclass(frozen=True)
class GrammarContext:
    """What all grammars of one decoder share.

    codec (Codec): The codec that reads and writes the answers.
    labels (Tuple[str, ...]): The labels of the schema, in the order of the prompt.
    pieces (PieceTokens): Tokens of pieces.
    max_depth (int): How deep mentions may nest.
    """

    codec: Codec
    labels: Tuple[str, ...]
    pieces: PieceTokens
    max_depth: int = 4

    @property
    def end_token(self) -> int:
        """Return the token that ends an answer; raises BionerError E204 if the tokenizer has none."""
        return end_id(self.pieces.tokenizer)


GrammarMaker = Callable[[SourceTokens], Grammar]
