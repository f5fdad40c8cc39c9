"""Checkpoints of a training: whole folders that appear by one rename, so that a kill or a full disk spoils none."""

import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import torch

from ..errors import BionerError, Errors

_STATE = "state.json"
_TENSORS = "tensors.safetensors"
Tensors = Dict[str, torch.Tensor]


@dataclass
class TrainingState:
    """Where a training stands, beside its tensors.

    fingerprint (str): Hash of the settings, the model and the data; another training's checkpoint is not taken up.
    updates (int): Updates done.
    history (List[Dict[str, float]]): A row of figures an update.
    scores (List[Tuple[int, float]]): Updates done and the score on dev then.
    seconds (float): Time spent so far.
    """

    fingerprint: str
    updates: int = 0
    history: List[Dict[str, float]] = field(default_factory=list)
    scores: List[Tuple[int, float]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def best(self) -> Optional[Tuple[int, float]]:
        """RETURNS (Optional[Tuple[int, float]]): Updates and score of the first of the best scores, if any."""
        return max(self.scores, key=lambda item: item[1]) if self.scores else None


class Checkpoints:
    """The checkpoints of one training; only the newest is kept.

    folder (Path): Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def write(self, state: TrainingState, tensors: Tensors) -> None:
        """Write a checkpoint, then remove the older ones.

        state (TrainingState): Where the training stands.
        tensors (Tensors): Weights and optimizer, by name.
        RAISES BionerError: E304 where the disk is full or fails; the checkpoint before stays.
        """
        older = self._all()
        with naming_last_good(older[-1] if older else None):
            target = self.folder / f"{state.updates:08d}"
            write_folder(target, {_STATE: json.dumps(asdict(state)).encode("utf8"), _TENSORS: _to_bytes(tensors)})
        for path in older:
            if path != target:
                shutil.rmtree(path, ignore_errors=True)

    def read(self, fingerprint: str) -> Optional[Tuple[TrainingState, Tensors]]:
        """RETURNS (Optional[Tuple[TrainingState, Tensors]]): The newest of this training, if any."""
        from safetensors.torch import load_file

        for path in reversed(self._all()):
            state = TrainingState(**json.loads((path / _STATE).read_text(encoding="utf8")))
            state.scores = [(int(updates), float(score)) for updates, score in state.scores]
            if state.fingerprint == fingerprint:
                return state, load_file(path / _TENSORS)
        return None

    def remove(self) -> None:
        """Remove all checkpoints, when the training is done."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _all(self) -> List[Path]:
        """RETURNS (List[Path]): Complete checkpoints, the oldest first."""
        return sorted(path for path in self.folder.glob("[0-9]*") if path.is_dir())


def write_folder(target: Path, files: Dict[str, bytes]) -> None:
    """Write a folder of files that appears complete or not at all; one of that name is replaced.

    target (Path): The folder.
    files (Dict[str, bytes]): Name to content.
    RAISES OSError: Where the disk is full or fails; nothing is left behind.
    """
    fill_folder(target, lambda folder: [(folder / name).write_bytes(content) for name, content in files.items()])


def fill_folder(target: Path, fill: Callable[[Path], Any]) -> None:
    """Have a temporary folder filled that then takes its name.

    target (Path): The folder; one of that name is replaced.
    fill (Callable[[Path], Any]): Writes the files.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        fill(temporary)
        temporary.chmod(0o755)
        if target.exists():
            # A folder cannot be renamed onto a full one; the old one steps aside for the moment between two renames.
            aside = temporary.with_name(temporary.name + ".old")
            os.rename(target, aside)
            os.rename(temporary, target)
            shutil.rmtree(aside, ignore_errors=True)
        else:
            os.rename(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def naming_last_good(kept: Optional[Path]) -> Iterator[None]:
    """Turn a failure of the disk into a message that says what is still there."""
    try:
        yield
    except OSError as error:
        raise BionerError(Errors.E304.format(why=error.strerror or error, kept=kept or "none yet")) from None


def _to_bytes(tensors: Tensors) -> bytes:
    from safetensors.torch import save

    return save({name: tensor.detach().contiguous().cpu() for name, tensor in tensors.items()})
