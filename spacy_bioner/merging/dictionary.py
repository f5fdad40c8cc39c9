"""Names of a word list found in texts: the weakest of the annotators that are merged."""

import unicodedata
from collections import defaultdict
from typing import Dict, Iterable, Iterator, List, Set, Tuple

from ..annotation import Annotation, Mention
from ..tokens import find_units

# Shorter names are taken in the case that the list has: "WAS" is a gene, "was" is not.
_FOLDED_FROM = 5

Name = Tuple[str, ...]


class Dictionary:
    """A word list.

    names (Iterable[Tuple[str, str]]): Name and label; a name may have several labels.
    """

    def __init__(self, names: Iterable[Tuple[str, str]]) -> None:
        self._labels: Dict[Name, Set[str]] = defaultdict(set)
        lengths: Set[int] = set()
        for name, label in names:
            key = _key(name)
            self._labels[key].add(label)
            # A text may have the name as it stands in the list, or normalised: "Tylenol™" is two units or one.
            lengths.update((len(key), len(find_units(name))))
        self._lengths = sorted(lengths - {0}, reverse=True)

    def annotate(self, annotation: Annotation) -> Annotation:
        """Mark the names in a text, the longest at each place, from left to right, never inside a unit.

        annotation (Annotation): Its text is looked through, its mentions are dropped.
        RETURNS (Annotation): The text with the names; a name with several labels is marked with each.
        """
        return annotation.with_mentions(self._find(annotation.text))

    def _find(self, text: str) -> Iterator[Mention]:
        units = find_units(text)
        first = 0
        while first < len(units):
            length = next((length for length in self._lengths if first + length <= len(units)
                           and self._known(text, units[first:first + length])), 0)
            if length:
                start, end = units[first][0], units[first + length - 1][1]
                for label in sorted(self._labels[_key(text[start:end])]):
                    yield Mention(start, end, label)
            first += max(1, length)

    def _known(self, text: str, units: List[Tuple[int, int]]) -> bool:
        return _key(text[units[0][0]:units[-1][1]]) in self._labels


def _key(name: str) -> Name:
    """Return the units of a name; spacing never counts, case only in short ones."""
    name = unicodedata.normalize("NFKC", name)
    units = tuple(name[start:end] for start, end in find_units(name))
    return tuple(unit.casefold() for unit in units) if sum(map(len, units)) >= _FOLDED_FROM else units
