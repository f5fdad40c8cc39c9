"""Corpus files to annotations and back; one format a file, looked up by name and loaded when it is used."""

from importlib import import_module
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, NamedTuple, Optional, Tuple

from ..annotation import Annotation
from ..errors import BionerError, Errors
from ..loading import is_gzip
from .parsing.problems import Problems, Written, untold
from .plain_text import find_annotated_form, read_plain_text


class Format(NamedTuple):
    """Where a format is read and written.

    module (str): Module of this package that has `read_<word>` and `write_<word>`.
    word (str): The word in the names of these functions.
    endings (Tuple[str, ...]): Ends of file names that make the format certain; .gz may follow.
    """

    module: str
    word: str
    endings: Tuple[str, ...]

    @property
    def read(self) -> Callable[..., Iterator[Annotation]]:
        return getattr(import_module(f".{self.module}", __name__), f"read_{self.word}")

    @property
    def write(self) -> Callable[..., int]:
        return getattr(import_module(f".{self.module}", __name__), f"write_{self.word}")


# Formats with files that may lack all annotation; their readers take `raw`.
_MAY_BE_RAW = ("jsonl", "brat", "docbin")

# Name of plain text, which is read and not written.
TEXT = "text"
FORMATS: Dict[str, Format] = {
    "jsonl": Format("jsonl", "jsonl", (".jsonl",)),
    "pubtator": Format("pubtator", "pubtator", (".pubtator", ".pubtator.txt")),
    "bioc": Format("bioc", "bioc", (".bioc", ".xml", ".bioc.json", ".bioc.jsonl")),
    "brat": Format("brat", "brat", (".ann", ".a1", ".brat")),
    "iob": Format("iob", "iob", (".iob", ".iob2", ".bio", ".conll")),
    "hf": Format("hf", "hf", (".hf.jsonl", ".hf.json")),
    "labelstudio": Format("labelstudio", "labelstudio", (".labelstudio.json",)),
    "doccano": Format("doccano", "doccano", (".doccano.jsonl",)),
    "prodigy": Format("prodigy", "prodigy", (".prodigy.jsonl",)),
    "inception": Format("inception", "inception", (".xmi",)),
    "spacy": Format("docbin", "docbin", (".spacy",)),
}


def get_format(name: str) -> Format:
    """Return the format of that name; raises BionerError E012 where there is none."""
    if name not in FORMATS:
        raise BionerError(Errors.E012.format(name=name, available=", ".join(FORMATS)))
    return FORMATS[name]


def guess_format(path: Path) -> str:
    """Find a format by the name of a file.

    path (Path): The file.
    RETURNS (str): Name of the format.
    RAISES BionerError: E013 if the name fits no format.
    """
    if is_brat_folder(path):
        return "brat"
    if Path(path).is_dir() and any(file_.name.lower().endswith(".xmi") for file_ in Path(path).iterdir()):
        return "inception"
    if is_plain_text(path) and Path(path).is_file() and find_annotated_form(path) == "pubtator":
        return "pubtator"
    name = Path(path).name.lower().removesuffix(".gz")
    fitting = [(len(ending), format_) for format_, (_, _, endings) in FORMATS.items()
               for ending in endings if name.endswith(ending)]
    if fitting:
        return max(fitting)[1]
    raise BionerError(Errors.E013.format(path=path, available=", ".join(FORMATS), endings=", ".join(
        format_.endings[0] for format_ in FORMATS.values())))


def is_plain_text(path: Path) -> bool:
    """Return whether a path holds texts and no annotation: a .txt file, or a folder with such files alone."""
    path = Path(path)
    if path.is_dir():
        names = [file_.name.lower() for file_ in path.iterdir()]
        return any(name.endswith(".txt") for name in names) and not any(
            name.endswith((".ann", ".a1", ".a2")) or is_corpus_file(Path(name)) for name in names)
    return path.name.lower().endswith((".txt", ".txt.gz")) and not is_corpus_file(path)


def is_corpus_file(path: Path) -> bool:
    """Return whether the name of a file makes its format certain."""
    name = Path(path).name.lower().removesuffix(".gz")
    return any(name.endswith(ending) for format_ in FORMATS.values() for ending in format_.endings)


def is_brat_folder(path: Path) -> bool:
    """Return whether a folder holds annotations of BRAT, or texts and no corpus file."""
    if not Path(path).is_dir():
        return False
    names = [file_.name.lower() for file_ in Path(path).iterdir()]
    texts = any(name.endswith(".txt") for name in names)
    return any(name.endswith((".ann", ".a1", ".a2")) for name in names) or \
        texts and not any(is_corpus_file(Path(name)) for name in names)


def read_annotations(path: Path, format: str = "", *, problems: Optional[Problems] = None, raw: bool = False,
                     **options: Any) -> Iterator[Annotation]:
    """Read a corpus file of any format.

    path (Path): The file, or the folder for formats of many files.
    format (str): Name of the format; by default as the name of the file says. "text", the default for .txt files and
        folders of them, is raw text.
    problems (Optional[Problems]): Takes note of what is left out; without it that is an error.
    raw (bool): Whether the texts are raw text; without it, files without any annotation are an error.
    options (Any): What the reader of the format takes besides.
    YIELDS (Annotation): The annotations, in file order.
    RAISES BionerError: E001 where there is nothing, E012 and E013 for the format, and those of the reader.
    """
    path = Path(path)
    # Of tagged tokens the columns have to be told.
    if format == TEXT or not format and path.exists() and is_plain_text(path) and not find_annotated_form(path):
        yield from read_plain_text(path, problems=problems, raw=raw)
        return
    if not path.exists() and not path.with_name(f"{path.name}.gz").exists() and not is_gzip(path):
        raise BionerError(Errors.E001.format(path=path, wanted="file or folder"))
    name = format or guess_format(path)
    found = get_format(name)
    if found.module in _MAY_BE_RAW:
        options["raw"] = raw
    yield from found.read(path, problems=problems, **options)


def write_annotations(path: Path, annotations: Iterable[Annotation], format: str = "", *,
                      problems: Optional[Problems] = None, written: Written = untold) -> int:
    """Write a corpus file of any format, whole or not at all.

    path (Path): The file, or the folder for formats of many files.
    annotations (Iterable[Annotation]): The annotations.
    format (str): Name of the format; by default as the name of the file says.
    problems (Optional[Problems]): Takes note of what the format cannot hold; without it that is an error.
    written (Written): Is told each annotation as it was written, before the next is taken.
    RETURNS (int): How many were written.
    """
    name = format or guess_format(path)
    return get_format(name).write(path, annotations, problems=problems, written=written)
