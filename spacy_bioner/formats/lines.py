"""Lines of a text file, the empty ones too, for formats in which they mean something."""

from pathlib import Path
from typing import Iterator, Tuple

from ..files import read_lines


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
