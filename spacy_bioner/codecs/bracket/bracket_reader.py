"""Reads bracket lines: tells the lines apart, walks each along the source, pairs the brackets that are marks."""

import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import List, Optional, Sequence, Tuple

from ...grounding.echo import Place, Walk, walk
from ..base import Reading
from ..collect import Collector
from ..labels import LabelBook, label_book
from ..marked_spans import add_marked, place_loose
from ..reasoning import strip_reasoning
from ..replies import is_abbreviation, says_none, strip_fences

_BRACKET = re.compile(r"[\[\]]")
_WIDE_BRACKETS = ("［］", "【】")
_HEADER = re.compile(r"^([ \t>*#•\-]*(?:\d+[.)][ \t]*)?\**)([^\n:：\[\]]{1,60}?)(\**[ \t]*[:：]\**)", re.MULTILINE)
_NAME_ALONE = re.compile(r"\[[^\[\]]*\]")
# An echo that shares less than this with its source is no echo of it.
_LEAST_LIKENESS = 0.5


@dataclass(frozen=True)
class _Header:
    """Where a line of the answer begins: label None where it is not in the schema."""

    start: int
    end: int
    written: str
    label: Optional[str]
    plain: bool


def read_lines(text: str, labels: Tuple[str, ...], reply: str, *, truncated: bool = False) -> Reading:
    """Read an answer in bracket lines.

    text (str): The source text.
    labels (Tuple[str, ...]): The labels of the schema.
    reply (str): What the model wrote.
    truncated (bool): Whether the token limit cut it.
    RETURNS (Reading): Mentions and issues.
    """
    found = Collector(text)
    stripped = strip_fences(strip_reasoning(reply, found, labels), found)
    if stripped != reply:
        # A text may hold what looks like reasoning or a fence: then the whole reply is its echo.
        whole = _read_body(Collector(text), reply, labels, truncated=truncated)
        if not whole.issues:
            return whole
    return _read_body(found, _widen(stripped, found), labels, truncated=truncated)


def _read_body(found: Collector, body: str, labels: Tuple[str, ...], *, truncated: bool) -> Reading:
    """Return what the lines of an answer hold."""
    text, book = found.text, label_book(labels)
    if truncated:
        found.issue("truncated")
    if not body.strip():
        found.issue("no_output")
    elif body.strip() != "none":
        headers = _find_headers(text, body, book)
        if headers:
            _read_labelled(found, body, headers, book)
        else:
            _read_unlabelled(found, body, book)
    return found.reading()


def match_brackets(own: Sequence[str], tokens: Sequence[str]) -> List[Tuple[int, int]]:
    """Tell the source's own brackets from marks in one gap.

    own (Sequence[str]): The source's brackets there.
    tokens (Sequence[str]): The echo's brackets there.
    RETURNS (List[Tuple[int, int]]): Pairs of indices. A mark stands inside the text's own brackets, so the first
        of the opening and the last of the closing ones are the text's.
    """
    pairs: List[Tuple[int, int]] = []
    for bracket in "[]":
        first = [number for number, token in enumerate(own) if token == bracket]
        second = [number for number, token in enumerate(tokens) if token == bracket]
        count = min(len(first), len(second))
        if bracket == "[":
            pairs += zip(first[:count], second[:count])
        else:
            pairs += zip(first[len(first) - count:], second[len(second) - count:])
    pairs.sort()
    if any(one[1] >= other[1] for one, other in zip(pairs, pairs[1:])):
        return _first_subsequence(own, tokens)
    return pairs


def _first_subsequence(own: Sequence[str], tokens: Sequence[str]) -> List[Tuple[int, int]]:
    pairs, at = [], 0
    for number, bracket in enumerate(own):
        while at < len(tokens) and tokens[at] != bracket:
            at += 1
        if at == len(tokens):
            break
        pairs.append((number, at))
        at += 1
    return pairs


def _widen(body: str, found: Collector) -> str:
    """Return the body with full-width or lenticular marks as brackets, of each kind that the text has none of."""
    kinds = [kind for kind in _WIDE_BRACKETS if kind[0] in body and not set(kind) & set(found.text)]
    if not kinds or "[" in body:
        return body
    found.issue("schema_variant", "full-width marks")
    for kind in kinds:
        body = body.translate(str.maketrans(kind, "[]"))
    return body


