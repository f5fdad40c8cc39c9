"""Distances in a text counted in units, so that they mean the same whatever tokenizer a system has."""

from bisect import bisect_left, bisect_right

from ..annotation import Mention
from ..tokens import find_units


class Ruler:
    """Measures mentions of a text and the way from one boundary to another.

    text (str): The text.
    """

    def __init__(self, text: str):
        units = find_units(text)
        self._starts = [start for start, _ in units]
        self._ends = [end for _, end in units]

    def count(self, mention: Mention) -> int:
        """Return how many units the mention touches."""
        return bisect_left(self._starts, mention.end) - bisect_right(self._ends, mention.start)

    def start_shift(self, wanted: int, found: int) -> int:
        """Return units from one start to the other, negative where the found one is too early."""
        return bisect_left(self._starts, found) - bisect_left(self._starts, wanted)

    def end_shift(self, wanted: int, found: int) -> int:
        """Return units from one end to the other, negative where the found one is too early."""
        return bisect_right(self._ends, found) - bisect_right(self._ends, wanted)
