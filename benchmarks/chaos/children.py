"""Verbs run as child processes: their processor time, and the most memory that they took."""

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Sequence, Tuple

_BETWEEN_LOOKS = 0.02


@dataclass(frozen=True)
class Child:
    """What a process has cost.

    code (int): Its exit code.
    seconds (float): Seconds until it ended.
    cpu_seconds (float): Processor time, that of its own children that it waited for included.
    peak_mb (float): Most memory that it held at a time, in MB.
    """

    code: int
    seconds: float
    cpu_seconds: float
    peak_mb: float


def run_verb(arguments: Sequence[str], log: Path) -> Child:
    """Run a verb in a process of its own, and wait for it.

    arguments (Sequence[str]): The command line, but for the program.
    log (Path): Takes what it prints.
    RETURNS (Child): What it has cost.
    RAISES RuntimeError: Where it fails.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    started = time.perf_counter()
    with log.open("ab") as output:
        process = subprocess.Popen([sys.executable, "-m", "spacy_bioner", *arguments], stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=output, env=environment)
        peak, status, usage = _watch(process.pid)
    # The process has been waited for; what knows only of its own waiting is told.
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        lines = log.read_text(encoding="utf8", errors="replace").strip().splitlines()
        raise RuntimeError(f"{' '.join(arguments[:2])} ended with code {process.returncode}: {' '.join(lines[-1:])}")
    return Child(process.returncode, time.perf_counter() - started, usage.ru_utime + usage.ru_stime,
                 peak)


def _watch(pid: int) -> Tuple[float, int, Any]:
    """Return the most memory of a process in MB, and what it ended with.

    The system's own figure at the end counts that of this process, from before the other program was begun.
    """
    peak = 0.0
    while True:
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            return peak, status, usage
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
        peak = max(peak, int(found[1]) / 1024) if found else peak
        time.sleep(_BETWEEN_LOOKS)
