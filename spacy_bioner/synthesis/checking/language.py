"""Is a sentence in the language that was asked for? By the script of its letters, and by its function words."""

import runpy
import unicodedata
from collections import Counter
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import FrozenSet, List, Set

from ...tokens import find_units

# Languages that a model slips into; their function words are compared with those of the language that is wanted.
_OTHERS = ("en", "fr", "de", "es", "it", "pt", "nl")
# Names in Latin letters are at home in all scripts, so a small part of the letters need be of the language's own.
_OWN_SHARE = 0.2
_LATIN_SHARE = 0.8
_GREEK_SHARE = 0.2
_SCRIPTS = {"zh": ("CJK",), "ja": ("CJK", "HIRAGANA", "KATAKANA"), "ko": ("HANGUL", "CJK")}
_KANA = ("HIRAGANA", "KATAKANA")


def read_stop_words(lang: str) -> Set[str]:
    """Read the function words of a language, as spaCy lists them.

    lang (str): Language.
    RETURNS (Set[str]): Words in small letters; none where spaCy has no list.
    """
    # The file alone: to import spaCy and the tokenizers of seven languages takes seconds.
    path = Path(str(getattr(find_spec("spacy"), "origin", ""))).with_name("lang") / lang / "stop_words.py"
    return {word.casefold() for word in runpy.run_path(str(path))["STOP_WORDS"]} if path.is_file() else set()


@lru_cache(maxsize=16)
def _stop_words(lang: str) -> FrozenSet[str]:
    return frozenset(read_stop_words(lang))


@lru_cache(maxsize=16)
def _telling_words(lang: str, wanted: str) -> FrozenSet[str]:
    """Return function words of a language that the wanted one has not; a letter tells nothing."""
    return frozenset(word for word in _stop_words(lang) - _stop_words(wanted) if len(word) > 1)


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    """Return first word of the letter's Unicode name, such as LATIN, GREEK or CJK."""
    return unicodedata.name(letter, "").partition(" ")[0]


@lru_cache(maxsize=16)
def _own_scripts(lang: str) -> "tuple[str, ...]":
    """Return the scripts of a language: those that its function words are written in."""
    if lang in _SCRIPTS:
        return _SCRIPTS[lang]
    counts = Counter(_script(letter) for word in _stop_words(lang) for letter in word if letter.isalpha())
    return (counts.most_common(1)[0][0],) if counts else ("LATIN",)


def is_language(text: str, lang: str) -> bool:
    """Say whether a sentence can be in a language.

    text (str): The sentence.
    lang (str): The language that is wanted.
    RETURNS (bool): False where too few letters are of its script, where there is Japanese in Chinese, or where the
        function words of another European language outnumber its own.
    """
    scripts = Counter(_script(character) for character in text if character.isalpha())
    letters, own = scripts.total(), _own_scripts(lang)
    if own != ("LATIN",):
        strange = 0 if lang == "ja" else sum(scripts[script] for script in _KANA)
        return not strange and sum(scripts[script] for script in own) >= _OWN_SHARE * letters
    if scripts["LATIN"] + scripts["GREEK"] < _LATIN_SHARE * letters or scripts["GREEK"] > _GREEK_SHARE * letters:
        return False
    words = [text[start:end] for start, end in find_units(text)]
    # What stands in capitals is an abbreviation: LA, DES, ES.
    common = [word.casefold() for word in words if not word.isupper()]
    others = [other for other in _OTHERS if other != lang] if _stop_words(lang) else []
    return not any(_outnumber(common, other, lang) for other in others)


def _outnumber(words: List[str], other: str, lang: str) -> bool:
    strange = sum(word in _telling_words(other, lang) for word in words)
    return strange > 1 and strange > sum(word in _stop_words(lang) for word in words)
