"""What can be chosen in a review, and where records keep what belongs to it; loads nothing heavy."""

from enum import Enum

# Metadata: the corrections of a record, the latest last; and why it was given out.
HISTORY, QUEUE = "review", "queue"


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
