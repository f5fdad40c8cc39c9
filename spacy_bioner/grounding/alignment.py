"""Aligns two folded texts that are nearly the same: the runs that they share, in order."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Iterator, List, Optional, Sequence, Tuple

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

Block = Tuple[int, int, int]
Spans = Sequence[Tuple[int, int]]

# A changed passage longer than this on either side is taken as replaced, not aligned character by character.
_LONGEST_PASSAGE = 400
# An echo of a part: so like it at least, in per cent, so long at least where it differs, and so short a share.
_LEAST_PART = 85
_SHORTEST_PART = 12
_LARGEST_PART = 0.5
# Comparisons of characters that the search for such a part may take.
_MOST_CELLS = 2_000_000


@dataclass(frozen=True)
class Alignment:
    """What an echo shares with its source.

    blocks (List[Block]): Shared runs as (first source character, first echo character, length), in order.
    source_length (int): Characters of the source.
    echo_length (int): Characters of the echo.
    partial (bool): Whether the echo repeats a part of the source only, that stands nowhere else in it.
    """

    blocks: List[Block]
    source_length: int
    echo_length: int
    partial: bool = False

    @property
    def likeness(self) -> float:
        """Return shared characters as a share of the longer text."""
        longest = max(self.source_length, self.echo_length)
        return sum(length for _, _, length in self.blocks) / longest if longest else 1.0

    @property
    def cut(self) -> bool:
        """Return whether the echo ends, all of it shared, before the source does."""
        if not self.blocks:
            return self.echo_length == 0 < self.source_length
        source_start, echo_start, length = self.blocks[-1]
        return echo_start + length == self.echo_length and source_start + length < self.source_length

    @property
    def extra(self) -> bool:
        """Return whether the whole source stands in the echo, with other text before or after it."""
        if len(self.blocks) != 1:
            return False
        return self.blocks[0][2] == self.source_length < self.echo_length

    def following(self, place: int) -> int:
        """Return the source character shared by the first such echo character at this place or after it."""
        block = self._block_at(place)
        if block >= 0:
            source_start, echo_start, length = self.blocks[block]
            if place < echo_start + length:
                return source_start + max(place - echo_start, 0)
        if block + 1 < len(self.blocks):
            return self.blocks[block + 1][0]
        return self.source_length

    def preceding(self, place: int) -> int:
        """Return one past the source character shared by the last such echo character before this place."""
        block = self._block_at(place - 1)
        if block < 0:
            return 0
        source_start, echo_start, length = self.blocks[block]
        return source_start + min(place - echo_start, length)

    def unshared(self, place: int) -> Tuple[int, int]:
        """Return start and end of the echo characters round this echo place that the source does not share."""
        before, after = self._block_at(place - 1), self._block_at(place)
        start = min(place, self.blocks[before][1] + self.blocks[before][2]) if before >= 0 else 0
        if after >= 0 and place < self.blocks[after][1] + self.blocks[after][2]:
            return start, place
        return start, self.blocks[after + 1][1] if after + 1 < len(self.blocks) else self.echo_length

    def next_shared(self, place: int) -> int:
        """Return the first shared source character at this source place or after it."""
        block = bisect_right(self.blocks, place, key=lambda block: block[0]) - 1
        if block >= 0 and place < self.blocks[block][0] + self.blocks[block][2]:
            return place
        return self.blocks[block + 1][0] if block + 1 < len(self.blocks) else self.source_length

    def _block_at(self, place: int) -> int:
        """Return the last block that begins at this echo place or before it, -1 where there is none."""
        return bisect_right(self.blocks, place, key=lambda block: block[1]) - 1


def align(source: str, echo: str, source_units: Spans, echo_units: Spans) -> Alignment:
    """Align an echo with its source.

    source (str): The folded source.
    echo (str): The folded echo.
    source_units (Spans): Start and end of the source's units.
    echo_units (Spans): Start and end of the echo's units.
    RETURNS (Alignment): One block where one contains the other; else whole units first, then the characters of
        the passages between them.
    """
    if source and source in echo:
        return Alignment([(0, echo.find(source), len(source))], len(source), len(echo))
    if source.startswith(echo):
        return Alignment([(0, 0, len(echo))] if echo else [], len(source), len(echo))
    part = _find_part(source, echo, source_units)
    if part is not None:
        start, end = part
        if source[start:end] == echo:
            return Alignment([(start, 0, len(echo))], len(source), len(echo), partial=True)
        units = [(first - start, last - start) for first, last in source_units if start <= first and last <= end]
        blocks = _merge(_align_units(source[start:end], echo, units, echo_units))
        return Alignment([(start + first, other, length) for first, other, length in blocks], len(source), len(echo),
                         partial=True)
    return Alignment(_merge(_align_units(source, echo, source_units, echo_units)), len(source), len(echo))


def _find_part(source: str, echo: str, source_units: Spans) -> Optional[Tuple[int, int]]:
    """Return the run of whole units that the echo repeats, None where that is unclear."""
    if not echo:
        return None
    start = source.find(echo)
    if start >= 0:
        starts, ends = {first for first, _ in source_units}, {last for _, last in source_units}
        places = []
        while start >= 0:
            if start in starts and start + len(echo) in ends:
                places.append(start)
            start = source.find(echo, start + 1)
        return (places[0], places[0] + len(echo)) if len(places) == 1 else None
    if not _SHORTEST_PART <= len(echo) <= min(_LARGEST_PART * len(source), _MOST_CELLS / (len(source) or 1)):
        return None
    found = fuzz.partial_ratio_alignment(echo, source, score_cutoff=_LEAST_PART)
    if found is None or found.dest_end - found.dest_start > 2 * len(echo):
        return None
    start = max(first for first, _ in source_units if first <= found.dest_start)
    end = min(last for _, last in source_units if last >= found.dest_end)
    others = (source[:start], source[end:])
    if any(fuzz.partial_ratio(echo, other, score_cutoff=_LEAST_PART) >= found.score for other in others
           if len(other) >= len(echo)):
        return None
    return start, end


def _align_units(source: str, echo: str, source_units: Spans, echo_units: Spans) -> Iterator[Block]:
    """Yield shared runs: equal units, and what changed passages share."""
    opcodes = Levenshtein.opcodes([source[start:end] for start, end in source_units],
                                  [echo[start:end] for start, end in echo_units])
    source_at = echo_at = 0
    for opcode in opcodes:
        if opcode.tag != "equal":
            continue
        source_first, source_last = opcode.src_start, opcode.src_end
        echo_first, echo_last = opcode.dest_start, opcode.dest_end
        source_start, echo_start = source_units[source_first][0], echo_units[echo_first][0]
        yield from _align_characters(source, echo, (source_at, source_start), (echo_at, echo_start))
        source_at, echo_at = source_units[source_last - 1][1], echo_units[echo_last - 1][1]
        yield (source_start, echo_start, source_at - source_start)
    yield from _align_characters(source, echo, (source_at, len(source)), (echo_at, len(echo)))


def _align_characters(source: str, echo: str, source_run: Tuple[int, int], echo_run: Tuple[int, int],
                      ) -> Iterator[Block]:
    """Yield what two changed passages share; nothing where they are too unlike to be a spelling change."""
    first, second = source[slice(*source_run)], echo[slice(*echo_run)]
    if not first or not second or max(len(first), len(second)) > _LONGEST_PASSAGE:
        return
    for opcode in Levenshtein.opcodes(first, second):
        if opcode.tag == "equal":
            yield (source_run[0] + opcode.src_start, echo_run[0] + opcode.dest_start,
                   opcode.src_end - opcode.src_start)


def _merge(blocks: Iterator[Block]) -> List[Block]:
    """Return the blocks with those that touch on both sides joined."""
    merged: List[Block] = []
    for source_start, echo_start, length in blocks:
        if merged:
            last_source, last_echo, last_length = merged[-1]
            if last_source + last_length == source_start and last_echo + last_length == echo_start:
                merged[-1] = (last_source, last_echo, last_length + length)
                continue
        merged.append((source_start, echo_start, length))
    return merged
