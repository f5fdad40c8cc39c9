"""The file of scores: what it holds is read again, and what is not a score is one clear line."""

import pytest

from spacy_bioner.errors import BionerError
from spacy_bioner.finetuning.selection.ifd import AnswerLosses
from spacy_bioner.finetuning.selection.score_file import ScoreFile


def test_scores_are_kept(tmp_path):
    with ScoreFile(tmp_path / "new" / "scores.jsonl") as scores:
        scores.add("a", AnswerLosses(1.0, 2.0, 3))
    assert ScoreFile(tmp_path / "new" / "scores.jsonl").get("a") == AnswerLosses(1.0, 2.0, 3)


@pytest.mark.issue(6)
def test_score_that_is_no_number_counts_as_missing(tmp_path):
    with ScoreFile(tmp_path / "scores.jsonl") as scores:
        scores.add("a", AnswerLosses(float("nan"), 2.0, 3))
    assert ScoreFile(tmp_path / "scores.jsonl").get("a") is None


@pytest.mark.issue(6)
@pytest.mark.parametrize("content, message", [
    pytest.param(b"\xff\xfe\x00", "not a file of scores", id="not-utf-8"),
    pytest.param(b'{"id": "a"}\n', "line 1: not a score", id="other-records"),
    pytest.param(b'{"key": "a", "conditioned": "x", "direct": 1, "tokens": 2}\n', "not a score", id="no-number"),
    pytest.param(b"[1]\n", "line 1: not a score", id="list"),
])
def test_what_is_no_score_file_is_one_clear_error(tmp_path, content, message):
    (tmp_path / "scores.jsonl").write_bytes(content)
    with pytest.raises(BionerError, match=message):
        ScoreFile(tmp_path / "scores.jsonl")
