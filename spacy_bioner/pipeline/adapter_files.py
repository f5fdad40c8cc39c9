"""The adapter of a component, saved with its pipeline: as a folder on disk, or as bytes."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Optional

import srsly


def copy_adapter(source: Path, target: Path) -> None:
    """Copy the files of an adapter; onto itself it stays."""
    if source.resolve() != target.resolve():
        shutil.copytree(source, target, dirs_exist_ok=True)


def pack_adapter(folder: Optional[Path]) -> bytes:
    """RETURNS (bytes): The files of an adapter, none where there is no adapter."""
    files = [] if folder is None else sorted(path for path in folder.iterdir() if path.is_file())
    return srsly.msgpack_dumps({path.name: path.read_bytes() for path in files})


def unpack_adapter(data: bytes) -> Optional[TemporaryDirectory]:
    """RETURNS (Optional[TemporaryDirectory]): The adapter in a folder that goes with this object; None without one."""
    files = srsly.msgpack_loads(data)
    if not files:
        return None
    unpacked = TemporaryDirectory(prefix="spacy-bioner-adapter-")
    for name, content in files.items():
        (Path(unpacked.name) / Path(name).name).write_bytes(content)
    return unpacked
