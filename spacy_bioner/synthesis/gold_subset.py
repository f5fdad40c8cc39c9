"""The gold sentences of a low-resource experiment: few, and fixed before anything is trained.

Dao et al. (GenLLM) describe the gold subset of a dictionary size by its mentions of each label, which is far fewer than
all sentences with the entities of the dictionary.
"""

import random
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import Any, Callable, Dict, List, Mapping, Sequence, Set, Tuple

from ..annotation import Annotation
from .seeds import Seed, collect_seeds, fold_name

Name = Tuple[str, str]


class Rule(str, Enum):
    """Which names a gold sentence may hold: one of the dictionary at least, or only those of the dictionary."""

    some = "some"
    only = "only"


@dataclass(frozen=True)
class GoldSubset:
    """A dictionary and the gold sentences that go with it.

    size (int): Names of each label, where there are so many.
    dictionary (Sequence[Seed]): The known entities.
    wanted (Dict[str, int]): Label to the number of mentions that were wanted.
    sentences (List[Annotation]): The gold sentences.
    """

    size: int
    dictionary: Sequence[Seed]
    wanted: Dict[str, int]
    sentences: List[Annotation]

    def card(self) -> Dict[str, Any]:
        """Return how many sentences and mentions of each label there are, beside what was wanted,
        and how many different names, in all and of the dictionary."""
        names = {name for sentence in self.sentences for name in names_of(sentence)}
        return {"size": self.size, "sentences": len(self.sentences), "mentions": count_labels(self.sentences),
                "wanted": self.wanted, "names": len(names), "known_names": len(names & _known(self.dictionary))}


def draw_subsets(sentences: Sequence[Annotation], sizes: Sequence[int],
                 count_wanted: Callable[[int, Sequence[Seed]], Dict[str, int]], *, seed: int,
                 rule: Rule = Rule.some) -> List[GoldSubset]:
    """Draw dictionaries and gold subsets of rising sizes, each a part of the next.

    sentences (Sequence[Annotation]): Gold sentences of the training set.
    sizes (Sequence[int]): Most frequent names of each label in a dictionary.
    count_wanted (Callable): Takes a size and its dictionary, and gives label to the number of mentions wanted.
    seed (int): Random seed of the order in which sentences are looked at.
    rule (Rule): Which names a gold sentence may hold.
    RETURNS (List[GoldSubset]): One for each size, in rising order.
    """
    drawn: List[GoldSubset] = []
    for size in sorted(set(sizes)):
        dictionary = collect_seeds(sentences, per_label=size).seeds
        wanted = count_wanted(size, dictionary)
        gold = choose_gold(sentences, dictionary, wanted, seed=seed, rule=rule,
                           smaller=drawn[-1].sentences if drawn else ())
        drawn.append(GoldSubset(size, dictionary, wanted, gold))
    return drawn


def choose_gold(sentences: Sequence[Annotation], dictionary: Sequence[Seed], targets: Mapping[str, int], *,
                seed: int, smaller: Sequence[Annotation] = (), rule: Rule = Rule.some) -> List[Annotation]:
    """Choose gold sentences by the mentions that they hold.

    sentences (Sequence[Annotation]): Gold sentences of the training set.
    dictionary (Sequence[Seed]): The known entities.
    targets (Mapping[str, int]): Label to the number of mentions that are wanted.
    seed (int): Random seed of the order in which sentences are looked at.
    smaller (Sequence[Annotation]): The subset of a smaller dictionary, which comes first.
    rule (Rule): Which names a chosen sentence may hold.
    RETURNS (List[Annotation]): The smaller subset, then sentences in that order; these make no label exceed its
        target, and where there are enough sentences each label reaches it.
    """
    known = _known(dictionary)
    order = list(sentences)
    random.Random(seed).shuffle(order)
    chosen: List[Annotation] = list(smaller)
    held: Counter = Counter(count_labels(chosen))
    taken = {sentence.id for sentence in chosen}
    for sentence in order:
        if sentence.id in taken:
            continue
        counts = Counter(mention.label for mention in sentence.mentions)
        names = names_of(sentence)
        fits = all(held[label] + count <= targets.get(label, 0) for label, count in counts.items())
        allowed = bool(names & known) if rule is Rule.some else bool(names) and names <= known
        if allowed and fits:
            chosen.append(sentence)
            held.update(counts)
    return chosen


def count_labels(sentences: Sequence[Annotation]) -> Dict[str, int]:
    """Return the label to number of mentions."""
    counts = Counter(mention.label for sentence in sentences for mention in sentence.mentions)
    return dict(sorted(counts.items()))


def names_of(sentence: Annotation) -> Set[Name]:
    """Return the names that a sentence holds, folded as those of dictionaries, with their labels."""
    return {(fold_name(sentence.surface(mention)), mention.label) for mention in sentence.mentions}


def _known(dictionary: Sequence[Seed]) -> Set[Name]:
    return {(fold_name(item.text), item.label) for item in dictionary}
