"""The source text as grounded decoding sees it: its units, each with the tokens that copy it."""

from typing import TYPE_CHECKING, Dict, List, NamedTuple, Sequence, Tuple

from ....tokens import find_units
from ...local.tokenization import encode_each

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Tokens = Tuple[int, ...]
_KEPT_PIECES = 200_000


class PieceTokens:
    """Tokens of pieces, kept for the next time.

    tokenizer (PreTrainedTokenizerBase): The tokenizer.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase") -> None:
        self.tokenizer = tokenizer
        self._known: Dict[str, Tokens] = {}

    def of(self, piece: str) -> Tokens:
        """Return tokens of one piece."""
        return self.of_each([piece])[0]

    def of_each(self, pieces: Sequence[str]) -> List[Tokens]:
        """Return tokens of each piece."""
        if len(self._known) > _KEPT_PIECES:
            # Another thread may still look into the old one.
            self._known = {}
        known = self._known
        missing = list({piece for piece in pieces if piece not in known})
        known.update(zip(missing, map(tuple, encode_each(self.tokenizer, missing))))
        return [known[piece] for piece in pieces]


class Unit(NamedTuple):
    """A unit of the source.

    start (int): First character.
    end (int): One past the last.
    space (str): White space before it.
    text (str): The unit.
    spaced (Tokens): Tokens that copy it with the white space.
    bare (Tokens): Tokens that copy it alone, behind a mark that took the white space.
    """

    start: int
    end: int
    space: str
    text: str
    spaced: Tokens
    bare: Tokens


class SourceTokens:
    """A source text, unit by unit.

    text (str): The text.
    pieces (PieceTokens): Tokens of pieces.
    """

    def __init__(self, text: str, pieces: PieceTokens) -> None:
        self.text = text
        spans = find_units(text)
        before = [0, *(end for _, end in spans)]
        spaces = [text[begin:start] for begin, (start, _) in zip(before, spans)]
        words = [text[start:end] for start, end in spans]
        bare = pieces.of_each(words)
        spaced = pieces.of_each([space + word for space, word in zip(spaces, words)])
        self.units = [Unit(start, end, space, word, *tokens) for (start, end), space, word, tokens
                      in zip(spans, spaces, words, zip(spaced, bare))]
        self.tail_text = text[before[-1]:]
        self.tail = pieces.of(self.tail_text) if self.tail_text else ()

    def __len__(self) -> int:
        return len(self.units)

    @property
    def token_count(self) -> int:
        """Return tokens of the whole text copied."""
        return sum(len(unit.spaced) for unit in self.units) + len(self.tail)
