"""PubTator: title and abstract lines, then one mention a line in tab-separated columns, and a blank line."""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Set, Tuple

from ..annotation import Annotation
from ..files import open_atomic, read_lines
from .parsing.identifiers import join_identifiers, read_identifiers, split_parts
from .parsing.lines import note_open_end
from .parsing.problems import Problems, Written, note_losses, strict_unless, untold
from .parsing.spans import Stated, ground_mentions

_OFFSET = re.compile(r"\s*[0-9]{1,12}\s*")
_BOTH_OFFSETS = re.compile(r"\A\s*([0-9]{1,12})\s*-\s*([0-9]{1,12})\s*\Z")
# A mention as the FBK variant has it: its number, label, offsets and surface.
_NUMBERED = re.compile(r"T\d+")
# What may be the number of a mention, and so is not taken for its label.
_NAME = re.compile(r"[A-Za-z]\d+")
# How far offsets may be off and still be those of a mention, not the identifiers of a relation.
_NEAR = 3
# Attribute with the names of a composite mention, the seventh column.
_PARTS = "parts"
_TEXT_LINE = re.compile(r"([^|\t]*)\|([ta])\|(.*)", re.DOTALL)


@dataclass
class _Document:
    """What the lines of one document say."""

    id: str
    place: str
    parts: Dict[str, str] = field(default_factory=dict)
    rows: List[Tuple[str, List[str]]] = field(default_factory=list)


def read_pubtator(path: Path, *, problems: Optional[Problems] = None) -> Iterator[Annotation]:
    """Read documents one by one: title, one blank, abstract; offsets count from the title on.

    path (Path): The file, gzip-compressed or not, with any line ends.
    problems (Optional[Problems]): Takes note of what cannot be read; without it that is an error.
    YIELDS (Annotation): The documents. Of an id that comes twice the first document counts.
    """
    problems = strict_unless(problems)
    seen: Set[str] = set()
    for document in _read_documents(Path(path), problems):
        if document.id in seen:
            problems.add("repeated_document", document.place, document.id)
            continue
        seen.add(document.id)
        yield _to_annotation(document, problems)
    note_open_end(Path(path), problems)


def write_pubtator(path: Path, annotations: Iterable[Annotation], *, problems: Optional[Problems] = None,
                   written: Written = untold) -> int:
    """Write documents, whole or not at all; the whole text stands in the title line where it has no blank.

    path (Path): The file to write.
    annotations (Iterable[Annotation]): The documents; of an id that comes twice the first is written.
    problems (Optional[Problems]): Takes note of what the format cannot hold; without it that is an error.
    written (Written): Is told each document as it was written, before the next is taken.
    RETURNS (int): How many were written.
    """
    problems = strict_unless(problems)
    ids: Set[str] = set()
    with open_atomic(path) as file_:
        for annotation in annotations:
            id = annotation.id.strip()
            if any(character in annotation.id for character in "|\t\r\n"):
                problems.add("unwritable_text", annotation.id, "'|', tab or line break in the id")
            elif id in ids:
                problems.add("repeated_document", annotation.id)
            else:
                ids.add(id)
                held = _writable(annotation, problems)
                file_.write("\n".join(_to_lines(held)) + "\n\n")
                note_losses(_without_parts(annotation), problems, held=("ids",))
                written(held)
    return len(ids)


def _read_documents(path: Path, problems: Problems) -> Iterator[_Document]:
    """Yield a document whenever the id changes or a title comes again; blank lines may be missing."""
    current: Optional[_Document] = None
    for number, line in read_lines(path):
        place = f"{path}, line {number}"
        text = _TEXT_LINE.fullmatch(line)
        columns = line.split("\t")
        id = text[1] if text else columns[0]
        if current is None or id.strip() != current.id or text and text[2] in current.parts:
            if not text:
                problems.add("no_text" if len(columns) > 2 else "bad_line", place, line[:60])
                continue
            if current is not None:
                yield current
            current = _Document(id.strip(), place)
        if text:
            current.parts[text[2]] = text[3]
        else:
            current.rows.append((place, columns))
    if current is not None:
        yield current


def _to_annotation(document: _Document, problems: Problems) -> Annotation:
    text = " ".join(document.parts[part] for part in ("t", "a") if document.parts.get(part))
    if text and not document.parts.get("t"):
        text = f" {text}"
    rows = (_read_row(place, columns, text, problems) for place, columns in document.rows)
    mentions = ground_mentions(text, [row for row in rows if row], problems=problems)
    return Annotation(text, mentions, id=document.id, meta={"unit": "abstract"})


