"""BRAT standoff: a folder with a text file and an annotation file a document."""

import re
from pathlib import Path
from typing import Iterable, Iterator, List, Optional, Set, Tuple
from urllib.parse import quote, unquote

from ..annotation import Annotation, Mention
from ..errors import BionerError, Errors
from ..files import fill_folder, sweep_beside
from .parsing.lines import read_text
from .parsing.problems import Problems, Written, note_losses, strict_unless, untold
from .parsing.spans import Stated, ground_mentions, is_one_piece

_TEXT_BOUND = re.compile(r"(\S+)\t(\S+) (\d+ \d+(?:;\d+ \d+)*)(?:\t(.*))?")
_NO_MENTION = {"R": "relation", "*": "relation", "E": "other_annotation", "A": "other_annotation",
               "M": "other_annotation", "N": "extra_column", "#": "other_annotation"}
_PARTNERS = {".txt": ".ann", ".ann": ".txt"}
_SAFE = " !,;=@()[]{}+~'"


def read_brat(path: Path, *, problems: Optional[Problems] = None) -> Iterator[Annotation]:
    """Read the documents of a folder, in the order of their names.

    path (Path): The folder, or one of the two files of a document.
    problems (Optional[Problems]): Takes note of what cannot be read; without it that is an error.
    YIELDS (Annotation): The documents; their ids are the names of the files.
    RAISES BionerError: E001 where there is none, E003 where a file is not UTF-8.
    """
    problems = strict_unless(problems)
    path = Path(path)
    texts = sorted(path.glob("*.txt")) if path.is_dir() else [path.with_suffix(".txt")]
    if not path.exists() or not all(text.is_file() for text in texts):
        raise BionerError(Errors.E001.format(path=path, wanted="folder of .txt and .ann files"))
    for lonely in sorted(path.glob("*.ann")) if path.is_dir() else ():
        if not lonely.with_suffix(".txt").is_file():
            problems.add("no_text", str(lonely))
    for text_path in texts:
        text = read_text(text_path)
        stated = list(_read_rows(text_path.with_suffix(".ann"), text, problems))
        yield Annotation(text, ground_mentions(text, stated, problems=problems), id=unquote(text_path.stem))


def write_brat(path: Path, annotations: Iterable[Annotation], *, problems: Optional[Problems] = None,
               written: Written = untold) -> int:
    """Write a folder, whole or not at all; one that holds nothing but texts with their annotations is replaced.

    path (Path): The folder.
    annotations (Iterable[Annotation]): The documents; what a file name cannot hold of an id is percent-encoded.
    problems (Optional[Problems]): Takes note of what the format cannot hold; without it that is an error.
    written (Written): Is told each document as it was written, before the next is taken.
    RETURNS (int): How many documents were written.
    RAISES BionerError: E023 where the folder holds other files.
    """
    problems = strict_unless(problems)
    path = Path(path)
    sweep_beside(path)
    other = path.name if path.is_file() else _find_other(path)
    if other:
        raise BionerError(Errors.E023.format(path=path, found=other))
    return fill_folder(path, lambda folder: _write_documents(folder, annotations, problems, written))


def _find_other(folder: Path) -> str:
    """RETURNS (str): The name of something in a folder that no writer of this format leaves there, or nothing."""
    # A text without annotations is somebody's note, and what is replaced is gone: each file must have its partner.
    return next((file_.name for file_ in sorted(folder.glob("*"))
                 if file_.suffix not in _PARTNERS or not file_.is_file()
                 or not file_.with_suffix(_PARTNERS[file_.suffix]).is_file()), "")


def _read_rows(path: Path, text: str, problems: Problems) -> Iterator[Stated]:
    if not path.is_file():
        return
    for number, line in enumerate(re.split(r"\r?\n", read_text(path).removeprefix("\ufeff")), start=1):
        place = f"{path}, line {number}"
        row = _TEXT_BOUND.fullmatch(line) if line.startswith("T") else None
        if row:
            fragments = [tuple(map(int, fragment.split())) for fragment in row[3].split(";")]
            if is_one_piece(fragments, text):
                yield Stated(fragments[0][0], fragments[-1][1], row[2], row[4], place)
            else:
                problems.add("discontinuous", place, line[:80])
        elif line.strip():
            problems.add(_NO_MENTION.get(line[0], "bad_line"), place, line[:80])


def _write_documents(folder: Path, annotations: Iterable[Annotation], problems: Problems, written: Written) -> int:
    names: Set[str] = set()
    for annotation in annotations:
        name = quote(annotation.id, safe=_SAFE)
        if not name.strip(". ") or len(name) > 240:
            problems.add("unwritable_text", annotation.id, "the id cannot be the name of a file")
        elif name.lower() in names:
            problems.add("repeated_document", annotation.id)
        else:
            names.add(name.lower())
            (folder / f"{name}.txt").write_bytes(annotation.text.encode("utf8", "surrogatepass"))
            held = _writable(annotation, problems)
            lines = "".join(f"{line}\n" for line in _to_lines(held))
            (folder / f"{name}.ann").write_bytes(lines.encode("utf8", "surrogatepass"))
            note_losses(annotation, problems)
            written(held)
    return len(names)


def _writable(annotation: Annotation, problems: Problems) -> Annotation:
    """RETURNS (Annotation): Without the mentions whose labels no line can hold; these are noted."""
    kept = []
    for mention in annotation.mentions:
        if not mention.label or mention.label != "".join(mention.label.split()):
            problems.add("unwritable_label", annotation.id, repr(mention.label))
        else:
            kept.append(mention)
    return annotation.with_mentions(kept)


def _to_lines(annotation: Annotation) -> Iterator[str]:
    for number, mention in enumerate(annotation.mentions, start=1):
        parts = _between_line_ends(annotation, mention)
        offsets = ";".join(f"{start} {end}" for start, end in parts)
        surface = " ".join(annotation.text[start:end] for start, end in parts)
        yield f"T{number}\t{mention.label} {offsets}\t{surface}"


def _between_line_ends(annotation: Annotation, mention: Mention) -> List[Tuple[int, int]]:
    """RETURNS (List[Tuple[int, int]]): The parts of a mention that lie on one line, as BRAT writes them."""
    surface = annotation.surface(mention)
    return [(mention.start + part.start(), mention.start + part.end()) for part in re.finditer(r"[^\r\n]+", surface)]
