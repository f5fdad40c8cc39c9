"""Seeds from tables: CSV and TSV files, with a label in each row or one for all."""

import csv
from pathlib import Path
from typing import Iterator, List, Mapping, Optional, Tuple

from ..errors import BionerError, Errors
from ..files import read_lines

# Columns of a dictionary without labels: the name, and its synonyms, apart by "|".
_NAMES = ("text", "name", "term", "label")
_SYNONYMS = ("synonyms", "synonym")


def is_name(text: str) -> bool:
    """Return whether a text has a letter or digit, as a name does."""
    return any(map(str.isalnum, text))


def read_table(path: Path, delimiter: str, *, label: Optional[str] = None) -> List[Tuple[str, str, int]]:
    """Read the names of a table.

    path (Path): The file; its first line names the columns.
    delimiter (str): What stands between two columns.
    label (Optional[str]): Label of all names of a table without labels.
    RETURNS (List[Tuple[str, str, int]]): Name, label and count of each row.
    RAISES BionerError: E003 for a row that is no seed, E403 for missing columns, E419 for a label beside labels.
    """
    rows = read_rows(path, delimiter)
    header = [name.strip().lower() for name in rows[0][1]] if rows else []
    if label:
        if "text" in header and "label" in header:
            raise BionerError(Errors.E419.format(option="label", wanted="a list without labels", path=path))
        wanted = f"a column {', '.join(_NAMES[:3])} in its first line"
        missing = [] if any(name in header for name in _NAMES) else ["name"]
    else:
        missing = [name for name in ("text", "label") if name not in header]
        wanted = f"the columns text and label in its first line (missing: {', '.join(missing)})"
    if rows and missing:
        raise BionerError(Errors.E403.format(path=path, wanted=wanted))
    named = ((number, dict(zip(header, row))) for number, row in rows[1:])
    if label:
        return [read_fields(path, number, {**row, "text": name, "label": label})
                for number, row in named for name in _names_of(row)]
    return [read_fields(path, number, row) for number, row in named]


def read_rows(path: Path, delimiter: str) -> List[Tuple[int, List[str]]]:
    """Read the rows of a table.

    path (Path): The file; its first line names the columns.
    delimiter (str): What stands between two columns.
    RETURNS (List[Tuple[int, List[str]]]): Line number and fields, those of the first line first.
    RAISES BionerError: E003 for what is no table, or a row with more fields than the first line names.
    """
    found = list(read_lines(path))
    numbers, lines = [number for number, _ in found], [line for _, line in found]
    # In .tsv files a quote is a part of the name: 5"-nucleotidase.
    reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL)
    try:
        rows = [(numbers[reader.line_num - 1], row) for row in reader]
    except csv.Error as error:
        place = numbers[min(reader.line_num, len(numbers)) - 1]
        raise BionerError(Errors.E003.format(path=path, line=place, why=error)) from None
    for number, row in rows:
        if len(row) > len(rows[0][1]):
            why = f"{len(row)} fields, but the first line names {len(rows[0][1])}; put a name with a comma in quotes"
            raise BionerError(Errors.E003.format(path=path, line=number, why=why))
    return rows


def _names_of(row: Mapping[str, str]) -> Iterator[str]:
    """Yield the name of a row, and its synonyms."""
    yield next((row[key] for key in _NAMES if key in row), "")
    for key in _SYNONYMS:
        yield from (name for name in row.get(key, "").split("|") if is_name(name))


def read_fields(path: Path, number: int, row: Mapping[str, object]) -> Tuple[str, str, int]:
    text, label = row.get("text") or "", row.get("label") or ""
    why = ""
    if not isinstance(text, str) or not isinstance(label, str):
        why = "text and label of a seed are strings"
    elif not text.strip() or not label.strip():
        why = "a seed needs a text and a label"
    elif not is_name(text):
        why = f"a seed needs a letter or a digit; found '{text.strip()}'"
    count = str(row.get("count") or 1).strip()
    if not why and not count.isdecimal():
        why = f"count is '{count}', not a whole number"
    if why:
        raise BionerError(Errors.E003.format(path=path, line=number, why=why))
    return str(text).strip(), str(label).strip(), int(count)
