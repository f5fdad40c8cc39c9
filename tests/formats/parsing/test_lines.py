"""What is cut at its end says so, in formats in which the rest looks whole."""

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.formats import read_annotations, write_annotations
from spacy_bioner.formats.parsing.problems import NOTES, Problems

RECORDS = [Annotation("No gout.", (Mention(3, 7, "DISEASE"),), id="a")]


def read_counts(path):
    problems = Problems()
    assert len(list(read_annotations(path, problems=problems))) == 1
    return problems.counts


@pytest.mark.issue(21)
@pytest.mark.parametrize("name, end", [("a.pubtator", "EASE\n\n"), ("a.conll", "\tO\n\n"), ("a.brat", "\tgout\n")])
def test_a_file_cut_inside_its_last_line_is_noted(tmp_path, name, end):
    path = tmp_path / name
    write_annotations(path, RECORDS, problems=Problems())
    whole = read_counts(path)
    file_ = path / "a.ann" if path.is_dir() else path
    content = file_.read_bytes()
    assert "open_end" not in whole and content.endswith(end.encode())
    file_.write_bytes(content[:-len(end)])
    assert read_counts(path)["open_end"] == 1 and "open_end" in NOTES
