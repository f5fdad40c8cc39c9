"""What is tested on stays out: out of the seeds, of what a generator is trained on, of what shows it the style."""

from typing import Iterable, Iterator

from ..annotation import Annotation
from ..corpus.sampling import check_split
from ..errors import BionerError, Errors

_TESTED = ("dev", "test")


def refuse_other_splits(annotations: Iterable[Annotation]) -> Iterator[Annotation]:
    """Pass gold annotations on that are of train.

    annotations (Iterable[Annotation]): Gold annotations; those that name no split are of train.
    YIELDS (Annotation): The same.
    RAISES BionerError: E009 for another split.
    """
    for annotation in annotations:
        check_split(annotation, "train")
        yield annotation


def refuse_tested(annotations: Iterable[Annotation], *, unless: str = "") -> Iterator[Annotation]:
    """Pass raw annotations on that are not of dev or test.

    annotations (Iterable[Annotation]): Raw annotations; their labels are not used.
    unless (str): End of the message, where something allows them.
    YIELDS (Annotation): The same.
    RAISES BionerError: E418 for a record of dev or test.
    """
    for annotation in annotations:
        split = annotation.meta.get("split")
        if split in _TESTED:
            raise BionerError(Errors.E418.format(id=annotation.id, found=split, unless=unless))
        yield annotation
