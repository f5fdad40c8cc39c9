"""Compares files of other packages with pinned SHA-256 sums, once for each state of a file."""

import hashlib
from pathlib import Path
from typing import Any, Dict, Mapping

from ...errors import BionerError, Errors
from ...files import write_json
from ..model_files import UnreadableFile, read_object

# Files that this process has verified, with their states.
_verified: Dict[Path, Dict[str, Any]] = {}


def verify_files(folder: Path, sums: Mapping[str, str], *, requirement: str, stamps: Path) -> None:
    """Compare files with their sums.

    folder (Path): Where the files lie.
    sums (Mapping[str, str]): Name to SHA-256 sum of each file.
    requirement (str): The package that holds them, for the error.
    stamps (Path): Folder in which the states of verified files are noted, so that large files are not read at each
        start; where nothing can be written there they are.
    RAISES BionerError: E001 where a file is missing, E233 where it has another sum.
    """
    for name, wanted in sums.items():
        path = folder / name
        if not path.is_file():
            raise BionerError(Errors.E001.format(path=path, wanted=f"file of {requirement}"))
        state = {**_state(path), "sha256": wanted}
        note = stamps / f"{hashlib.sha256(str(path).encode('utf8', 'surrogateescape')).hexdigest()[:16]}.json"
        if _verified.get(path) == state or _read_note(note) == state:
            _verified[path] = state
            continue
        with path.open("rb") as file_:
            found = hashlib.file_digest(file_, "sha256").hexdigest()
        if found != wanted:
            raise BionerError(Errors.E233.format(path=path, found=found, wanted=wanted, requirement=requirement))
        _verified[path] = state
        _write_note(note, state)


def _state(path: Path) -> Dict[str, Any]:
    """Return what changes when a file is written again."""
    state = path.stat()
    return {"path": str(path), "size": state.st_size, "mtime_ns": state.st_mtime_ns, "ctime_ns": state.st_ctime_ns,
            "inode": state.st_ino}


def _read_note(note: Path) -> Dict[str, Any]:
    try:
        return read_object(note)
    except UnreadableFile:
        return {}


def _write_note(note: Path, state: Mapping[str, Any]) -> None:
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        write_json(note, state)
    except OSError:
        pass  # it is verified again at the next start
