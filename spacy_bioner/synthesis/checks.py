"""Checks of generated sentences beyond their tags: length, language, repetition, near-duplicates, leaks."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, Iterable, List, Optional, Sequence, Set

from ..units import find_units

_CJK = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_NO_LETTER = re.compile(r"[\W_]+")
_SHINGLE = 3
_PERMUTATIONS = 64


@dataclass(frozen=True)
class CheckSettings:
    """What a generated sentence must be like.

    min_units (int): Fewest units.
    max_units (int): Most units.
    max_repeats (int): How often a run of three units may occur.
    similarity (float): From which share of common word trigrams two sentences are near-duplicates; 1 turns it off.
    lang (str): Language that is wanted.
    """

    min_units: int = 5
    max_units: int = 100
    max_repeats: int = 2
    similarity: float = 0.7
    lang: str = "en"


class SentenceTexts:
    """A set of sentences that are the same where they differ in case, spacing and punctuation only.

    texts (Iterable[str]): The sentences.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._texts: Set[str] = {_normalise(text) for text in texts}

    def __contains__(self, text: str) -> bool:
        return _normalise(text) in self._texts


class SentenceChecks:
    """Looks at sentences one after the other and remembers those that passed.

    settings (CheckSettings): What is wanted.
    held_out (Iterable[str]): Sentences of dev and test, which must not come out again.
    """

    def __init__(self, settings: CheckSettings, *, held_out: Iterable[str] = ()) -> None:
        self.settings = settings
        self._held_out = SentenceTexts(held_out)
        self._index = _make_index(settings.similarity) if settings.similarity < 1 else None
        self._count = 0

    def find_fault(self, text: str) -> Optional[str]:
        """Say why a sentence cannot be kept.

        text (str): The sentence without tags.
        RETURNS (Optional[str]): The reason in one word, or None; then later sentences are compared with it too.
        """
        words = [text[start:end].casefold() for start, end in find_units(text)]
        if len(words) < self.settings.min_units:
            return "too_short"
        if len(words) > self.settings.max_units:
            return "too_long"
        if not _is_language(text, self.settings.lang):
            return "other_language"
        shingles = [tuple(words[index:index + _SHINGLE]) for index in range(len(words) - _SHINGLE + 1)]
        if max(Counter(shingles).values(), default=0) > self.settings.max_repeats:
            return "repetition"
        if text in self._held_out:
            return "held_out_text"
        return self._find_double(shingles)

    def _find_double(self, shingles: Sequence[Sequence[str]]) -> Optional[str]:
        from datasketch import MinHash

        if self._index is None:
            return None
        signature = MinHash(num_perm=_PERMUTATIONS, seed=1)
        signature.update_batch([" ".join(shingle).encode("utf8", "surrogatepass") for shingle in shingles])
        if self._index.query(signature):
            return "near_duplicate"
        self._index.insert(self._count, signature)
        self._count += 1
        return None


def _make_index(similarity: float) -> Any:
    """RETURNS (MinHashLSH): An empty index of sentences by their word trigrams."""
    from datasketch import MinHashLSH

    return MinHashLSH(threshold=similarity, num_perm=_PERMUTATIONS)


def _is_language(text: str, lang: str) -> bool:
    """RETURNS (bool): Whether the script of the letters fits; names in Latin letters are at home in Chinese text."""
    letters = [character for character in text if character.isalpha()]
    chinese = len(_CJK.findall(text))
    if lang == "zh":
        return chinese >= 0.2 * len(letters)
    latin_or_greek = sum(character < "\u0400" for character in letters)
    return latin_or_greek >= 0.8 * len(letters)


def _normalise(text: str) -> str:
    return _NO_LETTER.sub("", text.casefold())


def count_distinct_ngrams(sentences: Iterable[str], n: int = 2) -> float:
    """Share of distinct n-grams, a measure of variety.

    sentences (Iterable[str]): Sentences.
    n (int): Units in an n-gram.
    RETURNS (float): Distinct n-grams over all n-grams; 0 where there are none.
    """
    grams: List[Sequence[str]] = []
    for text in sentences:
        words = [text[start:end].casefold() for start, end in find_units(text)]
        grams.extend(tuple(words[index:index + n]) for index in range(len(words) - n + 1))
    return len(set(grams)) / len(grams) if grams else 0.0
