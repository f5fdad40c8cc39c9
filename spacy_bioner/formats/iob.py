"""CoNLL: one token a line with its columns, a blank line after each sentence; IOB tags in one or more columns.

What is written has a column of tags for each depth of nesting, and says so as CoNLL-U Plus does: a first line
`# global.columns = FORM NER NER`, and before each sentence `# sent_id = ...` and `# text = ...`, so that the text comes
back as it was. Of files without the first line the first column is the token and the last one the tag; where the first
one numbers the tokens, as in CoNLL-U, the token is in the second. Other lines that begin with # are comments, unless
they have the columns of a token.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import chain
from operator import lt
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from ..annotation import Annotation
from ..errors import BionerError, Errors
from ..files import open_atomic
from ..loading import parse_json
from ..tokens import find_units
from .parsing.lines import note_open_end, read_all_lines
from .parsing.problems import Problems, Written, note_losses, strict_unless, untold
from .parsing.spans import Stated, ground_mentions
from .parsing.tags import OUTSIDE, is_tag, join_tokens, layers_to_mentions, mentions_to_layers, place_tokens, read_tags

_COMMENT = re.compile(r"#\s*(global\.columns|sent_id|sentence_id|newdoc id|text)\s*=\s?(.*)")
_ID_COMMENT = re.compile(r"#\s*id\s+(\S+).*")
# A line that begins a document, as JNLPBA has it: ###MEDLINE:95369245.
_DOCUMENT = re.compile(r"#+\s*(?:MEDLINE|PMID|PMCID|PMC|DOC|DOCID)\s*[:=]\s*(\S+)\s*", re.IGNORECASE)
# Comments that begin a sentence, also where the blank line before it is missing.
_STARTS = ("sent_id", "newdoc id")
_FORM, _TAG = "FORM", "NER"
_NUMBER = re.compile("[0-9]{1,12}")
# What CoNLL-U has beside the tokens: the surface that several of them make (1-2), and words that no text has (1.1).
_BESIDE = re.compile("[0-9]+[-.][0-9]+")
_DOCSTART = "-DOCSTART-"
# What stands in the column of tags of a line that is none: a word or a rule, no damaged tag (B-) or placeholder (_).
_NO_TAG = re.compile(r"[^\W_]{2}|(\W)\1")
# Labels of the tags of phrases, which CoNLL 2000 and 2003 have in a column of their own.
_PHRASES = frozenset("ADJP ADVP CONJP INTJ LST NP PP PRT SBAR UCP VP".split())


@dataclass
class _Sentence:
    """The lines of a sentence.

    place (str): File and line of its first token.
    comments (Dict[str, str]): What the comments before it say, by key.
    rows (List[List[str]]): The columns of each token.
    document (str): Id of the document that it belongs to, where the file says it.
    """

    place: str = ""
    comments: Dict[str, str] = field(default_factory=dict)
    rows: List[List[str]] = field(default_factory=list)
    document: str = ""


def read_iob(path: Path, *, problems: Optional[Problems] = None, columns: Sequence[str] = (),
             label: str = "") -> Iterator[Annotation]:
    """Read sentences one by one.

    path (Path): The file; columns are apart by tabs, or by blanks where a line has no tab.
    problems (Optional[Problems]): Takes note of what cannot be read; without it that is an error.
    columns (Sequence[str]): Names of the columns, FORM for the token and NER for tags, others are passed over; by
        default the first is FORM, or the second where the first numbers the tokens, and the last is NER. What the file
        says counts more.
    label (str): Label of tags that have none, as in B, I and O.
    YIELDS (Annotation): The sentences; those without an id get that of their document, or `<file stem>-<number>`.
    RAISES BionerError: E022 where no column is called FORM or NER, E052 where the first column of the file is no
        token, E031 at the end of a file without any tag.
    """
    problems = strict_unless(problems)
    path = Path(path)
    stem = path.name.split(".")[0]
    number, has_tags = 0, False
    document, of_document = "", 0
    unnamed_form = 0 if columns else _find_form(path)
    for number, sentence in enumerate(_read_sentences(path, columns, problems), start=1):
        names = sentence.comments.get("global.columns", "").split()
        if names and columns and number == 1:
            _check_names(columns, len(sentence.rows[0]), sentence.place)
            if names != list(columns):
                problems.add("named_columns", sentence.place, " ".join(names))
        form, tags = _find_columns(names or list(columns), len(sentence.rows[0]), sentence.place, unnamed_form)
        if unnamed_form and not names:
            sentence.rows = _drop_beside(sentence, problems)
        has_tags = has_tags or any(is_tag(row[column], bare=True) for row in sentence.rows for column in tags)
        id = f"{stem}-{number}"
        if sentence.document:
            of_document = of_document + 1 if sentence.document == document else 1
            document = sentence.document
            id = f"{document}-{of_document}" if of_document > 1 else document
        yield _to_annotation(sentence, form, tags, label, id, problems, named=bool(columns))
    note_open_end(path, problems)
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


def _read_sentences(path: Path, columns: Sequence[str], problems: Problems) -> Iterator[_Sentence]:
    """Yield the sentences; the column names of the file are among the comments of each."""
    shared: Dict[str, str] = {}
    document = ""
    width: Optional[int] = None
    comments: Dict[str, str] = {}
    lines: List[Tuple[int, str]] = []
    for number, line in chain(read_all_lines(path), [(0, "")]):
        comment = _read_comment(line)
        if lines and (not line.strip() or comment and comment[0] in _STARTS):
            names = shared.get("global.columns", "").split() or list(columns)
            rows = _find_rows(lines, width, names, str(path), problems)
            if rows:
                width = len(rows[0][1])
                place = f"{path}, line {rows[0][0]}"
                yield _Sentence(place, {**shared, **comments}, [row for _, row in rows], document)
                comments = {}
            lines = []
        if comment and comment[0] == "global.columns":
            shared = dict([comment])
        elif comment and comment[0] == "newdoc id":
            document = comment[1]
        elif comment:
            comments.setdefault(*comment)
        elif line.startswith("{") and _is_json(line):
            problems.add("bad_line", f"{path}, line {number}", f"JSON: {line[:60]}")
        elif line.strip():
            lines.append((number, line))


def _read_comment(line: str) -> Optional[Tuple[str, str]]:
    """Return the key and value of a comment that is known by its form, else None."""
    if not line.startswith("#") or "\t" in line[:2]:
        return None
    if found := _DOCUMENT.fullmatch(line):
        return "newdoc id", found[1]
    if found := _ID_COMMENT.fullmatch(line):
        # Of four columns this may be a token.
        return None if is_tag(line.split()[-1]) else ("sent_id", found[1])
    if found := _COMMENT.fullmatch(line):
        return found[1].replace("sentence_id", "sent_id"), found[2]
    return None


def _find_rows(lines: Sequence[Tuple[int, str]], width: Optional[int], names: Sequence[str], path: str,
               problems: Problems) -> List[Tuple[int, List[str]]]:
    """Tell the tokens of a sentence from its comments.

    lines (Sequence[Tuple[int, str]]): Number and text of its lines.
    width (Optional[int]): Columns of the sentence before; None for the first one.
    names (Sequence[str]): Names of the columns, where they are known.
    path (str): The file, for problems.
    problems (Problems): Takes note of lines of another width than most, and of headings.
    RETURNS (List[Tuple[int, List[str]]]): Line number and columns of each token, all of the same width.
    """
    # Other white space, as U+3000, is a token of a file with one character a line.
    rows = [(number, line.split("\t") if "\t" in line else re.split(" +", line.strip(" "))) for number, line in lines]
    rows = [(number, row) for number, row in rows if not row[0].startswith(_DOCSTART)]
    heading = _find_heading(rows, names, first=width is None)
    for number, row in heading:
        problems.add("bad_line", f"{path}, line {number}", f"no tag: {' '.join(row)[:60]}")
    rows = [row for row in rows if row not in heading] if heading else rows
    certain = [len(row) for _, row in rows if not row[0].startswith("#")]
    width = Counter(certain).most_common(1)[0][0] if certain else width
    kept: List[Tuple[int, List[str]]] = []
    for number, row in rows:
        if row[0].startswith("#") and not _is_token(row, width, names):
            # With the tag of a token it is no comment, but a token that lacks a column.
            if kept and is_tag(row[-1]):
                problems.add("bad_line", f"{path}, line {number}", f"{len(row)} columns where most have {width}")
        elif width is not None and len(row) != width:
            why = f"{len(row)} columns where most tokens have {width}: {row[0][:60]}"
            problems.add("bad_line", f"{path}, line {number}", why)
        else:
            kept.append((number, row))
    return kept


def _find_heading(rows: Sequence[Tuple[int, List[str]]], names: Sequence[str], *,
                  first: bool) -> List[Tuple[int, List[str]]]:
    """Return the lines that stand above the tokens without a # before them: comments, and the names of the columns.

    rows (Sequence[Tuple[int, List[str]]]): Line number and columns of each line.
    names (Sequence[str]): Names of the columns, where they are known.
    first (bool): Whether it is the first sentence of the file, where alone the names of the columns stand.
    """
    heading: List[Tuple[int, List[str]]] = []
    rows = [(number, row) for number, row in rows if row[0] and not row[0].startswith("#")]
    for at, (number, row) in enumerate(rows, start=1):
        if not all(map(_NO_TAG.match, _tags_of(row, names))) or _has_tag(row, names):
            break
        # What begins with a letter may be a token whose tag is odd, unless all others have a tag.
        if row[0][0].isalnum() and not (first and rows[at:] and all(_has_tag(other, names) for _, other in rows[at:])):
            break
        heading.append((number, row))
    return heading


def _has_tag(row: Sequence[str], names: Sequence[str]) -> bool:
    return any(is_tag(tag, bare=True) for tag in _tags_of(row, names))


def _tags_of(row: Sequence[str], names: Sequence[str]) -> List[str]:
    """Return what a line has in the columns of tags."""
    return [row[column] for column, name in enumerate(names) if name == _TAG] if len(names) == len(row) else [row[-1]]


def _is_token(row: Sequence[str], width: Optional[int], names: Sequence[str]) -> bool:
    """Return whether a line that begins with # has the regular columns, with tags where tags belong."""
    if len(row) < 2 or width not in (None, len(row)) or " " in row[0].strip():
        return False
    return all(is_tag(tag, bare=True) for tag in _tags_of(row, names))


