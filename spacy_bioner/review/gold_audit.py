"""Likely errors in gold: where predictions of models that have not seen a sentence contradict it.

Each fold is predicted by a model of the other folds, as confident learning does it (Northcutt, Jiang and Chuang 2021,
Confident learning: estimating uncertainty in dataset labels, DOI 10.1613/jair.1.12125). Scores are calibrated by a
temperature for each label, fitted on the spans that were predicted. A sentence is ranked by the sum of its
contradictions: a mention of gold with a score p below a half counts 1 - 2p, a span that gold lacks with p above a half
2p - 1. A mention of gold that was not predicted has a low score, which is no probability.
"""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

import numpy

from ..annotation import Annotation, Mention
from ..corpus.sampling import Fold
from ..errors import BionerError, Errors
from ..ml.calibration import fit_temperature, to_logit, to_probability
from .choices import QUEUE

# Labels with fewer mentions share a temperature.
_LEAST_GOLD = 40
# Spans with a lower score are no candidates; a mention of gold that was not predicted elsewhere is given a lower one.
_FLOOR = 0.005
_NOT_PREDICTED = 0.0049
_HALF = 0.5


@dataclass(frozen=True)
class Prediction:
    """What a model that has not seen a sentence says of it.

    spans (Tuple[Mention, ...]): Its candidates, and all mentions of gold that it could find, each with a score.
    loss (float): The cross-entropy of the gold of the sentence; 0 where it is not known.
    """

    spans: Tuple[Mention, ...]
    loss: float = 0.0


@dataclass(frozen=True)
class Finding:
    """A contradiction.

    kind (str): "missing" in gold, "unlikely" in gold, or another "label" or "boundary" than in gold.
    score (float): Calibrated score of the span that gold lacks, or of the mention that it has.
    gold (Optional[Mention]): The mention of gold.
    wanted (Optional[Mention]): The span that gold lacks.
    """

    kind: str
    score: float
    gold: Optional[Mention] = None
    wanted: Optional[Mention] = None

    def describe(self, annotation: Annotation) -> str:
        """Return the contradiction in words."""
        sides = [f"'{annotation.surface(mention)}' {mention.label}" for mention in (self.gold, self.wanted) if mention]
        return f"{self.kind}: {' or '.join(sides)} ({self.score:.2f})"


@dataclass(frozen=True)
class Audited:
    """A sentence of gold with its contradictions.

    annotation (Annotation): The sentence; its mentions have calibrated scores.
    score (float): Sum of the contradictions.
    loss (float): The cross-entropy of its gold.
    findings (Tuple[Finding, ...]): The contradictions, the strongest first.
    """

    annotation: Annotation
    score: float
    loss: float
    findings: Tuple[Finding, ...]

    def to_queue(self, rank: int) -> Annotation:
        """Return a record for review: gold, what it lacks as suggestions, and what contradicts it in words."""
        suggestions = [{"start": one.wanted.start, "end": one.wanted.end, "label": one.wanted.label,
                        "score": round(one.score, 4)} for one in self.findings if one.wanted]
        return self.annotation.with_meta(**{QUEUE: {
            "strategy": "audit", "rank": rank, "doubt": round(self.score, 4), "suggestions": suggestions,
            "reason": "; ".join(one.describe(self.annotation) for one in self.findings)}})


