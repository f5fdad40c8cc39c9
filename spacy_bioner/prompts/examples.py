"""Few-shot examples: annotated texts written as answers, the same for all documents or chosen for each."""

from itertools import islice
from typing import Dict, Iterable, List, Sequence, Tuple

from rapidfuzz import fuzz, process

from ..annotation import Annotation
from ..codecs.base import Codec
from ..errors import BionerError, Errors
from ..grounding.folding import fold_plain
from ..tokens import find_units

Example = Tuple[str, str]
# Shorter texts, such as headings, stand in many documents and give none away.
_TELLING_UNITS = 5


def write_examples(annotations: Iterable[Annotation], *, codec: Codec, labels: Sequence[str]) -> Tuple[Example, ...]:
    """Write annotated texts as few-shot examples, each proven against its codec.

    annotations (Iterable[Annotation]): Gold texts; those that name a split must be of "train".
    codec (Codec): The format of the answers.
    labels (Sequence[str]): The labels of the schema.
    RETURNS (Tuple[Example, ...]): (text, answer) pairs.
    RAISES BionerError: E009 for another split, E105 for a label outside the schema, E106 for what the codec cannot
        write or does not read back.
    """
    return tuple((annotation.text, _write_example(annotation, codec, labels)) for annotation in annotations)


def write_pool(annotations: Iterable[Annotation], *, codec: Codec,
               labels: Sequence[str]) -> Tuple[Tuple[Example, ...], Tuple[str, ...]]:
    """Write the texts that examples are chosen from; those that the codec cannot carry are left out.

    annotations (Iterable[Annotation]): Gold texts; those that name a split must be of "train".
    codec (Codec): The format of the answers.
    labels (Sequence[str]): The labels of the schema.
    RETURNS (Tuple[Tuple[Example, ...], Tuple[str, ...]]): (text, answer) pairs, and the ids of those left out.
    RAISES BionerError: E009 for another split, E105 for a label outside the schema, E107 where none is left.
    """
    written: List[Example] = []
    left_out: List[str] = []
    for annotation in annotations:
        answer, flaw = _encode(annotation, codec, labels)
        if flaw:
            left_out.append(annotation.id)
        else:
            written.append((annotation.text, answer))
    if left_out and not written:
        raise BionerError(Errors.E107.format(count=len(left_out), codec=codec.name, id=left_out[0]))
    return tuple(written), tuple(left_out)


def _write_example(annotation: Annotation, codec: Codec, labels: Sequence[str]) -> str:
    answer, flaw = _encode(annotation, codec, labels)
    if flaw:
        raise BionerError(Errors.E106.format(id=annotation.id, codec=codec.name, why=flaw))
    return answer


def _encode(annotation: Annotation, codec: Codec, labels: Sequence[str]) -> Tuple[str, str]:
    """Return the answer, and what keeps the codec from carrying it; nothing where it does."""
    split = annotation.meta.get("split", "train")
    if split != "train":
        raise BionerError(Errors.E009.format(id=annotation.id, found=split, wanted="train"))
    unknown = sorted({mention.label for mention in annotation.mentions} - set(labels))
    if unknown:
        raise BionerError(Errors.E105.format(id=annotation.id, label=unknown[0], known=", ".join(labels)))
    if codec.unwritable(annotation):
        return "", "cannot be written in it"
    answer = codec.encode(annotation, labels)
    reading = codec.decode(annotation.text, labels, answer)
    same = {mention.key for mention in reading.mentions} == {mention.key for mention in annotation.mentions}
    return answer, "" if same else "is not read back the same"


def gives_away(example: str, text: str) -> bool:
    """Say whether an example shows the answer of a text: it is the same, or one holds the other.

    example (str): Text of the example.
    text (str): The text to be annotated, a document or a part of one.
    RETURNS (bool): Whether it does, whatever case and spacing; a heading that stands in the other does not.
    """
    shorter, longer = sorted((example, text), key=lambda each: len(fold_plain(each)))
    if fold_plain(shorter) == fold_plain(longer):
        return True
    return len(find_units(shorter)) >= _TELLING_UNITS and fold_plain(shorter) in fold_plain(longer)


class ExampleChooser:
    """Chooses for each text the examples that share most words with it.

    examples (Sequence[Example]): (text, answer) pairs to choose from.
    count (int): How many to choose for a text.
    """

    def __init__(self, examples: Sequence[Example], *, count: int) -> None:
        self.count = count
        self._answers: Dict[str, str] = dict(examples)
        self._texts: List[str] = list(self._answers)

    def choose(self, text: str) -> Tuple[Example, ...]:
        """Choose examples for a text, the most similar one last, next to the text; never one that gives it away.

        text (str): The text to be annotated.
        RETURNS (Tuple[Example, ...]): (text, answer) pairs.
        """
        nearest = process.extract(text, self._texts, scorer=fuzz.token_set_ratio, limit=None)
        chosen = list(islice((found for found, _, _ in nearest if not gives_away(found, text)), self.count))
        return tuple((found, self._answers[found]) for found in reversed(chosen))

    @property
    def longest(self) -> Tuple[Example, ...]:
        """Return the longest examples: the most room that a choice can take."""
        by_length = sorted(self._answers.items(), key=lambda example: -sum(map(len, example)))
        return tuple(by_length[:self.count])
