"""Reads JSON answers of any shape: finds the values, reads the claims, and gives each its place."""

import json
import re
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

from ...grounding.cursor import NameClaim, place_names
from ...grounding.folding import fold_plain
from ...grounding.names import NamePlace, find_contexts, find_places, nearest_place
from ...grounding.words import on_boundaries, trim
from ..base import Reading
from ..collect import Collector
from ..labels import label_book
from ..reasoning import strip_reasoning
from .json_items import Claim, read_claims
from .loose_json import Pairs, Payloads, read_payloads

# What stands before a value that is no answer: an echo of the prompt.
_EXAMPLE = re.compile(r"(?:\b(?:examples?|e\.\s?g|for instance|draft)\b|例如|示例|例子)[^\n.;]{0,50}\s*\Z",
                      re.IGNORECASE)
# The same of a template, and what may also stand above an answer: "in the requested format:".
_TEMPLATE = re.compile(r"(?:\b(?:formats?|templates?|schema)\b|格式)[^\n.;]{0,50}(?P<apart>\s*)\Z", re.IGNORECASE)


def read_items(text: str, labels: Tuple[str, ...], reply: str, *, truncated: bool = False) -> Reading:
    """Read an answer in JSON.

    text (str): The source text.
    labels (Tuple[str, ...]): The labels of the schema.
    reply (str): What the model wrote.
    truncated (bool): Whether the token limit cut it.
    RETURNS (Reading): Mentions and issues.
    """
    found = Collector(text)
    payloads = read_payloads(reply if _is_list(reply) else strip_reasoning(reply, found, labels))
    if payloads.extra:
        found.issue("extra_text")
    if payloads.malformed:
        found.issue("malformed_json")
    if payloads.truncated or truncated:
        found.issue("truncated")
    if not payloads.values:
        found.issue("no_output")
    if len(payloads.values) > 1 and any(isinstance(value, list) for value in payloads.values):
        found.issue("extra_text", "several answers")
    answers = _drop_examples(payloads)
    values = [value for number, value in enumerate(answers) if value not in answers[max(number - 20, 0):number]]
    book = label_book(labels)
    _Grounder(found).place(read_claims(found, values, book))
    return found.reading()


def _is_list(reply: str) -> bool:
    """Return whether a reply is one list and nothing else, whatever its strings hold."""
    if not reply.lstrip().startswith("["):
        return False
    try:
        return isinstance(json.loads(reply), list)
    except (ValueError, RecursionError):
        return False


def _drop_examples(payloads: Payloads) -> List[Any]:
    """Return the values but those that are said to be an example, where there are others that hold something."""
    pairs = list(zip(payloads.values, payloads.before))
    rest = [value for value, before in pairs if not _EXAMPLE.search(before) and not _TEMPLATE.search(before)]
    has_list = any(value and not isinstance(value, Pairs) for value in rest)
    answers = [value for value, before in pairs
               if not _EXAMPLE.search(before) and not _is_template(value, before, has_list=has_list)]
    return answers if any(answers) else payloads.values


def _is_template(value: Any, before: str, *, has_list: bool) -> bool:
    """Return whether a value shows the form of the answer: on the line that says so, or as an item before the list."""
    said = _TEMPLATE.search(before)
    return said is not None and ("\n" not in said["apart"] or (has_list and isinstance(value, Pairs)))


