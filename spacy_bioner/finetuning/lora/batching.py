"""The order in which pairs are trained on: corpora mixed at sentence level, languages alternated, lengths bucketed."""

import random
from collections import defaultdict
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from ..pairs import Pair


def mix(pairs: Sequence[Pair], *, seed: str, balance: bool = False) -> List[int]:
    """Shuffle pairs for one epoch.

    pairs (Sequence[Pair]): The pairs.
    seed (str): Seed of the epoch; the order depends on nothing else.
    balance (bool): Whether small corpora are repeated until each gives as many pairs as the largest.
    RETURNS (List[int]): Indices into the pairs. Languages alternate as evenly as their numbers allow.
    """
    chance = random.Random(seed)
    chosen = _repeat_small(pairs, chance) if balance else list(range(len(pairs)))
    shares = _group(chosen, lambda index: pairs[index].lang)
    placed = []
    for number, lang in enumerate(sorted(shares)):
        share = shares[lang]
        chance.shuffle(share)
        # The n-th of m pairs of a language stands at (n + 1/2) / m of the epoch, whatever m is.
        placed += [((place + 0.5) / len(share), number, index) for place, index in enumerate(share)]
    return [index for _, _, index in sorted(placed)]


def _repeat_small(pairs: Sequence[Pair], chance: random.Random) -> List[int]:
    corpora = _group(range(len(pairs)), lambda index: pairs[index].group)
    largest = max(map(len, corpora.values()))
    chosen: List[int] = []
    for name in sorted(corpora):
        share = corpora[name]
        copies, rest = divmod(largest, len(share))
        chosen += share * copies + chance.sample(share, rest)
    return chosen


def _group(indices: Sequence[int], key: Callable[[int], str]) -> Dict[str, List[int]]:
    groups: Dict[str, List[int]] = defaultdict(list)
    for index in indices:
        groups[key(index)].append(index)
    return groups


def _question(pair: Pair) -> Tuple[str, str, str]:
    return pair.group, pair.question, pair.lang


def _shortest_prompts(pairs: Sequence[Pair]) -> Dict[Tuple[str, str, str], int]:
    """Return for each question about the length of its instruction."""
    shortest: Dict[Tuple[str, str, str], int] = {}
    for pair in pairs:
        question = _question(pair)
        shortest[question] = min(len(pair.prompt), shortest.get(question, len(pair.prompt)))
    return shortest


def plan_updates(pairs: Sequence[Pair], *, batch_size: int, epoch: int, seed: int, window: int = 8,
                 balance: bool = False, one_question: bool = False) -> List[List[int]]:
    """Cut an epoch into updates of pairs of like length.

    pairs (Sequence[Pair]): The pairs.
    batch_size (int): Pairs of an update.
    epoch (int): Number of the epoch, from 0; each has its own order.
    seed (int): Random seed. The plan depends on these arguments only, so that a resumed run finds its place again.
    window (int): Updates within which pairs are sorted by length; 1 keeps the mixed order. What a pair has beyond the
        shortest prompt of its question counts: sorted by all of it, an update would hold the pairs of one corpus, whose
        instruction is the longer one, and languages would no longer alternate.
    balance (bool): See `mix`.
    one_question (bool): Whether the pairs of an update are of one corpus, language and question, which have one
        instruction; updates are mixed then, not pairs.
    RETURNS (List[List[int]]): Indices into the pairs, an update each.
    """
    name = f"{seed}/{epoch}"
    order = mix(pairs, seed=name, balance=balance)
    shares: Dict[Optional[Tuple[str, str, str]], List[int]] = defaultdict(list)
    for index in order:
        shares[_question(pairs[index]) if one_question else None].append(index)
    instructions = _shortest_prompts(pairs)
    own = [pair.length - instructions[_question(pair)] for pair in pairs]
    chance = random.Random(f"{name}/updates")
    updates = []
    for share in shares.values():
        for start in range(0, len(share), batch_size * window):
            part = sorted(share[start:start + batch_size * window], key=own.__getitem__)
            cut = [part[begin:begin + batch_size] for begin in range(0, len(part), batch_size)]
            chance.shuffle(cut)
            updates += cut
    if one_question:
        chance.shuffle(updates)
    return updates
