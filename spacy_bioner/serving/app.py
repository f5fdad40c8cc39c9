"""The HTTP side: `POST /annotate` takes texts and gives records, `GET /health` says what is served."""

import asyncio
import logging
import re
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, AsyncIterator, Dict, List, NamedTuple, Sequence, Tuple

from ..errors import BionerError, Errors, describe
from ..extras import extra
from ..formats.docbin import doc_to_annotation
from ..llm.local.numbers.freed_memory import FreedMemory
from ..loading import parse_json
from .request_batches import Batcher

if TYPE_CHECKING:
    from spacy.language import Language
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

logger = logging.getLogger(__name__)

# Bytes of a request; a longer one is refused before it is read whole.
MOST_BYTES = 10_000_000
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_WANTED = 'Wanted a JSON object {"texts": ["...", "..."]}'


class Served(NamedTuple):
    """A pipeline and how its answers are read.

    nlp (Language): The pipeline.
    spans_key (str): Key of the spans in Docs.
    batch_size (int): Texts that are annotated together.
    freed (FreedMemory): Where memory goes that a batch took.
    """

    nlp: "Language"
    spans_key: str = "sc"
    batch_size: int = 64
    freed: FreedMemory = FreedMemory()

    def annotate(self, texts: List[str]) -> List[Dict[str, Any]]:
        """Return the spans of each text as a record has them. Strings that only these texts hold are forgotten
        afterwards, so that the process does not grow with every new word."""
        with self.nlp.memory_zone():
            found = [doc_to_annotation(doc, self.spans_key).to_record()["spans"]
                     for doc in self.nlp.pipe(texts, batch_size=self.batch_size)]
        self.freed.give_back()
        return found


class _Refused(Exception):
    """A request that is not answered.

    status (int): Status of HTTP.
    why (str): One line for the client.
    """

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


def make_app(served: Served, *, hosts: Sequence[str] = _LOOPBACK) -> "Starlette":
    """Make the application.

    served (Served): The pipeline.
    hosts (Sequence[str]): Names by which clients may call it; "*" for any. A web page that leads a browser here under
        a name of its own is refused.
    RETURNS (Starlette): The application.
    """
    with extra("serve"):
        from starlette.applications import Starlette
        from starlette.middleware import Middleware
        from starlette.middleware.trustedhost import TrustedHostMiddleware
        from starlette.responses import JSONResponse
        from starlette.routing import Route

    batcher = Batcher(served.annotate, size=served.batch_size)

    async def annotate(request: "Request") -> "Response":
        try:
            texts = read_texts(await _read_body(request), served.nlp.max_length)
            if batcher.is_full():
                raise _Refused(503, "Too many texts are waiting. Ask again later")
        except _Refused as refused:
            later = {"Retry-After": "1"} if refused.status == 503 else {}
            return JSONResponse({"error": f"{refused.why}."}, refused.status, headers=later)
        return JSONResponse(*make_answer(texts, await batcher.annotate(texts)))

    async def health(request: "Request") -> "Response":
        meta = served.nlp.meta
        labels = sorted({label for known in served.nlp.pipe_labels.values() for label in known})
        return JSONResponse({"pipeline": f"{meta['lang']}_{meta['name']}", "version": meta["version"],
                             "labels": labels})

    @asynccontextmanager
    async def working(app: "Starlette") -> AsyncIterator[None]:
        task = asyncio.create_task(batcher.run())
        yield
        task.cancel()
        await asyncio.wait([task])

    return Starlette(routes=[Route("/annotate", annotate, methods=["POST"]), Route("/health", health)],
                     middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))], lifespan=working)


async def _read_body(request: "Request") -> bytes:
    # A page of another origin cannot send JSON without asking first, and is not answered.
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise _Refused(415, "The content type is not application/json")
    with extra("serve"):
        from starlette.requests import ClientDisconnect

    body = b""
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > MOST_BYTES:
                raise _Refused(413, f"The request has more than {MOST_BYTES:,} bytes. Send fewer texts at once")
    except ClientDisconnect:
        raise _Refused(400, "The request is not whole") from None
    return body


def read_texts(body: bytes, most_characters: int) -> List[str]:
    """Read the texts of a request.

    body (bytes): What was sent.
    most_characters (int): Longest text that the pipeline takes.
    RETURNS (List[str]): The texts; raises a refusal with a status for anything else.
    """
    try:
        found = parse_json(body)
    except ValueError:
        raise _Refused(400, f"The request is not JSON. {_WANTED}") from None
    texts = found.get("texts") if isinstance(found, dict) else None
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise _Refused(422, f"The request holds no list of texts. {_WANTED}")
    for number, text in enumerate(texts):
        if len(text) > most_characters:
            raise _Refused(422, f"Text {number} has {len(text):,} characters, the pipeline takes "
                                f"{most_characters:,}. Send it in parts")
        if _SURROGATE.search(text):
            raise _Refused(422, f"Text {number} holds half of a character (a lone surrogate). Send whole characters")
    return texts


def make_answer(texts: Sequence[str], found: Sequence[Any]) -> Tuple[Dict[str, Any], int]:
    """Make the answer to a request that was worked on.

    texts (Sequence[str]): Its texts.
    found (Sequence[Any]): The spans of each, or what the pipeline raised on it.
    RETURNS (Tuple[Dict[str, Any], int]): The answer, and its status: 500 where every text failed, else 200.
    """
    errors = [each for each in found if isinstance(each, BaseException)]
    records = [{"text": text, "error": describe(each)} if isinstance(each, BaseException) else
               {"text": text, "spans": each} for text, each in zip(texts, found)]
    if errors:
        logger.error("The pipeline failed on %s of %s texts, first so:", len(errors), len(texts), exc_info=errors[0])
    if errors and len(errors) == len(texts):
        return {"error": f"The pipeline fails on every text: {describe(errors[0])}", "records": records}, 500
    return {"records": records}, 200


def listen(host: str, port: int) -> socket.socket:
    """Take an address.

    host (str): Name or address of this machine.
    port (int): The port; 0 takes a free one.
    RETURNS (socket.socket): The socket.
    RAISES BionerError: E742 where it cannot be had.
    """
    try:
        taken = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        why = (getattr(error, "strerror", None) or str(error)).rstrip(".")
        raise BionerError(Errors.E742.format(host=host, port=port, why=why)) from None
    # Connections take this over. asyncio sets it only on sockets that were made with the protocol named; without it
    # the body of an answer waits for 40 ms until its head is acknowledged.
    taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return taken


def name_address(host: str, port: int) -> str:
    """Return the address of a host and a port, one of IPv6 in brackets."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(app: "Starlette", taken: socket.socket) -> None:
    """Answer requests until the process is told to end; those under way are answered first.

    app (Starlette): The application.
    taken (socket.socket): Where it listens.
    """
    with extra("serve"):
        import uvicorn

    uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=30)).run(sockets=[taken])
