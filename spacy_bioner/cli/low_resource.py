"""The verb low-resource: with few gold sentences, does it pay to generate, to augment, or neither?

Each part is a verb of its own, run one after the other; a part that is finished is not run again.
"""

import sys
from pathlib import Path
from typing import Optional

import typer

from ..files import write_json
from ._shared.settings import read_overrides
from .low_resource_data import fix_data, join_generated
from .low_resource_settings import GENERATED, read_low_resource
from .low_resource_steps import LowResourceSteps, has_given_up
from .low_resource_summary import write_summary


def low_resource_cli(
    ctx: typer.Context,
    corpus: Path = typer.Argument(..., help="Folder with train, dev and test as sentences, as prepare makes it."),
    output: Path = typer.Argument(..., metavar="OUT", help="Folder of the experiment; the same command goes on with "
                                                           "what is not finished there."),
    labels: Path = typer.Option(..., help="Label schema (YAML)."),
    generator: Optional[Path] = typer.Option(None, help="Adapter of `train generator`, taught without these labels."),
    profile: Path = typer.Option(Path("configs/embedded"), help="Folder of the configs."),
    quick: bool = typer.Option(False, "--quick/--full", help="The small form: values of section low_resource.quick."),
    curve: bool = typer.Option(False, "--curve/--no-curve",
                               help="Generated sentences alone against numbers of gold ones too."),
    list_only: bool = typer.Option(False, "--list", help="Fix the data and list the parts, but run none."),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", help="GPU, -1 for the CPU."),
    jobs: int = typer.Option(1, "--jobs", "-j", min=1, help="Steps that may run side by side; each is a process of its "
                                                            "own, on the same GPU."),
) -> None:
    """Compare gold alone, simple changes, rewriting and generated sentences over sizes of the dictionary."""
    from ..experiments.execution import run_plan
    from ..experiments.steps import Plan
    from ._shared.schema import read_schema

    settings = read_low_resource(profile / "low_resource.cfg", read_overrides(ctx.args), quick=quick)
    schema = read_schema(labels)
    card = fix_data(corpus, output, settings, name=schema.corpus, curve=curve)
    write_json(output / "card.json", {"settings": settings.model_dump(mode="json"), "gold": card})
    trials = LowResourceSteps(settings, corpus=corpus, output=output, labels=labels, profile=profile,
                              lang=schema.lang, generator=generator, gpu_id=gpu_id, curve=curve)
    if list_only:
        for step in Plan(trials.steps(), cache=trials.cache).steps:
            typer.echo(f"{step.verb} -> {step.output}")
        return
    # What is trained follows from what was made: nothing is trained under the name of sentences that there are not.
    run_plan(Plan(trials.data_steps(), cache=trials.cache), output, jobs=jobs, excuse=has_given_up)
    if settings.high_resource is not None and GENERATED in settings.high_resource.methods:
        join_generated(output, settings)
    run_plan(Plan(trials.steps(), cache=trials.cache), output, jobs=jobs)
    for line in write_summary(output, corpus=schema.corpus, sizes=settings.sizes, whole=settings.whole_sizes,
                              high=settings.high_resource is not None, curve=curve, failed=trials.failed(),
                              reports=trials.reports(), published=settings.published, resamples=settings.resamples):
        typer.echo(line)
    print(f"tables and plots -> {output / 'low-resource.html'}, .md, .json and {output / 'plots'}", file=sys.stderr)
