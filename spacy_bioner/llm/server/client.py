"""Any server that speaks the OpenAI protocol: asked side by side, with time limits, and again where that can help."""

import asyncio
import json
import math
import os
import random
import time
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from queue import SimpleQueue
from threading import Thread
from typing import Any, Callable, Dict, Iterator, Mapping, Optional, Sequence, Tuple

from ...errors import BionerError, Errors
from ...extras import extra
from ...settings import setting
from ..annotation.planner import estimate_tokens
from ..protocol import DOCUMENT_STATUS, Reply, Request
from ..settings import ConnectionSettings, ResponseSettings
from .exchange import Answer, AnswerTooLarge, Limits, UnreadableAnswer, find_proxy, post, size_limit
from .parameters import Parameters, describe_refusal, find_refused

# Answers that ended by themselves, and answers that the token limit cut, in the words of the servers there are.
STOPPED = frozenset({"stop", "eos", "eos_token", "end_turn", "stop_sequence"})
CUT = frozenset({"length", "max_tokens"})
REFUSED = frozenset({"content_filter", "refusal"})
RETRIED_STATUS = frozenset({408, 409, 425, 429})
_OK = 200
_ELSEWHERE = range(300, 400)
_SERVER_ERRORS = 500


class ServerSettings(ConnectionSettings, ResponseSettings):
    """A model on a server, and how it is asked."""

    model: str = setting(..., "Name of the model on the server.")
    revision: Optional[str] = setting(None, "Tells two models of the same name apart; null takes the address.")
    api_key: Optional[str] = setting(None, "Key; null takes that of the environment, or none.", repr=False)
    chat: bool = setting(True, "Whether prompts are chat messages; false asks for plain completions.")
    json_schema: Optional[Mapping[str, Any]] = setting(None, "JSON schema that responses must follow.")


@dataclass(frozen=True)
class _Outcome:
    """What one try gave: a reply, or why there is none, and whether and when to try again.

    service_failed (bool): See `Reply`; refused (bool) likewise.
    adapted (bool): Whether the next try leaves out what this one was refused for.
    """

    reply: Optional[Reply] = None
    error: str = ""
    retry: bool = False
    after: Optional[float] = None
    service_failed: bool = False
    refused: bool = False
    adapted: bool = False


