"""How much a device computes at once, where nothing is said."""

import math
from typing import NamedTuple, Tuple


class DraftSizes(NamedTuple):
    """How far a draft of an answer goes, in choices: at first, after one that was wholly right, and after several.

    outside (Tuple[float, float, float]): Where no mention is open.
    inside (Tuple[float, float, float]): Where the end of one is looked for.
    """

    outside: Tuple[float, float, float]
    inside: Tuple[float, float, float]


class BatchSizes(NamedTuple):
    """Sizes that suit a device.

    batch (int): Tokens of all texts under way; bounds the memory of their keys and values.
    one_pass (int): New tokens of one forward pass: enough to keep the processor busy, few enough for its caches.
    training_pass (int): Tokens of one forward pass in training or scoring, padding included; on a GPU the records of an
        update.
    """

    batch: int
    one_pass: int
    training_pass: int


_SIZES = {"cpu": BatchSizes(batch=16384, one_pass=512, training_pass=1024),
          "cuda": BatchSizes(batch=65536, one_pass=8192, training_pass=16384)}
# A wrong guess costs the tokens behind it, and a short draft one more pass. On a CPU with many texts under way the
# tokens count; elsewhere the passes.
SHORT_DRAFTS = DraftSizes(outside=(8, 16, math.inf), inside=(1, 2, 4))
LONG_DRAFTS = DraftSizes(outside=(64, 512, math.inf), inside=(4, 16, math.inf))
_MANY_TEXTS = 16


def batch_sizes(device: str) -> BatchSizes:
    """Return the batch sizes of that kind of device, such as "cuda"; other kinds are taken for a CPU."""
    return _SIZES.get(device, _SIZES["cpu"])


def draft_sizes(device: str, texts: int) -> DraftSizes:
    """Return how far drafts go on that kind of device with so many texts under way."""
    return SHORT_DRAFTS if device != "cuda" and texts >= _MANY_TEXTS else LONG_DRAFTS
