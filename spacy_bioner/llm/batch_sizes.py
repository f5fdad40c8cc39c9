"""How much a device computes at once, where nothing is said."""

from typing import NamedTuple

import torch


class BatchSizes(NamedTuple):
    """Sizes that suit a device.

    batch (int): Tokens of all texts under way; bounds the memory of their keys and values.
    one_pass (int): New tokens of one forward pass: enough to keep the processor busy, few enough for its caches.
    """

    batch: int
    one_pass: int


_SIZES = {"cpu": BatchSizes(16384, 512), "cuda": BatchSizes(65536, 8192)}


def batch_sizes(device: torch.device) -> BatchSizes:
    """RETURNS (BatchSizes): Of that device; other ones than CUDA are taken for a CPU."""
    return _SIZES.get(device.type, _SIZES["cpu"])
