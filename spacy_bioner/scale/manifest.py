"""What the shards of a folder were made of: kept beside them, so that none are taken for those of another run."""

import json
from pathlib import Path
from typing import Any, Dict, Iterable, Mapping, Optional

from ..errors import BionerError, Errors
from ..files import write_json

MANIFEST_FILE = "shards.json"


def make_manifest(files: Iterable[Path], *, size: int, kind: str, settings: Mapping[str, Any]) -> Dict[str, Any]:
    """Describe a run.

    files (Iterable[Path]): The inputs; they are told by name and size, since other machines may see them elsewhere.
    size (int): Records in a shard.
    kind (str): "jsonl" or "parquet".
    settings (Mapping[str, Any]): What the annotations depend on beside the texts, see `identify`.
    RETURNS (Dict[str, Any]): The description, as JSON gives it back.
    """
    inputs = [[path.name, path.stat().st_size] for path in files]
    return json.loads(json.dumps({"shard_size": size, "kind": kind, "inputs": inputs, **settings}))


def keep_manifest(output: Path, manifest: Mapping[str, Any]) -> None:
    """Write the description of a run beside its shards; where there are shards, it must be that of the run before.

    output (Path): The folder of shards.
    manifest (Mapping[str, Any]): The description, see `make_manifest`.
    RAISES BionerError: E226 for the first key in which two runs differ, E227 for shards without a description, E228
        for one that cannot be read.
    """
    path = output / MANIFEST_FILE
    shard = next(output.glob("part-*"), None)
    if shard is None:
        write_json(path, dict(manifest))
        return
    if not path.is_file():
        raise BionerError(Errors.E227.format(output=output, shard=shard.name, manifest=MANIFEST_FILE))
    before = _read(path)
    for key in dict.fromkeys([*manifest, *before]):
        if manifest.get(key) != before.get(key):
            found, wanted = before.get(key), manifest.get(key)
            raise BionerError(Errors.E226.format(output=output, key=key, found=_short(found), wanted=_short(wanted)))


def _read(path: Path) -> Dict[str, Any]:
    """Return the description in a file; raises BionerError E228 where it is none."""
    try:
        found: Optional[Any] = json.loads(path.read_text(encoding="utf8"))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise BionerError(Errors.E228.format(path=path))
    return found


def _short(value: Any) -> str:
    """Return a value as JSON, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."
