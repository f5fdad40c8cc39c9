"""The verb annotate: texts of any kind in, records or Docs out, safe to kill, failures in their own file."""

import json
import logging
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import spacy
from typer.testing import CliRunner

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.cli import annotate
from spacy_bioner.cli._shared.schema import Schema
from spacy_bioner.cli._shared.settings import load_settings
from spacy_bioner.cli.annotate import AnnotateSettings, make_annotator, read_texts
from spacy_bioner.cli.main import app
from spacy_bioner.codecs import make_codec
from spacy_bioner.config_files import find_config
from spacy_bioner.errors import BionerError
from spacy_bioner.files import write_json_lines
from spacy_bioner.formats import read_annotations
from spacy_bioner.formats.brat import write_brat
from spacy_bioner.formats.docbin import write_docbin
from spacy_bioner.llm.adapter import AdapterCard
from spacy_bioner.prompts.build import PromptBuilder

LABELS = ["DISEASE", "DRUG"]
GOLD = [Annotation("Aspirin helps.", (Mention(0, 7, "DRUG"),), id="a", meta={"lang": "en", "origin": "gold"}),
        Annotation("No flu (influenza) here.", (Mention(3, 6, "DISEASE"), Mention(8, 17, "DISEASE")), id="b"),
        Annotation("Nothing.", id="c")]


@pytest.fixture
def run(tmp_path):
    """Return a function that runs the verb with recorded replies of all the gold texts."""
    codec = make_codec("bracket")
    write_json_lines(tmp_path / "replay.jsonl", (
        {"text": gold.text, "output": codec.encode(gold, LABELS)} for gold in GOLD))
    (tmp_path / "labels.yml").write_text("corpus: toy\nlabels: {DISEASE: illnesses, DRUG: }\n")

    def invoke(source, output, *options):
        arguments = ["annotate", str(source), str(output), "--profile", "smoke",
                     "--labels", str(tmp_path / "labels.yml"), "--annotate.cache", str(tmp_path / "cache.sqlite"),
                     "--annotate.replay", str(tmp_path / "replay.jsonl"), *options]
        return CliRunner().invoke(app, arguments)

    return invoke


def write_input(folder, kind):
    path = folder / f"in.{kind}"
    if kind == "folder":
        path.mkdir()
        for gold in GOLD:
            (path / f"{gold.id}.txt").write_text(gold.text)
    elif kind == "txt":
        path.write_text("\n".join(gold.text for gold in GOLD))
    elif kind == "spacy":
        write_docbin(path, (gold.with_mentions(()) for gold in GOLD))
    else:
        write_json_lines(path, (gold.with_mentions(()).to_record() for gold in GOLD))
    return path


def test_responses_are_counted_before_the_first_document_comes_out(tmp_path, run, monkeypatch):
    monkeypatch.setattr("spacy_bioner.cli._shared.console.progress_bar.LINE_EVERY", 0.0)
    told = run(write_input(tmp_path, "jsonl"), tmp_path / "out.jsonl").stderr.splitlines()
    assert [line for line in told if line.startswith("Annotating 0/3")] == [
        f"Annotating 0/3, {number} responses" for number in (1, 2, 3)]


@pytest.mark.parametrize("source", ["jsonl", "jsonl.gz", "txt", "spacy", "folder"])
@pytest.mark.parametrize("target", ["jsonl", "jsonl.gz", "spacy"])
def test_texts_of_any_kind_come_out_annotated(tmp_path, run, source, target):
    output = tmp_path / f"out.{target}"
    result = run(write_input(tmp_path, source), output)
    assert result.exit_code == 0, result.output
    found = list(read_annotations(output))
    assert [(annotation.text, annotation.mentions) for annotation in found] == [
        (gold.text, gold.mentions) for gold in GOLD]
    assert [annotation.id for annotation in found] == (["in-1", "in-2", "in-3"] if source == "txt" else list("abc"))
    assert {annotation.meta["origin"] for annotation in found} == {"synthetic"}, "a model is never gold"
    assert not (tmp_path / "out.failed.jsonl").exists()


def test_texts_of_a_folder_are_those_that_brat_reads(tmp_path):
    text = "\ufeffNo flu here.\r\nAspirin\rhelps.\n"
    gold = Annotation(text, (Mention(4, 7, "DISEASE"), Mention(15, 22, "DRUG")), id="a")
    write_brat(tmp_path / "texts", [gold])
    [given], [read] = read_texts(tmp_path / "texts"), read_annotations(tmp_path / "texts")
    assert (given.id, given.text) == (read.id, read.text) == (gold.id, gold.text), "offsets count what is on the disk"


