"""The gold sentences of a low-resource experiment: few, and fixed before anything is trained.

Source: GENLLM describes the gold subset of a dictionary size by its mentions of each label, which is far
fewer than all sentences with the entities of the dictionary.
"""

import random
from collections import Counter
from typing import Dict, List, Mapping, Sequence, Set, Tuple

from ..annotation import Annotation
from .seeds import Seed, fold_name


def choose_gold(sentences: Sequence[Annotation], dictionary: Sequence[Seed], targets: Mapping[str, int], *,
                seed: int, smaller: Sequence[Annotation] = ()) -> List[Annotation]:
    """Choose gold sentences by the mentions that they hold.

    sentences (Sequence[Annotation]): Gold sentences of train.
    dictionary (Sequence[Seed]): The known entities; each chosen sentence holds one of them at least.
    targets (Mapping[str, int]): Label to the number of mentions that are wanted.
    seed (int): Random seed of the order in which sentences are looked at.
    smaller (Sequence[Annotation]): The subset of a smaller dictionary, which comes first: so the subsets of rising
        sizes hold each other.
    RETURNS (List[Annotation]): The smaller subset, then sentences in that order; these make no label exceed its
        target, and where there are enough sentences each label reaches it.
    """
    known: Set[Tuple[str, str]] = {(fold_name(item.text), item.label) for item in dictionary}
    order = list(sentences)
    random.Random(seed).shuffle(order)
    chosen: List[Annotation] = list(smaller)
    held: Counter = Counter(count_labels(chosen))
    taken = {sentence.id for sentence in chosen}
    for sentence in order:
        if sentence.id in taken:
            continue
        counts = Counter(mention.label for mention in sentence.mentions)
        names = {(fold_name(sentence.surface(mention)), mention.label) for mention in sentence.mentions}
        fits = all(held[label] + count <= targets.get(label, 0) for label, count in counts.items())
        if names & known and fits:
            chosen.append(sentence)
            held.update(counts)
    return chosen


def count_labels(sentences: Sequence[Annotation]) -> Dict[str, int]:
    """RETURNS (Dict[str, int]): Label to number of mentions."""
    counts = Counter(mention.label for sentence in sentences for mention in sentence.mentions)
    return dict(sorted(counts.items()))
