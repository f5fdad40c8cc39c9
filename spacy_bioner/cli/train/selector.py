"""The verb train selector: gold records in, a selector of candidates out."""

from pathlib import Path
from typing import List, Optional

import typer

from ...config_files import find_config
from ...errors import BionerError, Errors
from .._shared.gpu import set_up_gpu
from .._shared.schema import read_schema
from .._shared.settings import CONFIG, PROFILE, read_overrides
from .spancat import Tune, count_updates, own_settings, say_best

_OWNED = {"paths.gold": "GOLD", "paths.dev": "--dev", "paths.predicted": "--predicted",
          "paths.dev_predicted": "--dev-predicted", "paths.curve": "OUT", "run.seed": "--seed",
          "training.seed": "--seed", "training.max_steps": "--updates", "training.eval_frequency": "--evaluations",
          "run.evaluate_every": "--evaluations", "run.only_predicted": "--dev-predicted",
          "corpora.train.path": "GOLD", "corpora.train.predicted": "--predicted",
          "corpora.train.held_out": "--held-out", "corpora.dev.path": "--dev",
          "corpora.dev.predicted": "--dev-predicted"}


def train_selector_cli(
    ctx: typer.Context,
    gold: Path = typer.Argument(..., metavar="GOLD", help="Gold records, split train."),
    output: Path = typer.Argument(..., metavar="OUT", help="Folder for the curve and the pipeline model-best."),
    config: Optional[Path] = CONFIG,
    profile: Optional[str] = PROFILE,
    dev: Path = typer.Option(..., help="Gold records of the dev set; checkpoint and threshold are chosen on it."),
    labels: Optional[Path] = typer.Option(None, help="Label schema (YAML): labels that candidates may have, and their "
                                                     "definitions for a model that reads them."),
    predicted: Optional[Path] = typer.Option(None, help="What the annotator found in GOLD, untrained on it."),
    dev_predicted: Optional[Path] = typer.Option(None, help="What the annotator found in the dev texts."),
    held_out: List[Path] = typer.Option([], help="Further records whose sentences may not be used: test."),
    updates: int = typer.Option(0, min=0, help="Steps of training; 0: as the config says."),
    evaluations: int = typer.Option(8, min=1, help="How often the dev set is scored, about."),
    tune: Tune = typer.Option(Tune.labels, help="Thresholds chosen on dev: one for each label, one for all, or none."),
    recall_loss: Optional[float] = typer.Option(None, min=0, max=100, help="Points of recall that thresholds may cost "
                                                "on dev, such as 0.5; by default they are those of the best F1."),
    seed: int = typer.Option(0, min=0, help="Random seed of weights, candidates and order."),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", min=-1, help="GPU, -1 for the CPU."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Remove what OUT holds of another training."),
) -> None:
    """Train a selector, which tells correct spans from wrong ones.

    Gold mentions are correct; moved, relabelled and invented ones are wrong. Threshold and temperature are chosen on
    dev.

    Example: spacy-bioner train selector train.jsonl selector --labels labels.yml --dev dev.jsonl

    Writes the pipeline OUT/model-best and a learning curve.
    """
    from ...training.config import refuse_owned
    from ...training.selector.selector_training import SelectorRun, run_selector

    if tune is Tune.none and recall_loss is not None:
        raise BionerError(Errors.E545)
    files = find_config("selector", config, profile)
    set_up_gpu(gpu_id)
    overrides = read_overrides(ctx.args)
    refuse_owned(overrides, own_settings(_OWNED, updates=updates))
    definitions = read_schema(labels).labels if labels else {}
    run = SelectorRun(config=files, gold=gold, dev=dev, predicted=predicted, dev_predicted=dev_predicted, seed=seed,
                      updates=count_updates(files, overrides, updates=updates, example="selector"),
                      evaluations=evaluations, tune=tune.value, overrides=overrides, recall_loss=recall_loss,
                      labels=tuple(definitions), definitions=definitions, held_out=(dev, *held_out))
    typer.echo(say_best(output / "model-best", run_selector(run, output, gpu_id=gpu_id, overwrite=overwrite)))