def test_text_of_a_folder_that_is_not_utf8_is_named(tmp_path, run):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_bytes(b"Nothing.\nCaf\xe9.")
    result = run(tmp_path / "texts", tmp_path / "out.jsonl")
    assert isinstance(result.exception, BionerError) and "a.txt, line 2: 'utf-8'" in str(result.exception)


def test_failures_go_to_their_own_file_and_the_summary_says_so(tmp_path, run):
    write_json_lines(tmp_path / "in.jsonl", [GOLD[0].to_record(), {"id": "new", "text": "Not recorded."}])
    result = run(tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    assert [annotation.id for annotation in read_annotations(tmp_path / "out.jsonl")] == ["a"]
    [failed] = read_annotations(tmp_path / "out.failed.jsonl")
    assert (failed.id, failed.mentions, failed.meta["error"]) == ("new", (), "no reply was recorded for this text")
    assert "2 documents; 1 set aside" in result.stderr
    assert (tmp_path / "out.failed.jsonl").stat().st_mode & 0o077 == 0


def test_second_run_is_answered_from_the_cache(tmp_path, run):
    source = write_input(tmp_path, "jsonl")
    run(source, tmp_path / "out.jsonl")
    result = run(source, tmp_path / "again.jsonl")
    assert "0 requests asked, 3 from the cache" in result.stderr
    assert (tmp_path / "out.jsonl").read_text() == (tmp_path / "again.jsonl").read_text()


def test_limit_takes_the_first_documents(tmp_path, run):
    run(write_input(tmp_path, "txt"), tmp_path / "out.jsonl", "--annotate.limit", "2")
    assert len(list(read_annotations(tmp_path / "out.jsonl"))) == 2


@pytest.mark.parametrize("content, options, message", [
    pytest.param([], [], "holds no record", id="empty"),
    pytest.param([{"text": "Unknown."}], [], "1 of them with: no reply was recorded", id="all-fail"),
    pytest.param([{"text": "x"}], ["--annotate.modell", "y"], "modell", id="typo"),
    pytest.param([{"text": "x"}], ["--annotate.decoding", "wild", "--annotate.replay", "null"], "'grounded' or 'free'",
                 id="decoding"),
    pytest.param([{"text": "x"}], ["--annotate.adapter", "nowhere", "--annotate.replay", "null"], "No adapter at",
                 id="adapter"),
])
def test_what_a_user_can_mend_is_one_clear_error_and_no_output(tmp_path, run, content, options, message):
    write_json_lines(tmp_path / "in.jsonl", content)
    result = run(tmp_path / "in.jsonl", tmp_path / "out.jsonl", *options)
    assert isinstance(result.exception, BionerError) and message in str(result.exception)
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize("profile", ["default", "smoke", "gpu"])
def test_config_of_each_profile_is_read(profile):
    settings = load_settings(find_config("annotate", profile=profile), "annotate", AnnotateSettings, {})
    assert settings.server.base_url is None, "nothing leaves the machine by default"


def count_asked_twice(server):
    return sum(count - 1 for count in server.tries.values())


def start_annotating(folder, output, cache, server, concurrency=4):
    """Return a process that annotates in.jsonl by way of a server."""
    return subprocess.Popen(
        [sys.executable, "-m", "spacy_bioner", "annotate", folder / "in.jsonl", folder / output, "--profile",
         "smoke", "--annotate.cache", folder / cache, "--annotate.server.base_url",
         server.url, "--annotate.server.concurrency", str(concurrency), "--annotate.window", "30"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env={**os.environ, "NO_PROXY": "127.0.0.1"})


@pytest.mark.parametrize("kills", [4, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_runs_end_in_the_same_output_and_ask_for_nothing_twice(tmp_path, start_server, kills):
    """Each run is killed with SIGKILL while requests are under way; what was answered is never asked for again."""
    concurrency, texts = 4, [f"Case {number} had flu and took aspirin." for number in range(40 * kills)]
    write_json_lines(tmp_path / "in.jsonl", ({"id": str(number), "text": text} for number, text in enumerate(texts)))
    server = start_server(lambda prompt: mark_flu(prompt), lambda prompt, tried: "slow")

    def start(output, cache):
        return start_annotating(tmp_path, output, cache, server, concurrency)

    chance = random.Random(kills)
    for _ in range(kills):
        process, before = start("killed.jsonl", "killed.sqlite"), len(server.times)
        wanted = before + chance.randint(1, 30)
        while len(server.times) < wanted and process.poll() is None:
            time.sleep(0.003)
        assert process.poll() is None, process.stderr.read()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not (tmp_path / "killed.jsonl").exists(), "no half output"
    assert count_asked_twice(server) <= kills * concurrency
    last = start("killed.jsonl", "killed.sqlite")
    assert last.wait(120) == 0, last.stderr.read()
    last.communicate()
    assert count_asked_twice(server) <= kills * concurrency
    server.fault = lambda prompt, tried: None
    undisturbed = start("undisturbed.jsonl", "undisturbed.sqlite")
    assert undisturbed.wait(120) == 0
    undisturbed.communicate()
    assert (tmp_path / "killed.jsonl").read_text() == (tmp_path / "undisturbed.jsonl").read_text()
    assert len(list(read_annotations(tmp_path / "killed.jsonl"))) == len(texts)


def test_two_annotators_share_a_cache(tmp_path, start_server):
    """Both come out whole and equal; an answer of one serves the other, and none is spoilt."""
    texts = [f"Case {number} had flu and took aspirin." for number in range(90)]
    write_json_lines(tmp_path / "in.jsonl", ({"id": str(number), "text": text} for number, text in enumerate(texts)))
    server = start_server(lambda prompt: mark_flu(prompt), lambda prompt, tried: "slow")
    processes = [start_annotating(tmp_path, output, "shared.sqlite", server) for output in ("a.jsonl", "b.jsonl")]
    for process in processes:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
    assert (tmp_path / "a.jsonl").read_text() == (tmp_path / "b.jsonl").read_text()
    assert [len(each.mentions) for each in read_annotations(tmp_path / "a.jsonl")] == [1] * len(texts)
    asked = len(server.times)
    third = start_annotating(tmp_path, "c.jsonl", "shared.sqlite", server)
    assert third.wait(120) == 0 and len(server.times) == asked, "all is in the cache"
    third.communicate()


def mark_flu(prompt):
    """Return the answer of training to a prompt of the embedded labels."""
    text = prompt.split("Text: ")[-1].split("\n")[0]
    start = text.index("flu")
    package = Path(sys.modules["spacy_bioner"].__file__).parent
    labels = json.loads((package / "llm/annotation/embedded_labels.json").read_text())
    return make_codec("json").encode(Annotation(text, (Mention(start, start + 3, "DISEASE"),)), list(labels))


@pytest.mark.issue(6)
@pytest.mark.parametrize("schema, settings, corpus, departures", [
    pytest.param(None, {}, "BC5CDR", [], id="as-trained"),
    pytest.param(Schema({"DISEASE": "tumours"}, "NCBI-Disease"), {}, "NCBI-Disease", [], id="trained-too"),
    pytest.param(Schema({"DISEASE": "tumours"}, "Mine"), {}, "Mine", ["labels", "corpus"], id="own"),
    pytest.param(Schema({"DISEASE": "tumours"}), {}, "", ["labels", "corpus"], id="nameless"),
    pytest.param(Schema({"DISEASE": "tumours"}, "Mine"), {"corpus": "BC5CDR"}, "BC5CDR", ["labels"], id="told"),
])
def test_schema_brings_its_corpus_to_an_adapter(tmp_path, caplog, schema, settings, corpus, departures):
    builder = PromptBuilder(template="annotate.en", labels={"DISEASE": "illnesses"}, codec=make_codec("bracket"))
    AdapterCard(base_model="m", codec=builder.codec.settings(), labels=builder.labels, corpus="BC5CDR",
                template="annotate.en", template_source=builder.source,
                more_corpora=[{"labels": {"DISEASE": "tumours"}, "corpus": "NCBI-Disease", "lang": "en"}]
                ).write(tmp_path)
    asked = AnnotateSettings(model="m", adapter=str(tmp_path), server={"base_url": "http://localhost:1"}, **settings)
    with caplog.at_level(logging.WARNING, logger="spacy_bioner"):
        annotator = make_annotator(asked, schema=schema)
    assert annotator.builder.corpus == corpus
    assert [record.message.split("other ")[1].split()[0] for record in caplog.records] == departures


@pytest.mark.parametrize("settings, gpu_id, device, gpus", [
    pytest.param({}, -1, "cpu", 0, id="cpu"),
    pytest.param({}, 0, "cuda", 1, id="first-gpu"),
    pytest.param({}, 1, "cuda", 1, id="second-gpu"),
    pytest.param({"device": "cuda:1"}, -1, "cuda", 1, id="setting-names-the-second"),
    pytest.param({"device": "cpu"}, 0, "cuda", 1, id="option-goes-before-the-setting"),
    pytest.param({"replay": "replies.jsonl"}, 0, None, 0, id="recorded-replies-need-none"),
    pytest.param({"server": {"base_url": "http://localhost"}, "device": "cuda"}, -1, None, 0, id="a-server-needs-none"),
])
def test_each_worker_reserves_the_gpu_that_it_computes_on(tmp_path, monkeypatch, settings, gpu_id, device, gpus):
    passed = {}

    def annotate_on_ray(source, output, build, **options):
        passed.update(options, build=build)
        return dict.fromkeys(("good", "failed", "done", "done_before", "lacking"), 0) | {"issues": {}}

    def tell_device(settings, *, schema, gpu_id=-1, retry_truncated=False):
        return settings.choose_device(gpu_id)

    monkeypatch.setattr(annotate, "find_spec", lambda name: name)
    monkeypatch.setattr(annotate, "make_annotator", tell_device)
    monkeypatch.setattr(annotate, "open_source", lambda settings, *, gpu_id: None)
    monkeypatch.setattr("spacy_bioner.llm.annotation.identity.identify", lambda source, settings: {})
    monkeypatch.setattr("spacy_bioner.scale.ray_annotate.annotate_on_ray", annotate_on_ray)
    annotate.annotate_by_workers(tmp_path / "in.jsonl", tmp_path / "out",
                                 AnnotateSettings(model="smollm2-135m-instruct", **settings), gpu_id=gpu_id)
    assert passed["gpus"] == gpus
    assert device is None or passed["build"]() == device


@pytest.mark.parametrize("settings, gpu_id, spacy_gpu, device, gpus", [
    pytest.param({}, -1, -1, "cpu", 0, id="cpu"),
    pytest.param({}, 1, 0, "cuda", 1, id="second-gpu"),
    pytest.param({"device": "cuda:1"}, -1, 0, "cuda", 1, id="setting-names-the-second"),
])
def test_a_worker_with_a_pipeline_computes_on_the_gpu_that_it_reserves(tmp_path, monkeypatch, settings, gpu_id,
                                                                       spacy_gpu, device, gpus):
    passed = {}

    def annotate_on_ray(source, output, build, **options):
        passed.update(options, **build.keywords)
        return dict.fromkeys(("good", "failed", "done", "done_before", "lacking"), 0) | {"issues": {}}

    monkeypatch.setattr(annotate, "find_spec", lambda name: name)
    monkeypatch.setattr("spacy_bioner.scale.ray_annotate.annotate_on_ray", annotate_on_ray)
    spacy.blank("en").to_disk(tmp_path / "pipeline")
    settings = AnnotateSettings(pipeline={"name": str(tmp_path / "pipeline")}, **settings)
    annotate.annotate_by_workers(tmp_path / "in.jsonl", tmp_path / "out", settings, gpu_id=gpu_id)
    assert (passed["gpu_id"], passed["device"], passed["gpus"]) == (spacy_gpu, device, gpus)


@pytest.mark.issue(21)
@pytest.mark.parametrize("cache", ["in.jsonl", "out.jsonl", "labels.yml"])
def test_a_cache_in_the_place_of_an_input_or_output_is_refused(tmp_path, cache):
    write_json_lines(tmp_path / "in.jsonl", [{"id": "1", "text": "flu", "spans": []}])
    (tmp_path / "labels.yml").write_text("labels:\n  DISEASE: illnesses\n")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    result = CliRunner().invoke(app, ["annotate", str(tmp_path / "in.jsonl"), str(tmp_path / "out.jsonl"), "--labels",
                                      str(tmp_path / "labels.yml"), "--annotate.cache", str(tmp_path / cache)])
    assert isinstance(result.exception, BionerError) and f"is also {tmp_path / cache}" in str(result.exception)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_labels_of_a_pipeline_are_mapped_and_checked_against_the_schema(verb, refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "DISORDER", "pattern": "gout"}])
    nlp.to_disk("tagger")
    (tmp_path / "labels.yml").write_text("labels: {DISEASE: illnesses}\n")
    (tmp_path / "in.txt").write_text("A case of gout.\n")
    arguments = ("annotate", "in.txt", "out.jsonl", "--pipeline", "tagger", "--labels", "labels.yml")
    assert "label 'DISORDER', which the label schema lacks (known: DISEASE)" in refused(*arguments)
    assert not (tmp_path / "out.jsonl").exists()
    assert "Cannot read 'DISORDER' as a change of label" in refused(*arguments, "--map", "DISORDER")
    assert verb(*arguments, "--map", "DISORDER=DISEASE")[0] == 0
    assert '"label": "DISEASE"' in (tmp_path / "out.jsonl").read_text()
