"""Forms of a name that are the same for the same concept: as written, folded, and as a set of words."""

import re
import unicodedata
from functools import lru_cache
from typing import List, Tuple

from ..grounding.folding import fold_plain
from ..tokens import UNSPACED, find_units

# Words that name no concept: "cancer of the breast".
_SMALL = frozenset("a an and by due for from in of or the to with".split())
# British spelling, and letters that are written as two.
_SPELLINGS = ((re.compile(r"ae|oe"), "e"), (re.compile(r"our(?=s?$)"), "or"), (re.compile(r"isation\b"), "ization"))
# Ends of words that have an s of their own.
_SINGULAR = ("ss", "is", "us")
_COORDINATION = re.compile(r"\s*(?:[,/、，]\s*(?:and/or|and|or)?|\s(?:and/or|and|or)(?=\s)|和|及|与|或)\s*")
# Words of the last name that names before it may share: "breast and ovarian cancer".
_MOST_SHARED = 3


def as_written(name: str) -> str:
    """Return a name without what only its coding and spacing say."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def folded(name: str) -> str:
    """Return a name without case, spacing, and kinds of dashes and quotes; see `grounding.folding`."""
    return fold_plain(name)


@lru_cache(maxsize=65536)
def bag_of_words(name: str) -> str:
    """Return the words of a name in alphabetical order, in the singular, without small words and punctuation.

    name (str): A name: "Tumours of the breast".
    RETURNS (str): "breast tumor". The characters of Chinese stay in their order.
    """
    words = plain_words(name)
    kept = [word for word in words if word not in _SMALL] or words
    if any(word[:1] >= UNSPACED for word in kept):
        return "".join(kept)
    return " ".join(sorted(kept))


def plain_words(name: str) -> List[str]:
    """Return the words of a name, folded, in the singular and in one spelling."""
    name = unicodedata.normalize("NFKC", name)
    return [_plain(fold_plain(name[start:end])) for start, end in find_units(name) if name[start].isalnum()]


def _plain(word: str) -> str:
    for pattern, spelling in _SPELLINGS:
        word = pattern.sub(spelling, word)
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(_SINGULAR) else word


def split_coordination(name: str) -> List[Tuple[str, ...]]:
    """Find the names that a coordination may stand for.

    name (str): A name: "breast and ovarian cancer", "spinocerebellar ataxias 1 and 2".
    RETURNS (List[Tuple[str, ...]]): Readings, the likeliest first; none where nothing is coordinated.
    """
    parts = [part for part in _COORDINATION.split(name) if part]
    if len(parts) < 2:
        return []
    first, last = parts[0].split(), parts[-1].split()
    readings = [(*(f"{part} {' '.join(last[-shared:])}" for part in parts[:-1]), parts[-1])
                for shared in range(min(_MOST_SHARED, len(last) - 1), 0, -1)]
    readings.append(tuple(parts))
    readings += [(parts[0], *(f"{' '.join(first[:shared])} {part}" for part in parts[1:]))
                 for shared in range(len(first) - 1, 0, -1)]
    return readings
