"""Memory that was freed, given back to the system.

The allocator of Linux keeps what is freed between objects that live on. A server that is asked about ever new words has
such objects all over its heap, so that the heap grows with each new size of a batch; so has a training.
"""

import ctypes
import time
from typing import Callable, Optional

_SECONDS_BETWEEN = 2.0


class FreedMemory:
    """Gives freed memory back, not oftener than pays.

    between (float): Seconds between two times.
    """

    def __init__(self, between: float = _SECONDS_BETWEEN) -> None:
        self._between = between
        self._next = 0.0
        self._trim = _find_trim()

    def give_back(self) -> None:
        """Give back what is free now, unless this was done a moment ago."""
        now = time.monotonic()
        if self._trim is not None and now >= self._next:
            self._trim(0)
            self._next = now + self._between


def _find_trim() -> Optional[Callable[[int], int]]:
    """Return the function of glibc; other libraries have none, and give back by themselves or not at all."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None
