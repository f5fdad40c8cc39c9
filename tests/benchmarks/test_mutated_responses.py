"""The guarantee for mutated responses in its short form, and that a run of it resumes."""

import json

from benchmarks.chaos import responses


def test_no_mutated_response_raises_gives_an_invalid_span_or_takes_long(tmp_path):
    row = responses.run(700, 11, tmp_path)
    assert row["held"], row["faults"]
    assert row["count"] == 700 and len(row["formats"]) == 7


def test_a_run_resumes_by_counting(tmp_path):
    responses.run(40, 3, tmp_path)
    (progress,) = tmp_path.iterdir()
    assert json.loads(progress.read_text(encoding="utf8"))["done"] == 40
    resumed, whole = responses.run(80, 3, tmp_path), responses.run(80, 3, tmp_path / "other")
    assert resumed["formats"] == whole["formats"] and resumed["count"] == whole["count"] == 80
