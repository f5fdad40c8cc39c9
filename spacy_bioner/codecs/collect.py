"""Collects what is read from one reply: mentions trimmed and once each, and the issues met."""

from typing import List, Set, Tuple

from ..annotation import Mention, in_text_order
from ..grounding.words import trim
from .base import Issue, Reading

_LONGEST_DETAIL = 80


class Collector:
    """Mentions and issues of one reply.

    text (str): The source text.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.mentions: List[Mention] = []
        self.issues: List[Issue] = []
        self._seen: Set[Tuple[int, int, str]] = set()

    def issue(self, kind: str, detail: str = "") -> None:
        """Note an issue; the detail is shortened."""
        self.issues.append(Issue(kind, detail[:_LONGEST_DETAIL]))

    def has(self, kind: str) -> bool:
        """Return whether such an issue was noted."""
        return any(issue.kind == kind for issue in self.issues)

    def add(self, start: int, end: int, label: str, *, fuzzy: bool = False) -> bool:
        """Take a span, without the white space at its edges, unless nothing is left or it was taken before.

        start (int): First character.
        end (int): One past the last character.
        label (str): The label.
        fuzzy (bool): Whether it was found after folding only.
        RETURNS (bool): Whether it is a new mention.
        """
        first, last = trim(self.text, max(start, 0), min(end, len(self.text)))
        if first >= last:
            self.issue("empty_span", label)
            return False
        if (first, last) != (start, end):
            self.issue("trimmed", self.text[first:last])
        if (first, last, label) in self._seen:
            self.issue("duplicate", self.text[first:last])
            return False
        self._seen.add((first, last, label))
        self.mentions.append(Mention(first, last, label, grounding="fuzzy" if fuzzy else "exact"))
        return True

    def reading(self) -> Reading:
        """Return all that was collected, mentions in text order."""
        return Reading(in_text_order(self.mentions), tuple(self.issues))
