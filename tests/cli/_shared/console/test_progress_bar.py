"""What long work says of itself where nobody sees a bar."""

import re

import pytest

from spacy_bioner.cli._shared.console import progress_bar
from spacy_bioner.cli._shared.console.progress_bar import show_progress


@pytest.fixture
def clock(monkeypatch):
    """Seconds that the work has taken, set by the test."""
    now = [0.0]
    monkeypatch.setattr(progress_bar.time, "monotonic", lambda: now[0])
    return now


def test_log_gets_line_now_and_then_with_time_left_and_note(clock, capsys):
    with show_progress("updates") as advance:
        for step in range(1, 101):
            clock[0] += 2.0
            advance(completed=step, total=200, note=f"loss {step}")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 20
    assert lines[0] == "updates 5/200, 0.5/s, 0:06:30 left, loss 5"
    assert all(re.fullmatch(r"updates \d+/200, 0\.5/s, 0:0\d:\d\d left, loss \d+", line) for line in lines)


def test_short_work_says_nothing(clock, capsys):
    with show_progress("IFD", total=3) as advance:
        for _ in range(3):
            clock[0] += 1.0
            advance()
    assert capsys.readouterr().err == ""


def test_steps_of_earlier_run_do_not_shorten_time_left(clock, capsys):
    with show_progress("updates", total=1000) as advance:
        advance(completed=900)
        clock[0] += 40.0
        advance(completed=910)
    assert capsys.readouterr().err == "updates 910/1,000, 0.25/s, 0:06:00 left\n"


def test_failures_and_rate_are_shown_without_a_known_total(clock, capsys):
    with show_progress("Annotating") as advance:
        clock[0] += 10.0
        advance(done=1500, failed=2)
    assert capsys.readouterr().err == "Annotating 1,500, 150/s, 2 failed\n"


def test_documents_that_arrive_at_once_do_not_raise_the_rate(clock, capsys):
    with show_progress("Annotating", total=40) as advance:
        clock[0] += 10.0
        for _ in range(20):
            advance(failed=0)
        clock[0] += 10.0
        advance(failed=0)
    assert capsys.readouterr().err.splitlines()[-1] == "Annotating 21/40, 1.05/s, 0:00:18 left, 0 failed"
