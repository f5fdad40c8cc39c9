"""Strict counts by kinds of mention: how deep it is nested, how long it is, whether training knew it.

A gold mention counts in the slice that it has among the gold mentions. A prediction that is right counts there too; one
that is wrong counts in the slice that it has among the predictions.
"""

from dataclasses import dataclass
from typing import Callable, Dict, Iterable, List, Mapping, Set

from ..annotation import Annotation, Mention
from .counts import LabelCounts, compare_sets
from .ruler import Ruler

SliceNames = Dict[Mention, str]
Slicer = Callable[[Annotation], SliceNames]

DEPTHS = ("outermost", "inside 1", "inside 2 or more")
LENGTHS = ("1", "2", "3", "4", "5", "6-10", "11 or more")
FAMILIARITIES = ("seen", "seen with another label", "unseen")
SLICES = {"depth": DEPTHS, "length": LENGTHS, "training": FAMILIARITIES}


def count_slices(gold: Annotation, predicted: Annotation, slicer: Slicer) -> LabelCounts:
    """Count strictly, by slice in place of label.

    gold (Annotation): The text with its true mentions.
    predicted (Annotation): The same text with what a system found.
    slicer (Slicer): Gives each mention of an annotation its slice.
    RETURNS (LabelCounts): Counts of each slice that occurs.
    """
    slices = {**slicer(predicted), **slicer(gold)}
    return compare_sets(set(gold.mentions), set(predicted.mentions), label_of=slices.__getitem__)


def slice_by_depth(annotation: Annotation) -> SliceNames:
    """Return for each mention, how many other places of the annotation hold its place."""
    places = sorted({(mention.start, mention.end) for mention in annotation.mentions},
                    key=lambda place: (place[0], -place[1]))
    depths: Dict[tuple, int] = {}
    open_: List[tuple] = []
    for start, end in places:
        open_ = [place for place in open_ if place[1] > start]
        depths[start, end] = sum(place[1] >= end for place in open_)
        open_.append((start, end))
    return {mention: DEPTHS[min(depths[mention.start, mention.end], len(DEPTHS) - 1)]
            for mention in annotation.mentions}


def slice_by_length(annotation: Annotation) -> SliceNames:
    """Return for each mention, how many units it touches."""
    ruler = Ruler(annotation.text)
    return {mention: _name_length(ruler.count(mention)) for mention in annotation.mentions}


@dataclass(frozen=True)
class SliceByFamiliarity:
    """Slices by whether the training part holds the surface, case and white space aside.

    known (Mapping[str, Set[str]]): Folded surface to the labels that it has in training.
    """

    known: Mapping[str, Set[str]]

    @classmethod
    def from_training(cls, annotations: Iterable[Annotation]) -> "SliceByFamiliarity":
        """Return the slice by familiarity that knows all mentions of the training part."""
        known: Dict[str, Set[str]] = {}
        for annotation in annotations:
            for mention in annotation.mentions:
                known.setdefault(_fold(annotation.surface(mention)), set()).add(mention.label)
        return cls(known)

    def __call__(self, annotation: Annotation) -> SliceNames:
        return {mention: self._name(_fold(annotation.surface(mention)), mention.label)
                for mention in annotation.mentions}

    def _name(self, surface: str, label: str) -> str:
        labels = self.known.get(surface, ())
        if label in labels:
            return FAMILIARITIES[0]
        return FAMILIARITIES[1] if labels else FAMILIARITIES[2]


def _name_length(units: int) -> str:
    if units <= 5:
        return LENGTHS[max(units, 1) - 1]
    return LENGTHS[5] if units <= 10 else LENGTHS[6]


def _fold(surface: str) -> str:
    return " ".join(surface.casefold().split())
