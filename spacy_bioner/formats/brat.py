"""BRAT standoff: a folder with a text file and an annotation file a document; read also with .a1 and .a2 of BioNLP."""

import re
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Optional, Set, Tuple
from urllib.parse import quote, unquote

from ..annotation import Annotation, Mention
from ..errors import BionerError, Errors
from ..files import fill_folder
from ..temporaries import sweep
from .parsing.brat_details import DetailLine, add_details, detail_lines, read_detail
from .parsing.folders import list_files, refuse_outside
from .parsing.lines import note_open_end, read_text
from .parsing.problems import Problems, Written, note_losses, strict_unless, untold
from .parsing.spans import Stated, ground_mentions, is_one_piece

_TEXT_BOUND = re.compile(r"(\S+)\t(\S+) (\d{1,12} \d{1,12}(?:;\d{1,12} \d{1,12})*)(?:\t(.*))?")
_NO_MENTION = {"R": "relation", "*": "relation", "E": "other_annotation", "A": "other_annotation",
               "M": "other_annotation", "N": "other_annotation", "#": "other_annotation"}
# Files with mentions, and those with events that refer to them, whose text-bound lines are their triggers.
MENTIONS = (".ann", ".a1")
_EVENTS = ".a2"
_PARTNERS = {".txt": ".ann", ".ann": ".txt"}
_SAFE = " !,;=@()[]{}+~'"


def read_brat(path: Path, *, problems: Optional[Problems] = None, raw: bool = False) -> Iterator[Annotation]:
    """Read the documents of a folder, in the order of their names.

    path (Path): The folder, or one of the files of a document.
    problems (Optional[Problems]): Takes note of what cannot be read; without it that is an error.
    raw (bool): Whether the texts are raw text, and no annotation is looked for.
    YIELDS (Annotation): The documents; their ids are the names of the files.
    RAISES BionerError: E001 where there is none, E003 where a file is not UTF-8, E041 for a link out of the folder,
        E042 for texts without any annotation file.
    """
    problems = strict_unless(problems)
    path = Path(path)
    texts, beside = _find_documents(path)
    if not texts:
        raise BionerError(Errors.E001.format(path=path, wanted="folder of .txt and .ann files"))
    if not raw and not any(file_.suffix.lower() in MENTIONS for files in beside.values() for file_ in files):
        raise BionerError(Errors.E042.format(path=path))
    named = {text.stem for text in texts}
    for lonely in [file_ for stem, files in beside.items() if stem not in named for file_ in files]:
        problems.add("no_text", str(lonely))
    for text_path in texts:
        text = read_text(text_path)
        stated: List[Stated] = []
        said: List[DetailLine] = []
        files = beside.get(text_path.stem, ()) if not raw else ()
        if not raw and not any(file_.suffix.lower() in MENTIONS for file_ in files):
            problems.add("no_annotation", str(text_path))
        for file_ in files:
            stated += _read_rows(file_, text, said, problems)
            note_open_end(file_, problems)
        stated = add_details(stated, said, problems=problems)
        yield Annotation(text, ground_mentions(text, stated, problems=problems), id=unquote(text_path.stem))


def _find_documents(path: Path) -> Tuple[List[Path], Dict[str, List[Path]]]:
    """Return the texts, and the annotation files of each stem."""
    if not path.exists():
        raise BionerError(Errors.E001.format(path=path, wanted="folder of .txt and .ann files"))
    files = list_files(path if path.is_dir() else path.parent, (".txt", *MENTIONS, _EVENTS))
    if not path.is_dir():
        files = [file_ for file_ in files if file_.stem == path.stem]
    # A file that is named by itself may be a link.
    for file_ in files:
        if file_ != path:
            refuse_outside(file_, path if path.is_dir() else path.parent)
    beside: Dict[str, List[Path]] = {}
    for file_ in files:
        if file_.suffix.lower() != ".txt":
            beside.setdefault(file_.stem, []).append(file_)
    return [file_ for file_ in files if file_.suffix.lower() == ".txt"], beside


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
    sweep(path.parent)
    other = path.name if path.is_file() else _find_other(path)
    if other:
        raise BionerError(Errors.E023.format(path=path, found=other))
    return fill_folder(path, lambda folder: _write_documents(folder, annotations, problems, written))


def _find_other(folder: Path) -> str:
    """Return the name of something in a folder that no writer of this format leaves there, or nothing."""
    # A text without annotations is somebody's note, and what is replaced is gone: each file must have its partner.
    return next((file_.name for file_ in sorted(folder.glob("*"))
                 if file_.suffix not in _PARTNERS or not file_.is_file()
                 or not file_.with_suffix(_PARTNERS[file_.suffix]).is_file()), "")


def _read_rows(path: Path, text: str, said: List[DetailLine], problems: Problems) -> Iterator[Stated]:
    """Yield the mentions of a file; what its lines say of a mention is added to `said`."""
    events = path.suffix.lower() == _EVENTS
    for number, line in enumerate(re.split(r"\r?\n", read_text(path).removeprefix("\ufeff")), start=1):
        place = f"{path}, line {number}"
        row = _TEXT_BOUND.fullmatch(line) if line.startswith("T") else None
        if events and line[:1] in ("T", "E"):
            problems.add("event", place, line[:80])
        elif row:
            fragments = [_read_fragment(fragment) for fragment in row[3].split(";")]
            if is_one_piece(fragments, text):
                yield Stated(fragments[0][0], fragments[-1][1], row[2], row[4], place, name=row[1])
            else:
                problems.add("discontinuous", place, line[:80])
        elif (detail := read_detail(line, place)) is not None:
            said.append(detail)
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
            lines = "".join(f"{line}\n" for line in (*_to_lines(held), *detail_lines(held, problems)))
            (folder / f"{name}.ann").write_bytes(lines.encode("utf8", "surrogatepass"))
            note_losses(annotation, problems, held=("ids", "attributes", "note"))
            written(held)
    return len(names)


def _writable(annotation: Annotation, problems: Problems) -> Annotation:
    """Return the annotation without the mentions whose labels no line can hold; these are noted."""
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
    """Return the parts of a mention that lie on one line, as BRAT writes them."""
    surface = annotation.surface(mention)
    return [(mention.start + part.start(), mention.start + part.end()) for part in re.finditer(r"[^\r\n]+", surface)]


def _read_fragment(fragment: str) -> Tuple[int, int]:
    start, end = map(int, fragment.split())
    return start, end
