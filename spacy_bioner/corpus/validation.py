"""Counts and oddities of a corpus, taken down while its records go by: what `convert` says and `inspect` shows."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import Dict, Iterator, List, Mapping, Sequence, Set, Tuple

from ..annotation import Annotation, Mention
from ..formats.parsing.problems import Problems
from ..tokens import find_units

# Kind of oddity: what it means. Nothing of it is an error by itself.
ODDITIES: Dict[str, str] = {
    "repeated_id": "id that an earlier record has",
    "no_id": "record without an id",
    "empty_text": "text without a visible character",
    "control_character": "text with control characters or replacement marks",
    "off_boundary": "mention that begins or ends inside a unit: no pipeline can find it",
    "punctuation_edge": "mention that begins or ends with a comma, semicolon, colon or hyphen",
    "unbalanced_bracket": "mention that holds one bracket of a pair",
    "long_mention": "mention of more than 30 units",
}
_LONG = 30
_CONTROL = {*map(chr, range(32)), "\x7f", "\ufffd"} - {"\t", "\n", "\r"}
_EDGES = ",;:"
_PAIRS = (("(", ")"), ("[", "]"), ("{", "}"), ("\uff08", "\uff09"), ("\u3010", "\u3011"), ("\u300a", "\u300b"))


@dataclass
class CorpusFigures:
    """What was counted.

    records (int): Records.
    without_mention (int): Records without a mention.
    units (int): Units of all texts.
    mentions (int): Mentions.
    nested (int): Mentions that lie inside a longer one.
    crossing (int): Pairs of mentions that overlap, neither inside the other.
    same_place (int): Mentions whose place has another label too.
    labels (Counter[str]): Mentions of each label.
    depths (Counter[int]): Mentions by how many others lie round them.
    mention_lengths (Counter[int]): Mentions by their length in units.
    text_lengths (Counter[int]): Records by the length of their text in units.
    surfaces (Dict[str, Counter[str]]): Folded surface to the labels that it has.
    meta (Dict[str, Counter[str]]): Values of origin, split, corpus, lang and unit.
    """

    records: int = 0
    without_mention: int = 0
    units: int = 0
    mentions: int = 0
    nested: int = 0
    crossing: int = 0
    same_place: int = 0
    labels: "Counter[str]" = field(default_factory=Counter)
    depths: "Counter[int]" = field(default_factory=Counter)
    mention_lengths: "Counter[int]" = field(default_factory=Counter)
    text_lengths: "Counter[int]" = field(default_factory=Counter)
    surfaces: "Dict[str, Counter[str]]" = field(default_factory=dict)
    meta: "Dict[str, Counter[str]]" = field(default_factory=dict)

    def add(self, annotation: Annotation) -> None:
        """Count a record."""
        units = find_units(annotation.text)
        mentions = annotation.mentions
        self.records += 1
        self.without_mention += not mentions
        self.units += len(units)
        self.text_lengths[len(units)] += 1
        self.mentions += len(mentions)
        starts = [start for start, _ in units]
        for mention, depth in zip(mentions, find_depths(mentions)):
            self.labels[mention.label] += 1
            self.depths[depth] += 1
            self.nested += depth > 0
            length = bisect_left(starts, mention.end) - bisect_left(starts, mention.start)
            self.mention_lengths[max(1, length)] += 1
            self.surfaces.setdefault(annotation.surface(mention).casefold(), Counter())[mention.label] += 1
        self.crossing += len(find_crossings(mentions))
        places = Counter((mention.start, mention.end) for mention in mentions)
        self.same_place += sum(count for count in places.values() if count > 1)
        for key in ("origin", "split", "corpus", "lang", "unit"):
            self.meta.setdefault(key, Counter())[str(annotation.meta.get(key, ""))] += 1

    def ambiguous(self) -> Dict[str, "Counter[str]"]:
        """Return the surfaces with several labels, the most frequent first."""
        several = ((surface, labels) for surface, labels in self.surfaces.items() if len(labels) > 1)
        return dict(sorted(several, key=lambda item: (-sum(item[1].values()), item[0])))


def find_depths(mentions: Sequence[Mention]) -> List[int]:
    """Count round each mention those that hold it and are longer.

    mentions (Sequence[Mention]): Of one text, in text order.
    RETURNS (List[int]): A number for each.
    """
    depths = []
    open_: List[Mention] = []
    for mention in mentions:
        open_ = [other for other in open_ if other.end > mention.start]
        around = {(other.start, other.end) for other in open_ if other.end >= mention.end}
        depths.append(len(around - {(mention.start, mention.end)}))
        open_.append(mention)
    return depths


def find_crossings(mentions: Sequence[Mention]) -> List[Tuple[Mention, Mention]]:
    """Return the pairs of one text, in text order, that cross."""
    found = []
    open_: List[Mention] = []
    for mention in mentions:
        open_ = [other for other in open_ if other.end > mention.start]
        found += [(other, mention) for other in open_ if other.crosses(mention)]
        open_.append(mention)
    return found


class OddityFinder:
    """Looks for what is legal, and yet often a fault of a corpus or of its conversion."""

    def __init__(self) -> None:
        self.found = Problems(fates=ODDITIES)
        self._ids: Set[str] = set()

    def look_at(self, annotation: Annotation, place: str = "") -> None:
        """Note the oddities of a record.

        annotation (Annotation): The record.
        place (str): What is put before its id.
        """
        name = f"{place} {annotation.id}".strip()
        if not annotation.id:
            self.found.add("no_id", name or annotation.text[:40])
        elif annotation.id in self._ids:
            self.found.add("repeated_id", name)
        self._ids.add(annotation.id)
        if not annotation.text.strip():
            self.found.add("empty_text", name)
        if not _CONTROL.isdisjoint(annotation.text):
            self.found.add("control_character", name)
        units = find_units(annotation.text)
        starts, ends = {start for start, _ in units}, {end for _, end in units}
        for mention in annotation.mentions:
            for kind in _odd(annotation.surface(mention)):
                self.found.add(kind, name, f"'{annotation.surface(mention)[:60]}'")
            if mention.start not in starts or mention.end not in ends:
                self.found.add("off_boundary", name, f"'{annotation.surface(mention)[:60]}'")


def _odd(surface: str) -> Iterator[str]:
    if surface[0] in _EDGES + "-" or surface[-1] in _EDGES:
        yield "punctuation_edge"
    if any(surface.count(open_) != surface.count(close) for open_, close in _PAIRS):
        yield "unbalanced_bracket"
    if len(surface) > _LONG and len(find_units(surface)) > _LONG:
        yield "long_mention"


def count_unseen(figures: CorpusFigures, train: Mapping[str, object]) -> int:
    """Return mentions whose surface, folded, is not among the surfaces of train."""
    return sum(sum(labels.values()) for surface, labels in figures.surfaces.items() if surface not in train)
