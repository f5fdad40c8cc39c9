"""Records: one JSON object a line, the format between all stages."""

from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, Optional

from ..annotation import Annotation
from ..errors import BionerError, Errors
from ..files import parse_record, read_lines, write_json_lines
from .parsing.lines import refuse_surrogates
from .parsing.problems import Problems, Written, untold


def find_jsonl(path: Path) -> Path:
    """RETURNS (Path): The path, or the one with or without .gz beside it where only that exists."""
    path = Path(path)
    other = path.with_suffix("") if path.suffix == ".gz" else path.with_name(f"{path.name}.gz")
    return other if not path.is_file() and other.is_file() else path


def read_jsonl(path: Path, *, problems: Optional[Problems] = None) -> Iterator[Annotation]:
    """Read records one by one.

    path (Path): `.jsonl` or `.jsonl.gz`; where only the other of the two exists, that is read.
    problems (Optional[Problems]): Takes note of spans given twice, which count once.
    YIELDS (Annotation): The records, in file order; a record whose id is null or missing gets `<file stem>-<line>`.
    RAISES BionerError: E001 to E003 and E028 with file and line.
    """
    path = find_jsonl(path)
    stem = path.name.split(".")[0]
    for number, line in read_lines(path):
        record = parse_record(line, path, number)
        try:
            annotation = Annotation.from_record(record, id=f"{stem}-{number}")
        except BionerError as error:
            raise BionerError(Errors.E003.format(path=path, line=number, why=error)) from None
        # In UTF-8 half of a surrogate pair can only be written as an escape.
        if "\\ud" in line or "\\uD" in line:
            _refuse_surrogates(annotation, f"{path}, line {number}")
        repeated = len(record.get("spans", ())) - len(annotation.mentions)
        if repeated and problems is not None:
            problems.add("duplicate", f"{path}, line {number}", f"{repeated} spans of record '{annotation.id}'")
        yield annotation


def _refuse_surrogates(annotation: Annotation, place: str) -> None:
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
    for text in _find_texts(annotation.meta):
        refuse_surrogates(text, f"{place}, meta")


def _find_texts(value: Any) -> Iterator[str]:
    """YIELDS (str): All strings in a JSON value, keys too."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value


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
