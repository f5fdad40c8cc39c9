"""What every writer checks before it writes."""

from typing import Sequence

from ..annotation import Annotation, Mention
from ..errors import BionerError, Errors


def check_labels(annotation: Annotation, labels: Sequence[str]) -> None:
    """Refuse a mention whose label is not in the schema.

    annotation (Annotation): The annotation.
    labels (Sequence[str]): The labels of the schema.
    RAISES BionerError: E112.
    """
    known = set(labels)
    for mention in annotation.mentions:
        if mention.label not in known:
            raise BionerError(Errors.E112.format(label=mention.label, known=", ".join(labels)))


def describe_span(mention: Mention) -> str:
    """RETURNS (str): A mention as messages name it, without document text."""
    return f"{mention.start}-{mention.end} ({mention.label})"
