"""How far each annotator is right, and what that makes a candidate span: a probability in place of a precedence.

Each annotator answers for each candidate span of a text that it has read: it lacks the span, is unsure of it, or is
sure of it (its score is below, or at least, the median of its scores). Annotators err independently of each other,
given whether the span is correct (Dawid and Skene, 1979, doi:10.2307/2346806). On gold the answers are counted, among
the spans that some annotator has. Without gold they are estimated from agreement, by expectation maximisation; there
the places that no annotator has a span at count too, for without them chance agreement could not be told.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from math import exp, log, sqrt
from statistics import median
from typing import Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from ..annotation import Annotation, Mention

LACKS, UNSURE, SURE = range(3)
# Of each answer as many are taken to be seen before any is, so that no probability is 0 or 1.
_SEEN_BEFORE = 0.5
# Weight of the independent model against the counts of a pattern of answers, in candidates.
_TRUST = 8.0
_ROUNDS = 60
# Quantile of the normal distribution for intervals of 95%.
_Z = 1.959964

Key = Tuple[int, int, str]
# Answer of each annotator by name; one that has not read the text has none.
Answers = Tuple[Tuple[str, int], ...]


@dataclass(frozen=True)
class Candidate:
    """A span that some annotator has.

    id (str): Its record.
    key (Tuple[int, int, str]): Start, end and label.
    answers (Answers): What each annotator says of it.
    """

    id: str
    key: Key
    answers: Answers

    @property
    def label(self) -> str:
        return self.key[2]


@dataclass
class LabelModel:
    """What the answers for a label mean.

    correct (float): Share of its candidates that are correct.
    answers (Dict[Tuple[str, bool, int], float]): Annotator, whether the span is correct, and answer, to its
        probability.
    patterns (Dict[Answers, Tuple[int, int]]): Answers of all annotators, to candidates and correct ones on gold.
    """

    correct: float
    answers: Dict[Tuple[str, bool, int], float] = field(default_factory=dict)
    patterns: Dict[Answers, Tuple[int, int]] = field(default_factory=dict)

    def probability(self, answers: Answers) -> float:
        """Return the probability that a candidate with these answers is correct."""
        odds = log(self.correct) - log(1 - self.correct)
        odds += sum(log(self.answers[name, True, answer]) - log(self.answers[name, False, answer])
                    for name, answer in answers)
        independent = 1 / (1 + exp(-odds))
        seen, right = self.patterns.get(answers, (0, 0))
        # Annotators that were trained on the same err alike; with enough gold their answers count together.
        return (right + _TRUST * independent) / (seen + _TRUST)


def find_cuts(sources: Mapping[str, Iterable[Annotation]]) -> Dict[str, float]:
    """Return for each annotator the score from which it is sure; one without scores always is."""
    cuts = {}
    for name, annotations in sources.items():
        scores = [mention.score for annotation in annotations for mention in annotation.mentions
                  if mention.score is not None]
        cuts[name] = median(scores) if scores else 0.0
    return cuts


def collect_candidates(sources: Mapping[str, Mapping[str, Annotation]],
                       cuts: Mapping[str, float]) -> Iterator[Candidate]:
    """List what annotators say of each span.

    sources (Mapping[str, Mapping[str, Annotation]]): Annotator to its records by id.
    cuts (Mapping[str, float]): What `find_cuts` gives.
    YIELDS (Candidate): Each span of a record that some annotator has.
    """
    for id_ in dict.fromkeys(id_ for records in sources.values() for id_ in records):
        found = {name: {mention.key: mention for mention in records[id_].mentions}
                 for name, records in sources.items() if id_ in records}
        for key in dict.fromkeys(key for mentions in found.values() for key in mentions):
            yield Candidate(id_, key, tuple((name, _answer(mentions.get(key), cuts[name]))
                                            for name, mentions in found.items()))


def _answer(mention: Optional[Mention], cut: float) -> int:
    if mention is None:
        return LACKS
    return SURE if mention.score is None or mention.score >= cut else UNSURE


def estimate_on_gold(candidates: Iterable[Candidate], gold: Mapping[str, Annotation]) -> Dict[str, LabelModel]:
    """Count the answers on gold.

    candidates (Iterable[Candidate]): Candidates; those of records without gold do not count.
    gold (Mapping[str, Annotation]): Gold records by id.
    RETURNS (Dict[str, LabelModel]): Label to what its answers mean.
    """
    true = {id_: {mention.key for mention in record.mentions} for id_, record in gold.items()}
    counted = [(candidate, float(candidate.key in true[candidate.id])) for candidate in candidates
               if candidate.id in true]
    models = {}
    for label in dict.fromkeys(candidate.label for candidate, _ in counted):
        of_label = [(candidate, right) for candidate, right in counted if candidate.label == label]
        patterns: Dict[Answers, Tuple[int, int]] = {}
        for candidate, right in of_label:
            seen, correct = patterns.get(candidate.answers, (0, 0))
            patterns[candidate.answers] = (seen + 1, correct + int(right))
        models[label] = _count([(candidate.answers, right, 1.0) for candidate, right in of_label])
        models[label].patterns.update(patterns)
    return models


def estimate_by_agreement(candidates: Sequence[Candidate], *,
                          places: Mapping[Tuple[str, ...], int]) -> Dict[str, LabelModel]:
    """Estimate without gold what the answers mean, from how far annotators agree.

    candidates (Sequence[Candidate]): All candidates.
    places (Mapping[Tuple[str, ...], int]): Annotators that have read a text, in the order of the answers, to the places
        at which a span could stand in such texts, about: their pre-tokens.
    RETURNS (Dict[str, LabelModel]): Label to what its answers mean. Three annotators or more are needed: one or two
        agree as well where both are right as where both err.
    """
    models = {}
    for label in dict.fromkeys(candidate.label for candidate in candidates):
        patterns = Counter(candidate.answers for candidate in candidates if candidate.label == label)
        taken: Counter = Counter()
        for answers, count in patterns.items():
            taken[tuple(name for name, _ in answers)] += count
        # Only those who have read a text lack the spans that stand nowhere in it.
        for readers, count in places.items():
            patterns[tuple((name, LACKS) for name in readers)] += max(0, count - taken[readers])
        believed = {answers: _share_of_votes(answers) for answers in patterns}
        for _ in range(_ROUNDS):
            model = _count([(answers, believed[answers], float(count)) for answers, count in patterns.items()])
            believed = {answers: model.probability(answers) for answers in patterns}
        models[label] = model
    return models


def _share_of_votes(answers: Answers) -> float:
    return sum(0.5 * answer for _, answer in answers) / len(answers)


def _count(believed: Sequence[Tuple[Answers, float, float]]) -> LabelModel:
    """Return the shares of answers.

    believed (Sequence[Tuple[Answers, float, float]]): Answers, how far they are believed to be of a correct span, and
        how many candidates they stand for.
    RETURNS (LabelModel): What they mean.
    """
    counts: Dict[Tuple[str, bool, int], float] = defaultdict(float)
    names: Dict[str, None] = {}
    for answers, right, weight in believed:
        for name, answer in answers:
            names[name] = None
            counts[name, True, answer] += weight * right
            counts[name, False, answer] += weight * (1 - right)
    correct = sum(weight * right for _, right, weight in believed)
    model = LabelModel((correct + _SEEN_BEFORE) / (sum(weight for _, _, weight in believed) + 2 * _SEEN_BEFORE))
    for name in names:
        for kind in (True, False):
            total = sum(counts[name, kind, answer] for answer in (LACKS, UNSURE, SURE)) + 3 * _SEEN_BEFORE
            for answer in (LACKS, UNSURE, SURE):
                model.answers[name, kind, answer] = (counts[name, kind, answer] + _SEEN_BEFORE) / total
    return model


def measure_annotators(sources: Mapping[str, Mapping[str, Annotation]],
                       gold: Mapping[str, Annotation]) -> Dict[str, Dict[str, Dict[str, List[float]]]]:
    """Measure each annotator on gold.

    sources (Mapping[str, Mapping[str, Annotation]]): Annotator to its records by id.
    gold (Mapping[str, Annotation]): Gold records by id.
    RETURNS (Dict[str, Dict[str, Dict[str, List[float]]]]): Annotator to label to precision and recall, each with the
        ends of its 95% interval (Wilson, 1927, doi:10.1080/01621459.1927.10502953).
    """
    measured: Dict[str, Dict[str, Dict[str, List[float]]]] = {}
    for name, records in sources.items():
        right, found, true = Counter(), Counter(), Counter()  # type: ignore[var-annotated]
        for id_, record in records.items():
            if id_ not in gold:
                continue
            keys = {mention.key for mention in gold[id_].mentions}
            true.update(label for _, _, label in keys)
            found.update(mention.label for mention in record.mentions)
            right.update(mention.label for mention in record.mentions if mention.key in keys)
        measured[name] = {label: {"precision": _wilson(right[label], found[label]),
                                  "recall": _wilson(right[label], true[label])} for label in sorted({*found, *true})}
    return measured


def _wilson(right: int, total: int) -> List[float]:
    """Return a share and the ends of its interval; 0 to 1 where there is nothing to count."""
    if not total:
        return [0.0, 0.0, 1.0]
    share = right / total
    middle, spread = share + _Z ** 2 / (2 * total), _Z * sqrt(share * (1 - share) / total + _Z ** 2 / (4 * total ** 2))
    below = 1 + _Z ** 2 / total
    return [round(each, 4) for each in (share, (middle - spread) / below, (middle + spread) / below)]


def weigh(candidates: Iterable[Candidate], models: Mapping[str, LabelModel]) -> Dict[str, List[Mention]]:
    """Give each candidate its probability.

    candidates (Iterable[Candidate]): The candidates.
    models (Mapping[str, LabelModel]): What their answers mean. A label without any, which gold has not shown, is
        weighed by the share of annotators that have the span.
    RETURNS (Dict[str, List[Mention]]): Id to the spans, with their probability as score.
    """
    weighed: Dict[str, List[Mention]] = {}
    for candidate in candidates:
        weighed.setdefault(candidate.id, []).append(Mention(*candidate.key, score=_weigh(candidate, models)))
    return weighed


def _weigh(candidate: Candidate, models: Mapping[str, LabelModel]) -> float:
    model = models.get(candidate.label)
    if model is None or any((name, True, LACKS) not in model.answers for name, _ in candidate.answers):
        return _share_of_votes(candidate.answers)
    return model.probability(candidate.answers)


def expect_of_annotators(candidates: Iterable[Candidate],
                         models: Mapping[str, LabelModel]) -> Dict[str, Dict[str, Dict[str, float]]]:
    """Estimate without gold how far each annotator is right, from the probabilities of the candidates.

    candidates (Iterable[Candidate]): All candidates.
    models (Mapping[str, LabelModel]): What their answers mean.
    RETURNS (Dict[str, Dict[str, Dict[str, float]]]): Annotator to label to estimated_precision, where it has spans, and
        estimated_recall, both from 0 to 1. What no annotator has found is not known, so a recall is rather too high.
    """
    right: Dict[Tuple[str, str], float] = defaultdict(float)
    true: Dict[Tuple[str, str], float] = defaultdict(float)
    found: Counter = Counter()
    for candidate in candidates:
        probability = _weigh(candidate, models)
        for name, answer in candidate.answers:
            true[name, candidate.label] += probability
            if answer != LACKS:
                found[name, candidate.label] += 1
                right[name, candidate.label] += probability
    expected: Dict[str, Dict[str, Dict[str, float]]] = {}
    for (name, label), count in sorted(true.items()):
        of_label = expected.setdefault(name, {}).setdefault(label, {})
        if found[name, label]:
            of_label["estimated_precision"] = round(right[name, label] / found[name, label], 4)
        of_label["estimated_recall"] = round(right[name, label] / count, 4)
    return expected
