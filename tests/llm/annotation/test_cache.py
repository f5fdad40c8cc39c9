"""The cache: what was put is there, whoever killed whom, and what is wrong with the file is said clearly."""

import errno
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from spacy_bioner.annotation import Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.llm.annotation.cache import ReplyCache, request_key
from spacy_bioner.llm.annotation.cached_reply import _checksum, fits_text, read_row, write_row
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


def edit(path, statement, *values):
    connection = sqlite3.connect(path)
    connection.execute(statement, values)
    connection.commit()
    connection.close()


@pytest.mark.issue(21)
@pytest.mark.parametrize("statement, values", [
    pytest.param("UPDATE replies SET reply = '{'", [], id="no-json"),
    pytest.param("UPDATE replies SET reply = replace(reply, 'a [b]', 'a [c]')", [], id="other-text"),
    pytest.param("UPDATE replies SET reply = CAST(x'ff00fe' AS TEXT)", [], id="random-bytes"),
    pytest.param("UPDATE replies SET reply = x'ff00fe'", [], id="blob"),
    pytest.param("UPDATE replies SET reply = 5", [], id="number"),
    pytest.param("UPDATE replies SET checksum = ''", [], id="no-checksum"),
    pytest.param("other", [], id="swapped"),
])
def test_a_row_that_was_changed_is_not_read_but_removed_and_counted(tmp_path, statement, values):
    path = tmp_path / "c.sqlite"
    cache = ReplyCache(path)
    if "other" in statement:
        cache.put("other", Reply("of another request"))
        statement = "INSERT INTO replies SELECT 'k', reply, checksum FROM replies WHERE key = 'other'"
    else:
        cache.put("k", REPLY)
    cache.close()
    edit(path, statement, *values)
    assert cache.get(["k"]) == {} and cache.damaged == 1
    cache.put("k", REPLY)
    assert cache.get(["k"]) == {"k": REPLY} and cache.damaged == 1


CONTENT = {"text": "a", "finish_reason": "stop", "mentions": [[0, 1, "X", 0.5, "exact"]], "usage": {"passes": 1}}


@pytest.mark.issue(21)
@pytest.mark.parametrize("change", [
    {"text": 5}, {"text": None}, {"finish_reason": "error"}, {"finish_reason": ["stop"]}, {"usage": []},
    {"usage": {"a": "b"}}, {"usage": None}, {"mentions": 5}, {"mentions": [5]}, {"mentions": [[0, 1, "X"]]},
    {"mentions": [[1, 1, "X", None, None]]}, {"mentions": [[-1, 1, "X", None, None]]},
    {"mentions": [["0", 1, "X", None, None]]}, {"mentions": [[0, 1, "", None, None]]},
    {"mentions": [[0, 1, ["X"], None, None]]}, {"mentions": [[0, 1, "X", 7, None]]},
    {"mentions": [[0, 1, "X", "1", None]]}, {"mentions": [[0, True, "X", None, None]]},
    {"mentions": [[0, 1, "X", None, "loose"]]}, {"scored": 5}, {"scored": [[0, 1, "X", 7, None]]}], ids=str)
def test_a_row_of_wrong_types_is_no_reply_whatever_its_checksum(change):
    assert read_row("k", *_spell({**CONTENT})) == Reply(
        "a", mentions=(Mention(0, 1, "X", score=0.5, grounding="exact"),), usage={"passes": 1})
    assert read_row("k", *_spell({**CONTENT, **change})) is None


@pytest.mark.parametrize("scored", [None, (), (Mention(0, 1, "X", score=0.25),)], ids=["none", "empty", "one"])
def test_scores_of_a_server_come_back_and_rows_without_them_stay_as_they_were(scored):
    key, spelt, checksum = write_row("k", Reply("a", scored=scored))
    found = read_row(key, spelt, checksum)
    assert found.scored == scored and [mention.score for mention in found.scored or ()] == [0.25] * len(scored or ())
    assert ("scored" in spelt) == (scored is not None)


def test_scored_mentions_beyond_the_text_are_of_another_request():
    reply = Reply("a", scored=(Mention(0, 9, "X", score=0.25),))
    assert fits_text(reply, "a" * 9) and not fits_text(reply, "a")


def _spell(content):
    spelt = json.dumps(content)
    return spelt, _checksum("k", spelt)


@pytest.mark.issue(21)
def test_the_file_is_made_private_when_it_is_opened(tmp_path):
    path = tmp_path / "c.sqlite"
    ReplyCache(path).put("k", REPLY)
    path.chmod(0o644)
    ReplyCache(path).get(["k"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.issue(21)
@pytest.mark.parametrize("statement, found", [
    ("CREATE TABLE replies (key TEXT PRIMARY KEY, reply TEXT NOT NULL)", "layout 1"),
    ("CREATE TABLE patients (name TEXT)", "a database of something else"), (None, "layout 99")])
def test_a_file_of_another_version_or_of_something_else_says_so(tmp_path, statement, found):
    path = tmp_path / "c.sqlite"
    if statement is None:
        ReplyCache(path).put("k", REPLY)
    edit(path, statement or "PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(BionerError, match=f"c.sqlite is {found}, but this version reads layout 2"):
        ReplyCache(path).get(["k"])
    assert path.read_bytes() == before


@pytest.mark.issue(21)
def test_a_cache_on_a_read_only_file_system_is_read(tmp_path, monkeypatch):
    path = tmp_path / "c.sqlite"
    cache = ReplyCache(path)
    cache.put("k", REPLY)
    cache.close()
    monkeypatch.setattr("spacy_bioner.llm.annotation.cache.os.open", _refuse_to_write)
    cache = ReplyCache(path)
    assert cache.get(["k"]) == {"k": REPLY} and cache.is_read_only
    with pytest.raises(BionerError, match="cannot be used: attempt to write a readonly database"):
        cache.put("other", REPLY)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.sqlite"]


@pytest.mark.parametrize("copied", [("", "-wal", "-shm"), ("", "-wal")], ids=["all-files", "no-index"])
def test_replies_of_a_killed_writer_are_read_on_a_read_only_file_system(tmp_path, monkeypatch, copied):
    writer = ReplyCache(tmp_path / "c.sqlite")
    for number in range(5):
        writer.put(str(number), REPLY)
    place = tmp_path / "place"
    place.mkdir()
    for ending in copied:
        shutil.copy(tmp_path / f"c.sqlite{ending}", place)
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    monkeypatch.setattr("spacy_bioner.llm.annotation.cache.os.open", _refuse_to_write)
    cache = ReplyCache(place / "c.sqlite")
    assert cache.get(map(str, range(5))) == {str(number): REPLY for number in range(5)} and cache.is_read_only
    with pytest.raises(BionerError, match="cannot be used: attempt to write a readonly database"):
        cache.put("other", REPLY)
    cache.close()
    assert {path.name: path.read_bytes() for path in place.iterdir()} == before


def _refuse_to_write(path, flags, mode=0o777):
    raise OSError(errno.EROFS, "Read-only file system")


def test_threads_share_one_cache(tmp_path):
    cache = ReplyCache(tmp_path / "c.sqlite")

    def work(number):
        for place in range(50):
            cache.put(f"{number}-{place}", Reply(str(place)))
            assert len(cache.get([f"{number}-{place}", "0-0"])) >= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert len(cache) == 400