def _find_headers(text: str, body: str, book: LabelBook) -> List[_Header]:
    """Return the places where a line of the answer, or a line of the text like it, begins."""
    headers = []
    opening = _opening(text)
    for match in _match_headers(body, book.labels):
        written = match[2] if match[2] in book.labels else match[2].strip()
        label, exact = book.find(written)
        if label is None and not _opening(_BRACKET.sub("", body[match.end():match.end() + 400])).startswith(opening):
            continue
        plain = exact and not match[1] and match[3] == ":"
        headers.append(_Header(match.start(), match.end(), written, label, plain))
    return headers


def _match_headers(body: str, labels: Tuple[str, ...]) -> List["re.Match[str]"]:
    """Return what looks like the beginning of a line; labels that the pattern for all cannot
    hold (with colons, brackets, list marks, or long ones) as they are written."""
    odd = _odd_header(labels)
    if odd is None:
        return list(_HEADER.finditer(body))
    exact = list(odd.finditer(body))
    taken = {match.start() for match in exact}
    return sorted([*exact, *(match for match in _HEADER.finditer(body) if match.start() not in taken)],
                  key=lambda match: match.start())


@lru_cache(maxsize=64)
def _odd_header(labels: Tuple[str, ...]) -> Optional["re.Pattern[str]"]:
    odd = [label for label in labels if not _is_plain(label)]
    names = "|".join(map(re.escape, sorted(odd, key=len, reverse=True)))
    return re.compile(f"^()({names})(:)", re.MULTILINE) if odd else None


def _is_plain(label: str) -> bool:
    """Return whether the pattern for all lines reads a label as it is written."""
    match = _HEADER.match(f"{label}:  ")
    return match is not None and match[2] == label and match.end() == len(label) + 1


def _opening(text: str) -> str:
    """Return the first visible characters of a text, by which an unknown line is known as an echo."""
    return "".join(_BRACKET.sub("", text[:400]).split())[:24].casefold() or "\0"


@lru_cache(maxsize=32)
def _count_own_headers(text: str, labels: Tuple[str, ...]) -> int:
    """Return how many lines of the text itself look like lines of the answer."""
    book = label_book(labels)
    return sum(match[2] in labels or book.find(match[2].strip())[0] is not None
               for match in _match_headers(text, labels))


def _read_labelled(found: Collector, body: str, headers: List[_Header], book: LabelBook) -> None:
    """Read lines with labels; the lines of a text with several lines are told apart by its length."""
    preamble = body[:headers[0].start].strip()
    if preamble and not says_none(preamble):
        found.issue("extra_text", preamble)
    own = _count_own_headers(found.text, book.labels)
    wanted = len(_BRACKET.sub("", found.text))
    ends = [*(header.start for header in headers[1:]), len(body)]
    visible = list(accumulate(len(_BRACKET.sub("", body[start:end]))
                              for start, end in zip([0, *ends], ends)))
    at = 0
    while at < len(headers):
        header = headers[at]
        shown = visible[at] - len(_BRACKET.sub("", body[header.end:ends[at]]))
        last = min(at + own, len(ends) - 1)
        chosen = min(bisect_left(visible, shown + wanted, at, last), last)
        if chosen > at and shown + wanted - visible[chosen - 1] < visible[chosen] - shown - wanted:
            chosen -= 1
        _read_line(found, header, _cut_line(body, header.end, ends[chosen]), last=chosen + 1 == len(headers))
        at = chosen + 1


def _cut_line(body: str, start: int, end: int) -> str:
    """Return the text of a line, without the two spaces before it and the line break after it."""
    if body.startswith("  ", start):
        start += 2
    elif body.startswith(" ", start):
        start += 1
    return body[start:end - 1 if start < end < len(body) and body[end - 1] == "\n" else end]


def _read_line(found: Collector, header: _Header, line: str, *, last: bool) -> None:
    """Read one line of the answer."""
    if header.label is None:
        found.issue("unknown_label", header.written)
        return
    if header.written != header.label:
        found.issue("label_normalised", header.written)
    elif not header.plain:
        found.issue("schema_variant", header.written)
    if not line.strip() and found.text.strip():
        found.issue("truncated" if last else "text_changed", header.label)
    elif says_none(line, found.text) and not _marks_abbreviation(line, found.text):
        found.issue("schema_variant", line)
    else:
        _read_echo(found, header.label, line, last=last)


def _marks_abbreviation(line: str, text: str) -> bool:
    """Tell whether a line is nothing but a marked name that spells a word for nothing, as "[NO]"."""
    marked = line.strip()
    return bool(_NAME_ALONE.fullmatch(marked)) and is_abbreviation(marked[1:-1], text)


