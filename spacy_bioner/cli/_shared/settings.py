"""Settings of a verb: a section of its config, overridden by profiles and by --section.key value."""

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Type

import typer
from pydantic import ValidationError

from ...config_files import ConfigFiles, missing_section
from ...errors import BionerError, Errors, first_fault
from ...settings import SettingsType, known_keys, suggest

# The options of every verb that reads a config.
CONFIG: Optional[Path] = typer.Option(
    None, "--config", "-c", help="Config in place of the one in this package; --section.key value overrides it.")
PROFILE: Optional[str] = typer.Option(
    None, "--profile", help="What overrides the config: gpu, smoke or zh, several with commas between them, or the "
                            "path of a .cfg file.")


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


def load_settings(config: ConfigFiles, section: str, schema: Type[SettingsType],
                  overrides: Dict[str, Any]) -> SettingsType:
    """Read and check one section of a config.

    config (ConfigFiles): The config.
    section (str): The section.
    schema (Type[SettingsType]): Its settings.
    overrides (Dict[str, Any]): Dotted key to value, see `read_overrides`.
    RETURNS (SettingsType): The settings.
    RAISES BionerError: E702 to E704 with the key and what is known.
    """
    content = config.read(overrides)
    if section not in content:
        raise missing_section(config, (section,), content)
    try:
        return schema.model_validate(content[section])
    except ValidationError as error:
        key, why = first_fault(error)
        if error.errors()[0]["type"] == "extra_forbidden":
            known = known_keys(schema, error.errors()[0]["loc"][:-1])
            raise BionerError(Errors.E702.format(key=key, section=section, path=config, known=", ".join(known),
                                                 hint=suggest(key.rpartition(".")[2], known))) from None
        raise BionerError(Errors.E703.format(key=key, section=section, path=config, why=why)) from None
