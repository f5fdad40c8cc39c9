"""Texts that are nearly the same: that share more than a given part of their word trigrams."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Dict, FrozenSet, Iterator, List, Optional, Sequence, Tuple

from ..units import find_units

Trigram = Tuple[str, str, str]


@dataclass(frozen=True)
class NearDuplicate:
    """Two texts that are nearly the same.

    first (int): Position of the one that comes first.
    second (int): Position of the other.
    share (float): Part of the trigrams of the shorter one that both have.
    """

    first: int
    second: int
    share: float


def find_trigrams(text: str) -> FrozenSet[Trigram]:
    """Cut a text into overlapping runs of three words, or of three characters in Chinese.

    text (str): The text; case and punctuation do not count.
    RETURNS (FrozenSet[Trigram]): Each trigram once; none where there are fewer than three words.
    """
    words = [word for word in (text[start:end].casefold() for start, end in find_units(text)) if word.isalnum()]
    return frozenset(zip(words, words[1:], words[2:]))


def find_near_duplicates(texts: Sequence[str], *, max_share: float = 0.5) -> List[NearDuplicate]:
    """Find for each text one other that shares too many of its trigrams.

    A text that shares more than `max_share` of its trigrams also shares one of its rarest, so that only the few
    texts which have one of these are compared: the result is exact, and the work grows with the number of texts,
    not with its square. A text that has many such neighbours is reported with the first that is found.

    texts (Sequence[str]): The texts.
    max_share (float): Allowed part of the trigrams of the shorter text, below 1.
    RETURNS (List[NearDuplicate]): Each pair once, in the order of the texts.
    """
    grams = [find_trigrams(text) for text in texts]
    holders: Dict[Trigram, List[int]] = defaultdict(list)
    for position, own in enumerate(grams):
        for gram in own:
            holders[gram].append(position)
    commonness = Counter({gram: len(positions) for gram, positions in holders.items()})
    pairs: Dict[Tuple[int, int], float] = {}
    for position, own in enumerate(grams):
        found = _find_neighbour(position, grams, _rarest(own, commonness, max_share), holders, max_share)
        if found is not None:
            other, share = found
            pairs[min(position, other), max(position, other)] = share
    return [NearDuplicate(first, second, share) for (first, second), share in sorted(pairs.items())]


def _rarest(own: FrozenSet[Trigram], commonness: Dict[Trigram, int], max_share: float) -> List[Trigram]:
    """RETURNS (List[Trigram]): So many of the rarest trigrams that a near duplicate must have one of them."""
    by_rarity = sorted(own, key=lambda gram: (commonness[gram], gram))
    return by_rarity[:len(own) - int(max_share * len(own))]


def _find_neighbour(position: int, grams: Sequence[FrozenSet[Trigram]], rarest: Sequence[Trigram],
                    holders: Dict[Trigram, List[int]], max_share: float) -> Optional[Tuple[int, float]]:
    """RETURNS (Optional[Tuple[int, float]]): A text at least as long that shares too much, and how much it shares."""
    own = grams[position]
    for other in _candidates(position, rarest, holders):
        share = len(own & grams[other]) / len(own)
        if len(grams[other]) >= len(own) and share > max_share:
            return other, share
    return None


def _candidates(position: int, rarest: Sequence[Trigram], holders: Dict[Trigram, List[int]]) -> Iterator[int]:
    seen = {position}
    for gram in rarest:
        for other in holders[gram]:
            if other not in seen:
                seen.add(other)
                yield other
