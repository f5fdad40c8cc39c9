"""The losses of a training, as a table a program reads and a plot a person reads."""

from pathlib import Path
from typing import Mapping, Sequence, Tuple

from ...extras import extra
from ...files import open_atomic, write_json_lines


def write_losses(folder: Path, history: Sequence[Mapping[str, float]], scores: Sequence[Tuple[int, float]]) -> None:
    """Write `losses.jsonl` and `loss.svg`.

    folder (Path): Where to.
    history (Sequence[Mapping[str, float]]): A row of figures an update.
    scores (Sequence[Tuple[int, float]]): Updates done and the score on dev then.
    """
    scored = dict(scores)
    write_json_lines(folder / "losses.jsonl", (
        {**row, **({"dev_f1": scored[int(row["update"])]} if row["update"] in scored else {})} for row in history))
    _plot(folder / "loss.svg", history, scores)


def _plot(path: Path, history: Sequence[Mapping[str, float]], scores: Sequence[Tuple[int, float]]) -> None:
    with extra("report"):
        from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    updates = [row["update"] for row in history]
    losses = [row["loss"] for row in history]
    axes.plot(updates, losses, color="#9ecae1", linewidth=1, label="loss of the step")
    axes.plot(updates, _running_mean(losses), color="#08519c", label="running mean")
    axes.set(xlabel="step", ylabel="loss per answer token", yscale="log")
    lines, names = axes.get_legend_handles_labels()
    if scores:
        right = axes.twinx()
        right.plot(*zip(*scores), color="#a63603", marker="o", label="F1 on dev")
        right.set(ylabel="F1 on dev", ylim=(0, 1))
        more_lines, more_names = right.get_legend_handles_labels()
        lines, names = lines + more_lines, names + more_names
    axes.legend(lines, names, loc="upper right")
    with open_atomic(path, "wb") as file_:
        figure.savefig(file_, format="svg", metadata={"Date": None})


def _running_mean(values: Sequence[float], share: float = 0.1) -> Sequence[float]:
    """Return exponential mean, the first values weighted so that it starts at them."""
    mean, weight, means = 0.0, 0.0, []
    for value in values:
        mean = (1 - share) * mean + share * value
        weight = (1 - share) * weight + share
        means.append(mean / weight)
    return means
