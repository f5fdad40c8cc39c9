"""Two runs with one cache: each request is asked once, and what a dead process has claimed is asked by another."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from places import ROOT

from spacy_bioner.errors import BionerError
from spacy_bioner.llm.annotation.cache import ReplyCache
from spacy_bioner.llm.annotation.request_runner import Runner
from spacy_bioner.llm.protocol import Reply, Request
from spacy_bioner.locks import ProcessName
from spacy_bioner.prompts.build import Prompt

REQUESTS = [Request(Prompt("", str(number)), text=str(number)) for number in range(40)]


class SlowModel:
    """Answers each request after a moment, and notes it in a file that all processes share."""

    context_length = 100

    def __init__(self, log, pause=0.01, fails=(), reason="stop"):
        self.log, self.pause, self.fails, self.reason = log, pause, fails, reason

    def identity(self):
        return {"model": "slow"}

    def count_tokens(self, text):
        return 1

    def generate(self, requests):
        for index, request in enumerate(requests):
            time.sleep(self.pause)
            with self.log.open("a") as file_:
                file_.write(f"{request.text}\n")
            if request.text in self.fails:
                yield index, Reply(finish_reason="error", error="no")
            else:
                yield index, Reply(f"answer {request.text}", self.reason)

    def asked(self):
        return sorted(self.log.read_text().split()) if self.log.exists() else []


@pytest.mark.issue(21)
def test_two_runs_side_by_side_ask_each_request_once(tmp_path):
    model = SlowModel(tmp_path / "log")

    def run(requests):
        return Runner(model, cache=ReplyCache(tmp_path / "c.sqlite")).run(requests)

    with ThreadPoolExecutor(3) as pool:
        first, second, third = pool.map(run, [REQUESTS, REQUESTS[::-1], REQUESTS[20:]])
    assert [reply.text for reply in first] == [f"answer {request.text}" for request in REQUESTS]
    assert (second, third) == (first[::-1], first[20:])
    assert model.asked() == sorted(request.text for request in REQUESTS)


def test_what_failed_elsewhere_is_asked_by_the_one_that_waits(tmp_path):
    good, bad = SlowModel(tmp_path / "good"), SlowModel(tmp_path / "bad", pause=0.1, fails="0123")
    caches = [ReplyCache(tmp_path / "c.sqlite") for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        failing = pool.submit(Runner(bad, cache=caches[0], max_failures=0).run, REQUESTS[:4])
        while len(bad.asked()) < 1:
            time.sleep(0.01)
        found = pool.submit(Runner(good, cache=caches[1]).run, REQUESTS[:4]).result(60)
        assert all(reply.error for reply in failing.result(60)) and not any(reply.error for reply in found)


CLAIM = """
import sys, time
from spacy_bioner.llm.annotation.cache import ReplyCache
print(len(ReplyCache(sys.argv[1]).claims.take(sys.argv[2:])), flush=True)
time.sleep(60)
"""


@pytest.mark.issue(21)
def test_claims_of_a_killed_process_expire_at_once(tmp_path):
    path = tmp_path / "c.sqlite"
    process = subprocess.Popen([sys.executable, "-c", CLAIM, str(path), "a", "b"], stdout=subprocess.PIPE,
                               env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert process.stdout.readline() == b"2\n"
    claims = ReplyCache(path).claims
    assert claims.take(["a", "b", "c"]) == {"c"}
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert claims.take(["a", "b", "c"]) == {"a", "b", "c"}


@pytest.mark.parametrize("age, free", [(5, False), (90, True), (-90, True)])
def test_claims_of_another_machine_expire_when_they_are_not_renewed(tmp_path, age, free):
    cache = ReplyCache(tmp_path / "c.sqlite")
    len(cache)
    connection = sqlite3.connect(tmp_path / "c.sqlite")
    connection.execute("INSERT INTO claims VALUES ('a', ?, ?)", [f"{ProcessName('elsewhere', 5, 5)}/1",
                                                                 time.time() - age])
    connection.commit()
    assert cache.claims.take(["a"]) == ({"a"} if free else set())


def test_claims_are_renewed_while_a_model_answers(tmp_path, monkeypatch):
    monkeypatch.setattr("spacy_bioner.llm.annotation.claims._BEAT_SECONDS", 0.05)
    cache = ReplyCache(tmp_path / "c.sqlite")
    cache.claims.take(["a"])
    before = cache._run("SELECT beat FROM claims", [])[0][0]
    with cache.claims.renewed():
        time.sleep(0.4)
    assert cache._run("SELECT beat FROM claims", [])[0][0] > before
    assert threading.active_count() < 10


def test_a_run_that_stops_gives_its_claims_back(tmp_path):
    cache = ReplyCache(tmp_path / "c.sqlite")
    model = SlowModel(tmp_path / "log", fails=[request.text for request in REQUESTS])
    model.generate = lambda requests: iter([(0, Reply(finish_reason="error", error="no", service_failed=True))])
    with pytest.raises(BionerError):
        Runner(model, cache=cache, max_failures=1).run(REQUESTS)
    assert cache._run("SELECT count(*) FROM claims", []) == [(0,)]


@pytest.mark.issue(21)
def test_truncated_replies_are_asked_once_more_where_it_is_wanted(tmp_path):
    model = SlowModel(tmp_path / "log", reason="length")
    Runner(model, cache=ReplyCache(tmp_path / "c.sqlite")).run(REQUESTS[:2])
    better = SlowModel(tmp_path / "better")
    assert Runner(better, cache=ReplyCache(tmp_path / "c.sqlite")).run(REQUESTS[:1])[0].finish_reason == "length"
    runner = Runner(better, cache=ReplyCache(tmp_path / "c.sqlite"), retry_truncated=True)
    assert [runner.run(REQUESTS[:1])[0].finish_reason for _ in range(2)] == ["stop"] * 2
    still = SlowModel(tmp_path / "still", reason="length")
    runner = Runner(still, cache=ReplyCache(tmp_path / "c.sqlite"), retry_truncated=True)
    assert [runner.run(REQUESTS[:2])[1].finish_reason for _ in range(2)] == ["length"] * 2
    assert (better.asked(), still.asked()) == (["0"], ["1"])


@pytest.mark.issue(21)
def test_a_cached_mention_beyond_its_text_is_asked_again_and_counted(tmp_path):
    from spacy_bioner.annotation import Mention
    from spacy_bioner.llm.annotation.cache import request_key

    cache = ReplyCache(tmp_path / "c.sqlite")
    runner = Runner(SlowModel(tmp_path / "log"), cache=cache)
    key = request_key(REQUESTS[0], runner._settings)
    cache.put(key, Reply("[0]", mentions=(Mention(0, 9, "X"),)))
    assert [reply.text for reply in runner.run(REQUESTS[:1])] == ["answer 0"]
    assert runner.usage.damaged == 1 and "1 damaged" in runner.usage.summary()
    assert cache.get([key])[key].text == "answer 0"
