"""Decisions of people on disk: one SQLite file, each decision a transaction, every earlier state of a sentence kept.

A decision names the version that it was made on. If another tab, or another server on the same file, has changed the
sentence in between, it is refused, and nothing is overwritten. One that is sent again, since its answer was lost, is
recognised by its key and counts once.
"""

import json
import os
import secrets
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence

from ..annotation import Annotation
from ..errors import BionerError, Errors
from .choices import HISTORY

OPEN, DONE, SKIPPED = STATUSES = ("open", "done", "skipped")
_APPLICATION = 0x42694E52
_LAYOUT = 1
_BUSY_SECONDS = 30.0
_SCHEMA = ("CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
           "CREATE TABLE decisions (number INTEGER PRIMARY KEY, id TEXT NOT NULL, version INTEGER NOT NULL, "
           "base INTEGER NOT NULL, key TEXT NOT NULL UNIQUE, action TEXT NOT NULL, status TEXT NOT NULL, "
           "record TEXT NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL, UNIQUE (id, version))",
           f"PRAGMA application_id = {_APPLICATION}", f"PRAGMA user_version = {_LAYOUT}")
_COLUMNS = "id, version, base, key, action, status, record, by, at"


@dataclass(frozen=True)
class Decision:
    """A state of a sentence, and the decision that led to it.

    id (str): The sentence.
    version (int): How many decisions there were; 0 for what was given out.
    base (int): The version that an undo goes back to; -1 where there is nothing before this state.
    key (str): Names the decision, so that one that is sent twice counts once.
    action (str): What was done.
    status (str): "open", "done" or "skipped".
    record (Annotation): The text with its mentions.
    by (str): Who decided.
    at (str): When, in ISO 8601.
    """

    id: str
    version: int
    base: int
    key: str
    action: str
    status: str
    record: Annotation
    by: str = ""
    at: str = ""

    def signed(self) -> Annotation:
        """Return the record with who decided and when in its metadata."""
        return self.record.with_meta(**{HISTORY: [{"by": self.by, "at": self.at}]})


class Conflict(Exception):
    """A decision on a state that is no longer the latest.

    latest (Decision): The latest.
    """

    def __init__(self, latest: Decision) -> None:
        super().__init__(latest.id)
        self.latest = latest


