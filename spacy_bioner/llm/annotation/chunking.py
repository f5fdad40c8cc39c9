"""Long texts cut at sentence boundaries into chunks that fit a prompt, and their mentions joined again."""

import re
from dataclasses import dataclass, replace
from typing import Callable, Iterable, List, Sequence, Tuple

from ...annotation import Mention, in_text_order
from .long_sentences import Bounds, cut_sentence

_LINE_END = re.compile(r"\n+")


@dataclass(frozen=True)
class Chunk:
    """A part of a text that is asked for by itself.

    start (int): First character, never white space.
    end (int): One past the last character.
    owned (Tuple[int, int]): Mentions that start in here are this chunk's to say; the owned parts of all chunks
        cover the text once.
    """

    start: int
    end: int
    owned: Bounds


def find_lines(text: str) -> List[Bounds]:
    """Cut a text behind its line breaks: what there is where nothing better finds sentences."""
    return _cut_behind(_LINE_END, text, (0, len(text)))


def _cut_behind(pattern: "re.Pattern[str]", text: str, bounds: Bounds) -> List[Bounds]:
    start, end = bounds
    cuts = [match.end() for match in pattern.finditer(text, start, end) if match.end() < end]
    return [(first, last) for first, last in zip([start, *cuts], [*cuts, end]) if first < last]


def cut_text(text: str, *, count_tokens: Callable[[str], int], room: int, most: int = 0, max_sentences: int = 0,
             overlap: int = 1, find_sentences: Callable[[str], List[Bounds]] = find_lines) -> List[Chunk]:
    """Cut a text into chunks.

    text (str): The text.
    count_tokens (Callable[[str], int]): Counts with the model's own tokenizer.
    room (int): Tokens that a chunk may have. A sentence that has more is a chunk by itself, or several where there are
        line breaks in it: it may fit the model's context all the same.
    most (int): Tokens that the model's context has room for; a sentence with more is cut at pre-tokens. 0 never cuts.
    max_sentences (int): Sentences that a chunk may have; 0 takes as many as there is room for.
    overlap (int): Sentences that a chunk shares with the one before, where there is room.
    find_sentences (Callable[[str], List[Bounds]]): Finds the sentences of a text.
    RETURNS (List[Chunk]): In text order; none for a text of white space.
    """
    whole = (0, len(text))
    # No text has more tokens than bytes, which spares counting short ones.
    if not max_sentences and (len(text.encode("utf8", "surrogatepass")) <= room or count_tokens(text) <= room):
        return _chunks(text, [whole], [whole])
    sentences: List[Bounds] = []
    for bounds in find_sentences(text):
        fits = count_tokens(text[slice(*bounds)]) <= room
        for part in [bounds] if fits else _cut_behind(_LINE_END, text, bounds):
            has_room = fits or not most or count_tokens(text[slice(*part)]) <= most
            sentences.extend([part] if has_room else cut_sentence(text, part, count_tokens=count_tokens, most=most))
    costs = [count_tokens(text[slice(*bounds)]) for bounds in sentences]
    groups = _group(costs, room=room, max_sentences=max_sentences or len(costs), overlap=overlap)
    return _chunks(text, *_bounds_of_groups(sentences, groups))


def _group(costs: Sequence[int], *, room: int, max_sentences: int, overlap: int) -> List[Bounds]:
    """Return first and one past the last sentence of each chunk, as many as fit, with overlap."""
    groups: List[Bounds] = []
    first = 0
    while first < len(costs):
        last, used = first, 0
        while last < len(costs) and last - first < max_sentences and (last == first or used + costs[last] <= room):
            used += costs[last]
            last += 1
        groups.append((first, last))
        if last == len(costs):
            break
        # The next chunk must reach further than this one, so the overlap shrinks where it would leave no room.
        behind = max(first + 1, last - overlap, last + 1 - max_sentences)
        while behind < last and sum(costs[behind:last + 1]) > room:
            behind += 1
        first = behind
    return groups


def _bounds_of_groups(sentences: Sequence[Bounds], groups: Sequence[Bounds]) -> Tuple[List[Bounds], List[Bounds]]:
    """Return characters of each chunk, and the part of them that it owns: up to
    the middle of what it shares with the next one, where both see a mention from both sides."""
    bounds = [(sentences[first][0], sentences[last - 1][1]) for first, last in groups]
    cuts = [(next_start + end) // 2 for (_, end), (next_start, _) in zip(bounds, bounds[1:])]
    edges = [bounds[0][0], *cuts, bounds[-1][1]] if bounds else []
    return bounds, list(zip(edges, edges[1:]))


def _chunks(text: str, bounds: Iterable[Bounds], owned: Iterable[Bounds]) -> List[Chunk]:
    chunks = []
    for (start, end), own in zip(bounds, owned):
        part = text[start:end]
        if part.strip():
            chunks.append(Chunk(start + len(part) - len(part.lstrip()), start + len(part.rstrip()), own))
    return chunks


def join_mentions(chunks: Sequence[Chunk], found: Sequence[Iterable[Mention]]) -> Tuple[Mention, ...]:
    """Bring the mentions of chunks back to the whole text.

    chunks (Sequence[Chunk]): The chunks.
    found (Sequence[Iterable[Mention]]): Mentions of each, offsets counted from its start.
    RETURNS (Tuple[Mention, ...]): In text order; of what chunks share, each place is said by one chunk only.
    """
    joined: List[Mention] = []
    for chunk, mentions in zip(chunks, found):
        moved = (replace(mention, start=mention.start + chunk.start, end=mention.end + chunk.start)
                 for mention in mentions)
        joined.extend(mention for mention in moved if chunk.owned[0] <= mention.start < chunk.owned[1])
    return in_text_order(joined)
