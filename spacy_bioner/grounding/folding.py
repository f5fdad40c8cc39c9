"""The folded view of a text, in which spellings of the same thing are equal, and the way back to its offsets.

Folding forgets case, white space, zero-width characters and soft hyphens, Unicode form (NFC, NFD, NFKC), width,
the kind of dash and quote, and writes Greek letters by name. Each folded character knows the source characters that
it stands for, so no expansion ("ﬁ", "İ", "ß", "α") can shift an offset.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import List, Optional, Tuple

_GREEK = ("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma sigma tau "
          "upsilon phi chi psi omega").split()
_SINGLE_QUOTES = "'`´‘’‚‛′ʹʻʼʽˈ＇"
_DOUBLE_QUOTES = "\"“”„‟″«»〝〞〟＂"
_DASHES = "-‐‑‒–—―−⁃﹘﹣－"
_FOLDS = {
    **{chr(0x3B1 + number): name for number, name in enumerate(_GREEK)},
    **dict.fromkeys(_SINGLE_QUOTES, "'"),
    **dict.fromkeys(_DOUBLE_QUOTES, "''"),
    **dict.fromkeys(_DASHES, "-"),
}
_VARIATION_SELECTORS = re.compile("[\ufe00-\ufe0f]")
_ASCII_FOLDS = str.maketrans({"`": "'"})


@dataclass(frozen=True)
class Folded:
    """A folded text.

    text (str): The folded characters.
    starts (List[int]): For each of them the first source character that it stands for.
    ends (List[int]): For each of them one past the last source character that it stands for.
    """

    text: str
    starts: List[int]
    ends: List[int]

    def source_span(self, start: int, end: int) -> Optional[Tuple[int, int]]:
        """Go back to the source.

        start (int): First folded character.
        end (int): One past the last folded character.
        RETURNS (Optional[Tuple[int, int]]): The source span; None where an edge lies inside what one source
            character was expanded to.
        """
        if start >= end or not self.is_edge(start) or not self.is_edge(end):
            return None
        return self.starts[start], self.ends[end - 1]

    def is_edge(self, place: int) -> bool:
        """Return whether a source character begins at this folded place (or the text ends)."""
        return place in (0, len(self.text)) or self.starts[place - 1] != self.starts[place]


@lru_cache(maxsize=32)
def fold(text: str) -> Folded:
    """Fold a text.

    text (str): Any text, lone surrogates and control characters included.
    RETURNS (Folded): The folded text with the way back.
    """
    if text.isascii():
        return _fold_ascii(text)
    folded: List[str] = []
    starts: List[int] = []
    ends: List[int] = []
    at = 0
    while at < len(text):
        end = at + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        characters = _fold_character(text[at:end])
        folded.append(characters)
        starts.extend([at] * len(characters))
        ends.extend([end] * len(characters))
        at = end
    return Folded("".join(folded), starts, ends)


def _fold_ascii(text: str) -> Folded:
    """The same for plain ASCII, where only white space goes and only the double quote grows."""
    if '"' not in text:
        starts = [place for place, character in enumerate(text) if not character.isspace()]
        characters = "".join(text.split()).lower().translate(_ASCII_FOLDS)
        return Folded(characters, starts, [start + 1 for start in starts])
    starts = [place for place, character in enumerate(text) if not character.isspace()
              for _ in range(2 if character == '"' else 1)]
    characters = "".join(text.split()).lower().translate(_ASCII_FOLDS).replace('"', "''")
    return Folded(characters, starts, [start + 1 for start in starts])


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    """Return what a character with its combining marks is folded to; empty where it is forgotten."""
    if character in _FOLDS:
        return _FOLDS[character]
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    kept = (part for part in _VARIATION_SELECTORS.sub("", decomposed)
            if not part.isspace() and unicodedata.category(part) != "Cf")
    return "".join(_FOLDS.get(part, part) for part in kept)


def fold_plain(text: str) -> str:
    """Return the folded characters alone, for comparing two strings."""
    return fold(text).text
