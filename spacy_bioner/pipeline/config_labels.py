"""Labels and definitions of a component as spaCy's config holds them: as keys and values of a section."""

import configparser
from typing import Any, Dict, Mapping

from confection import Config, ConfigValidationError

from ..config_files import refuse_variables
from ..errors import BionerError, Errors
from ..llm.settings import read_labels


def check_config_labels(settings: Mapping[str, Any]) -> None:
    """Refuse labels with which a pipeline could be saved and not be loaded again.

    settings (Mapping[str, Any]): The settings of a component, with its `labels` as they were written.
    RAISES BionerError: E556 for a variable, E557 for a label that a config cannot hold as a key; in a list it may be.
    """
    written = settings.get("labels") or {}
    labels: Mapping[str, str] = read_labels(written)
    refuse_variables(text for pair in labels.items() for text in pair)
    if not isinstance(written, Mapping) or _is_readable(labels):
        return
    before: Dict[str, str] = {}
    for label, definition in labels.items():
        before[label] = definition
        if not _is_readable(before):
            raise BionerError(Errors.E557.format(label=label))


def _is_readable(labels: Mapping[str, str]) -> bool:
    """Return whether a config with a section of these labels can be read."""
    # The name of a registered function begins so.
    if any(label.startswith("@") for label in labels):
        return False
    try:
        Config().from_str(Config({"labels": dict(labels)}).to_str())
    # What comes before a colon or an equals sign is taken as the key; a second such key is an error of the parser.
    except (ConfigValidationError, configparser.Error, ValueError):
        return False
    return True
