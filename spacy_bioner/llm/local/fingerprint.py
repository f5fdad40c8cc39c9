"""What tells models and adapters of one name apart: short hashes of their folders."""

import hashlib
import json
from pathlib import Path
from typing import Sequence

from ..adapter import CARD_FILE, CONFIG_FILE, WEIGHTS_FILE

_FINGERPRINT_BYTES = 1 << 20
_OF_MODEL = ("*.safetensors", "*config.json", "tokenizer*.json")


def fingerprint(folder: Path, *, patterns: Sequence[str] = _OF_MODEL) -> str:
    """Short hash of a model folder: its settings, and of each weight file the size, the head and the tail.

    folder (Path): Folder of a model.
    patterns (Sequence[str]): Which files are read.
    RETURNS (str): The hash; equal for equal content wherever the folder lies.
    """
    digest = hashlib.sha256()
    for path in sorted(path for pattern in patterns for path in folder.glob(pattern) if path.is_file()):
        size = path.stat().st_size
        digest.update(json.dumps([path.relative_to(folder).as_posix(), size]).encode())
        with path.open("rb") as file_:
            digest.update(file_.read(_FINGERPRINT_BYTES))
            file_.seek(max(0, size - _FINGERPRINT_BYTES))
            digest.update(file_.read())
    return digest.hexdigest()[:16]


def adapter_fingerprint(folder: Path) -> str:
    """Return a short hash of all bytes of an adapter's weights and configuration, which are all that is read."""
    digest = hashlib.sha256()
    # Of the adapter of a server only the weights may be here.
    for path in filter(Path.is_file, (folder / CONFIG_FILE, folder / WEIGHTS_FILE)):
        with path.open("rb") as file_:
            digest.update(hashlib.file_digest(file_, "sha256").digest())
    return digest.hexdigest()[:16]


def served_fingerprint(folder: Path) -> str:
    """Short hash of the adapter that a server has loaded, of which the folder here may hold the card alone.

    folder (Path): Folder of the adapter.
    RETURNS (str): `adapter_fingerprint`, as with local models, where the folder holds the weights; else the hash of
        the card, which names the data and the settings of the training.
    """
    card = folder / CARD_FILE
    if (folder / WEIGHTS_FILE).is_file() or not card.is_file():
        return adapter_fingerprint(folder)
    return hashlib.sha256(card.read_bytes()).hexdigest()[:16]
