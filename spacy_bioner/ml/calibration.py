"""Do probabilities mean what they say: temperature, calibration error, reliability, and thresholds by F1."""

from typing import Dict, List, Optional, Tuple

import numpy

_ROUNDS = 60
_GOLDEN = (5 ** 0.5 - 1) / 2


def to_probability(logits: numpy.ndarray, temperature: float = 1.0) -> numpy.ndarray:
    """Return the probabilities of logits divided by a temperature, as float64."""
    return 1 / (1 + numpy.exp(-numpy.clip(numpy.asarray(logits, dtype="float64") / temperature, -60, 60)))


def to_logit(probability: numpy.ndarray) -> numpy.ndarray:
    """Return the logits of probabilities, kept off 0 and 1."""
    kept = numpy.clip(numpy.asarray(probability, dtype="float64"), 1e-9, 1 - 1e-9)
    return numpy.log(kept) - numpy.log1p(-kept)


def fit_temperature(logits: numpy.ndarray, valid: numpy.ndarray) -> float:
    """Find the temperature under which the outcomes are most likely.

    logits (numpy.ndarray): Of each candidate.
    valid (numpy.ndarray): Whether each is right.
    RETURNS (float): Between 0.1 and 10; above 1 where the model is too sure. 1 where there is nothing to fit to.
    """
    valid = numpy.asarray(valid, dtype=bool)
    if not valid.any() or valid.all():
        return 1.0

    def loss(log_temperature: float) -> float:
        scaled = numpy.asarray(logits, dtype="float64") / numpy.exp(log_temperature)
        return float(numpy.logaddexp(0, numpy.where(valid, -scaled, scaled)).mean())

    low, high = float(numpy.log(0.1)), float(numpy.log(10))
    for _ in range(_ROUNDS):
        first, second = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if loss(first) < loss(second):
            high = second
        else:
            low = first
    return float(numpy.exp((low + high) / 2))


def reliability(probability: numpy.ndarray, valid: numpy.ndarray, *, bins: int = 10) -> List[Dict[str, float]]:
    """Compare what was said with what was so, in bins of equal width.

    probability (numpy.ndarray): Of each candidate.
    valid (numpy.ndarray): Whether each is right.
    bins (int): Number of bins.
    RETURNS (List[Dict[str, float]]): For each bin that is not empty: count, said (mean probability), was (share that
        is right).
    """
    probability, valid = numpy.asarray(probability, dtype="float64"), numpy.asarray(valid, dtype=bool)
    place = numpy.minimum((probability * bins).astype(int), bins - 1)
    return [{"count": int((place == one).sum()), "said": round(float(probability[place == one].mean()), 4),
             "was": round(float(valid[place == one].mean()), 4)} for one in range(bins) if (place == one).any()]


def expected_calibration_error(probability: numpy.ndarray, valid: numpy.ndarray, *, bins: int = 10) -> float:
    """Return the mean distance of what was said from what was so, bins weighted by their counts; 0 for none."""
    found = reliability(probability, valid, bins=bins)
    total = sum(one["count"] for one in found)
    return sum(one["count"] * abs(one["said"] - one["was"]) for one in found) / total if total else 0.0


def best_threshold(probability: numpy.ndarray, valid: numpy.ndarray, gold: int, *,
                   default: float = 0.5, floor: float = 0.0, most_lost: Optional[int] = None) -> Tuple[float, float]:
    """Find the threshold with the best F1.

    probability (numpy.ndarray): Of each candidate.
    valid (numpy.ndarray): Whether each is right.
    gold (int): Gold mentions, those that are no candidate among them.
    default (float): Taken where nothing is right, and where it is as good as the best.
    floor (float): Less probable candidates were not looked at: what a lower threshold would let in is not known.
    most_lost (Optional[int]): Right candidates that may be below the threshold; None for any number.
    RETURNS (Tuple[float, float]): The threshold, half way between two probabilities, and its F1 from 0 to 1.
    """
    order = numpy.argsort(-numpy.asarray(probability), kind="stable")
    ranked, right = numpy.asarray(probability, dtype="float64")[order], numpy.asarray(valid, dtype=bool)[order]
    if not right.any():
        return default, 0.0
    scores = 2 * numpy.cumsum(right) / (numpy.arange(1, len(right) + 1) + gold)
    # A cut between two equal probabilities cannot be made.
    scores[:-1][ranked[:-1] == ranked[1:]] = 0
    if most_lost is not None:
        scores[right.sum() - numpy.cumsum(right) > most_lost] = 0
    best = int(scores.argmax())
    kept = int((ranked >= default).sum())
    if kept and scores[kept - 1] == scores[best]:
        return default, float(scores[best])
    below = ranked[best + 1] if best + 1 < len(ranked) else min(floor, ranked[best])
    return float((ranked[best] + below) / 2), float(scores[best])
