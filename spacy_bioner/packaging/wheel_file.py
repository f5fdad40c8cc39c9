"""A wheel read without importing or running anything of it: its files, checked against the hashes of its RECORD."""

import base64
import csv
import hashlib
import io
import json
import re
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from pathlib import Path, PurePosixPath
from typing import Any, Dict, List, Optional, Set

from ..errors import BionerError, Errors
from ..loading import check_growth, parse_json, read_limits

_RECORD = re.compile(r"[^/]+\.dist-info/RECORD")
_UNRECORDED = (".jws", ".p7s")
# What reading a damaged archive raises: NotImplementedError for a compression that is none, RuntimeError for a file
# that says it is encrypted, OSError for a place before its beginning. Each becomes one line that names the wheel.
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeDecodeError, csv.Error,
           struct.error, OSError)


@dataclass
class WheelFile:
    """An open wheel.

    path (Path): The file.
    faults (List[str]): Files that are missing, left over or changed, a sentence each; empty where all is as recorded.
    names (List[str]): Names of its files.
    """

    path: Path
    archive: zipfile.ZipFile
    faults: List[str] = field(default_factory=list)
    names: List[str] = field(default_factory=list)

    @classmethod
    def open(cls, path: Path) -> "WheelFile":
        """Open a wheel and compare each file with its RECORD.

        path (Path): The file.
        RETURNS (WheelFile): The wheel; what does not fit is in its `faults`.
        RAISES BionerError: E001 where there is no file, E809 for what is no wheel, E038 and E039 beyond the bounds.
        """
        if not path.is_file():
            raise BionerError(Errors.E001.format(path=path, wanted="wheel"))
        try:
            archive = zipfile.ZipFile(path)
        except _BROKEN as error:
            raise BionerError(Errors.E809.format(path=path, why=error)) from None
        wheel = cls(path, archive, names=[info.filename for info in archive.infolist() if not info.is_dir()])
        wheel._refuse_strange_files()
        wheel._compare()
        return wheel

    def read(self, name: str) -> bytes:
        """Return the content of a file; raises BionerError E809 where it is damaged, E038, E039 where too large."""
        limits = read_limits()
        info = self.archive.getinfo(name)
        check_growth(f"{self.path}:{name}", info.file_size, info.compress_size, limits=limits, most=limits.whole)
        try:
            return self.archive.read(info)
        except _BROKEN as error:
            raise BionerError(Errors.E809.format(path=self.path, why=f"{name}: {error}")) from None

    def metadata(self) -> Message:
        """Return the METADATA of the package; raises BionerError E809 where there is none."""
        name = next((name for name in self.names if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)), None)
        if name is None:
            raise BionerError(Errors.E809.format(path=self.path, why="it has no METADATA"))
        return BytesParser().parsebytes(self.read(name))

    def pipeline(self) -> PurePosixPath:
        """Return the folder of the trained pipeline in it; raises BionerError E812 where there is none."""
        for name in self.names:
            folder = PurePosixPath(name).parent
            if PurePosixPath(name).name == "config.cfg" and str(folder / "meta.json") in self.names:
                return folder
        raise BionerError(Errors.E812.format(path=self.path))

    def read_json(self, name: str) -> Any:
        """Return the JSON of a file, None where there is no such file; raises BionerError E809 for another content."""
        if name not in self.names:
            return None
        try:
            return parse_json(self.read(name).decode("utf8"))
        except ValueError as error:
            raise BionerError(Errors.E809.format(path=self.path, why=f"{name}: {error}")) from None

    def unpack(self, folder: PurePosixPath, target: Path) -> None:
        """Write the files below a folder of the wheel; only for a wheel without faults."""
        for name in self.names:
            inside = PurePosixPath(name)
            if folder in inside.parents:
                place = target.joinpath(*inside.relative_to(folder).parts)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(self.read(name))

    def _refuse_strange_files(self) -> None:
        link = next((info.filename for info in self.archive.infolist() if stat.S_ISLNK(info.external_attr >> 16)), None)
        if link is not None:
            raise BionerError(Errors.E809.format(path=self.path, why=f"its file {json.dumps(link[:80])} is a link"))
        seen: Set[str] = set()
        for name in self.names:
            parts = PurePosixPath(name).parts
            if name.startswith("/") or ".." in parts or "\\" in name or name in seen:
                raise BionerError(Errors.E809.format(path=self.path, why=f"it holds the file {json.dumps(name[:80])}"))
            seen.add(name)

    def _compare(self) -> None:
        records = [name for name in self.names if _RECORD.fullmatch(name)]
        if len(records) != 1:
            raise BionerError(Errors.E809.format(path=self.path, why=f"it has {len(records)} files RECORD, not one"))
        stated = self._read_record(records[0])
        for name in self.names:
            if name == records[0] or name.endswith(_UNRECORDED) and name.startswith(records[0]):
                continue
            if not stated.get(name):
                self.faults.append(f"{name} is not in RECORD, or has no SHA-256 there")
            elif _digest(self.read(name)) != stated[name]:
                self.faults.append(f"{name} is not the file that RECORD states")
        held = set(self.names)
        self.faults += [f"{name} is in RECORD, and missing" for name in stated if name not in held]

    def _read_record(self, name: str) -> Dict[str, Optional[str]]:
        """Return the hash of each file that is stated, None for another kind of hash than SHA-256."""
        try:
            rows = list(csv.reader(io.StringIO(self.read(name).decode("utf8"))))
        except _BROKEN as error:
            raise BionerError(Errors.E809.format(path=self.path, why=f"{name}: {error}")) from None
        hashes = ((row[0], row[1].partition("=")) for row in rows if len(row) == 3 and row[0] != name)
        return {file: digest if kind == "sha256" else None for file, (kind, _, digest) in hashes}


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode("ascii").rstrip("=")
