"""Counts of right, wrong and missed mentions of one document, by label; nested, crossing and multi-label alike.

Each measure compares two sets, so neither the order of the mentions nor a repeated one (the same start, end and label)
changes a count: what is said twice counts once, in gold and in a prediction.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, List, Mapping, Set, Tuple

from ..annotation import Annotation, Mention

# Label of the counts of a measure that does not look at labels.
ANY = "*"


@dataclass(frozen=True)
class Counts:
    """How often a system was right and wrong.

    tp (int): Predicted and in gold.
    fp (int): Predicted, not in gold.
    fn (int): In gold, not predicted.
    """

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)

    @property
    def precision(self) -> float:
        """Return the share of the predicted that is right, 0 where nothing was predicted."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else 0.0

    @property
    def recall(self) -> float:
        """Return the share of gold that was found, 0 where there is no gold."""
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else 0.0

    @property
    def f1(self) -> float:
        """Return the harmonic mean of precision and recall, 0 where there is nothing to count."""
        total = 2 * self.tp + self.fp + self.fn
        return 2 * self.tp / total if total else 0.0


LabelCounts = Dict[str, Counts]
Measure = Callable[[Annotation, Annotation], LabelCounts]


def count_strict(gold: Annotation, predicted: Annotation) -> LabelCounts:
    """Count mentions whose start, end and label are all right.

    gold (Annotation): The text with its true mentions.
    predicted (Annotation): The same text with what a system found.
    RETURNS (LabelCounts): Counts of each label that occurs in either.
    """
    return compare_sets({mention.key for mention in gold.mentions},
                        {mention.key for mention in predicted.mentions}, label_of=lambda key: key[2])


def count_boundaries(gold: Annotation, predicted: Annotation) -> LabelCounts:
    """Count places (start and end) whatever their label; a place with two labels is one place.

    gold (Annotation): The text with its true mentions.
    predicted (Annotation): The same text with what a system found.
    RETURNS (LabelCounts): Counts under the one key ANY.
    """
    return compare_sets({mention.key[:2] for mention in gold.mentions},
                        {mention.key[:2] for mention in predicted.mentions}, label_of=lambda _: ANY)


def count_strings(gold: Annotation, predicted: Annotation) -> LabelCounts:
    """Count the distinct pairs of label and surface of a document, wherever and however often they stand in it.

    gold (Annotation): The text with its true mentions.
    predicted (Annotation): The same text with what a system found.
    RETURNS (LabelCounts): Counts of each label that occurs in either.
    """
    return compare_sets({(mention.label, gold.surface(mention)) for mention in gold.mentions},
                        {(mention.label, predicted.surface(mention)) for mention in predicted.mentions},
                        label_of=lambda key: key[0])


def count_overlaps(gold: Annotation, predicted: Annotation) -> LabelCounts:
    """Count mentions that share a character with one of the same label, each paired with at most one other.

    Of all such pairings the one with the most pairs counts.

    gold (Annotation): The text with its true mentions.
    predicted (Annotation): The same text with what a system found.
    RETURNS (LabelCounts): Counts of each label that occurs in either.
    """
    gold_places, predicted_places = _places_by_label(gold.mentions), _places_by_label(predicted.mentions)
    counts = {}
    for label in sorted({*gold_places, *predicted_places}):
        wanted, found = gold_places.get(label, set()), predicted_places.get(label, set())
        pairs = _pair_overlapping(wanted, found)
        counts[label] = Counts(tp=pairs, fp=len(found) - pairs, fn=len(wanted) - pairs)
    return counts


def compare_sets(gold: Set[Any], predicted: Set[Any], *, label_of: Callable[[Any], str]) -> LabelCounts:
    """Count how far two sets agree.

    gold (Set[Any]): What there is.
    predicted (Set[Any]): What was found.
    label_of (Callable[[Any], str]): Gives each member the label that it is counted under.
    RETURNS (LabelCounts): Counts of each label that occurs in either.
    """
    tallies: Dict[str, List[int]] = defaultdict(lambda: [0, 0, 0])
    for position, members in enumerate((gold & predicted, predicted - gold, gold - predicted)):
        for member in members:
            tallies[label_of(member)][position] += 1
    return {label: Counts(*tallies[label]) for label in sorted(tallies)}


# What is counted under which name in a metrics file.
MEASURES: Mapping[str, Measure] = {
    "strict": count_strict,
    "boundary": count_boundaries,
    "overlap": count_overlaps,
    "strings": count_strings,
}


def add_up(documents: Iterable[LabelCounts]) -> LabelCounts:
    """Add the counts of documents, label by label.

    documents (Iterable[LabelCounts]): Counts of each document.
    RETURNS (LabelCounts): Their sums, labels in alphabetical order.
    """
    sums: Dict[str, Counts] = defaultdict(Counts)
    for document in documents:
        for label, counts in document.items():
            sums[label] += counts
    return {label: sums[label] for label in sorted(sums)}


def micro(counts: LabelCounts) -> Counts:
    """Return the counts of all labels together, from which micro precision, recall and F1 follow."""
    return sum(counts.values(), Counts())


def macro(counts: LabelCounts) -> Tuple[float, float, float]:
    """Mean precision, recall and F1 over the labels that occur in gold or in the prediction.

    counts (LabelCounts): Counts of each label.
    RETURNS (Tuple[float, float, float]): The three means; F1 is the mean of the labels' F1. 0 without labels.
    """
    occurring = [each for each in counts.values() if each != Counts()]
    if not occurring:
        return 0.0, 0.0, 0.0
    return (sum(each.precision for each in occurring) / len(occurring),
            sum(each.recall for each in occurring) / len(occurring),
            sum(each.f1 for each in occurring) / len(occurring))


def _places_by_label(mentions: Iterable[Mention]) -> Dict[str, Set[Tuple[int, int]]]:
    places: Dict[str, Set[Tuple[int, int]]] = defaultdict(set)
    for mention in mentions:
        places[mention.label].add((mention.start, mention.end))
    return places


def _pair_overlapping(first: Set[Tuple[int, int]], second: Set[Tuple[int, int]]) -> int:
    """Most pairs of overlapping intervals, one of either set, no interval in two pairs.

    The interval that ends first of all meets only intervals that hold its last character. Of these the one that ends
    first meets no interval that the others would not meet too, so giving it away is never worse.

    first (Set[Tuple[int, int]]): Starts and ends.
    second (Set[Tuple[int, int]]): Starts and ends.
    RETURNS (int): The number of pairs.
    """
    waiting = [sorted(first, key=lambda place: place[1]), sorted(second, key=lambda place: place[1])]
    pairs = 0
    while all(waiting):
        side = 0 if waiting[0][0][1] <= waiting[1][0][1] else 1
        _, end = waiting[side].pop(0)
        partner = next((index for index, (start, _) in enumerate(waiting[1 - side]) if start < end), None)
        if partner is not None:
            waiting[1 - side].pop(partner)
            pairs += 1
    return pairs
