"""Plain text: a folder with a .txt file a document, or a .txt file with a document a line; raw text, by its nature."""

import re
from pathlib import Path
from typing import Iterator, Optional

from ..annotation import Annotation
from ..errors import BionerError, Errors
from ..files import read_lines
from ..loading import is_gzip
from .parsing.folders import list_files
from .parsing.lines import read_text
from .parsing.problems import Problems, strict_unless

ENDINGS = (".txt", ".txt.gz")
# What PubTator files and tagged tokens begin with, which are often called .txt.
_PUBTATOR = re.compile(r"\w+\|[ta]\|")
_TAGGED = re.compile(r"\S+([ \t]+\S+)*[ \t]+(O|[BIESLU]-\S+)")


def read_plain_text(path: Path, *, problems: Optional[Problems] = None, raw: bool = True) -> Iterator[Annotation]:
    """Read texts.

    path (Path): A folder with a .txt file a document, or a file with a document a line, gzip-compressed or not.
    problems (Optional[Problems]): Takes note of texts that are not said to be raw text; without it that is an error.
    raw (bool): Whether they are said to be so.
    YIELDS (Annotation): The texts; those of a folder as they lie on the disk, line ends and all.
    RAISES BionerError: E001 for a folder without texts, E003 where a file is not UTF-8, E010 for what is not raw.
    """
    path = Path(path)
    if not raw:
        strict_unless(problems).add("no_annotation", str(path), "taken as raw text")
    if not path.is_dir():
        stem = path.name.split(".")[0]
        for number, line in read_lines(path):
            yield Annotation(line, id=f"{stem}-{number}", meta={"origin": "raw"})
        return
    files = list_files(path, ENDINGS[:1])
    if not files:
        raise BionerError(Errors.E001.format(path=path / "*.txt", wanted="text file"))
    for file_ in files:
        yield Annotation(read_text(file_), id=file_.stem, meta={"origin": "raw"})


def count_plain_texts(path: Path) -> int:
    """Return how many texts there are, without reading those of a folder."""
    return len(list_files(path, ENDINGS[:1])) if path.is_dir() else sum(1 for _ in read_lines(path))


def find_annotated_form(path: Path) -> str:
    """Tell by its first line whether a .txt file holds annotations.

    path (Path): The file.
    RETURNS (str): "pubtator", "iob", or empty for plain text.
    """
    if is_gzip(path) or not path.is_file():
        return ""
    first = next((line for _, line in read_lines(path)), "")
    if _PUBTATOR.match(first):
        return "pubtator"
    return "iob" if _TAGGED.fullmatch(first.strip()) else ""
