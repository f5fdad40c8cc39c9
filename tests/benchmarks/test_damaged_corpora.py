"""The chaos run over damaged corpora, in its short form."""

from random import Random

import pytest

from benchmarks.chaos.corpora import NAMES, make_corpus, run, run_trial
from spacy_bioner.formats import FORMATS, guess_format

pytestmark = pytest.mark.issue(21)


def test_damaged_corpora_of_all_formats_are_read_or_one_line(tmp_path):
    row = run(60, 1, tmp_path)
    assert row["held"], row["faults"]
    assert row["count"] == 60 and set(row["formats"]) == set(NAMES)
    assert sum(row["outcomes"].values()) == 60 and row["outcomes"]["error"] > 10


def test_a_run_resumes_where_it_was(tmp_path):
    run(10, 1, tmp_path)
    assert run(20, 1, tmp_path)["outcomes"] == run(20, 1, tmp_path)["outcomes"]
    assert [path.name for path in tmp_path.iterdir()] == ["corpora-1.progress.json"]


def test_all_corpus_formats_are_among_the_trials(tmp_path):
    tools = {"labelstudio", "doccano", "prodigy", "inception"}  # these have tests of their own
    assert {guess_format(tmp_path / name) for name in NAMES} == set(FORMATS) - tools
    assert run_trial(0, 1, tmp_path)[0] == NAMES[0]


def test_the_corpus_is_the_same_for_a_seed():
    assert make_corpus(Random(1)) == make_corpus(Random(1))