class Server:
    """Asks a server; a failed request is a reply with an error, in the order in which they come.

    settings (ServerSettings): Where it is and how it is asked.
    count_tokens (Callable[[str], int]): Counts tokens as the server's model does; by default an estimate
        on the high side.
    adapter (Optional[str]): What tells the adapter that the server has loaded under this name from an earlier one.
    RAISES BionerError: E223 where no address is given.
    """

    def __init__(self, settings: ServerSettings, *, count_tokens: Callable[[str], int] = estimate_tokens,
                 adapter: Optional[str] = None) -> None:
        self.settings = settings
        self.adapter = adapter
        self.base_url = settings.base_url or os.environ.get("OPENAI_BASE_URL") or ""
        if not self.base_url:
            raise BionerError(Errors.E223.format(model=settings.model))
        self._url = f"{self.base_url.rstrip('/')}/{'chat/completions' if settings.chat else 'completions'}"
        self._parameters = Parameters(settings)
        self._limits = Limits(settings.max_response_bytes or size_limit(settings.max_new_tokens),
                              settings.max_expansion)
        self._count_tokens = count_tokens
        self._chance = random.Random(settings.seed)
        self._paused_until = 0.0
        self._has_answered = False

    @property
    def context_length(self) -> int:
        return self.settings.context_length

    def count_tokens(self, text: str) -> int:
        return self._count_tokens(text)

    def identity(self) -> Dict[str, Any]:
        """Return all that a reply depends on beside the prompt; no key."""
        settings = self.settings
        return {"model": settings.model, "revision": settings.revision or self.base_url, "adapter": self.adapter,
                "decoding": "server", "chat": settings.chat, "max_new_tokens": settings.max_new_tokens,
                "temperature": settings.temperature, "seed": settings.seed,
                "json_schema": settings.json_schema, "extra_body": dict(settings.extra_body)}

    def generate(self, requests: Sequence[Request]) -> Iterator[Tuple[int, Reply]]:
        """Ask for all requests, so many at once.

        requests (Sequence[Request]): A window of requests.
        YIELDS (Tuple[int, Reply]): Index and reply, as they come.
        """
        answers: "SimpleQueue[Optional[Tuple[int, Reply]]]" = SimpleQueue()
        loop = asyncio.new_event_loop()
        task = loop.create_task(self._ask_all(requests, answers.put))
        # A thread of its own, since the caller may run in an event loop already, as notebooks do.
        thread = Thread(target=_run, args=(loop, task, answers), daemon=True)
        thread.start()
        try:
            while (answer := answers.get()) is not None:
                yield answer
        finally:
            with suppress(RuntimeError):  # the loop has ended by itself meanwhile
                loop.call_soon_threadsafe(task.cancel)
            thread.join()
        task.result()

    async def _ask_all(self, requests: Sequence[Request], put: Callable[[Tuple[int, Reply]], None]) -> None:
        gate = asyncio.Semaphore(self.settings.concurrency)
        async with self._connect() as client:

            async def ask(index: int, request: Request) -> None:
                put((index, await self._ask(client, gate, request)))

            await asyncio.gather(*(ask(index, request) for index, request in enumerate(requests)))

    def _connect(self) -> Any:
        """Return a client that goes nowhere but to the server: no redirects, and no proxy or
        password file that the environment happens to name."""
        with extra("llm"):
            import httpx

        settings = self.settings
        key = settings.api_key or os.environ.get(settings.api_key_env)
        return httpx.AsyncClient(
            headers={"Accept-Encoding": "gzip", **({"Authorization": f"Bearer {key}"} if key else {})},
            timeout=httpx.Timeout(settings.timeout, connect=min(10.0, settings.timeout)),
            limits=httpx.Limits(max_connections=settings.concurrency, max_keepalive_connections=settings.concurrency),
            proxy=find_proxy(self._url) if settings.environment_proxy else None, trust_env=False,
            follow_redirects=False)

    async def _ask(self, client: Any, gate: asyncio.Semaphore, request: Request) -> Reply:
        """Send a request until it is answered, refused for good, or given up."""
        started = time.perf_counter()
        tried = adapted = 0
        while tried < self.settings.max_tries:
            async with gate:
                await asyncio.sleep(max(self._paused_until - time.monotonic(), 0.0))
                outcome = await self._try(client, request)
            if outcome.adapted:
                adapted += 1
                continue
            tried += 1
            usage = {"requests": tried + adapted, "retries": tried - 1, "seconds": time.perf_counter() - started}
            if outcome.reply is not None:
                self._has_answered = True
                return Reply(outcome.reply.text, outcome.reply.finish_reason, usage={**outcome.reply.usage, **usage})
            if not outcome.retry:
                break
            if tried < self.settings.max_tries:
                await self._wait(tried, outcome.after)
        tries = f" ({tried} tries)" if tried > 1 else ""
        # What cannot be read comes from no model at all, as a page to log in, where nothing could be read before.
        unreadable = outcome.retry and not self._has_answered
        return Reply(finish_reason="error", error=f"{outcome.error}{tries}", usage=usage,
                     service_failed=outcome.service_failed or unreadable, refused=outcome.refused)

    async def _wait(self, tried: int, after: Optional[float]) -> None:
        """Wait as the server says, then for all requests, or longer each time; never beyond the limit."""
        if after is not None:
            wait = min(after, self.settings.max_wait)
            self._paused_until = max(self._paused_until, time.monotonic() + wait)
        else:
            wait = self.settings.backoff * 2 ** (tried - 1) * self._chance.uniform(0.75, 1.25)
        await asyncio.sleep(min(wait, self.settings.max_wait))

    async def _try(self, client: Any, request: Request) -> _Outcome:
        """Send a request once. Messages of the server are not passed on: they may quote the document."""
        with extra("llm"):
            import httpx

        prompt = request.prompt
        sent = self._parameters.of_request(request.sample)
        body = ({"messages": prompt.messages} if self.settings.chat else {"prompt": prompt.plain + "\n"}) | sent
        try:
            answer = await asyncio.wait_for(post(client, self._url, body, self._limits), self.settings.timeout)
        except (asyncio.TimeoutError, httpx.TimeoutException):
            return _Outcome(error=f"no answer within {self.settings.timeout:g} s", retry=True, service_failed=True)
        except AnswerTooLarge:
            return _Outcome(error=f"the answer has more than the {self._limits.size:,} bytes that it may have, or "
                                  f"grows more than {self._limits.expansion:g} times when it is unpacked", retry=True)
        except UnreadableAnswer:
            return _Outcome(error="the answer was not readable gzip", retry=True)
        except (httpx.TransportError, httpx.InvalidURL):
            return _Outcome(error="the connection failed", retry=True, service_failed=True)
        try:
            content = json.loads(answer.content)
        except (ValueError, RecursionError):  # the last one for what is nested too deep
            content = None
        if answer.status != _OK:
            return self._read_refusal(answer, content, sent, prompt.plain)
        return read_answer(content) if content is not None else _Outcome(error="the answer was not JSON", retry=True)

    def _read_refusal(self, answer: Answer, content: Any, sent: Mapping[str, Any], prompt: str) -> _Outcome:
        """Return what a status other than 200 means."""
        status = answer.status
        if status in _ELSEWHERE:
            return _Outcome(error=f"HTTP {status}: a redirect to another address, which is not followed",
                            service_failed=True)
        refused = find_refused(content, sent, prompt) if status in DOCUMENT_STATUS else None
        if self._parameters.adapt(sent, refused):
            return _Outcome(adapted=True)
        return _Outcome(error=f"HTTP {status}{describe_refusal(content, refused)}",
                        retry=status in RETRIED_STATUS or status >= _SERVER_ERRORS,
                        after=read_retry_after(answer.headers), service_failed=status not in DOCUMENT_STATUS,
                        refused=status in DOCUMENT_STATUS)


