"""What several formats read alike: whole files, lines with the empty ones between, text that is no Unicode text."""

import math
import os
import re
from pathlib import Path
from typing import Any, Iterator, Optional, Tuple

from ...annotation import Annotation
from ...errors import BionerError, Errors
from ...files import read_lines
from ...loading import is_gzip, read_bounded
from .problems import Problems

_SURROGATE = re.compile("[\ud800-\udfff]")


def read_all_lines(path: Path) -> Iterator[Tuple[int, str]]:
    """Yield the lines of a UTF-8 text file with their numbers; empty lines between others as one empty line.

    path (Path): The file, gzip-compressed or not; a byte order mark is passed over.
    YIELDS (Tuple[int, str]): Line number from 1, and the line without its end.
    """
    last = 0
    for number, line in read_lines(path):
        if number > last + 1:
            yield number - 1, ""
        yield number, line
        last = number


def read_text(path: Path) -> str:
    """Read a text that is a whole file, as BRAT holds it: with its line ends and its mark, since offsets count them.

    path (Path): The file.
    RETURNS (str): The text, nothing of it changed.
    RAISES BionerError: E003 where it is not UTF-8.
    """
    content = read_bounded(path)
    try:
        return content.decode("utf8")
    except UnicodeDecodeError as error:
        line = content[:error.start].count(b"\n") + 1
        raise BionerError(Errors.E003.format(path=path, line=line, why=error)) from None


def note_open_end(path: Path, problems: Problems) -> None:
    """Note a file whose last line has no line end: of a label that was cut there, no reader can tell that it was.

    path (Path): The file. A compressed one holds its own length, and is not looked at.
    problems (Problems): Takes the note.
    """
    if is_gzip(path) or not path.stat().st_size:
        return
    with path.open("rb") as file_:
        file_.seek(-1, os.SEEK_END)
        if file_.read(1) not in b"\r\n":
            problems.add("open_end", str(path))


def refuse_surrogates(text: str, place: str) -> None:
    """Refuse half of a surrogate pair, which JSON can state and no file can hold.

    text (str): A text from a JSON file.
    place (str): File and line, for the error.
    RAISES BionerError: E028 for such a text.
    """
    if not text.isascii() and (found := _SURROGATE.search(text)):
        raise BionerError(Errors.E028.format(place=place, code=ord(found[0]), offset=found.start()))


def refuse_half_characters(annotation: Annotation, place: str) -> None:
    """Refuse half of a surrogate pair wherever a record holds text, for it could never be written again.

    annotation (Annotation): The record.
    place (str): File and line, for the error.
    RAISES BionerError: E028 with what holds it.
    """
    refuse_surrogates(annotation.text, place)
    refuse_surrogates(annotation.id, f"{place}, id")
    for mention in annotation.mentions:
        refuse_surrogates(mention.label, f"{place}, label of span {mention.start}-{mention.end}")
        refuse_surrogates(mention.grounding or "", f"{place}, grounding of span {mention.start}-{mention.end}")
        for text in _find_texts(mention.details()):
            refuse_surrogates(text, f"{place}, details of span {mention.start}-{mention.end}")
    for text in _find_texts(annotation.meta):
        refuse_surrogates(text, f"{place}, meta")


def find_no_number(annotation: Annotation) -> Optional[float]:
    """Return NaN or Infinity where a record holds one besides its text: Python writes them, and JSON has neither."""
    for held in (annotation.meta, *(mention.details() for mention in annotation.mentions)):
        for value in _find_values(held):
            if isinstance(value, float) and not math.isfinite(value):
                return value
    return None


def _find_texts(value: Any) -> Iterator[str]:
    """Yield all strings in a JSON value, keys too."""
    return (one for one in _find_values(value) if isinstance(one, str))


def _find_values(value: Any) -> Iterator[Any]:
    """Yield all that is neither list nor object in a JSON value, keys too."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
        else:
            yield value
