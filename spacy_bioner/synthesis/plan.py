"""The plan: which seeds stand together in which sentence, written out so that a run can be resumed and enlarged."""

import random
from collections import Counter
from dataclasses import dataclass
from typing import Dict, Iterator, List, Sequence, Tuple

from ..errors import BionerError, Errors
from .seeds import Seed, fold_name


@dataclass(frozen=True)
class PlannedSentence:
    """The seeds of one sentence.

    id (str): Name of the sentence, the same in every plan made with the same seeds and seed.
    seeds (Tuple[Seed, ...]): One to three seeds, no two of the same name.
    sample (int): How many sentences before this one have the same seeds; each is sampled by itself.
    """

    id: str
    seeds: Tuple[Seed, ...]
    sample: int = 0


class _Deck:
    """Deals the seeds of a label in shuffled rounds, so that each is dealt about equally often."""

    def __init__(self, seeds: Sequence[Seed], chance: random.Random) -> None:
        self.seeds = sorted(seeds, key=lambda seed: seed.text)
        self.chance = chance
        self.rest: List[Seed] = []

    def deal(self, taken: Sequence[Seed]) -> Seed:
        """Return the next seed whose name is not taken yet, or the next one where all are taken."""
        names = {fold_name(seed.text) for seed in taken}
        if len(self.rest) < 2:
            fresh = list(self.seeds)
            self.chance.shuffle(fresh)
            self.rest = fresh + self.rest
        position = next((index for index in reversed(range(len(self.rest)))
                         if fold_name(self.rest[index].text) not in names), -1)
        return self.rest.pop(position)


def plan_sentences(seeds: Sequence[Seed], *, n: int, seed: int, max_seeds: int = 3) -> List[PlannedSentence]:
    """Choose the seeds of each sentence.

    Every sentence has a leading label, and the labels lead in turn, so each label gets an equal number of sentences;
    further seeds come from any label. The first sentences of a longer plan are those of a shorter one.
    Source: GENLLM, seeds are combined at random, one to three a sentence, types balanced.

    seeds (Sequence[Seed]): The seeds.
    n (int): Number of sentences.
    seed (int): Random seed.
    max_seeds (int): Largest number of seeds in a sentence.
    RETURNS (List[PlannedSentence]): The plan.
    RAISES BionerError: E407 without seeds.
    """
    if not seeds:
        raise BionerError(Errors.E407)
    planned = _deal_sentences(seeds, seed=seed, max_seeds=max_seeds)
    return [next(planned) for _ in range(n)]


def _deal_sentences(seeds: Sequence[Seed], *, seed: int, max_seeds: int) -> Iterator[PlannedSentence]:
    chance = random.Random(seed)
    labels = sorted({item.label for item in seeds})
    decks: Dict[str, _Deck] = {label: _Deck([item for item in seeds if item.label == label], chance)
                               for label in labels}
    names = len({fold_name(item.text) for item in seeds})
    before: Counter = Counter()
    number = 0
    while True:
        size = min(chance.randint(1, max_seeds), names)
        chosen: List[Seed] = [decks[labels[number % len(labels)]].deal([])]
        while len(chosen) < size:
            candidate = decks[chance.choice(labels)].deal(chosen)
            if fold_name(candidate.text) not in {fold_name(item.text) for item in chosen}:
                chosen.append(candidate)
            else:
                size -= 1
        chance.shuffle(chosen)
        yield PlannedSentence(f"generated-{seed}-{number:06d}", tuple(chosen), sample=before[tuple(chosen)])
        before[tuple(chosen)] += 1
        number += 1
