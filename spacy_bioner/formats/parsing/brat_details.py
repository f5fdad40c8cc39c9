"""What lines of BRAT say of a mention: normalisations (N), attributes (A, M) and notes (#)."""

import json
import re
from dataclasses import replace
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence

from ...annotation import Annotation
from ...loading import parse_json
from .identifiers import read_identifiers
from .problems import Problems
from .spans import Stated

_NORMALIZATION = re.compile(r"N\S*\t\S+ (T\S+) (\S+)(?:\t(.*))?")
_ATTRIBUTE = re.compile(r"[AM]\S*\t(\S+) (T\S+)(?: (.*))?")
_NOTE = re.compile(r"#\S*\t\S+ (T\S+)\t(.*)")
_JSON = "json:"
# Attribute with the names that a file gives of concepts, by their identifiers.
_NAMES = "concept_names"


class DetailLine(NamedTuple):
    """A line that says something of a mention.

    mention (str): How the file calls the mention, such as "T1".
    kind (str): "ids", "attributes" or "note".
    value (Any): What it says: identifier and name, name and value, or remark.
    place (str): File and line.
    """

    mention: str
    kind: str
    value: Any
    place: str


def read_detail(line: str, place: str) -> Optional[DetailLine]:
    """Return what a line says of a mention; None where it says nothing of one."""
    if found := _NORMALIZATION.fullmatch(line):
        return DetailLine(found[1], "ids", (found[2], found[3] or ""), place)
    if found := _ATTRIBUTE.fullmatch(line):
        return DetailLine(found[2], "attributes", (found[1], True if found[3] is None else _value(found[3])), place)
    if found := _NOTE.fullmatch(line):
        return DetailLine(found[1], "note", found[2], place)
    return None


def _value(text: str) -> Any:
    """Return the value of an attribute, which was written as JSON where it is no plain word."""
    if not text.startswith(_JSON):
        return text
    try:
        return parse_json(text.removeprefix(_JSON))
    except ValueError:
        return text


def add_details(stated: Sequence[Stated], lines: Sequence[DetailLine], *, problems: Problems) -> List[Stated]:
    """Add what the lines of a document say to its mentions.

    stated (Sequence[Stated]): The mentions.
    lines (Sequence[DetailLine]): The lines.
    problems (Problems): Takes note of lines of mentions that are not there.
    RETURNS (List[Stated]): The mentions in the same order.
    """
    labels = {one.name: one.label for one in stated}
    surfaces = {one.name: one.surface for one in stated}
    found: Dict[str, Dict[str, Any]] = {}
    for line in lines:
        if line.mention not in labels:
            problems.add("other_annotation", line.place, f"of {line.mention}")
            continue
        details = found.setdefault(line.mention, {})
        if line.kind == "note":
            details["note"] = f"{details['note']}\n{line.value}" if "note" in details else line.value
        elif line.kind == "attributes":
            details.setdefault("attributes", {})[line.value[0]] = line.value[1]
        else:
            stated_id, name = line.value
            ids = read_identifiers([stated_id], labels[line.mention], place=line.place, problems=problems)
            details["ids"] = tuple(dict.fromkeys((*details.get("ids", ()), *ids)))
            if name.strip() and name.split() != (surfaces[line.mention] or "").split():
                names = details.setdefault("attributes", {}).setdefault(_NAMES, {})
                names.update(dict.fromkeys(ids, name))
    return [replace(one, details=found[one.name]) if one.name in found else one for one in stated]


def detail_lines(annotation: Annotation, problems: Problems) -> Iterator[str]:
    """Yield the lines for the identifiers, attributes and notes of mentions T1, T2 and so on, in their order.

    annotation (Annotation): The document, as far as the format holds its mentions.
    problems (Problems): Takes note of what no line can hold.
    """
    counts = {"N": 0, "A": 0, "#": 0}

    def next_name(kind: str) -> str:
        counts[kind] += 1
        return f"{kind}{counts[kind]}"

    for number, mention in enumerate(annotation.mentions, start=1):
        names = mention.attributes.get(_NAMES)
        names = names if isinstance(names, dict) and set(names) <= set(mention.ids) and all(
            isinstance(name, str) and _is_line(name) for name in names.values()) else {}
        for identifier in mention.ids:
            if re.search(r"\s", identifier):
                problems.add("lost_ids", annotation.id, identifier)
            else:
                surface = " ".join(annotation.surface(mention).split())
                yield f"{next_name('N')}\tReference T{number} {identifier}\t{names.get(identifier, surface)}"
        for name, value in mention.attributes.items():
            if name == _NAMES and names:
                continue
            if not name or re.search(r"\s", name):
                problems.add("lost_attributes", annotation.id, repr(name))
                continue
            plain = isinstance(value, str) and _is_line(value) and not value.startswith(_JSON)
            written = value if plain else _JSON + json.dumps(value, ensure_ascii=True)
            yield f"{next_name('A')}\t{name} T{number}" + ("" if value is True else f" {written}")
        # A note of several lines is several notes.
        lines = mention.note.split("\n") if mention.note is not None else []
        if any(line.endswith("\r") for line in lines):
            problems.add("lost_note", annotation.id, "line ends of Windows")
        for line in lines:
            yield f"{next_name('#')}\tAnnotatorNotes T{number}\t{line}"


def _is_line(text: str) -> bool:
    return text.strip() == text != "" and len(text.splitlines()) == 1 and "\t" not in text
