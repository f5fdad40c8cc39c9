"""On Ray: the same output as without it, shard by shard, and what was written is never done again."""

import os
import re
import signal
import subprocess
import sys
import time
from functools import partial

import pytest
import spacy
from typer.testing import CliRunner

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.cli._shared.schema import Schema
from spacy_bioner.cli.annotate import AnnotateSettings, make_annotator
from spacy_bioner.cli.main import app
from spacy_bioner.codecs import make_codec
from spacy_bioner.errors import BionerError
from spacy_bioner.files import write_json_lines
from spacy_bioner.formats import read_annotations
from spacy_bioner.scale import ray_annotate
from spacy_bioner.scale.manifest import keep_manifest, make_manifest
from spacy_bioner.scale.ray_annotate import ShardWorker, annotate_on_ray, find_cause
from spacy_bioner.scale.shards import find_shards, read_shard, write_shard

ray = pytest.importorskip("ray")

GOLD = [Annotation(f"Case {number} had flu.", (Mention(10 + len(str(number)), 13 + len(str(number)), "DISEASE"),),
                   id=str(number)) for number in range(40)]


def builder(replay=None, **settings):
    """Return a function that makes an annotator, also in a process that does not know this module."""
    settings = AnnotateSettings(model="recorded", replay=replay, **settings)
    return partial(make_annotator, settings, schema=Schema({"DISEASE": ""}))


@pytest.fixture(scope="module")
def cluster():
    ray.init(num_cpus=2, log_to_driver=False, include_dashboard=False)
    yield
    ray.shutdown()


@pytest.fixture
def replay(tmp_path):
    codec = make_codec("bracket")
    write_json_lines(tmp_path / "in.jsonl", ({"id": gold.id, "text": gold.text} for gold in GOLD))
    write_json_lines(tmp_path / "replay.jsonl", (
        {"text": gold.text, "output": codec.encode(gold, ["DISEASE"])} for gold in GOLD if gold.id != "7"))
    return tmp_path / "replay.jsonl"


@pytest.mark.slow
def test_two_workers_write_what_one_process_writes_and_resume_by_shard(tmp_path, replay, cluster):
    expected = [annotation for annotation in builder(replay)().annotate(
        gold.with_mentions(()).with_meta(origin="synthetic") for gold in GOLD) if "error" not in annotation.meta]
    run = partial(annotate_on_ray, tmp_path / "in.jsonl", tmp_path / "out", builder(replay), workers=2,
                  shard_size=10)
    first = run()
    assert (first["good"], first["failed"], first["done"], first["done_before"]) == (39, 1, 4, 0)
    parts = sorted(path for path in (tmp_path / "out").glob("part-*") if "failed" not in path.name)
    assert [annotation for part in parts for annotation in read_annotations(part)] == expected
    kept = parts[0].stat().st_mtime_ns
    parts[2].unlink()
    second = run()
    assert (second["good"], second["done"], second["done_before"]) == (10, 1, 3)
    assert parts[0].stat().st_mtime_ns == kept and parts[2].is_file()
    assert (run()["done"], run()["lacking"]) == (0, 1), "of the first shard one document is set aside"


@pytest.mark.slow
def test_what_stops_a_worker_is_said_in_one_line(tmp_path, replay, cluster):
    nobody_there = {"base_url": "http://127.0.0.1:9/v1", "max_tries": 1}
    with pytest.raises(BionerError, match="3 failed requests in a row"):
        annotate_on_ray(tmp_path / "in.jsonl", tmp_path / "out", builder(server=nobody_there, max_failures=3),
                        workers=1, shard_size=10)


