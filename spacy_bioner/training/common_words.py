"""Words that are known to be no mention.

Of a generated sentence only the names are known that it was asked for. What else it names is not marked, and would be
trained on as "no mention here". That is right for common words, not for rare ones: they may be names.
"""

from collections import Counter
from typing import Counter as CounterType
from typing import Dict, FrozenSet, Iterable, Iterator, Set, Tuple

from ..annotation import Annotation, Mention
from ..tokens import find_units

# Label of the regions; nothing reads it.
_LABEL = "doubtful"


def find_common_words(annotations: Iterable[Annotation], share: float) -> FrozenSet[str]:
    """Find the words that stand for no mention.

    annotations (Iterable[Annotation]): Records with their mentions.
    share (float): A word that stands outside of mentions in at most this share of the records is rare.
    RETURNS (FrozenSet[str]): The others, folded, but for those that stand inside of mentions in as many records.
    """
    outside: CounterType[str] = Counter()
    inside: CounterType[str] = Counter()
    total = 0
    for annotation in annotations:
        total += 1
        found: Dict[bool, Set[str]] = {True: set(), False: set()}
        for word, _, _, is_inside in _read_words(annotation):
            found[is_inside].add(word)
        inside.update(found[True])
        outside.update(found[False])
    return frozenset(word for word, count in outside.items() if count > max(share * total, inside[word]))


def find_doubtful_words(annotation: Annotation, common: FrozenSet[str]) -> Tuple[Mention, ...]:
    """Return the words outside of mentions that are not common, as regions."""
    return tuple(Mention(start, end, _LABEL) for word, start, end, is_inside in _read_words(annotation)
                 if not is_inside and word not in common)


def _read_words(annotation: Annotation) -> Iterator[Tuple[str, int, int, bool]]:
    """Yield word, folded, its place, and whether it stands inside of a mention; numbers
    and signs are no words."""
    covered = sorted((mention.start, mention.end) for mention in annotation.mentions)
    for start, end in find_units(annotation.text):
        word = annotation.text[start:end].casefold()
        if any(letter.isalpha() for letter in word):
            yield word, start, end, any(first < end and start < last for first, last in covered)
