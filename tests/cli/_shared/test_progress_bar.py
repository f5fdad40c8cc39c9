"""What long work says of itself where nobody sees a bar."""

import re

import pytest

from spacy_bioner.cli._shared import progress_bar
from spacy_bioner.cli._shared.progress_bar import show_bar


@pytest.fixture
def clock(monkeypatch):
    """Seconds that the work has taken, set by the test."""
    now = [0.0]
    monkeypatch.setattr(progress_bar.time, "monotonic", lambda: now[0])
    return now


def test_log_gets_line_now_and_then_with_time_left_and_note(clock, capsys):
    with show_bar("updates", total=0) as advance:
        for step in range(1, 101):
            clock[0] += 2.0
            advance(completed=step, total=200, note=f"loss {step}")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 6
    assert lines[0] == "updates 15/200, 0:06:10 left, loss 15"
    assert all(re.fullmatch(r"updates \d+/200, 0:0\d:\d\d left, loss \d+", line) for line in lines)


def test_short_work_says_nothing(clock, capsys):
    with show_bar("IFD", total=3) as advance:
        for _ in range(3):
            clock[0] += 1.0
            advance()
    assert capsys.readouterr().err == ""


def test_steps_of_earlier_run_do_not_shorten_time_left(clock, capsys):
    with show_bar("updates", total=1000) as advance:
        advance(completed=900)
        clock[0] += 40.0
        advance(completed=910)
    assert capsys.readouterr().err == "updates 910/1000, 0:06:00 left\n"