@pytest.fixture
def in_process(monkeypatch):
    """Let workers of Ray work in this process, one after the other."""
    class Remote:
        def options(self, **options):
            return self

        def remote(self, *arguments):
            return ShardWorker(*arguments)

    monkeypatch.setattr(ray, "remote", lambda worker: Remote())
    monkeypatch.setattr(ray, "kill", lambda worker: None)
    monkeypatch.setattr(ray_annotate, "join_cluster", lambda: None)
    monkeypatch.setattr(ray_annotate, "_hand_out", lambda shards, pool: (
        pool[number % len(pool)].annotate(shard) for number, shard in enumerate(shards)))


def reply_with(tmp_path, *, readable=()):
    """Write recorded replies of which all but some are in a format that the codec cannot read."""
    codec = make_codec("bracket")
    write_json_lines(tmp_path / "replay.jsonl", (
        {"text": gold.text, "output": codec.encode(gold, ["DISEASE"]) if int(gold.id) in readable
         else '[{"type":"DISEASE","name":"flu"}]'} for gold in GOLD))
    return builder(tmp_path / "replay.jsonl")


def test_a_run_without_a_readable_reply_is_an_error_and_leaves_no_shard(tmp_path, replay, in_process):
    run = partial(annotate_on_ray, tmp_path / "in.jsonl", tmp_path / "out", workers=2, shard_size=10)
    with pytest.raises(BionerError, match="None of 40 responses could be read, .* Try codec = json"):
        run(reply_with(tmp_path), settings={"codec": "bracket"})
    assert not list((tmp_path / "out").glob("part-*"))
    assert run(reply_with(tmp_path, readable=range(40)), settings={"codec": "json"})["done"] == 4


@pytest.mark.parametrize("readable, warned", [(range(5), True), (range(30), False)])
def test_a_run_with_mostly_unreadable_replies_says_so(tmp_path, replay, in_process, caplog, readable, warned):
    annotate_on_ray(tmp_path / "in.jsonl", tmp_path / "out", reply_with(tmp_path, readable=readable), shard_size=10)
    messages = [message for message in caplog.messages if "Of 40 responses 35 could not be read" in message]
    assert len(messages) == warned and len(list((tmp_path / "out").glob("part-*"))) == 4


def test_the_rest_of_an_interrupted_run_may_be_unreadable(tmp_path, replay, in_process):
    run = partial(annotate_on_ray, tmp_path / "in.jsonl", tmp_path / "out", workers=1, shard_size=39)
    run(reply_with(tmp_path, readable=range(39)))
    (tmp_path / "out" / "part-000001.jsonl").unlink()
    assert run(reply_with(tmp_path, readable=range(39)))["good"] == 1


@pytest.mark.parametrize("begun_with, gone_on_with", [(4, 2), (2, 4)])
def test_shards_of_another_size_are_neither_repeated_nor_lost(tmp_path, replay, begun_with, gone_on_with):
    (tmp_path / "out").mkdir()
    inputs = [tmp_path / "in.jsonl"]
    keep_manifest(tmp_path / "out", make_manifest(inputs, size=begun_with, kind="jsonl",
                                                  settings={"origin": "synthetic"}))
    for shard in find_shards(*inputs, tmp_path / "out", size=begun_with)[:2]:
        write_shard(shard, read_shard(shard))
    with pytest.raises(BionerError, match=f"shard_size = {begun_with}, but this run has {gone_on_with}"):
        annotate_on_ray(*inputs, tmp_path / "out", builder(replay), shard_size=gone_on_with)


@pytest.mark.slow
def test_the_verb_resumes_with_its_own_shards_only(tmp_path, replay, cluster):
    def annotate(*options):
        return CliRunner().invoke(app, [
            "annotate", str(tmp_path / "in.jsonl"), str(tmp_path / "out"), "--engine", "ray", "--profile",
            "smoke", "--annotate.cache", "null", "--annotate.replay", str(replay), "--annotate.ray.shard_size",
            "10", *options])

    (tmp_path / "labels.yml").write_text("labels: {DISEASE: }\n")
    same = ["--labels", str(tmp_path / "labels.yml")]
    assert "4 shards done, 0 done before;" in annotate(*same).stderr
    again = annotate(*same, "--annotate.window", "7").stderr
    assert "0 shards done, 4 done before (1 of them with documents set aside: remove" in again
    (tmp_path / "labels.yml").write_text("labels: {DISEASE: illnesses}\n")
    refused = annotate(*same).exception
    assert isinstance(refused, BionerError) and 'labels = [["DISEASE", ""]]' in str(refused)


