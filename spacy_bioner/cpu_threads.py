"""Set how many threads numerical libraries use and how they wait, before those libraries are loaded."""

import math
import os
from pathlib import Path
from typing import Dict, MutableMapping, Optional

# OpenMP threads spin at a barrier by default. With another busy process on the machine the thread that they wait for
# may not be scheduled for a whole time slice, and training gets up to ten times slower.
WAIT_POLICY = "PASSIVE"
_CGROUPS = Path("/sys/fs/cgroup")


def usable_cpus(*, cgroups: Path = _CGROUPS) -> int:
    """Count the processors that this process may use.

    cgroups (Path): Where the control groups of the process are mounted.
    RETURNS (int): The smaller of the CPU affinity and the CPU quota of the container, at least 1.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    count = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    quota = _read_quota(cgroups)
    return max(1, count if quota is None else min(count, math.ceil(quota)))


def thread_settings() -> Dict[str, str]:
    """Return the environment variables that a process of ours should start with."""
    return {"OMP_WAIT_POLICY": WAIT_POLICY, "OMP_NUM_THREADS": str(usable_cpus())}


def set_thread_defaults(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set the thread settings of this process and of those that it starts; what the user has set stays.

    environment (MutableMapping[str, str]): The environment variables. They are read when torch is loaded, so this must
        run before.
    """
    for name, value in thread_settings().items():
        environment.setdefault(name, value)


def divide_threads(processes: int, environment: MutableMapping[str, str] = os.environ) -> None:
    """Let processes that run at once share the processors; a number of threads that the user has set stays.

    processes (int): How many run at once.
    environment (MutableMapping[str, str]): The environment variables that they start with.
    """
    if environment.get("OMP_NUM_THREADS") == thread_settings()["OMP_NUM_THREADS"]:
        environment["OMP_NUM_THREADS"] = str(max(1, usable_cpus() // processes))


def _read_quota(cgroups: Path) -> Optional[float]:
    """Return processors that the control group allows (version 2, then 1), or None for no limit."""
    try:
        quota, period = (cgroups / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota = (cgroups / "cpu" / "cpu.cfs_quota_us").read_text().strip()
            period = (cgroups / "cpu" / "cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    try:
        allowed = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):
        return None
    return allowed if allowed > 0 else None
