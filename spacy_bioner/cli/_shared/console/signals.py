"""Signals that end a verb: all of them as Ctrl-C does, with one line, an exit code, and nothing left behind."""

import os
import signal
from contextlib import contextmanager
from types import FrameType
from typing import Iterator, Optional

_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Stopped(BaseException):
    """A verb was told to end. No KeyboardInterrupt, since the command line's library would end on that without a word.

    number (int): The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def exit_code(self) -> int:
        """Return what shells expect of a process that a signal has ended."""
        return 128 + self.number

    def __str__(self) -> str:
        return f"stopped by {signal.Signals(self.number).name}; finished parts are kept, run the same command to resume"


@contextmanager
def stopping_on_signals() -> Iterator[None]:
    """Raise `Stopped` in the block when the process is told to end; told so again, it ends at once.

    A signal that is ignored, as `nohup` does it, stays ignored. Forked children end by the signal, as ever.
    """
    process = os.getpid()

    def stop(number: int, frame: Optional[FrameType]) -> None:
        signal.signal(number, signal.SIG_DFL)
        if os.getpid() != process:
            os.kill(os.getpid(), number)
        raise Stopped(number)

    before = {number: signal.getsignal(number) for number in _ENDING}
    try:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, stop)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
