"""Reading lines, and writing whole files and folders: what is there is complete."""

import errno
import gzip
import json
import os
import shutil
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Callable, Dict, Iterable, Iterator, Tuple, TypeVar, Union

from .errors import BionerError, Errors
from .loading import BROKEN_COMPRESSION, is_gzip, iterate_lines, open_bounded, parse_json
from .temporaries import temporary_file, temporary_folder

Filled = TypeVar("Filled")
# Errors of a disk, a quota or a file that is full.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def open_atomic(path: Path, mode: str = "w", *, private: bool = False) -> Iterator[IO[Any]]:
    """Open a temporary file beside the path that takes its name when the block ends well.

    path (Path): The file to write; its folder is made. A name ending in .gz is compressed.
    mode (str): "w" for UTF-8 text, "wb" for bytes.
    private (bool): Whether only the user may read the file (documents, replies).
    YIELDS (IO): The open file. On an error it is removed and the old file stays.
    RAISES BionerError: E727 where no file can take this place.
    """
    path = Path(path)
    refuse_unwritable(path)
    text: Dict[str, Any] = {} if "b" in mode else {"encoding": "utf8", "newline": "\n"}
    opener: Any = gzip.open if is_gzip(path) else open
    with temporary_file(path) as temporary:
        with naming(path), opener(temporary, mode if "b" in mode else "wt", **text) as file_:
            yield file_
        os.chmod(temporary, 0o600 if private else 0o666 & ~_umask())
        os.replace(temporary, path)


@contextmanager
def naming(path: Union[str, Path]) -> Iterator[None]:
    """Name the file in an error of a full disk, which the system raises without one.

    path (Union[str, Path]): What is written.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno in _FULL:
            error.filename = str(path)
        raise


def refuse_unwritable(path: Path) -> None:
    """Refuse a path that no file can have, before work is spent on what should be written to it.

    path (Path): The file to write.
    RAISES BionerError: E727 where a folder or a device stands in its place, or a file in that of its folder.
    """
    path = Path(path)
    if path.is_dir():
        raise BionerError(Errors.E727.format(path=path, found="it is a folder"))
    if path.exists() and not path.is_file():
        raise BionerError(Errors.E727.format(path=path, found="it is a device or pipe"))
    above = next((folder for folder in path.parents if folder.exists()), None)
    if above is not None and not above.is_dir():
        raise BionerError(Errors.E727.format(path=path, found=f"{above} is a file, not a folder"))


def _umask() -> int:
    """Return the process's umask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def read_lines(path: Path) -> Iterator[Tuple[int, str]]:
    """Yield the non-empty lines of a UTF-8 text file, gzip-compressed or not, with their numbers.

    path (Path): The file; a byte order mark at its start is passed over.
    YIELDS (Tuple[int, str]): Line number from 1, and the line without its end.
    RAISES BionerError: E001 where there is no such file, E003 where it is not UTF-8 or not whole gzip.
    """
    # Decoded line by line, since a decoder that runs ahead does not know in which line it fails.
    for number, raw in read_raw_lines(path):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise BionerError(Errors.E003.format(path=path, line=number, why=error)) from None
        if line.strip():
            yield number, line


def read_raw_lines(path: Path, *, offset: int = 0, before: int = 0) -> Iterator[Tuple[int, bytes]]:
    """Yield the lines of a file undecoded, empty ones too, with their numbers.

    path (Path): The file, gzip-compressed or not.
    offset (int): Byte at which to begin, where a line does.
    before (int): Lines before that byte.
    YIELDS (Tuple[int, bytes]): Line number from 1, and the line with its end.
    RAISES BionerError: E001 where there is no such file, E003 where it is not whole gzip, E038 to E040 where it is
        larger than the bounds of `loading`.
    """
    number = before
    try:
        with open_bounded(path) as file_:
            if offset:
                file_.seek(offset)
            for number, line in enumerate(iterate_lines(file_, path, before=before), start=before + 1):
                yield number, line
    except BROKEN_COMPRESSION as error:
        raise BionerError(Errors.E003.format(path=path, line=number + 1, why=error)) from None