def _read_row(place: str, columns: List[str], text: str, problems: Problems) -> Optional[Stated]:
    """Read a line of columns: id, start, end, surface, label, and often an identifier and parts of a composite."""
    numbered = len(columns) >= 4 and _NUMBERED.fullmatch(columns[1].strip())
    if numbered and len(columns) >= 6:
        columns = [columns[0], *columns[3:6], columns[2], *columns[6:]]
    elif len(columns) >= 4 and not numbered and not columns[1].strip().isdecimal():
        ordered = _find_mention(columns, text)
        if ordered is None:
            problems.add("relation", place, "\t".join(columns[1:])[:60])
            return None
        columns = ordered or columns
    if len(columns) < 5 or not all(map(_OFFSET.fullmatch, columns[1:3])) or not columns[4].strip():
        problems.add("bad_line", place, "\t".join(columns)[:60])
        return None
    label = columns[4].strip()
    details: Dict[str, Any] = {}
    if len(columns) >= 6:
        details["ids"] = read_identifiers(columns[5], label, place=place, problems=problems)
    if len(columns) >= 7 and columns[6].strip():
        problems.add("composite", place, columns[6])
        details["attributes"] = {_PARTS: split_parts(columns[6])}
    if any(column.strip() for column in columns[7:]):
        problems.add("extra_column", place, "\t".join(columns[7:])[:60])
    return Stated(int(columns[1]), int(columns[2]), label, columns[3], place, details=details)


def _find_mention(columns: List[str], text: str) -> Optional[List[str]]:
    """Find a mention in a line with other columns than most have: a relation has no offsets with what stands there.

    columns (List[str]): The columns, the id of the document first.
    text (str): The text of the document.
    RETURNS (Optional[List[str]]): The columns in their usual order; none where it is not clear which one is the label;
        None where there is no mention.
    """
    columns = "\t".join(_BOTH_OFFSETS.sub(r"\1\t\2", column) for column in columns).split("\t")
    for at in range(1, len(columns) - 1):
        if not all(map(_OFFSET.fullmatch, columns[at:at + 2])):
            continue
        start, end = map(int, columns[at:at + 2])
        near = text[max(0, start - _NEAR):end + _NEAR]
        before, after = columns[1:at], columns[at + 2:]
        for surface in (*after, *before):
            if surface.strip() and len(surface) == end - start and surface in near:
                return _put_in_order([columns[0], *columns[at:at + 2], surface], before, after)
    return None


def _put_in_order(known: List[str], before: List[str], after: List[str]) -> List[str]:
    """Return columns in their usual order; none where it is not clear which one is the label.

    known (List[str]): Id of the document, start, end and surface.
    before (List[str]): Columns before the offsets; the surface may be one of them.
    after (List[str]): Columns after the offsets; else the surface is one of these.
    """
    surface = known[-1]
    if not before and after[0] == surface:
        return [*known, *after[1:]]
    if len(before) == 2 and _NAME.fullmatch(before[0]) and after[:1] == [surface]:
        return [*known, before[1], *after[1:]]
    others = [*before, *after]
    others.remove(surface)
    return [*known, *others] if len(others) == 1 and not _NAME.fullmatch(others[0]) else []


def _writable(annotation: Annotation, problems: Problems) -> Annotation:
    """Return the text on one line, and the mentions whose labels a column can hold; the rest is noted."""
    text = re.sub(r"[\r\n]", " ", annotation.text)
    if text != annotation.text:
        problems.add("changed_text", annotation.id, "line breaks became blanks")
    kept = []
    for mention in annotation.mentions:
        if mention.label != mention.label.strip() or re.search(r"[\t\r\n]", mention.label):
            problems.add("unwritable_label", annotation.id, repr(mention.label))
        else:
            if mention.ids and join_identifiers(mention.ids) is None:
                problems.add("lost_ids", annotation.id, ", ".join(mention.ids))
                mention = replace(mention, ids=())
            kept.append(mention)
    return replace(annotation, text=text, mentions=tuple(kept))


def _to_lines(annotation: Annotation) -> List[str]:
    """Return the lines of a document that the format can hold."""
    title, abstract = _title_and_abstract(annotation.text)
    lines = [f"{annotation.id}|t|{title}", f"{annotation.id}|a|{abstract}"]
    for mention in annotation.mentions:
        surface = annotation.surface(mention).replace("\t", " ")
        columns = [annotation.id, str(mention.start), str(mention.end), surface, mention.label]
        parts = mention.attributes.get(_PARTS)
        held = "|".join(parts) if parts and _are_parts(parts) else ""
        if mention.ids or held:
            columns.append(join_identifiers(mention.ids) or "")
        if held:
            columns.append(held)
        lines.append("\t".join(columns))
    return lines


def _are_parts(parts: Any) -> bool:
    """Return whether an attribute is what the column for the parts of a composite mention can hold."""
    return isinstance(parts, list) and bool(parts) and all(
        isinstance(part, str) and part.strip() == part != "" and not re.search(r"[|\t\r\n]", part) for part in parts)


def _without_parts(annotation: Annotation) -> Annotation:
    """Return the annotation without the attributes that a column holds."""
    return replace(annotation, mentions=tuple(
        replace(mention, attributes={name: value for name, value in mention.attributes.items()
                                     if name != _PARTS or not _are_parts(value)})
        if mention.attributes else mention for mention in annotation.mentions))


def _title_and_abstract(text: str) -> Tuple[str, str]:
    """Cut at the first blank after an end of sentence, if any; read back, both are joined by one blank again."""
    end = re.search(r"(?<=[.?!]) (?=\S)", text)
    return (text[:end.start()], text[end.end():]) if end else (text, "")
