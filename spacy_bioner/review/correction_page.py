"""The page to correct on, served to this machine alone.

The address holds a secret, without which nothing is shown. A request is refused unless it names this machine as its
host, so that no name of another site can lead here, and a change unless the page itself sends it with the secret.
"""

import math
import secrets
import sqlite3
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Sequence, Tuple
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from ..annotation import Annotation
from ..errors import BionerError, Errors
from ..extras import extra
from ..loading import parse_json
from ..tokens import find_units
from .choices import QUEUE
from .decisions import STATUSES, Conflict, Decision, DecisionLog
from .doubt import expected_corrections

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

HOST = "127.0.0.1"
_HOSTS = (HOST, "localhost")
_MOST_BYTES = 2 ** 20
_TOKEN = "X-Review-Token"
_FILES = {"review.js": "text/javascript", "review.css": "text/css"}
_SECURITY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
                               "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True)
class Review:
    """A queue that is corrected.

    queue (Sequence[Annotation]): The sentences.
    log (DecisionLog): Keeps the decisions.
    labels (Sequence[str]): The labels that can be given.
    by (str): Who corrects.
    title (str): Name of the queue.
    """

    queue: Sequence[Annotation]
    log: DecisionLog
    labels: Sequence[str]
    by: str
    title: str
    _by_id: Dict[str, Annotation] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_id", {one.id: one for one in self.queue})

    def address(self, port: int) -> str:
        """Return the address of the page, with the secret."""
        return f"http://{HOST}:{port}/?token={quote(self.log.token)}"

    def state(self) -> Dict[str, Any]:
        """Return the labels and the latest state of all sentences, as the page reads them."""
        return {"labels": list(self.labels), "items": [self.describe(one) for one in self.log.latest().values()]}

    def change(self, said: Mapping[str, Any], *, undo: bool) -> Dict[str, Any]:
        """Keep a decision, or undo one.

        said (Mapping[str, Any]): id, version and key; of a decision also action, status and spans.
        undo (bool): Whether the latest decision on this sentence is undone.
        RETURNS (Dict[str, Any]): The new state of the sentence.
        RAISES Conflict: Where the version is not the latest. RAISES KeyError: Where a key, or the sentence, is missing.
            RAISES BionerError: For mentions that no record can have, E912 for a label that there is not.
        """
        given = self._by_id[str(said["id"])]
        version, key = said["version"], str(said["key"])
        if type(version) is not int:
            raise ValueError("the version is no whole number")
        if undo:
            return self.describe(self.log.undo(given.id, version=version, key=key, by=self.by))
        record = Annotation.from_record({"id": given.id, "text": given.text, "spans": said["spans"],
                                         "meta": given.meta})
        for mention in record.mentions:
            if mention.label not in self.labels:
                raise BionerError(Errors.E912.format(label=mention.label, known=", ".join(self.labels)))
        if said["status"] not in STATUSES:
            raise ValueError("no such status")
        return self.describe(self.log.decide(given.id, version=version, key=key, action=str(said["action"])[:40],
                                             status=said["status"], record=record, by=self.by))

    def describe(self, one: Decision) -> Dict[str, Any]:
        """Return a state of a sentence as the page reads it; offsets count code points."""
        given = self._by_id[one.id]
        why = _read_reason(given)
        doubt = why.get("doubt")
        if not isinstance(doubt, (int, float)) or not math.isfinite(doubt):
            doubt = expected_corrections(given.mentions)
        return {"id": one.id, "version": one.version, "status": one.status, "text": given.text,
                "spans": one.record.to_record()["spans"], "units": find_units(given.text), "doubt": round(doubt, 3),
                "suggestions": list_suggestions(given), "reason": str(why.get("reason", ""))}