def _is_json(line: str) -> bool:
    """Return whether a line is a JSON object, and so of a file that was taken for another format."""
    try:
        return isinstance(parse_json(line), dict)
    except ValueError:
        return False


def _to_annotation(sentence: _Sentence, form: int, tags: List[int], label: str, id: str,
                   problems: Problems, *, named: bool) -> Annotation:
    words = [row[form] for row in sentence.rows]
    placed = place_tokens(sentence.comments.get("text"), words)
    exact = placed is not None and "text" in sentence.comments
    if placed is None:
        problems.add("token_not_found", sentence.place, sentence.comments["text"][:60])
        placed = join_tokens(words)
    text, tokens = placed
    stated: List[Stated] = []
    for column in tags:
        stated += read_tags([row[column] for row in sentence.rows], tokens, place=sentence.place, problems=problems,
                            label=label)
    if "global.columns" not in sentence.comments and not named:
        _note_unread(sentence, tags, problems)
    mentions = ground_mentions(text, stated, problems=problems)
    meta = {"unit": "sentence", "detokenized": exact}
    if sentence.document:
        meta["document"] = sentence.document
    return Annotation(text, mentions, id=sentence.comments.get("sent_id", id), meta=meta)


def _note_unread(sentence: _Sentence, tags: List[int], problems: Problems) -> None:
    """Note a column that has nothing but tags, not those of phrases, and is not read, since nothing names it."""
    for column in range(1, len(sentence.rows[0])):
        labels = {row[column].partition("-")[2] for row in sentence.rows if row[column] != OUTSIDE}
        if column not in tags and labels - _PHRASES and all(is_tag(row[column]) for row in sentence.rows):
            problems.add("unread_tags", sentence.place, f"column {column + 1}: {', '.join(sorted(labels))[:60]}")


