"""A seeded sample that is the same whatever the order, and a part of every larger one with the same seed."""

import heapq
from hashlib import blake2b
from typing import Iterable, List, Tuple

from ..annotation import Annotation


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
