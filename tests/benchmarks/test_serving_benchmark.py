"""The benchmark of `serve` asks a real process, and counts what was answered."""

import sys
from pathlib import Path

import pytest
import spacy

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks.serving import measure, served  # noqa: E402

pytestmark = pytest.mark.issue(22)


def test_answers_are_counted_and_timed(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("span_ruler", config={"spans_key": "sc"}).add_patterns([{"label": "DISEASE", "pattern": "gout"}])
    nlp.to_disk(tmp_path / "pipeline")
    with served(tmp_path / "pipeline") as (address, _):
        row = measure(address, ["gout", "no fever", "gout again"], clients=2, size=3, seconds=0.5)
    assert row["requests"] > 2 and row["texts"] == pytest.approx(3 * row["requests"])
    assert 0 < row["median"] <= row["slow"] < 500
