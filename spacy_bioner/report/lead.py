"""The first sentences of the report: which pipeline was shipped, why, and how sure its lead is."""

from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from .tables import FEW, percent
from .unmeasured import describe_unmeasured

Metrics = Mapping[str, Any]
_SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Shipped:
    """The pipeline in the wheel, as its model card describes it.

    system (str): Its name in metrics files.
    dev (Mapping[str, float]): F1 on the development set, in percent, of the pipelines that it was chosen among.
    components (Sequence[str]): Its components.
    """

    system: str
    dev: Mapping[str, float] = field(default_factory=dict)
    components: Sequence[str] = ()

    def describe(self) -> Dict[str, Any]:
        """Return the facts as names and values."""
        scores = {f"F1 on the development set, {name}": f"{score:.2f}" for name, score in self.dev.items()}
        return {"system": self.system, "components": list(self.components), **scores}


def write_lead(metrics: Metrics, shipped: Optional[Shipped]) -> Tuple[str, str]:
    """Say what a reader needs first.

    metrics (Mapping[str, Any]): The metrics file.
    shipped (Optional[Shipped]): The pipeline in the wheel, where one is named.
    RETURNS (Tuple[str, str]): The first sentence, and those that explain it.
    """
    if unmeasured := describe_unmeasured(metrics):
        return unmeasured, " ".join(f'"{name}" agrees with it in F1: {percent(system["micro"]["f1"])}.'
                                    for name, system in metrics["systems"].items())
    scores = _score_groups(metrics)
    ranked = sorted(scores, key=lambda name: -scores[name]["f1"])
    name = _find_group(metrics, shipped.system) if shipped is not None else None
    if shipped is None or name is None:
        best, rivals = ranked[0], ranked[1:]
        first = _compare(metrics, f'"{best}"', best, rivals)
        if shipped is not None:
            first = f'The shipped pipeline, "{shipped.system}", was not evaluated here. {first}'
        return first, " ".join(_describe(metrics, best))
    rivals = [other for other in ranked if other != name and other in (shipped.dev or scores)]
    more = _explain_choice(shipped, rivals) + _describe(metrics, name)
    if ranked[0] != name and ranked[0] not in rivals:
        more.append(f'"{ranked[0]}" has a higher F1 ({percent(scores[ranked[0]]["f1"])}), but is not shipped.')
    measured = metrics["systems"].get(shipped.system, {}).get("components", ())
    absent = [component for component in shipped.components if measured and component not in measured]
    if absent:
        more.append(f"The shipped pipeline also has {', '.join(absent)}, without which it was evaluated.")
    return _compare(metrics, f'The shipped pipeline, "{name}",', name, rivals), " ".join(more)


def _score_groups(metrics: Metrics) -> Dict[str, Mapping[str, Any]]:
    """Return the strict scores of each system, of one that was run with several seeds the means."""
    runs = metrics["runs"]
    several = {name for each in runs.values() for name in each["runs"]}
    return {**{name: system["micro"] for name, system in metrics["systems"].items() if name not in several},
            **{group: {figure: score["mean"] for figure, score in each["micro"].items()}
               for group, each in runs.items()}}


def _find_group(metrics: Metrics, name: str) -> Optional[str]:
    """Return the name under which a system is compared: that of all its runs; None where it was not evaluated."""
    group = next((group for group, each in metrics["runs"].items() if name in (group, *each["runs"])), name)
    return group if group in metrics["runs"] or group in metrics["systems"] else None


def find_difference(metrics: Metrics, name: str, other: str) -> Tuple[float, float, float, float]:
    """Return by how much the F1 of a system exceeds that of another, with the confidence interval and adjusted p."""
    for each in metrics["comparisons"]:
        if {each["before"], each["after"]} == {name, other}:
            cell = each["micro"]["f1"]
            (low, high), sign = cell["interval"], 1 if each["after"] == name else -1
            return (sign * cell["difference"], min(sign * low, sign * high), max(sign * low, sign * high),
                    cell["p_adjusted"])
    raise KeyError((name, other))


def _compare(metrics: Metrics, subject: str, name: str, rivals: Sequence[str]) -> str:
    """Return how sure the lead of a system over the best of its rivals is, as a sentence."""
    if not rivals:
        return f"{subject} was evaluated alone."
    difference, low, high, p_adjusted = find_difference(metrics, name, rivals[0])
    points, interval = f"{abs(100 * difference):.2f} points of F1", _interval(metrics, low, high)
    # A bootstrap of few documents is too sure; the test with swapped documents is not.
    if low > 0 and p_adjusted < _SIGNIFICANT:
        return f'{subject} outperforms "{rivals[0]}" by {points} ({interval}).'
    if high < 0 and p_adjusted < _SIGNIFICANT:
        return f'{subject} is worse than "{rivals[0]}" by {points} ({interval}).'
    return (f'{subject} shows no significant difference from "{rivals[0]}" ({100 * difference:+.2f} points of F1, '
            f"{interval}).")


def _explain_choice(shipped: Shipped, rivals: Sequence[str]) -> List[str]:
    """Return why the pipeline was shipped, where its card says it."""
    others = ", ".join(f'{shipped.dev[rival]:.2f} of "{rival}"' for rival in rivals if rival in shipped.dev)
    if shipped.system not in shipped.dev or not others:
        return []
    return [f"It was chosen by F1 on the development set: {shipped.dev[shipped.system]:.2f}, against {others}."]


def _describe(metrics: Metrics, name: str) -> List[str]:
    """Return the F1 of a system in words, and whether there are enough mentions to judge by."""
    strict, mentions, runs = _score_groups(metrics)[name], metrics["gold"]["mentions"], metrics["runs"].get(name)
    about = f"mean of {len(runs['runs'])} runs" if runs else _interval(metrics, *strict["intervals"]["f1"])
    said = [f"F1 on the test set: {percent(strict['f1'])} ({about}).",
            f"It finds {percent(strict['recall'])}% of {mentions:,} gold mentions exactly, and "
            f"{percent(strict['precision'])}% of its predictions are correct."]
    return said if mentions >= FEW else [*said, "So few gold mentions leave all these figures uncertain."]


def _interval(metrics: Metrics, low: float, high: float) -> str:
    return f"{100 * metrics['settings']['level']:g}% confidence interval {percent(low)} to {percent(high)}"
