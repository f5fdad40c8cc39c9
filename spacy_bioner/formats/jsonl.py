"""Records: one JSON object a line, the format between all stages."""

from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, Optional

from ..annotation import Annotation
from ..errors import BionerError, Errors
from ..files import parse_record, read_lines, write_json_lines
from ..loading import is_gzip
from .parsing.lines import find_no_number, refuse_half_characters
from .parsing.problems import Problems, Written, strict_unless, untold
from .parsing.spans import Stated, ground_each

_KEYS = frozenset(("id", "text", "spans", "meta"))
_SPAN_KEYS = frozenset(("start", "end", "label", "text", "score", "grounding", "ids", "attributes", "note"))


def find_jsonl(path: Path) -> Path:
    """Return the path, or the one with or without .gz beside it where only that exists."""
    path = Path(path)
    if not path.name:  # that of a folder, such as "."
        return path
    other = path.with_suffix("") if is_gzip(path) else path.with_name(f"{path.name}.gz")
    return other if not path.is_file() and other.is_file() else path


def read_jsonl(path: Path, *, problems: Optional[Problems] = None, raw: bool = False) -> Iterator[Annotation]:
    """Read records one by one.

    path (Path): `.jsonl` or `.jsonl.gz`; where only the other of the two exists, that is read.
    problems (Optional[Problems]): Takes note of spans given twice, which count once, of keys that are passed over and
        of spans whose own text is not what stands there; without it only the last, and keys that may hold mentions,
        are an error.
    raw (bool): Whether the records are raw text, and may lack the key `spans`.
    YIELDS (Annotation): The records, in file order; a record whose id is null or missing gets `<file stem>-<line>`.
    RAISES BionerError: E001 to E003 and E028 with file and line, E048 for a record without spans.
    """
    path = find_jsonl(path)
    stem = path.name.split(".")[0]
    for number, line in read_lines(path):
        record = parse_record(line, path, number)
        place = f"{path}, line {number}"
        if not raw:
            check_keys(record, place, problems)
            ground_spans(record, place, problems)
        try:
            annotation = Annotation.from_record(record, id=f"{stem}-{number}")
        except BionerError as error:
            raise BionerError(Errors.E003.format(path=path, line=number, why=error)) from None
        # In UTF-8 half of a surrogate pair can only be written as an escape.
        if "\\ud" in line or "\\uD" in line:
            refuse_half_characters(annotation, place)
        if "NaN" in line or "Infinity" in line:
            found = find_no_number(annotation)
            if found is not None:
                why = f"it holds {found}, which is no number of JSON. Write null"
                raise BionerError(Errors.E003.format(path=path, line=number, why=why))
        repeated = len(record.get("spans", ())) - len(annotation.mentions)
        if repeated and problems is not None:
            problems.add("duplicate", place, f"{repeated} spans of record '{annotation.id}'")
        yield annotation


def check_keys(record: Dict[str, Any], place: str, problems: Optional[Problems]) -> None:
    """Check that a record says its mentions where they are looked for.

    record (Dict[str, Any]): The record.
    place (str): File and line, for errors.
    problems (Optional[Problems]): Takes note of other keys; without it one that may hold mentions is an error.
    RAISES BionerError: E048 for a record without spans.
    """
    if "text" in record and "spans" not in record:
        raise BionerError(Errors.E048.format(place=place, keys=", ".join(map(repr, record))[:200]))
    if record.keys() <= _KEYS:
        return
    for key in [key for key in record if key not in _KEYS]:
        if problems is not None or record[key] and isinstance(record[key], (list, dict)):
            strict_unless(problems).add("unknown_key", place, f"'{key[:60]}'")


def ground_spans(record: Dict[str, Any], place: str, problems: Optional[Problems]) -> None:
    """Check spans that say their own text against that of the record, and mend in the record what is certain.

    record (Dict[str, Any]): The record; spans whose text stands elsewhere are moved or taken out.
    place (str): File and line, for problems.
    problems (Optional[Problems]): Takes note of what was changed; without it that is an error.
    """
    text, spans = record.get("text"), record.get("spans")
    if not isinstance(text, str) or not isinstance(spans, list):
        return
    # Nearly all records have spans of three keys, and nothing to check here.
    special = [span for span in spans if isinstance(span, dict) and len(span) != 3]
    if not special:
        return
    if problems is not None:
        for key in {key for span in special for key in span if key not in _SPAN_KEYS}:
            problems.add("unknown_key", place, f"'{key[:60]}' of a span")
    if not any("text" in span for span in special) or not all(map(_is_stated, spans)):
        return
    if all(text[span["start"]:span["end"]] == span.get("text", text[span["start"]:span["end"]]) for span in spans):
        return
    stated = [Stated(span["start"], span["end"], span["label"], span.get("text"), place) for span in spans]
    grounded = ground_each(text, stated, problems=strict_unless(problems))
    record["spans"] = [{**span, "start": mention.start, "end": mention.end}
                       for span, mention in zip(spans, grounded) if mention is not None]


def _is_stated(span: Any) -> bool:
    """Return whether a span is of the types that can be checked; all else is an error of the record."""
    return isinstance(span, dict) and all(type(span.get(key)) is int for key in ("start", "end")) \
        and isinstance(span.get("label"), str) and isinstance(span.get("text", ""), str) and span["start"] >= 0


def write_jsonl(path: Path, annotations: Iterable[Annotation], *, problems: Optional[Problems] = None,
                written: Written = untold) -> int:
    """Write records, whole or not at all.

    path (Path): `.jsonl` or `.jsonl.gz`.
    annotations (Iterable[Annotation]): The records; they are taken one by one.
    problems (Optional[Problems]): Unused, records hold everything; here so that all writers are called alike.
    written (Written): Is told each record as it was written, before the next is taken.
    RETURNS (int): How many were written.
    """
    def to_records() -> Iterator[Dict[str, Any]]:
        for annotation in annotations:
            yield annotation.to_record()
            written(annotation)

    return write_json_lines(path, to_records())
