"""Takes what marks enclose in an echo, checked against the source where the echo was changed."""

from typing import Optional, Sequence, Tuple

from rapidfuzz.distance import Indel

from ..grounding.cursor import NameClaim, place_names
from ..grounding.echo import Place
from ..grounding.folding import fold_plain
from ..grounding.names import find_places
from ..grounding.words import is_boundary
from .collect import Collector

# A marked text that shares less than this with the source's is another text, not a changed spelling.
_LEAST_LIKENESS = 0.6


def add_marked(found: Collector, start: int, end: int, label: str, inner: Optional[str] = None, *,
               opening: Place, closing: Place) -> None:
    """Take a marked span.

    found (Collector): Takes the mention and the issues.
    start (int): First source character inside the marks.
    end (int): One past the last.
    label (str): The label.
    inner (Optional[str]): What the marks enclose in the echo, where echo and source differ.
    opening (Place): The place of the opening mark.
    closing (Place): The place of the closing mark.
    """
    text = found.text
    if inner is None or not inner.strip():
        found.add(start, max(start, end), label)
        return
    written, there = fold_plain(inner), fold_plain(text[start:end].replace("[", "").replace("]", ""))
    if written == there:
        found.add(start, end, label, fuzzy=inner.strip() != text[start:end].strip())
        return
    places = find_places(text, inner.strip())
    if len(places) == 1:
        found.add(places[0].start, places[0].end, label, fuzzy=not places[0].exact)
        return
    first, last = opening.opened_at(text), closing.closed_at(text)
    like = start < end and Indel.normalized_similarity(written, there) >= _LEAST_LIKENESS
    if like and first is not None and last is not None:
        found.add(_widen_left(text, min(start, first)), _widen_right(text, max(end, last)), label, fuzzy=True)
    else:
        found.issue("not_found", inner)


def place_loose(found: Collector, marked: Sequence[Tuple[str, str]]) -> None:
    """Take marked texts that stand in no echo of the source, as names in text order.

    found (Collector): Takes mentions and issues.
    marked (Sequence[Tuple[str, str]]): Label and text of each.
    """
    names, claims = [], []
    for label, name in marked:
        places = find_places(found.text, name)
        if places:
            names.append(name)
            claims.append(NameClaim(label, places))
        else:
            found.issue("not_found" if name else "empty_span", name)
    for name, claim, placement in zip(names, claims, place_names(claims)):
        if placement.ambiguous:
            found.issue("ambiguous_occurrence", name)
        if placement.duplicate:
            found.issue("duplicate", name)
        for place in placement.places:
            if not place.exact:
                found.issue("fuzzy_match", name)
            if not place.bounded:
                found.issue("subword_match", name)
            found.add(place.start, place.end, claim.label, fuzzy=not place.exact)


def _widen_left(text: str, start: int) -> int:
    while not is_boundary(text, start):
        start -= 1
    return start


def _widen_right(text: str, end: int) -> int:
    while not is_boundary(text, end):
        end += 1
    return end
