"""Abbreviations and what they stand for, as a text itself says it: "myocardial infarction (MI)".

The algorithm is that of Schwartz and Hearst (2003), "A simple algorithm for identifying abbreviation definitions in
biomedical text", Pacific Symposium on Biocomputing 8, 451-462.
"""

import re
from typing import Dict, List, Optional

from ..tokens import find_units

_BRACKETS = re.compile(r"[(\[（]([^()\[\]（）]{2,150})[)\]）]")
_ENDS = re.compile(r"[.;:?!。；？！]\s+(?=\S)|[。；？！，、]")
_MOST_BEFORE = 300


def find_abbreviations(text: str) -> Dict[str, str]:
    """Find the abbreviations that a text defines, in the form "long form (SF)" or "SF (long form)".

    text (str): A document: an abbreviation holds for all of it.
    RETURNS (Dict[str, str]): Short form to long form; of several definitions of one the first.
    """
    found: Dict[str, str] = {}
    for bracket in _BRACKETS.finditer(text):
        parts = re.split(r"[,;，；]\s*", bracket[1].strip(), maxsplit=1)
        inside, rest = parts[0].strip(), parts[-1].strip()
        before = _ENDS.split(text[max(0, bracket.start() - _MOST_BEFORE):bracket.start()])[-1].strip()
        if is_short_form(inside):
            short, long = inside, _find_long_form(inside, _last_words(before, inside))
        else:
            short = before.split()[-1] if before.split() else ""
            long = _find_long_form(short, inside) if is_short_form(short) else None
            if long is None and is_short_form(rest):
                # A name in Chinese, and in brackets the English one with its short form.
                short, long = rest, _find_long_form(rest, inside)
        if long is not None:
            found.setdefault(short, long)
    return found


def expand(name: str, abbreviations: Dict[str, str]) -> str:
    """Write the long forms of abbreviations that are words of a name.

    name (str): A name: "acute MI".
    abbreviations (Dict[str, str]): What `find_abbreviations` gives.
    RETURNS (str): The name with long forms: "acute myocardial infarction".
    """
    if name in abbreviations:
        return abbreviations[name]
    words: List[str] = re.split(r"(\s+|[-/])", name)
    return "".join(abbreviations.get(word, word) for word in words)


def is_short_form(text: str) -> bool:
    """Return whether a text may be an abbreviation: 2 to 10 characters, two words at most, a letter."""
    return 2 <= len(text) <= 10 and len(text.split()) <= 2 and text[0].isalnum() and any(map(str.isalpha, text))


def _last_words(text: str, short: str) -> str:
    """Return the words before a short form that may be its long form: min(n + 5, 2n) for n characters."""
    words = text.split()
    return " ".join(words[-min(len(short) + 5, 2 * len(short)):])


def _find_long_form(short: str, text: str) -> Optional[str]:
    """Return the shortest end of a text that holds the characters of a short form in order, the first at a word."""
    at = len(text)
    for place in range(len(short) - 1, -1, -1):
        wanted = short[place].lower()
        if not wanted.isalnum():
            continue
        at -= 1
        while at >= 0 and (text[at].lower() != wanted or place == 0 and at > 0 and text[at - 1].isalnum()):
            at -= 1
        if at < 0:
            return None
    long = text[text.rfind(" ", 0, at + 1) + 1:].strip()
    words = {long[start:end] for start, end in find_units(long)}
    return long if len(long) > len(short) and short not in words else None
