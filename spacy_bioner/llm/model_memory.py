"""Whether a model fits into memory, found out from the heads of its files before its weights are read."""

import logging
from math import prod
from pathlib import Path
from typing import Optional

import torch

from ..errors import BionerError, Errors, Warnings
from .model_files import UnreadableFile, read_shapes

logger = logging.getLogger(__name__)

_GB = 1e9
# NF4 with double quantization, scales included, of the linear layers; word vectors keep their type.
_BYTES_4BIT = 0.55
# Keys, values and activations of the texts under way, beside the weights.
_ROOM = 0.2
_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def refuse_too_large(folder: Path, *, name: str, dtype: torch.dtype, device: torch.device,
                     quantized: bool = False) -> None:
    """Refuse a model whose weights do not fit into memory, and warn where little room is left beside them.

    folder (Path): Folder of the model.
    name (str): How the user calls it.
    dtype (torch.dtype): Number type of the weights in memory.
    device (torch.device): Where they go.
    quantized (bool): Whether they become 4-bit numbers.
    RAISES BionerError: E247 where they do not fit.
    """
    needed, free = estimate_bytes(folder, dtype=dtype, quantized=quantized), free_bytes(device)
    if free is None or not needed:
        return
    told = {"name": name, "needed": f"{needed / _GB:.1f}", "free": f"{free / _GB:.1f}",
            "place": "GPU memory" if device.type == "cuda" else "memory"}
    if needed > free:
        raise BionerError(Errors.E247.format(**told))
    if needed * (1 + _ROOM) > free:
        logger.warning(Warnings.W207.format(**told))


def estimate_bytes(folder: Path, *, dtype: torch.dtype, quantized: bool = False) -> float:
    """Return the memory that the weights of a folder take; 0 where no file of it tells."""
    total = 0.0
    for path in folder.glob("*.safetensors"):
        try:
            shapes = read_shapes(path)
        except UnreadableFile:
            # Loading tells what is wrong with it.
            return 0.0
        for weight, shape in shapes.items():
            small = quantized and len(shape) == 2 and "embed" not in weight
            total += prod(shape) * (_BYTES_4BIT if small else dtype.itemsize)
    return total


def free_bytes(device: torch.device) -> Optional[float]:
    """Return the memory that can be used on a device; None where this system does not say.

    device (torch.device): A GPU, or the CPU. There a limit of the control group counts, as containers have it.
    """
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    if not _MEMINFO.is_file():
        return None
    fields = dict(line.split(":", 1) for line in _MEMINFO.read_text(encoding="ascii").splitlines() if ":" in line)
    if "MemAvailable" not in fields:
        return None
    free = 1024.0 * int(fields["MemAvailable"].split()[0])
    limit, used = (_read_number(_CGROUP / name) for name in ("memory.max", "memory.current"))
    return free if limit is None or used is None else min(free, limit - used)


def _read_number(path: Path) -> Optional[float]:
    """Return the number in a file; None where there is no file, or no limit."""
    if not path.is_file():
        return None
    text = path.read_text(encoding="ascii").strip()
    return float(text) if text.isdigit() else None