def read_answer(answer: Any) -> _Outcome:
    """Read an answer with status 200, of which each part may be of any type.

    answer (Any): The answer, as JSON.
    RETURNS (_Outcome): A reply, or what is wrong with the answer.
    """
    choices = _get(answer, "choices")
    if not isinstance(choices, list) or not choices:
        return _Outcome(error="the answer holds no choices", retry=True)
    found = _get(choices[0], "finish_reason")
    reason = found if isinstance(found, str) else None
    if reason in REFUSED:
        return _Outcome(error=f"the server refused to answer ({reason})")
    if reason not in STOPPED | CUT:
        return _Outcome(error=f"the answer ended with the reason {str(reason)[:20]!r}", retry=True)
    text = read_text(choices[0])
    if text is None:  # as of a model that has thought until the limit: it would do so again
        return _Outcome(error="the answer holds no text")
    usage = _get(answer, "usage")
    counts = {"prompt_tokens": _get(usage, "prompt_tokens"), "answer_tokens": _get(usage, "completion_tokens")}
    return _Outcome(reply=Reply(text, "length" if reason in CUT else "stop", usage={
        key: count for key, count in counts.items() if isinstance(count, int)}))


def read_text(choice: Any) -> Optional[str]:
    """Read the text of an answer, in one piece or in parts; parts of other kinds, as thoughts, are left out.

    choice (Any): A choice of the answer: a chat message, or a plain completion.
    RETURNS (Optional[str]): The text, or None where there is none.
    """
    message = _get(choice, "message")
    content = _get(choice, "text") if message is None else _get(message, "content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = [part.get("text") for part in parts if isinstance(part, dict) and part.get("type") == "text"]
    written = [text for text in texts if isinstance(text, str)]
    return "".join(written) if texts and len(written) == len(texts) else None


def _get(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def read_retry_after(headers: Mapping[str, str]) -> Optional[float]:
    """Return seconds that a server asks to wait, given as a number or as a date."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = _seconds_until(value)
    return None if math.isnan(seconds) else max(seconds, 0.0)


def _seconds_until(date: str) -> float:
    """Return seconds from now to a date as HTTP writes it; not a number for anything else."""
    try:
        return parsedate_to_datetime(date).timestamp() - time.time()
    except (ValueError, OverflowError):
        return math.nan


def _run(loop: asyncio.AbstractEventLoop, task: "asyncio.Task[None]", answers: "SimpleQueue[Any]") -> None:
    """Run an event loop until its task has ended, in whatever way, and say so."""
    loop.run_until_complete(asyncio.wait([task]))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
    answers.put(None)
