"""Lines that say how a review stands: who corrected what, the learning curve, and what is to be expected."""

from dataclasses import asdict
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

from .forecast import Advice, Forecast

_BAR = 40


def describe_changes(changes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for each day and person; the share of mentions that were changed falls as pipelines get better."""
    for one in changes:
        total = one["added"] + one["removed"] + one["kept"]
        share = 100 * (one["added"] + one["removed"]) / total if total else 0.0
        yield (f"{one['at']} {one['by']}: {one['sentences']} sentences, {one['added']} mentions added, "
               f"{one['removed']} removed, {one['kept']} kept ({share:.0f}% changed)")


def describe_curve(points: Sequence[Tuple[int, float]], coming: Forecast) -> Iterator[str]:
    """Yield a line for each number of sentences: mean F1, the fitted curve, and a bar."""
    yield "sentences     F1  curve"
    for size in sorted({size for size, _ in points}):
        scores = [score for each, score in points if each == size]
        mean, fitted = 100 * sum(scores) / len(scores), 100 * float(coming.law.at(size))  # type: ignore[arg-type]
        yield f"{size:>9}  {mean:>5.1f}  {fitted:>5.1f}  {'#' * round(_BAR * mean / 100)}"


def describe_forecast(coming: Forecast, *, worth: float) -> Iterator[str]:
    """Yield what the next sentences bring, and the advice.

    coming (Forecast): The forecast.
    worth (float): Points of F1 that they should bring.
    """
    low, high = 100 * coming.interval.low, 100 * coming.interval.high
    yield (f"The next {coming.more} sentences: {100 * coming.gain:+.1f} F1 (95% interval {low:+.1f} to {high:+.1f}), "
           f"by the power law {100 * coming.law.limit:.1f} - {100 * coming.law.gap:.1f} n^-{coming.law.decay:.2f}")
    yield {Advice.stop: f"Stop: they bring less than {worth:g} points.",
           Advice.go_on: f"Go on: they bring {worth:g} points or more.",
           Advice.unclear: f"Unclear whether they bring {worth:g} points: correct another batch and ask again."}[
               coming.advice]


def to_json(points: Sequence[Tuple[int, float]], coming: Forecast, changes: List[Dict[str, Any]], *,
            worth: float) -> Dict[str, Any]:
    """Return curve, forecast and changes as JSON has them; F1 from 0 to 1."""
    said = asdict(coming)
    said["advice"] = coming.advice.value
    return {"points": [{"sentences": size, "f1": round(score, 4)} for size, score in points], "forecast": said,
            "worth": worth / 100, "changes": changes}
