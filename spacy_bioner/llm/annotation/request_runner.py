"""Asks a model for many requests: from the cache where it can, each reply kept at once, failures held apart."""

import logging
import time
from contextlib import ExitStack
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set

from ...errors import BionerError, Errors
from ..protocol import LanguageModel, Reply, Request
from .cache import ReplyCache, request_key
from .cached_reply import fits_text
from .usage import Usage

logger = logging.getLogger(__name__)

# Seconds between two looks for a reply that another process has asked for.
_FIRST_WAIT, _LONGEST_WAIT = 0.05, 1.0


class Runner:
    """Turns requests into replies, in order, one for each.

    model (LanguageModel): What answers.
    cache (Optional[ReplyCache]): Where replies are kept; None asks every time anew.
    settings (Mapping[str, Any]): What replies depend on beside prompt and model: codec and labels.
    max_failures (int): So many failures of the service in a row stop the run; 0 never stops it. What fails for its own
        sake (see `Reply.service_failed`) neither counts nor ends the row: it fails in each run anew, side by side.
    usage (Optional[Usage]): Counts to go on with.
    retry_truncated (bool): Whether cached replies that the token limit has cut are asked for once more.
    """

    def __init__(self, model: LanguageModel, *, cache: Optional[ReplyCache] = None,
                 settings: Optional[Mapping[str, Any]] = None, max_failures: int = 20,
                 usage: Optional[Usage] = None, retry_truncated: bool = False) -> None:
        self.model = model
        self.cache = cache
        self.max_failures = max_failures
        self.usage = usage if usage is not None else Usage()
        self._settings = {"model": dict(model.identity()), **(settings or {})}
        self.retry_truncated = retry_truncated
        self._retried: Set[str] = set()
        self._failures_in_row = 0
        self._answered = False
        self._refusals: Set[str] = set()

    def run(self, requests: Sequence[Request]) -> List[Reply]:
        """Answer requests.

        requests (Sequence[Request]): A window of requests; equal ones are asked once.
        RETURNS (List[Reply]): A reply for each, in order; what failed has its reason in `error`.
        RAISES BionerError: E215 where the service fails too often in a row; what was answered is in the cache.
        """
        keys = [request_key(request, self._settings) for request in requests]
        asked = dict(zip(keys, requests))
        replies = self._look_up(asked)
        self.usage.add(cached=sum(key in replies for key in keys))
        self._answered = self._answered or bool(replies)
        missing = {key: request for key, request in asked.items() if key not in replies}
        if self.cache is None or self.cache.path is None or self.cache.is_read_only:
            if missing:
                self._ask(missing, replies)
        else:
            self._share(self.cache, missing, replies)
        return [replies[key] for key in keys]

    def key_requests(self, requests: Sequence[Request]) -> Dict[str, Request]:
        """Return requests by their keys in the cache."""
        return {request_key(request, self._settings): request for request in requests}

    def find_missing(self, requests: Sequence[Request]) -> Dict[str, Request]:
        """Return the requests that the cache does not answer, by their keys."""
        asked = self.key_requests(requests)
        answered = self._look_up(asked)
        return {key: request for key, request in asked.items() if key not in answered}

    def _look_up(self, asked: Mapping[str, Request]) -> Dict[str, Reply]:
        """Return cached replies that can be answers to their requests; others are asked again."""
        if self.cache is None:
            return {}
        before = self.cache.damaged
        found = self.cache.get(asked)
        self.cache.drop([key for key, reply in found.items() if not fits_text(reply, asked[key].text)])
        self.usage.add(damaged=self.cache.damaged - before)
        return {key: reply for key, reply in found.items() if fits_text(reply, asked[key].text)
                and not (self.retry_truncated and reply.finish_reason == "length" and key not in self._retried)}

    def _share(self, cache: ReplyCache, missing: Dict[str, Request], replies: Dict[str, Reply]) -> None:
        """Ask what no other process is asking, and wait for what others ask."""
        wait = _FIRST_WAIT
        while missing:
            again = [key for key in missing if self.retry_truncated and key not in self._retried]
            mine = cache.claims.take(list(missing), again=again)
            self._retried.update(mine)
            if mine:
                try:
                    with cache.claims.renewed():
                        self._ask({key: request for key, request in missing.items() if key in mine}, replies)
                finally:
                    cache.claims.give_back(mine)
                wait = _FIRST_WAIT
            missing = {key: request for key, request in missing.items() if key not in replies}
            if missing:
                found = self._look_up(missing)
                self.usage.add(cached=len(found))
                replies.update(found)
                missing = {key: request for key, request in missing.items() if key not in found}
            if missing and not mine:
                time.sleep(wait)
                wait = min(2 * wait, _LONGEST_WAIT)

    def _ask(self, missing: Dict[str, Request], replies: Dict[str, Reply]) -> None:
        """Ask the model, and keep each reply as soon as it comes."""
        keys = list(missing)
        self.usage.add(asked=len(keys))
        failures: List[str] = []
        started = time.perf_counter()
        # Closed on an error too: a model may hold a lock as long as it answers.
        with ExitStack() as stack:
            answers = self.model.generate(list(missing.values()))
            if hasattr(answers, "close"):
                stack.callback(answers.close)
            for index, reply in answers:
                replies[keys[index]] = reply
                self.usage.add_reply(reply.usage)
                if reply.error is not None:
                    failures.append(reply.error)
                    if reply.service_failed or self._refuses_all(reply):
                        self._count_failure(reply.error)
                    continue
                self._failures_in_row = 0
                self._answered = True
                if self.cache is not None:
                    self.cache.put(keys[index], reply, replace=self.retry_truncated)
        self.usage.add(seconds=time.perf_counter() - started)
        if failures:
            logger.warning("%s of %s requests failed, the last one: %s", len(failures), len(keys), failures[-1])
        for key in keys:
            replies.setdefault(key, Reply(finish_reason="error", error=Errors.E216))

    def _refuses_all(self, reply: Reply) -> bool:
        """Return whether a server has refused every request so far, and all for the same reason."""
        if reply.refused:
            self._refusals.add(str(reply.error))
        return reply.refused and not self._answered and len(self._refusals) == 1

    def _count_failure(self, reason: str) -> None:
        self._failures_in_row += 1
        if self.max_failures and self._failures_in_row >= self.max_failures:
            raise BionerError(Errors.E215.format(count=self._failures_in_row, why=reason))
