"""`convert --check-corpus`: what it writes, and what it fails at."""

import json

import pytest
from places import ASSETS
from typer.testing import CliRunner

from spacy_bioner.cli._shared.check_corpus import check_corpus_files
from spacy_bioner.cli.main import app
from spacy_bioner.errors import BionerError
from spacy_bioner.files import write_json_lines
from spacy_bioner.formats.parsing.problems import Problems

EMBEDDED = ASSETS / "embedded"


def write_split(folder, name, *texts):
    path = folder / f"{name}.jsonl"
    write_json_lines(path, [{"id": f"{name}-{number}", "text": text, "spans": [], "meta": {"unit": "sentence"}}
                            for number, text in enumerate(texts)])
    return path


def check(paths, output, **options):
    return check_corpus_files(paths, output, problems=Problems(), **options)


def test_embedded_corpus_passes_the_strict_check(tmp_path):
    paths = [EMBEDDED / f"{split}.jsonl" for split in ("train", "dev", "test", "raw")]
    result = CliRunner().invoke(app, ["convert", *map(str, paths), str(tmp_path / "report.txt"), "--check-corpus",
                                      "--strict"])
    assert result.exit_code == 0
    assert "no rule is broken" in (tmp_path / "report.txt").read_text(encoding="utf8")


def test_json_report_holds_counts_and_findings(tmp_path):
    paths = [write_split(tmp_path, "train", "It rained.", "It rained."), write_split(tmp_path, "dev", "It snowed.")]
    check(paths, tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf8"))
    assert report["splits"]["train"]["texts"] == 2
    assert {"rule": "repeated_text", "place": "train-1", "detail": "the same as train-0"} in report["findings"]


def test_sentence_in_two_splits_is_an_error_and_the_report_is_written(tmp_path):
    paths = [write_split(tmp_path, "train", "It rained."), write_split(tmp_path, "dev", "It rained.")]
    with pytest.raises(BionerError, match="'two_splits' at dev-0"):
        check(paths, tmp_path / "report.txt")
    assert "dev-0: of dev, also train-0 of train" in (tmp_path / "report.txt").read_text(encoding="utf8")


def test_too_small_a_corpus_fails_only_when_strict(tmp_path):
    paths = [write_split(tmp_path, "train", "It rained.")]
    assert check(paths, tmp_path / "report.txt").findings
    with pytest.raises(BionerError, match="'nested' at corpus"):
        check(paths, tmp_path / "report.txt", strict=True)


@pytest.mark.parametrize("names, message", [
    pytest.param(["train", "other/train"], "second file for the split 'train'", id="same-name"),
    pytest.param(["train", "dev"], "holds no record", id="empty"),
    pytest.param(["training", "dev"], "training.jsonl is not named after a split", id="no-split"),
])
def test_files_that_are_no_splits_are_refused(tmp_path, names, message):
    paths = [write_split(tmp_path, names[0], "It rained."), write_split(tmp_path, names[1])]
    with pytest.raises(BionerError, match=message):
        check(paths, tmp_path / "report.txt")


@pytest.mark.parametrize("option", [
    ["--limit", "1"], ["--seed", "0"], ["--sentences"], ["--drop-labels"], ["--rename", "A=B"], ["--split", "train"],
    ["--labels", "labels.yml"], ["--exclude", "x.jsonl"], ["--to", "jsonl"], ["--columns", "FORM NER"],
], ids=lambda option: option[0])
def test_options_that_the_check_does_not_use_are_refused(refused, tmp_path, option):
    line = refused("convert", write_split(tmp_path, "train", "It rained."), tmp_path / "report.txt", "--check-corpus",
                   *option)
    assert f"{option[0]} has no effect with --check-corpus" in line
    assert not (tmp_path / "report.txt").exists()


def test_the_format_may_be_said(verb, tmp_path):
    path = write_split(tmp_path, "train", "It rained.")
    path = path.rename(tmp_path / "train.txt")
    code, _, err = verb("convert", path, tmp_path / "report.txt", "--check-corpus", "--from", "jsonl")
    assert code == 0, err
