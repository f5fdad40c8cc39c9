"""Passes of a packed model side by side: on a CPU each core has sequences, passes and a cache of its own.

A pass over a small model is thousands of small products, and a second thread hardly makes one of them faster: it is
woken for each and waited for. Two passes, one thread each, take the time of one.
"""

from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Iterator, List, Optional, Sequence

import torch

from ...local.passes.parallel_passes import takes_one_thread
from .packed_decoding import PackedDecoder, WalkType
from .packed_model import PackedModel


class ParallelDecoder:
    """Runs walks through a packed model, on a CPU as many passes at once as torch may use threads.

    model (PackedModel): The model.
    max_batch_tokens (int): Tokens that all sequences in flight may have together; bounds the memory of their caches.
    pass_tokens (int): New tokens of one forward pass.
    """

    def __init__(self, model: PackedModel, *, max_batch_tokens: int, pass_tokens: int) -> None:
        self._models = [model]
        self._max_batch_tokens = max_batch_tokens
        self._pass_tokens = pass_tokens
        self._decoders: List[PackedDecoder] = []

    @property
    def passes(self) -> int:
        """Return forward passes until now."""
        return sum(model.passes for model in self._models)

    @property
    def tokens(self) -> int:
        """Return tokens of all forward passes until now."""
        return sum(model.tokens for model in self._models)

    def run(self, walks: Sequence[WalkType]) -> Iterator[WalkType]:
        """Write sequences to their ends.

        walks (Sequence[WalkType]): The sequences, at least one token of prompt each.
        YIELDS (WalkType): Each as it is done.
        """
        threads = torch.get_num_threads()
        with_one_thread = threads > 1 and takes_one_thread(self._models[0].body)
        count = max(1, min(threads, len(walks))) if with_one_thread else 1
        self._prepare(count)
        if not with_one_thread:
            yield from self._decoders[0].run(walks)
            return
        # Dealt out in turn, the longest first, all decoders have about as much to do.
        ranked = sorted(walks, key=lambda walk: -walk.limit)
        done: "SimpleQueue[Optional[WalkType]]" = SimpleQueue()
        pool = ThreadPoolExecutor(count)
        try:
            tasks = [pool.submit(_decode, decoder, ranked[number::count], done)
                     for number, decoder in enumerate(self._decoders[:count])]
            for _ in tasks:
                yield from iter(done.get, None)
            for task in tasks:
                task.result()
        finally:
            # Whoever takes no more, or is interrupted, waits for the passes that have begun.
            for decoder in self._decoders:
                decoder.stopped = True
            pool.shutdown()
            torch.set_num_threads(threads)

    def _prepare(self, count: int) -> None:
        """Make decoders, and let them share the memory and begin anew."""
        while len(self._decoders) < count:
            if self._decoders:
                self._models.append(self._models[0].beside())
            self._decoders.append(PackedDecoder(self._models[-1], max_batch_tokens=self._max_batch_tokens,
                                                pass_tokens=self._pass_tokens))
        for decoder in self._decoders:
            decoder.max_batch_tokens = self._max_batch_tokens // count
            decoder.stopped = False


def _decode(decoder: PackedDecoder, walks: Sequence[WalkType],
            done: "SimpleQueue[Optional[WalkType]]") -> None:
    """Hand on each walk as it is done, and None at the end, in a thread of its own."""
    torch.set_num_threads(1)
    try:
        for walk in decoder.run(walks):
            done.put(walk)
    finally:
        done.put(None)
