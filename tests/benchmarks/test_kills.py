"""The short form of `python -m benchmarks.chaos kills`."""

import pytest

from benchmarks.chaos import kills


@pytest.mark.issue(21)
def test_a_killed_annotation_ends_as_an_undisturbed_one(tmp_path):
    row = kills.run(2, 1, tmp_path, names=("annotate-server",))
    assert row["held"], row["faults"]
    assert row["kills"] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["kills-1-annotate-server.progress.json"]
