"""Temperature and thresholds of a component, chosen on the dev part."""

import math
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, Mapping, Optional, Sequence, Union

import numpy
from spacy.training import Example

from ..errors import BionerError, Errors
from ..ml.calibration import best_threshold, expected_calibration_error, fit_temperature, reliability, to_probability
from ..ml.spans.span_targets import align_gold


def check_thresholds(setting: Union[float, Mapping[str, float]]) -> None:
    """Refuse thresholds that are no probabilities.

    setting (Union[float, Mapping[str, float]]): One for all labels, or by label.
    RAISES BionerError: E548.
    """
    for label, value in (setting if isinstance(setting, Mapping) else {"*": setting}).items():
        if not 0 <= value <= 1:
            name = "threshold" if label == "*" else f"threshold of {label}"
            raise BionerError(Errors.E548.format(name=name, found=value, wanted="between 0 and 1"))


def label_values(setting: Union[float, Mapping[str, float]], labels: Sequence[str]) -> numpy.ndarray:
    """Spread a setting over the labels.

    setting (Union[float, Mapping[str, float]]): One value, or values by label, "*" standing for the others.
    labels (Sequence[str]): The labels.
    RETURNS (numpy.ndarray): One value a label, kept off 0 and 1.
    RAISES BionerError: E505 for a label that is not known, or a missing one without "*".
    """
    if not isinstance(setting, Mapping):
        setting = {"*": float(setting)}
    for label in (*setting, *(() if "*" in setting else labels)):
        if label not in ("*", *labels) or (label not in setting):
            raise BionerError(Errors.E505.format(label=label, known=", ".join(labels)))
    values = numpy.asarray([setting.get(label, setting.get("*")) for label in labels], dtype="float64")
    return numpy.clip(values, 1e-6, 1 - 1e-6)


# With fewer gold mentions in the dev part a label takes the threshold of all labels together.
_LEAST_GOLD = 40


@dataclass(frozen=True)
class Judged:
    """Candidates of a dev part with what became of them.

    logits (numpy.ndarray): Of each candidate, not yet divided by a temperature.
    valid (numpy.ndarray): Whether each is a gold mention.
    labels (Sequence[str]): The label of each.
    gold (Mapping[str, int]): Gold mentions by label, whether they are candidates or not.
    floor (float): Spans of a lower logit are no candidates here, though they are judged in use.
    """

    logits: numpy.ndarray
    valid: numpy.ndarray
    labels: Sequence[str]
    gold: Mapping[str, int]
    floor: float = float("-inf")


# Of the candidates above their thresholds those that stay beside each other; both as one truth value a candidate.
Survive = Callable[[numpy.ndarray], numpy.ndarray]


def tune(judged: Judged, *, by_label: bool, survive: Survive = lambda above: above,
         recall_loss: Optional[float] = None) -> Dict[str, Any]:
    """Fit the temperature, then the thresholds.

    judged (Judged): Candidates of the dev part.
    by_label (bool): Whether labels with enough gold mentions get a threshold of their own.
    survive (Survive): What the component does with overlaps. A candidate is only beaten by one that is above its own
        threshold, so this is asked anew for every choice: for that of one label with the others at the shared one.
    recall_loss (Optional[float]): Points of recall, in percent of the gold mentions, that all thresholds together may
        cost; None for the best F1, whatever it costs.
    RETURNS (Dict[str, Any]): temperature, threshold (by label, "*" for the others), dev_f at 0.5 and at the
        thresholds, calibration error before and after, and the reliability bins after.
    """
    temperature = fit_temperature(judged.logits, judged.valid)
    before = to_probability(judged.logits)
    probability = to_probability(judged.logits, temperature)
    total = sum(judged.gold.values())
    alone = survive(numpy.ones(len(probability), dtype=bool))
    floor = float(to_probability(numpy.asarray(judged.floor), temperature))

    def may_lose(gold: int) -> Optional[int]:
        return None if recall_loss is None else int(recall_loss * gold / 100)

    def choose(among: numpy.ndarray, gold: int, most_lost: Optional[int]) -> float:
        found = best_threshold(probability[among], judged.valid[among], gold, floor=floor, most_lost=most_lost)[0]
        # Rounded up, it could lose one more than it may.
        return round(found, 4) if most_lost is None else math.floor(found * 10_000) / 10_000

    threshold = {"*": choose(alone, total, may_lose(total))}
    names = numpy.asarray(judged.labels, dtype=object)
    for label, count in sorted(judged.gold.items()):
        if by_label and count >= _LEAST_GOLD and len(judged.gold) > 1:
            chosen = survive((names == label) | (probability >= threshold["*"])) & (names == label)
            threshold[label] = choose(chosen, count, may_lose(count))
    least = numpy.asarray([threshold.get(label, 0.0) for label in judged.labels])
    others = ~numpy.isin(names, list(threshold))
    if recall_loss is not None and len(threshold) > 1 and others.any():
        # What is left to lose, once labels of their own have lost theirs.
        left = (may_lose(total) or 0) - int((judged.valid & (probability < least)).sum())
        few = sum(count for label, count in judged.gold.items() if label not in threshold)
        threshold["*"] = choose(alone & others, few, max(left, 0))
    least[others] = threshold["*"]
    return {"temperature": round(temperature, 4), "threshold": threshold,
            "dev_f_at_half": _f1(survive(before >= 0.5), judged.valid, total),
            "dev_f": _f1(survive(probability >= least), judged.valid, total),
            "calibration_error_before": round(expected_calibration_error(before, judged.valid), 4),
            "calibration_error": round(expected_calibration_error(probability, judged.valid), 4),
            "reliability": reliability(probability, judged.valid)}


def score_best(examples: Iterable[Example], *, spans_key: str, judged_keys: Sequence[str]) -> Dict[str, float]:
    """Say how well a state of a component can do: by thresholds that are chosen for it later.

    examples (Iterable[Example]): Predicted Docs and their references; those without gold spans do not count.
    spans_key (str): Key of the gold group.
    judged_keys (Sequence[str]): Keys of the groups of predicted spans, each with a probability in `attrs["scores"]`.
    RETURNS (Dict[str, float]): `spans_<spans_key>_best_f`, the F1, from 0 to 1, at the threshold that is best for all
        of these.
    """
    probabilities, valid, total = [], [], 0
    for example in examples:
        if spans_key not in example.reference.spans:
            continue
        total += len(example.reference.spans[spans_key])
        gold = {(start, end, label) for start, end, label, _ in align_gold(example, spans_key)}
        for group in filter(None, map(example.predicted.spans.get, judged_keys)):
            for span, probability in zip(group, group.attrs.get("scores", [])):
                probabilities.append(probability)
                valid.append((span.start, span.end, span.label_) in gold)
    _, best = best_threshold(numpy.asarray(probabilities), numpy.asarray(valid, dtype=bool), total)
    return {f"spans_{spans_key}_best_f": best}


def _f1(kept: numpy.ndarray, valid: numpy.ndarray, gold: int) -> float:
    found = int(kept.sum())
    return round(200 * int((kept & valid).sum()) / (found + gold), 2) if found + gold else 0.0
