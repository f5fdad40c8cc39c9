"""doccano: a JSON object a line with text and labelled spans, for import and as it is exported."""

from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Set

from ..annotation import Annotation, choose_id
from ..files import read_json_lines, write_json_lines
from .parsing.lines import refuse_half_characters
from .parsing.problems import Problems, Written, note_losses, strict_unless, untold
from .parsing.spans import Stated, ground_mentions
from .parsing.tool_records import hash_text, is_new, note_relations

_LABELS = ("label", "labels")


def read_doccano(path: Path, *, problems: Optional[Problems] = None) -> Iterator[Annotation]:
    """Read an export, with `label` as lists of start, end and label, or with `entities` and relations.

    path (Path): The file.
    problems (Optional[Problems]): Takes note of what cannot be read; without it that is an error.
    YIELDS (Annotation): The documents.
    RAISES BionerError: E001 to E003 and E028 with file and line.
    """
    problems = strict_unless(problems)
    seen: Set[str] = set()
    for number, row in read_json_lines(path):
        place = f"{path}, line {number}"
        text = row.get("text", row.get("data"))
        if not isinstance(text, str):
            problems.add("without_text", place)
            continue
        stated = list(_read_spans(row, place, problems))
        note_relations(row.get("relations"), place, problems)
        if row.get("Comments") or row.get("comments"):
            problems.add("other_annotation", place, "comments")
        mentions = ground_mentions(text, stated, problems=problems)
        meta = row.get("meta")
        # The tool counts documents under "id"; what was given out stands beside it.
        id = choose_id(row.get("record_id"), choose_id(row.get("id"), f"{path.name.split('.')[0]}-{number}"))
        annotation = Annotation(text, mentions, id=id, meta=meta if isinstance(meta, dict) else {})
        refuse_half_characters(annotation, place)
        if is_new(annotation, row.get("text_hash"), seen, place, problems):
            yield annotation


def _read_spans(row: Dict[str, Any], place: str, problems: Problems) -> Iterator[Stated]:
    found: List[Any] = []
    if isinstance(row.get("entities"), list):
        found = [[one.get("start_offset"), one.get("end_offset"), one.get("label")] if isinstance(one, dict) else one
                 for one in row["entities"]]
    elif (key := next((key for key in _LABELS if isinstance(row.get(key), list)), None)) is not None:
        found = row[key]
    else:
        problems.add("no_annotation", place)
    for one in found:
        if isinstance(one, list) and len(one) == 3 and type(one[0]) is type(one[1]) is int and \
                isinstance(one[2], str) and one[2].strip():
            yield Stated(one[0], one[1], one[2], None, place)
        else:
            problems.add("bad_line", place, str(one)[:60])


def write_doccano(path: Path, annotations: Iterable[Annotation], *, problems: Optional[Problems] = None,
                  written: Written = untold) -> int:
    """Write documents for import into a project of sequence labelling that allows overlapping spans.

    path (Path): The file.
    annotations (Iterable[Annotation]): The records.
    problems (Optional[Problems]): Takes note of scores, identifiers, attributes and notes, which are not held.
    written (Written): Is told each record as it was written, before the next is taken.
    RETURNS (int): How many were written.
    """
    problems = strict_unless(problems)

    def to_rows() -> Iterator[Dict[str, Any]]:
        for annotation in annotations:
            row: Dict[str, Any] = {
                "text": annotation.text, "record_id": annotation.id, "text_hash": hash_text(annotation.text),
                "label": [[mention.start, mention.end, mention.label] for mention in annotation.mentions]}
            if annotation.meta:
                row["meta"] = annotation.meta
            note_losses(annotation, problems, held=("meta",))
            yield row
            written(annotation)

    return write_json_lines(path, to_rows())
