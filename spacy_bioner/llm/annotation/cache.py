"""Replies on disk: one SQLite file that survives kills, is shared by processes, and trusts none of its rows."""

import errno
import hashlib
import json
import os
import sqlite3
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence
from urllib.parse import quote

from ...errors import BionerError, Errors
from ...locks import ThreadLock
from ...tokens import UNITS_VERSION
from ..protocol import Reply, Request
from .cached_reply import read_row, write_row
from .claims import CLAIMS_SCHEMA, Claims

# Part of every key: raised when prompts, codecs or decoding change what the same settings answer.
KEY_VERSION = 1

# Raised when the tables change; another number, or none, is the file of another version.
LAYOUT_VERSION = 2
_APPLICATION = 0x42694E45

_BUSY_SECONDS = 60.0
_LOOKUP_SIZE = 500
_PRIVATE = 0o600
_SCHEMA = ("CREATE TABLE replies (key TEXT PRIMARY KEY, reply TEXT NOT NULL, checksum TEXT NOT NULL)", CLAIMS_SCHEMA)
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
# How a file is opened that can only be read: as it stands; beside its writer; or with its log, whose index is then
# kept in memory, which SQLite does for a connection that takes the file for itself.
_AS_IT_STANDS, _SHARED, _ALONE = "?immutable=1", "?mode=ro&readonly_shm=1", "?mode=ro&vfs=unix-none"


