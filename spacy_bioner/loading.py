"""Load bytes, JSON and MessagePack from files that nobody has checked: size, depth and types are bounded.

The bounds can be changed by environment variables; see `Limits`.
"""

import gzip
import io
import json
import os
import zlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Dict, Iterator, List, Tuple, Union

from .errors import BionerError, Errors

# What reading a compressed file raises where it is none, is cut, or is damaged in its middle.
BROKEN_COMPRESSION = (gzip.BadGzipFile, EOFError, zlib.error)
# What a parser of bytes that hold something else may raise.
BROKEN_CONTENT = (ArithmeticError, AssertionError, AttributeError, BufferError, EOFError, LookupError, MemoryError,
                  RecursionError, TypeError, ValueError, zlib.error)
_CHUNK = 1 << 20
_MIB = 1 << 20
_GIB = 1 << 30


@dataclass(frozen=True)
class Limits:
    """How much a file may hold.

    ratio (float): Most uncompressed bytes for each compressed one; SPACY_BIONER_MAX_RATIO.
    ratio_from (int): Uncompressed bytes from which on the ratio counts.
    streamed (int): Most uncompressed bytes of a file that is read piece by piece; SPACY_BIONER_MAX_STREAMED_BYTES.
    whole (int): Most uncompressed bytes of a file that is held in memory; SPACY_BIONER_MAX_WHOLE_BYTES.
    line (int): Most bytes of a line; SPACY_BIONER_MAX_LINE_BYTES.
    depth (int): Deepest nesting of JSON and MessagePack; SPACY_BIONER_MAX_DEPTH.
    """

    ratio: float = 200
    ratio_from: int = 64 * _MIB
    streamed: int = 256 * _GIB
    whole: int = 4 * _GIB
    line: int = 256 * _MIB
    depth: int = 100


_VARIABLES = {
    "ratio": "SPACY_BIONER_MAX_RATIO", "streamed": "SPACY_BIONER_MAX_STREAMED_BYTES",
    "whole": "SPACY_BIONER_MAX_WHOLE_BYTES", "line": "SPACY_BIONER_MAX_LINE_BYTES", "depth": "SPACY_BIONER_MAX_DEPTH",
}


def read_limits() -> Limits:
    """Read the bounds from the environment.

    RETURNS (Limits): The bounds.
    RAISES BionerError: E037 for a variable that is no positive whole number.
    """
    changed: Dict[str, int] = {}
    for key, name in _VARIABLES.items():
        value = os.environ.get(name, "").strip()
        if value and not (value.isascii() and value.isdigit() and int(value[:30])):
            raise BionerError(Errors.E037.format(name=name, found=value[:40]))
        if value:
            changed[key] = int(value[:30])
    return Limits(**changed)


class _BoundedGzip(io.RawIOBase):
    """Decompress a file as it is read, until it is larger than the bounds.

    path (Path): The compressed file.
    limits (Limits): The bounds.
    most (int): Most uncompressed bytes.
    """

    def __init__(self, path: Path, limits: Limits, most: int) -> None:
        self._path, self._limits, self._most = path, limits, most
        self._file = open(path, "rb")
        self._gzip = gzip.GzipFile(fileobj=self._file)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._gzip.seek(offset, whence)

    def tell(self) -> int:
        return self._gzip.tell()

    def readinto(self, buffer: Any) -> int:
        count = self._gzip.readinto(buffer)
        check_growth(self._path, self._gzip.tell(), self._file.tell(), limits=self._limits, most=self._most)
        return count

    def close(self) -> None:
        self._gzip.close()
        self._file.close()
        super().close()


def check_growth(path: Union[str, Path], size: int, compressed: int, *, limits: Limits, most: int) -> None:
    """Refuse a file that grows too much as it is decompressed.

    path (Union[str, Path]): The file, for the error.
    size (int): Uncompressed bytes so far.
    compressed (int): Compressed bytes that they come from.
    limits (Limits): The bounds.
    most (int): Most uncompressed bytes.
    RAISES BionerError: E038 for too many bytes, E039 for a ratio that only made-up files have.
    """
    if size > most:
        name = _VARIABLES["whole" if most == limits.whole else "streamed"]
        raise BionerError(Errors.E038.format(path=path, most=most, name=name))
    if size > limits.ratio_from and size > limits.ratio * max(1, compressed):
        raise BionerError(Errors.E039.format(path=path, size=size, compressed=compressed, ratio=limits.ratio,
                                             name=_VARIABLES["ratio"]))


def is_gzip(path: Path) -> bool:
    """Return whether the name of a file says that it is compressed, in any case."""
    return Path(path).suffix.lower() == ".gz"


