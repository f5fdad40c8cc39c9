"""The verb run: variables as options, unknown ones refused, then what `spacy project run` does."""

import json
import os
import sys

import pytest
import srsly
from places import ROOT

from spacy_bioner.cli.run import read_variables

pytestmark = pytest.mark.issue(24)


@pytest.fixture
def project(tmp_path):
    """A project whose one command writes the value of a variable to a file."""
    code = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"
    srsly.write_yaml(tmp_path / "project.yml", {
        "vars": {"corpus": "mine", "gold_limit": 0, "run": "${vars.corpus}-x"}, "workflows": {"all": ["write"]},
        "commands": [{"name": "write", "help": "Write.", "outputs": ["${vars.run}"],
                      "script": [f'python -c "{code}" ${{vars.run}} ${{vars.gold_limit}}']}]})
    return tmp_path


def test_options_set_the_variables_of_a_command(verb, project):
    code, out, err = verb("run", "write", "--project", project, "--corpus", "other", "--gold-limit=7")
    assert code == 0, out + err
    assert (project / "other-x").read_text() == "7"


def test_what_has_not_changed_is_skipped_and_force_runs_it(verb, project):
    verb("run", "write", "--project", project)
    assert "nothing changed" in verb("run", "write", "--project", project)[1]
    assert "nothing changed" not in verb("run", "write", "--project", project, "--force")[1]


def test_a_dry_run_writes_nothing(verb, project):
    assert verb("run", "write", "--project", project, "--dry-run")[0] == 0
    assert not (project / "mine-x").exists()


@pytest.mark.parametrize("arguments, told", [
    pytest.param(["write", "--corpuss", "other"], "no variable 'corpuss'. Did you mean 'corpus'?", id="variable"),
    pytest.param(["write", "--vars.goldlimit", "5"], "Did you mean 'gold_limit'?", id="vars"),
    pytest.param(["writ"], "no workflow or command 'writ'. Did you mean 'write'?", id="command"),
    pytest.param(["write", "--corpus"], "has no value", id="no-value"),
    pytest.param(["write", "--corpus", "my notes"], "cut at white space", id="white-space"),
    pytest.param(["write", "--plan"], "is a command and no workflow", id="plan"),
])
def test_what_the_project_does_not_have_is_refused_with_the_nearest_name(refused, project, arguments, told):
    assert told in refused("run", *arguments, "--project", project)
    assert not list(project.glob("*-x"))


@pytest.mark.parametrize("arguments, told", [
    pytest.param(["smoke", "--raw-limit", "8"], "'smoke' does not use the variable raw_limit, which would change "
                 "nothing. It uses: corpus, data, lang, seed.", id="command"),
    pytest.param(["all", "--plan", "--teacher", "a.cfg"], "does not use the variable teacher", id="workflow"),
    pytest.param(["distil", "--plan", "--llm-epochs", "2"], "does not use the variable llm_epochs", id="other"),
])
def test_a_variable_that_would_change_nothing_is_refused(refused, arguments, told):
    assert told in refused("run", *arguments, "--project", ROOT)


def test_a_variable_is_used_by_way_of_others(verb):
    assert verb("run", "select-records", "--dry-run", "--raw-limit", "8", "--project", ROOT)[0] == 1
    assert verb("run", "prepare", "--dry-run", "--raw-limit", "8", "--seed", "2", "--project", ROOT)[0] == 0


def test_a_folder_without_a_project_is_told_how_to_make_one(refused, tmp_path):
    assert "`init` writes one" in refused("run", "--project", tmp_path)


def test_options_are_read_in_each_form():
    assert read_variables(["--gold-limit", "1", "--vars.raw_limit", "2", "--epochs=3", "--gpu-id", "-1"]) == {
        "gold_limit": "1", "raw_limit": "2", "epochs": "3", "gpu_id": "-1"}


@pytest.mark.skipif(not os.path.exists("/proc/self/cmdline"), reason="the system does not tell the parent's command")
def test_a_run_by_spacy_project_is_checked_too(tmp_path):
    import subprocess

    # The parent of the verb is a process with an unknown variable, as weasel's is.
    code = "import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-m', 'spacy_bioner', 'run', '--plan', " \
           "'--project', sys.argv[1]]).returncode)"
    done = subprocess.run([sys.executable, "-c", code, str(ROOT), "--vars.corpuss", "anatem"], capture_output=True,
                          text=True)
    assert done.returncode == 1 and "no variable 'corpuss'. Did you mean 'corpus'?" in done.stderr


def test_labels_without_definitions_are_told_before_anything_runs(verb, refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.jsonl").write_text("\n".join(json.dumps({
        "id": str(number), "text": f"Gout number {number}.", "spans": [{"start": 0, "end": 4, "label": "DISEASE"}]})
        for number in range(9)))
    verb("init", "mine", "--from", "notes.jsonl")
    assert "mine/labels.yml has no definition for DISEASE" in refused("run", "--plan", "--project", "mine")
    assert "has no definition" not in verb("run", "distil", "--plan", "--project", "mine")[2]
