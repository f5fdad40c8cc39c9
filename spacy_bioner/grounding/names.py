"""Finds the places of a name in a text."""

from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from typing import List, Sequence, Tuple

from .folding import fold
from .words import on_boundaries, trim

# A name of so many letters, all of them capitals, is an abbreviation.
_LONGEST_ABBREVIATION = 5


@dataclass(frozen=True)
class NamePlace:
    """A place of a name.

    start (int): First character.
    end (int): One past the last.
    exact (bool): Whether the name stands there as written, or equals it only after folding.
    bounded (bool): Whether it stands there as a word of its own.
    joined (bool): Whether a hyphen joins it to another word ("DM-kinase").
    """

    start: int
    end: int
    exact: bool
    bounded: bool
    joined: bool = False


@lru_cache(maxsize=512)
def find_places(text: str, name: str, *, start: int = 0, end: int = -1) -> Tuple[NamePlace, ...]:
    """Find the best places of a name: as written before folded, whole words before parts of words.

    text (str): The text.
    name (str): The name.
    start (int): Where to begin.
    end (int): Where to stop; the end of the text if negative.
    RETURNS (Tuple[NamePlace, ...]): The places of the best kind that there is, in text order.
    """
    end = len(text) if end < 0 else end
    exact = [NamePlace(first, last, True, on_boundaries(text, first, last), _is_joined(text, first, last))
             for first, last in _find_exact(text, name, start, end)]
    bounded = tuple(place for place in exact if place.bounded)
    if bounded:
        return bounded
    folded = [NamePlace(first, last, False, on_boundaries(text, first, last), _is_joined(text, first, last))
              for first, last in _find_folded(text, name, start, end)]
    bounded = tuple(place for place in folded if place.bounded)
    return bounded or tuple(exact) or tuple(folded)


@lru_cache(maxsize=512)
def find_all_places(text: str, name: str) -> Tuple[NamePlace, ...]:
    """Find all places of a name, however it is spaced and written, whole words and parts of words.

    An abbreviation is not the word that it spells: "all" is no place of "ALL", a leukemia.

    text (str): The text.
    name (str): The name.
    RETURNS (Tuple[NamePlace, ...]): Its places in text order.
    """
    spans = [*_find_exact(text, name, 0, len(text)), *_find_folded(text, name, 0, len(text))]
    if name.isupper() and sum(map(str.isalpha, name)) <= _LONGEST_ABBREVIATION:
        spans = [(first, last) for first, last in spans if text[first:last].isupper()]
    return tuple(NamePlace(first, last, text[first:last] == name, on_boundaries(text, first, last),
                           _is_joined(text, first, last)) for first, last in sorted(set(spans)))


def _is_joined(text: str, start: int, end: int) -> bool:
    return text[end:end + 1] == "-" and text[end + 1:end + 2].isalnum() or \
        text[max(start - 1, 0):start] == "-" and text[max(start - 2, 0):start - 1].isalnum()


def _find_exact(text: str, name: str, start: int, end: int) -> List[Tuple[int, int]]:
    spans = []
    at = text.find(name, start, end) if name else -1
    while at >= 0:
        spans.append((at, at + len(name)))
        at = text.find(name, at + len(name), end)
    return spans


def _find_folded(text: str, name: str, start: int, end: int) -> List[Tuple[int, int]]:
    wanted, view = fold(name).text, fold(text)
    spans = []
    at = view.text.find(wanted) if wanted else -1
    while at >= 0:
        span = view.source_span(at, at + len(wanted))
        if span is not None and start <= span[0] and span[1] <= end:
            # A blank with a combining mark folds to nothing, and would be an edge of the name.
            spans.append(trim(text, *span))
        at = view.text.find(wanted, at + (len(wanted) if span is not None else 1))
    return spans


def nearest_place(places: Sequence[NamePlace], start: int) -> NamePlace:
    """Return the place that begins nearest to a claimed offset, the first of two as near."""
    at = bisect_left(places, start, key=lambda place: place.start)
    return min(places[max(at - 1, 0):at + 1], key=lambda place: abs(place.start - start))


def find_contexts(text: str, context: str) -> Tuple[NamePlace, ...]:
    """Find where a context stands; it need not begin or end at a word.

    text (str): The text.
    context (str): Words of the text.
    RETURNS (Tuple[NamePlace, ...]): Its places as written, else those after folding.
    """
    exact = _find_exact(text, context.strip(), 0, len(text))
    if exact:
        return tuple(NamePlace(first, last, True, True) for first, last in exact)
    return tuple(NamePlace(first, last, False, True) for first, last in _find_folded(text, context, 0, len(text)))