def open_bounded(path: Path, *, whole: bool = False) -> IO[bytes]:
    """Open a file for reading bytes, decompressed as they are read where its name ends in .gz.

    path (Path): The file.
    whole (bool): Whether all of it will be held in memory.
    RETURNS (IO[bytes]): The open file; reading from it raises BionerError E038 and E039 beyond the bounds.
    RAISES BionerError: E001 where there is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise BionerError(Errors.E001.format(path=path, wanted="file"))
    limits = read_limits()
    most = limits.whole if whole else limits.streamed
    if is_gzip(path):
        return io.BufferedReader(_BoundedGzip(path, limits, most), _CHUNK)
    if whole:
        check_growth(path, path.stat().st_size, path.stat().st_size, limits=limits, most=most)
    return open(path, "rb")


def read_bounded(path: Path) -> bytes:
    """Read a whole file, decompressed where its name ends in .gz.

    path (Path): The file.
    RETURNS (bytes): What it holds.
    RAISES BionerError: E001 where there is no such file, E011 where it is damaged, E038 and E039 beyond the bounds.
    """
    try:
        with open_bounded(path, whole=True) as file_:
            return file_.read()
    except BROKEN_COMPRESSION as error:
        raise BionerError(Errors.E011.format(path=path, wanted="a whole gzip file", why=error)) from None


def iterate_lines(file_: IO[bytes], path: Path, *, before: int = 0) -> Iterator[bytes]:
    """Yield the lines of an open file with their ends.

    file_ (IO[bytes]): The file.
    path (Path): Its path, for the error.
    before (int): Lines that were read before, for the error.
    YIELDS (bytes): A line.
    RAISES BionerError: E040 for a line that is longer than the bound.
    """
    most = read_limits().line
    for number, line in enumerate(iter(partial(file_.readline, most + 1), b""), start=before + 1):
        if len(line) > most:
            raise BionerError(Errors.E040.format(path=path, line=number, most=most, name=_VARIABLES["line"]))
        yield line


def inflate(content: bytes, *, path: Path) -> bytes:
    """Decompress the zlib stream that is a whole file.

    content (bytes): The stream.
    path (Path): The file, for the error.
    RETURNS (bytes): What it holds.
    RAISES BionerError: E038 and E039 beyond the bounds.
    RAISES zlib.error: For what is no such stream, EOFError for one that is cut.
    """
    limits = read_limits()
    decompressor = zlib.decompressobj()
    pieces, size = [], 0
    waiting = content
    while waiting and not decompressor.eof:
        pieces.append(decompressor.decompress(waiting, 16 * _CHUNK))
        size += len(pieces[-1])
        waiting = decompressor.unconsumed_tail
        check_growth(path, size, len(content), limits=limits, most=limits.whole)
    if not decompressor.eof:
        raise EOFError("the file is cut")
    return b"".join(pieces)


def _unique(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    """Return an object of JSON; ValueError where a key comes twice, since the first value would be lost."""
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        key = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {key[:60]!r} comes twice")
    return found


_UNIQUE = json.JSONDecoder(object_pairs_hook=_unique)


def parse_json(text: Union[str, bytes], *, unique: bool = False) -> Any:
    """Read a JSON value.

    text (Union[str, bytes]): The JSON.
    unique (bool): Whether to refuse objects in which a key comes twice, else its last value counts.
    RETURNS (Any): The value.
    RAISES ValueError: For what is no JSON, nests deeper than the bound or has longer numbers than can be read.
    """
    try:
        if unique:
            # As `json.loads` decodes; it would build a decoder each time.
            value = _UNIQUE.decode(text if isinstance(text, str)
                                   else text.decode(json.detect_encoding(text), "surrogatepass"))
        else:
            value = json.loads(text)
    except RecursionError:
        raise ValueError(f"it nests deeper than {read_limits().depth} levels") from None
    brackets = text.count(b"[") + text.count(b"{") if isinstance(text, bytes) else text.count("[") + text.count("{")
    if brackets > Limits.depth:
        check_depth(value)
    return value


def check_depth(value: Any) -> None:
    """Refuse lists and objects that nest deeper than the bound, which nothing else could walk through.

    value (Any): A value of JSON or MessagePack.
    RAISES ValueError: Where it does.
    """
    most = read_limits().depth
    level = [value]
    for _ in range(most + 1):
        level = [one for one in level if isinstance(one, (dict, list, tuple))]
        if not level:
            return
        level = [child for one in level for child in (one.values() if isinstance(one, dict) else one)]
    raise ValueError(f"it nests deeper than {most} levels")


def read_json(path: Path, *, wanted: str) -> Any:
    """Read a file that is one JSON value.

    path (Path): The file, gzip-compressed or not; a byte order mark is passed over.
    wanted (str): What the file should be, for the error.
    RETURNS (Any): The value.
    RAISES BionerError: E001 where there is no such file, E011 where it is no JSON or an object in it has a key twice,
        E038 and E039 beyond the bounds.
    """
    content = read_bounded(path)
    try:
        return parse_json(content.decode("utf-8-sig"), unique=True)
    except ValueError as error:
        raise BionerError(Errors.E011.format(path=path, wanted=wanted, why=error)) from None


def parse_msgpack(content: bytes, *, use_list: bool = True) -> Any:
    """Read a MessagePack value.

    content (bytes): The value.
    use_list (bool): Whether arrays become lists, else tuples.
    RETURNS (Any): The value.
    RAISES ValueError: For what is none, or nests deeper than the bound.
    """
    import srsly

    try:
        value = srsly.msgpack_loads(content, use_list=use_list)
    except BROKEN_CONTENT as error:
        raise ValueError(f"no MessagePack: {str(error)[:120] or type(error).__name__}") from None
    check_depth(value)
    return value