def _check_names(names: Sequence[str], width: int, place: str) -> None:
    """Refuse names of columns without one for the token and one for tags: BionerError E022."""
    if names.count(_FORM) != 1 or _TAG not in names:
        raise BionerError(Errors.E022.format(place=place, names=" ".join(names), width=width))


def _find_columns(names: List[str], width: int, place: str, unnamed_form: int) -> Tuple[int, List[int]]:
    """Return place of the token, and of the tags."""
    if not names:
        return unnamed_form if width > 2 else 0, [width - 1] if width > 1 else []
    _check_names(names, width, place)
    if len(names) != width:
        raise BionerError(Errors.E022.format(place=place, names=" ".join(names), width=width))
    return names.index(_FORM), [number for number, name in enumerate(names) if name == _TAG]


def _find_form(path: Path) -> int:
    """Return the column of the tokens where nothing names it: the second where the first numbers the tokens.

    path (Path): The file, which is read up to the first sentence whose first column may hold its tokens.
    RETURNS (int): 0 or 1.
    RAISES BionerError: E052 where all sentences have numbers or one value there, as the id of a document, and the
        second column cannot be taken for the tokens.
    """
    numbers, values = [True, True], [True, True]
    longer: Optional[_Sentence] = None
    for sentence in _read_sentences(path, (), Problems()):
        if len(sentence.rows[0]) < 3 or "global.columns" in sentence.comments:
            return 0
        for column in (0, 1):
            words = [row[column] for row in sentence.rows]
            numbers[column] = numbers[column] and _is_numbering(words)
            values[column] = values[column] and len(set(words)) == 1
        if not numbers[0] and not values[0]:
            return 0
        if longer is None and len(sentence.rows) > 1:
            longer = sentence
    # One token alone does not tell.
    if longer is None:
        return 0
    if numbers[0] and not numbers[1] and not values[1]:
        return 1
    raise BionerError(Errors.E052.format(place=longer.place, found=longer.rows[0][0][:60]))


def _is_numbering(words: Sequence[str]) -> bool:
    """Return whether words are whole numbers that rise, with what CoNLL-U has beside the tokens."""
    numbers = [int(word) for word in words if _NUMBER.fullmatch(word)]
    beside = sum(bool(_BESIDE.fullmatch(word)) for word in words)
    return bool(numbers) and len(numbers) + beside == len(words) and all(map(lt, numbers, numbers[1:]))


def _drop_beside(sentence: _Sentence, problems: Problems) -> List[List[str]]:
    """Return the rows that are tokens of a sentence whose first column numbers them; a mention beside them is noted."""
    for row in sentence.rows:
        if _BESIDE.fullmatch(row[0]) and row[-1] != OUTSIDE and is_tag(row[-1], bare=True):
            problems.add("bad_line", sentence.place, f"token {row[0]} has the tag '{row[-1]}'")
    return [row for row in sentence.rows if not _BESIDE.fullmatch(row[0])]
