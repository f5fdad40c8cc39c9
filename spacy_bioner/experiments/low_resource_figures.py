"""What a low-resource experiment found, in numbers: F1 by method, what each gains, and whether the claim holds.

A method is one way to train; it has a run for each seed, named `method@seed` in the metrics. The source claims that
generated sentences, and then gold, are above gold alone at every size.
"""

from collections import defaultdict
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

from ..evaluation.intervals import mean_and_deviation

GOLD, GENERATED = "gold", "genllm"
HOLDS, FAILS, OPEN = "holds", "does not hold", "cannot be told"
NOTHING = "no sentence was made"
# In the place of a size: all of train is gold.
ALL = "all"


def group_runs(systems: Mapping[str, Any]) -> Dict[str, Dict[str, str]]:
    """RETURNS (Dict[str, Dict[str, str]]): Method to seed to the name of the run, from names like `gold@0`."""
    groups: Dict[str, Dict[str, str]] = defaultdict(dict)
    for name in systems:
        method, _, seed = name.rpartition("@")
        groups[method or name][seed if method else ""] = name
    return dict(groups)


def choose_variant(dev: Mapping[str, Sequence[float]]) -> str:
    """Choose the prompt variant of the generated sentences by F1 on dev; test has no say.

    dev (Mapping[str, Sequence[float]]): Method to F1 on dev of each run.
    RETURNS (str): The method of generated sentences with the highest mean, the first of equals; empty without any.
    """
    generated = [method for method in dev if method.startswith(GENERATED)]
    return max(generated, key=lambda method: mean_and_deviation(dev[method])[0] if dev[method] else 0.0, default="")


def judge(interval: Sequence[float]) -> str:
    """RETURNS (str): Whether the claim holds, by an interval of the difference (generated less gold alone)."""
    low, high = interval
    return HOLDS if low > 0 else FAILS if high < 0 else OPEN


def summarise_size(size: Any, metrics: Mapping[str, Any], dev: Mapping[str, Sequence[float]],
                   gains: Mapping[str, Mapping[str, Any]], failed: Sequence[str] = ()) -> Dict[str, Any]:
    """Bring together what was measured for a size of the dictionary.

    size (Union[int, str]): Names of each label, or `ALL`.
    metrics (Mapping[str, Any]): The metrics file of this size.
    dev (Mapping[str, Sequence[float]]): Method to F1 on dev of each run.
    gains (Mapping[str, Mapping[str, Any]]): Method to `difference` of mean F1, `interval` and number of `runs`, against
        gold alone on the same sentences.
    failed (Sequence[str]): Methods for which no sentence was made.
    RETURNS (Dict[str, Any]): `size`, `sentences` of test, `methods` with mean, deviation and runs, `gains`, `failed`,
        `variant`, its `gain` and `verdict`; the last three are None where gold alone or generated sentences were not
        trained on, but where no sentence was made, the verdict is open.
    """
    methods = {}
    for method, runs in group_runs(metrics["systems"]).items():
        scores = {seed: metrics["systems"][name]["micro"]["f1"] for seed, name in runs.items()}
        mean, deviation = mean_and_deviation(list(scores.values()))
        methods[method] = {"mean": mean, "deviation": deviation, "runs": scores, "dev": list(dev.get(method, ()))}
    variant = choose_variant({method: dev.get(method, ()) for method in methods if method in gains})
    gain = dict(gains[variant]) if variant else None
    without = OPEN if any(method.startswith(GENERATED) for method in failed) else None
    return {"size": size, "sentences": metrics["gold"]["count"], "methods": methods,
            "gains": {method: dict(each) for method, each in gains.items()}, "failed": list(failed),
            "variant": variant or None, "gain": gain, "verdict": judge(gain["interval"]) if gain else without}


def say_verdict(summary: Mapping[str, Any]) -> str:
    """RETURNS (str): The conclusion for a size in one line."""
    gain = summary["gain"]
    generated = [method for method in summary["failed"] if method.startswith(GENERATED)]
    if gain is None and generated:
        return f"{OPEN}: {NOTHING} ({', '.join(generated)})."
    if gain is None:
        return "not compared: gold alone and generated sentences are both needed."
    low, high = (points(end) for end in gain["interval"])
    return (f"the document claims generated sentences above gold alone at every size; here it {summary['verdict']}: "
            f"{summary['variant']} {points(gain['difference'])} points (95% interval over sentences {low} to {high}, "
            f"{count(gain['runs'], 'seed')}, {summary['sentences']} sentences).")


def say_size(summary: Mapping[str, Any]) -> str:
    """RETURNS (str): What a column is called."""
    return "all of train" if summary["size"] == ALL else f"N = {summary['size']}"


def summarise_curve(metrics: Mapping[str, Any], *, generated: str, sentences: int) -> Dict[str, Any]:
    """Bring together the curve of gold sentences and the level of generated ones.

    metrics (Mapping[str, Any]): The metrics file; the methods are `gold-<sentences>` and the generated one.
    generated (str): Name of the method trained on generated sentences alone.
    sentences (int): How many of them were trained on.
    RETURNS (Dict[str, Any]): `gold` (number of sentences to mean and deviation), `generated`, and `crossing`: the
        largest number of gold sentences that generated ones are not below, 0 where there is none, and the next. The
        last two are None where no sentence was made.
    """
    means: Dict[str, Tuple[float, float]] = {}
    for method, runs in group_runs(metrics["systems"]).items():
        means[method] = mean_and_deviation([metrics["systems"][name]["micro"]["f1"] for name in runs.values()])
    made = means.pop(generated, None)
    gold = {int(method.rpartition("-")[2]): pair for method, pair in means.items()}
    crossing = None
    if made is not None:
        below = max((size for size, (mean, _) in gold.items() if made[0] >= mean), default=0)
        crossing = [below, min((size for size in gold if size > below), default=None)]
    return {"gold": {size: {"mean": mean, "deviation": spread} for size, (mean, spread) in sorted(gold.items())},
            "generated": None if made is None else {"sentences": sentences, "mean": made[0], "deviation": made[1]},
            "crossing": crossing, "test_sentences": metrics["gold"]["count"]}


def find_published(told: Optional[Mapping[str, Any]], method: str, size: Any, *, chosen: bool = False,
                   ) -> Optional[float]:
    """Find the document's number of a method.

    told (Optional[Mapping[str, Any]]): The document's numbers of the corpus.
    method (str): The method.
    size (Any): Names of each label, or `ALL`.
    chosen (bool): Whether it is the variant chosen on dev: that of the document where it does not list variants.
    RETURNS (Optional[float]): F1 in percent, if the document has it.
    """
    family = GENERATED if chosen and method.startswith(GENERATED) else method
    if told and size == ALL:
        return told.get("high_resource", {}).get(family)
    if not told or size not in told["sizes"]:
        return None
    scores = told["f1"].get(method) or told["f1"].get(family)
    return scores[told["sizes"].index(size)] if scores else None


def percent(value: float) -> str:
    return f"{100 * value:.2f}"


def points(value: float) -> str:
    return f"{100 * value:+.2f}"


def count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
