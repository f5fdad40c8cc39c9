"""The tables of the benchmark of the generator, from figures that are given; no model runs."""

import sys
from pathlib import Path

import pytest

from spacy_bioner.annotation import Annotation

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks.generation import compare_variety, find_ratios, print_table, read_corpus  # noqa: E402


def make_way(speed, tidy, **rejected):
    return {"asked": 16, "accepted": 0.75, "without_repair": tidy, "seeds_present": 0.9, "perplexity": 30.25,
            "sentences_per_second": speed, "rejected": rejected,
            "variety": {"sentences": 4, "distinct_1": 0.5, "distinct_2": 0.875}}


WAYS = {"untaught grounded": make_way(1.0, 0.5, repetition=2), "untaught free": make_way(4.0, 0.0, no_wrapper=16),
        "taught grounded": make_way(1.8, 0.98), "taught free": {**make_way(2.0, 0.4, truncated=1), "f1": 0.4567}}


def test_ratios_are_those_of_the_taught_model_with_their_aims():
    tidy, speed = find_ratios(WAYS)
    assert (tidy["ratio"], tidy["aim"]) == (0.98, 0.95)
    assert (speed["ratio"], speed["aim"]) == (pytest.approx(0.9), 0.8)


def test_the_table_has_a_row_for_each_way_and_a_column_for_each_reason(capsys):
    print_table({"ways": WAYS})
    figures, rejections = (part.splitlines() for part in capsys.readouterr().out.strip().split("\n\n"))
    assert len(figures) == len(rejections) == 2 + len(WAYS)
    assert figures[2] == "| untaught grounded | 75.0% | 50.0% | 90.0% | 0.500 / 0.875 | 30.2 | 1.00 |  |"
    assert figures[5].endswith("| 2.00 | 45.67 |")
    assert rejections[0] == "| way | asked | no_wrapper | repetition | truncated |"
    assert rejections[3] == "| untaught free | 16 | 16 | 0 | 0 |"
    assert all(row.count("|") == figures[0].count("|") for row in figures)
    assert all(row.count("|") == rejections[0].count("|") for row in rejections)


def test_variety_is_that_of_as_many_sentences_as_the_fewest():
    two = [Annotation("one two"), Annotation("three four")]
    made = {"a": [Annotation("one two three four")] * 3, "b": two, "c": []}
    found = compare_variety(made)
    assert found["a"] == {"sentences": 2, "distinct_1": 0.5, "distinct_2": 0.5}
    assert found["b"] == {"sentences": 2, "distinct_1": 1.0, "distinct_2": 1.0}
    assert found["c"] == {"sentences": 0, "distinct_1": 0.0, "distinct_2": 0.0}


def test_the_held_out_files_of_the_corpus_are_there():
    parts, schema, folder = read_corpus()
    assert set(parts) == {"train", "dev", "test"} and schema.labels
    assert all((folder / f"{split}.jsonl").is_file() for split in ("dev", "test"))
