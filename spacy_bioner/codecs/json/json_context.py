"""Chooses the words around a mention that tell its place."""

from bisect import bisect_left, bisect_right

from ...annotation import Mention
from ...tokens import find_units

# Units on either side of the mention, at first.
_FIRST_REACH = 3


def choose_context(text: str, mention: Mention) -> str:
    """Choose the context of a mention.

    text (str): The source text.
    mention (Mention): The mention.
    RETURNS (str): The mention with a few units on either side, with more where it is found elsewhere too; the whole
        text at most.
    """
    units = find_units(text)
    first = bisect_right(units, mention.start, key=lambda unit: unit[1])
    last = bisect_left(units, mention.end, key=lambda unit: unit[0])
    reach = _FIRST_REACH
    while True:
        left, right = max(first - reach, 0), min(last + reach, len(units))
        context = text[min(units[left][0], mention.start):max(units[right - 1][1], mention.end)]
        if (left == 0 and right == len(units)) or text.find(context) == text.rfind(context):
            return context
        reach *= 2