class DecisionLog:
    """The decisions about a queue of sentences.

    path (Path): The file, made where it is not there; only its user may read it.
    queue (Sequence[Annotation]): The sentences that were given out.
    RAISES BionerError: E910 for a file of something else, E911 where a decision is about another text.
    """

    def __init__(self, path: Path, queue: Sequence[Annotation]) -> None:
        self.path = Path(path)
        self._given = {one.id: Decision(one.id, 0, -1, "", "given", OPEN, one) for one in queue}
        _make_file(self.path)
        with naming_file(self.path), self._transaction() as connection:
            application, = connection.execute("PRAGMA application_id").fetchone()
            tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if not tables:
                for statement in _SCHEMA:
                    connection.execute(statement)
                connection.execute("INSERT INTO settings VALUES ('token', ?)", (secrets.token_urlsafe(24),))
            elif application != _APPLICATION:
                raise BionerError(Errors.E910.format(path=self.path, why="it holds other data"))
            self.token = connection.execute("SELECT value FROM settings WHERE name = 'token'").fetchone()[0]
        for one in self.latest().values():
            if one.record.text != self._given[one.id].record.text:
                raise BionerError(Errors.E911.format(path=self.path, id=one.id))

    def keep_labels(self, labels: Sequence[str]) -> None:
        """Keep the labels that can be given on the page, for the import."""
        with self._transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO settings VALUES ('labels', ?)", (json.dumps(list(labels)),))

    def latest(self) -> Dict[str, Decision]:
        """Return the latest state of each sentence of the queue, in its order."""
        found = dict(self._given)
        with self._transaction() as connection:
            rows = connection.execute(f"SELECT {_COLUMNS}, max(version) FROM decisions GROUP BY id").fetchall()
        found.update((row[0], _to_decision(row[:9])) for row in rows if row[0] in found)
        return found

    def decide(self, id: str, *, version: int, key: str, action: str, status: str, record: Annotation,
               by: str) -> Decision:
        """Keep a decision; when this returns, it is on disk.

        id (str): The sentence.
        version (int): The version that was decided on.
        key (str): Names the decision.
        action (str): What was done.
        status (str): The status from now on.
        record (Annotation): The text with its mentions from now on.
        by (str): Who decided.
        RETURNS (Decision): The new state; of a decision that was kept before, the state that it led to.
        RAISES Conflict: Where the version is not the latest. RAISES KeyError: Where there is no such sentence.
        """
        def follow(connection: sqlite3.Connection, latest: Decision) -> Decision:
            return Decision(id, version + 1, version, key, action, status, record, by, _now())

        return self._append(id, version, key, follow)

    def undo(self, id: str, *, version: int, key: str, by: str) -> Decision:
        """Go back to the state before a decision; a further undo goes back further.

        id (str): The sentence.
        version (int): The version that is undone.
        key (str): Names this decision.
        by (str): Who decided.
        RETURNS (Decision): The new state, the same as an earlier one; at the first one nothing changes.
        RAISES Conflict: Where the version is not the latest. RAISES KeyError: Where there is no such sentence.
        """
        def follow(connection: sqlite3.Connection, latest: Decision) -> Optional[Decision]:
            if latest.base < 0:
                return None
            former = self._find(connection, id, latest.base)
            return Decision(id, version + 1, former.base, key, "undo", former.status, former.record, by, _now())

        return self._append(id, version, key, follow)

    def _append(self, id: str, version: int, key: str, follow: Any) -> Decision:
        given = self._given[id]
        with self._transaction() as connection:
            known = connection.execute(f"SELECT {_COLUMNS} FROM decisions WHERE key = ?", (key,)).fetchone()
            if known is not None:
                return _to_decision(known)
            row = connection.execute(f"SELECT {_COLUMNS} FROM decisions WHERE id = ? ORDER BY version DESC LIMIT 1",
                                     (id,)).fetchone()
            latest = _to_decision(row) if row else given
            if latest.version != version:
                raise Conflict(latest)
            new: Optional[Decision] = follow(connection, latest)
            if new is None:
                return latest
            connection.execute(f"INSERT INTO decisions ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (
                new.id, new.version, new.base, new.key, new.action, new.status,
                json.dumps(new.record.to_record(), ensure_ascii=False), new.by, new.at))
        return new

    def _find(self, connection: sqlite3.Connection, id: str, version: int) -> Decision:
        if not version:
            return self._given[id]
        row = connection.execute(f"SELECT {_COLUMNS} FROM decisions WHERE id = ? AND version = ?", (id, version))
        return _to_decision(row.fetchone())

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection inside a transaction that is written through to the disk when the block ends well; else
        the connection is closed, which takes it back."""
        with _open(self.path) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.commit()


def read_latest(path: Path) -> List[Decision]:
    """Read the latest decision about each sentence.

    path (Path): The file of decisions.
    RETURNS (List[Decision]): The decisions, in their order.
    RAISES BionerError: E001 where there is none, E910 for a file of something else.
    """
    with _reading(path) as connection:
        rows = connection.execute(f"SELECT {_COLUMNS}, max(version) FROM decisions GROUP BY id ORDER BY number")
        return [_to_decision(row[:9]) for row in rows]


def read_page_labels(path: Path) -> List[str]:
    """Read the labels that could be given on the page; none where the file does not say.

    path (Path): The file of decisions.
    RETURNS (List[str]): The labels.
    RAISES BionerError: E001 where there is none, E910 for a file of something else.
    """
    with _reading(path) as connection:
        row = connection.execute("SELECT value FROM settings WHERE name = 'labels'").fetchone()
    return [str(label) for label in json.loads(row[0])] if row else []


def read_decisions(path: Path) -> List[Annotation]:
    """Read the sentences that somebody is done with.

    path (Path): The file of decisions.
    RETURNS (List[Annotation]): The sentences; meta["review"] says who decided last and when.
    RAISES BionerError: E001 where there is none, E910 for a file of something else.
    """
    return [one.signed() for one in read_latest(path) if one.status == DONE]


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.is_file():
        raise BionerError(Errors.E001.format(path=path, wanted="file of decisions"))
    with naming_file(path), _open(path) as connection:
        application, = connection.execute("PRAGMA application_id").fetchone()
        if application != _APPLICATION:
            raise BionerError(Errors.E910.format(path=path, why="it holds other data"))
        yield connection


@contextmanager
def naming_file(path: Path) -> Iterator[None]:
    """Name the file in an error of SQLite: BionerError E910, E917 where another process holds it for too long."""
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            raise BionerError(Errors.E917.format(path=path, seconds=_BUSY_SECONDS)) from None
        raise BionerError(Errors.E910.format(path=path, why=error)) from None


def _make_file(path: Path) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    # A file that somebody has moved away is not made anew, and empty, beside what was decided.
    address = f"{path.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(address, timeout=_BUSY_SECONDS, isolation_level=None, uri=True)) as connection:
        # A decision that was acknowledged outlives a power cut too.
        connection.execute("PRAGMA synchronous = FULL")
        yield connection


def _to_decision(row: Sequence[Any]) -> Decision:
    id, version, base, key, action, status, record, by, at = row
    return Decision(id, version, base, key, action, status, Annotation.from_record(json.loads(record)), by, at)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
