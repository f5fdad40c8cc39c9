"""The short form of `python -m benchmarks.chaos artefacts`."""

import pytest

from benchmarks.chaos import artefacts


@pytest.mark.issue(21)
def test_damaged_artefacts_give_the_right_output_or_one_line(tmp_path):
    row = artefacts.run(60, 1, tmp_path)
    assert row["held"], row["faults"]
    assert artefacts.run(60, 1, tmp_path) == row, "what was done is not done again"
