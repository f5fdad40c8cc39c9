"""What can be chosen in a review, and where records keep what belongs to it; loads nothing heavy."""

from datetime import datetime, timezone
from enum import Enum
from typing import Any, Dict, List, Mapping, Optional

from ..annotation import Annotation
from ..errors import BionerError, Errors

# Metadata: the corrections of a record, the latest last; and why it was given out.
HISTORY, QUEUE = "review", "queue"
# How many mentions a correction changed, and left as they were.
CHANGES = ("added", "removed", "kept")


class Strategy(str, Enum):
    """What a sentence is chosen by."""

    gain = "gain"
    uncertainty = "uncertainty"
    disagreement = "disagreement"
    diversity = "diversity"
    random = "random"

    @property
    def needs_doubt(self) -> bool:
        """Return whether it asks how much is in doubt."""
        return self in (Strategy.gain, Strategy.uncertainty, Strategy.disagreement)

    @property
    def needs_vectors(self) -> bool:
        """Return whether it asks which sentences are alike."""
        return self in (Strategy.gain, Strategy.diversity)


class Tool(str, Enum):
    """Where sentences are corrected."""

    jsonl = "jsonl"
    label_studio = "label-studio"
    doccano = "doccano"
    prodigy = "prodigy"
    inception = "inception"
    brat = "brat"

    @property
    def file_format(self) -> str:
        """Return the name of its format."""
        return self.value.replace("-", "")

    @property
    def ending(self) -> str:
        """Return how the name of its file or folder ends."""
        return {"label-studio": "labelstudio.json", "doccano": "doccano.jsonl", "prodigy": "prodigy.jsonl"}.get(
            self.value, self.value)


def read_history(record: Annotation) -> List[Dict[str, Any]]:
    """Return the corrections of a record, the latest last.

    record (Annotation): The record.
    RETURNS (List[Dict[str, Any]]): Who corrected it, when, and how many mentions were added, removed and kept.
    RAISES BionerError: E030 where the metadata holds something else under this name.
    """
    held = record.meta.get(HISTORY)
    if held is None:
        return []
    if not isinstance(held, list) or not all(
            isinstance(entry, dict) and all(type(entry.get(name, 0)) is int for name in CHANGES) for entry in held):
        why = Errors.E006.format(key=f"meta.{HISTORY}", found=repr(held)[:60], wanted="a list of corrections")
        raise BionerError(Errors.E030.format(place=f"Record '{record.id}'", why=why))
    return held


def is_merged(record: Annotation, said: Mapping[str, Any]) -> bool:
    """Return whether a correction is in a record already, or is older than its latest one.

    record (Annotation): The record.
    said (Mapping[str, Any]): Who corrected and when; without a time it is new.
    """
    history, when = read_history(record), _read_time(said.get("at"))
    if when is None or not history:
        return False
    if any((entry.get("by"), _read_time(entry.get("at"))) == (said.get("by"), when) for entry in history):
        return True
    latest = _read_time(history[-1].get("at"))
    return latest is not None and when < latest


def _read_time(stated: Any) -> Optional[datetime]:
    try:
        found = datetime.fromisoformat(str(stated))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)
