"""Word boundaries: the places in a text that do not lie inside a unit."""

from functools import lru_cache

from ..tokens import find_units


@lru_cache(maxsize=32)
def _inner_places(text: str) -> frozenset:
    return frozenset(place for start, end in find_units(text) if end - start > 1 for place in range(start + 1, end))


def is_boundary(text: str, place: int) -> bool:
    """Return whether a word may begin or end at this offset; each Chinese character is a word."""
    return place not in _inner_places(text)


def on_boundaries(text: str, start: int, end: int) -> bool:
    """Return whether a span begins and ends at word boundaries."""
    inner = _inner_places(text)
    return start not in inner and end not in inner


def trim(text: str, start: int, end: int) -> "tuple[int, int]":
    """Return the span without white space at its edges; empty where there is nothing else."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
