"""The verb review status: the learning curve so far, what the next sentences bring, and whether to stop."""

from pathlib import Path
from typing import List, Optional

import typer

from ...errors import BionerError, Errors
from ...files import write_json
from .._shared.console.progress_bar import show_progress
from .._shared.outputs import refuse_own_input


def review_status_cli(
    train: Path = typer.Argument(..., metavar="TRAIN", help="Training set that grows, as `review import` writes it."),
    dev: Optional[Path] = typer.Option(None, help="Development set that the curve is measured on."),
    pipeline: List[Path] = typer.Option([], help="Pipelines trained on TRAIN as it grew; their dev F1 is taken in "
                                                 "place of quick trainings. Give four or more."),
    more: int = typer.Option(50, "--n", min=1, help="How many sentences come next."),
    worth: float = typer.Option(0.5, min=0, help="Points of F1 that the next sentences should bring at least."),
    seed: int = typer.Option(0, min=0, help="Random seed of trainings and bootstrap."),
    output: Optional[Path] = typer.Option(None, "-o", "--output", help="Curve and forecast as JSON."),
) -> None:
    """Show the learning curve so far, and say whether to go on.

    Without pipelines, quick probes (a span head on the fixed vectors of the small encoder) are trained on the
    beginnings of TRAIN: F1 is lower than that of a pipeline, the shape is what counts.

    Example: spacy-bioner review status train.jsonl --dev dev.jsonl

    Prints the curve, the forecast and the advice.
    """
    from ...formats.jsonl import read_jsonl
    from ...review.curve_measurement import REPEATS, SIZES, count_changes, measure_curve, read_curve
    from ...review.forecast import forecast
    from ...review.status_report import describe_changes, describe_curve, describe_forecast, to_json

    if output is not None:
        refuse_own_input(output, [train, dev])
    if pipeline and dev is not None:
        raise BionerError(Errors.E730.format(option="--dev", why="the pipelines say their own dev F1"))
    if not pipeline and dev is None:
        raise BionerError(Errors.E737.format(option="--dev", found="", wanted="the development set, or pipelines"))
    records, held_out = (list(read_jsonl(path)) if path is not None else [] for path in (train, dev))
    for path, found in ((train, records), (dev, held_out)):
        if path is not None and not found:
            raise BionerError(Errors.E008.format(path=path))
    if pipeline:
        points = read_curve(pipeline)
    else:
        with show_progress("probes", total=SIZES * REPEATS) as advance:
            points = measure_curve(records, held_out, seed=seed, advance=advance)
    coming = forecast(points, more=more, worth=worth / 100, seed=seed)
    changes = count_changes(records)
    for line in (*describe_changes(changes), *describe_curve(points, coming), *describe_forecast(coming, worth=worth)):
        typer.echo(line)
    if output is not None:
        write_json(output, to_json(points, coming, changes, worth=worth))
