"""Decisions on disk: versions, undo, two writers, resent decisions, damaged and foreign files."""

import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.review import decisions
from spacy_bioner.review.decisions import Conflict, DecisionLog, read_decisions

QUEUE = [Annotation("Gout.", (Mention(0, 4, "D", score=0.5),), id="a"), Annotation("No fever.", (), id="b")]
NONE = QUEUE[0].with_mentions(())
OTHER = QUEUE[0].with_mentions([Mention(0, 5, "D")])


@pytest.fixture
def log(tmp_path):
    return DecisionLog(tmp_path / "queue.decisions.db", QUEUE)


def decide(log, version, record=NONE, key=None, status="open"):
    return log.decide("a", version=version, key=key or f"key{version}", action="reject", status=status, record=record,
                      by="mary")


def test_a_decision_is_there_after_a_new_start(log):
    decide(log, 0)
    again = DecisionLog(log.path, QUEUE).latest()
    assert (again["a"].version, again["a"].record, again["a"].by) == (1, NONE, "mary") and again["b"].version == 0


def test_an_outdated_version_is_refused_and_nothing_is_overwritten(log):
    decide(log, 0)
    with pytest.raises(Conflict) as conflict:
        decide(log, 0, OTHER, key="other tab")
    assert conflict.value.latest.record == NONE == log.latest()["a"].record


def test_a_decision_that_is_sent_again_counts_once(log):
    assert decide(log, 0) == decide(log, 0)
    assert log.latest()["a"].version == 1


def test_undo_goes_back_step_by_step_and_stops_at_what_was_given(log):
    decide(log, 0)
    decide(log, 1, OTHER, status="done")
    states = [log.undo("a", version=version, key=f"undo{version}", by="mary") for version in (2, 3, 4)]
    assert [one.record.mentions for one in states] == [NONE.mentions, QUEUE[0].mentions, QUEUE[0].mentions]
    assert [one.version for one in states] == [3, 4, 4]
    assert decide(log, 4, OTHER).record == OTHER
    assert log.undo("a", version=5, key="undo5", by="mary").record.mentions == QUEUE[0].mentions


def test_of_many_writers_at_once_one_wins_each_version(log):
    def write(number):
        try:
            return DecisionLog(log.path, QUEUE).decide("a", version=0, key=f"writer{number}", action="x", status="open",
                                                       record=NONE, by=str(number)).by
        except Conflict:
            return None

    with ThreadPoolExecutor(8) as threads:
        winners = list(filter(None, threads.map(write, range(16))))
    assert len(winners) == 1 and log.latest()["a"].by == winners[0]


def test_only_what_is_done_is_read_with_who_and_when(log):
    decide(log, 0, OTHER)
    assert read_decisions(log.path) == []
    decide(log, 1, OTHER, status="done")
    record, = read_decisions(log.path)
    assert record.mentions == OTHER.mentions and record.meta["review"][0]["by"] == "mary"


def test_only_its_user_may_read_it(log):
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600


def test_the_secret_outlives_the_server(log):
    assert DecisionLog(log.path, QUEUE).token == log.token and len(log.token) > 20


def test_another_queue_is_refused(log):
    decide(log, 0)
    with pytest.raises(BionerError, match="another text of 'a'"):
        DecisionLog(log.path, [Annotation("Gout again.", (), id="a")])


def make_text(path):
    path.write_text("no database at all, but long enough to be looked at" * 9)


def make_other(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE replies (key TEXT)")


@pytest.mark.parametrize("make", [make_text, make_other])
def test_a_file_of_something_else_is_refused_and_left_alone(make, tmp_path):
    path = tmp_path / "x.db"
    make(path)
    before = path.read_bytes()
    for use in (lambda: DecisionLog(path, QUEUE), lambda: read_decisions(path)):
        with pytest.raises(BionerError, match="cannot be used as a file of decisions"):
            use()
    assert path.read_bytes() == before


@pytest.mark.issue(26)
def test_a_file_that_another_process_holds_is_named_as_in_use(log, monkeypatch):
    monkeypatch.setattr(decisions, "_BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(log.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(BionerError, match="in use by another process"):
            read_decisions(log.path)
