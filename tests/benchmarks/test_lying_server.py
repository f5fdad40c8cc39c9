"""The short form of `python -m benchmarks.chaos server`."""

import pytest

from benchmarks.chaos import server


@pytest.mark.issue(21)
def test_of_documents_asked_of_a_lying_server_none_is_lost_wrong_or_twice(tmp_path):
    row = server.run(120, 1, tmp_path)
    assert row["held"], row
    assert row["kinds"] == 23 and row["right"] + row["truncated"] + row["set_aside"] == 120 and row["set_aside"] > 0
    assert len(row["faults"]) > 10 and len(row["reasons"]) >= 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["server-1.progress.json"]
    assert server.run(120, 1, tmp_path) == row, "what was done is not done again"