def predict_folds(annotations: Sequence[Annotation], *, folds: int, seed: int,
                  advance: Callable[[], None] = lambda: None) -> List[Prediction]:
    """Predict each sentence by a probe of the folds that it is not in; sentences of a document share a fold.

    annotations (Sequence[Annotation]): Gold.
    folds (int): How many folds.
    seed (int): Of folds and weights.
    advance (Callable[[], None]): Called when a fold is done.
    RETURNS (List[Prediction]): One each.
    RAISES BionerError: E913 where a fold would be empty.
    """
    from .probe import encode_texts, make_target, train_probe

    labels = sorted({mention.label for one in annotations for mention in one.mentions})
    encoded = encode_texts([one.text for one in annotations])
    found: Dict[int, Prediction] = {}
    for number in range(1, folds + 1):
        inside = [row for row, one in enumerate(annotations) if Fold(number, folds).holds(one, seed=seed)]
        others = sorted(set(range(len(annotations))) - set(inside))
        if not inside or not any(annotations[row].mentions for row in others):
            raise BionerError(Errors.E913.format(count=len(annotations), folds=folds))
        probe = train_probe([encoded[row] for row in others], [annotations[row] for row in others], labels, seed=seed)
        texts = [encoded[row] for row in inside]
        for row, text, logits, spans in zip(inside, texts, probe.logits(texts), probe.find(texts, floor=_FLOOR)):
            target = make_target(text, annotations[row].mentions, labels)
            found[row] = _with_gold(annotations[row], spans, logits, target.spans, labels, text.places)
        advance()
    return [found[row] for row in range(len(annotations))]


def _with_gold(annotation: Annotation, spans: Sequence[Mention], logits: numpy.ndarray,
               gold: Iterable[Tuple[int, int, int, float]], labels: Sequence[str],
               places: Sequence[Tuple[int, int]]) -> Prediction:
    """Return the candidates, with the mentions of gold that are no candidates, and the loss of the sentence."""
    all_spans = {mention: mention for mention in spans}
    count, longest, _ = logits.shape
    wanted = numpy.zeros(logits.shape, dtype=bool)
    for start, end, label, _ in gold:
        if end - start <= longest:
            wanted[start, end - start - 1, label] = True
            mention = Mention(places[start][0], places[end - 1][1], labels[label],
                              score=float(to_probability(logits[start, end - start - 1, label])))
            all_spans.setdefault(mention, mention)
    inside = (numpy.arange(count)[:, None] + numpy.arange(1, longest + 1)[None] <= count)[..., None]
    losses = numpy.logaddexp(0, logits) - numpy.where(wanted, logits, 0)
    return Prediction(tuple(all_spans.values()), float((losses * inside).sum()))


def take_predictions(annotations: Sequence[Annotation], predicted: Mapping[str, Annotation]) -> List[Prediction]:
    """Take predictions from elsewhere, such as a pipeline that was trained on other folds.

    annotations (Sequence[Annotation]): Gold.
    predicted (Mapping[str, Annotation]): Predictions by id. A mention without a score counts as certain; a mention of
        gold that was not predicted as hardly possible.
    RETURNS (List[Prediction]): One each.
    RAISES BionerError: E914 where one is missing, or has another text.
    """
    found = []
    for gold in annotations:
        other = predicted.get(gold.id)
        if other is None or other.text != gold.text:
            raise BionerError(Errors.E914.format(id=gold.id, why="is missing" if other is None else "has another text"))
        spans = {mention: replace(mention, score=1.0 if mention.score is None else mention.score)
                 for mention in other.mentions}
        for mention in gold.mentions:
            spans.setdefault(mention, replace(mention, score=_NOT_PREDICTED))
        found.append(Prediction(tuple(spans.values())))
    return found


def audit(annotations: Sequence[Annotation], predictions: Sequence[Prediction]) -> List[Audited]:
    """Rank the sentences of gold, those that are contradicted most first.

    annotations (Sequence[Annotation]): Gold.
    predictions (Sequence[Prediction]): What models say that have not seen them.
    RETURNS (List[Audited]): All sentences; of equal ones that with the larger loss first.
    """
    temperatures = fit_temperatures(annotations, predictions)
    found = []
    for annotation, prediction in zip(annotations, predictions):
        gold = set(annotation.mentions)
        calibrated = {mention: _calibrate(mention, temperatures) for mention in prediction.spans}
        unlikely = [mention for mention in annotation.mentions if calibrated.get(mention, 1.0) < _HALF]
        missing = [mention for mention, p in calibrated.items() if mention not in gold and p > _HALF]
        score = sum(1 - 2 * calibrated[one] for one in unlikely) + sum(2 * calibrated[one] - 1 for one in missing)
        scored = annotation.with_mentions(replace(one, score=calibrated.get(one)) for one in annotation.mentions)
        found.append(Audited(scored, score, prediction.loss, _pair(unlikely, missing, calibrated)))
    return sorted(found, key=lambda one: (-one.score, -one.loss))


