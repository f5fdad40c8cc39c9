"""The plan of sentences: balanced, even, and the same however long it is."""

from collections import Counter

import pytest

from spacy_bioner.errors import BionerError
from spacy_bioner.synthesis.plan import plan_sentences
from spacy_bioner.synthesis.seeds import Seed

SEEDS = [Seed(f"drug{n}", "CHEMICAL") for n in range(12)] + [Seed(f"ill{n}", "DISEASE") for n in range(5)]


def test_a_longer_plan_begins_with_the_shorter_one():
    assert plan_sentences(SEEDS, n=60, seed=3)[:25] == plan_sentences(SEEDS, n=25, seed=3)


def test_labels_lead_equally_often_and_seeds_are_used_evenly():
    plan = plan_sentences(SEEDS, n=600, seed=0)
    used = Counter(seed for sentence in plan for seed in sentence.seeds)
    for label in ("CHEMICAL", "DISEASE"):
        counts = [count for seed, count in used.items() if seed.label == label]
        assert max(counts) - min(counts) <= 0.1 * max(counts) + 2
    assert set(used) == set(SEEDS)
    assert {len(sentence.seeds) for sentence in plan} == {1, 2, 3}
    holding = Counter(label for sentence in plan for label in {seed.label for seed in sentence.seeds})
    assert abs(holding["CHEMICAL"] - holding["DISEASE"]) <= 60


def test_no_sentence_holds_one_name_twice():
    seeds = [Seed("DSM-IV", "A"), Seed("dsm - iv", "B"), Seed("x", "A")]
    for sentence in plan_sentences(seeds, n=50, seed=1):
        assert len({seed.text.replace(" ", "").lower() for seed in sentence.seeds}) == len(sentence.seeds)


def test_without_seeds_there_is_no_plan():
    with pytest.raises(BionerError, match="No seed entities"):
        plan_sentences([], n=1, seed=0)
