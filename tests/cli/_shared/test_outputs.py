"""What verbs refuse to write to: their own inputs, folders, and what the name makes something else."""

import json

import pytest
from places import CONFIGS

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.formats.jsonl import write_jsonl

TEXT = "The patients with severe asthma were given aspirin and heparin."
ASTHMA = Mention(18, 31, "DISEASE")
CONFIG = CONFIGS / "generate.cfg"


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Return the working folder, with records, a copy of them, replies, a list and a schema."""
    for name in ("gold", "found", "train", "dev"):
        write_jsonl(tmp_path / f"{name}.jsonl", [Annotation(TEXT, (ASTHMA,), id="a", meta={"split": "train"})])
    reply = {"id": "a", "format": "json", "labels": ["DISEASE"], "text": TEXT, "output": "[]"}
    (tmp_path / "replies.jsonl").write_text(json.dumps(reply) + "\n")
    (tmp_path / "seeds.jsonl").write_text('{"text": "gout", "label": "DISEASE", "count": 3}\n')
    (tmp_path / "list.csv").write_text("text,label\ngout,DISEASE\n")
    (tmp_path / "labels.yml").write_text("corpus: toy\nlabels: {DISEASE: illnesses}\n")
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stored(folder):
    """Return every file below the folder with its content."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("arguments", [
    pytest.param("inspect gold.jsonl --output gold.jsonl", id="inspect"),
    pytest.param("evaluate gold.jsonl found.jsonl -o gold.jsonl", id="evaluate-gold"),
    pytest.param("evaluate gold.jsonl mine=found.jsonl -o found.jsonl", id="evaluate-found"),
    pytest.param("merge gold.jsonl --gold gold.jsonl", id="merge"),
    pytest.param("merge llm=found.jsonl out.jsonl --report found.jsonl", id="merge-report"),
    pytest.param("merge seeds.jsonl --gold gold.jsonl --dictionary seeds.jsonl", id="merge-dictionary"),
    pytest.param(f"generate seeds gold.jsonl folder/../gold.jsonl --labels labels.yml --config {CONFIG}", id="seeds"),
    pytest.param("select spans gold.jsonl found.jsonl gold.jsonl --selector nowhere", id="select-spans"),
    pytest.param("select spans gold.jsonl out.jsonl --rejected gold.jsonl --selector nowhere", id="rejected"),
    pytest.param(f"generate variants gold.jsonl gold.jsonl --labels labels.yml --config {CONFIG}", id="variants"),
    pytest.param(f"generate variants gold.jsonl out.jsonl --held-out found.jsonl --report found.jsonl --labels "
                 f"labels.yml --config {CONFIG}", id="variants-report"),
    pytest.param(f"generate sentences seeds.jsonl seeds.jsonl --labels labels.yml --config {CONFIG}",
                 id="sentences"),
    pytest.param(f"annotate gold.jsonl gold.jsonl --config {CONFIGS / 'annotate.cfg'}", id="annotate"),
    pytest.param(f"select records gold.jsonl gold.jsonl --labels labels.yml --config {CONFIGS / 'select_data.cfg'}",
                 id="select-records"),
    pytest.param("select records gold.jsonl out.jsonl --scores gold.jsonl --labels labels.yml --config "
                 f"{CONFIGS / 'select_data.cfg'}", id="scores-gold"),
    pytest.param("select records gold.jsonl out.jsonl --scores labels.yml --labels labels.yml --config "
                 f"{CONFIGS / 'select_data.cfg'}", id="scores-labels"),
    pytest.param("select records out.dropped.jsonl out.jsonl --labels labels.yml --config "
                 f"{CONFIGS / 'select_data.cfg'}", id="dropped-gold"),
    pytest.param(f"annotate gold.jsonl gold.jsonl --pipeline nowhere --config {CONFIGS / 'annotate.cfg'}",
                 id="pipeline"),
    pytest.param("decode replies.jsonl replies.jsonl", id="decode"),
    pytest.param("encode gold.jsonl gold.jsonl --format json", id="encode"),
    pytest.param("convert gold.jsonl gold.jsonl --drop-labels", id="convert"),
    pytest.param("convert gold.jsonl found.jsonl folder/../found.jsonl", id="convert-last"),
    pytest.param("convert gold.jsonl labels.yml --to jsonl --labels labels.yml", id="convert-labels"),
    pytest.param("convert gold.jsonl found.jsonl --exclude found.jsonl", id="convert-exclude"),
    pytest.param("convert train.jsonl found.jsonl --require-disjoint found.jsonl", id="convert-disjoint"),
    pytest.param("convert train.jsonl dev.jsonl train.jsonl --check-corpus", id="check-corpus"),
])
def test_a_verb_never_writes_over_what_it_reads(refused, data, arguments):
    before = stored(data)
    assert "another name" in refused(*arguments.split())
    assert stored(data) == before


