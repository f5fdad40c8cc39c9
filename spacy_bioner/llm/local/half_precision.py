"""Measure once on each machine whether it computes faster in bfloat16 than in float32, and keep the answer."""

import hashlib
import json
import logging
import os
import platform
import time
from functools import lru_cache
from pathlib import Path
from typing import Dict, Optional

import torch
from torch.nn import functional

from ...errors import BionerError
from ...files import write_json
from .hub import cache_folder

_log = logging.getLogger(__name__)
# bfloat16 rounds, so a small advantage, which another measurement may not find again, does not count.
LEAST_GAIN = 1.2
_ROUNDS = 4
# What is so many times slower in two rounds is not measured further: without instructions for it, bfloat16 is emulated.
_HOPELESS = 3.0
# Tokens, width and hidden width of the block that is timed: those of a small language model.
_SHAPE = (128, 576, 1536)
# Some systems count processor time in steps; no time is below this.
_TICK = 1e-6
_CPU_INFO = Path("/proc/cpuinfo")


@lru_cache(maxsize=None)
def is_quick_in_bfloat16(device: torch.device) -> bool:
    """Find out whether matrices are better multiplied in bfloat16.

    A processor is measured once for each version of torch, in less than a second. The times are kept in the cache
    folder, so that the choice stays the same on a machine.

    device (torch.device): Where a model computes.
    RETURNS (bool): Whether it is at least LEAST_GAIN times as fast as float32.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    processor = describe_processor()
    path = cache_folder() / "number_types" / f"{hashlib.sha256(processor.encode()).hexdigest()[:16]}.json"
    seconds = _read_seconds(path)
    if seconds is None:
        seconds = measure_number_types()
        _keep(path, {"processor": processor, "seconds": seconds})
        # Where two processes have measured at once, what the first one wrote counts for both.
        seconds = _read_seconds(path) or seconds
    gain = seconds["float32"] / seconds["bfloat16"]
    chosen = "bfloat16" if gain >= LEAST_GAIN else "float32"
    _log.info("Number type auto is %s: this processor takes %.1f ms in float32 and %.1f ms in bfloat16 (measured once, "
              "kept in %s). The setting dtype overrides it.", chosen, 1000 * seconds["float32"],
              1000 * seconds["bfloat16"], path)
    return chosen == "bfloat16"


def describe_processor() -> str:
    """Return what the speed of a number type depends on: processor, its instructions, limits on them, torch."""
    about = [platform.machine(), platform.processor()]
    if _CPU_INFO.is_file():
        lines = _CPU_INFO.read_text(encoding="utf8", errors="replace").splitlines()
        about = sorted({line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part"))})
    limits = [os.environ.get("ONEDNN_MAX_CPU_ISA", ""), torch.backends.cpu.get_cpu_capability()]
    return "\n".join([*about, *limits, torch.__version__])


def measure_number_types() -> Dict[str, float]:
    """Time a feed-forward block, forward and backward, in both number types in turn.

    Processor time is taken, since other processes hardly change it.

    RETURNS (Dict[str, float]): Seconds by name of the type, the least of a few rounds.
    """
    tokens, width, hidden = _SHAPE
    best: Dict[str, float] = {}
    for number in range(_ROUNDS):
        if number == 2 and best["bfloat16"] > _HOPELESS * best["float32"]:
            break
        for name in ("float32", "bfloat16"):
            dtype = getattr(torch, name)
            inner, outer = torch.ones(hidden, width, dtype=dtype), torch.ones(width, hidden, dtype=dtype)
            states = torch.ones(tokens, width, dtype=dtype, requires_grad=True)
            began = time.process_time()
            with torch.enable_grad():
                functional.linear(functional.silu(functional.linear(states, inner)), outer).sum().backward()
            best[name] = min(best.get(name, float("inf")), max(time.process_time() - began, _TICK))
    return best


def _keep(path: Path, content: Dict[str, object]) -> None:
    """Write the measurement where none is kept yet; without a place for it each process measures for itself."""
    try:
        if _read_seconds(path) is None:
            write_json(path, content)
    except (OSError, BionerError) as error:
        _log.debug("The measurement of number types was not kept: %s", error)


def _read_seconds(path: Path) -> Optional[Dict[str, float]]:
    """Return the times that are kept, or None where there are none that can be read."""
    try:
        seconds = json.loads(path.read_text(encoding="utf8"))["seconds"]
        kept = {name: float(seconds[name]) for name in ("float32", "bfloat16")}
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return kept if all(0 < value < float("inf") for value in kept.values()) else None
