"""The verb train head-start: gold of several corpora in, weights that other trainings begin with out."""

from pathlib import Path
from typing import List, Optional

import typer

from ...config_files import find_config
from ...errors import Errors
from .._shared.gpu import set_up_gpu
from .._shared.named_paths import parse_named_paths
from .._shared.outputs import say_next
from .._shared.settings import CONFIG, read_overrides
from .spancat import count_updates, own_settings

_OWNED = {"paths.gold": "NAME=FILE", "paths.dev": "--dev", "paths.curve": "OUT", "run.seed": "--seed",
          "training.seed": "--seed", "training.max_steps": "--updates", "corpora.train.held_out": "--exclude",
          "corpora.train.sources": "NAME=FILE", "corpora.train.sources.*.path": "NAME=FILE"}


def train_head_start_cli(
    ctx: typer.Context,
    sources: List[str] = typer.Argument(..., metavar="NAME=FILE...", help="Corpora with their gold records, split "
                                        "train: bc5cdr=train.jsonl bc2gm=genes.jsonl."),
    output: Path = typer.Argument(..., metavar="OUT", help="Folder for texts, training and the head start."),
    config: Optional[Path] = CONFIG,
    profile: str = typer.Option("head_start", help="Profiles of the config, with commas between them."),
    exclude: List[Path] = typer.Option([], help="Leave out documents that share a sentence with this file: dev and "
                                       "test sets, and corpora that the head start is to be measured on."),
    updates: int = typer.Option(0, min=0, help="Steps of training; 0: as the config says."),
    dev: int = typer.Option(60, min=1, help="Sentences of each corpus that are kept apart, to see what was learnt."),
    seed: int = typer.Option(0, min=0, help="Random seed of weights, order and dropout."),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", min=-1, help="GPU, -1 for the CPU."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Remove what OUT holds of another training."),
) -> None:
    """Train a head start, which trainings on other corpora can begin with.

    One span categorizer is trained on all corpora. In a text of one corpus the labels of the others are left out of the
    loss.

    Example: spacy-bioner train head-start bc5cdr=a/train.jsonl bc2gm=b/train.jsonl start --exclude a/test.jsonl

    Writes the folder OUT/head_start, for the setting start_from of an encoder.
    """
    import logging
    import sys

    from ...training.config import refuse_owned
    from ...training.head_start_training import HeadStartRun, train_head_start

    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("spacy_bioner").setLevel(logging.INFO)
    named = parse_named_paths(sources, taken=(), unreadable=Errors.E573, repeated=Errors.E574)
    files = find_config("spancat", config, profile)
    overrides = read_overrides(ctx.args)
    refuse_owned(overrides, own_settings(_OWNED, updates=updates))
    set_up_gpu(gpu_id)
    run = HeadStartRun(config=files, sources=named, exclude=exclude, dev=dev, seed=seed, overrides=overrides,
                       updates=count_updates(files, overrides, updates=updates))
    card = train_head_start(run, output, gpu_id=gpu_id, overwrite=overwrite)
    for name, score in card["dev_f1"].items():
        typer.echo(f"{name:<28}{card['sources'][name]['sentences']:>9} sentences    dev F {score:.2f}")
    say_next(f"train spancat train.jsonl OUT --dev dev.jsonl "
             f"--components.bioner_spancat.model.tok2vec.start_from {output / 'head_start'}")
