"""Claims on requests: what one process asks a model, others that share the cache wait for."""

import sqlite3
import threading
import time
from contextlib import contextmanager
from typing import Callable, ContextManager, Iterable, Iterator, List, Sequence, Set

from ...locks import ProcessName

CLAIMS_SCHEMA = "CREATE TABLE claims (key TEXT PRIMARY KEY, owner TEXT NOT NULL, beat REAL NOT NULL)"

# Of a process of another machine, or container, it is only known whether it renews its claims.
_BEAT_SECONDS = 10.0
_SILENT_SECONDS = 60.0


class Claims:
    """The claims of this process, and of the others, in one cache.

    transaction (Callable[[], ContextManager[sqlite3.Connection]]): Opens a transaction of the cache.
    """

    def __init__(self, transaction: Callable[[], ContextManager[sqlite3.Connection]]) -> None:
        self._transaction = transaction

    def take(self, keys: Sequence[str], *, again: Sequence[str] = ()) -> Set[str]:
        """Claim requests.

        keys (Sequence[str]): What is to be asked.
        again (Sequence[str]): Those among them that are asked though there is an answer.
        RETURNS (Set[str]): Those that are this thread's to ask: not answered meanwhile, nor claimed by another that
            lives.
        """
        taken: Set[str] = set()
        own, now, anew = _owner(), time.time(), set(again)
        with self._transaction() as connection:
            for key in keys:
                if key not in anew and connection.execute("SELECT 1 FROM replies WHERE key = ?", [key]).fetchone():
                    continue
                found = connection.execute("SELECT owner, beat FROM claims WHERE key = ?", [key]).fetchone()
                if found is None or found[0] == own or _has_expired(found[0], found[1], now):
                    connection.execute("INSERT OR REPLACE INTO claims VALUES (?, ?, ?)", [key, own, now])
                    taken.add(key)
        return taken

    def give_back(self, keys: Iterable[str]) -> None:
        """Give up claims on what was not answered, so that others may ask it."""
        with self._transaction() as connection:
            self.give_back_in(connection, list(keys))

    def give_back_in(self, connection: sqlite3.Connection, keys: List[str]) -> None:
        """Give up claims within a transaction; those of others stay."""
        connection.executemany("DELETE FROM claims WHERE key = ? AND owner = ?", [(key, _owner()) for key in keys])

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """Renew this thread's claims as long as the block runs."""
        done, own = threading.Event(), _owner()

        def beat() -> None:
            while not done.wait(_BEAT_SECONDS):
                with self._transaction() as connection:
                    connection.execute("UPDATE claims SET beat = ? WHERE owner = ?", [time.time(), own])

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def _owner() -> str:
    """Return this thread of this process."""
    return f"{ProcessName.own()}/{threading.get_ident()}"


def _has_expired(owner: str, beat: float, now: float) -> bool:
    """Return whether nobody will answer: the owner is dead, or not of this machine and silent for long."""
    process = ProcessName.read(owner.partition("/")[0])
    if process is None or process.is_dead():
        return True
    return not process.is_here() and not now - _SILENT_SECONDS < beat <= now + _SILENT_SECONDS
