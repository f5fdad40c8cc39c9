"""Checks of the files of models and adapters, before a library reads them."""

from pathlib import Path
from typing import Any, Dict, Tuple

from ..loading import parse_json

# No settings of a model or an adapter are as large; tokenizers are, and are read by their own library.
_LARGEST_JSON = 16 << 20


class UnreadableFile(ValueError):
    """A file that does not hold what it should; its message says why."""


def read_object(path: Path) -> Dict[str, Any]:
    """Read a JSON object of bounded size and depth.

    path (Path): The file.
    RETURNS (Dict[str, Any]): The object.
    RAISES UnreadableFile: Where it is missing, too large, too deep, not UTF-8, not JSON, or another JSON value.
    """
    try:
        size = path.stat().st_size
        if size > _LARGEST_JSON:
            raise UnreadableFile(f"{path.name} has {size} bytes, wanted at most {_LARGEST_JSON}")
        content = parse_json(path.read_text(encoding="utf8"))
    except FileNotFoundError:
        raise UnreadableFile(f"no such file as {path.name}") from None
    except OSError as error:
        raise UnreadableFile(f"{path.name}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UnreadableFile(f"{path.name} is not UTF-8") from None
    except UnreadableFile:
        raise
    except ValueError as error:
        raise UnreadableFile(f"{path.name} is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise UnreadableFile(f"{path.name} is not a JSON object")
    return content


def read_shapes(path: Path) -> Dict[str, Tuple[int, ...]]:
    """Read the head of a safetensors file, and check that it fits the size of the file.

    path (Path): The file.
    RETURNS (Dict[str, Tuple[int, ...]]): Name to shape of each tensor.
    RAISES UnreadableFile: Where the file is missing, truncated, or not safetensors.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="np") as file_:
            return {name: tuple(file_.get_slice(name).get_shape()) for name in file_.keys()}
    except FileNotFoundError:
        raise UnreadableFile(f"no such file as {path.name}") from None
    except (OSError, SafetensorError) as error:
        raise UnreadableFile(f"{path.name} is damaged or not safetensors: {error}") from None
