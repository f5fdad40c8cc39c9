"""Requests and results as files of batch services, in OpenAI's format, under the keys of the cache."""

import json
from pathlib import Path
from typing import Iterator, Mapping, NamedTuple

from ...errors import BionerError, Errors
from ...files import read_json_lines
from ..protocol import Request
from .answers import Outcome, read_answer
from .client import Server

_OK = 200


class BatchResult(NamedTuple):
    """What a line of a results file says.

    key (str): Key of the request in the cache.
    outcome (Outcome): The reply, or the reason why there is none.
    """

    key: str
    outcome: Outcome


def batch_lines(server: Server, requests: Mapping[str, Request]) -> Iterator[str]:
    """Spell requests for a batch service.

    server (Server): Writes the bodies, as it would send them; a grammar goes along only to a kind of server that is
        set, since a file cannot ask the server what it is.
    requests (Mapping[str, Request]): Key of the cache to request.
    YIELDS (str): A line of the file.
    """
    path = f"/v1/{'chat/completions' if server.settings.chat else 'completions'}"
    for key, request in requests.items():
        line = {"custom_id": key, "method": "POST", "url": path, "body": server.make_batch_body(request)}
        yield json.dumps(line, ensure_ascii=True) + "\n"


def read_batch(path: Path) -> Iterator[BatchResult]:
    """Read the results of a batch service.

    path (Path): The file, a result a line, in any order.
    YIELDS (BatchResult): Each result; what failed there has its reason.
    RAISES BionerError: E239 for a line that is no result.
    """
    for number, line in read_json_lines(path):
        key = line.get("custom_id")
        if not isinstance(key, str) or ("response" not in line and "error" not in line):
            raise BionerError(Errors.E239.format(path=path, line=number))
        response = line.get("response")
        body, status = (response.get("body"), response.get("status_code")) if isinstance(response, dict) else (None, 0)
        outcome = read_answer(body)
        if status != _OK or outcome.reply is None:
            why = outcome.error if status == _OK else f"HTTP {status}" if status else "the batch service failed"
            yield BatchResult(key, Outcome(error=why, usage=outcome.usage))
        else:
            yield BatchResult(key, outcome)
