"""Values in JSON files, named as `FILE#key.key`."""

import json
from pathlib import Path
from typing import Any

from ..project_files import find_project_file


def find_value(place: str) -> Any:
    """Find a value in a JSON file.

    place (str): `FILE#key.key`; without keys the whole content is meant. A file of the working folder goes before one
        that comes with the package.
    RETURNS (Any): The value; None where the file or the key is missing.
    """
    name, _, dotted = place.partition("#")
    path = find_project_file(Path(name))
    return find_key(json.loads(path.read_text(encoding="utf8")), dotted) if path.is_file() else None


def find_key(content: Any, dotted: str) -> Any:
    """Return the value at `key.key` of mappings in each other; None where there is none."""
    for key in dotted.split(".") if dotted else ():
        content = content.get(key) if isinstance(content, dict) else None
    return content
