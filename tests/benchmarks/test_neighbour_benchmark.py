"""The benchmark of a busy neighbour: turns, ratios and the end of the neighbour; no model runs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks import neighbour  # noqa: E402

pytestmark = pytest.mark.issue(22)


def test_the_neighbour_is_gone_afterwards(monkeypatch):
    started = []
    popen = subprocess.Popen

    def start(*arguments, **options):
        started.append(popen(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", start)
    with neighbour.busy_neighbour():
        assert started[0].poll() is None
    assert started[0].poll() is not None


def test_each_work_is_warmed_up_and_then_timed_as_often_busy_as_quiet():
    done = []
    seconds = neighbour.measure(lambda: done.append(1), rounds=1)
    assert len(done) == 3 and set(seconds) == {"quiet", "busy"}


@pytest.mark.parametrize("plain", [False, True])
def test_the_measured_process_has_the_thread_settings_unless_plain(monkeypatch, plain):
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    result = {"load_before": 0.1, "seconds": {"annotation": {"quiet": 2.0, "busy": 3.0}}}

    def start(command, *, env, **options):
        assert env.get("OMP_WAIT_POLICY") == (None if plain else "PASSIVE")
        return subprocess.CompletedProcess(command, 0, stdout=f"{json.dumps(result)}\n")

    monkeypatch.setattr(subprocess, "run", start)
    [ratio] = neighbour.run(plain=plain)["ratios"]
    assert ratio["ratio"] == 1.5 and ratio["aim"] == neighbour.AIM
