"""Any server that speaks the OpenAI protocol: asked side by side, with time limits, and again where that can help."""

import asyncio
import json
import os
import random
import time
from contextlib import suppress
from dataclasses import replace
from queue import SimpleQueue
from threading import Thread
from typing import Any, Callable, Dict, Iterator, Mapping, NamedTuple, Optional, Sequence, Tuple

from ...errors import BionerError, Errors
from ...extras import extra
from ...settings import setting
from ..annotation.planner import estimate_tokens
from ..protocol import DOCUMENT_STATUS, Reply, Request
from ..settings import ConnectionSettings, GrammarSettings, ResponseSettings
from .answers import Outcome, may_pass, read_answer, read_retry_after
from .budget import Budget
from .exchange import (
    Answer,
    AnswerTooLarge,
    Limits,
    UnreadableAnswer,
    check_address,
    find_key,
    find_proxy,
    get,
    post,
    read_trusted,
    size_limit,
)
from .grammar_requests import GrammarRequests, LookUpFailed
from .parameters import Parameters, describe_refusal, find_refused
from .span_scores import SpanScorer
from .token_logprobs import LISTED

# Tokens that chat markup adds to a prompt.
PROMPT_MARGIN = 64
_OK = 200
_NOT_FOUND = 404
_KEY_REFUSED = (401, 403)
_ELSEWHERE = range(300, 400)


class ServerSettings(GrammarSettings, ConnectionSettings, ResponseSettings):
    """A model on a server, and how it is asked."""

    model: str = setting(..., "Name of the model on the server.")
    revision: Optional[str] = setting(None, "Tells two models of the same name apart; null takes the address.")
    api_key: Optional[str] = setting(None, "Key; null takes that of the environment, or none.", repr=False)
    chat: bool = setting(True, "Whether prompts are chat messages; false asks for plain completions.")
    top_p: Optional[float] = setting(None, "Share of the probability to sample from; null sends none.", gt=0, le=1)
    json_schema: Optional[Mapping[str, Any]] = setting(None, "JSON schema that responses must follow.")


class _Unkept:
    """Replies that the caller has not taken yet. No new request starts before they are kept: a killed run would
    ask for them again, beside the requests under way."""

    def __init__(self) -> None:
        self._count = 0
        self._none = asyncio.Event()
        self._none.set()

    def add(self) -> None:
        """Count a reply that is handed over."""
        self._count += 1
        self._none.clear()

    def remove(self) -> None:
        """Count a reply as taken, once the caller has come back for the next."""
        self._count -= 1
        if not self._count:
            self._none.set()

    async def wait_for_none(self) -> None:
        """Wait until all replies are taken."""
        while self._count:
            await self._none.wait()


class _Call(NamedTuple):
    """What the requests of one call share.

    client (Any): The HTTP client.
    gate (asyncio.Semaphore): Lets so many requests through at once.
    probing (asyncio.Lock): Lets one of them ask what the server is.
    unkept (_Unkept): Holds new requests back until the replies that came are taken.
    """

    client: Any
    gate: asyncio.Semaphore
    probing: asyncio.Lock
    unkept: _Unkept


