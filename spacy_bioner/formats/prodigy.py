"""Prodigy: a JSON task a line with tokens and spans, nested ones too, as `spans.manual` takes and gives them."""

from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Set, Tuple

from ..annotation import Annotation, check_score, choose_id
from ..errors import BionerError, Errors
from ..files import read_json_lines, write_json_lines
from ..tokens import find_units
from .parsing.lines import refuse_half_characters
from .parsing.problems import Problems, Written, strict_unless, untold
from .parsing.spans import Stated, ground_mentions, read_grounding
from .parsing.tool_records import hash_text, is_new, note_relations, read_tool_details, sign_meta

_DETAILS = ("ids", "attributes", "note")


def read_prodigy(path: Path, *, problems: Optional[Problems] = None) -> Iterator[Annotation]:
    """Read a dataset as `prodigy db-out` writes it.

    path (Path): The file.
    problems (Optional[Problems]): Takes note of what cannot be read, and of tasks that were rejected or ignored;
        without it that is an error.
    YIELDS (Annotation): The accepted tasks, and those without an answer; a task without id gets `<file stem>-<line>`.
    RAISES BionerError: E001 to E003 with file and line, E030 for a score that is none.
    """
    problems = strict_unless(problems)
    seen: Set[str] = set()
    for number, task in read_json_lines(path):
        place = f"{path}, line {number}"
        text = task.get("text")
        if not isinstance(text, str):
            problems.add("without_text", place)
            continue
        answer, spans = task.get("answer"), task.get("spans")
        if answer not in (None, "accept"):
            problems.add("not_accepted", place, str(answer)[:60])
            continue
        note_relations(task.get("relations"), place, problems)
        if isinstance(spans, list):
            if answer is None:
                problems.add("from_predictions", place)
        elif answer is None or spans is not None:
            problems.add("no_annotation", place)
        mentions = ground_mentions(text, list(_read_spans(task, place, problems)), problems=problems)
        meta = sign_meta(task.get("meta"), task.get("_annotator_id") if answer else None,
                         task.get("_timestamp") if answer else None)
        id = choose_id(task.get("id"), f"{path.name.split('.')[0]}-{number}")
        annotation = Annotation(text, mentions, id=id, meta=meta)
        refuse_half_characters(annotation, place)
        if is_new(annotation, task.get("text_hash"), seen, place, problems):
            yield annotation


def _read_spans(task: Dict[str, Any], place: str, problems: Problems) -> Iterator[Stated]:
    tokens = task.get("tokens")
    spans = task.get("spans")
    for span in spans if isinstance(spans, list) else ():
        offsets = _find_offsets(span, tokens if isinstance(tokens, list) else []) if isinstance(span, dict) else None
        if offsets is None or not isinstance(span.get("label"), str) or not span["label"].strip():
            problems.add("bad_line", place, str(span)[:60])
            continue
        try:
            score = check_score(span.get("score"))
        except BionerError as error:
            raise BionerError(Errors.E030.format(place=place, why=error)) from None
        surface = span.get("text")
        yield Stated(*offsets, span["label"], surface if isinstance(surface, str) else None, place, score=score,
                     grounding=read_grounding(span.get("grounding"), place, problems),
                     details=read_tool_details({key: span.get(key) for key in _DETAILS}, place))


def _find_offsets(span: Dict[str, Any], tokens: List[Any]) -> Optional[Tuple[int, int]]:
    """Return the characters of a span, or those of its tokens where it has only these; None where it has neither."""
    if type(span.get("start")) is int and type(span.get("end")) is int:
        return span["start"], span["end"]
    # The last token of a span belongs to it.
    try:
        by_number = {token.get("id", number): token for number, token in enumerate(tokens) if isinstance(token, dict)}
        start, end = by_number[span["token_start"]]["start"], by_number[span["token_end"]]["end"]
    except (KeyError, TypeError):
        return None
    return (start, end) if type(start) is type(end) is int else None


def write_prodigy(path: Path, annotations: Iterable[Annotation], *, problems: Optional[Problems] = None,
                  written: Written = untold) -> int:
    """Write tasks for `prodigy spans.manual DATASET MODEL FILE`, with the mentions as spans.

    path (Path): The file.
    annotations (Iterable[Annotation]): The records.
    problems (Optional[Problems]): Unused, the format holds all that a record has.
    written (Written): Is told each record as it was written, before the next is taken.
    RETURNS (int): How many were written.
    """
    def to_tasks() -> Iterator[Dict[str, Any]]:
        for annotation in annotations:
            yield _to_task(annotation)
            written(annotation)

    return write_json_lines(path, to_tasks())


def _to_task(annotation: Annotation) -> Dict[str, Any]:
    places = cut_tokens(annotation)
    tokens = [{"text": annotation.text[start:end], "start": start, "end": end, "id": number,
               "ws": annotation.text[end:end + 1] == " "} for number, (start, end) in enumerate(places)]
    first = {start: number for number, (start, _) in enumerate(places)}
    last = {end: number for number, (_, end) in enumerate(places)}
    spans = []
    for mention in annotation.mentions:
        span: Dict[str, Any] = {"start": mention.start, "end": mention.end, "token_start": first[mention.start],
                                "token_end": last[mention.end], "label": mention.label, **mention.details()}
        if mention.score is not None:
            span["score"] = round(mention.score, 6)
        if mention.grounding is not None:
            span["grounding"] = mention.grounding
        spans.append(span)
    task = {"text": annotation.text, "id": annotation.id, "text_hash": hash_text(annotation.text), "tokens": tokens,
            "spans": spans, "_view_id": "spans_manual"}
    return {**task, "meta": annotation.meta} if annotation.meta else task


def cut_tokens(annotation: Annotation) -> List[Tuple[int, int]]:
    """Return the pre-tokens of a text, cut where a mention begins or ends inside one, so that the tool shows it."""
    edges = sorted({edge for mention in annotation.mentions for edge in (mention.start, mention.end)})
    places = []
    for start, end in find_units(annotation.text):
        cuts = [start, *(edge for edge in edges if start < edge < end), end]
        places += list(zip(cuts, cuts[1:]))
    return places
