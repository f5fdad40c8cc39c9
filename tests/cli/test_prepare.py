"""The verb prepare: raw text that is missing or named, beside complete gold."""

import json

import pytest
from places import ROOT

pytestmark = pytest.mark.issue(24)


@pytest.fixture
def data(tmp_path):
    """A folder of corpora with complete gold and no raw text."""
    folder = tmp_path / "data" / "mine"
    folder.mkdir(parents=True)
    texts = {"train": "The patient had gout in the spring.", "dev": "A case of gout was seen in the summer of 1988.",
             "test": "Gout was the second diagnosis of the doctor."}
    for part, text in texts.items():
        start = text.lower().index("gout")
        record = {"id": part, "text": text, "spans": [{"start": start, "end": start + 4, "label": "DISEASE"}]}
        (folder / f"{part}.jsonl").write_text(json.dumps(record) + "\n")
    (folder / "labels.yml").write_text("labels: {DISEASE: illnesses}\n")
    return tmp_path / "data"


def test_complete_gold_needs_no_raw_text(verb, data, tmp_path):
    code, _, err = verb("prepare", data, "mine", tmp_path / "out")
    assert code == 0 and "note: no raw text" in err and "none will be annotated" in err
    assert (tmp_path / "out" / "raw.jsonl").read_text() == ""


def test_raw_text_that_is_named_must_be_there(refused, data, tmp_path):
    assert "No raw text to annotate" in refused("prepare", data, "mine", tmp_path / "out", "--raw", "train")


def test_a_folder_of_texts_is_named_as_raw_text(verb, data, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("A note without any annotation in it.\n")
    code, _, err = verb("prepare", data, "mine", tmp_path / "out", "--raw", tmp_path / "notes")
    assert code == 0 and "raw: 1 sentences" in err


def test_a_shipped_label_schema_is_copied_from_any_folder(verb, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (data / "mine" / "labels.yml").unlink()
    code, _, err = verb("prepare", "data", "mine", "out", "--labels", "assets/labels/ncbi_disease.yml")
    assert code == 0, err
    shipped = ROOT / "assets" / "labels" / "ncbi_disease.yml"
    assert (tmp_path / "out" / "labels.yml").read_bytes() == shipped.read_bytes()


def test_the_end_names_the_next_command_outside_of_a_workflow(verb, data, tmp_path, monkeypatch):
    monkeypatch.delenv("SPACY_BIONER_WORKFLOW", raising=False)
    assert "next: spacy-bioner train annotator" in verb("prepare", data, "mine", tmp_path / "out")[2]
    monkeypatch.setenv("SPACY_BIONER_WORKFLOW", "1")
    assert "next:" not in verb("prepare", data, "mine", tmp_path / "out")[2]
