"""Reads an answer with tags: exactly where it is a marked copy of its source, else tag by tag."""

import html
import re
from itertools import islice
from typing import List, Optional, Sequence, Tuple

from ...grounding.echo import Place, Walk, walk
from ...grounding.folding import fold_plain
from ..base import Reading
from ..bracket.crossing import find_crossing
from ..collect import Collector
from ..labels import LabelBook, label_book
from ..marked_spans import add_marked, place_loose
from ..reasoning import strip_reasoning
from ..replies import strip_fences
from .html_exact import read_exact
from .html_tokens import OpenTags, Tag, find_tags

_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|apos|#39|#x27);")
_WIDE_MARKS = str.maketrans("＜＞", "<>")
# An echo that shares less than this with its source is no echo of it.
_LEAST_LIKENESS = 0.5


def read_tags(text: str, labels: Tuple[str, ...], reply: str, *, truncated: bool = False) -> Reading:
    """Read an answer in HTML-like tags.

    text (str): The source text.
    labels (Tuple[str, ...]): The labels of the schema.
    reply (str): What the model wrote.
    truncated (bool): Whether the token limit cut it.
    RETURNS (Reading): Mentions and issues.
    """
    found = Collector(text)
    if truncated:
        found.issue("truncated")
    mentions = read_exact(text, labels, reply)
    if mentions is not None:
        for mention in mentions:
            found.add(mention.start, mention.end, mention.label)
    else:
        body = _narrow(_unescape(strip_fences(strip_reasoning(reply, found, labels), found), found), found)
        if body.strip():
            _DamagedReader(found, body, label_book(labels)).read()
        else:
            found.issue("no_output")
    for first, second in find_crossing(found.mentions):
        found.issue("crossing", f"{first.start}-{first.end} {second.start}-{second.end}")
    return found.reading()


def _unescape(body: str, found: Collector) -> str:
    """Return the body with `&lt;` and its like as characters, unless the source is written so."""
    if "&" not in body or not _ENTITY.search(body) or _ENTITY.search(found.text):
        return body
    found.issue("text_changed", "escaped characters")
    return _ENTITY.sub(lambda match: html.unescape(match[0]), body)


def _narrow(body: str, found: Collector) -> str:
    """Return the body with full-width marks as tags, where nothing else is written so."""
    if body.count("＜") <= found.text.count("＜"):
        return body
    if "<" in body or "＜" in found.text:
        found.issue("unbalanced_marker", "full-width marks")
        return body
    found.issue("schema_variant", "full-width marks")
    return body.replace("＜／", "</").translate(_WIDE_MARKS)


def _match_tags(own: Sequence[str], tokens: Sequence[str]) -> List[Tuple[int, int]]:
    """Return the tags in a gap that are the source's own, the first that read the same."""
    pairs, at = [], 0
    for number, token in enumerate(own):
        if token in tokens[at:]:
            at = tokens.index(token, at) + 1
            pairs.append((number, at - 1))
    return pairs


