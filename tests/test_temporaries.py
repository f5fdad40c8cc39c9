"""Temporaries of killed processes are swept; those of living ones, and all other files, stay."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest

from spacy_bioner.files import open_atomic
from spacy_bioner.locks import ProcessName, ThreadLock
from spacy_bioner.temporaries import _sweep_once, sweep, temporary_file, temporary_folder

WRITE = """
import os, sys, time
from pathlib import Path
from spacy_bioner.files import fill_folder, open_atomic
target = Path(sys.argv[1])

def fill(folder):
    (folder / "half").write_text("text")
    with open_atomic(target / "file.jsonl") as file_:
        file_.write("half")
        file_.flush()
        print("ready", flush=True)
        time.sleep(60)

fill_folder(target / "folder", fill)
"""


@pytest.fixture
def dead():
    """Return a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    return ProcessName(ProcessName.own().host, process.pid, 1)


@pytest.mark.issue(21)
def test_what_a_killed_process_left_is_swept_by_the_next_one(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", WRITE, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    left = sorted(path.name for path in tmp_path.iterdir())
    assert len(left) == 2 and all(str(process.pid) in name for name in left)
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == left, "a living process keeps its own"
    process.send_signal(signal.SIGKILL)
    process.wait()
    _sweep_once.cache_clear()
    with open_atomic(tmp_path / "other.jsonl") as file_:
        file_.write("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["other.jsonl"]


@pytest.mark.issue(21)
def test_leftovers_are_swept_and_nothing_else(tmp_path, dead):
    ours = f".out.{dead}.a1b2c3d4"
    kept = [".out.config", ".other.a1b2c3d4", "out", f".out.{ProcessName.own()}.a1b2c3d4",
            f".out.{os.getpid()}-1.a1b2c3d4"]
    for name in (ours, f"{ours}.old", *kept):
        (tmp_path / name).mkdir()
    (tmp_path / f".file.{dead}.a1b2c3d4.tmp").touch()
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)


def test_a_folder_that_stepped_aside_takes_its_place_again(tmp_path, dead):
    (tmp_path / f".out.{dead}.a1b2c3d4.old").mkdir()
    (tmp_path / f".out.{dead}.a1b2c3d4.old" / "a").touch()
    (tmp_path / f".out.{dead}.a1b2c3d4").mkdir()
    sweep(tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "a"]


@pytest.mark.parametrize("make", [temporary_file, temporary_folder])
def test_of_another_machine_what_is_locked_or_young_stays(tmp_path, monkeypatch, make):
    with monkeypatch.context() as there:
        there.setattr(ProcessName, "own", classmethod(lambda cls: ProcessName("elsewhere", 1, 1)))
        with make(tmp_path / "out") as held:
            os.utime(held, (1, 1))
            sweep(tmp_path)
            assert held.exists(), "locked"
            left = tmp_path / held.name.replace("out", "young")
            left.touch()
            sweep(tmp_path)
            assert left.exists(), "young"
            os.utime(left, (1, 1))
            sweep(tmp_path)
            assert held.exists() and not left.exists()


def test_a_process_is_told_from_a_later_one_with_its_number():
    own = ProcessName.own()
    assert ProcessName.read(str(own)) == own and not own.is_dead()
    assert ProcessName(own.host, own.pid, own.started + 1).is_dead()
    assert not ProcessName("elsewhere", own.pid, 1).is_dead()
    assert [ProcessName.read(name) for name in ("", "5", "a-1-h", "5--h", "5-1-")] == [None] * 5


def _try(lock, queue):
    with lock:
        queue.put("taken")


def test_a_lock_that_is_held_is_free_in_a_forked_child():
    context = multiprocessing.get_context("fork")
    queue, lock = context.SimpleQueue(), ThreadLock()
    with lock:
        child = context.Process(target=_try, args=(lock, queue))
        child.start()
        child.join(60)
    assert child.exitcode == 0 and queue.get() == "taken"


def test_writing_beside_many_files_looks_through_them_once(tmp_path):
    for number in range(3000):
        (tmp_path / f"{number}").touch()
    started = time.monotonic()
    for number in range(300):
        with temporary_file(tmp_path / f"{number}"):
            pass
    assert time.monotonic() - started < 5
