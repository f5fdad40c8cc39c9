"""Silver annotation made ready for training: what takes the place of missing dev and test sets, which spans are kept.

Without gold, a part of the annotated sentences is held out. Thresholds chosen on it, and scores measured on it, say how
well a student agrees with its teacher, not how often either is right.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Dict, List, Mapping, Sequence, Tuple

import numpy

from ..annotation import Annotation, Mention
from ..corpus.importing import divide
from ..ml.calibration import best_threshold

HELD_OUT = ("dev", "test")
# Of fewer documents, sentences are divided instead.
_LEAST_DOCUMENTS = 20
# With fewer gold mentions in dev a label takes the threshold of all labels together.
_LEAST_GOLD = 40
_ANY = "*"


@dataclass(frozen=True)
class Chosen:
    """Silver records with the spans that are kept.

    kept (List[Annotation]): All records, with the spans that are kept.
    rejected (List[Annotation]): Those that lost spans, with these.
    counts (Dict[str, Counter]): Label to "given" and "dropped".
    """

    kept: List[Annotation] = field(default_factory=list)
    rejected: List[Annotation] = field(default_factory=list)
    counts: Dict[str, Counter] = field(default_factory=dict)


def hold_out(silver: Sequence[Annotation], missing: Sequence[str], *, seed: int) -> Dict[str, List[Annotation]]:
    """Divide annotated sentences into training records and the sets that there is no gold for.

    silver (Sequence[Annotation]): Annotated sentences, each text once. With 20 documents or more, all sentences of a
        document are in one part.
    missing (Sequence[str]): "dev", "test", both or none.
    seed (int): Random seed of the division.
    RETURNS (Dict[str, List[Annotation]]): train and the missing sets, of that split, in the given order.
    RAISES BionerError: E044 where there are too few sentences.
    """
    documents = {record.meta.get("document", record.id) for record in silver}
    apart = silver if len(documents) >= _LEAST_DOCUMENTS else [
        replace(record, meta={key: value for key, value in record.meta.items() if key != "document"})
        for record in silver]
    part_of = {record.id: part for part, records in divide(apart, missing, seed=seed).items() for record in records}
    parts: Dict[str, List[Annotation]] = {part: [] for part in ("train", *missing)}
    for record in silver:
        parts[part_of[record.id]].append(record.with_meta(split=part_of[record.id]))
    return parts


def choose_least_scores(gold: Sequence[Annotation], found: Sequence[Annotation]) -> Dict[str, float]:
    """Choose the score below which spans of a teacher are dropped, for the best strict F1 on gold.

    gold (Sequence[Annotation]): The development set.
    found (Sequence[Annotation]): The same texts as the teacher annotated them, matched by id.
    RETURNS (Dict[str, float]): Least score by label, "*" for labels with fewer than 40 gold mentions; empty where the
        teacher gives no scores or there is no gold.
    """
    true = {record.id: {mention.key for mention in record.mentions} for record in gold}
    judged: List[Tuple[str, float, bool]] = [
        (mention.label, mention.score, mention.key in true[record.id])
        for record in found if record.id in true for mention in record.mentions if mention.score is not None]
    if not judged:
        return {}
    counts = Counter(mention.label for record in gold for mention in record.mentions)
    least = {_ANY: _best(judged, counts.total())}
    for label, count in sorted(counts.items()):
        if count >= _LEAST_GOLD and len(counts) > 1:
            least[label] = _best([one for one in judged if one[0] == label], count)
    return least


def _best(judged: Sequence[Tuple[str, float, bool]], gold: int) -> float:
    scores, valid = (numpy.asarray([one[place] for one in judged]) for place in (1, 2))
    # Spans that the teacher did not give are not known, so a cut below all of them keeps all.
    # Not rounded: scores of a sure teacher differ in the last digits.
    return float(best_threshold(scores, valid.astype(bool), gold, default=0.0)[0])


def choose_spans(silver: Sequence[Annotation], least: Mapping[str, float]) -> Chosen:
    """Keep the spans that score high enough; those without a score are kept.

    silver (Sequence[Annotation]): Annotated records.
    least (Mapping[str, float]): What `choose_least_scores` gives; empty keeps all.
    RETURNS (Chosen): What is kept and what is not.
    """
    chosen = Chosen()
    for record in silver:
        dropped = [mention for mention in record.mentions if _is_below(mention, least)]
        for mention in record.mentions:
            chosen.counts.setdefault(mention.label, Counter())["given"] += 1
        for mention in dropped:
            chosen.counts[mention.label]["dropped"] += 1
        chosen.kept.append(record.with_mentions(mention for mention in record.mentions if mention not in dropped))
        if dropped:
            chosen.rejected.append(record.with_mentions(dropped))
    return chosen


def _is_below(mention: Mention, least: Mapping[str, float]) -> bool:
    return mention.score is not None and mention.score < least.get(mention.label, least.get(_ANY, 0.0))
