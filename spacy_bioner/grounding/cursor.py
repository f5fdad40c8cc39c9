"""Gives names without offsets their places: a cursor moves in text order, one place a mention."""

from bisect import bisect_right, insort
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Dict, List, Optional, Sequence, Set, Tuple

from .names import NamePlace

Key = Tuple[int, int, str]
# So many claims away a neighbour is looked for.
_FARTHEST = 50
# So many claims with certain places, in text order, show that the whole reply is.
_FEWEST_ORDERED = 3


@dataclass(frozen=True)
class NameClaim:
    """A name to be placed.

    label (str): Its label.
    places (Tuple[NamePlace, ...]): Where it may stand, in text order; at least one.
    """

    label: str
    places: Tuple[NamePlace, ...]

    @property
    def length(self) -> int:
        return self.places[0].end - self.places[0].start

    def key(self, place: NamePlace) -> Key:
        """Return what mentions in text order are sorted by."""
        return (place.start, -place.end, self.label)


@dataclass
class Placement:
    """Where a name was placed.

    places (List[NamePlace]): Its places: one; all, where it was given once and nothing tells which; or none.
    ambiguous (bool): Whether nothing told which place was meant.
    duplicate (bool): Whether its places were given to others of the same name and label.
    """

    places: List[NamePlace] = field(default_factory=list)
    ambiguous: bool = False
    duplicate: bool = False


class _Taken:
    """The spans given to mentions of one label, asked whether one of them covers a place."""

    def __init__(self) -> None:
        self._spans: List[Tuple[int, int]] = []
        self._reach: List[int] = []

    def add(self, place: NamePlace) -> None:
        insort(self._spans, (place.start, place.end))
        self._reach = []

    def covers(self, place: NamePlace) -> bool:
        """Return whether the place lies inside a longer span."""
        if not self._reach:
            self._reach = list(accumulate((end for _, end in self._spans), max))
        before = bisect_right(self._spans, (place.start - 1, 1 << 60))
        if before and self._reach[before - 1] >= place.end:
            return True
        last = bisect_right(self._spans, (place.start, 1 << 60))
        return last > before and self._spans[last - 1][1] > place.end


def place_names(claims: Sequence[NameClaim]) -> List[Placement]:
    """Place the names of a reply.

    claims (Sequence[NameClaim]): The names in the order of the reply.
    RETURNS (List[Placement]): For each its placement. Long names go first, so that a short one can go to a place of
        its own before one inside a longer mention of the same label.
    """
    placements = [Placement() for _ in claims]
    groups: Dict[Tuple[Tuple[int, int], ...], List[int]] = {}
    for number, claim in enumerate(claims):
        groups.setdefault(tuple((place.start, place.end) for place in claim.places), []).append(number)
    cursor = _Cursor(claims, list(groups.values()))
    taken: Dict[str, _Taken] = {claim.label: _Taken() for claim in claims}
    for numbers in sorted(groups.values(), key=lambda numbers: -claims[numbers[0]].length):
        _place_group(claims, numbers, taken, cursor, placements)
        for number in numbers:
            for place in placements[number].places:
                taken[claims[number].label].add(place)
    return placements


def _place_group(claims: Sequence[NameClaim], numbers: Sequence[int], taken: Dict[str, _Taken], cursor: "_Cursor",
                 placements: List[Placement]) -> None:
    """Place the claims of one name; under several labels they share its places out while there are enough."""
    places = claims[numbers[0]].places
    if len(numbers) <= len(places):
        _share_out(claims, numbers, taken, cursor, placements)
        return
    for label in dict.fromkeys(claims[number].label for number in numbers):
        own = [number for number in numbers if claims[number].label == label]
        for number in own[len(places):]:
            placements[number].duplicate = True
        _share_out(claims, own[:len(places)], taken, cursor, placements, once=len(numbers) == 1)


def _share_out(claims: Sequence[NameClaim], numbers: Sequence[int], taken: Dict[str, _Taken], cursor: "_Cursor",
               placements: List[Placement], *, once: bool = True) -> None:
    """Give each claim a place of its own; a name given once stands for all its places."""
    first = claims[numbers[0]]
    free = [place for place in first.places if not taken[first.label].covers(place)]
    if once and len(numbers) == 1:
        chosen = cursor.narrow(numbers[0], free or list(first.places))
        placements[numbers[0]] = Placement(chosen, ambiguous=len(chosen) > 1)
        return
    if len(free) < len(numbers):
        covered = [place for place in first.places if place not in free]
        free = sorted(free + covered[:len(numbers) - len(free)], key=lambda place: place.start)
    apart = [place for place in free if not place.joined]
    if len(apart) >= len(numbers):
        free = apart
    used: Set[int] = set()
    for number in numbers:
        place = cursor.choose(number, free, used)
        used.add(place.start)
        cursor.known[number] = claims[number].key(place)
        placements[number] = Placement([place], ambiguous=len(free) > len(numbers))


class _Cursor:
    """Knows which claims have a certain place, and chooses places between those of their neighbours.

    claims (Sequence[NameClaim]): The claims.
    groups (Sequence[Sequence[int]]): The claims of each name.
    """

    def __init__(self, claims: Sequence[NameClaim], groups: Sequence[Sequence[int]]) -> None:
        self.claims = claims
        self.known: List[Optional[Key]] = [None] * len(claims)
        for numbers in groups:
            places = claims[numbers[0]].places
            if len(places) == len(numbers):
                for number, place in zip(numbers, places):
                    self.known[number] = claims[number].key(place)
            elif len(places) == 1:
                for number in numbers:
                    self.known[number] = claims[number].key(places[0])

        keys = [key for key in self.known if key is not None]
        in_order = all(one < other for one, other in zip(keys, keys[1:]))
        self._ordered = in_order and len(keys) >= _FEWEST_ORDERED
        # A reply that lists mentions repeats names; one that lists entities gives each name once.
        self._lists_mentions = in_order and any(
            1 < len(numbers) <= len(claims[numbers[0]].places) for numbers in groups)

    def narrow(self, number: int, places: List[NamePlace]) -> List[NamePlace]:
        """Return those of the places of a name given once after its neighbour's, where the reply
        goes in text order, and those before its next neighbour's, where it lists mentions; else all of them."""
        lower = self._neighbour(number, -1) if self._ordered or self._lists_mentions else None
        upper = self._neighbour(number, 1) if self._lists_mentions else None
        claim = self.claims[number]
        between = [place for place in places
                   if (lower is None or claim.key(place) > lower) and (upper is None or claim.key(place) < upper)]
        # What is nested in a mention is listed right after it.
        nested = [place for place in between if lower is not None and place.end <= -lower[1]]
        return nested or between or places

    def choose(self, number: int, places: Sequence[NamePlace], used: Set[int]) -> NamePlace:
        """Return the first unused place after the neighbour before, else the first unused one."""
        lower = self._neighbour(number, -1)
        unused = [place for place in places if place.start not in used]
        return next((place for place in unused if lower is None or self.claims[number].key(place) > lower), unused[0])

    def _neighbour(self, number: int, step: int) -> Optional[Key]:
        """Return the place of the nearest claim before or after that has a certain one."""
        for other in range(number + step, number + step * _FARTHEST, step):
            if not 0 <= other < len(self.known):
                break
            if self.known[other] is not None:
                return self.known[other]
        return None
