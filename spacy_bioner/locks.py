"""Locks between threads, and the names of processes, which tell whether the owner of a file still lives."""

import hashlib
import os
import socket
import threading
from dataclasses import dataclass
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any, Callable, Iterator, Optional, Tuple, TypeVar

Method = TypeVar("Method", bound=Callable[..., Iterator[Any]])
# Where the kernel tells of processes; without it only their numbers are compared.
_PROC = Path("/proc")
_START_TIME = 19  # of the fields behind the name, in /proc/<pid>/stat


class ThreadLock:
    """A lock that one thread holds at a time, again and again if it wants to.

    In a forked child it is free, whoever held it before the fork. A pickled or copied one is a lock of its own.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._process = os.getpid()

    def __enter__(self) -> "ThreadLock":
        if self._process != os.getpid():
            self._lock, self._process = threading.RLock(), os.getpid()
        self._lock.acquire()
        return self

    def __exit__(self, *error: Any) -> None:
        self._lock.release()

    def __reduce__(self) -> Tuple[Any, Tuple[()]]:
        return ThreadLock, ()


def one_at_a_time(generate: Method) -> Method:
    """Let a method that yields hold the lock of its model, `self.lm.lock`, from its first item to its end.

    generate (Method): A method of an object that has a model.
    RETURNS (Method): The same, for one thread at a time; whoever does not take all items has to close it.
    """

    @wraps(generate)
    def locked(self: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        with self.lm.lock:
            yield from generate(self, *args, **kwargs)

    return locked  # type: ignore[return-value]


@dataclass(frozen=True)
class ProcessName:
    """A process, told from all others, also from a later one with the same number.

    host (str): Its machine.
    pid (int): Its number there.
    started (int): When it was started, in ticks since the machine was; 0 where that is unknown.
    """

    host: str
    pid: int
    started: int

    @classmethod
    def own(cls) -> "ProcessName":
        """Return this process."""
        return _own_name(os.getpid())

    def is_here(self) -> bool:
        """Return whether it belongs to this machine, so that it can be seen whether it lives."""
        return self.host == _host()

    def is_dead(self) -> bool:
        """Return whether it has surely ended; of another machine nothing is known."""
        if not self.is_here():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        return bool(self.started) and _start_time(self.pid) not in (None, self.started)

    def __str__(self) -> str:
        return f"{self.pid}-{self.started}-{self.host}"

    @classmethod
    def read(cls, name: str) -> Optional["ProcessName"]:
        """Return the process of a name as `str` spells it; None for another string."""
        pid, _, rest = name.partition("-")
        started, _, host = rest.partition("-")
        if not (pid.isdecimal() and started.isdecimal() and host):
            return None
        return cls(host, int(pid), int(started))


@lru_cache(maxsize=4)
def _own_name(pid: int) -> ProcessName:
    return ProcessName(_host(), pid, _start_time(pid) or 0)


@lru_cache(maxsize=1)
def _host() -> str:
    """Return a hash of the machine's name, and where processes are counted anew, as in a container, of that."""
    try:
        space = os.stat(_PROC / "self" / "ns" / "pid").st_ino
    except OSError:
        space = 0
    return hashlib.sha256(f"{socket.gethostname()} {space}".encode()).hexdigest()[:8]


def _start_time(pid: int) -> Optional[int]:
    """Return when a process was started; None where the system does not tell."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text(encoding="utf8", errors="replace").rpartition(")")[2].split()
        return int(fields[_START_TIME])
    except (OSError, ValueError, IndexError):
        return None
