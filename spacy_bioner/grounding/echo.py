"""Walks an echoed, marked text along its source: which marks are marks, and where in the source they stand.

What looks like a mark may be text of the source ("[ 1 ]", "</p>"). So both texts are read as a skeleton, the
characters between such tokens, and in each gap of the skeleton the source's own tokens are told from the marks. The
skeletons are compared as they are, then folded, and aligned only where they still differ.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from ..tokens import find_units
from .alignment import Spans, align
from .folding import fold

# Chooses, in a gap, which of the echo's tokens are the source's: (source tokens, echo tokens) to pairs of indices.
Matcher = Callable[[Sequence[str], Sequence[str]], List[Tuple[int, int]]]
# A text this many times shorter than its source is no echo of it, and not worth aligning.
_SHORTEST_ECHO = 8


@dataclass(frozen=True)
class Place:
    """Where a mark stands in the source.

    before (int): One past the source character that stands before the mark.
    after (int): The source character that stands after it.
    """

    before: int
    after: int


@dataclass(frozen=True)
class Walk:
    """What walking an echo along its source gave.

    places (Tuple[Optional[Place], ...]): For each token of the echo its place; None where the token is text of the
        source, or stands outside the echo.
    changed (bool): Whether the echo differs from the source, white space at its ends aside.
    extra (bool): Whether other text stands before or after the echo.
    cut (bool): Whether the echo ends before its source does.
    likeness (float): Share of the characters, of the longer text, that both have.
    partial (bool): Whether the echo repeats a part of the source only, so that its marks stand in that part.
    """

    places: Tuple[Optional[Place], ...]
    changed: bool = False
    extra: bool = False
    cut: bool = False
    likeness: float = 1.0
    partial: bool = False


class Skeleton:
    """A text without the tokens that look like marks.

    source (str): The text.
    tokens (Spans): Start and end of each token, in order.
    """

    def __init__(self, source: str, tokens: Spans) -> None:
        self.source = source
        self.tokens = tokens
        kept, self.gaps, at, length = [], [], 0, 0
        for start, end in tokens:
            kept.append(source[at:start])
            length += start - at
            self.gaps.append(length)
            at = end
        kept.append(source[at:])
        self.text = "".join(kept)
        self.lead = len(self.text) - len(self.text.lstrip())
        self._taken = [0, *accumulate(end - start for start, end in tokens)]

    def token(self, number: int) -> str:
        return self.source[slice(*self.tokens[number])]

    def raw_start(self, place: int) -> int:
        """Return where the skeleton character at this place stands in the text."""
        return place + self._taken[bisect_right(self.gaps, place)]

    def raw_end(self, place: int) -> int:
        """Return where the skeleton character before this place ends in the text."""
        return place + self._taken[bisect_left(self.gaps, place)]


@dataclass(frozen=True)
class _Gap:
    """A gap of the echo, seen from the source's skeleton: equal keys are the same gap."""

    key: int
    before: int
    after: int


def walk(source: str, source_tokens: Spans, echo: str, echo_tokens: Spans, *, match: Matcher) -> Walk:
    """Walk an echo along its source.

    source (str): The source text.
    source_tokens (Spans): Start and end of what looks like a mark in the source, in order.
    echo (str): The echoed text with marks.
    echo_tokens (Spans): Start and end of what looks like a mark in the echo, in order.
    match (Matcher): Tells the source's own tokens from marks where both stand in one gap.
    RETURNS (Walk): The places of the marks, and how far echo and source agree.
    """
    original, copy = Skeleton(source, source_tokens), Skeleton(echo, echo_tokens)
    if original.text == copy.text:
        return Walk(_place_tokens(original, copy, match, 0))
    stripped, echoed = original.text.strip(), copy.text.strip()
    if stripped == echoed:
        return Walk(_place_tokens(original, copy, match, original.lead - copy.lead))
    if stripped and stripped in echoed:
        shift = original.lead - _best_occurrence(copy, stripped)
        return Walk(_place_tokens(original, copy, match, shift), extra=True, likeness=len(stripped) / len(echoed))
    if stripped.startswith(echoed):
        shift = original.lead - copy.lead
        return Walk(_place_tokens(original, copy, match, shift), cut=True, likeness=len(echoed) / len(stripped))
    if len(echoed) * _SHORTEST_ECHO < len(stripped) and fold(copy.text).text not in fold(original.text).text:
        return Walk((None,) * len(echo_tokens), changed=True, likeness=0.0)
    return _walk_folded(original, copy, match)


