"""What every writer checks before it writes."""

from typing import List, Sequence

from ..annotation import Annotation, Mention
from ..errors import BionerError, Errors
from .base import Codec

# Labels that are tried in one answer.
_TRIED_TOGETHER = 20


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
    """Return a mention as messages name it, without document text."""
    return f"{mention.start}-{mention.end} ({mention.label})"


def check_readable(codec: Codec, labels: Sequence[str]) -> None:
    """Refuse labels that a format does not read back as it writes them.

    codec (Codec): The format.
    labels (Sequence[str]): The labels of the schema.
    RAISES BionerError: E116 for the first such label, for an empty one and for one that is given twice.
    """
    known = list(labels)
    for number, label in enumerate(known):
        if not label.strip() or label in known[:number]:
            raise BionerError(Errors.E116.format(label=label, codec=codec.name))
    for first in range(0, len(known), _TRIED_TOGETHER):
        group = known[first:first + _TRIED_TOGETHER]
        if not _reads_back(codec, group, group):
            wrong = [label for label in group if not _reads_back(codec, [label], group)]
            raise BionerError(Errors.E116.format(label=(wrong or group)[0], codec=codec.name))


def _reads_back(codec: Codec, marked: Sequence[str], labels: Sequence[str]) -> bool:
    """Return whether an answer with a mention of each of some labels is read as written, without an issue."""
    words: List[str] = [f"w{number}" for number in range(len(marked) + 1)]
    mentions, start = [], 0
    for word, label in zip(words, marked):
        mentions.append(Mention(start, start + len(word), label))
        start += len(word) + 1
    annotation = Annotation(" ".join(words)).with_mentions(mentions)
    if codec.unwritable(annotation):
        return False
    reading = codec.decode(annotation.text, labels, codec.encode(annotation, labels))
    return reading.mentions == annotation.mentions and not reading.issues
