"""The commands of the command line, those of groups by two words."""

from typing import Any, Dict, List, Sequence, Tuple

from typer.main import get_command

from spacy_bioner.cli.experiment import list_verbs
from spacy_bioner.cli.main import app


def find_command(arguments: Sequence[str]) -> Tuple[Any, List[str]]:
    """Return the command that a command line names, and the arguments after it."""
    command, rest = get_command(app), list(arguments)
    while hasattr(command, "commands"):
        command = command.commands[rest.pop(0)]
    return command, rest


def all_commands() -> Dict[str, Any]:
    """Return each verb, such as `train spancat`, with its command."""
    return {verb: find_command(verb.split())[0] for verb in list_verbs(get_command(app))}
