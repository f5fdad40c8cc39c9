"""The command line as a whole: its version, its groups, and what it says of a wrong verb or option."""

import subprocess
import sys
from pathlib import Path

import pytest
from command_line import all_commands
from places import ROOT
from typer.main import get_command

from spacy_bioner import __version__
from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.cli._shared.overrides import OverridableCommand, split_overrides
from spacy_bioner.cli.main import app
from spacy_bioner.experiments.steps import VERB_GROUPS
from spacy_bioner.formats.jsonl import write_jsonl

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


@pytest.mark.parametrize("option, value", [("--seed", "-1"), ("--gpu-id", "-2")])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_random_seed_or_gpu_that_none_can_be_is_refused(verb, name, option, value):
    if any(option in parameter.opts for parameter in COMMANDS[name].params):
        code, _, err = verb(*name.split(), option, value)
        assert code == 2 and "greater than or equal" in " ".join(err.split())


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


@pytest.fixture
def work(tmp_path, monkeypatch):
    """Return a working folder with small files for the verbs."""
    monkeypatch.chdir(tmp_path)
    write_jsonl(tmp_path / "docs.jsonl", [Annotation("Gout hurts.", (Mention(0, 4, "DISEASE"),), id="a")])
    (tmp_path / "labels.yml").write_text("labels: {DISEASE: illnesses}\n")
    (tmp_path / "seeds.jsonl").write_text('{"text": "gout", "label": "DISEASE", "count": 1}\n')
    (tmp_path / "deep.json").write_text('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}")
    return tmp_path


def same(text):
    return pytest.param(text.split(), id=text.replace(" ", "_"))


@pytest.mark.parametrize("arguments", [
    same("merge a=docs.jsonl ."), same("merge a=. out.jsonl"), same("audit docs.jsonl ."), same("audit . out.jsonl"),
    same("evaluate docs.jsonl a=docs.jsonl -o ."), same("evaluate . a=docs.jsonl -o out.json"),
    same("evaluate docs.jsonl a=. -o out.json"), same("select spans docs.jsonl . --selector ."),
    same("select spans . out.jsonl --selector ."), same("select records docs.jsonl . --labels labels.yml"),
    same("select records . out.jsonl --labels labels.yml"),
    same("review next docs.jsonl ."), same("review next . out.jsonl"), same("review serve ."),
    same("review import . out.jsonl --queue docs.jsonl"), same("review import docs.jsonl . --queue docs.jsonl"),
    same("generate sentences seeds.jsonl . --labels labels.yml"),
    same("generate seeds . out.jsonl --labels labels.yml"),
    same("generate seeds docs.jsonl . --labels labels.yml"), same("generate variants docs.jsonl . --labels labels.yml"),
    same("generate sentences . out.jsonl --labels labels.yml"),
    same("experiment . out"), same("experiment .. out"), same("annotate docs.jsonl ."), same("annotate . out.jsonl"),
    same("convert . out.jsonl"), same("convert docs.jsonl ."), same("inspect docs.jsonl --output ."),
    same("prepare . . out"), same("report . --show"), same("report deep.json --show"),
    same("report docs.jsonl -o out.html --card deep.json"), same("verify ."), same("package . out --name x"),
])
def test_a_path_or_file_that_cannot_be_meant_is_one_line(refused, work, arguments):
    assert "empty name" not in refused(*arguments)


@pytest.mark.parametrize("content", ["", "a: [", "- a", "vars: [1]", "workflows: all", "commands: [x]", "commands: 1",
                                     "commands: [{help: x}]", "workflows: {all: 1}"])
def test_a_project_that_cannot_be_read_is_one_line(refused, work, content):
    (work / "project.yml").write_text(content)
    assert "project.yml" in refused("run")


@pytest.mark.parametrize("option, value", [("--gpu-id", "x"), ("--gold-limit", "many"), ("--test-limit", "1.5"),
                                           ("--epochs", "long"), ("--llm-epochs", "nan")])
def test_a_variable_that_is_no_number_is_named(refused, option, value):
    name = option.strip("-").replace("-", "_")
    assert f"variable {name} is '{value}'" in refused("run", "--plan", "--project", ROOT, option, value)


@pytest.mark.parametrize("arguments", [same("review import docs.jsonl out.jsonl --queue docs.jsonl"),
                                       same("review serve docs.jsonl")])
def test_who_corrects_must_be_said_where_the_user_has_no_name(refused, work, monkeypatch, arguments):
    def getuser():
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr("getpass.getuser", getuser)
    assert "--by" in refused(*arguments)


@pytest.mark.issue(21)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_standard_output_is_named():
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-m", "spacy_bioner", "--version"], stdout=full, stderr=subprocess.PIPE,
                              text=True)
    assert done.returncode == 1
    assert done.stderr == "spacy-bioner: No space left on device: standard output\n"
