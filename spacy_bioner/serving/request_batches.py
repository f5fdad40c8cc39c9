"""Texts of several requests, annotated together: what comes in while a batch is worked on is the next batch."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, List, NamedTuple, Sequence, Tuple

# Texts that wait, beyond which new requests are turned away.
MOST_WAITING = 10_000


class _Request(NamedTuple):
    """A request.

    size (int): How many texts it has.
    found (List[Any]): What was found in its first texts, so far.
    answer (asyncio.Future): Takes all of that.
    """

    size: int
    found: List[Any]
    answer: "asyncio.Future[List[Any]]"


class Batcher:
    """Annotates in one thread, since the cores are used by the matrix products of one batch already.

    annotate (Callable[[List[str]], List[Any]]): Texts to what was found in each.
    size (int): Most texts of a batch: those of several requests together, those of a longer request in parts.
    """

    def __init__(self, annotate: Callable[[List[str]], List[Any]], *, size: int) -> None:
        self._annotate = annotate
        self._size = size
        self._queue: "asyncio.Queue[Tuple[_Request, str]]" = asyncio.Queue()
        self._waiting = 0

    def is_full(self) -> bool:
        """Return whether so many texts wait that a new request should come later."""
        return self._waiting >= MOST_WAITING

    async def annotate(self, texts: Sequence[str]) -> List[Any]:
        """Annotate the texts of a request.

        texts (Sequence[str]): The texts.
        RETURNS (List[Any]): What was found in each, or what the pipeline raises on it.
        """
        if not texts:
            return []
        request = _Request(len(texts), [], asyncio.get_running_loop().create_future())
        self._waiting += len(texts)
        try:
            for text in texts:
                self._queue.put_nowait((request, text))
            return await request.answer
        finally:
            self._waiting -= len(texts)

    async def run(self) -> None:
        """Work on batches until cancelled."""
        with ThreadPoolExecutor(1) as thread:
            while True:
                batch = [await self._queue.get()]
                while not self._queue.empty() and len(batch) < self._size:
                    batch.append(self._queue.get_nowait())
                # Of a client that has gone the answer is cancelled.
                batch = [(request, text) for request, text in batch if not request.answer.done()]
                found = await self._find(thread, [text for _, text in batch])
                for (request, _), of_text in zip(batch, found):
                    request.found.append(of_text)
                    if len(request.found) == request.size and not request.answer.done():
                        request.answer.set_result(request.found)

    async def _find(self, thread: ThreadPoolExecutor, texts: List[str]) -> List[Any]:
        """Annotate texts together; where that fails, each half by itself, so that none fails for another's sake."""
        if not texts:
            return []
        done = asyncio.wrap_future(thread.submit(self._annotate, texts))
        await asyncio.wait([done])
        error = done.exception()
        if error is None:
            return done.result()
        if len(texts) == 1:
            return [error]
        half = len(texts) // 2
        return [*await self._find(thread, texts[:half]), *await self._find(thread, texts[half:])]
