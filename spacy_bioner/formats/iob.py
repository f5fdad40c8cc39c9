"""CoNLL: one token a line with its columns, a blank line after each sentence; IOB tags in one or more columns.

What is written has a column of tags for each depth of nesting, and says so as CoNLL-U Plus does: a first line
`# global.columns = FORM NER NER`, and before each sentence `# sent_id = ...` and `# text = ...`, so that the text comes
back as it was. Of files without the first line the first column is the token and the last one the tag.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from ..annotation import Annotation
from ..errors import BionerError, Errors
from ..files import open_atomic
from ..tokens import find_units
from .parsing.lines import read_all_lines
from .parsing.problems import Problems, Written, note_losses, strict_unless, untold
from .parsing.spans import Stated, ground_mentions
from .parsing.tags import OUTSIDE, is_tag, layers_to_mentions, mentions_to_layers, place_tokens, read_tags

_COMMENT = re.compile(r"#\s*(global\.columns|sent_id|newdoc id|text)\s*=\s?(.*)")
_FORM, _TAG = "FORM", "NER"


@dataclass
class _Sentence:
    """The lines of a sentence."""

    place: str = ""
    comments: Dict[str, str] = field(default_factory=dict)
    rows: List[List[str]] = field(default_factory=list)


def read_iob(path: Path, *, problems: Optional[Problems] = None,
             columns: Sequence[str] = ()) -> Iterator[Annotation]:
    """Read sentences one by one.

    path (Path): The file; columns are apart by tabs, or by blanks where a line has no tab.
    problems (Optional[Problems]): Takes note of what cannot be read; without it that is an error.
    columns (Sequence[str]): Names of the columns, FORM for the token and NER for tags, others are passed over; by
        default the first is FORM and the last NER. What the file says counts more.
    YIELDS (Annotation): The sentences; those without an id get `<file stem>-<number>`.
    RAISES BionerError: E022 where no column is called FORM or NER, E031 at the end of a file without any tag.
    """
    problems = strict_unless(problems)
    path = Path(path)
    stem = path.name.split(".")[0]
    number, has_tags = 0, False
    for number, sentence in enumerate(_read_sentences(path, problems), start=1):
        names = sentence.comments.get("global.columns", "").split()
        if names and columns and number == 1:
            _check_names(columns, len(sentence.rows[0]), sentence.place)
            if names != list(columns):
                problems.add("named_columns", sentence.place, " ".join(names))
        form, tags = _find_columns(names or list(columns), len(sentence.rows[0]), sentence.place)
        has_tags = has_tags or any(is_tag(row[column]) for row in sentence.rows for column in tags)
        yield _to_annotation(sentence, form, tags, f"{stem}-{number}", problems)
    # Tokens outside of mentions have the tag O, so this is no corpus without mentions: it is another format.
    if number and not has_tags:
        raise BionerError(Errors.E031.format(path=path))


def write_iob(path: Path, annotations: Iterable[Annotation], *, problems: Optional[Problems] = None,
              written: Written = untold) -> int:
    """Write sentences whose tokens are the units of their texts, whole or not at all.

    path (Path): The file. All columns are known only at the end, so the sentences are held in memory.
    annotations (Iterable[Annotation]): The sentences.
    problems (Optional[Problems]): Takes note of what the format cannot hold; without it that is an error.
    written (Written): Is told each sentence as it was written, before the next is taken.
    RETURNS (int): How many were written.
    """
    problems = strict_unless(problems)
    held: List[Tuple[List[str], List[str], List[List[str]]]] = []
    for annotation in annotations:
        tokens = find_units(annotation.text)
        if not tokens:
            problems.add("unwritable_text", annotation.id, "a text without tokens")
            continue
        layers = mentions_to_layers(annotation, tokens, problems=problems)
        note_losses(annotation, problems)
        words = [annotation.text[start:end] for start, end in tokens]
        held.append((_comments(annotation, problems), words, layers))
        written(annotation.with_mentions(layers_to_mentions(layers, tokens)))
    depth = max((len(layers) for _, _, layers in held), default=1)
    with open_atomic(path) as file_:
        file_.write(f"# global.columns = {_FORM}{f' {_TAG}' * depth}\n")
        for comments, words, layers in held:
            layers = layers + [[OUTSIDE] * len(words)] * (depth - len(layers))
            rows = ["\t".join(row) for row in zip(words, *layers)]
            file_.write("\n".join([*comments, *rows]) + "\n\n")
    return len(held)


def _comments(annotation: Annotation, problems: Problems) -> List[str]:
    text, id = (re.sub(r"[\r\n]", " ", value) for value in (annotation.text, annotation.id))
    if (text, id) != (annotation.text, annotation.id):
        problems.add("changed_text", annotation.id, "line breaks became blanks")
    return ([f"# sent_id = {id}"] if id else []) + [f"# text = {text}"]


def _read_sentences(path: Path, problems: Problems) -> Iterator[_Sentence]:
    """Yield the sentences; the column names of the file are among the comments of each."""
    shared: Dict[str, str] = {}
    current = _Sentence()
    for number, line in read_all_lines(path):
        comment = _COMMENT.fullmatch(line) if "\t" not in line[:2] else None
        if comment and comment[1] == "global.columns":
            shared = {comment[1]: comment[2]}
        elif comment and not current.rows:
            current.comments[comment[1]] = comment[2]
        elif line.startswith("{") and _is_json(line):
            problems.add("bad_line", f"{path}, line {number}", f"JSON: {line[:60]}")
        elif line.strip():
            row = line.split("\t") if "\t" in line else line.split()
            if row[0] != "-DOCSTART-":
                current.place = current.place or f"{path}, line {number}"
                current.rows.append(row)
        elif current.rows:
            yield _checked(current, shared, problems)
            current = _Sentence()
    if current.rows:
        yield _checked(current, shared, problems)


def _checked(sentence: _Sentence, shared: Dict[str, str], problems: Problems) -> _Sentence:
    """RETURNS (_Sentence): With the shared comments, and without rows of another width than the first."""
    width = len(sentence.rows[0])
    whole = [row for row in sentence.rows if len(row) == width]
    for row in sentence.rows:
        if len(row) != width:
            problems.add("bad_line", sentence.place, f"{len(row)} columns where the first token has {width}: {row[0]}")
    return _Sentence(sentence.place, {**shared, **sentence.comments}, whole)


def _is_json(line: str) -> bool:
    """RETURNS (bool): Whether a line is a JSON object, and so of a file that was taken for another format."""
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _to_annotation(sentence: _Sentence, form: int, tags: List[int], id: str, problems: Problems) -> Annotation:
    words = [row[form] for row in sentence.rows]
    placed = place_tokens(sentence.comments.get("text"), words)
    exact = placed is not None and "text" in sentence.comments
    if placed is None:
        problems.add("token_not_found", sentence.place, sentence.comments["text"][:60])
        placed = place_tokens(None, words)
    text, tokens = placed
    stated: List[Stated] = []
    for column in tags:
        stated += read_tags([row[column] for row in sentence.rows], tokens, place=sentence.place, problems=problems)
    mentions = ground_mentions(text, stated, problems=problems)
    meta = {"unit": "sentence", "detokenized": exact}
    return Annotation(text, mentions, id=sentence.comments.get("sent_id", id), meta=meta)


def _check_names(names: Sequence[str], width: int, place: str) -> None:
    """Refuse names of columns without one for the token and one for tags: BionerError E022."""
    if names.count(_FORM) != 1 or _TAG not in names:
        raise BionerError(Errors.E022.format(place=place, names=" ".join(names), width=width))


def _find_columns(names: List[str], width: int, place: str) -> Tuple[int, List[int]]:
    """RETURNS (Tuple[int, List[int]]): Place of the token, and of the tags."""
    if not names:
        return 0, [width - 1] if width > 1 else []
    _check_names(names, width, place)
    if len(names) != width:
        raise BionerError(Errors.E022.format(place=place, names=" ".join(names), width=width))
    return names.index(_FORM), [number for number, name in enumerate(names) if name == _TAG]
