"""Texts of several requests, annotated together: what comes in while a batch is worked on is the next batch."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, Callable, List, NamedTuple, Sequence

# Texts that wait, beyond which new requests are turned away.
MOST_WAITING = 10_000


class _Waiting(NamedTuple):
    """A request.

    texts (Sequence[str]): Its texts.
    answer (asyncio.Future): Takes what was found in each.
    """

    texts: Sequence[str]
    answer: "asyncio.Future[List[Any]]"


class Batcher:
    """Annotates in one thread, since the cores are used by the matrix products of one batch already.

    annotate (Callable[[List[str]], List[Any]]): Texts to what was found in each.
    size (int): So many texts of several requests make a batch; one request is never split.
    """

    def __init__(self, annotate: Callable[[List[str]], List[Any]], *, size: int) -> None:
        self._annotate = annotate
        self._size = size
        self._queue: "asyncio.Queue[_Waiting]" = asyncio.Queue()
        self._waiting = 0

    def is_full(self) -> bool:
        """Return whether so many texts wait that a new request should come later."""
        return self._waiting >= MOST_WAITING

    async def annotate(self, texts: Sequence[str]) -> List[Any]:
        """Annotate the texts of a request.

        texts (Sequence[str]): The texts.
        RETURNS (List[Any]): What was found in each. What the pipeline raises on them is raised here.
        """
        answer: "asyncio.Future[List[Any]]" = asyncio.get_running_loop().create_future()
        self._waiting += len(texts)
        try:
            self._queue.put_nowait(_Waiting(texts, answer))
            return await answer
        finally:
            self._waiting -= len(texts)

    async def run(self) -> None:
        """Work on batches until cancelled."""
        with ThreadPoolExecutor(1) as thread:
            while True:
                batch = [await self._queue.get()]
                while not self._queue.empty() and sum(len(one.texts) for one in batch) < self._size:
                    batch.append(self._queue.get_nowait())
                await self._work_on(thread, [one for one in batch if not one.answer.done()])

    async def _work_on(self, thread: ThreadPoolExecutor, batch: List[_Waiting]) -> None:
        """Answer the requests of a batch; where it fails, each by itself, so that none fails for another's sake."""
        if not batch:
            return
        done = asyncio.wrap_future(thread.submit(self._annotate, [text for one in batch for text in one.texts]))
        await asyncio.wait([done])
        error = done.exception()
        if error is not None and len(batch) > 1:
            for one in batch:
                await self._work_on(thread, [one])
            return
        found = iter(() if error is not None else done.result())
        for one in batch:
            own = list(islice(found, len(one.texts)))
            if one.answer.done():  # the client has gone meanwhile
                continue
            if error is not None:
                one.answer.set_exception(error)
            else:
                one.answer.set_result(own)