def read_json_lines(path: Path) -> Iterator[Tuple[int, Dict[str, Any]]]:
    """Yield the objects of a JSON Lines file with their line numbers.

    path (Path): `.jsonl` or `.jsonl.gz`.
    YIELDS (Tuple[int, Dict[str, Any]]): Line number from 1, and the object.
    RAISES BionerError: E002 where a line is no JSON object.
    """
    for number, line in read_lines(path):
        yield number, parse_record(line, path, number)


def parse_record(line: Union[str, bytes], path: Path, number: int) -> Dict[str, Any]:
    """Read one line of a JSON Lines file.

    line (Union[str, bytes]): The line.
    path (Path): Its file, for the error.
    number (int): Its number there, for the error.
    RETURNS (Dict[str, Any]): The object that it holds.
    RAISES BionerError: E002 where it is no JSON object, has a key twice, nests deeper or has longer numbers than can be
        read.
    """
    try:
        record = parse_json(line, unique=True)
    except ValueError as error:
        raise BionerError(Errors.E002.format(path=path, line=number, why=error)) from None
    if not isinstance(record, dict):
        raise BionerError(Errors.E002.format(path=path, line=number, why=f"found a {type(record).__name__}"))
    return record


def write_json_lines(path: Path, records: Iterable[Dict[str, Any]]) -> int:
    """Write objects as JSON Lines, whole or not at all.

    path (Path): The file to write.
    records (Iterable[Dict[str, Any]]): The objects.
    RETURNS (int): How many were written.
    """
    count = 0
    with open_atomic(path) as file_:
        for record in records:
            file_.write(json.dumps(record, ensure_ascii=False) + "\n")
            count += 1
    return count


def write_json(path: Path, value: Any) -> None:
    """Write one JSON document with indents, whole or not at all."""
    with open_atomic(path) as file_:
        json.dump(value, file_, ensure_ascii=False, indent=2)
        file_.write("\n")


def write_folder(target: Path, files: Dict[str, bytes]) -> None:
    """Write a folder of files that appears complete or not at all; one of that name is replaced.

    target (Path): The folder.
    files (Dict[str, bytes]): Name to content.
    RAISES OSError: Where the disk is full or fails; nothing is left behind.
    """
    fill_folder(target, lambda folder: [(folder / name).write_bytes(content) for name, content in files.items()])


def fill_folder(target: Path, fill: Callable[[Path], Filled]) -> Filled:
    """Have a temporary folder filled that then takes its name.

    target (Path): The folder; one of that name is replaced. The working folder stays and takes the content, if it is
        empty.
    fill (Callable[[Path], Filled]): Writes the files.
    RETURNS (Filled): What `fill` gives.
    """
    stays = target.is_dir() and target.samefile(os.curdir) and not any(target.iterdir())
    with temporary_folder(target / "content" if stays else target) as temporary:
        with naming(target):
            filled = fill(temporary)
        temporary.chmod(0o777 & ~_umask())
        for path in (*temporary.rglob("*"), temporary):
            _flush(path)
        if stays:
            # No other folder can take the place of the one that processes work in.
            with ExitStack() as undo:
                for path in list(temporary.iterdir()):
                    os.rename(path, target / path.name)
                    undo.callback(os.rename, target / path.name, path)
                undo.pop_all()
            _flush(target)
            return filled
        if target.exists():
            # A folder cannot be renamed onto a full one; the old one steps aside for the moment between two renames.
            aside = temporary.with_name(temporary.name + ".old")
            os.rename(target, aside)
            os.rename(temporary, target)
            shutil.rmtree(aside, ignore_errors=True)
        else:
            os.rename(temporary, target)
        _flush(target.parent)
        return filled


def _flush(path: Path) -> None:
    """Have the system write a file or a folder to the disk now, so that a power cut finds it whole."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