class _Grounder:
    """Gives claims their places: those with offsets first, then names and contexts together.

    found (Collector): Takes mentions and issues.
    """

    def __init__(self, found: Collector) -> None:
        self.found = found
        self.text = found.text
        self._places: Dict[str, Tuple[NamePlace, ...]] = {}
        self._claimed: Set[Claim] = set()
        self._used: Set[Tuple[str, int]] = set()

    def place(self, claims: Sequence[Claim]) -> None:
        """Place all claims of a reply."""
        by_offset = [claim for claim in claims if claim.start is not None]
        inexact = [claim for claim in by_offset if not self._take_as_claimed(claim)]
        for claim in inexact:
            self._take_nearest(claim)
        self._take_names([claim for claim in claims if claim.start is None])

    def _find(self, name: str) -> Tuple[NamePlace, ...]:
        if name not in self._places:
            self._places[name] = find_places(self.text, name)
        return self._places[name]

    def _named(self, claim: Claim) -> Optional[str]:
        """Return the name without white space at its edges, None where nothing is left."""
        name = (claim.name or "").strip()
        if name != claim.name and name:
            self.found.issue("trimmed", name)
        if not name:
            self.found.issue("empty_span", claim.label)
        return name or None

    def _take_as_claimed(self, claim: Claim) -> bool:
        """Return whether the claim is dealt with: its text stands at its offsets, or it has no text."""
        if claim in self._claimed:
            self.found.issue("duplicate", claim.name or "")
            return True
        self._claimed.add(claim)
        start, end = claim.start or 0, claim.end if claim.end is not None else -1
        inside = 0 <= start < end <= len(self.text)
        if not (claim.name or "").strip():
            self._take_unnamed(claim, start, end, inside)
            return True
        if not inside or self.text[start:end] != claim.name:
            return False
        self._used.add((claim.label, trim(self.text, start, end)[0]))
        self.found.add(start, end, claim.label)
        return True

    def _take_unnamed(self, claim: Claim, start: int, end: int, inside: bool) -> None:
        """Take offsets without text where they cut no word."""
        self.found.issue("missing_surface", f"{start}-{end}")
        if not inside:
            self.found.issue("empty_span" if start == end else "offset_mismatch", f"{start}-{end}")
        elif on_boundaries(self.text, *trim(self.text, start, end)):
            self.found.add(start, end, claim.label)

    def _take_nearest(self, claim: Claim) -> None:
        """Take the place of the text that is nearest to the claimed offset and not yet taken."""
        name = self._named(claim)
        if name is None:
            return
        start, end = claim.start or 0, claim.end if claim.end is not None else -1
        if 0 <= start < end <= len(self.text) and self._is_same(start, end, name, claim.label):
            return
        places = self._find(name)
        if not places:
            self.found.issue("not_found", name)
            return
        free = [place for place in places if (claim.label, place.start) not in self._used]
        place = nearest_place(free or places, start)
        if (place.start, place.end) != (start, end):
            self.found.issue("offset_mismatch", name)
        self._take(place, claim.label, name)

    def _is_same(self, start: int, end: int, name: str, label: str) -> bool:
        """Return whether the text at the offsets equals the name after folding, and was taken."""
        first, last = trim(self.text, start, end)
        if first >= last or fold_plain(self.text[first:last]) != fold_plain(name):
            return False
        exact = self.text[first:last] == name
        if (first, last) != (start, end):
            self.found.issue("offset_mismatch", name)
        self._take(NamePlace(first, last, exact, on_boundaries(self.text, first, last)), label, name)
        return True

    def _take(self, place: NamePlace, label: str, name: str) -> None:
        """Take a place that was searched for, and say how it was found."""
        if not place.exact:
            self.found.issue("fuzzy_match", name)
        if not place.bounded:
            self.found.issue("subword_match", name)
        self._used.add((label, place.start))
        self.found.add(place.start, place.end, label, fuzzy=not place.exact)

    def _take_names(self, claims: Sequence[Claim]) -> None:
        """Take names, with contexts or without."""
        names: List[str] = []
        placeable: List[NameClaim] = []
        for claim in claims:
            name = self._named(claim)
            places = self._find_claimed(claim, name) if name else ()
            if name and places:
                names.append(name)
                placeable.append(NameClaim(claim.label, places))
        for name, stated, placement in zip(names, placeable, place_names(placeable)):
            if placement.duplicate:
                self.found.issue("duplicate", name)
            if placement.ambiguous:
                self.found.issue("ambiguous_occurrence", name)
            for place in placement.places:
                self._take(place, stated.label, name)

    def _find_claimed(self, claim: Claim, name: str) -> Tuple[NamePlace, ...]:
        """Return where a name may stand; in its context, if it has one that tells."""
        everywhere = self._find(name)
        if not everywhere:
            self.found.issue("not_found", name)
            return ()
        if claim.context is None or len(fold_plain(claim.context)) <= len(fold_plain(name)):
            return everywhere
        contexts = find_contexts(self.text, claim.context)
        if not contexts:
            self.found.issue("context_not_found", claim.context)
            return self._only_if_unique(everywhere, name)
        if any(not context.exact for context in contexts):
            self.found.issue("fuzzy_match", claim.context)
        places = {place for context in contexts
                  for place in find_places(self.text, name, start=context.start, end=context.end)}
        if not places:
            self.found.issue("context_mismatch", name)
            return self._only_if_unique(everywhere, name)
        return tuple(sorted(places, key=lambda place: place.start))

    def _only_if_unique(self, places: Tuple[NamePlace, ...], name: str) -> Tuple[NamePlace, ...]:
        """Return the only place of a name; nothing where there are several."""
        if len(places) > 1:
            self.found.issue("ambiguous_occurrence", name)
            return ()
        return places