def make_page(review: Review, port: int) -> "Starlette":
    """Make the application.

    review (Review): The queue.
    port (int): Where it is served.
    RETURNS (Starlette): A page, the state of the queue as JSON, and decisions.
    """
    with extra("serve"):
        from starlette.applications import Starlette
        from starlette.concurrency import run_in_threadpool
        from starlette.middleware import Middleware
        from starlette.middleware.trustedhost import TrustedHostMiddleware
        from starlette.requests import ClientDisconnect
        from starlette.responses import HTMLResponse, JSONResponse, Response
        from starlette.routing import Route

    origins = {f"http://{host}:{port}" for host in _HOSTS}

    def guarded(answer: Callable[["Request", str], Any], token_of: Callable[["Request"], Any]) -> Callable:
        async def guard(request: "Request") -> "Response":
            token = token_of(request) or ""
            if not secrets.compare_digest(token.encode(), review.log.token.encode()):
                return Response("Open the address that the command printed, with its token.\n", 403)
            if request.method == "POST" and request.headers.get("origin") not in origins:
                return Response("Only the page itself may decide.\n", 403)
            return await answer(request, request.url.path)

        return guard

    async def page(request: "Request", path: str) -> "Response":
        return HTMLResponse(render_page(review.title))

    async def state(request: "Request", path: str) -> "Response":
        try:
            return JSONResponse(await run_in_threadpool(review.state))
        except sqlite3.Error as error:
            return Response(*_refuse_for_now(review, error))

    async def change(request: "Request", path: str) -> "Response":
        body = b""
        try:
            async for piece in request.stream():
                body += piece
                if len(body) > _MOST_BYTES:
                    return Response("The request is too long.\n", 413)
        except ClientDisconnect:
            return Response("The request is not whole.\n", 400)
        try:
            said = parse_json(body)
            return JSONResponse(await run_in_threadpool(review.change, said, undo=path == "/undo"))
        except Conflict as conflict:
            return JSONResponse(review.describe(conflict.latest), 409)
        except (KeyError, TypeError, ValueError) as error:
            return Response(f"{error}\n", 400)
        except sqlite3.Error as error:
            return Response(*_refuse_for_now(review, error))

    async def asset(request: "Request") -> "Response":
        name = request.url.path[1:]
        return Response((files(__package__) / "templates" / name).read_text(encoding="utf8"), media_type=_FILES[name])

    def header(request: "Request") -> Any:
        return request.headers.get(_TOKEN)

    routes = [Route("/", guarded(page, lambda request: request.query_params.get("token"))),
              Route("/queue", guarded(state, header)), Route("/decide", guarded(change, header), methods=["POST"]),
              Route("/undo", guarded(change, header), methods=["POST"]), *(Route(f"/{name}", asset) for name in _FILES)]
    return Starlette(routes=routes, middleware=[Middleware(_add_headers),
                                                Middleware(TrustedHostMiddleware, allowed_hosts=list(_HOSTS))])


def _refuse_for_now(review: Review, error: sqlite3.Error) -> Tuple[str, int]:
    """Return the line for a decision that is not on disk, and a status with which the page sends it again."""
    return f"{Errors.E910.format(path=review.log.path, why=error)}\n", 503


def _add_headers(app: Any) -> Callable:
    """Wrap an application so that each response says what the page may load, and who may show it."""
    async def answer(scope: Any, receive: Any, send: Any) -> None:
        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *((name.lower().encode(), value.encode())
                                                             for name, value in _SECURITY.items())]
            await send(message)

        await app(scope, receive, send_with_headers)

    return answer


def render_page(title: str) -> str:
    """Return the page, without any sentence: these it asks for."""
    environment = Environment(loader=PackageLoader(__package__, "templates"), autoescape=True,
                              undefined=StrictUndefined)
    return environment.get_template("review.html.jinja").render(title=title)


def list_suggestions(given: Annotation) -> List[Dict[str, Any]]:
    """Return the suggestions of a record that fit its text; a file may hold anything."""
    held, kept = _read_reason(given).get("suggestions"), []
    for one in held if isinstance(held, list) else ():
        try:
            mention = Annotation.from_record({"text": given.text, "spans": [one]}).mentions[0]
        except BionerError:
            continue
        kept.append({"start": mention.start, "end": mention.end, "label": mention.label, "score": mention.score})
    return kept


def _read_reason(given: Annotation) -> Mapping[str, Any]:
    held = given.meta.get(QUEUE)
    return held if isinstance(held, dict) else {}
