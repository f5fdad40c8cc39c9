"""Running a plan: finished steps skipped, changes followed, failures told in one line, kills survived."""

import os
import signal
import subprocess
import sys
import time

import pytest
from places import HELPERS

from spacy_bioner.errors import BionerError
from spacy_bioner.experiments import execution as running
from spacy_bioner.experiments.execution import Journal, last_line, lock, run_plan
from spacy_bioner.experiments.steps import Plan, Step

STAND_IN = HELPERS / "stand_in_verb.py"


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """Return what makes steps, runs them, and says which ones were called."""
    monkeypatch.setattr(running, "COMMAND", (sys.executable, str(STAND_IN)))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    # Where it is set the order of what a step says is right by itself.
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)

    class Bench:
        out = tmp_path / "out"
        said = []

        def step(self, name, *arguments, verb="make"):
            return Step(name, (verb, str(self.out / name), *map(str, arguments)), self.out / name)

        def run(self, *steps):
            calls = tmp_path / "calls"
            calls.unlink(missing_ok=True)
            self.said = []
            run_plan(Plan(steps), self.out, say=self.said.append)
            return calls.read_text(encoding="utf8").split() if calls.exists() else []

    bench = Bench()
    bench.out.mkdir()
    return bench


def test_each_step_runs_after_those_it_names_and_once(bench):
    last = bench.step("c", bench.out / "a", f"name={bench.out / 'b'}")
    steps = [last, bench.step("b", bench.out / "a"), bench.step("a")]
    assert bench.run(*steps) == ["a", "b", "c"]
    assert bench.run(*steps) == []
    assert all(line.endswith("done before") for line in bench.said)


def test_a_change_of_an_argument_runs_what_depends_on_it_and_nothing_else(bench):
    first, other = bench.step("a"), bench.step("other")
    second = bench.step("b", bench.out / "a")
    bench.run(first, other, second)
    assert bench.run(bench.step("a", "--seed", 2), other, second) == ["a", "b"]
    assert bench.run(bench.step("a", "--seed", 2), other, bench.step("b", bench.out / "a", "--seed", 2)) == ["b"]


def test_what_was_made_on_a_gpu_is_gone_on_with_on_a_cpu(bench):
    bench.run(bench.step("a", "--seed", 1, "--gpu-id", 0))
    second = bench.step("b", bench.out / "a", "--gpu-id", -1)
    assert bench.run(bench.step("a", "--seed", 1, "--gpu-id", -1), second) == ["b"]
    assert bench.run(bench.step("a", "--seed", 2, "--gpu-id", -1), second) == ["a", "b"]


def test_a_change_of_a_given_file_runs_what_reads_it(bench, tmp_path):
    config = tmp_path / "some.cfg"
    config.write_text("1")
    steps = [bench.step("a", config), bench.step("b")]
    bench.run(*steps)
    config.write_text("2")
    assert bench.run(*steps) == ["a"]


def test_what_is_missing_is_made_again(bench):
    steps = [bench.step("a"), bench.step("b")]
    bench.run(*steps)
    (bench.out / "b").unlink()
    assert bench.run(*steps) == ["b"]


def test_a_failing_step_is_one_line_and_keeps_the_finished_ones(bench):
    steps = [bench.step("a"), bench.step("b", bench.out / "a", verb="fail")]
    with pytest.raises(BionerError) as caught:
        bench.run(*steps)
    message = str(caught.value)
    assert "`b`" in message and "the disk is full" in message and "b.log" in message and "\n" not in message
    assert "much is said" in Journal(bench.out, Plan(steps)).log_path(steps[1]).read_text()
    mended = bench.step("b", bench.out / "a")
    assert bench.run(steps[0], mended) == ["b"]
    assert mended.output.read_text() == "make"


@pytest.fixture
def generator(bench):
    """Return a function that makes a step that reports how much it has made."""
    def make(verb, count):
        report = bench.out / "report.json"
        return Step("g", (verb, str(bench.out / "g"), str(report), str(count)), bench.out / "g", beside=(report,),
                    made=f"{report}#accepted")
    return make


@pytest.mark.parametrize("verb", ["report", "give-up"])
def test_what_needs_a_step_that_reports_to_have_made_nothing_is_left_out_without_an_error(bench, generator, verb):
    empty, needs_it, other = generator(verb, 0), bench.step("d", bench.out / "g"), bench.step("b")
    for _ in range(2):
        unmade = run_plan(Plan([empty, needs_it, other]), bench.out, say=bench.said.append)
        assert [step.name for step in unmade] == ["g", "d"]
        assert other.output.exists() and not needs_it.output.exists()
        assert "d: not run, it needs g" in bench.said[-1]


def test_a_step_that_gave_up_is_tried_again(bench, generator):
    bench.run(generator("give-up", 0))
    assert bench.run(generator("give-up", 0)) == ["g"]
    assert bench.run(generator("report", 3), bench.step("d", bench.out / "g")) == ["g", "d"]


