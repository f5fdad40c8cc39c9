"""Commands of a workflow at once: only those that do not wait for each other, and none goes on after a failure."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest
import srsly
from places import ROOT

from spacy_bioner.workflow.project import Project
from spacy_bioner.workflow.script_lines import load_libraries
from spacy_bioner.workflow.side_by_side import Workflow, estimate_end, find_waits

pytestmark = pytest.mark.issue(22)

# Waits until another command has written its file, so that it ends only if both run at once.
MEET = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); end = time.time() + 20\n" \
       "while not pathlib.Path(sys.argv[2]).exists() and time.time() < end: time.sleep(0.02)\n" \
       "assert time.time() < end"


def command(name, *, deps=(), outputs=(), script=()):
    return {"name": name, "help": name, "deps": list(deps), "outputs": list(outputs), "script": list(script)}


def make_project(folder, *commands):
    (folder / "meet.py").write_text(MEET)
    (folder / "given").write_text("")
    srsly.write_yaml(folder / "project.yml", {
        "vars": {}, "workflows": {"all": [each["name"] for each in commands]}, "commands": list(commands)})
    return folder


def run(folder, *options):
    return subprocess.run([sys.executable, "-m", "spacy_bioner", "run", "all", "--project", str(folder), *options],
                          capture_output=True, text=True, timeout=60)


def test_independent_commands_run_at_once_and_what_waits_runs_afterwards(tmp_path):
    project = make_project(
        tmp_path, command("one", deps=["given"], outputs=["a"], script=["python meet.py a b"]),
        command("two", deps=["given"], outputs=["b"], script=["python meet.py b a"]),
        command("three", deps=["a", "b"], outputs=["c"], script=["python -c \"open('c','w');print('made c')\""]))
    done = run(project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[three] made c" in done.stdout
    again = run(project)
    assert again.stdout.count("skipped, nothing changed") == 3


@pytest.mark.parametrize("verb", [
    pytest.param("convert", id="started"),
    pytest.param("evaluate", id="forked"),
])
def test_a_verb_of_this_package_runs_as_in_a_process_of_its_own(tmp_path, verb):
    (tmp_path / "notes.jsonl").write_text('{"id": "1", "text": "Gout.", "spans": []}\n')
    first, wrong = {"convert": ("notes.jsonl made", "missing.jsonl x"),
                    "evaluate": ("notes.jsonl a=notes.jsonl -o made", "missing.jsonl a=notes.jsonl -o x")}[verb]
    project = make_project(
        tmp_path, command("right", deps=["given"], outputs=["made.jsonl"],
                          script=[f"python -m spacy_bioner {verb} {first}.jsonl"]),
        command("wrong", deps=["made.jsonl"], outputs=["x.jsonl"],
                script=[f"python -m spacy_bioner {verb} {wrong}.jsonl"]),
        command("never", deps=["x.jsonl"], outputs=["y"], script=["python -c pass"]))
    done = run(project)
    assert done.returncode == 1, done.stdout + done.stderr
    assert (tmp_path / "made.jsonl").is_file(), done.stdout
    assert "[wrong] spacy-bioner: " in done.stdout and "missing.jsonl" in done.stdout
    assert "The command 'wrong' ended with exit code 1" in done.stderr and "Traceback" not in done.stderr
    assert "[never]" not in done.stdout


def test_waiting_costs_no_processor_time(tmp_path, monkeypatch):
    load_libraries()
    make_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    # The second one is forked while the output of the first is open, and outlives it.
    commands = [command("short", deps=["given"], outputs=["a"], script=["python -c \"import time;time.sleep(0.5)\""]),
                command("long", deps=["given"], outputs=["b"], script=["python -m spacy_bioner evaluate"])]
    before = time.process_time()
    Workflow(tmp_path, commands, at_once=2, run_verb=lambda words: time.sleep(3)).run()
    assert time.process_time() - before < 1


def test_a_failure_ends_what_runs_beside_it(tmp_path):
    project = make_project(
        tmp_path, command("long", deps=["given"], outputs=["a"], script=["python -c \"import time;time.sleep(60)\""]),
        command("wrong", deps=["given"], outputs=["b"], script=["python -c \"import sys;sys.exit(3)\""]))
    began = time.monotonic()
    done = run(project)
    assert done.returncode == 1 and "exit code 3" in done.stderr
    assert time.monotonic() - began < 30


def test_a_missing_input_is_told(tmp_path):
    done = run(make_project(tmp_path, command("one", deps=["nowhere"], outputs=["a"], script=["python -c pass"])))
    assert done.returncode == 1 and "'one' reads nowhere, which is not there" in done.stderr


@pytest.mark.parametrize("script, told", [
    pytest.param([""], "it is empty", id="empty"),
    pytest.param(["python -c 'pass"], "No closing quotation", id="quote"),
    pytest.param(["nosuchprogram a"], "no program 'nosuchprogram' is found", id="program"),
])
def test_a_line_that_cannot_be_run_is_told_before_anything_runs(tmp_path, script, told):
    done = run(make_project(
        tmp_path, command("first", deps=["given"], outputs=["a"], script=["python -c \"open('a', 'w')\""]),
        command("wrong", deps=["a"], outputs=["b"], script=script)))
    assert done.returncode == 1 and f"The command 'wrong' cannot run the line {script[0]!r}" in done.stderr, done.stderr
    assert told in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "a").exists()


def test_a_command_without_a_script_and_the_bare_package_are_run_as_they_are(tmp_path):
    project = make_project(tmp_path, {"name": "none", "help": "none", "outputs": ["a"]},
                           command("help", outputs=["b"], script=["python -m spacy_bioner"]))
    done = run(project)
    assert "Usage" in done.stdout and "Traceback" not in done.stdout + done.stderr


@pytest.mark.skipif(not hasattr(signal, "SIGTERM") or os.name == "nt", reason="the system has no such signals")
def test_told_to_end_the_run_ends_its_commands(tmp_path):
    write = "python -c \"import os,time;open('pid','w').write(str(os.getpid()));os.replace('pid','a');time.sleep(60)\""
    project = make_project(tmp_path, command("long", deps=["given"], outputs=["a"], script=[write]))
    process = subprocess.Popen([sys.executable, "-m", "spacy_bioner", "run", "all", "--project", str(project)],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "a").exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.terminate()
    _, told = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM and "run the same command to resume" in told
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "a").read_text()), 0)


def list_commands(name):
    project = Project(ROOT)
    _, commands = project.fill({})
    return [commands[step] for step in project.list_steps(name)]


@pytest.mark.parametrize("name", ["all", "distil"])
def test_each_command_of_the_project_names_what_it_reads_of_earlier_ones(name):
    commands = list_commands(name)
    waits = find_waits(commands)
    for place, each in enumerate(commands):
        words = {word for line in each["script"] for word in re.split(r"[\s=\"]+", line) if "/" in word}
        for earlier in commands[:place]:
            made = [path for path in earlier.get("outputs", []) for word in words
                    if word == path or word.startswith(f"{path}/") or path.startswith(f"{word}/")]
            assert not made or earlier["name"] in reach(waits, each["name"]), (each["name"], earlier["name"], made)


def reach(waits, name):
    """Return what a command waits for, also by way of others."""
    return waits[name].union(*(reach(waits, earlier) for earlier in waits[name]))


def test_gold_is_trained_beside_the_language_model_and_the_header_is_first():
    waits = find_waits(list_commands("all"))
    assert waits["plan"] == set() and waits["prepare"] == {"plan"}
    assert not {"train-annotator", "annotate"} & reach(waits, "train-gold")
    assert not {"train-selector"} & reach(waits, "annotate")
    assert waits["show"] == set(waits) - {"show"}


def test_the_estimate_counts_what_runs_at_once_once():
    commands = [command("one", deps=["given"], outputs=["a"]), command("two", deps=["given"], outputs=["b"]),
                command("three", deps=["a", "b"], outputs=["c"])]
    minutes = {"one": 3.0, "two": 2.0, "three": 1.0}
    assert estimate_end(commands, minutes, 2) == 4.0
    assert estimate_end(commands, minutes, 1) == 6.0
