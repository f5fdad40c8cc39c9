"""The command line as a whole: its version, its groups, and what it says of a wrong verb or option."""

import subprocess
import sys
from pathlib import Path

import pytest
from command_line import all_commands
from typer.main import get_command

from spacy_bioner import __version__
from spacy_bioner.cli._shared.overrides import OverridableCommand, split_overrides
from spacy_bioner.cli.main import app
from spacy_bioner.experiments.steps import VERB_GROUPS

COMMANDS = all_commands()
# Options that mean the same in each verb, with their second name.
UNIFORM = {"--config": "-c", "--gpu-id": "-g", "--seed": None, "--profile": None, "--overwrite": None}


def test_version_is_printed(verb):
    code, out, _ = verb("--version")
    assert (code, out.strip()) == (0, f"spacy-bioner {__version__}")


def test_experiments_know_the_groups_of_verbs():
    groups = {name for name, command in get_command(app).commands.items() if hasattr(command, "commands")}
    assert groups == set(VERB_GROUPS)


@pytest.mark.parametrize("arguments, told", [
    pytest.param(["evalute"], "Did you mean 'evaluate'?", id="verb"),
    pytest.param(["train", "spancta"], "Did you mean 'spancat'?", id="verb-of-a-group"),
    pytest.param(["train", "spancat", "a", "b", "--sead", "1"], "--seed", id="option"),
    pytest.param(["evaluate", "a", "b", "--ouput", "c"], "--output", id="option-without-overrides"),
    pytest.param(["prepare", "a", "b", "c", "--leaks", "maybe"], "'drop'", id="choice"),
])
def test_a_wrong_verb_option_or_choice_suggests_the_right_one(verb, arguments, told):
    code, _, err = verb(*arguments)
    assert code == 2 and told in " ".join(err.split())


@pytest.mark.parametrize("verb", COMMANDS)
def test_common_options_have_the_same_names_and_kind(verb):
    for parameter in COMMANDS[verb].params:
        for option, short in UNIFORM.items():
            if option in parameter.opts:
                assert parameter.opts == ([option, short] if short else [option])
                assert parameter.is_flag == (option == "--overwrite")


@pytest.mark.parametrize("verb", COMMANDS)
def test_a_verb_with_a_config_takes_overrides(verb):
    has_config = any("--config" in parameter.opts for parameter in COMMANDS[verb].params)
    assert not has_config or isinstance(COMMANDS[verb], OverridableCommand)


@pytest.mark.parametrize("args, own, overrides", [
    pytest.param(["a", "--x.y", "1", "b"], ["a", "b"], ["--x.y", "1"], id="between-arguments"),
    pytest.param(["--x.y=1", "a"], ["a"], ["--x.y=1"], id="with-equals-sign"),
    pytest.param(["--labels", "a.yml", "--x.y", "-1"], ["--labels", "a.yml"], ["--x.y", "-1"], id="negative"),
    pytest.param(["--", "--x.y", "1"], ["--", "--x.y", "1"], [], id="after-two-dashes"),
    pytest.param(["--or=a.b", "c.d"], ["--or=a.b", "c.d"], [], id="dot-in-a-value"),
])
def test_overrides_are_separated_wherever_they_stand(args, own, overrides):
    assert split_overrides(args) == (own, overrides)


@pytest.mark.issue(21)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_standard_output_is_named():
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-m", "spacy_bioner", "--version"], stdout=full, stderr=subprocess.PIPE,
                              text=True)
    assert done.returncode == 1
    assert done.stderr == "spacy-bioner: No space left on device: standard output\n"