@pytest.mark.parametrize("arguments", [
    pytest.param(f"generate variants gold.jsonl out.jsonl --report out.jsonl --labels labels.yml --config {CONFIG}",
                 id="variants"),
    pytest.param(f"generate sentences seeds.jsonl out.jsonl --report folder/../out.jsonl --labels labels.yml "
                 f"--config {CONFIG}", id="sentences"),
    pytest.param(f"generate sentences seeds.jsonl out.jsonl --report out.plan.jsonl --labels labels.yml "
                 f"--config {CONFIG}", id="plan"),
    pytest.param("select records gold.jsonl out.jsonl --scores out.jsonl --labels labels.yml --config "
                 f"{CONFIGS / 'select_data.cfg'}", id="scores"),
    pytest.param("select records gold.jsonl out.jsonl --scores out.dropped.jsonl --labels labels.yml --config "
                 f"{CONFIGS / 'select_data.cfg'}", id="dropped"),
])
def test_two_results_never_go_into_one_file(refused, data, arguments):
    before = stored(data)
    assert "would be written to the same file" in refused(*arguments.split())
    assert stored(data) == before


@pytest.mark.parametrize("report", ["dev.jsonl", "test.txt", "other.spacy", "OTHER.XML"])
def test_the_report_of_a_check_never_takes_the_place_of_a_split(refused, data, report):
    before = stored(data)
    assert f"{report} would hold the report" in refused("convert", "train.jsonl", report, "--check-corpus")
    assert stored(data) == before


@pytest.mark.parametrize("arguments, advice", [
    pytest.param("notes notes", "another output folder", id="same-folder"),
    pytest.param("notes/a.ann notes --to brat", "another output folder", id="folder-of-a-document"),
    pytest.param("notes notes/a.ann --to iob", "another name", id="file-of-the-folder"),
    pytest.param("notes/a.ann notes/a.txt --to iob", "another name", id="partner"),
])
def test_convert_never_writes_over_a_brat_folder_that_it_reads(refused, data, arguments, advice):
    for name in ("a", "b"):
        (data / "notes").mkdir(exist_ok=True)
        (data / "notes" / f"{name}.txt").write_text("Gout hurts.")
        (data / "notes" / f"{name}.ann").write_text("T1\tDISEASE 0 4\tGout\n")
    before = stored(data)
    assert advice in refused("convert", *arguments.split())
    assert stored(data) == before


@pytest.mark.parametrize("output, options", [
    pytest.param("notes.jsonl", [], id="texts-that-failed"),
    pytest.param("notes.spacy", [], id="other-ending"),
    pytest.param("folder/../notes.jsonl.gz", [], id="other-spelling"),
    pytest.param("found.jsonl", ["--annotate.examples", "found.jsonl"], id="examples"),
    pytest.param("replies.jsonl", ["--annotate.replay", "replies.jsonl"], id="replies"),
    pytest.param("found.jsonl", ["--annotate.examples", "found.failed.jsonl"], id="failed-examples"),
    pytest.param("found.jsonl", ["--annotate.replay", "found.failed.jsonl"], id="failed-replies"),
])
def test_annotate_never_puts_its_failures_over_what_it_reads(refused, data, output, options):
    for name in ("notes", "found"):
        write_jsonl(data / f"{name}.failed.jsonl", [Annotation(TEXT, id="a")])
    before = stored(data)
    assert "another name" in refused("annotate", "notes.failed.jsonl", output, "--config", CONFIGS / "annotate.cfg",
                                     *options)
    assert stored(data) == before


def test_select_spans_never_removes_what_it_reads_as_failures_of_an_earlier_run(refused, data):
    write_jsonl(data / "notes.failed.jsonl", [Annotation(TEXT, (ASTHMA,), id="a")])
    before = stored(data)
    assert "another name" in refused("select", "spans", "notes.failed.jsonl", "notes.jsonl", "--selector", "nowhere")
    assert stored(data) == before


def test_the_compressed_file_that_is_read_instead_is_known(refused, data):
    write_jsonl(data / "packed.jsonl.gz", [Annotation(TEXT, (ASTHMA,), id="a", meta={"split": "train"})])
    before = stored(data)
    assert "another name" in refused("merge", "packed.jsonl.gz", "--gold", "packed.jsonl")
    assert stored(data) == before


def test_documents_for_the_report_never_take_the_place_of_what_was_scored(refused, data):
    write_jsonl(data / "found.failed.jsonl", [Annotation("Not annotated.", id="b")])
    write_jsonl(data / "both.jsonl", [Annotation(TEXT, (ASTHMA,), id="a"), Annotation("Not annotated.", id="b")])
    before = stored(data)
    assert "another name" in refused("evaluate", "both.jsonl", "found.jsonl", "-o", "m.json", "--predictions", ".",
                                     "--resamples", 10)
    assert stored(data) == before