class Server:
    """Asks a server; a failed request is a reply with an error, in the order in which they come.

    settings (ServerSettings): Where it is and how it is asked.
    count_tokens (Callable[[str], int]): Counts tokens as the server's model does; by default an estimate
        on the high side.
    adapter (Optional[str]): What tells the adapter that the server has loaded under this name from an earlier one.
    write_grammar (Optional[Callable[[str], str]]): Text to the grammar of its answers; None lets all answer freely.
    score_spans (Optional[SpanScorer]): Scores the mentions of answers; None asks for no log-probabilities.
    budget (Optional[Budget]): Counts the cost, with other servers of the run.
    RAISES BionerError: E223 where no address is given, E209 for what is none, E250 for a file of certificates
        that cannot be used.
    """

    def __init__(self, settings: ServerSettings, *, count_tokens: Callable[[str], int] = estimate_tokens,
                 adapter: Optional[str] = None, write_grammar: Optional[Callable[[str], str]] = None,
                 score_spans: Optional[SpanScorer] = None, budget: Optional[Budget] = None) -> None:
        self.settings = settings
        self.adapter = adapter
        self.base_url = settings.base_url or os.environ.get("OPENAI_BASE_URL") or ""
        if not self.base_url:
            raise BionerError(Errors.E223.format(model=settings.model))
        check_address(self.base_url)
        self._url = f"{self.base_url.rstrip('/')}/{'chat/completions' if settings.chat else 'completions'}"
        self._trusted = read_trusted(settings.ca_file)
        self._parameters = Parameters(settings)
        self._count_tokens = count_tokens
        self._grammars = (GrammarRequests(settings, write_grammar)
                          if settings.grammar is not None and write_grammar is not None else None)
        wants_scores = self._grammars is not None if settings.scores is None else settings.scores
        self._score_spans = score_spans if wants_scores else None
        self._listed = 0 if self._score_spans is None else LISTED
        self._limits = Limits(settings.max_response_bytes or size_limit(settings.max_new_tokens, listed=self._listed),
                              settings.max_expansion)
        self.budget = budget
        self._chance = random.Random(settings.seed)
        self._paused_until = 0.0
        self._has_answered = False

    @property
    def context_length(self) -> int:
        return self.settings.context_length

    @property
    def scores_spans(self) -> bool:
        """Whether spans get scores where the server lists the log-probabilities of tokens."""
        return self._score_spans is not None

    def count_tokens(self, text: str) -> int:
        return self._count_tokens(text)

    def identity(self) -> Dict[str, Any]:
        """Return all that a reply depends on beside the prompt; no key."""
        settings = self.settings
        # Where caches of earlier versions have it.
        top_p = {} if settings.top_p is None else {"top_p": settings.top_p}
        return {"model": settings.model, "revision": settings.revision or self.base_url, "adapter": self.adapter,
                "decoding": "server", "chat": settings.chat, "max_new_tokens": settings.max_new_tokens,
                "temperature": settings.temperature, "seed": settings.seed,
                "json_schema": settings.json_schema, "extra_body": {**top_p, **settings.extra_body},
                "grammar": None if self._grammars is None else [settings.grammar, settings.grammar_depth],
                **({"scores": self._listed} if self._listed else {})}

    def generate(self, requests: Sequence[Request]) -> Iterator[Tuple[int, Reply]]:
        """Ask for all requests, so many at once, counting those whose reply is not taken yet.

        requests (Sequence[Request]): A window of requests.
        YIELDS (Tuple[int, Reply]): Index and reply, as they come.
        """
        answers: "SimpleQueue[Optional[Tuple[int, Reply]]]" = SimpleQueue()
        unkept = _Unkept()
        loop = asyncio.new_event_loop()
        task = loop.create_task(self._ask_all(requests, unkept, answers.put))
        # A thread of its own, since the caller may run in an event loop already, as notebooks do.
        thread = Thread(target=_run, args=(loop, task, answers), daemon=True)
        thread.start()
        try:
            while (answer := answers.get()) is not None:
                yield answer
                with suppress(RuntimeError):  # the loop has ended by itself meanwhile
                    loop.call_soon_threadsafe(unkept.remove)
        finally:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(task.cancel)
            thread.join()
        task.result()

    async def _ask_all(self, requests: Sequence[Request], unkept: _Unkept,
                       put: Callable[[Tuple[int, Reply]], None]) -> None:
        gate, probing = asyncio.Semaphore(self.settings.concurrency), asyncio.Lock()
        async with self._connect() as client:
            call = _Call(client, gate, probing, unkept)

            async def ask(index: int, request: Request) -> None:
                reply = await self._ask(call, request)
                unkept.add()
                put((index, reply))

            tasks = [asyncio.create_task(ask(index, request)) for index, request in enumerate(requests)]
            try:
                await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def _connect(self) -> Any:
        """Return a client that goes nowhere but to the server: no redirects, and no proxy or
        password file that the environment happens to name."""
        with extra("llm"):
            import httpx

        settings = self.settings
        key = find_key(settings.api_key, settings.api_key_env, usual=ServerSettings.model_fields["api_key_env"].default)
        return httpx.AsyncClient(
            headers={"Accept-Encoding": "gzip", **({"Authorization": f"Bearer {key}"} if key else {})},
            timeout=httpx.Timeout(settings.timeout, connect=min(10.0, settings.timeout)),
            limits=httpx.Limits(max_connections=settings.concurrency, max_keepalive_connections=settings.concurrency),
            proxy=find_proxy(self._url) if settings.environment_proxy else None, trust_env=False,
            verify=self._trusted, follow_redirects=False)

    async def _ask(self, call: _Call, request: Request) -> Reply:
        """Send a request until it is answered, refused for good, or given up."""
        started = time.perf_counter()
        tried = adapted = 0
        cost = 0.0
        is_free = False
        while tried < self.settings.max_tries:
            async with call.gate:
                await asyncio.sleep(max(self._paused_until - time.monotonic(), 0.0))
                await call.unkept.wait_for_none()
                outcome = await self._try_within_budget(call, request, is_free=is_free)
                if self._grammars is not None and self._grammars.gives_way(outcome):
                    is_free, adapted = True, adapted + 1
                    outcome = await self._try_within_budget(call, request, is_free=True)
            cost += self._spend(outcome, request)
            if outcome.adapted:
                adapted += 1
                continue
            tried += 1
            usage = {"requests": tried + adapted, "retries": tried - 1, "seconds": time.perf_counter() - started,
                     **({} if self.budget is None else {"cost": cost})}
            if outcome.reply is not None:
                self._has_answered = True
                if self._grammars is not None:
                    self._grammars.note_answered(constrained=outcome.constrained, refused=is_free)
                return replace(outcome.reply, usage={**outcome.reply.usage, **usage})
            if not outcome.retry:
                break
            if tried < self.settings.max_tries:
                await self._wait(tried, outcome.after)
        tries = f" ({tried} tries)" if tried > 1 else ""
        asked = " to a request with a grammar" if outcome.refused and outcome.constrained else ""
        # What cannot be read comes from no model at all, as a page to log in, where nothing could be read before.
        unreadable = outcome.retry and not self._has_answered
        return Reply(finish_reason="error", error=f"{outcome.error}{asked}{tries}", usage=usage,
                     service_failed=outcome.service_failed or unreadable, refused=outcome.refused)

    async def _try_within_budget(self, call: _Call, request: Request, *, is_free: bool) -> Outcome:
        """Send a request once, if what it may cost at most is left."""
        if self.budget is None or self.budget.max_cost is None:
            return await self._try(call, request, is_free=is_free)
        async with self.budget.reserved(self.budget.cost(**self._most_tokens(request))):
            outcome = await self._try(call, request, is_free=is_free)
        return outcome

    def _most_tokens(self, request: Request) -> Dict[str, int]:
        return {"prompt_tokens": self._count_tokens(request.prompt.plain) + PROMPT_MARGIN,
                "answer_tokens": self.settings.max_new_tokens}

    def _spend(self, outcome: Outcome, request: Request) -> float:
        """Return the cost of an answer, also of one that is of no use; the most where it does not say."""
        if self.budget is None or not outcome.may_cost:
            return 0.0
        cost = self.budget.cost(**{**self._most_tokens(request), **outcome.usage})
        self.budget.spend(cost)
        return cost

    async def _wait(self, tried: int, after: Optional[float]) -> None:
        """Wait as the server says, then for all requests, or longer each time; never beyond the limit."""
        if after is not None:
            wait = min(after, self.settings.max_wait)
            self._paused_until = max(self._paused_until, time.monotonic() + wait)
        else:
            wait = self.settings.backoff * 2 ** (tried - 1) * self._chance.uniform(0.75, 1.25)
        await asyncio.sleep(min(wait, self.settings.max_wait))

    def make_body(self, request: Request, members: Mapping[str, Any], *, logprobs: bool = False) -> Dict[str, Any]:
        """Return a request as the server takes it.

        request (Request): The request.
        members (Mapping[str, Any]): What is added: a grammar, which takes the place of a schema.
        logprobs (bool): Whether the answer shall come with the log-probabilities of its tokens.
        """
        sent = {**self._parameters.of_request(request.sample, logprobs=logprobs), **members}
        if members:
            sent.pop("response_format", None)
        prompt = request.prompt
        return ({"messages": prompt.messages} if self.settings.chat else {"prompt": prompt.plain + "\n"}) | sent

    def make_batch_body(self, request: Request) -> Dict[str, Any]:
        """Return a request for a batch service, which cannot be asked what it is."""
        known = self._grammars is not None and not self._grammars.is_undecided
        members = self._grammars.members(request.text) if known and self._grammars else {}
        return self.make_body(request, members, logprobs=self._wants_logprobs(members))

    def _wants_logprobs(self, members: Mapping[str, Any]) -> bool:
        return self.scores_spans and (bool(members) or bool(self.settings.scores))

    async def _choose_members(self, call: _Call, request: Request) -> Dict[str, Any]:
        """Return the grammar of a request as the server takes it, after asking once what the server is."""
        if self._grammars is None:
            return {}
        async with call.probing:
            if self._grammars.is_undecided:
                await self._grammars.detect(lambda page: asyncio.wait_for(
                    get(call.client, f"{self.base_url.rstrip('/')}/{page}", self._limits), self.settings.timeout))
        return self._grammars.members(request.text)

    async def _try(self, call: _Call, request: Request, *, is_free: bool) -> Outcome:
        """Send a request once. Messages of the server are not passed on: they may quote the document."""
        with extra("llm"):
            import httpx

        was_sent = False
        try:
            members = {} if is_free else await self._choose_members(call, request)
            body = self.make_body(request, members, logprobs=self._wants_logprobs(members))
            was_sent = True
            answer = await asyncio.wait_for(post(call.client, self._url, body, self._limits), self.settings.timeout)
        except (asyncio.TimeoutError, httpx.TimeoutException) as failed:
            return Outcome(error=f"no answer within {self.settings.timeout:g} s", retry=True, service_failed=True,
                           may_cost=was_sent and not isinstance(failed, (httpx.ConnectTimeout, httpx.PoolTimeout)))
        except LookUpFailed as failed:
            return Outcome(error=str(failed), retry=True, after=read_retry_after(failed.page.headers),
                           service_failed=True)
        except AnswerTooLarge:
            return Outcome(error=f"the answer has more than the {self._limits.size:,} bytes that it may have, or "
                                 f"grows more than {self._limits.expansion:g} times when it is unpacked", retry=True,
                           may_cost=was_sent)
        except UnreadableAnswer:
            return Outcome(error="the answer was not readable gzip", retry=True, may_cost=was_sent)
        except (httpx.TransportError, httpx.InvalidURL) as failed:
            why = ": its certificate is not trusted, see ca_file" if "CERTIFICATE_VERIFY_FAILED" in str(failed) else ""
            return Outcome(error=f"the connection failed{why}", retry=True, service_failed=True)
        try:
            content = json.loads(answer.content)
        except (ValueError, RecursionError):  # the last one for what is nested too deep
            content = None
        if answer.status != _OK:
            outcome = self._read_refusal(answer, content, body, request.prompt.plain)
        elif content is None:
            outcome = Outcome(error="the answer was not JSON", retry=True)
        else:
            outcome = self.add_scores(read_answer(content), request.text)
        return replace(outcome, constrained=bool(members), may_cost=answer.status == _OK)

    def add_scores(self, outcome: Outcome, text: str) -> Outcome:
        """Score the spans of an answer, if it comes with the log-probabilities of its tokens.

        outcome (Outcome): The answer, as it was read.
        text (str): The text that was asked about.
        RETURNS (Outcome): The same with scores, where there are any.
        """
        if self._score_spans is None or outcome.reply is None or not outcome.tokens:
            return outcome
        scored = self._score_spans(text, outcome.reply.text, outcome.tokens)
        return replace(outcome, reply=replace(outcome.reply, scored=scored))

    def _advise(self, status: int, content: bytes) -> str:
        """Return what may mend a refusal, empty where nothing is known."""
        if status in _KEY_REFUSED:
            return f": check the key in {self.settings.api_key_env}"
        if status == _NOT_FOUND:
            return f": check base_url and the model '{self.settings.model}'"
        if status in DOCUMENT_STATUS and b"chat template" in content.lower():
            return ": the model may have no chat template; then set chat to false"
        return ""

    def _read_refusal(self, answer: Answer, content: Any, sent: Mapping[str, Any], prompt: str) -> Outcome:
        """Return what a status other than 200 means."""
        status = answer.status
        if status in _ELSEWHERE:
            return Outcome(error=f"HTTP {status}: a redirect to another address, which is not followed",
                            service_failed=True)
        refused = find_refused(content, sent, prompt) if status in DOCUMENT_STATUS else None
        if self._parameters.adapt(sent, refused):
            return Outcome(adapted=True)
        return Outcome(error=f"HTTP {status}{describe_refusal(content, refused)}{self._advise(status, answer.content)}",
                        retry=may_pass(status),
                        after=read_retry_after(answer.headers), service_failed=status not in DOCUMENT_STATUS,
                        refused=status in DOCUMENT_STATUS)


def _run(loop: asyncio.AbstractEventLoop, task: "asyncio.Task[None]", answers: "SimpleQueue[Any]") -> None:
    """Run an event loop until its task has ended, in whatever way, and say so."""
    loop.run_until_complete(asyncio.wait([task]))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
    answers.put(None)