def request_key(request: Request, settings: Mapping[str, Any]) -> str:
    """Name a request by all that its reply depends on.

    request (Request): The request; prompt, source text, seeds and number of the sample count.
    settings (Mapping[str, Any]): What the model and the reader depend on: identity, codec, labels.
    RETURNS (str): A hash.
    """
    content = [KEY_VERSION, UNITS_VERSION, request.prompt.system, request.prompt.user, request.text,
               request.sample, [list(seed) for seed in request.seeds], settings]
    spelt = json.dumps(content, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(spelt.encode("utf8", "surrogatepass")).hexdigest()


def _read_only_options(path: Path) -> str:
    """Return how SQLite opens a file that cannot be written, so that a log which a killed writer left is read too."""
    log, index = (path.with_name(path.name + ending) for ending in ("-wal", "-shm"))
    if not log.is_file() or log.stat().st_size == 0:
        # Nobody else can write either, and the files that a shared reading needs cannot be made.
        return _AS_IT_STANDS
    return _SHARED if index.is_file() else _ALONE


class ReplyCache:
    """Replies by key, each written by itself as soon as it exists.

    A killed process loses nothing that was put; after a power cut the last replies may be missing, the file is sound
    all the same. The file holds text of documents, so only its user may read it. Processes on one machine may share
    it, and claim what they ask for, so that nothing is asked twice; a network file system is no place for it. A file
    that cannot be written, as on a read-only file system, is read.

    path (Optional[Path]): The file, made when first used; None keeps replies in memory.
    """

    def __init__(self, path: Optional[Path] = None) -> None:
        self.path = None if path is None else Path(path)
        self.claims = Claims(self._transaction)
        self.damaged = 0
        self._connection: Optional[sqlite3.Connection] = None
        self._process = os.getpid()
        self._lock = ThreadLock()
        self._is_read_only = False

    def get(self, keys: Iterable[str]) -> Dict[str, Reply]:
        """Look up replies.

        keys (Iterable[str]): What to look for.
        RETURNS (Dict[str, Reply]): Those that are there and whole; damaged rows are removed and counted in `damaged`.
        RAISES BionerError: E213 or E214 where the file cannot be used.
        """
        wanted = list(dict.fromkeys(keys))
        found: Dict[str, Reply] = {}
        damaged: List[str] = []
        for start in range(0, len(wanted), _LOOKUP_SIZE):
            part = wanted[start:start + _LOOKUP_SIZE]
            marks = ", ".join("?" * len(part))
            for key, spelt, checksum in self._run(f"SELECT key, reply, checksum FROM replies WHERE key IN ({marks})",
                                                  part):
                reply = read_row(key, spelt, checksum)
                if reply is None:
                    damaged.append(key)
                else:
                    found[key] = reply
        self.drop(damaged)
        return found

    def drop(self, keys: Sequence[str]) -> None:
        """Remove replies that cannot be what a model has said, and count them in `damaged`."""
        self.damaged += len(keys)
        if not self._is_read_only:
            for key in keys:
                self._run("DELETE FROM replies WHERE key = ?", [key])

    def put(self, key: str, reply: Reply, *, replace: bool = False) -> None:
        """Keep a reply, and give back the claim on it.

        key (str): Its key.
        reply (Reply): A reply without an error.
        replace (bool): Whether it takes the place of one that is there; else that stays.
        RAISES BionerError: E213 or E214 where the file cannot be used.
        """
        with self._transaction() as connection:
            connection.execute(f"INSERT OR {'REPLACE' if replace else 'IGNORE'} INTO replies VALUES (?, ?, ?)",
                               write_row(key, reply))
            self.claims.give_back_in(connection, [key])

    def __len__(self) -> int:
        return self._run("SELECT count(*) FROM replies", [])[0][0]

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            if self._connection is not None and self._process == os.getpid():
                self._connection.close()
            self._connection = None

    @property
    def is_read_only(self) -> bool:
        """Return whether the file can only be read."""
        with self._failures_named():
            self._open()
        return self._is_read_only

    def _run(self, statement: str, values: Sequence[Any]) -> List[Any]:
        with self._failures_named():
            return self._open().execute(statement, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the file's own lock: what is read is true until what is written is there, for all processes."""
        with self._failures_named():
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    with suppress(sqlite3.Error):
                        connection.execute("ROLLBACK")

    @contextmanager
    def _failures_named(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except sqlite3.OperationalError as error:
                raise BionerError(Errors.E213.format(path=self.path, why=error)) from None
            except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
                raise BionerError(Errors.E214.format(path=self.path, why=error)) from None

    def _open(self) -> sqlite3.Connection:
        """Return this process's own connection: one carried over a fork would harm the file."""
        if self._connection is None or self._process != os.getpid():
            self._is_read_only = False
            name = ":memory:" if self.path is None else self._prepare(self.path)
            connection = sqlite3.connect(name, uri=True, timeout=_BUSY_SECONDS, isolation_level=None,
                                         check_same_thread=False)
            # What is no text, since bytes of it were changed, is no reply either.
            connection.text_factory = lambda raw: raw.decode("utf8", "replace")
            if name.endswith(_ALONE):
                connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._check_layout(connection)
            if not self._is_read_only:
                self._make_private()
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
            self._connection, self._process = connection, os.getpid()
        return self._connection

    def _prepare(self, path: Path) -> str:
        """Make the file where there is none, or find that it can only be read.

        RETURNS (str): Its address for SQLite.
        """
        address = f"file:{quote(str(path.absolute()))}"
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            handle = os.open(path, os.O_CREAT | os.O_RDWR, _PRIVATE)
        except OSError as error:
            if error.errno not in _READ_ONLY or not path.is_file():
                raise
            self._is_read_only = True
            return address + _read_only_options(path)
        os.close(handle)
        return address

    def _make_private(self) -> None:
        """Let nobody but its user read the file, whoever could before."""
        if self.path is not None and stat.S_IMODE(self.path.stat().st_mode) != _PRIVATE:
            with suppress(PermissionError):  # another user's file
                self.path.chmod(_PRIVATE)

    def _check_layout(self, connection: sqlite3.Connection) -> None:
        """Make the tables of a new file; refuse a file of another version, or of something else."""
        (application,), = connection.execute("PRAGMA application_id")
        (version,), = connection.execute("PRAGMA user_version")
        if (application, version) == (_APPLICATION, LAYOUT_VERSION):
            return
        connection.execute("BEGIN IMMEDIATE" if not self._is_read_only else "BEGIN")
        names = [name for name, in connection.execute("SELECT name FROM sqlite_master")]
        (application,), = connection.execute("PRAGMA application_id")
        if not names and not self._is_read_only:
            for statement in _SCHEMA:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            connection.execute(f"PRAGMA user_version = {LAYOUT_VERSION}")
        connection.execute("COMMIT")
        if names and (application != _APPLICATION or version):
            (version,), = connection.execute("PRAGMA user_version")
            if (application, version) != (_APPLICATION, LAYOUT_VERSION):
                connection.close()
                ours = application == _APPLICATION or "replies" in names
                found = f"layout {version or 1}" if ours else "a database of something else"
                raise BionerError(Errors.E234.format(path=self.path, found=found, wanted=LAYOUT_VERSION))
