"""Folds: a set of records in parts, so that each part can be labelled by a model that has not seen it."""

import re
from dataclasses import dataclass
from hashlib import blake2b

from ..annotation import Annotation
from ..errors import BionerError, Errors


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
