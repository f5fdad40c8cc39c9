"""Pairs of prompt and answer as token ids: all that scoring and training know of their task."""

import hashlib
from dataclasses import dataclass
from typing import Iterable, List, Optional, Sequence, Tuple

from ..errors import BionerError, Errors


@dataclass(frozen=True)
class Pair:
    """A prompt and the response that is trained on, or scored.

    prompt (Tuple[int, ...]): Token ids of the prompt; at least one.
    answer (Tuple[int, ...]): Token ids of the answer, with the token that ends it where that is to be learnt too.
    counted (Optional[Tuple[bool, ...]]): Which answer tokens the loss counts; None counts all.
    name (str): Id of the record, for messages.
    group (str): Corpus that it comes from, for mixing.
    lang (str): Language, for mixing.
    question (str): What is asked: pairs of one corpus and question have prompts that begin alike.
    """

    prompt: Tuple[int, ...]
    answer: Tuple[int, ...]
    counted: Optional[Tuple[bool, ...]] = None
    name: str = ""
    group: str = ""
    lang: str = ""
    question: str = ""

    @property
    def length(self) -> int:
        return len(self.prompt) + len(self.answer)

    @property
    def counted_places(self) -> List[int]:
        """Return indices of the answer tokens that count."""
        if self.counted is None:
            return list(range(len(self.answer)))
        return [place for place, counts in enumerate(self.counted) if counts]


def drop_long(pairs: Iterable[Pair], max_length: int) -> Tuple[List[Pair], List[Pair]]:
    """Part the pairs that fit from those over the length; nothing is ever cut.

    pairs (Iterable[Pair]): The pairs.
    max_length (int): Most tokens of prompt and answer together.
    RETURNS (Tuple[List[Pair], List[Pair]]): Those that fit, and those that do not.
    """
    fitting: List[Pair] = []
    long: List[Pair] = []
    for pair in pairs:
        (fitting if pair.length <= max_length else long).append(pair)
    return fitting, long


def check_pairs(pairs: Sequence[Pair]) -> None:
    """Refuse what cannot be learnt from: no pairs at all, an empty prompt, an answer without a counted token."""
    if not pairs:
        raise BionerError(Errors.E301)
    for pair in pairs:
        if not pair.prompt or not pair.counted_places:
            raise BionerError(Errors.E302.format(name=pair.name))


def hash_pairs(pairs: Iterable[Pair]) -> str:
    """Return a short hash of the token ids in their order."""
    digest = hashlib.sha256()
    for pair in pairs:
        digest.update(repr((pair.prompt, pair.answer, pair.counted)).encode("ascii"))
    return digest.hexdigest()[:16]
