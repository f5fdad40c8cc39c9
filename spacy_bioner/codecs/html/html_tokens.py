"""Finds what looks like a tag in a text: `<label:surface>`, `</label:surface>`, `<label>`, and other markup."""

import re
from dataclasses import dataclass
from typing import Dict, Iterator, List, Optional, Tuple

from ...grounding.folding import fold_plain
from ..labels import LabelBook

_NAMED = re.compile(r"<\s*(/?)\s*([^<>:：/\n]{1,60}?)\s*[:：][ \t]*")
_SIMPLE = re.compile(r"<\s*(/?)\s*([^<>:：/\n]{1,60}?)\s*/?>")
_WHOLE = re.compile(r"<\s*(/?)\s*([^<>:：/\n]{1,60}?)\s*[:：]([^<>\n]{0,300})>")
_MARKUP = re.compile(r"</?[A-Za-z][\w-]{0,20}>")
_LONGEST_SURFACE = 600
_MOST_ENDS = 12


@dataclass(frozen=True)
class Tag:
    """Something that looks like a tag.

    start (int): Its first character.
    end (int): One past its last.
    kind (str): "open", "close", "markup" (of another kind, no mention) or "cut" (the text ends inside it).
    label (Optional[str]): Its label, None where it is not in the schema.
    written (str): The label as written.
    surface (Optional[str]): The mention as the tag repeats it, None where it repeats nothing.
    """

    start: int
    end: int
    kind: str
    label: Optional[str] = None
    written: str = ""
    surface: Optional[str] = None


def find_tags(body: str, book: LabelBook, source: str) -> List[Tag]:
    """Find what looks like a tag.

    body (str): A reply, or the source itself.
    book (LabelBook): The labels of the schema.
    source (str): The source text; tags of unknown labels and markup that stand in it are text.
    RETURNS (List[Tag]): The tags, in order.
    """
    tags: List[Tag] = []
    surfaces: List[str] = []
    at = body.find("<")
    while at >= 0:
        tag = _read_tag(body, at, book, source, surfaces)
        if tag is not None:
            tags.append(tag)
            if tag.kind == "open" and tag.surface:
                surfaces.append(tag.surface)
        at = body.find("<", tag.end if tag is not None else at + 1)
    return tags


def _read_tag(body: str, at: int, book: LabelBook, source: str, surfaces: List[str]) -> Optional[Tag]:
    """Return the tag that begins here, if there is one."""
    match = _NAMED.match(body, at)
    if match:
        label, _ = book.find(match[2])
        if label is not None:
            return _read_named(body, match, label, surfaces)
        whole = _WHOLE.match(body, at)
        # "eGFR <60: HR was >1.5" has no tag.
        if whole and whole[0] not in source and whole[2][0].isalpha():
            return Tag(at, whole.end(), "close" if whole[1] else "open", None, whole[2], whole[3].strip())
    match = _SIMPLE.match(body, at)
    if match:
        label, _ = book.find(match[2])
        if label is not None:
            return Tag(at, match.end(), "close" if match[1] else "open", label, match[2])
        if _MARKUP.match(match[0]) and match[0] not in source:
            return Tag(at, match.end(), "markup")
        return None
    return _read_cut(body, at, book)


def _read_named(body: str, match: "re.Match[str]", label: str, surfaces: List[str]) -> Tag:
    """Return a tag with label and surface; where `>` may belong to the surface, what follows tells."""
    kind = "close" if match[1] else "open"
    ends = _possible_ends(body, match.end())
    if not ends:
        return Tag(match.start(), len(body), "cut", label, match[2])
    chosen = ends[0]
    for end in ends:
        surface = body[match.end():end]
        if surface in surfaces if kind == "close" else _follows(body, end + 1, surface):
            chosen = end
            break
    return Tag(match.start(), chosen + 1, kind, label, match[2], body[match.end():chosen].strip())


def _possible_ends(body: str, at: int) -> List[int]:
    ends: List[int] = []
    end = body.find(">", at, at + _LONGEST_SURFACE)
    while end >= 0 and len(ends) < _MOST_ENDS:
        ends.append(end)
        end = body.find(">", end + 1, at + _LONGEST_SURFACE)
    return ends


def _follows(body: str, at: int, surface: str) -> bool:
    """Return whether the text after an opening tag begins with its surface, tags inside it passed over."""
    window = body[at:at + len(surface)]
    if window == surface or "<" not in window:
        return window == surface and bool(surface)
    rest = re.sub(r"</?[^<>]{1,200}>", "", body[at:at + 4 * len(surface) + 200])
    return bool(surface) and rest.startswith(surface)


def _read_cut(body: str, at: int, book: LabelBook) -> Optional[Tag]:
    """Return the beginning of a tag at which the reply ends."""
    rest = body[at + 1:].lstrip("/ ")
    if len(rest) > 100 or ">" in rest:
        return None
    folded = fold_plain(rest)
    if any(fold_plain(label).startswith(folded) or folded.startswith(fold_plain(label) + ":") for label in book.labels):
        return Tag(at, len(body), "cut")
    return None


class OpenTags:
    """Opening tags that wait for their closing ones, by number, found by label and surface."""

    def __init__(self) -> None:
        self._waiting: Dict[int, Tag] = {}
        self._stacks: Dict[Tuple[str, str], List[int]] = {}

    def __iter__(self) -> Iterator[int]:
        return iter(self._waiting)

    def add(self, number: int, tag: Tag) -> None:
        self._waiting[number] = tag
        for key in _keys(tag):
            self._stacks.setdefault(key, []).append(number)

    def remove(self, number: int) -> None:
        del self._waiting[number]

    def find_partner(self, closing: Tag) -> Optional[int]:
        """Find the opening tag of a closing one.

        closing (Tag): The closing tag.
        RETURNS (Optional[int]): The last one with its label and surface, else with its label, else with its surface.
        """
        for key in _keys(closing):
            stack = self._stacks.get(key, [])
            while stack and stack[-1] not in self._waiting:
                stack.pop()
            if stack:
                return stack[-1]
        return None


def _keys(tag: Tag) -> List[Tuple[str, str]]:
    """Return what a tag is found by, the surest first."""
    label, surface = tag.label or "", fold_plain(tag.surface or "")
    keys = [(f"{label}:", surface), (f"{label}:", "\0")]
    return [*keys, ("", surface)] if surface else keys
