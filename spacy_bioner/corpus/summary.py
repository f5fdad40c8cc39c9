"""A corpus looked at as a whole: every part counted, compared with the others, and sampled."""

from dataclasses import dataclass, field
from typing import Dict, Iterable, List, Mapping, Sequence, Tuple

from ..annotation import Annotation
from ..formats.parsing.problems import Problems
from .sampling import draw_sample
from .shared_texts import NEAR_LIMIT, Shared, SharedTexts, find_near
from .validation import CorpusFigures, OddityFinder

_NEAR = 0.5


@dataclass
class Inspection:
    """What was seen.

    parts (Dict[str, CorpusFigures]): Counts of each part.
    oddities (Dict[str, Problems]): What is legal but odd, in each part.
    repeated (List[Shared]): Texts that a part has twice.
    shared (List[Shared]): What each two parts have in common.
    near (List[Tuple[str, str, str, str, float]]): Records of different parts that are nearly the same: part and id of
        both, and the part of the word trigrams that they share.
    near_sought (bool): Whether such records were looked for; in very large corpora they are not.
    unknown_labels (Dict[str, int]): Labels that the schema lacks, with their counts.
    examples (Dict[str, List[Annotation]]): A few records of each part.
    """

    parts: Dict[str, CorpusFigures] = field(default_factory=dict)
    oddities: Dict[str, Problems] = field(default_factory=dict)
    repeated: List[Shared] = field(default_factory=list)
    shared: List[Shared] = field(default_factory=list)
    near: List[Tuple[str, str, str, str, float]] = field(default_factory=list)
    near_sought: bool = True
    unknown_labels: Dict[str, int] = field(default_factory=dict)
    examples: Dict[str, List[Annotation]] = field(default_factory=dict)

    def labels(self) -> List[str]:
        """Return all labels, the most frequent first."""
        totals: Dict[str, int] = {}
        for figures in self.parts.values():
            for label, count in figures.labels.items():
                totals[label] = totals.get(label, 0) + count
        return sorted(totals, key=lambda label: (-totals[label], label))


def inspect_corpus(parts: Mapping[str, Iterable[Annotation]], *, labels: Iterable[str] = (), examples: int = 5,
                   seed: int = 0) -> Inspection:
    """Look at all parts of a corpus.

    parts (Mapping[str, Iterable[Annotation]]): Name of each part (train, dev, test) to its records.
    labels (Iterable[str]): The labels of the schema, where there is one.
    examples (int): How many records of each part are drawn as examples, those with mentions first.
    seed (int): Seed of the draw.
    RETURNS (Inspection): What was seen.
    """
    known = set(labels)
    found = Inspection()
    texts = SharedTexts()
    records: Dict[str, Sequence[Annotation]] = {}
    for name, annotations in parts.items():
        figures, oddities = CorpusFigures(), OddityFinder()
        records[name] = list(annotations)
        for annotation in records[name]:
            figures.add(annotation)
            oddities.look_at(annotation)
            texts.add(name, annotation)
        found.parts[name], found.oddities[name] = figures, oddities.found
        found.examples[name] = draw_examples(records[name], examples, seed=seed)
        for label, count in figures.labels.items():
            if known and label not in known:
                found.unknown_labels[label] = found.unknown_labels.get(label, 0) + count
    found.repeated = [shared for shared in texts.repeated() if shared]
    found.shared = list(texts.between())
    found.near_sought = sum(map(len, records.values())) <= NEAR_LIMIT
    if found.near_sought:
        found.near = find_near(records, max_share=_NEAR)
    return found


def draw_examples(annotations: Sequence[Annotation], number: int, *, seed: int) -> List[Annotation]:
    """Return records drawn by chance, in their order; one in five without a mention, if any."""
    with_mentions = [annotation for annotation in annotations if annotation.mentions]
    without = [annotation for annotation in annotations if not annotation.mentions]
    bare = min(len(without), max(number // 5, number - len(with_mentions)))
    return [*draw_sample(with_mentions, number - bare, seed=seed), *draw_sample(without, bare, seed=seed)]
