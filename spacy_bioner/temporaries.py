"""Temporary files and folders beside what they become, and a sweep of those that killed processes have left.

The name of a temporary says which process it belongs to, and that process holds a lock on it. So a sweep takes only
what nobody writes any more, be it of this machine or of a container that shares the disk.
"""

import os
import re
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Iterator, Optional

from .locks import ProcessName

try:
    import fcntl
except ImportError:  # there is none on Windows, where processes are told by their numbers alone
    fcntl = None  # type: ignore[assignment]

_LEFTOVER = re.compile(r"\.(?P<target>.+)\.(?P<owner>\d+-\d+-\w+)\.[a-z0-9_]{8}(?P<aside>\.old)?(\.tmp)?", re.DOTALL)
# A process of another machine may be about to lock what it has just made.
_YOUNG_SECONDS = 60.0
# A file name has 255 bytes at most, and those of process and chance come to the target's own.
_MOST_NAME_BYTES = 180


@contextmanager
def temporary_file(target: Path) -> Iterator[Path]:
    """Make an empty file beside its target that is removed at the end, where it was not renamed.

    target (Path): What the file is to become; its folder is made.
    YIELDS (Path): The file, which only the user may read.
    """
    _prepare(target.parent)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=_prefix(target), suffix=".tmp")
    with _locked(handle):
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)


@contextmanager
def temporary_folder(target: Path) -> Iterator[Path]:
    """Make a folder beside its target that is removed at the end, where it was not renamed.

    target (Path): What the folder is to become; the one above is made.
    YIELDS (Path): The folder, which only the user may read.
    """
    _prepare(target.parent)
    folder = Path(tempfile.mkdtemp(dir=target.parent, prefix=_prefix(target)))
    with _locked(os.open(folder, os.O_RDONLY) if fcntl is not None else None):
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def private_folder(name: str) -> "tempfile.TemporaryDirectory[str]":
    """Return a folder among those of the system that goes with this object."""
    _prepare(Path(tempfile.gettempdir()))
    return tempfile.TemporaryDirectory(prefix=f".{name}.{ProcessName.own()}.")


def sweep(folder: Path) -> None:
    """Remove what killed processes have left in a folder. Where one was killed between the two renames that replace a
    folder, the old folder takes its place again.

    folder (Path): The folder; what is in folders inside it stays.
    """
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        for path in sorted(folder.glob(".*")):
            found = _LEFTOVER.fullmatch(path.name)
            owner = ProcessName.read(found["owner"]) if found else None
            if found is None or owner is None or not _is_left(path, owner):
                continue
            target = path.with_name(found["target"])
            if found["aside"] and not target.exists():
                os.rename(path, target)
            elif path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _prefix(target: Path) -> str:
    name = target.name.encode("utf8", "surrogateescape")[:_MOST_NAME_BYTES].decode("utf8", "ignore")
    return f".{name}.{ProcessName.own()}."


def _prepare(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _sweep_once(folder.resolve(), os.getpid())


@lru_cache(maxsize=1024)
def _sweep_once(folder: Path, pid: int) -> None:
    """Sweep a folder when a process first writes there, since looking through a large one takes time."""
    sweep(folder)


def _is_left(path: Path, owner: ProcessName) -> bool:
    if owner.is_here():
        return owner.is_dead()
    try:
        return time.time() - path.stat().st_mtime > _YOUNG_SECONDS and _is_free(path)
    except OSError:
        return False


def _is_free(path: Path) -> bool:
    """Return whether no process holds the lock of a file or folder."""
    if fcntl is None:
        return False
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:
        return False
    finally:
        os.close(handle)


@contextmanager
def _locked(handle: Optional[int]) -> Iterator[None]:
    """Hold the lock of an open file or folder; some file systems have none."""
    if handle is None:
        yield
        return
    try:
        if fcntl is not None:
            with suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)
