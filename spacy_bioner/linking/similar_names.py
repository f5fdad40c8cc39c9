"""Names that are written alike: cosine of weighted character trigrams finds them, an edit similarity ranks them.

The trigrams are weighted by how seldom they are, as Okazaki and Tsujii (2010, COLING, "Simple and efficient algorithm
for approximate dictionary matching") and the candidate generators of later linkers do. numpy holds the inverted index,
rapidfuzz compares the candidates.
"""

from collections import Counter
from typing import Dict, List, Sequence, Tuple

import numpy
from rapidfuzz import fuzz

from .name_forms import plain_words

_GRAM = 3
# Candidates of the trigrams that are compared letter by letter.
_COMPARED = 32


class SimilarNames:
    """An index of names.

    names (Sequence[str]): The names; results are positions in them.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._texts = [spell(name) for name in names]
        grams = [Counter(cut(text)) for text in self._texts]
        self._numbers: Dict[str, int] = {}
        for counts in grams:
            for gram in counts:
                self._numbers.setdefault(gram, len(self._numbers))
        sizes = numpy.fromiter((len(counts) for counts in grams), dtype="int64", count=len(grams))
        owners = numpy.repeat(numpy.arange(len(grams), dtype="int32"), sizes)
        keys = numpy.fromiter((self._numbers[gram] for counts in grams for gram in counts), dtype="int64",
                              count=len(owners))
        times = numpy.fromiter((count for counts in grams for count in counts.values()), dtype="float32",
                               count=len(owners))
        holders = numpy.bincount(keys, minlength=len(self._numbers))
        self._rarity = (1 + numpy.log(len(grams) / numpy.maximum(holders, 1))).astype("float32")
        weights = times * self._rarity[keys]
        lengths = numpy.sqrt(numpy.bincount(owners, weights=weights ** 2, minlength=len(grams)))
        weights = weights / numpy.maximum(lengths[owners], 1e-9)
        order = numpy.argsort(keys, kind="stable")
        self._owners, self._weights = owners[order], weights[order].astype("float32")
        self._starts = numpy.concatenate([[0], numpy.cumsum(holders)])

    def find(self, name: str, *, most: int) -> List[Tuple[int, float]]:
        """Find the names that are most like one.

        name (str): Any name.
        most (int): How many to return.
        RETURNS (List[Tuple[int, float]]): Position and similarity, from 0 to 1, the most similar first.
        """
        text = spell(name)
        cosines = self._cosines(text)
        if not len(cosines):
            return []
        count = min(_COMPARED, int(numpy.count_nonzero(cosines)))
        nearest = numpy.argpartition(-cosines, count - 1)[:count] if count else numpy.zeros(0, dtype=int)
        ranked = [(int(place), _similarity(float(cosines[place]), text, self._texts[place])) for place in nearest]
        return sorted(ranked, key=lambda pair: (-pair[1], pair[0]))[:most]

    def _cosines(self, text: str) -> numpy.ndarray:
        counts = Counter(cut(text))
        # Trigrams that no name has weigh as much as those of a single one.
        rarest = 1 + numpy.log(max(1, len(self._texts)))
        length, owners, weights = 0.0, [], []
        for gram, count in counts.items():
            number = self._numbers.get(gram)
            weight = count * float(rarest if number is None else self._rarity[number])
            length += weight ** 2
            if number is not None:
                place = slice(self._starts[number], self._starts[number + 1])
                owners.append(self._owners[place])
                weights.append(self._weights[place] * weight)
        if not owners:
            return numpy.zeros(0)
        return numpy.bincount(numpy.concatenate(owners), weights=numpy.concatenate(weights),
                              minlength=len(self._texts)) / numpy.sqrt(length)


def spell(name: str) -> str:
    """Return the words of a name as they are compared."""
    return " ".join(plain_words(name))


def cut(text: str) -> List[str]:
    """Return the trigrams of a text, with its borders."""
    padded = f" {text} "
    return [padded[place:place + _GRAM] for place in range(max(1, len(padded) - _GRAM + 1))]


def _similarity(cosine: float, text: str, other: str) -> float:
    return 0.5 * cosine + 0.5 * fuzz.token_sort_ratio(text, other) / 100
