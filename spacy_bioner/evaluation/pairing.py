"""Gold and predicted documents side by side: matched by id, on the same text."""

from dataclasses import dataclass
from typing import Dict, Iterable, List, Sequence, Tuple

from ..annotation import Annotation
from ..errors import BionerError, Errors


@dataclass(frozen=True)
class Pair:
    """One document, as it should be and as a system has it.

    gold (Annotation): With the true mentions.
    predicted (Annotation): With what the system found.
    """

    gold: Annotation
    predicted: Annotation


def pair_documents(gold: Sequence[Annotation], predicted: Iterable[Annotation], *,
                   system: str) -> Tuple[List[Pair], int]:
    """Match the documents of a system with those of gold.

    gold (Sequence[Annotation]): Documents with their true mentions.
    predicted (Iterable[Annotation]): Documents as a system has them, in any order.
    system (str): Its name, for messages.
    RETURNS (Tuple[List[Pair], int]): A pair for each gold document, in gold's order, and the number of predicted
        documents that gold does not have.
    RAISES BionerError: E601 where an id stands twice, E602 where a document is missing, E603 where a text differs.
    """
    truth = index_by_id(gold, source="gold")
    found = index_by_id(predicted, source=system)
    missing = [id_ for id_ in truth if id_ not in found]
    if missing:
        raise BionerError(Errors.E602.format(count=len(missing), total=len(truth), system=system, id=missing[0]))
    for id_, annotation in truth.items():
        if found[id_].text != annotation.text:
            place = _first_difference(annotation.text, found[id_].text)
            raise BionerError(Errors.E603.format(id=id_, system=system, place=place))
    return [Pair(annotation, found[id_]) for id_, annotation in truth.items()], len(found) - len(truth)


def number_documents(pairs: Sequence[Pair]) -> List[int]:
    """Number the documents that records are of: sentences of a document name it in `meta["document"]`.

    pairs (Sequence[Pair]): The records.
    RETURNS (List[int]): Number of the document of each, from 0 in the order of the first record.
    """
    numbers: Dict[str, int] = {}
    return [numbers.setdefault(str(pair.gold.meta.get("document") or pair.gold.id), len(numbers)) for pair in pairs]


def index_by_id(annotations: Iterable[Annotation], *, source: str) -> Dict[str, Annotation]:
    """Return the id to document, in order; raises E601 where an id stands twice."""
    index: Dict[str, Annotation] = {}
    for annotation in annotations:
        if annotation.id in index:
            raise BionerError(Errors.E601.format(id=annotation.id, source=source))
        index[annotation.id] = annotation
    return index


def _first_difference(first: str, second: str) -> int:
    """Return the first character at which two texts differ."""
    return next((place for place, (a, b) in enumerate(zip(first, second)) if a != b), min(len(first), len(second)))
