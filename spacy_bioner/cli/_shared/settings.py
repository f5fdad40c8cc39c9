"""Settings of a verb: a section of a config file, overridden by --section.key value as in `spacy train`."""

import configparser
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional, Type, TypeVar, Union

from pydantic import BaseModel, ConfigDict, ValidationError

from ...errors import BionerError, Errors, first_fault


class Settings(BaseModel):
    """Base of the settings of a verb: typed, with unknown keys refused."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())


SettingsType = TypeVar("SettingsType", bound=Settings)


def read_overrides(args: List[str]) -> Dict[str, Any]:
    """Read `--section.key value` pairs, values as JSON where they are JSON, else as strings.

    args (List[str]): What the command line holds beside the verb's own arguments.
    RETURNS (Dict[str, Any]): Dotted key to value.
    RAISES BionerError: E705 for anything else.
    """
    from confection import try_load_json

    overrides: Dict[str, Any] = {}
    rest = list(args)
    while rest:
        key = rest.pop(0)
        if not key.startswith("--") or "." not in key:
            raise BionerError(Errors.E705.format(value=key))
        if "=" in key:
            key, value = key.split("=", 1)
        elif rest:
            value = rest.pop(0)
        else:
            raise BionerError(Errors.E705.format(value=key))
        overrides[key[2:]] = try_load_json(value)
    return overrides


def add_options(overrides: Mapping[str, Any], options: Mapping[str, Any]) -> Dict[str, Any]:
    """Add what options of a verb set to the overrides; an option goes before an override of the same setting.

    overrides (Mapping[str, Any]): Dotted key to value, see `read_overrides`.
    options (Mapping[str, Any]): Dotted key to the value of an option; None stands for one that is not given.
    RETURNS (Dict[str, Any]): Dotted key to value.
    """
    return {**overrides, **{key: value for key, value in options.items() if value is not None}}


def load_config(path: Path, overrides: Optional[Dict[str, Any]] = None) -> Dict[str, Any]:
    """Read a config file with its overrides, variables filled in.

    path (Path): The config; a byte order mark at its start is passed over.
    overrides (Optional[Dict[str, Any]]): Dotted key to value.
    RETURNS (Dict[str, Any]): Section to settings.
    RAISES BionerError: E001 or E731 where there is no such file, E707 where it cannot be read.
    """
    from confection import Config, ConfigValidationError

    path = Path(path)
    refuse_missing(path)
    try:
        config = Config().from_str(path.read_text(encoding="utf-8-sig"), overrides=overrides or {})
    except (ConfigValidationError, configparser.Error, ValueError) as error:
        first = " ".join(str(error).split())
        raise BionerError(Errors.E707.format(path=path, why=first)) from None
    return dict(config)


def refuse_missing(path: Path) -> None:
    """Refuse a config that is not there.

    path (Path): The config.
    RAISES BionerError: E731 where it is one of this package's, which lie in its checkout only, E001 for any other.
    """
    path = Path(path)
    if not path.is_file():
        own = path.parts[:1] == ("configs",)
        raise BionerError(Errors.E731.format(path=path) if own else Errors.E001.format(path=path, wanted="config file"))


def load_settings(path: Path, section: str, schema: Type[SettingsType], overrides: Dict[str, Any]) -> SettingsType:
    """Read and check one section of a config.

    path (Path): The config.
    section (str): The section.
    schema (Type[SettingsType]): Its settings.
    overrides (Dict[str, Any]): Dotted key to value, see `read_overrides`.
    RETURNS (SettingsType): The settings.
    RAISES BionerError: E702 to E704 with the key and what is known.
    """
    config = load_config(path, overrides)
    if section not in config:
        raise BionerError(Errors.E704.format(section=section, path=path))
    try:
        return schema.model_validate(config[section])
    except ValidationError as error:
        key, why = first_fault(error)
        if error.errors()[0]["type"] == "extra_forbidden":
            known = ", ".join(_known_keys(schema, error.errors()[0]["loc"][:-1]))
            raise BionerError(Errors.E702.format(key=key, section=section, path=path, known=known)) from None
        raise BionerError(Errors.E703.format(key=key, section=section, path=path, why=why)) from None


def _known_keys(schema: Type[BaseModel], place: Iterable[Union[int, str]]) -> List[str]:
    """Return the keys of the settings at a place inside others."""
    for key in place:
        field = schema.model_fields.get(str(key))
        inner = field.annotation if field is not None else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            break
        schema = inner
    return list(schema.model_fields)
