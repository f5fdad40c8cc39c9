"""The tables of the benchmark of the generator, from figures that are given; no model runs."""

import sys
from pathlib import Path

import pytest

from spacy_bioner.annotation import Annotation
from spacy_bioner.llm.protocol import Reply
from spacy_bioner.synthesis.plan import PlannedSentence
from spacy_bioner.synthesis.seed_prompt import SeedPrompt
from spacy_bioner.synthesis.seeds import Seed

sys.path.append(str(Path(__file__).parents[2]))

from benchmarks.generation import (  # noqa: E402
    compare_variety,
    find_ratios,
    print_table,
    read_corpus,
    write_sentences,
)


def make_way(speed, tidy, **rejected):
    return {"asked": 16, "accepted": 0.75, "without_repair": tidy, "seeds_present": 0.9, "perplexity": 30.25,
            "sentences_per_second": speed, "rejected": rejected,
            "variety": {"sentences": 4, "distinct_1": 0.5, "distinct_2": 0.875}}


WAYS = {"untuned grounded": make_way(1.0, 0.5, repetition=2), "untuned free": make_way(4.0, 0.0, no_wrapper=16),
        "fine-tuned grounded": make_way(1.8, 0.98),
        "fine-tuned free": {**make_way(2.0, 0.4, truncated=1), "f1": 0.4567}}


class Writer:
    """Writes a tidy sentence, one that has to be repaired, and one without its wrapper."""

    context_length = 1000
    answers = ("<start_sentence>We gave <CHEMICAL>aspirin</CHEMICAL> to all of them.</end_sentence>",
               "<start_sentence>They took aspirin twice on every other day.</end_sentence>", "I cannot.")

    def identity(self):
        return {"model": "writer"}

    def count_tokens(self, text):
        return len(text.split())

    def generate(self, requests):
        yield from ((index, Reply(self.answers[index])) for index in range(len(requests)))


def test_what_is_accepted_with_and_without_repair_is_counted():
    plan = [PlannedSentence(str(number), (Seed("aspirin", "CHEMICAL"),), number) for number in range(3)]
    figures, kept = write_sentences(Writer(), SeedPrompt({"CHEMICAL": "drugs"}), plan, [])
    assert (figures["accepted"], figures["without_repair"]) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert len(kept) == 2 and figures["rejected"] == {"no_wrapper": 1}


def test_ratios_are_those_of_the_trained_model_with_their_aims():
    tidy, speed = find_ratios(WAYS)
    assert (tidy["ratio"], tidy["aim"]) == (0.98, 0.95)
    assert (speed["ratio"], speed["aim"]) == (pytest.approx(0.9), 0.8)


def test_the_table_has_a_row_for_each_way_and_a_column_for_each_reason(capsys):
    print_table({"ways": WAYS})
    figures, rejections = (part.splitlines() for part in capsys.readouterr().out.strip().split("\n\n"))
    assert len(figures) == len(rejections) == 2 + len(WAYS)
    assert figures[2] == "| untuned grounded | 75.0% | 50.0% | 90.0% | 0.500 / 0.875 | 30.2 | 1.00 |  |"
    assert figures[5].endswith("| 2.00 | 45.67 |")
    assert rejections[0] == "| way | asked | no_wrapper | repetition | truncated |"
    assert rejections[3] == "| untuned free | 16 | 16 | 0 | 0 |"
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
