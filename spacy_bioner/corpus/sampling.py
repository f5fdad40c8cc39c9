"""Which records are taken: a seeded sample, a fold, a split.

A sample is the same whatever the order, and a part of every larger one with the same seed. Folds are for records that
are labelled by a model that has not seen them. What is tested on must not be taken for train.
"""

import heapq
import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Iterable, List, Tuple

from ..annotation import Annotation
from ..errors import BionerError, Errors


def draw_sample(annotations: Iterable[Annotation], limit: int, *, seed: int) -> List[Annotation]:
    """Draw annotations; only as many as are drawn are held in memory.

    annotations (Iterable[Annotation]): What to draw from.
    limit (int): How many to draw; all where there are no more.
    seed (int): Another seed draws another sample.
    RETURNS (List[Annotation]): The drawn ones, in their order.
    """
    drawn: List[Tuple[int, int, Annotation]] = []
    for place, annotation in enumerate(annotations):
        entry = (-_priority(annotation, seed), -place, annotation)
        if len(drawn) < limit:
            heapq.heappush(drawn, entry)
        elif drawn and entry[:2] > drawn[0][:2]:
            heapq.heapreplace(drawn, entry)
    return [annotation for _, _, annotation in sorted(drawn, key=lambda entry: -entry[1])]


def _priority(annotation: Annotation, seed: int) -> int:
    name = f"{seed}\t{annotation.id}\t{annotation.text}".encode("utf8", "surrogatepass")
    return int.from_bytes(blake2b(name, digest_size=8).digest(), "big")


@dataclass(frozen=True)
class Fold:
    """One part of several. The sentences of a document are in one fold, whatever the order of the records.

    number (int): Which one, counted from 1.
    count (int): How many there are, at least 2.
    """

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> "Fold":
        """Return the fold from "1/3", the first of three; raises BionerError E029 for anything else."""
        match = re.fullmatch(r"(\d+)/(\d+)", text)
        fold = cls(int(match[1]), int(match[2])) if match else cls(0, 0)
        if not 1 <= fold.number <= fold.count or fold.count < 2:
            raise BionerError(Errors.E029.format(found=text))
        return fold

    def holds(self, annotation: Annotation, *, seed: int) -> bool:
        """Tell whether a record is of this fold.

        annotation (Annotation): A record: a document, or a sentence that names its document in its metadata.
        seed (int): Another seed makes other folds.
        RETURNS (bool): Whether it is. Folds are of about the same size, not exactly.
        """
        document = annotation.meta.get("document") or annotation.id or annotation.text
        name = f"{seed}\t{document}".encode("utf8", "surrogatepass")
        return int.from_bytes(blake2b(name, digest_size=8).digest(), "big") % self.count == self.number - 1


def check_split(annotation: Annotation, wanted: str) -> None:
    """Refuse a record that says that it is of another split.

    annotation (Annotation): The record; without the key, with null or with "" it says none, and is taken.
    wanted (str): The split, such as "train"; empty for any.
    RAISES BionerError: E009 for another split.
    """
    found = annotation.meta.get("split")
    if wanted and found not in (None, "", wanted):
        raise BionerError(Errors.E009.format(id=annotation.id, found=found, wanted=wanted))
