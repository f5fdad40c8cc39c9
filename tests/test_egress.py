"""Nothing leaves the machine unless a server or a hub name is configured."""

import json
import os
import socket
import subprocess
import sys
import time

import pytest
from places import ROOT
from small_trainings import as_arguments, small_settings, write_sentences

from spacy_bioner.errors import BionerError
from spacy_bioner.llm.local.hub import resolve_model

# Notes each attempt to reach another machine, also in the libraries, and lets none through.
WATCH = """
import json, socket, sys
log, *verbs = sys.argv[1:]

def refuse(*arguments, **options):
    with open(log, "a") as file_:
        file_.write(f"{arguments} {options}\\n")
    raise OSError("no network in this test")

for name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, name, refuse)
socket.getaddrinfo = socket.create_connection = socket.gethostbyname = refuse
from spacy_bioner.cli.main import main
for verb in verbs:
    sys.argv[1:] = json.loads(verb)
    try:
        main()
    except SystemExit as stop:
        if stop.code:
            raise
"""


def run_watched(log, *verbs):
    """Run verbs one after another in a new process, which must succeed without an attempt to reach another machine."""
    environment = {key: value for key, value in os.environ.items() if key not in ("HF_HUB_OFFLINE",)}
    lines = [json.dumps([str(word) for word in verb]) for verb in verbs]
    done = subprocess.run([sys.executable, "-c", WATCH, str(log), *lines], capture_output=True, text=True,
                          env={**environment, "PYTHONPATH": str(ROOT)}, cwd=ROOT, timeout=500)
    assert done.returncode == 0, done.stderr[-2000:]
    assert not log.exists(), log.read_text()


@pytest.mark.issue(21)
def test_annotating_training_and_applying_reach_no_other_machine(tmp_path):
    write_sentences(tmp_path / "train.jsonl", "train", range(8))
    write_sentences(tmp_path / "dev.jsonl", "dev", range(2))
    run_watched(
        tmp_path / "log", ["annotate", tmp_path / "dev.jsonl", tmp_path / "out.jsonl"],
        ["train", "spancat", tmp_path / "train.jsonl", tmp_path / "trained", "--dev", tmp_path / "dev.jsonl",
         "--updates", 2, "--evaluations", 1, *as_arguments(small_settings("bioner_spancat"))],
        ["annotate", tmp_path / "dev.jsonl", tmp_path / "applied.jsonl", "--pipeline",
         tmp_path / "trained" / "model-best"])
    assert (tmp_path / "out.jsonl").is_file() and (tmp_path / "applied.jsonl").is_file()


@pytest.mark.issue(21)
def test_an_unknown_model_without_a_network_is_an_error_within_two_seconds(monkeypatch):
    import huggingface_hub.constants as constants

    def no_network(*arguments, **options):
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    started = time.monotonic()
    with pytest.raises(BionerError, match="the model 'nobody/no-such-model'"):
        resolve_model("nobody/no-such-model")
    assert time.monotonic() - started < 2


@pytest.mark.issue(21)
@pytest.mark.parametrize("swallowed", ["getaddrinfo", "create_connection"])
def test_a_network_that_swallows_packets_is_an_error_within_two_seconds(monkeypatch, swallowed):
    import huggingface_hub.constants as constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)

    def wait(*arguments, **options):
        time.sleep(5)
        raise TimeoutError

    monkeypatch.setattr(socket, swallowed, wait)
    started = time.monotonic()
    with pytest.raises(BionerError, match="did not answer within 1.5 seconds"):
        resolve_model("nobody/no-such-model")
    assert time.monotonic() - started < 2
