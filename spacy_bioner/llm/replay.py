"""Recorded replies in place of a model: for tests, smoke runs and audits."""

import hashlib
import json
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

from ..errors import BionerError, Errors
from ..files import read_json_lines
from .local.model_source import OpenedSource
from .protocol import Reply, Request

_CONTEXT_LENGTH = 1_000_000


class Replay:
    """Answers requests with recorded replies, found by source text or, without one, by the plain prompt.

    records (Sequence[Mapping[str, Any]]): `{"text" or "prompt", "output"}`; several for one text are its samples.
    """

    context_length = _CONTEXT_LENGTH

    def __init__(self, records: Sequence[Mapping[str, Any]]) -> None:
        self._outputs: Dict[Tuple[str, str], List[str]] = {}
        for record in records:
            key = ("text", record["text"]) if "text" in record else ("prompt", record["prompt"])
            self._outputs.setdefault(key, []).append(record["output"])
        spelt = json.dumps(sorted(self._outputs.items()), ensure_ascii=False)
        self._hash = hashlib.sha256(spelt.encode("utf8", "surrogatepass")).hexdigest()[:16]

    def identity(self) -> Dict[str, Any]:
        """Return the kind of model, and the hash of what it knows."""
        return {"model": "replay", "revision": self._hash, "adapter": None}

    def generate(self, requests: Sequence[Request]) -> Iterator[Tuple[int, Reply]]:
        """Yield the recorded reply of each request; one that was not recorded is an error."""
        for index, request in enumerate(requests):
            outputs = (self._outputs.get(("text", request.text)) if request.text else None) \
                or self._outputs.get(("prompt", request.prompt.plain), [])
            if request.sample < len(outputs):
                yield index, Reply(text=outputs[request.sample], usage={"requests": 1})
            else:
                yield index, Reply(finish_reason="error", error=Errors.E219, usage={"requests": 1})

    def count_tokens(self, text: str) -> int:
        """Return words of the text; recorded replies have no tokenizer."""
        return len(text.split())


def read_replay(path: Path) -> Replay:
    """Read recorded replies.

    path (Path): JSON Lines of `{"text" or "prompt", "output"}`.
    RETURNS (Replay): A model that gives them.
    RAISES BionerError: E001 to E003, E220 for a record without these keys.
    """
    records = []
    for number, record in read_json_lines(path):
        strings = [key for key in ("text", "prompt") if isinstance(record.get(key), str)]
        if not strings or not isinstance(record.get("output"), str):
            raise BionerError(Errors.E220.format(path=path, line=number))
        records.append(record)
    return Replay(records)


def make_replay(path: Path) -> OpenedSource:
    """Create the registered model `spacy-bioner.Replay.v1`: recorded replies, see `read_replay`."""
    return OpenedSource(read_replay(path))
