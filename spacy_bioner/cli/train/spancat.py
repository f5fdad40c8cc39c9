"""The verb train spancat: gold and synthetic records in, a trained pipeline out, by one of the strategies."""

from dataclasses import replace
from enum import Enum
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional, Sequence

import typer

from ...config_files import ConfigFiles, find_config, missing_section
from ...errors import BionerError, Errors, first_fault
from .._shared.gpu import set_up_gpu
from .._shared.settings import CONFIG, PROFILE, read_overrides

NO_GOLD = Path("-")
_WORDS = "spacy.batch_by_words.v1"
_OWNED = {"paths.gold": "GOLD", "paths.dev": "--dev", "paths.curve": "OUT", "run.seed": "--seed",
          "training.seed": "--seed", "training.max_steps": "--updates", "training.eval_frequency": "--evaluations",
          "run.evaluate_every": "--evaluations", "corpora.train.held_out": "--held-out",
          "corpora.train.sources": "GOLD and --synthetic", "corpora.train.sources.*.path": "GOLD or --synthetic",
          "corpora.train.sources.*.doubtful": "--doubtful", "corpora.dev.sources.dev.path": "--dev"}
_ARGUMENTS = {"gold": "GOLD", "synthetic": "--synthetic"}


class Tune(str, Enum):
    """For which labels thresholds are chosen on dev."""

    labels = "labels"
    all = "all"
    none = "none"