def fit_temperatures(annotations: Sequence[Annotation], predictions: Sequence[Prediction]) -> Dict[str, float]:
    """Fit a temperature for each label with enough mentions, and one for all, under "*".

    Of the spans below the floor only those of gold are known: with them the model would seem to be too sure.
    """
    judged: Dict[str, List[Tuple[float, bool]]] = {"*": []}
    counts: Counter = Counter()
    for annotation, prediction in zip(annotations, predictions):
        gold = set(annotation.mentions)
        counts.update(mention.label for mention in gold)
        for mention in prediction.spans:
            if (mention.score or 0.0) >= _FLOOR:
                for label in ("*", mention.label):
                    judged.setdefault(label, []).append((mention.score or 0.0, mention in gold))
    return {label: fit_temperature(to_logit(numpy.asarray([score for score, _ in pairs])),
                                   numpy.asarray([right for _, right in pairs], dtype=bool))
            for label, pairs in judged.items() if pairs and (label == "*" or counts[label] >= _LEAST_GOLD)}


def _calibrate(mention: Mention, temperatures: Mapping[str, float]) -> float:
    temperature = temperatures.get(mention.label, temperatures.get("*", 1.0))
    return float(to_probability(to_logit(numpy.asarray(mention.score or 0.0)), temperature))


def _pair(unlikely: Sequence[Mention], missing: Sequence[Mention],
          calibrated: Mapping[Mention, float]) -> Tuple[Finding, ...]:
    """Return the contradictions; a mention and the span that should stand for it make one."""
    findings, free = [], sorted(missing, key=lambda one: -calibrated[one])
    for gold in unlikely:
        same = next((one for one in free if (one.start, one.end) == (gold.start, gold.end)), None)
        near = same or next((one for one in free if one.label == gold.label and one.start < gold.end
                             and gold.start < one.end), None)
        if near is None:
            findings.append(Finding("unlikely", calibrated[gold], gold))
        else:
            free.remove(near)
            findings.append(Finding("label" if same else "boundary", calibrated[near], gold, near))
    findings += [Finding("missing", calibrated[one], None, one) for one in free]
    return tuple(sorted(findings, key=lambda one: -abs(2 * one.score - 1)))


def write_report(audited: Sequence[Audited], *, corpus: str, shown: int = 50) -> str:
    """Write what was found as Markdown.

    audited (Sequence[Audited]): The sentences, ranked.
    corpus (str): Name of the corpus.
    shown (int): How many sentences are shown.
    RETURNS (str): The text.
    """
    kinds = Counter((finding.kind, (finding.wanted or finding.gold).label)  # type: ignore[union-attr]
                    for one in audited for finding in one.findings)
    contradicted = [one for one in audited if one.findings]
    lines = [f"# Likely errors in {corpus}", "",
             f"{len(contradicted):,} of {len(audited):,} sentences are contradicted by models that have not seen them. "
             "Most contradictions are errors of the models; those at the top are most often errors of gold.", "",
             "| kind | label | findings |", "| --- | --- | ---: |",
             *(f"| {kind} | {_cell(label)} | {count:,} |" for (kind, label), count in kinds.most_common()), "",
             "| rank | sentence | sum | findings | text |", "| ---: | --- | ---: | --- | --- |"]
    for rank, one in enumerate(contradicted[:shown], start=1):
        said = "; ".join(finding.describe(one.annotation) for finding in one.findings)
        lines.append(f"| {rank} | {_cell(one.annotation.id)} | {one.score:.2f} | {_cell(said)} | "
                     f"{_cell(one.annotation.text)} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
