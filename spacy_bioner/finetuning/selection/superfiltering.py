"""Which gold records to train on: hybrid superfiltering, and what it is compared with."""

import math
import random
from collections import Counter
from dataclasses import dataclass
from typing import Callable, Collection, Dict, List, Optional, Sequence, Tuple

from ...annotation import Annotation
from ...errors import BionerError, Errors

STRATEGIES = ("hybrid", "all", "random", "ifd_all", "lowest")
# Of these alone there is a ranking to choose the top of.
_RANKED = ("hybrid", "ifd_all", "lowest")
# Chooses so many of the given indices; the best first where they have an order.
Diversify = Callable[[Sequence[int], int], List[int]]


@dataclass(frozen=True)
class Selection:
    """What was chosen.

    chosen (Tuple[int, ...]): Indices into the records, in their order.
    dropped (Dict[int, str]): Index to the reason: "too_long", "high_ifd", "rank", "negative", "not_drawn".
    """

    chosen: Tuple[int, ...]
    dropped: Dict[int, str]


def ranks_negatives(strategy: str) -> bool:
    """Return whether the scores of records without a mention count."""
    return strategy == "ifd_all"


def select_records(records: Sequence[Annotation], ifd: Sequence[Optional[float]], *, too_long: Collection[int] = (),
                   strategy: str = "hybrid", keep_ratio: float = 0.5, max_ifd: float = 1.0, negatives: bool = True,
                   seed: int = 0, diversify: Optional[Diversify] = None, pool: float = 2.0) -> Selection:
    """Choose records to train on.

    records (Sequence[Annotation]): Gold records.
    ifd (Sequence[Optional[float]]): Their scores; None for a record that is too long, and for a negative whose score
        does not count, see `ranks_negatives`.
    too_long (Collection[int]): Indices of the records that are too long to be scored.
    strategy (str): "hybrid" keeps the positives (records with a mention) of the highest IFD below `max_ifd`, and all
        negatives; "lowest" those of the lowest; "random" draws as many positives as hybrid keeps; "ifd_all" ranks
        negatives among positives; "all" takes everything that fits.
    keep_ratio (float): Share of the records that survive `max_ifd`, not of all.
    max_ifd (float): Records with this score or a higher one are dropped.
    negatives (bool): Whether records without a mention are kept.
    seed (int): Seed of the random draw.
    diversify (Optional[Diversify]): Chooses among the first of the ranking instead of taking the very first.
    pool (float): Among how many it chooses, as a multiple of how many it takes.
    RETURNS (Selection): What was chosen, and why the rest was not.
    RAISES BionerError: E306 where nothing is left, E310 for a strategy without a ranking to diversify.
    """
    if diversify is not None:
        check_diversity(strategy)
    dropped = dict.fromkeys(too_long, "too_long")
    scores = {index: score for index, score in enumerate(ifd) if score is not None}
    positives = [index for index, record in enumerate(records) if record.mentions and index not in dropped]
    empty = [index for index, record in enumerate(records) if not record.mentions and index not in dropped]
    if not negatives:
        dropped.update(dict.fromkeys(empty, "negative"))
        empty = []
    if strategy == "all":
        kept = positives + empty
    else:
        ranked, rest = (positives + empty, []) if ranks_negatives(strategy) else (positives, empty)
        survivors = [index for index in ranked if scores[index] < max_ifd]
        count = _round_up(keep_ratio * len(survivors))
        if strategy == "random":
            best = random.Random(seed).sample(ranked, count)
            dropped.update(dict.fromkeys(ranked, "not_drawn"))
        else:
            dropped.update({index: "rank" if scores[index] < max_ifd else "high_ifd" for index in ranked})
            sign = 1 if strategy == "lowest" else -1
            order = sorted(survivors, key=lambda index: (sign * scores[index], index))
            best = order[:count] if diversify is None else diversify(order[:_round_up(pool * count)], count)
        kept = best + rest
        # Sentences without a mention alone would train the model to find none.
        if ranked and not best:
            kept = []
    for index in kept:
        dropped.pop(index, None)
    if not kept:
        raise BionerError(Errors.E306.format(strategy=strategy, total=len(records), reasons=_count_reasons(dropped)))
    return Selection(tuple(sorted(kept)), dropped)


def check_diversity(strategy: str) -> None:
    """Refuse diversity where there is no ranking to diversify; raises BionerError E310."""
    if strategy not in _RANKED:
        raise BionerError(Errors.E310.format(strategy=strategy, known=", ".join(_RANKED)))


def _round_up(number: float) -> int:
    """Return the next whole number; what floats add to 0.55 * 100 does not count."""
    return math.ceil(round(number, 6))


def _count_reasons(dropped: Dict[int, str]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in sorted(Counter(dropped.values()).items())) or "no record"


def tabulate(records: Sequence[Annotation], selection: Selection) -> Dict[str, Dict[str, int]]:
    """Count what became of the records, in all and by label.

    records (Sequence[Annotation]): The records that were chosen from.
    selection (Selection): What was chosen.
    RETURNS (Dict[str, Dict[str, int]]): "all", "without mentions" and each label, to numbers of records by fate
        ("chosen" or the reason); a record counts under each of its labels.
    """
    table: Dict[str, Counter] = {"all": Counter()}
    for index, record in enumerate(records):
        fate = selection.dropped.get(index, "chosen")
        names = sorted({mention.label for mention in record.mentions}) or ["without mentions"]
        for name in ["all", *names]:
            table.setdefault(name, Counter())[fate] += 1
    return {name: dict(sorted(counts.items())) for name, counts in table.items()}