class _DamagedReader:
    """Reads a reply that is no exact marked copy.

    found (Collector): Takes mentions and issues.
    body (str): The reply.
    book (LabelBook): The labels of the schema.
    """

    def __init__(self, found: Collector, body: str, book: LabelBook) -> None:
        self.found = found
        self.text = found.text
        self.body = body
        self.book = book
        self.tags = find_tags(body, book, found.text)
        own = [(tag.start, tag.end) for tag in find_tags(found.text, book, found.text)]
        self.way: Walk = walk(found.text, own, body, [(tag.start, tag.end) for tag in self.tags], match=_match_tags)

    def read(self) -> None:
        """Read the reply."""
        cut = self.way.cut or any(tag.kind == "cut" for tag in self.tags)
        marks = [number for number, place in enumerate(self.way.places)
                 if place is not None and self.tags[number].kind in ("open", "close")]
        unlike = self.way.likeness < _LEAST_LIKENESS and not (self.way.extra or self.way.partial or cut)
        if unlike or ((self.way.partial or self.way.cut) and self._is_name_alone()):
            self._read_loose()
            return
        if self.way.changed:
            self.found.issue("text_changed")
        if self.way.extra or any(tag.kind == "markup" for tag in self.tags):
            self.found.issue("extra_text")
        if cut and not self.found.has("truncated"):
            self.found.issue("truncated")
        self._pair([number for number in marks if self._is_known(self.tags[number])])

    def _is_name_alone(self) -> bool:
        """Return whether the reply is one tagged name and nothing else, which tells no place."""
        if [tag.kind for tag in self.tags] != ["open", "close"]:
            return False
        return len(self.body.strip()) == self.tags[1].end - self.tags[0].start

    def _is_known(self, tag: Tag) -> bool:
        """Return whether the tag's label is in the schema; notes how it was written."""
        if tag.label is None:
            self.found.issue("unknown_label", tag.written)
        elif tag.kind == "open":
            if tag.label != tag.written:
                self.found.issue("label_normalised", tag.written)
            if tag.surface is None:
                self.found.issue("schema_variant", tag.written)
        return tag.label is not None

    def _read_loose(self) -> None:
        """Read tags round texts that are no echo of the source: as names in text order."""
        if not any(tag.kind == "open" for tag in self.tags):
            self.found.issue("extra_text", self.body)
            self.found.issue("no_output")
            return
        self.found.issue("text_changed", self.body)
        place_loose(self.found, [(tag.label or "", (tag.surface or self._text_after(number)).strip())
                                 for number, tag in enumerate(self.tags) if tag.kind == "open" and self._is_known(tag)])

    def _text_after(self, number: int) -> str:
        """Return what stands between a tag and the next one."""
        end = self.tags[number + 1].start if number + 1 < len(self.tags) else len(self.body)
        return self.body[self.tags[number].end:end].strip()

    def _pair(self, marks: Sequence[int]) -> None:
        """Pair each closing tag with its opening one, by label and surface, then by one of them."""
        open_ = OpenTags()
        for number in marks:
            tag = self.tags[number]
            if tag.kind == "open":
                open_.add(number, tag)
                continue
            partner = open_.find_partner(tag)
            if partner is None or self._are_strangers(partner, number):
                self._recover_closed(number)
            else:
                open_.remove(partner)
                self._take_pair(partner, number)
        for number in open_:
            self._recover_opened(number)

    def _are_strangers(self, first: int, last: int) -> bool:
        """Return whether two tags name two mentions, each next to it, so that each has lost its partner."""
        opening, closing = self.tags[first], self.tags[last]
        if not opening.surface or not closing.surface or fold_plain(opening.surface) == fold_plain(closing.surface):
            return False
        inner = fold_plain(self._inner(first, last))
        if inner in (fold_plain(opening.surface), fold_plain(closing.surface)):
            return False
        return self._proved_after(first) is not None and self._proved_before(last) is not None

    def _inner(self, first: int, last: int) -> str:
        """Return the text between two tags, other tags left out, except those that are the source's."""
        parts, at = [], self.tags[first].end
        for number in range(first + 1, last):
            if self.way.places[number] is not None:
                parts.append(self.body[at:self.tags[number].start])
                at = self.tags[number].end
        parts.append(self.body[at:self.tags[last].start])
        return "".join(parts)

    def _place(self, number: int) -> Place:
        place = self.way.places[number]
        assert place is not None
        return place

    def _proved_after(self, number: int) -> Optional[Tuple[int, int]]:
        """Return the span of an opening tag, where echo and source go on with it."""
        surface, start = self.tags[number].surface, self._place(number).after
        if surface and self.text.startswith(surface, start) and self._inner_to_end(number).startswith(surface):
            return start, start + len(surface)
        return None

    def _inner_to_end(self, number: int) -> str:
        parts, at, wanted = [], self.tags[number].end, len(self.tags[number].surface or "")
        for tag in islice(self.tags, number + 1, number + 1 + wanted):
            parts.append(self.body[at:tag.start])
            at = tag.end
            wanted -= len(parts[-1])
            if wanted <= 0:
                break
        if wanted > 0:
            parts.append(self.body[at:at + wanted])
        return "".join(parts).lstrip()

    def _proved_before(self, number: int) -> Optional[Tuple[int, int]]:
        """Return the span of a closing tag, where the source just ended with it."""
        surface, end = self.tags[number].surface, self._place(number).before
        if surface and self.text.endswith(surface, 0, end) and end >= len(surface):
            return end - len(surface), end
        return None

    def _take_pair(self, first: int, last: int) -> None:
        """Take what a pair of tags encloses, or what they name where it stands right at one of them."""
        opening, closing = self.tags[first], self.tags[last]
        start, end = self._place(first).after, self._place(last).before
        inner = self._inner(first, last)
        named = {fold_plain(tag.surface) for tag in (opening, closing) if tag.surface}
        if opening.label != closing.label or named - {fold_plain(inner)}:
            self.found.issue("tag_mismatch", f"{opening.surface} {closing.surface}")
            proved = self._proved_after(first) or self._proved_before(last)
            if len(named) == 1 and proved:
                start, end = proved
                inner = self.text[start:end]
        add_marked(self.found, start, end, opening.label or "", inner if self.way.changed else None,
                   opening=self._place(first), closing=self._place(last))

    def _recover_opened(self, number: int) -> None:
        """Take an opening tag without a closing one where the text after it proves the span."""
        tag = self.tags[number]
        proved = self._proved_after(number)
        if proved or not self.found.has("truncated"):
            self.found.issue("unbalanced_marker", tag.surface or tag.written)
        if proved:
            self.found.add(*proved, tag.label or "")

    def _recover_closed(self, number: int) -> None:
        """Take a closing tag without an opening one where the text before it proves the span."""
        tag = self.tags[number]
        self.found.issue("unbalanced_marker", tag.surface or tag.written)
        proved = self._proved_before(number)
        if proved:
            self.found.add(*proved, tag.label or "")