def _read_unlabelled(found: Collector, body: str, book: LabelBook) -> None:
    """Read an answer without labels: clear where the schema has one label, else set aside."""
    if says_none(body, found.text):
        found.issue("schema_variant", body)
    elif book.only is not None:
        if not _is_echo(found.text, body) and not _BRACKET.search(body):
            found.issue("extra_text", body)
            found.issue("no_output")
            return
        found.issue("schema_variant", "no label")
        _read_echo(found, book.only, body, last=True)
    elif _BRACKET.search(body) or _is_echo(found.text, body):
        found.issue("bad_item", body)
    else:
        found.issue("extra_text", body)
        found.issue("no_output")


def _tokens(text: str) -> List[Tuple[int, int]]:
    return [match.span() for match in _BRACKET.finditer(text)]


def _is_echo(text: str, line: str) -> bool:
    return walk(text, _tokens(text), line, _tokens(line), match=match_brackets).likeness >= _LEAST_LIKENESS


def _read_echo(found: Collector, label: str, line: str, *, last: bool) -> None:
    """Walk a line along the source and take what its marks enclose."""
    tokens = _tokens(line)
    way = walk(found.text, _tokens(found.text), line, tokens, match=match_brackets)
    cut = way.cut and last
    unlike = way.likeness < _LEAST_LIKENESS and way.changed and not (way.extra or way.partial)
    if unlike or ((way.cut or way.partial) and _NAME_ALONE.fullmatch(line.strip())):
        found.issue("text_changed", line)
        place_loose(found, [(label, name) for name in _marked_texts(line, tokens)])
        return
    if way.changed or (way.cut and not last):
        found.issue("text_changed", line)
    if way.extra:
        found.issue("extra_text", line)
    if cut:
        found.issue("truncated", label)
    open_: List[int] = []
    for number, place in enumerate(way.places):
        if place is None:
            continue
        if line[tokens[number][0]] == "[":
            open_.append(number)
        elif open_:
            _take(found, label, line, tokens, way, open_.pop(), number)
        else:
            found.issue("unbalanced_marker", line[max(tokens[number][0] - 20, 0):tokens[number][1]])
    for number in open_:
        if not cut:
            found.issue("unbalanced_marker", line[tokens[number][0]:tokens[number][0] + 20])


def _marked_texts(line: str, tokens: Sequence[Tuple[int, int]]) -> List[str]:
    """Return what pairs of brackets enclose in a line that is no echo of the source."""
    open_: List[int] = []
    pairs: List[Tuple[int, int]] = []
    for start, end in tokens:
        if line[start] == "[":
            open_.append(end)
        elif open_:
            pairs.append((open_.pop(), start))
    return [_BRACKET.sub("", line[start:end]).strip() for start, end in sorted(pairs) if end - start < 1000]


def _take(found: Collector, label: str, line: str, tokens: Sequence[Tuple[int, int]], way: Walk, first: int,
          last: int) -> None:
    """Take what a pair of marks encloses, a bracket of the text on its edge included where it closes one inside."""
    opening, closing = way.places[first], way.places[last]
    assert isinstance(opening, Place) and isinstance(closing, Place)
    start, end = opening.after, closing.before
    lacking = _lacking(found.text[start:end])
    if lacking < 0:
        start = _reach(way, tokens, first, -1, start, -lacking, found.text, "[")
    elif lacking > 0:
        end = _reach(way, tokens, last, 1, end, lacking, found.text, "]")
    inner = _BRACKET.sub("", line[tokens[first][1]:tokens[last][0]]) if way.changed else None
    add_marked(found, start, end, label, inner, opening=opening, closing=closing)


def _lacking(content: str) -> int:
    """Return closing brackets that a text lacks; negative for the opening ones that it lacks."""
    lacking_open = open_ = 0
    for bracket in _BRACKET.findall(content):
        if bracket == "[":
            open_ += 1
        elif open_:
            open_ -= 1
        else:
            lacking_open += 1
    if lacking_open and open_:
        return 0
    return open_ - lacking_open


def _reach(way: Walk, tokens: Sequence[Tuple[int, int]], number: int, step: int, place: int, count: int, text: str,
           bracket: str) -> int:
    """Return the edge moved over the text's own brackets that touch the mark, at most so many."""
    other = number + step
    while count and 0 <= other < len(tokens):
        touching = tokens[other][1] == tokens[other + 1][0] if step < 0 else tokens[other - 1][1] == tokens[other][0]
        neighbour = place - 1 if step < 0 else place
        if not touching or not 0 <= neighbour < len(text):
            break
        if way.places[other] is None:
            if text[neighbour] != bracket:
                break
            place += step
            count -= 1
        other += step
    return place
