"""Checkpoints of a training: whole folders that appear by one rename, so that a kill or a full disk spoils none."""

import hashlib
import json
import logging
import shutil
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Set, Tuple

import torch

from ...errors import BionerError, Errors, Warnings
from ...files import write_folder, write_json
from ...llm.adapter import CARD_FILE
from ...temporaries import sweep

logger = logging.getLogger(__name__)
_STATE = "state.json"
_TENSORS = "tensors.safetensors"
_SUMS = "sha256.json"
# Whichever of them is there, a folder is an adapter's.
_ADAPTER_FILES = ("adapter_config.json", CARD_FILE)
# Says of an adapter which training made it.
_RUN = "run.json"
# The newest may be damaged, as by a power cut; then the one before serves.
_KEPT = 2
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
        """Return updates and score of the first of the best scores, if any; of the last
        where all are 0, since later weights have at least learnt longer."""
        if not self.scores:
            return None
        return max(self.scores, key=lambda item: (item[1], item[0] if item[1] == 0 else -item[0]))

    @property
    def scores_since_best(self) -> int:
        """Return scores since the first of the best ones."""
        values = [score for _, score in self.scores]
        return len(values) - 1 - values.index(max(values)) if values else 0


class Checkpoints:
    """The checkpoints of a training, the newest two of them, beside those of trainings with other settings.

    folder (Path): Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._damaged: Set[Path] = set()

    def write(self, state: TrainingState, tensors: Tensors) -> None:
        """Write a checkpoint, then remove the older ones of this training but one.

        state (TrainingState): Where the training stands.
        tensors (Tensors): Weights and optimizer, by name.
        RAISES BionerError: E304 where the disk is full or fails; the checkpoint before stays.
        """
        older = self._whole(state.fingerprint)
        with naming_last_good(older[-1] if older else None):
            target = self.folder / f"{state.updates:08d}-{state.fingerprint}"
            files = {_STATE: json.dumps(asdict(state)).encode("utf8"), _TENSORS: _to_bytes(tensors)}
            sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
            write_folder(target, {**files, _SUMS: json.dumps(sums).encode("utf8")})
        for path in self._of(state.fingerprint)[:-_KEPT]:
            shutil.rmtree(path, ignore_errors=True)

    def read(self, fingerprint: str) -> Optional[Tuple[TrainingState, Tensors]]:
        """Read the newest checkpoint of a training that is whole; damaged ones are passed over with a warning.

        fingerprint (str): Hash of the settings, the model and the data.
        RETURNS (Optional[Tuple[TrainingState, Tensors]]): The checkpoint, if there is one.
        """
        from safetensors import SafetensorError

        own = self._of(fingerprint)
        if len(own) < len(self._all()):
            logger.warning(Warnings.W302.format(folder=self.folder))
        for path in reversed(own):
            try:
                return _read_checkpoint(path)
            except (OSError, ValueError, TypeError, AttributeError, SafetensorError) as error:
                why = " ".join(str(error).split()) or type(error).__name__
                logger.warning(Warnings.W301.format(path=path, why=why))
                self._damaged.add(path)
        return None

    def last(self, fingerprint: str) -> Optional[Path]:
        """Return the newest checkpoint of a training that was not found damaged, if there is one."""
        own = self._whole(fingerprint)
        return own[-1] if own else None

    def sweep(self) -> None:
        """Remove what killed runs have left half written."""
        sweep(self.folder)

    def remove(self, fingerprint: str) -> None:
        """Remove the checkpoints of a training, when it is done; those of other trainings stay."""
        for path in self._of(fingerprint):
            shutil.rmtree(path, ignore_errors=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _all(self) -> List[Path]:
        """Return complete checkpoints, the oldest first."""
        return sorted(path for path in self.folder.glob("[0-9]*") if path.is_dir())

    def _whole(self, fingerprint: str) -> List[Path]:
        """Return those of one training that were not found damaged, the oldest first."""
        return [path for path in self._of(fingerprint) if path not in self._damaged]

    def _of(self, fingerprint: str) -> List[Path]:
        """Return those of one training, the oldest first."""
        return [path for path in self._all() if path.name.partition("-")[2] == fingerprint]


def _read_checkpoint(path: Path) -> Tuple[TrainingState, Tensors]:
    from safetensors.torch import load

    sums = json.loads((path / _SUMS).read_text(encoding="utf8"))
    for name in (_STATE, _TENSORS):
        if sums.get(name) != hashlib.sha256((path / name).read_bytes()).hexdigest():
            raise ValueError(f"{name} is not as it was written")
    state = TrainingState(**json.loads((path / _STATE).read_text(encoding="utf8")))
    state.scores = [(int(updates), float(score)) for updates, score in state.scores]
    return state, load((path / _TENSORS).read_bytes())


def write_run(folder: Path, fingerprint: str) -> None:
    """Write into the folder of an adapter which training it is of.

    folder (Path): The folder.
    fingerprint (str): Hash of the settings, the model and the data.
    """
    write_json(folder / _RUN, {"fingerprint": fingerprint})


def refuse_other_training(output: Path, fingerprint: str) -> None:
    """Refuse to replace the adapter of another training.

    output (Path): Folder of the adapter; a new or an empty one is fine, and one that the same training has made.
    fingerprint (str): Hash of the settings, the model and the data.
    RAISES BionerError: E514.
    """
    if not any((output / name).is_file() for name in _ADAPTER_FILES):
        return
    try:
        made = json.loads((output / _RUN).read_text(encoding="utf8"))
    except (OSError, ValueError):
        made = None
    if made != {"fingerprint": fingerprint}:
        raise BionerError(Errors.E514.format(path=output))


def check_output(output: Path) -> None:
    """Refuse to put an adapter where something else would be lost.

    output (Path): Folder of the adapter: a new or an empty one, or one that holds an adapter, which is replaced.
    RAISES BionerError: E308 for anything else.
    """
    why = None
    if output.name in ("", ".."):
        why = "is a folder without a name of its own"
    elif output.exists() and not output.is_dir():
        why = "is a file"
    elif output.is_dir():
        names = sorted(path.name for path in output.iterdir())
        if names and not set(names) & set(_ADAPTER_FILES):
            why = f"holds other files than an adapter's, such as {names[0]}"
    if why is not None:
        raise BionerError(Errors.E308.format(path=output, why=why))


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
