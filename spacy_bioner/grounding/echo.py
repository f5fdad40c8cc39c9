"""Walks an echoed, marked text along its source: which marks are marks, and where in the source they stand.

What looks like a mark may be text of the source ("[ 1 ]", "</p>"). So both texts are read as a skeleton, the
characters between such tokens, and in each gap of the skeleton the source's own tokens are told from the marks. The
skeletons are compared as they are, then folded, and aligned only where they still differ.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from ..tokens import UNSPACED, find_units
from .alignment import Spans, align
from .folding import Folded, fold

# Chooses, in a gap, which of the echo's tokens are the source's: (source tokens, echo tokens) to pairs of indices.
Matcher = Callable[[Sequence[str], Sequence[str]], List[Tuple[int, int]]]
# A text this many times shorter than its source is no echo of it, and not worth aligning.
_SHORTEST_ECHO = 8


@dataclass(frozen=True)
class Place:
    """Where a mark stands in the source.

    before (int): One past the source character that stands before the mark.
    after (int): The source character that stands after it.
    written_before (str): What the echo has between that source character before and the mark.
    written_after (str): What the echo has between the mark and that source character after.
    """

    before: int
    after: int
    written_before: str = ""
    written_after: str = ""

    def opened_at(self, text: str) -> Optional[int]:
        """Return where a span begins that this mark opens.

        text (str): The source.
        RETURNS (Optional[int]): The source character after the mark; in a script without spaces the first one that
            was changed inside the mark, None where that is not certain.
        """
        changed = self.written_after and max(text[self.before:self.after + 1], default="") >= UNSPACED
        return self._divide(text) if changed and text[self.before:self.after].strip() else self.after

    def closed_at(self, text: str) -> Optional[int]:
        """Return the same for the end of a span that this mark closes."""
        changed = self.written_before and max(text[max(self.before - 1, 0):self.after], default="") >= UNSPACED
        return self._divide(text) if changed and text[self.before:self.after].strip() else self.before

    def _divide(self, text: str) -> Optional[int]:
        """Return where the mark stands among the source characters that were changed round it."""
        run = text[self.before:self.after]
        start, size = self.before + len(run) - len(run.lstrip()), len(run.strip())
        left, right = len(self.written_before), len(self.written_after)
        # One character may have become two, as Ⅱ becomes II.
        if left + right == size or not left and size < right <= 2 * size:
            return start + left
        return start + size if not right and size < left <= 2 * size else None


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
    written_before: str = ""
    written_after: str = ""


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
        start, end = alignment.unshared(place)
        written = copy.text[_end_of(echo, start):gap], copy.text[gap:_start_of(echo, end, copy.text)]
        gaps.append(_Gap(first, _end_of(source, last), _start_of(source, first, original.text),
                         *map(str.strip, written)))
    source_keys = [alignment.next_shared(bisect_left(source.starts, gap)) for gap in original.gaps]
    return Walk(_tell_marks(original, copy, match, gaps, source_keys), changed=True, extra=alignment.extra,
                cut=alignment.cut and not alignment.partial, likeness=alignment.likeness, partial=alignment.partial)


def _start_of(view: Folded, place: int, text: str) -> int:
    """Return where the character of the text begins that stands at this folded place."""
    return view.starts[place] if place < len(view.starts) else len(text)


def _end_of(view: Folded, place: int) -> int:
    """Return where the character of the text ends that stands before this folded place."""
    return view.ends[place - 1] if place else 0


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
        Place(original.raw_end(gap.before), original.raw_start(gap.after), gap.written_before, gap.written_after)
        if gap else None for gap in gaps]
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
                places[number] = replace(place, before=before)
        after = None
        for number in reversed(numbers):
            if number in literals:
                after, places[number] = literals[number][0], None
            elif after is not None and (place := places[number]):
                places[number] = replace(place, after=after)
    return tuple(places)


def _group(keys: Sequence[int]) -> Dict[int, List[int]]:
    """Return the key to the places in the list that have it."""
    groups: Dict[int, List[int]] = {}
    for number, key in enumerate(keys):
        groups.setdefault(key, []).append(number)
    return groups
