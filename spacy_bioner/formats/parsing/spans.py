"""Mentions as a file states them, checked against the text.

Offsets may count bytes or UTF-16 units, or line ends otherwise than the text has them, may be a little off, and may
take in white space.
"""

import re
from bisect import bisect_left
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from ...annotation import Mention, in_text_order
from .problems import Problems

# How far a surface may stand from its offsets, and still be taken for the one that was meant.
_SHIFT = 3

# Ways of counting offsets: how much a character counts.
_COUNTINGS: Dict[str, Callable[[str], int]] = {
    "code points": lambda character: 1,
    "UTF-16 units": lambda character: 2 if ord(character) > 0xFFFF else 1,
    "UTF-8 bytes": lambda character: len(character.encode("utf8", "surrogatepass")),
}
# Line ends that a tool counts otherwise than the text has them: the characters, and how much they count then.
_LINE_ENDS: Dict[str, Tuple[str, int]] = {"": ("", 0), "line ends as one": ("\r\n", 0), "line ends as two": ("\n", 2)}


@dataclass(frozen=True)
class Stated:
    """A mention as a file states it.

    start (int): First character, in whatever the file counts.
    end (int): One past the last character.
    label (str): The label.
    surface (Optional[str]): What the file says stands there, if it says so.
    place (str): File and line, for problems.
    score (Optional[float]): As in `Mention`.
    grounding (Optional[str]): As in `Mention`.
    details (Mapping[str, Any]): Identifiers, attributes and note, as arguments of a `Mention`.
    name (str): How other lines of the file call this mention.
    """

    start: int
    end: int
    label: str
    surface: Optional[str]
    place: str
    score: Optional[float] = None
    grounding: Optional[str] = None
    details: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""

    def at(self, start: int, end: int) -> Mention:
        """Return the mention, placed there."""
        return Mention(start, end, self.label, score=self.score, grounding=self.grounding, **self.details)


def read_grounding(held: Any, place: str, problems: Problems) -> Optional[str]:
    """Return how a mention was grounded; what others call so need be no word, and is noted then."""
    if held is None or isinstance(held, str):
        return held
    problems.add("extra_column", place, f"grounding {str(held)[:60]}")
    return None


def ground_mentions(text: str, stated: Sequence[Stated], *, problems: Problems) -> Tuple[Mention, ...]:
    """Check the mentions of a document against its text, and mend what is certain.

    text (str): The text that the offsets count in.
    stated (Sequence[Stated]): The mentions.
    problems (Problems): Takes note of what was changed or left out.
    RETURNS (Tuple[Mention, ...]): In text order, without white space at their edges, each place and label once.
    """
    found: Dict[Tuple[int, int, str], Mention] = {}
    for one, mention in zip(stated, ground_each(text, stated, problems=problems)):
        if mention is not None and mention.key in found:
            problems.add("duplicate", one.place, f"{mention.start}-{mention.end} {mention.label}")
            found[mention.key] = found[mention.key].united(mention)
        elif mention is not None:
            found[mention.key] = mention
    return in_text_order(found.values())


def ground_each(text: str, stated: Sequence[Stated], *, problems: Problems) -> List[Optional[Mention]]:
    """Return what `ground_mentions` returns, one for each stated, None where it is left out."""
    return [_ground(text, one, problems) for one in _in_code_points(text, stated, problems)]


def is_one_piece(fragments: Sequence[Tuple[int, int]], text: str) -> bool:
    """Return whether only white space lies between fragments, as where a mention goes over a line end."""
    return all(end <= start and not text[end:start].strip()
               for (_, end), (start, _) in zip(fragments, fragments[1:]))


def _in_code_points(text: str, stated: Sequence[Stated], problems: Problems) -> Sequence[Stated]:
    """Tell by the surfaces how a document counts; where nothing fits better, in code points with its own line ends."""
    if text.isascii() and "\n" not in text or all(_fits(text, one) for one in stated):
        return stated
    best, most, name = list(stated), sum(_fits(text, one) for one in stated), ""
    for line_end, (ending, counted) in _LINE_ENDS.items():
        if ending not in text or ending == "\n" and "\r" in text:
            continue
        for counting, width in _COUNTINGS.items():
            if text.isascii() and counting != "code points":
                continue
            widths = list(map(width, text))
            for place in _find_all(text, ending):
                widths[place] = counted
            starts = [0, *accumulate(widths)]
            recounted = [_recount(one, starts) for one in stated]
            fitting = sum(_fits(text, one) for one in recounted)
            if fitting > most:
                best, most, name = recounted, fitting, f"{counting} {line_end}".strip()
    if name:
        problems.add("other_counting", stated[0].place, f"the document counts {name}")
    return best


def _find_all(text: str, part: str) -> List[int]:
    """Return where a part of a text begins, each time."""
    return [found.start() for found in re.finditer(re.escape(part), text)] if part else []


def _recount(one: Stated, starts: List[int]) -> Stated:
    """Return the stated with offsets in code points, or unchanged where they lie outside or inside a character."""
    places = [bisect_left(starts, offset) for offset in (one.start, one.end)]
    if any(place >= len(starts) or starts[place] != offset for place, offset in zip(places, (one.start, one.end))):
        return one
    return replace(one, start=places[0], end=places[1])


def _fits(text: str, one: Stated) -> bool:
    inside = 0 <= one.start <= one.end <= len(text)
    return inside and one.surface is not None and _same(text[one.start:one.end], one.surface)


def _ground(text: str, one: Stated, problems: Problems) -> Optional[Mention]:
    """Return the mention, or None where it cannot be had."""
    start, end = one.start, one.end
    inside_text = 0 <= start <= end <= len(text)
    if one.surface is not None and not _fits(text, one):
        surface = one.surface.strip()
        moved = _shifted(text, start, surface)
        if moved is not None:
            problems.add("shifted", one.place, f"from {start} to {moved}")
            return one.at(moved, moved + len(surface))
        if inside_text:
            problems.add("surface_differs", one.place, f"'{surface}' is not '{text[start:end]}' at {start}-{end}")
            return None
    if not inside_text:
        problems.add("outside_text", one.place, f"{start}-{end} in {len(text)} characters")
        return None
    inside = text[start:end]
    if not inside.strip():
        problems.add("empty", one.place, f"{start}-{end}")
        return None
    if inside != inside.strip():
        problems.add("white_space", one.place, f"'{inside}'")
    return one.at(start + len(inside) - len(inside.lstrip()), end - len(inside) + len(inside.rstrip()))


def _same(found: str, stated: str) -> bool:
    """Return whether two strings are equal but for white space, which files fold or cut."""
    return " ".join(found.split()) == " ".join(stated.split())


def _shifted(text: str, start: int, surface: str) -> Optional[int]:
    """Return the nearest place within a few characters where the surface stands."""
    if not surface:
        return None
    for distance in range(1, _SHIFT + 1):
        for near in (start - distance, start + distance):
            if near >= 0 and text.startswith(surface, near):
                return near
    return None
