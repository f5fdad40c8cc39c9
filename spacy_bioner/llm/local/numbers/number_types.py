"""Measure once on each machine in which number type it computes fastest, and keep the answer."""

import hashlib
import json
import logging
import os
import platform
import time
from functools import lru_cache, partial
from pathlib import Path
from typing import Callable, Dict, Optional, Tuple

import torch
from torch.nn import functional

from ....errors import BionerError
from ....files import write_json
from ..hub import cache_folder
from .int8_layers import FrozenInt8Linear, can_use_int8

_log = logging.getLogger(__name__)
# bfloat16 rounds, so a small advantage, which another measurement may not find again, does not count.
LEAST_GAIN = 1.2
# Nor do 8-bit weights, which round more.
LEAST_INT8_GAIN = 1.3
_ROUNDS = 4
# What is so many times slower in two rounds is not measured further: without instructions for it, bfloat16 is emulated.
_HOPELESS = 3.0
# Tokens, width and hidden width of the block that is timed: those of a small language model.
_SHAPE = (128, 576, 1536)
# Some systems count processor time in steps; no time is below this.
_TICK = 1e-6
_NAMES = ("float32", "bfloat16", "float32 in use", "bfloat16 in use")
_INT8_NAMES = ("int8", "int8 in use")
Block = Tuple[torch.nn.Module, torch.nn.Module]
_CPU_INFO = Path("/proc/cpuinfo")


def is_quick_in_bfloat16(device: torch.device) -> bool:
    """Find out whether models are better trained in bfloat16.

    device (torch.device): Where a model computes.
    RETURNS (bool): Whether it is at least LEAST_GAIN times as fast as float32.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    seconds = read_number_types()
    return seconds["float32"] >= LEAST_GAIN * seconds["bfloat16"]


def is_quickest_in_int8(device: torch.device, *, for_training: bool = False) -> bool:
    """Find out whether 8-bit weights are better for models in use, or below an adapter that is trained.

    device (torch.device): Where a model computes.
    for_training (bool): Whether an adapter is trained.
    RETURNS (bool): Whether that is at least LEAST_INT8_GAIN times as fast as the faster of float32 and bfloat16.
    """
    if device.type != "cpu" or not can_use_int8():
        return False
    seconds, how = read_number_types(), "" if for_training else " in use"
    floats = [seconds[f"float32{how}"], *([seconds[f"bfloat16{how}"]] if is_quick_in_bfloat16(device) else [])]
    return min(floats) >= LEAST_INT8_GAIN * seconds[f"int8{how}"]


@lru_cache(maxsize=None)
def read_number_types() -> Dict[str, float]:
    """Read what was measured on this processor, or measure it: once for each version of torch, in about a second.

    The times are kept in the cache folder, so that the choice stays the same on a machine.

    RETURNS (Dict[str, float]): What `measure_number_types` gives.
    """
    processor = describe_processor()
    path = cache_folder() / "number_types" / f"{hashlib.sha256(processor.encode()).hexdigest()[:16]}.json"
    seconds = _read_seconds(path)
    if seconds is None:
        seconds = measure_number_types()
        _keep(path, {"processor": processor, "seconds": seconds})
        # Where two processes have measured at once, what the first one wrote counts for both.
        seconds = _read_seconds(path) or seconds
    _log.info("Number type auto is chosen by the milliseconds that a block takes here: %s (measured once, kept in %s). "
              "The setting dtype overrides it.",
              ", ".join(f"{name} {1000 * value:.1f}" for name, value in seconds.items()), path)
    return seconds


def describe_processor() -> str:
    """Return what the speed of a number type depends on: processor, its instructions, limits on them, torch."""
    about = [platform.machine(), platform.processor()]
    if _CPU_INFO.is_file():
        lines = _CPU_INFO.read_text(encoding="utf8", errors="replace").splitlines()
        about = sorted({line for line in lines if line.startswith(("model name", "flags", "Features", "CPU part"))})
    limits = [os.environ.get("ONEDNN_MAX_CPU_ISA", ""), torch.backends.cpu.get_cpu_capability()]
    return "\n".join([*about, *limits, torch.__version__])


def measure_number_types() -> Dict[str, float]:
    """Time a feed-forward block in all number types in turn: forward and backward as in training, forward as in use.

    Processor time is taken, since other processes hardly change it.

    RETURNS (Dict[str, float]): Seconds by name of the type, the least of a few rounds: float32, bfloat16 and, where the
        machine has it, int8, each of training and of use.
    """
    tokens, width, hidden = _SHAPE
    best: Dict[str, float] = {}
    # Frozen, as below an adapter.
    blocks: Dict[str, Block] = {
        name: (torch.nn.Linear(width, hidden, bias=False, dtype=dtype).requires_grad_(False),
               torch.nn.Linear(hidden, width, bias=False, dtype=dtype).requires_grad_(False))
        for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16))}
    if can_use_int8():
        blocks["int8"] = (FrozenInt8Linear(width, hidden, has_bias=False).fill(blocks["float32"][0]),
                          FrozenInt8Linear(hidden, width, has_bias=False).fill(blocks["float32"][1]))
    for number in range(_ROUNDS):
        if number == 2 and best["bfloat16"] > _HOPELESS * best["float32"]:
            break
        for name, block in blocks.items():
            dtype = torch.bfloat16 if name == "bfloat16" else torch.float32
            states = torch.ones(tokens, width, dtype=dtype, requires_grad=True)
            _note(best, name, partial(_train_block, block, states))
            with torch.inference_mode():
                _note(best, f"{name} in use", partial(_run_block, block, states))
    return best


def _run_block(block: Block, states: torch.Tensor) -> torch.Tensor:
    return block[1](functional.silu(block[0](states)))


def _train_block(block: Block, states: torch.Tensor) -> None:
    with torch.enable_grad():
        _run_block(block, states).sum().backward()


def _note(best: Dict[str, float], name: str, run: Callable[[], object]) -> None:
    began = time.process_time()
    run()
    best[name] = min(best.get(name, float("inf")), max(time.process_time() - began, _TICK))


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
        names = [*_NAMES, *(_INT8_NAMES if set(_INT8_NAMES) & set(seconds) else ())]
        kept = {name: float(seconds[name]) for name in names}
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return kept if all(0 < value < float("inf") for value in kept.values()) else None
