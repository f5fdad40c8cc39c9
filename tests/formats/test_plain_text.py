"""Plain text: folders and files of texts are raw text, and what only looks like it is not taken for it."""

import pytest

from spacy_bioner.errors import BionerError
from spacy_bioner.formats import is_plain_text, read_annotations
from spacy_bioner.formats.parsing.problems import Problems

pytestmark = pytest.mark.issue(24)


def test_a_folder_holds_a_document_a_file(tmp_path):
    (tmp_path / "b.txt").write_text("Two\nlines.\n")
    (tmp_path / "a.txt").write_text("One.")
    assert [(one.id, one.text, one.meta) for one in read_annotations(tmp_path, raw=True)] == [
        ("a", "One.", {"origin": "raw"}), ("b", "Two\nlines.\n", {"origin": "raw"})]


def test_a_file_holds_a_document_a_line(tmp_path):
    (tmp_path / "notes.txt").write_text("One.\n\nTwo.\n")
    assert [(one.id, one.text) for one in read_annotations(tmp_path / "notes.txt", raw=True)] == [
        ("notes-1", "One."), ("notes-3", "Two.")]


def test_texts_that_nobody_called_raw_are_noted_and_strictly_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("One.\n")
    problems = Problems()
    assert len(list(read_annotations(tmp_path / "notes.txt", problems=problems))) == 1
    assert problems.counts == {"no_annotation": 1}
    with pytest.raises(BionerError):
        list(read_annotations(tmp_path / "notes.txt", problems=Problems(strict=True)))


def test_a_pubtator_file_is_read_as_such(tmp_path):
    (tmp_path / "corpus.txt").write_text("1|t|Gout.\n1|a|\n1\t0\t4\tGout\tDISEASE\n")
    [record] = read_annotations(tmp_path / "corpus.txt")
    assert record.mentions[0].label == "DISEASE"


def test_tagged_tokens_are_not_taken_for_text(tmp_path):
    (tmp_path / "train.txt").write_text("Gout\tB-DISEASE\nhurts\tO\n")
    with pytest.raises(BionerError, match="format of .*train.txt is not clear"):
        list(read_annotations(tmp_path / "train.txt", raw=True))


@pytest.mark.parametrize("names, plain", [
    (["a.txt"], True), (["a.txt", "LICENSE"], True), (["a.txt", "a.ann"], False), (["a.txt", "train.jsonl"], False),
    (["a.pubtator.txt"], False), ([], False),
])
def test_a_folder_is_plain_text_where_it_holds_texts_alone(tmp_path, names, plain):
    for name in names:
        (tmp_path / name).touch()
    assert is_plain_text(tmp_path) is plain