def test_the_figures_of_a_report_never_take_the_place_of_the_metrics(refused, verb, data):
    assert verb("evaluate", "gold.jsonl", "found.jsonl", "-o", "m.json", "--resamples", 10)[0] == 0
    before = stored(data)
    assert "another name" in refused("report", "m.json", "-o", "m.html")
    assert stored(data) == before


def write_splits(folder):
    for part, text in (("train", TEXT), ("dev", "A case of gout was seen."), ("test", "Flu was the other disease.")):
        write_jsonl(folder / f"{part}.jsonl", [Annotation(text, id=part)])


@pytest.mark.parametrize("output, options", [
    pytest.param("data/self", [], id="corpus"),
    pytest.param("data/self/made", [], id="inside"),
    pytest.param("data", [], id="above"),
    pytest.param("data/texts", ["--raw", "texts"], id="raw"),
])
def test_prepare_leaves_its_source_alone(refused, data, output, options):
    write_splits(data / "data" / "self")
    write_jsonl(data / "data" / "texts" / "train.jsonl", [Annotation("Raw text that stands nowhere else.", id="r")])
    before = stored(data)
    assert "another output folder" in refused("prepare", "data", "self", output, "--labels", "labels.yml", *options)
    assert stored(data) == before


def test_prepare_leaves_the_records_of_another_corpus_alone(refused, data):
    write_splits(data / "data" / "self")
    write_jsonl(data / "other" / "test.jsonl", [Annotation("Another text.", id="o")])
    before = stored(data)
    assert "another name" in refused("prepare", "data", "self", "other", "--labels", "labels.yml", "--apart-from",
                                     "other/test.jsonl")
    assert stored(data) == before


def test_prepare_leaves_raw_text_alone_that_it_finds_by_itself(refused, data):
    write_splits(data / "data" / "self")
    write_jsonl(data / "data" / "pubmed_unlabeled" / "train.jsonl", [Annotation("Raw text that is new here.", id="r")])
    before = stored(data)
    assert "another name" in refused("prepare", "data", "self", "data/pubmed_unlabeled", "--labels", "labels.yml")
    assert stored(data) == before


@pytest.mark.parametrize("arguments, output", [
    pytest.param("decode replies.jsonl OUT", "", id="decode"),
    pytest.param("encode gold.jsonl OUT --format json", "", id="encode"),
    pytest.param("convert gold.jsonl OUT --to jsonl", "", id="convert"),
    pytest.param("inspect gold.jsonl --output OUT", "", id="inspect"),
    pytest.param("evaluate gold.jsonl found.jsonl -o OUT --resamples 10", ".json", id="evaluate"),
    pytest.param("merge out.jsonl --gold gold.jsonl --report OUT", "", id="merge-report"),
    pytest.param("merge OUT --gold gold.jsonl", ".jsonl", id="merge"),
])
def test_a_folder_is_no_file_to_write(refused, data, arguments, output):
    folder = f"folder{output}"
    (data / folder).mkdir(exist_ok=True)
    before = stored(data)
    assert f"{folder}: it is a folder. Give" in refused(*arguments.replace("OUT", folder).split())
    below = f"gold.jsonl/x{output}"
    assert f"{below}: gold.jsonl is a file, not a folder. Give" in refused(*arguments.replace("OUT", below).split())
    assert stored(data) == before and not list((data / folder).iterdir())


def test_a_file_is_no_folder_to_write_to(refused, data):
    assert "gold.jsonl/x/y.jsonl: gold.jsonl is a file" in refused("decode", "replies.jsonl", "gold.jsonl/x/y.jsonl")


@pytest.mark.parametrize("arguments", [
    pytest.param("merge m9.spacy --gold gold.jsonl", id="merge"),
    pytest.param(f"generate seeds gold.jsonl s8.txt --labels labels.yml --config {CONFIG}", id="seeds"),
    pytest.param("select spans gold.jsonl out.txt --selector nowhere", id="select-spans"),
    pytest.param("select spans gold.jsonl out.jsonl --rejected out.json --selector nowhere", id="rejected"),
    pytest.param(f"generate variants gold.jsonl out.conll --labels labels.yml --config {CONFIG}", id="variants"),
    pytest.param(f"generate sentences seeds.jsonl out --labels labels.yml --config {CONFIG}", id="sentences"),
    pytest.param(f"select records gold.jsonl out.spacy --labels labels.yml --config {CONFIGS / 'select_data.cfg'}",
                 id="select-records"),
    pytest.param("decode replies.jsonl out.json", id="decode"),
    pytest.param("encode gold.jsonl out.txt --format json", id="encode"),
])
def test_the_name_of_records_ends_in_jsonl(refused, data, arguments):
    before = stored(data)
    assert "ends in .jsonl or .jsonl.gz" in refused(*arguments.split())
    assert stored(data) == before
