"""What the parts of a corpus have in common: whole texts, sentences, and texts that are nearly the same."""

from dataclasses import dataclass, field
from itertools import combinations
from typing import Dict, Iterator, List, Sequence, Tuple

from ..annotation import Annotation
from ..tokens import find_units
from .leakage import TELLING_UNITS, normalise
from .near_duplicates import find_near_duplicates
from .sentences import split_sentences

# Records above which nobody waits for near duplicates.
NEAR_LIMIT = 50_000


@dataclass(frozen=True)
class Shared:
    """What two parts have in common, or what one part has twice.

    first (str): Name of a part.
    second (str): Name of the other; the same for repetitions inside one.
    texts (int): Records of the second whose whole text stands in the first too.
    sentences (int): Sentences of the second that stand in the first too; headings are not counted.
    examples (Tuple[Tuple[str, str], ...]): Ids of a few pairs.
    """

    first: str
    second: str
    texts: int
    sentences: int
    examples: Tuple[Tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.texts or self.sentences)


@dataclass
class _Part:
    """Normalised texts and sentences of a part, and where they stand; and how often there is one again."""

    texts: Dict[int, str] = field(default_factory=dict)
    sentences: Dict[int, str] = field(default_factory=dict)
    repeated: List[Tuple[str, str]] = field(default_factory=list)


class SharedTexts:
    """Collects the texts of parts as hashes, a few dozen bytes a sentence, and compares them."""

    def __init__(self) -> None:
        self._parts: Dict[str, _Part] = {}

    def add(self, name: str, annotation: Annotation) -> None:
        """Take in a record.

        name (str): The part that it belongs to.
        annotation (Annotation): The record.
        """
        part = self._parts.setdefault(name, _Part())
        text = normalise(annotation.text)
        if text and hash(text) in part.texts:
            part.repeated.append((part.texts[hash(text)], annotation.id))
        elif text:
            part.texts[hash(text)] = annotation.id
        for sentence in split_sentences(annotation):
            if len(find_units(sentence.text)) >= TELLING_UNITS:
                part.sentences.setdefault(hash(normalise(sentence.text)), sentence.id)

    def repeated(self) -> Iterator[Shared]:
        """Yield for each part how many of its records have a text that came before."""
        for name, part in self._parts.items():
            yield Shared(name, name, len(part.repeated), 0, tuple(part.repeated[:5]))

    def between(self) -> Iterator[Shared]:
        """Yield for each two parts what both have."""
        for (first, one), (second, other) in combinations(self._parts.items(), 2):
            texts = one.texts.keys() & other.texts.keys()
            sentences = one.sentences.keys() & other.sentences.keys()
            examples = [(one.texts[key], other.texts[key]) for key in other.texts if key in texts]
            examples += [(one.sentences[key], other.sentences[key]) for key in other.sentences if key in sentences]
            yield Shared(first, second, len(texts), len(sentences), tuple(examples[:5]))


def find_near(parts: Dict[str, Sequence[Annotation]], *, max_share: float) -> List[Tuple[str, str, str, str, float]]:
    """Find records of different parts that are nearly, but not wholly, the same.

    Of a text that a part repeats the first record counts. A text is reported with one near duplicate of each part.

    parts (Dict[str, Sequence[Annotation]]): The records of each part.
    max_share (float): Part of the word trigrams of the shorter one that both may have.
    RETURNS (List[Tuple[str, str, str, str, float]]): Part and id of the one, of the other, and what they share.
    """
    standing: Dict[str, Dict[str, Annotation]] = {}
    for name, annotations in parts.items():
        for annotation in annotations:
            standing.setdefault(normalise(annotation.text), {}).setdefault(name, annotation)
    records = list(standing.values())
    texts = [next(iter(places.values())).text for places in records]
    pairs = find_near_duplicates(texts, max_share=max_share, groups=[frozenset(places) for places in records])
    return [(first, one.id, second, other.id, pair.share) for pair in pairs
            for first, one in records[pair.first].items() for second, other in records[pair.second].items()
            if first != second]
