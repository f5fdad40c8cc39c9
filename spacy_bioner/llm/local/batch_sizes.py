"""How much a device computes at once, where nothing is said."""

from typing import NamedTuple


class BatchSizes(NamedTuple):
    """Sizes that suit a device.

    batch (int): Tokens of all texts under way; bounds the memory of their keys and values.
    one_pass (int): New tokens of one forward pass: enough to keep the processor busy, few enough for its caches.
    training_pass (int): Tokens of one forward pass in training, padding included; on a GPU the records of an update.
    """

    batch: int
    one_pass: int
    training_pass: int


_SIZES = {"cpu": BatchSizes(batch=16384, one_pass=512, training_pass=1024),
          "cuda": BatchSizes(batch=65536, one_pass=8192, training_pass=16384)}


def batch_sizes(device: str) -> BatchSizes:
    """Return the batch sizes of that kind of device, such as "cuda"; other kinds are taken for a CPU."""
    return _SIZES.get(device, _SIZES["cpu"])
