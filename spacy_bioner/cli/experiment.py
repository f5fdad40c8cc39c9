"""The verb experiment: a YAML file of steps and rows in, trainings and a table with intervals out."""

import shlex
import signal
import sys
from pathlib import Path
from typing import Any, List, Optional, Sequence

import typer

from ..errors import BionerError, Errors
from ..project_files import find_project_file
from ._shared.settings import read_overrides

_EXPERIMENTS = Path("configs") / "experiments"


def experiment_cli(
    ctx: typer.Context,
    config: Path = typer.Argument(..., help="Experiment (YAML): a file, or the name of one in configs/experiments."),
    output: Path = typer.Argument(..., metavar="OUT", help="Folder for all that is made; table.md and table.json."),
    data: Path = typer.Option(Path("assets/corpora"), help="Folder of the corpora."),
    profile: str = typer.Option("", help="Profile, as --vars.profile; the experiment may have values for it."),
    quick: bool = typer.Option(False, "--quick/--full", help="The small form that the experiment names under quick."),
    only: List[str] = typer.Option([], metavar="ROW", help="Only the rows whose name holds this, and what they need; "
                                                           "can be repeated."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Show the steps and an estimate of GPU memory and "
                                                            "hours, and run none."),
    gpu_id: int = typer.Option(-1, "--gpu-id", "-g", min=-1, help="GPU, -1 for the CPU."),
    jobs: int = typer.Option(1, "--jobs", "-j", min=1, help="Steps that may run side by side; each is a process of its "
                                                            "own, on the same GPU."),
) -> None:
    """Run an experiment step by step and compare its rows; override values with --vars.name 1, --lists.seed '[1]'.

    Finished steps are skipped, so the same command resumes an interrupted run. A step runs again if its
    arguments, a file that it reads, or a step before it changed. What no row needs is not run.

    Example: spacy-bioner experiment configs/experiments/ifd.yml out --quick

    Writes table.md, table.json, logs and what the steps made, in OUT.
    """
    from ..experiments.definition import read_experiment
    from ..experiments.execution import run_plan
    from ..experiments.expansion import expand
    from ..experiments.measurement import measure_rows
    from ..experiments.results_table import write_report

    overrides = {**read_overrides(ctx.args), **({"vars.profile": profile} if profile else {})}
    experiment = read_experiment(find_experiment(config), quick=quick, overrides=overrides)
    expanded = expand(experiment, data=find_project_file(data), out=output, gpu_id=gpu_id)
    if only:
        expanded = expanded.only(*only)
    refuse_other_verbs(expanded.plan, ctx)
    expanded.refuse_missing(output)
    if dry_run:
        return show_plan(expanded, output)
    # A step must not go on alone when this process is told to end.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    measured = measure_rows(expanded.without(run_plan(expanded.plan, output, jobs=jobs)))
    command = spell_command(config, output, data, ctx.args, profile=profile, quick=quick, only=only, gpu_id=gpu_id)
    written = write_report(experiment, measured, expanded.plan, output, command)
    typer.echo(written[1].read_text(encoding="utf8"))
    print(f"Written: {', '.join(map(str, written))}", file=sys.stderr)


def find_experiment(path: Path) -> Path:
    """Find an experiment.

    path (Path): A file, or the name of one in configs/experiments.
    RETURNS (Path): The file, in the working folder or among those that come with the package.
    """
    shipped = find_project_file(_EXPERIMENTS / path.parent / f"{path.stem}.yml")
    return shipped if not path.is_file() and shipped.is_file() else find_project_file(path)


def refuse_other_verbs(plan: Any, ctx: typer.Context) -> None:
    """Find steps that cannot be run.

    plan (Plan): The steps.
    ctx (typer.Context): Of this verb; its parent knows all verbs.
    RAISES BionerError: E722 for a step that runs what is no verb.
    """
    assert ctx.parent is not None, "a command of a group has a parent"
    verbs = list_verbs(ctx.parent.command)
    for step in plan.steps:
        # A command line may be filled in with nothing.
        verb = step.verb if step.arguments else ""
        if verb not in verbs:
            raise BionerError(Errors.E722.format(name=step.name, verb=verb, known=", ".join(verbs)))


def list_verbs(command: Any, group: str = "") -> List[str]:
    """List the verbs of the command line, those of a group after its name.

    command (TyperGroup): The app, or a group of it.
    group (str): Name of the group.
    RETURNS (List[str]): The verbs.
    """
    found: List[str] = []
    for name, each in command.commands.items():
        full = f"{group} {name}".strip()
        found += list_verbs(each, full) if hasattr(each, "commands") else [full]
    return found


def show_plan(expanded: Any, output: Path) -> None:
    """Print the steps as command lines, how many are still to be run, and what these take on a GPU, estimated."""
    from ..experiments.estimate import estimate_plan
    from ..experiments.execution import Journal

    journal = Journal(output, expanded.plan)
    done = [journal.is_done(step) for step in expanded.plan.steps]
    for step, finished in zip(expanded.plan.steps, done):
        typer.echo(f"{'# done: ' if finished else ''}spacy-bioner {shlex.join(step.arguments)}")
    print(f"{len(done)} steps, {done.count(False)} to run; {len(expanded.rows)} rows: {', '.join(expanded.rows)}",
          file=sys.stderr)
    left = [step for step, finished in zip(expanded.plan.steps, done) if not finished]
    print_estimate(estimate_plan(expanded.plan, left=left))


def print_estimate(estimate: Any) -> None:
    """Print what the steps that are left take on a GPU, to standard error."""
    if estimate.largest:
        kinds = sorted(estimate.by_kind.items(), key=lambda item: -item[1])
        most = ", ".join(f"{kind} {hours:.1f} h" for kind, hours in kinds[:4] if hours >= 0.05)
        print(f"Estimated, not measured, for one H200: {estimate.hours:.1f} h{f' ({most})' if most else ''}; "
              f"GPU memory {estimate.gibibytes:.0f} GiB, in {estimate.largest}", file=sys.stderr)
    if estimate.unknown:
        shown = ", ".join(estimate.unknown[:3])
        print(f"Not estimated, since a model or a corpus is not known: {len(estimate.unknown)} steps, such as {shown}",
              file=sys.stderr)


def spell_command(config: Path, output: Path, data: Optional[Path], rest: list, *, profile: str = "",
                  quick: bool = False, only: Sequence[str] = (), gpu_id: int = -1) -> list:
    """Return the command of a run, with what differs from the defaults."""
    options = [*(["--data", str(data)] if data != Path("assets/corpora") else []),
               *(["--profile", profile] if profile else []), *(["--quick"] if quick else []),
               *(part for row in only for part in ("--only", row)), *(["--gpu-id", str(gpu_id)] if gpu_id >= 0 else [])]
    return ["spacy-bioner", "experiment", str(config), str(output), *options, *rest]