def test_a_failure_after_something_was_made_is_an_error(bench, generator):
    with pytest.raises(BionerError, match="`g`"):
        bench.run(generator("give-up", 2))


def test_steps_that_do_not_need_each_other_run_side_by_side(bench):
    # Each of the two waits for the other to have begun: one after the other they would wait for ever.
    pair = [bench.step("a", "b", verb="meet"), bench.step("b", "a", verb="meet")]
    last = bench.step("c", bench.out / "a", bench.out / "b")
    run_plan(Plan([last, *pair]), bench.out, jobs=3, say=bench.said.append)
    assert last.output.exists()
    assert bench.run(last, *pair) == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_does_not_need_a_failed_step_is_run_nevertheless(bench, jobs):
    failing, needs_it = bench.step("a", verb="fail"), bench.step("d", bench.out / "a")
    others = [bench.step("b"), bench.step("c", bench.out / "b")]
    with pytest.raises(BionerError, match="`a`"):
        run_plan(Plan([failing, needs_it, *others]), bench.out, jobs=jobs, say=bench.said.append)
    assert others[-1].output.exists() and not needs_it.output.exists()
    assert sum("the disk is full" in line for line in bench.said) == 1
    assert [line.split()[1:] for line in bench.said if "not run" in line] == ["d: not run, it needs a".split()]
    assert bench.run(*others) == []
    assert bench.run(bench.step("a"), needs_it, *others) == ["a", "d"]


def test_what_lies_beside_an_output_is_removed_when_a_step_is_begun(bench):
    report = bench.out / "report.json"
    report.write_text("of the time before")
    step = Step("a", ("fail", str(bench.out / "a")), bench.out / "a", beside=(report,))
    with pytest.raises(BionerError):
        bench.run(step)
    assert not report.exists()


def test_a_step_that_makes_nothing_has_failed(bench):
    step = Step("a", ("make", str(bench.out / "elsewhere")), bench.out / "a")
    with pytest.raises(BionerError) as caught:
        bench.run(step)
    message = str(caught.value)
    assert f"`a` succeeded but did not make {bench.out / 'a'}." in message and "a.log" in message
    assert "failed" not in message and "\n" not in message
    assert bench.run(bench.step("a")) == ["a"]


RUN = """
import sys
from pathlib import Path
from spacy_bioner.experiments import execution
from spacy_bioner.experiments.steps import Plan, Step
import signal
# Also where the tests themselves run in the background, which ignores interrupts.
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, signal.default_int_handler)
execution.COMMAND = (sys.executable, sys.argv[1])
out = Path(sys.argv[2])
execution.run_plan(Plan([Step("a", ("make", str(out / "a")), out / "a"),
                       Step("b", ("hang", str(out / "b"), str(out / "a")), out / "b")]), out)
"""


def wait_for(path):
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_free(folder):
    try:
        with lock(folder):
            return True
    except BionerError:
        return False


@pytest.mark.parametrize("kill", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL],
                         ids=["terminated", "interrupted", "killed"])
def test_a_killed_run_ends_its_step_and_resumes_from_there(tmp_path, kill):
    out, calls = tmp_path / "out", tmp_path / "calls"
    out.mkdir()
    command = [sys.executable, "-c", RUN, str(STAND_IN), str(out)]
    environment = {**os.environ, "CALLS": str(calls)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               start_new_session=True)
    wait_for(out / "b" / "checkpoint")
    with pytest.raises(BionerError, match="Another run"), lock(out):
        pass
    if kill is signal.SIGKILL:  # which a process cannot pass on: the step gets it too, as when memory or power is out
        os.killpg(process.pid, kill)
    else:
        process.send_signal(kill)
    assert process.wait(timeout=30) != 0
    # Nobody is left who holds it; a step that got the signal itself may need a moment to be gone.
    deadline = time.monotonic() + (20 if kill is signal.SIGKILL else 0)
    while not is_free(out):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    (tmp_path / "go").touch()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert calls.read_text().split() == ["a", "b", "b"]
    assert (out / "b" / "done").read_text() == "1", "what the killed step had written was there"
    plan = Plan([Step("b", ("hang", str(out / "b"), str(out / "a")), out / "b")])
    assert Journal(out, plan).read(plan.steps[0]).attempts == 2


@pytest.mark.parametrize("log, line", [
    pytest.param("one\nspacy-bioner: two.\n\n", "two", id="message"),
    pytest.param("10%\r 20%\r", "20%", id="bar"),
    pytest.param("╭ Error ──╮\n│ Invalid value. │\n╰───╯\n", "Invalid value", id="frame"),
    pytest.param("", "no message", id="empty"),
])
def test_the_last_line_says_why(tmp_path, log, line):
    (tmp_path / "log").write_text(log, newline="")
    assert last_line(tmp_path / "log") == line