def _best_occurrence(copy: Skeleton, text: str) -> int:
    """Return where the source stands in an echo with other text; the last of those with most marks in it."""
    best, most, at = 0, -1, copy.text.find(text)
    while at >= 0:
        marks = bisect_right(copy.gaps, at + len(text)) - bisect_left(copy.gaps, at)
        if marks >= most:
            best, most = at, marks
        at = copy.text.find(text, at + len(text))
    return best


def _place_tokens(original: Skeleton, copy: Skeleton, match: Matcher, shift: int) -> Tuple[Optional[Place], ...]:
    """Return places where the skeletons are equal, the echo's shifted."""
    size = len(original.text)
    gaps = [_Gap(gap + shift, gap + shift, gap + shift) if 0 <= gap + shift <= size else None for gap in copy.gaps]
    return _tell_marks(original, copy, match, gaps, original.gaps)


def _walk_folded(original: Skeleton, copy: Skeleton, match: Matcher) -> Walk:
    """Return the same for an echo that differs: folded, and aligned where it still differs."""
    source, echo = fold(original.text), fold(copy.text)
    alignment = align(source.text, echo.text, _folded_units(original.text), _folded_units(copy.text))
    gaps = []
    for gap in copy.gaps:
        place = bisect_left(echo.starts, gap)
        last, first = alignment.preceding(place), alignment.following(place)
        gaps.append(_Gap(first, source.ends[last - 1] if last else 0,
                         source.starts[first] if first < len(source.starts) else len(original.text)))
    source_keys = [alignment.next_shared(bisect_left(source.starts, gap)) for gap in original.gaps]
    return Walk(_tell_marks(original, copy, match, gaps, source_keys), changed=True, extra=alignment.extra,
                cut=alignment.cut and not alignment.partial, likeness=alignment.likeness, partial=alignment.partial)


@lru_cache(maxsize=32)
def _folded_units(text: str) -> List[Tuple[int, int]]:
    """Return the start and end of each unit of a text in its folded view."""
    starts = fold(text).starts
    units, place = [], 0
    for _, end in find_units(text):
        first = place
        while place < len(starts) and starts[place] < end:
            place += 1
        if first < place:
            units.append((first, place))
    return units


def _tell_marks(original: Skeleton, copy: Skeleton, match: Matcher, gaps: Sequence[Optional[_Gap]],
                source_keys: Sequence[int]) -> Tuple[Optional[Place], ...]:
    """Return the places of the echo's tokens, None for those that are the source's."""
    places: List[Optional[Place]] = [
        Place(original.raw_end(gap.before), original.raw_start(gap.after)) if gap else None for gap in gaps]
    source_groups = _group(source_keys)
    if not source_groups:
        return tuple(places)
    for key, numbers in _group([gap.key if gap else -1 for gap in gaps]).items():
        own = source_groups.get(key, ())
        pairs = match([original.token(number) for number in own], [copy.token(number) for number in numbers])
        literals = {numbers[second]: original.tokens[own[first]] for first, second in pairs}
        before = None
        for number in numbers:
            if number in literals:
                before = literals[number][1]
            elif before is not None and (place := places[number]):
                places[number] = Place(before, place.after)
        after = None
        for number in reversed(numbers):
            if number in literals:
                after, places[number] = literals[number][0], None
            elif after is not None and (place := places[number]):
                places[number] = Place(place.before, after)
    return tuple(places)


def _group(keys: Sequence[int]) -> Dict[int, List[int]]:
    """Return the key to the places in the list that have it."""
    groups: Dict[int, List[int]] = {}
    for number, key in enumerate(keys):
        groups.setdefault(key, []).append(number)
    return groups
