"""The help of every verb: all its words are shown. Square brackets are markup there, and swallowed."""

import re

import pytest
from command_line import all_commands
from rich.text import Text

from spacy_bioner.config_files import find_config

COMMANDS = all_commands()


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_no_word_of_the_help_is_swallowed(name):
    command = COMMANDS[name]
    said = [command.help, *(parameter.help for parameter in command.params if getattr(parameter, "help", None))]
    assert [Text.from_markup(text).plain for text in said] == said


def test_the_help_of_train_spancat_names_every_strategy():
    known = find_config("strategies").read()["strategies"]
    said = next(parameter.help for parameter in COMMANDS["train spancat"].params if parameter.name == "strategy")
    assert set(known) <= set(re.findall(r"\w+", said))
