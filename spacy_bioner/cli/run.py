"""The verb run: a workflow of project.yml, with its variables as options and checked."""

import os
import sys
from pathlib import Path
from typing import Any, Dict, List, Sequence

import typer

from ..cpu_threads import divide_threads, usable_cpus
from ..errors import BionerError, Errors
from ..workflow.project import PREFIX, Project, read_number, read_parent_variables
from ._shared.outputs import IN_WORKFLOW
from ._shared.schema import read_schema
from ._shared.verb_command import VerbCommand
from .prepare import find_schema

# The command of a workflow that prints the header itself, and the one whose prompts need definitions.
PLAN = "plan"
_TRAINS = "train-annotator"


class VariableCommand(VerbCommand):
    """Leave options that the verb does not have in `ctx.args`: they name variables of the project."""

    def parse_args(self, ctx: Any, args: List[str]) -> List[str]:
        flags = {option: bool(getattr(parameter, "is_flag", False)) for parameter in self.params
                 for option in parameter.opts}
        own: List[str] = []
        variables: List[str] = []
        rest = list(args)
        while rest:
            word = rest.pop(0)
            name = word.partition("=")[0]
            is_own = not word.startswith("--") or name in flags or name == "--help"
            taken = own if is_own else variables
            taken.append(word)
            takes_value = word.startswith("--") and "=" not in word and not (is_own and flags.get(name, True))
            if takes_value and rest and not rest[0].startswith("--"):
                taken.append(rest.pop(0))
        super().parse_args(ctx, own)
        ctx.args = variables
        return ctx.args

    def collect_usage_pieces(self, ctx: Any) -> List[str]:
        return [*super().collect_usage_pieces(ctx), "[--VARIABLE VALUE]..."]


def run_cli(
    ctx: typer.Context,
    workflow: str = typer.Argument("all", help="A workflow or a command of project.yml: all, smoke, quick, ..."),
    project: Path = typer.Option(Path("."), help="Folder of the project, with project.yml."),
    force: bool = typer.Option(False, "--force", help="Run again what has not changed."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Print the command lines and run none."),
    plan: bool = typer.Option(False, "--plan", help="Only print what would run: corpus, sizes, expected times."),
    at_once: int = typer.Option(2, min=1, help="Commands of a workflow that run at once where none waits for another; "
                                               "on a GPU it is 1."),
) -> None:
    """Run a workflow of project.yml; set its variables by options, such as --corpus mine --profile gpu.

    The variables stand at the top of project.yml, with their meanings. `spacy project run` does the same one command
    after the other, and ignores variables that it does not know. Finished commands are skipped, so the same command
    resumes.

    Example: spacy-bioner run all --corpus embedded --gold-limit 100

    Writes the folders corpus, training, metrics and packages of the project.
    """
    found = Project(project)
    steps = found.list_steps(workflow)
    given = read_variables(ctx.args)
    found.refuse_unknown([*given, *read_parent_variables()])
    found.refuse_unused(given, workflow)
    if plan and workflow not in found.workflows:
        raise BionerError(Errors.E730.format(option="--plan", why=f"'{workflow}' is a command and no workflow"))
    variables, commands = found.fill(given)
    at_once = min(at_once, usable_cpus()) if read_number({"gpu_id": -1, **variables}, "gpu_id") < 0 else 1
    # A project of one's own may have other variables, and then has no header.
    if {"data", "corpus", "raw"} <= set(variables) and (plan or workflow in found.workflows and PLAN not in steps):
        from ..workflow.header import describe_run

        if _TRAINS in steps:
            refuse_undefined(project / str(variables["data"]), str(variables["corpus"]))
        lines = describe_run(workflow, [commands[step] for step in steps], variables, folder=project, at_once=at_once)
        print("\n".join(lines), file=sys.stderr)
    if not plan:
        run_project(project, workflow, given, force=force, dry=dry_run,
                    at_once=at_once if workflow in found.workflows and not dry_run else 1)


def refuse_undefined(data: Path, corpus: str) -> None:
    """Refuse labels without definitions now, and not after the first trainings.

    data (Path): Folder of the corpora.
    corpus (str): The corpus.
    RAISES BionerError: E001 without a label schema, E749 for a label without a definition.
    """
    if not (data / corpus).is_dir():
        return
    path = find_schema(data, corpus, None)
    undefined = [label for label, definition in read_schema(path).labels.items() if not definition]
    if undefined:
        raise BionerError(Errors.E749.format(path=path, labels=", ".join(undefined)))


def read_variables(args: List[str]) -> Dict[str, str]:
    """Read the options that set variables.

    args (List[str]): `--gold-limit 100`, `--gold_limit=100` or `--vars.gold_limit 100`, and so on.
    RETURNS (Dict[str, str]): Name of the variable to its value.
    RAISES BionerError: E747 for an option without a value, E750 for a value that a command line would cut.
    """
    given: Dict[str, str] = {}
    rest = list(args)
    while rest:
        option, is_joined, value = rest.pop(0).partition("=")
        if not is_joined:
            if not rest or rest[0].startswith("--"):
                raise BionerError(Errors.E747.format(option=option))
            value = rest.pop(0)
        name = option.removeprefix(PREFIX).removeprefix("--").replace("-", "_")
        if any(map(str.isspace, value)):
            raise BionerError(Errors.E750.format(name=name, value=value))
        given[name] = value
    return given


def run_project(folder: Path, name: str, variables: Dict[str, str], *, force: bool = False, dry: bool = False,
                at_once: int = 1) -> None:
    """Run a workflow or command; one that fails ends this process.

    folder (Path): The project.
    name (str): The workflow or command.
    variables (Dict[str, str]): Name to value.
    force (bool): Whether commands of which nothing changed run again.
    dry (bool): Whether command lines are printed and not run.
    at_once (int): How many commands may run at once; with 1 they run as by `spacy project run`.
    """
    # What a terminal would colour is escaped here, and asked for by the system, not by whether it is a terminal.
    os.environ.setdefault("ANSI_COLORS_DISABLED", "1")
    os.environ[IN_WORKFLOW] = "1"
    from confection import try_load_json

    overrides = {f"vars.{variable}": try_load_json(value) for variable, value in variables.items()}
    sys.stdout.flush()
    if at_once > 1:
        from ..workflow.side_by_side import run_side_by_side

        divide_threads(at_once)
        run_side_by_side(folder.resolve(), name, overrides, at_once=at_once, run_verb=_run_verb, force=force)
    else:
        from weasel.cli.run import project_run

        project_run(folder.resolve(), name, overrides=overrides, force=force, dry=dry)


def _run_verb(words: Sequence[str]) -> None:
    """Run a verb in this process, which was started for it."""
    from .main import main

    main()
