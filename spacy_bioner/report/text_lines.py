"""Cuts a text into lines for reading side by side: about sentences, never through a mention, nothing lost."""

import re
from typing import Iterable, List, Tuple

# The end of a sentence as far as a reader needs it: a mark before white space and a capital or digit, or a Chinese one.
_BREAK = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9(\[])|(?<=[。！？；])|\n+")
SHORTEST = 30


def cut_lines(text: str, places: Iterable[Tuple[int, int]]) -> List[Tuple[int, int]]:
    """Cut a text where sentences seem to end and no mention is open.

    text (str): The text.
    places (Iterable[Tuple[int, int]]): Starts and ends of mentions.
    RETURNS (List[Tuple[int, int]]): Start and end of each line; together they are the text.
    """
    cuts = [match.end() for match in _BREAK.finditer(text)]
    taken = list(places)
    lines: List[Tuple[int, int]] = []
    start = 0
    for cut in cuts:
        if cut - start >= SHORTEST and cut < len(text) and not any(first < cut < last for first, last in taken):
            lines.append((start, cut))
            start = cut
    return [*lines, (start, len(text))]
