"""A mention as a file states it, checked against its text."""

from typing import Optional

from ..annotation import Mention
from .problems import Problems

# How far a surface may stand from its offsets, and still be taken for the one that was meant.
_SHIFT = 3


def ground_mention(text: str, start: int, end: int, label: str, *, surface: Optional[str], place: str,
                   problems: Problems) -> Optional[Mention]:
    """Check a mention against the text, and mend what is certain.

    text (str): The text that the offsets count in.
    start (int): First character, as the file says.
    end (int): One past the last character, as the file says.
    label (str): The label.
    surface (Optional[str]): What the file says stands there, if it says so.
    place (str): File and line, for the problem.
    problems (Problems): Takes note of what was changed or left out.
    RETURNS (Optional[Mention]): The mention without white space at its edges, or None where it cannot be had.
    """
    if not 0 <= start <= end <= len(text):
        problems.add("outside_text", place, f"{start}-{end} in {len(text)} characters")
        return None
    if surface is not None and not _same(text[start:end], surface):
        moved = _shifted(text, start, surface.strip())
        if moved is None:
            problems.add("surface_differs", place, f"'{surface}' is not '{text[start:end]}' at {start}-{end}")
            return None
        problems.add("shifted", place, f"from {start} to {moved}")
        start, end = moved, moved + len(surface.strip())
    inside = text[start:end]
    if not inside.strip():
        problems.add("empty", place, f"{start}-{end}")
        return None
    if inside != inside.strip():
        problems.add("white_space", place, f"'{inside}'")
        start, end = start + len(inside) - len(inside.lstrip()), end - len(inside) + len(inside.rstrip())
    return Mention(start, end, label)


def _same(found: str, stated: str) -> bool:
    return " ".join(found.split()) == " ".join(stated.split())


def _shifted(text: str, start: int, surface: str) -> Optional[int]:
    """RETURNS (Optional[int]): The nearest place within a few characters where the surface stands."""
    if not surface:
        return None
    for distance in range(1, _SHIFT + 1):
        for near in (start - distance, start + distance):
            if near >= 0 and text.startswith(surface, near):
                return near
    return None
