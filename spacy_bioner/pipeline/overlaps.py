"""What to do with mentions that overlap: keep all, only nested ones, or none."""

from typing import Iterable, List, Sequence, Tuple

import numpy
from spacy.tokens import Span

OVERLAPS = ("any", "nested", "flat", "learn")

Scored = Tuple[int, int, int, float]


def drop_overlaps(mentions: Sequence[Scored], overlaps: str) -> List[Scored]:
    """Drop the less probable of two mentions that may not stand together.

    mentions (Sequence[Scored]): Start, end, label and probability.
    overlaps (str): "any" drops none, "nested" of two that cross, "flat" of two that share a token; "learn", where
        nothing was learnt, drops none.
    RETURNS (List[Scored]): What is kept, the most probable first.
    """
    ranked = sorted(mentions, key=lambda mention: (-mention[3], mention[:3]))
    if overlaps not in ("nested", "flat"):
        return ranked
    clash = _shares if overlaps == "flat" else _crosses
    kept: List[Scored] = []
    for mention in ranked:
        if not any(clash(mention, other) for other in kept):
            kept.append(mention)
    return kept


def survivors(found: Sequence[Sequence[Scored]], above: numpy.ndarray, overlaps: str) -> numpy.ndarray:
    """Say which mentions of several documents stay, once those below their thresholds are gone.

    found (Sequence[Sequence[Scored]]): The mentions of each document.
    above (numpy.ndarray): For each mention, document by document, whether it is above its threshold.
    overlaps (str): See `drop_overlaps`.
    RETURNS (numpy.ndarray): For each mention whether it stays.
    """
    kept = numpy.zeros(len(above), dtype=bool)
    offset = 0
    for mentions in found:
        places = {mention: offset + place for place, mention in enumerate(mentions) if above[offset + place]}
        for mention in drop_overlaps(list(places), overlaps):
            kept[places[mention]] = True
        offset += len(mentions)
    return kept


def learn_overlaps(groups: Iterable[Iterable[Span]]) -> str:
    """Return "flat" where no two spans of a group overlap, else "any"; without a span "learn", as nothing is known."""
    found = "learn"
    for group in groups:
        reached = -1
        for start, end in sorted((span.start, span.end) for span in group):
            if start < reached:
                return "any"
            reached, found = max(reached, end), "flat"
    return found


def _shares(first: Scored, second: Scored) -> bool:
    return first[0] < second[1] and second[0] < first[1]


def _crosses(first: Scored, second: Scored) -> bool:
    left, right = sorted((first, second), key=lambda mention: (mention[0], mention[1]))
    return left[0] < right[0] < left[1] < right[1]