@pytest.mark.issue(21)
def test_a_cluster_that_is_started_here_reports_to_nobody_and_asks_no_cloud(tmp_path, replay, monkeypatch):
    seen = {}

    def start(**options):
        seen.update(os.environ, workers=options["runtime_env"]["env_vars"])
        raise InterruptedError

    monkeypatch.delenv("RAY_USAGE_STATS_ENABLED", raising=False)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", start)
    with pytest.raises(InterruptedError):
        annotate_on_ray(tmp_path / "in.jsonl", tmp_path / "out", builder(replay))
    assert seen["RAY_USAGE_STATS_ENABLED"] == "0" and seen["http_proxy"] == "http://127.0.0.1:9"
    assert (seen["workers"]["http_proxy"], seen["workers"]["NO_PROXY"]) == ("http://proxy.example:3128", "")
    assert os.environ["http_proxy"] == "http://proxy.example:3128" and "NO_PROXY" not in os.environ


@pytest.mark.issue(21)
def test_a_killed_worker_is_started_again_with_its_shard(tmp_path, replay, cluster):
    make = builder(replay)

    def build():
        if not (tmp_path / "killed").exists():
            (tmp_path / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return make()

    done = annotate_on_ray(tmp_path / "in.jsonl", tmp_path / "out", build, workers=1, shard_size=20)
    assert (done["good"], done["failed"]) == (39, 1)


def test_cause_under_wrapping_errors_is_found():
    outer = RuntimeError("outer")
    outer.cause = ValueError("middle")
    outer.cause.__cause__ = BionerError("the  reason\nin lines")
    assert find_cause(outer) == "the reason in lines"


@pytest.mark.slow
def test_a_killed_run_of_a_pipeline_resumes_and_ends_in_the_output_of_one_process(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("span_ruler", config={"spans_key": "sc"}).add_patterns([{"label": "DISEASE", "pattern": "flu"}])
    nlp.to_disk(tmp_path / "pipeline")
    write_json_lines(tmp_path / "in.jsonl", [
        *({"id": str(number), "text": f"Case {number} had flu. " * 20} for number in range(1000)),
        {"id": "long", "text": "x" * 1_000_001}])

    def start(*arguments):
        return subprocess.Popen([sys.executable, "-m", "spacy_bioner", "annotate", tmp_path / "in.jsonl", *arguments,
                                 "--pipeline", tmp_path / "pipeline"], stderr=subprocess.PIPE, text=True)

    by_shard = (tmp_path / "out", "--engine", "ray", "--annotate.ray.workers", "1", "--annotate.ray.shard_size", "50")
    killed = start(*by_shard)
    while not list((tmp_path / "out").glob("part-*")) and killed.poll() is None:
        time.sleep(0.01)
    assert killed.poll() is None, killed.stderr.read()
    killed.kill()
    killed.communicate()
    said = start(*by_shard).communicate(timeout=300)[1]
    done, done_before = map(int, re.search(r"(\d+) shards done, (\d+) done before; ", said).groups())
    assert done and done_before and done + done_before == 21, said
    assert "1000 records; 1 set aside" in start(tmp_path / "whole.jsonl").communicate(timeout=300)[1]
    for pattern, whole in (("part-0000??.jsonl", "whole.jsonl"), ("part-*.failed.jsonl", "whole.failed.jsonl")):
        parts = sorted((tmp_path / "out").glob(pattern))
        assert b"".join(part.read_bytes() for part in parts) == (tmp_path / whole).read_bytes()
