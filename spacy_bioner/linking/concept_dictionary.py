"""Names of concepts, and the concepts that a name may mean: by equality of several kinds, then by similarity."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from .abbreviations import expand
from .name_forms import as_written, bag_of_words, folded, split_coordination
from .similar_names import SimilarNames

Ids = Tuple[str, ...]
# How sure a kind of match is at most; what a name means besides is counted off.
_LEVELS = (("exact", as_written, 1.0), ("folded", folded, 0.98), ("words", bag_of_words, 0.95))
_PARTS, _SIMILAR = 0.9, 0.9
_SIMILAR_NAMES = 10


@dataclass(frozen=True)
class ConceptName:
    """A name of a concept.

    name (str): The name.
    ids (Tuple[str, ...]): Identifiers with their vocabulary; several where the name is composite.
    label (str): Label of mentions that it may stand in; empty for any.
    count (int): How often it was met; 1 for ontologies.
    """

    name: str
    ids: Ids
    label: str = ""
    count: int = 1


@dataclass(frozen=True)
class Link:
    """What a mention may mean.

    ids (Tuple[str, ...]): Identifiers.
    score (float): From 0 to 1: how near the name is, times the share of this meaning among those of the name.
    how (str): exact, folded, words, parts (of a coordination) or similar.
    """

    ids: Ids
    score: float
    how: str


class ConceptDictionary:
    """Finds concepts by names.

    names (Iterable[ConceptName]): The names; the same name may be given often, its counts are added.
    """

    def __init__(self, names: Iterable[ConceptName] = ()) -> None:
        counted: Dict[Tuple[str, Ids, str], int] = defaultdict(int)
        for one in names:
            if one.ids and as_written(one.name):
                counted[as_written(one.name), one.ids, one.label] += one.count
        self.names = [ConceptName(name, ids, label, count) for (name, ids, label), count in counted.items()]
        self._labels = {one.label.casefold() for one in self.names}
        self._tables: Dict[str, Dict[Tuple[str, str], Dict[Ids, int]]] = {how: {} for how, *_ in _LEVELS}
        for one in self.names:
            for how, form, _ in _LEVELS:
                meanings = self._tables[how].setdefault((form(one.name), one.label.casefold()), {})
                meanings[one.ids] = meanings.get(one.ids, 0) + one.count
        self._similar: Dict[str, Tuple[List[str], SimilarNames]] = {}
        for label in sorted(self._labels):
            forms = list(dict.fromkeys(as_written(one.name) for one in self.names if one.label.casefold() == label))
            self._similar[label] = forms, SimilarNames(forms)

    def __len__(self) -> int:
        return len(self.names)

    def find(self, name: str, label: str = "", *, abbreviations: Optional[Mapping[str, str]] = None,
             most: int = 5) -> List[Link]:
        """Find what a mention may mean.

        name (str): Its text.
        label (str): Its label; names of other labels are passed over, unless the dictionary does not know the label.
        abbreviations (Optional[Mapping[str, str]]): Short form to long form, of the document.
        most (int): How many meanings to return.
        RETURNS (List[Link]): The meanings, the likeliest first.
        """
        long = expand(name, dict(abbreviations or {}))
        forms = [long, name] if long != name else [name]
        labels = self._searched(label)
        for form in forms:
            found = self._equal(form, labels) or self._parts(form, labels)
            if found:
                return found[:most]
        return self._alike(forms, labels)[:most]

    def _searched(self, label: str) -> Sequence[str]:
        key = label.casefold()
        return [one for one in (key, "") if one in self._labels] if key in self._labels else sorted(self._labels)

    def _equal(self, name: str, labels: Sequence[str]) -> List[Link]:
        """Return the meanings of a name by the closest kind of equality that gives any."""
        for how, form, sure in _LEVELS:
            key = form(name)
            meanings: Dict[Ids, int] = defaultdict(int)
            for label in labels if key else ():
                for ids, count in self._tables[how].get((key, label), {}).items():
                    meanings[ids] += count
            if meanings:
                total = sum(meanings.values())
                return _ranked(Link(ids, sure * count / total, how) for ids, count in meanings.items())
        return []

    def _parts(self, name: str, labels: Sequence[str]) -> List[Link]:
        """Return the concepts of a coordination of which each part is known."""
        for reading in split_coordination(name):
            found = [self._equal(part, labels) for part in reading]
            if all(found):
                ids = tuple(dict.fromkeys(id for links in found for id in links[0].ids))
                return [Link(ids, _PARTS * min(links[0].score for links in found), "parts")]
        return []

    def _alike(self, forms: Sequence[str], labels: Sequence[str]) -> List[Link]:
        best: Dict[Ids, Link] = {}
        for form in forms:
            for label in labels:
                known, index = self._similar[label]
                for place, similarity in index.find(form, most=_SIMILAR_NAMES):
                    for link in self._equal(known[place], [label]):
                        score = _SIMILAR * similarity * link.score
                        if link.ids not in best or score > best[link.ids].score:
                            best[link.ids] = Link(link.ids, score, "similar")
        return _ranked(best.values())


def _ranked(links: Iterable[Link]) -> List[Link]:
    return sorted(links, key=lambda link: (-link.score, link.ids))
