"""The cache: what was put is there, whoever killed whom, and what is wrong with the file is said clearly."""

import os
import sqlite3
import stat
import subprocess
import sys

import pytest

from spacy_bioner.annotation import Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.llm.annotation.cache import ReplyCache, request_key
from spacy_bioner.llm.protocol import Reply, Request
from spacy_bioner.prompts.build import Prompt

REPLY = Reply("a [b] \ud83d 中", "length", mentions=(Mention(2, 3, "X", score=0.5, grounding="exact"),),
              usage={"prompt_tokens": 3})
BASE = {"prompt": Prompt("system", "user"), "text": "text"}


def test_reply_comes_back_whole(tmp_path):
    ReplyCache(tmp_path / "c.sqlite").put("k", REPLY)
    [found] = ReplyCache(tmp_path / "c.sqlite").get(["k", "other"]).values()
    assert found == REPLY
    assert (found.mentions[0].score, found.mentions[0].grounding) == (0.5, "exact")


def test_many_keys_are_found_at_once():
    cache = ReplyCache()
    for number in range(1300):
        cache.put(str(number), Reply(str(number)))
    found = cache.get(map(str, range(-10, 1300)))
    assert {key: reply.text for key, reply in found.items()} == {str(number): str(number) for number in range(1300)}


def test_first_reply_stays():
    cache = ReplyCache()
    cache.put("k", Reply("first"))
    cache.put("k", Reply("second"))
    assert cache.get(["k"])["k"].text == "first"


@pytest.mark.parametrize("change", [
    pytest.param({"prompt": Prompt("system", "user word order")}, id="prompt"),
    pytest.param({"prompt": Prompt("systemuser", "")}, id="border-of-system"),
    pytest.param({"text": "other"}, id="text"),
    pytest.param({"sample": 1}, id="sample"),
    pytest.param({"seeds": (("aspirin", "DRUG"),)}, id="seeds"),
])
def test_key_changes_with_the_request(change):
    assert request_key(Request(**BASE), {}) != request_key(Request(**{**BASE, **change}), {})


def test_key_changes_with_the_settings_but_not_with_their_order():
    request = Request(**BASE)
    assert request_key(request, {"a": 1, "b": 2}) == request_key(request, {"b": 2, "a": 1})
    assert request_key(request, {"labels": {"A": "x"}}) != request_key(request, {"labels": {"A": "y"}})


def test_word_order_counts_in_the_key():
    words = [Request(Prompt("", text), text=text) for text in ("dog bites man", "man bites dog")]
    assert request_key(words[0], {}) != request_key(words[1], {})


def test_file_is_private(tmp_path):
    cache = ReplyCache(tmp_path / "new" / "c.sqlite")
    cache.put("k", REPLY)
    for path in (tmp_path / "new").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


WRITER = """
import sys
from spacy_bioner.llm.protocol import Reply
from spacy_bioner.llm.annotation.cache import ReplyCache
cache = ReplyCache(sys.argv[1])
for number in range(300):
    cache.put(f"{sys.argv[2]}-{number}", Reply(str(number)))
    cache.put(f"shared-{number}", Reply("same"))
"""


def test_two_processes_write_at_the_same_time(tmp_path):
    path = tmp_path / "c.sqlite"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in "ab"]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert len(ReplyCache(path)) == 900


def test_forked_child_opens_the_file_anew(tmp_path):
    cache = ReplyCache(tmp_path / "c.sqlite")
    cache.put("parent", REPLY)
    child = os.fork()
    if child == 0:
        cache.put("child", REPLY)
        os._exit(0 if set(cache.get(["parent", "child"])) == {"parent", "child"} else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert set(cache.get(["parent", "child"])) == {"parent", "child"}


def test_full_disk_is_a_clear_error_that_loses_nothing(tmp_path):
    path = tmp_path / "c.sqlite"
    cache = ReplyCache(path)
    cache.put("before", REPLY)
    cache._open().execute("PRAGMA max_page_count = 4")
    with pytest.raises(BionerError, match="c.sqlite cannot be used.*full.*Free disk space"):
        for number in range(100):
            cache.put(str(number), Reply("x" * 1000))
    assert ReplyCache(path).get(["before"])["before"] == REPLY
    ReplyCache(path).put("after", REPLY)


@pytest.mark.parametrize("damage", [
    pytest.param(lambda path: path.write_bytes(b"no database" * 500), id="another-file"),
    pytest.param(lambda path: path.write_bytes(path.read_bytes()[:200] + os.urandom(8000)), id="overwritten"),
])
def test_damaged_file_is_a_clear_error(tmp_path, damage):
    path = tmp_path / "c.sqlite"
    cache = ReplyCache(path)
    cache.put("k", REPLY)
    cache.close()
    damage(path)
    with pytest.raises(BionerError, match="c.sqlite is damaged.*Move it away"):
        ReplyCache(path).get(["k"])


def test_unreadable_reply_is_a_clear_error(tmp_path):
    path = tmp_path / "c.sqlite"
    ReplyCache(path).put("k", REPLY)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE replies SET reply = '{'")
    connection.commit()
    connection.close()
    with pytest.raises(BionerError, match="damaged"):
        ReplyCache(path).get(["k"])
