"""Values in JSON files, named as `FILE#key.key`."""

import json
from pathlib import Path
from typing import Any


def find_value(place: str) -> Any:
    """Find a value in a JSON file.

    place (str): `FILE#key.key`; without keys the whole content is meant.
    RETURNS (Any): The value; None where the file or the key is missing.
    """
    path, _, dotted = place.partition("#")
    if not Path(path).is_file():
        return None
    return find_key(json.loads(Path(path).read_text(encoding="utf8")), dotted)


def find_key(content: Any, dotted: str) -> Any:
    """RETURNS (Any): The value at `key.key` of mappings in each other; None where there is none."""
    for key in dotted.split(".") if dotted else ():
        content = content.get(key) if isinstance(content, dict) else None
    return content