def train_spancat_cli(
    ctx: typer.Context,
    gold_path: Path = typer.Argument(..., metavar="GOLD", help="Gold records, split train. A minus stands for none: "
                                                               "synthetic records alone are trained on, as with an "
                                                               "empty file."),
    output: Path = typer.Argument(..., metavar="OUT", help="Folder for the stages, the learning curve and the pipeline "
                                                           "model-best."),
    config: Optional[Path] = CONFIG,
    profile: Optional[str] = PROFILE,
    strategy: str = typer.Option("gold", help="gold, synthetic, S1, S2, S3, S4, pretrain_finetune or "
                                                   "pretrain_once."),
    strategies: Optional[Path] = typer.Option(None, help="Strategies; by default strategies.cfg beside the config."),
    synthetic: Optional[Path] = typer.Option(None, help="Synthetic or augmented records, split train."),
    doubtful: Optional[Path] = typer.Option(None, help="What a selector dropped from the synthetic records, as "
                                            "`select spans` writes it: these places are left out of the loss."),
    dev: Path = typer.Option(..., help="Records on which the best state is chosen."),
    held_out: List[Path] = typer.Option([], help="Further records whose sentences may not be used: test."),
    updates: int = typer.Option(0, min=0, help="Steps of all stages together; 0: as the config says."),
    epochs: int = typer.Option(0, min=0, help="Steps as this many epochs over gold take, in place of --updates."),
    stage_epochs: str = typer.Option("", metavar="N,N", help="In place of --updates: a number for each stage of the "
                                                             "strategy, its epochs over its own records. S3: 20,10."),
    evaluations: int = typer.Option(8, min=1, help="How often the dev set is scored, about."),
    tune: Tune = typer.Option(Tune.labels, help="Thresholds chosen on dev: one for each label, one for all, or none."),
    seed: int = typer.Option(0, min=0, help="Random seed of weights, order and dropout."),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", min=-1, help="GPU, -1 for the CPU."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Remove what OUT holds of another training."),
) -> None:
    """Train a span categorizer on gold records, synthetic ones, or both.

    Every strategy takes the same number of steps, so that they compare; with --stage-epochs each takes what its records
    need. Thresholds are chosen on dev.

    Example: spacy-bioner train spancat train.jsonl training/gold --dev dev.jsonl

    Writes the pipeline OUT/model-best, the stages and a learning curve.
    """
    import logging
    import sys

    from ...training.config import refuse_owned, split_sources
    from ...training.stages import Run, count_steps, run_stages
    from ...training.strategies import plan_epochs, plan_stages

    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("spacy_bioner").setLevel(logging.INFO)
    gold = gold_path if gold_path != NO_GOLD else None
    if gold is not None and synthetic is not None and is_empty(gold):
        typer.echo(f"note: {gold} holds no record, so the training goes on with synthetic records alone", err=True)
        strategy, gold, epochs = "synthetic", None, 0
    if doubtful is not None and synthetic is None:
        raise BionerError(Errors.E539)
    if stage_epochs and (updates or epochs):
        raise BionerError(Errors.E560)
    each = read_epochs(stage_epochs)
    overrides, of_sources = split_sources(read_overrides(ctx.args))
    owned = own_settings(_OWNED, updates=updates, epochs=epochs, stage_epochs=each)
    refuse_owned(read_overrides(ctx.args), owned)
    files = find_config("spancat", config, profile)
    beside = files.path.with_name("strategies.cfg")
    chosen = strategies or (beside if beside.is_file() else None)
    settings = _read_strategies(find_config("strategies", chosen, profile))
    if gold is not None and synthetic is not None and is_empty(synthetic):
        typer.echo(f"note: {synthetic} holds no record, so the training goes on with gold alone", err=True)
        strategy, synthetic = "gold", None
        of_sources.pop("synthetic", None)
    given = {name: {**settings["sources"].get(name, {}), **of_sources.get(name, {}), "path": path}
             for name, path in (("gold", gold), ("synthetic", synthetic)) if path is not None}
    run = Run(config=files, strategy=strategy, stages=[], sources=given, dev=dev, held_out=[dev, *held_out],
              seed=seed, evaluations=evaluations, tune=tune.value, overrides=overrides)
    if each:
        stages = plan_epochs(strategy, settings["strategies"], each, given, partial(count_steps, run))
    else:
        words = {name: count_words(source) for name, source in given.items()}
        updates = count_updates(files, overrides, updates=updates, epochs=epochs, gold=given.get("gold"))
        stages = plan_stages(strategy, settings["strategies"], updates, words)
    sources = used_sources(stages, strategy, given, of_sources)
    for name in sorted(set(given) - set(sources)):
        also = " and what --doubtful says of it" if name == "synthetic" and doubtful is not None else ""
        typer.echo(f"note: strategy {strategy} does not train on {_ARGUMENTS[name]}{also}", err=True)
    if doubtful is not None and "synthetic" in sources:
        sources["synthetic"]["doubtful"] = doubtful
    set_up_gpu(gpu_id)
    run = replace(run, stages=stages, sources=sources)
    typer.echo(say_best(output / "model-best", run_stages(run, output, gpu_id=gpu_id, overwrite=overwrite)))


def say_best(path: Path, card: Dict[str, Any]) -> str:
    """Return how a trained pipeline does on dev: with the thresholds chosen on it, else with those it had."""
    best, tuned = card["best"], card.get("tuned") or {}
    before = f"P {best['dev_p']:.2f} R {best['dev_r']:.2f} F {best['dev_f']:.2f}"
    if not tuned:
        return f"{path}: dev {before}"
    return f"{path}: dev F {tuned['dev_f']:.2f} with thresholds chosen on it; {before} before"


def is_empty(path: Path) -> bool:
    """Return whether a file of records is there and holds none."""
    from ...files import read_lines

    return path.is_file() and next(iter(read_lines(path)), None) is None


def read_epochs(told: str) -> List[float]:
    """Read the epochs of stages.

    told (str): Numbers with commas between them; empty for none.
    RETURNS (List[float]): The numbers.
    RAISES BionerError: E559 for what is no such list.
    """
    try:
        epochs = [float(part) for part in told.split(",")] if told else []
    except ValueError:
        raise BionerError(Errors.E559.format(found=told)) from None
    if not all(0 < number < float("inf") for number in epochs):
        raise BionerError(Errors.E559.format(found=told))
    return epochs


