"""Replies on disk: one SQLite file that survives kills and is shared by processes."""

import hashlib
import json
import os
import sqlite3
import threading
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional

from ...annotation import Mention
from ...errors import BionerError, Errors
from ...tokens import UNITS_VERSION
from ..protocol import Reply, Request

# Part of every key: raised when prompts, codecs or decoding change what the same settings answer.
KEY_VERSION = 1

_BUSY_SECONDS = 60.0
_LOOKUP_SIZE = 500
_SCHEMA = "CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, reply TEXT NOT NULL)"


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


def reply_to_json(reply: Reply) -> str:
    """RETURNS (str): The reply as one JSON object; lone surrogates are escaped, since SQLite refuses them."""
    mentions = None if reply.mentions is None else [
        [mention.start, mention.end, mention.label, mention.score, mention.grounding] for mention in reply.mentions]
    return json.dumps({"text": reply.text, "finish_reason": reply.finish_reason, "mentions": mentions,
                       "usage": dict(reply.usage)})


def reply_from_json(text: str) -> Reply:
    """RETURNS (Reply): The reply that `reply_to_json` wrote."""
    content = json.loads(text)
    mentions = content["mentions"]
    return Reply(text=content["text"], finish_reason=content["finish_reason"], usage=content["usage"],
                 mentions=None if mentions is None else tuple(
                     Mention(start, end, label, score=score, grounding=grounding)
                     for start, end, label, score, grounding in mentions))


class ReplyCache:
    """Replies by key, each written by itself as soon as it exists.

    A killed process loses nothing that was put; after a power cut the last replies may be missing, the file is sound
    all the same. The file holds text of documents, so only its user may read it. Processes on one machine may share
    it; a network file system is no place for it.

    path (Optional[Path]): The file, made when first used; None keeps replies in memory.
    """

    def __init__(self, path: Optional[Path] = None) -> None:
        self.path = None if path is None else Path(path)
        self._connection: Optional[sqlite3.Connection] = None
        self._process = os.getpid()
        self._lock = threading.Lock()

    def get(self, keys: Iterable[str]) -> Dict[str, Reply]:
        """Look up replies.

        keys (Iterable[str]): What to look for.
        RETURNS (Dict[str, Reply]): Those that are there.
        RAISES BionerError: E213 or E214 where the file cannot be used.
        """
        wanted = list(dict.fromkeys(keys))
        found: Dict[str, Reply] = {}
        for start in range(0, len(wanted), _LOOKUP_SIZE):
            part = wanted[start:start + _LOOKUP_SIZE]
            marks = ", ".join("?" * len(part))
            rows = self._run(f"SELECT key, reply FROM replies WHERE key IN ({marks})", part)
            found.update((key, self._read(reply)) for key, reply in rows)
        return found

    def put(self, key: str, reply: Reply) -> None:
        """Keep a reply; where another process was first, its reply stays.

        key (str): Its key.
        reply (Reply): A reply without an error.
        RAISES BionerError: E213 or E214 where the file cannot be used.
        """
        self._run("INSERT OR IGNORE INTO replies (key, reply) VALUES (?, ?)", [key, reply_to_json(reply)])

    def __len__(self) -> int:
        return self._run("SELECT count(*) FROM replies", [])[0][0]

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            if self._connection is not None and self._process == os.getpid():
                self._connection.close()
            self._connection = None

    def _run(self, statement: str, values: List[str]) -> List[Any]:
        with self._lock:
            try:
                return self._open().execute(statement, values).fetchall()
            except sqlite3.OperationalError as error:
                raise BionerError(Errors.E213.format(path=self.path, why=error)) from None
            except sqlite3.DatabaseError as error:
                raise BionerError(Errors.E214.format(path=self.path, why=error)) from None

    def _read(self, reply: str) -> Reply:
        try:
            return reply_from_json(reply)
        except (ValueError, KeyError, TypeError) as error:
            raise BionerError(Errors.E214.format(path=self.path, why=f"unreadable reply ({error!r})")) from None

    def _open(self) -> sqlite3.Connection:
        """RETURNS (sqlite3.Connection): This process's own connection: one carried over a fork would harm the file."""
        if self._connection is not None and self._process == os.getpid():
            return self._connection
        name = ":memory:"
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            name = str(self.path)
        connection = sqlite3.connect(name, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(_SCHEMA)
        self._connection, self._process = connection, os.getpid()
        return connection
