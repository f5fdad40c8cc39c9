"""The split that a record says it is of: what is tested on must not be taken for train."""

from ..annotation import Annotation
from ..errors import BionerError, Errors


def check_split(annotation: Annotation, wanted: str) -> None:
    """Refuse a record that says that it is of another split.

    annotation (Annotation): The record; without the key, with null or with "" it says none, and is taken.
    wanted (str): The split, such as "train"; empty for any.
    RAISES BionerError: E009 for another split.
    """
    found = annotation.meta.get("split")
    if wanted and found not in (None, "", wanted):
        raise BionerError(Errors.E009.format(id=annotation.id, found=found, wanted=wanted))
