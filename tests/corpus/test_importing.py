"""Files of one's own become the parts of a corpus: by their names, else divided by document."""

from pathlib import Path

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.corpus.importing import divide, find_sources, import_corpus, tell_part
from spacy_bioner.errors import BionerError
from spacy_bioner.formats import write_annotations


def records(count, start=0, **meta):
    return [Annotation(f"Patient {number} had gout.", (Mention(len(f"Patient {number} had "), len(
        f"Patient {number} had gout"), "DISEASE"),), id=f"d{number}", meta=meta)
        for number in range(start, start + count)]


@pytest.mark.parametrize("name, part", [
    ("train.jsonl", "train"), ("my-training.conll", "train"), ("NCBItrainset_corpus.pubtator", "train"),
    ("devel.bio", "dev"), ("validation.jsonl", "dev"), ("TEST.iob", "test"), ("testing_set.jsonl", "test"),
    ("latest.jsonl", ""), ("notes.jsonl", ""), ("device.jsonl", ""), ("raw.jsonl", "raw"), ("unlabeled.jsonl", "raw"),
])
def test_a_file_is_the_part_that_its_name_says(name, part):
    assert tell_part(Path(name)) == part


def test_documents_without_a_named_file_are_divided(tmp_path):
    write_annotations(tmp_path / "notes.jsonl", records(20))
    imported = import_corpus([tmp_path / "notes.jsonl"], corpus="notes", lang="en", seed=1)
    assert {name: len(part) for name, part in imported.parts.items()} == {"train": 14, "dev": 3, "test": 3, "raw": 0}
    assert imported.split
    assert {record.meta["split"] for record in imported.parts["dev"]} == {"dev"}
    again = import_corpus([tmp_path / "notes.jsonl"], corpus="notes", lang="en", seed=1)
    assert again.parts == imported.parts
    other = import_corpus([tmp_path / "notes.jsonl"], corpus="notes", lang="en", seed=2)
    assert other.parts != imported.parts


def test_named_files_keep_their_part_and_only_missing_ones_are_divided(tmp_path):
    write_annotations(tmp_path / "train.jsonl", records(10))
    write_annotations(tmp_path / "test.jsonl", records(4, 50))
    (tmp_path / "raw.txt").write_text("A sentence.\nAnother one.\n")
    imported = import_corpus([tmp_path], corpus="notes", lang="en")
    assert {name: len(part) for name, part in imported.parts.items()} == {"train": 8, "dev": 2, "test": 4, "raw": 2}
    assert {record.meta["origin"] for record in imported.parts["raw"]} == {"raw"}
    assert {record.meta["split"] for record in imported.parts["raw"]} == {"train"}


def test_a_text_file_is_a_document_a_line_and_in_a_folder_one_document(tmp_path):
    (tmp_path / "texts").mkdir()
    for path in (tmp_path / "notes.txt", tmp_path / "texts" / "a.txt", tmp_path / "texts" / "b.txt"):
        path.write_text("A sentence.\nAnother one.\n")
    assert len(import_corpus([tmp_path / "notes.txt"], corpus="a", lang="en").parts["raw"]) == 2
    found = import_corpus([tmp_path / "texts"], corpus="a", lang="en").parts["raw"]
    assert [record.text for record in found] == 2 * ["A sentence.\nAnother one.\n"]


def test_documents_of_one_text_or_one_source_stay_together():
    same = [Annotation("The same text.", id=f"a{number}") for number in range(5)]
    parts = divide([*same, *records(6), *(record.with_meta(document="x") for record in records(4, 50))],
                   ["dev", "test"], seed=3)
    for part in parts.values():
        names = {record.id for record in part}
        assert names & {f"a{number}" for number in range(5)} in (set(), {f"a{number}" for number in range(5)})
        assert names & {f"d{number}" for number in range(50, 54)} in (set(), {f"d{number}" for number in range(50, 54)})


@pytest.mark.parametrize("seed", range(8))
def test_documents_stay_together_that_another_record_joins(seed):
    joined = [Annotation("Sentence one of A.", id="a1", meta={"document": "A"}),
              Annotation("A shared sentence.", id="b1", meta={"document": "B"}),
              Annotation("A shared sentence.", id="a2", meta={"document": "A"})]
    parts = divide([*joined, *records(3)], ["dev"], seed=seed)
    assert len({name for name, part in parts.items() for record in part if record in joined}) == 1


def test_pubtator_in_a_txt_file_is_no_raw_text(tmp_path):
    write_annotations(tmp_path / "train.pubtator", records(6))
    (tmp_path / "train.pubtator").rename(tmp_path / "train.txt")
    assert len(import_corpus([tmp_path / "train.txt"], corpus="a", lang="en").parts["dev"]) == 1


def test_ids_that_occur_twice_are_told_apart(tmp_path):
    write_annotations(tmp_path / "one.jsonl", records(3))
    write_annotations(tmp_path / "two.jsonl", records(3))
    imported = import_corpus([tmp_path / "one.jsonl", tmp_path / "two.jsonl"], corpus="a", lang="en")
    names = [record.id for part in imported.parts.values() for record in part]
    assert len(names) == len(set(names)) == 6


@pytest.mark.parametrize("make, told", [
    pytest.param(lambda folder: (folder / "notes.md").write_text("x"), "No corpus file in", id="no-corpus-file"),
    pytest.param(lambda folder: (folder / "a.jsonl").write_text(""), "holds no record", id="empty"),
    pytest.param(lambda folder: write_annotations(folder / "a.jsonl", records(2)), "too few to divide", id="too-few"),
])
def test_what_cannot_be_a_corpus_is_one_error(tmp_path, make, told):
    make(tmp_path)
    with pytest.raises(BionerError, match=told):
        import_corpus([tmp_path], corpus="a", lang="en")


def test_a_label_that_the_schema_lacks_is_an_error(tmp_path):
    write_annotations(tmp_path / "a.jsonl", records(5))
    with pytest.raises(BionerError, match="'DISEASE', which labels.yml does not know"):
        import_corpus([tmp_path / "a.jsonl"], corpus="a", lang="en", labels={"GENE": ""}, schema="labels.yml")


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(BionerError, match="nowhere"):
        list(find_sources([tmp_path / "nowhere"]))
