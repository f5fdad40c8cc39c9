"""Texts that are nearly the same: that share more than a given part of their word trigrams."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import takewhile
from typing import Dict, FrozenSet, List, Optional, Sequence, Tuple

from ..tokens import find_units

Trigram = Tuple[str, str, str]
# The names of the groups that a text belongs to.
Group = FrozenSet[str]
Holders = Dict[Trigram, List[int]]


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


def find_near_duplicates(texts: Sequence[str], *, max_share: float = 0.5,
                         groups: Optional[Sequence[Group]] = None) -> List[NearDuplicate]:
    """Find for each text one other that shares too many of its trigrams; with groups, one of each other group.

    A text that shares more than `max_share` of its trigrams also shares one of its rarest, so that only the few
    texts which have one of these are compared, the longest first: the result is exact, and the work grows with the
    number of texts, not with its square. A text that has many such neighbours is reported with the first that is found.

    texts (Sequence[str]): The texts.
    max_share (float): Allowed part of the trigrams of the shorter text, below 1.
    groups (Optional[Sequence[Group]]): For each text the names of the groups that it belongs to, seldom more than one:
        two texts of the same single group are passed over. By default any two texts are compared.
    RETURNS (List[NearDuplicate]): Each pair once, in the order of the texts.
    """
    grams = [find_trigrams(text) for text in texts]
    own_groups = [frozenset()] * len(grams) if groups is None else groups
    holders = _find_holders(grams, own_groups)
    pairs: Dict[Tuple[int, int], float] = {}
    for position, own in enumerate(grams):
        rivals = [others for group, others in holders.items() if len(own_groups[position] | group) != 1]
        rarest = _rarest(own, rivals, max_share)
        for others in rivals:
            found = _find_neighbour(position, grams, rarest, others, max_share)
            if found is not None:
                other, share = found
                pairs[min(position, other), max(position, other)] = share
    return [NearDuplicate(first, second, share) for (first, second), share in sorted(pairs.items())]


def _find_holders(grams: Sequence[FrozenSet[Trigram]], groups: Sequence[Group]) -> Dict[Group, Holders]:
    """Return for each group which of its texts have a trigram, the longest first."""
    holders: Dict[Group, Holders] = {group: defaultdict(list) for group in groups}
    for position in sorted(range(len(grams)), key=lambda position: -len(grams[position])):
        for gram in grams[position]:
            holders[groups[position]][gram].append(position)
    return holders


def _rarest(own: FrozenSet[Trigram], rivals: Sequence[Holders], max_share: float) -> List[Trigram]:
    """Return so many of the rarest trigrams that a near duplicate must have one of them."""
    def count(gram: Trigram) -> int:
        return sum(len(others[gram]) for others in rivals if gram in others)

    by_rarity = sorted(own, key=lambda gram: (count(gram), gram))
    return by_rarity[:len(own) - int(max_share * len(own))]


def _find_neighbour(position: int, grams: Sequence[FrozenSet[Trigram]], rarest: Sequence[Trigram], holders: Holders,
                    max_share: float) -> Optional[Tuple[int, float]]:
    """Return a text at least as long that shares too much, and how much it shares."""
    own = grams[position]
    seen = {position}
    for gram in rarest:
        for other in takewhile(lambda other: len(grams[other]) >= len(own), holders.get(gram, ())):
            if other not in seen:
                seen.add(other)
                share = len(own & grams[other]) / len(own)
                if share > max_share:
                    return other, share
    return None
