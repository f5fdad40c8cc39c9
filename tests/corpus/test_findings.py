"""The report of a corpus check as numbers and as text."""

import pytest

from spacy_bioner.corpus.findings import RULES, CorpusReport, Finding, SplitFigures, format_report

TRAIN = SplitFigures(texts=4, mentions=10, nested=2, surfaces=9, empty=1, unseen=0, labels={"GENE": 6, "CELL": 4})
RAW = SplitFigures(texts=6, mentions=0, nested=0, surfaces=0, empty=6, unseen=0, labels={})


@pytest.mark.parametrize("name, of, part", [("nested", "mentions", 0.2), ("empty", "texts", 0.25)])
def test_parts_leave_out_raw_text(name, of, part):
    assert CorpusReport({"train": TRAIN, "raw": RAW}, 9).part(name, of) == part


def test_part_of_raw_text_alone_is_zero():
    assert CorpusReport({"raw": RAW}, 0).part("empty", "texts") == 0.0


def test_text_has_a_line_for_each_split_and_the_labels():
    text = format_report(CorpusReport({"train": TRAIN, "raw": RAW}, 9))
    assert "train: 4 texts, 10 mentions (GENE 6, CELL 4), 2 nested" in text
    assert "raw: 6 texts without mentions" in text
    assert text.endswith("no rule is broken")


def test_text_counts_all_findings_and_shows_the_first():
    findings = tuple(Finding("boundary", f"r{number}", "0-5 D 'Breas'") for number in range(7))
    text = format_report(CorpusReport({"train": TRAIN}, 9, findings), examples=2)
    assert f"broken in 7 places: {RULES['boundary']}" in text
    assert "r1: 0-5 D 'Breas'" in text and "r2" not in text
    assert "no rule is broken" not in text
