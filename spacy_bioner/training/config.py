"""What a training config must hold for a verb, and which of its settings are the verb's own."""

from pathlib import Path
from typing import Any, Dict, Iterable, Mapping, Tuple, Union

from ..config_files import ConfigFiles
from ..errors import BionerError, Errors

_SOURCES = "corpora.train.sources"


def find_setting(config: Mapping[str, Any], key: str, *, path: Union[Path, ConfigFiles],
                 example: str = "spancat") -> Any:
    """Look up a section or a setting that a training config must have.

    config (Mapping[str, Any]): The config.
    key (str): Dotted key.
    path (Union[Path, ConfigFiles]): Where it is from, for the error.
    example (str): Name of a config that has it, for the error.
    RETURNS (Any): What stands there.
    RAISES BionerError: E541 where there is nothing.
    """
    found: Any = config
    for part in key.split("."):
        if not isinstance(found, Mapping) or part not in found:
            raise BionerError(Errors.E541.format(path=path, key=key, example=example))
        found = found[part]
    return found


def refuse_owned(overrides: Iterable[str], owned: Mapping[str, str]) -> None:
    """Refuse overrides of what an option of the verb says: they would be lost without a word.

    overrides (Iterable[str]): Dotted keys of the command line.
    owned (Mapping[str, str]): Dotted key to the option in whose place it stands; "*" in a key is any name.
    RAISES BionerError: E542 for the first of them.
    """
    for key in overrides:
        parts = key.split(".")
        for pattern, option in owned.items():
            wanted = pattern.split(".")
            if len(parts) == len(wanted) and all(one in ("*", other) for one, other in zip(wanted, parts)):
                raise BionerError(Errors.E542.format(key=key, option=option.replace("*", parts[-2])))


def split_sources(overrides: Mapping[str, Any]) -> Tuple[Dict[str, Any], Dict[str, Dict[str, Any]]]:
    """Take the settings of sources out of overrides.

    overrides (Mapping[str, Any]): Dotted key to value.
    RETURNS (Tuple[Dict[str, Any], Dict[str, Dict[str, Any]]]): The others, and for each source its settings.
    """
    others: Dict[str, Any] = {}
    sources: Dict[str, Dict[str, Any]] = {}
    for key, value in overrides.items():
        name, _, setting = key[len(_SOURCES) + 1:].partition(".")
        if key.startswith(f"{_SOURCES}.") and setting:
            sources.setdefault(name, {})[setting] = value
        else:
            others[key] = value
    return others, sources