def own_settings(owned: Dict[str, str], *, updates: int, epochs: int = 0,
                 stage_epochs: Sequence[float] = ()) -> Dict[str, str]:
    """Return dotted keys that a verb sets to the options that say them; without a number of updates
    given, that of the config counts, and may be overridden."""
    option = "--updates" if updates else "--epochs" if epochs else "--stage-epochs"
    return {**owned, "run.updates": option} if updates or epochs or stage_epochs else owned


def count_updates(config: ConfigFiles, overrides: Dict[str, Any], *, updates: int, epochs: int = 0,
                  gold: Optional[Dict[str, Any]] = None, example: str = "spancat") -> int:
    """Say how many steps a training takes.

    config (ConfigFiles): The training config.
    overrides (Dict[str, Any]): Its overrides.
    updates (int): The number where it is given, else 0.
    epochs (int): Passes over the gold sentences that the updates should amount to, or 0.
    gold (Optional[Dict[str, Any]]): Settings of the source of gold records.
    example (str): Name of a config of the verb, for the error.
    RETURNS (int): Updates; without both numbers those of [run] in the config.
    RAISES BionerError: E525 where epochs are given without gold, E541 where the config says nothing of updates, E550
        where it does not make its batches by words.
    """
    from ...training.config import find_setting

    if updates:
        return updates
    content = config.read(overrides)
    if not epochs:
        return int(find_setting(content, "run.updates", path=config, example=example))
    if gold is None:
        raise BionerError(Errors.E525)
    return max(1, round(epochs * count_words(gold) / find_batch_size(config, overrides)))


def find_batch_size(config: ConfigFiles, overrides: Dict[str, Any]) -> float:
    """Return the words of a batch; raises BionerError E550 for a config that does not make its batches by words."""
    from ...training.config import find_setting

    content = config.read(overrides)
    size = find_setting(content, "training.batcher.size", path=config)
    kind = find_setting(content, "training.batcher", path=config).get("@batchers")
    if kind != _WORDS or not isinstance(size, (int, float)):
        raise BionerError(Errors.E550.format(path=config, found=f"made by {kind}, size {size}"))
    return size


def count_words(source: Dict[str, Any]) -> float:
    """Count what an epoch gives of a source.

    source (Dict[str, Any]): Its settings; path, limit and weight count.
    RETURNS (float): Units of the texts, by which batches are measured too.
    """
    from ...formats.jsonl import read_jsonl
    from ...tokens import find_units

    used = islice(read_jsonl(source["path"]), source.get("limit") or None)
    return source.get("weight", 1.0) * sum(len(find_units(record.text)) for record in used)


def _read_strategies(path: ConfigFiles) -> Dict[str, Any]:
    from pydantic import ValidationError

    from ...training.strategies import Strategy

    content = path.read()
    for section in ("sources", "strategies"):
        if section not in content:
            raise missing_section(path, (section,), content)
    try:
        known = {name: Strategy.model_validate(value) for name, value in content["strategies"].items()}
    except ValidationError as error:
        key, why = first_fault(error)
        raise BionerError(Errors.E703.format(key=key, section="strategies", path=path, why=why)) from None
    return {"sources": content["sources"], "strategies": known}


def used_sources(stages: Sequence[Any], strategy: str, given: Dict[str, Dict[str, Any]],
                 changes: Iterable[str]) -> Dict[str, Dict[str, Any]]:
    """Keep the sources that stages train on.

    stages (Sequence[Stage]): The stages.
    strategy (str): Their strategy, for the error.
    given (Dict[str, Dict[str, Any]]): The sources that there are.
    changes (Iterable[str]): Sources that settings are given for.
    RETURNS (Dict[str, Dict[str, Any]]): Those that are used.
    RAISES BionerError: E554 for settings of another source.
    """
    used = {name for stage in stages for name in stage.sources}
    for name in changes:
        if name not in used:
            raise BionerError(Errors.E554.format(source=name, strategy=strategy, known=", ".join(sorted(used))))
    return {name: source for name, source in given.items() if name in used}
