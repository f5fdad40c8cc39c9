"""Checks of generated sentences beyond their tags: length, language, repetition, near-duplicates, leaks."""

from collections import Counter, defaultdict
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from ...annotation import Annotation
from ...corpus.leakage import TELLING_UNITS, KnownTexts
from ...corpus.sentences import split_sentences
from ...formats.jsonl import read_jsonl
from ...tokens import UNSPACED, find_units
from .check_settings import CheckSettings
from .language import is_language

_SHINGLE = 3
# Pre-tokens of a run that is looked for again in a script without spaces, where a name often has three.
_LONG_SHINGLE = 6
Shingle = Tuple[str, ...]


class SentenceChecks:
    """Looks at sentences one after the other and remembers those that passed.

    settings (CheckSettings): What is wanted.
    held_out (Iterable[Path]): Records of dev and test; their sentences must not come out again, nor nearly so. The
        first is the check of the verb train.
    """

    def __init__(self, settings: CheckSettings, *, held_out: Iterable[Path] = ()) -> None:
        self.settings = settings
        self._seen = _NearTexts(settings.similarity)
        self._near_held_out = _NearTexts(settings.similarity)
        self._held_out = KnownTexts(held_out, self._read_held_out)

    def _read_held_out(self, path: Path, *, raw: bool) -> Iterator[Annotation]:
        """Yield the records of a file, and note their sentences."""
        for annotation in read_jsonl(path, raw=raw):
            for sentence in split_sentences(annotation):
                shingles = _cut_shingles(_words(sentence.text))
                if len(shingles) >= TELLING_UNITS:
                    self._near_held_out.add(shingles)
            yield annotation

    def find_fault(self, text: str) -> Optional[str]:
        """Say why a sentence cannot be kept.

        text (str): The sentence without tags.
        RETURNS (Optional[str]): The reason in one word, or None; then later sentences are compared with it too.
        """
        words = _words(text)
        if len(words) < self.settings.min_units:
            return "too_short"
        if len(words) > self.settings.max_units:
            return "too_long"
        if not is_language(text, self.settings.lang):
            return "other_language"
        shingles = _cut_shingles(words)
        if max(Counter(_cut_runs(words, shingles)).values(), default=0) > self.settings.max_repeats:
            return "repetition"
        if self._held_out.find(Annotation(text, meta={"lang": self.settings.lang})) is not None:
            return "held_out_text"
        if self._near_held_out.holds(shingles):
            return "near_held_out"
        if self._seen.holds(shingles):
            return "near_duplicate"
        self._seen.add(shingles)
        return None


class _NearTexts:
    """Finds texts that are nearly the same as one that was added.

    similarity (float): From which share of the trigrams of words that either has, both have them; 1 finds none.
    """

    def __init__(self, similarity: float) -> None:
        self._similarity = similarity
        self._sizes: List[int] = []
        self._holders: Dict[Shingle, List[int]] = defaultdict(list)

    def add(self, shingles: Sequence[Shingle]) -> None:
        if self._similarity < 1:
            own = set(shingles)
            for shingle in own:
                self._holders[shingle].append(len(self._sizes))
            self._sizes.append(len(own))

    def holds(self, shingles: Sequence[Shingle]) -> bool:
        own = set(shingles)
        common = Counter(number for shingle in own for number in self._holders.get(shingle, ()))
        return any(both / (len(own) + self._sizes[number] - both) >= self._similarity
                   for number, both in common.items())


def _words(text: str) -> List[str]:
    return [text[start:end].casefold() for start, end in find_units(text)]


def _cut_shingles(words: Sequence[str], size: int = _SHINGLE) -> List[Shingle]:
    return [tuple(words[index:index + size]) for index in range(len(words) - size + 1)]


def _cut_runs(words: Sequence[str], shingles: List[Shingle]) -> List[Shingle]:
    """Return the runs of which none may come often: the shingles, or longer ones where most words are a character."""
    unspaced = 2 * sum(word >= UNSPACED for word in words) > len(words)
    return _cut_shingles(words, _LONG_SHINGLE) if unspaced else shingles


def count_distinct_ngrams(sentences: Iterable[str], n: int = 2) -> float:
    """Share of distinct n-grams, a measure of variety.

    sentences (Iterable[str]): Sentences.
    n (int): Units in an n-gram.
    RETURNS (float): Distinct n-grams over all n-grams; 0 where there are none.
    """
    grams: List[Sequence[str]] = []
    for text in sentences:
        words = _words(text)
        grams.extend(tuple(words[index:index + n]) for index in range(len(words) - n + 1))
    return len(set(grams)) / len(grams) if grams else 0.0
