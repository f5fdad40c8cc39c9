"""A project of `spacy project`: its variables and workflows, checked before anything runs."""

import math
import os
import re
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Set, Tuple

from pydantic import BaseModel, ValidationError

from ..errors import BionerError, Errors
from ..settings import suggest

PROJECT_FILE = "project.yml"
PREFIX = "--vars."
_REFERENCE = re.compile(r"\$\{vars\.(\w+)\}")


class _Command(BaseModel):
    name: str
    script: List[str] = []


class _Content(BaseModel):
    vars: Dict[str, Any] = {}
    workflows: Dict[str, List[str]] = {}
    commands: List[_Command] = []


class Project:
    """A folder with a project.yml.

    folder (Path): The folder.
    variables (Dict[str, Any]): Name to value, as the file has them; some follow from others.
    workflows (Dict[str, List[str]]): Name to the names of its commands.
    commands (List[str]): Names of the commands.
    RAISES BionerError: E744 where there is no project, E755 where its file cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        import srsly
        from srsly.ruamel_yaml.error import YAMLError

        self.path = Path(folder) / PROJECT_FILE
        if not self.path.is_file():
            raise BionerError(Errors.E744.format(path=folder))
        try:
            content = _Content.model_validate(srsly.read_yaml(self.path))
        except ValidationError as error:
            first = error.errors()[0]
            why = f"{'.'.join(map(str, first['loc'])) or 'its content'}: {first['msg']}"
            raise BionerError(Errors.E755.format(path=self.path, why=why)) from None
        except (YAMLError, ValueError) as error:
            raise BionerError(Errors.E755.format(path=self.path, why=" ".join(str(error).split()))) from None
        self.folder = Path(folder)
        self.variables: Dict[str, Any] = content.vars
        self.workflows: Dict[str, List[str]] = content.workflows
        self.commands: List[str] = [command.name for command in content.commands]
        self._scripts = {command.name: command.script for command in content.commands}

    def refuse_unknown(self, names: Iterable[str]) -> None:
        """Raise BionerError E745 for the first variable that the project does not have: it would be passed over."""
        for name in names:
            if name not in self.variables:
                known = [each for each, value in self.variables.items() if not is_derived(value)]
                raise BionerError(Errors.E745.format(name=name, path=self.path, hint=suggest(name, self.variables),
                                                     known=", ".join(known)))

    def refuse_unused(self, names: Iterable[str], workflow: str) -> None:
        """Refuse variables that would change nothing.

        names (Iterable[str]): Variables that the project has.
        workflow (str): The workflow, or the command.
        RAISES BionerError: E756 for the first that no script of it uses, directly or by way of others.
        """
        used: Set[str] = set()
        new = {name for step in self.list_steps(workflow) for line in self._scripts.get(step, ())
               for name in _REFERENCE.findall(line)}
        while new:
            used |= new
            new = {name for each in new for name in _REFERENCE.findall(str(self.variables.get(each, "")))} - used
        for name in names:
            if name not in used:
                known = [each for each, value in self.variables.items() if each in used and not is_derived(value)]
                raise BionerError(Errors.E756.format(name=name, workflow=workflow, known=", ".join(known) or "none"))

    def list_steps(self, name: str) -> List[str]:
        """List the commands of a workflow, or the one command of that name.

        name (str): A workflow or a command.
        RETURNS (List[str]): The commands.
        RAISES BionerError: E746 where there is none of that name.
        """
        if name not in self.workflows and name not in self.commands:
            known = [*self.workflows, *self.commands]
            raise BionerError(Errors.E746.format(name=name, path=self.path, hint=suggest(name, known),
                                                 known=", ".join(known)))
        return self.workflows.get(name, [name])

    def fill(self, given: Mapping[str, str]) -> Tuple[Dict[str, Any], Dict[str, Dict[str, Any]]]:
        """Fill in the variables.

        given (Mapping[str, str]): Name to value; the others are as the file has them or follow from these.
        RETURNS (Tuple[Dict[str, Any], Dict[str, Dict[str, Any]]]): Variables to values, and names to commands.
        """
        from weasel.util.config import load_project_config

        config = load_project_config(self.folder, overrides={f"vars.{name}": value for name, value in given.items()})
        # In its own section weasel leaves a variable as the file has it.
        return {**config["vars"], **given}, {command["name"]: command for command in config["commands"]}


def read_number(variables: Mapping[str, Any], name: str, *, whole: bool = True) -> float:
    """Read the value of a variable as a number.

    variables (Mapping[str, Any]): Name to value.
    name (str): The variable.
    whole (bool): Whether only a whole number will do.
    RETURNS (float): The number.
    RAISES BionerError: E754 where it is none.
    """
    try:
        number = int(variables[name]) if whole else float(variables[name])
    except (ArithmeticError, TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        wanted = "a whole number" if whole else "a number"
        raise BionerError(Errors.E754.format(name=name, value=variables[name], wanted=wanted))
    return number


def is_derived(value: Any) -> bool:
    """Return whether the value of a variable follows from others."""
    return isinstance(value, str) and "${" in value


def read_parent_variables() -> List[str]:
    """Read which variables the command that started this process was given.

    RETURNS (List[str]): The names after `--vars.`; none where the system does not tell, as outside of Linux.
    """
    path = Path(f"/proc/{os.getppid()}/cmdline")
    if not path.is_file():
        return []
    words = path.read_bytes().decode("utf8", "replace").split("\0")
    return [word[len(PREFIX):].partition("=")[0] for word in words if word.startswith(PREFIX)]
