"""The short forms of `memory` and `growth`: the verbs inside this process, on hundreds of records."""

import time
import tracemalloc

import pytest
from typer.testing import CliRunner

from benchmarks.chaos import growth, memory
from benchmarks.chaos.many_records import write_pipeline, write_records, write_replies, write_schema
from spacy_bioner.cli.main import app

pytestmark = pytest.mark.issue(21)
# Bytes for each further record that may be noise, of a table of 128 KiB that has grown or not.
NOISE = 100
TEXTS = 50
SIZES = (600, 2400)
# What is planned and asked together must be less than the smaller size; a pipeline holds two groups of 256 texts.
MORE = {"annotate": ["--annotate.window", "50"]}
# A short measurement is not exact; what grows with the square has 2.
EXPONENT = 1.4


def run(arguments):
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, (arguments, result.output, result.exception)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Inputs of several sizes, of few different texts, so that what remembers texts is full."""
    base = tmp_path_factory.mktemp("sizes")
    write_schema(base / "labels.yml")
    write_replies(base / "replies.jsonl", texts=TEXTS)
    write_pipeline(base / "pipeline")
    for size in SIZES:
        (base / str(size)).mkdir()
        write_records(base / str(size) / "in.jsonl", size, texts=TEXTS)
    return base


@pytest.mark.parametrize("name", [name for name in memory.VERBS if name not in memory.HELD])
def test_a_verb_that_streams_takes_no_more_memory_for_more_records(name, folder):
    if name == "decode":
        for size in SIZES:
            run(memory.VERBS["encode"](folder, folder / str(size)))
    # The first time fills what is filled once.
    run([*memory.VERBS[name](folder, folder / str(SIZES[0])), *MORE.get(name, ())])
    peaks = []
    for size in SIZES:
        tracemalloc.start()
        try:
            run([*memory.VERBS[name](folder, folder / str(size)), *MORE.get(name, ())])
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert (peaks[1] - peaks[0]) / (SIZES[1] - SIZES[0]) < NOISE, peaks


@pytest.mark.parametrize("name", ["annotate", "evaluate"])
def test_time_grows_as_the_records_do(name, tmp_path):
    sizes = [tmp_path / str(factor) for factor in growth.FACTORS]
    for folder, factor in zip(sizes, growth.FACTORS):
        growth._write_inputs(folder, 50 * factor)
        if name != "annotate":
            run(growth.VERBS["annotate"](folder))

    def measure(folder):
        (folder / "cache.sqlite").unlink(missing_ok=True)
        started = time.process_time()
        run(growth.VERBS[name](folder))
        return time.process_time() - started

    measure(sizes[0])
    times = [measure(folder) for folder in sizes]
    for _ in range(3):
        # Another process may have slowed one of them down.
        if growth.find_exponent(times) <= EXPONENT:
            break
        times = [min(taken, measure(folder)) for taken, folder in zip(times, sizes)]
    assert growth.find_exponent(times) <= EXPONENT, times
