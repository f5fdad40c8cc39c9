"""Comparing two systems on the same documents, and runs with several seeds."""

import random

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.evaluation.comparison import compare_systems, summarise_runs
from spacy_bioner.evaluation.counts import count_strict
from spacy_bioner.evaluation.metrics import Sampling, tally
from spacy_bioner.evaluation.pairing import Pair

GOLD = [Annotation("alpha beta gamma", (Mention(0, 5, "X"), Mention(6, 10, "Y"), Mention(6, 16, "X")), id=str(number))
        for number in range(60)]
SAMPLING = Sampling(resamples=2000)


def found_at(rate, seed):
    chance = random.Random(seed)
    return [Pair(gold, gold.with_mentions([each for each in gold.mentions if chance.random() < rate])) for gold in GOLD]


def test_a_clear_difference_has_a_small_p_and_an_interval_without_zero():
    comparison, = compare_systems({"weak": found_at(0.4, 0), "strong": found_at(0.8, 1)}, SAMPLING)
    cell = comparison["micro"]["recall"]
    assert (comparison["before"], comparison["after"]) == ("weak", "strong")
    assert 0 < cell["interval"][0] < cell["difference"] < cell["interval"][1]
    assert cell["p"] == pytest.approx(1 / 2001)
    assert comparison["micro"]["precision"]["difference"] == 0 and comparison["micro"]["precision"]["p"] == 1


def test_sentences_of_a_document_change_places_together():
    gold = [Annotation("alpha", (Mention(0, 5, "X"),), id=str(number), meta={"document": str(number // 20)})
            for number in range(60)]
    pairs = {"none": [Pair(one, one.with_mentions(())) for one in gold], "all": [Pair(one, one) for one in gold]}
    comparison, = compare_systems(pairs, SAMPLING)
    # Three documents have eight ways of changing places, in two of which the difference is as large.
    assert comparison["micro"]["recall"]["p"] == pytest.approx(0.25, abs=0.05)


def test_the_same_system_twice_does_not_differ():
    same = found_at(0.5, 0)
    comparison, = compare_systems({"a": same, "b": same}, SAMPLING)
    assert comparison["macro"]["f1"] == {"difference": 0, "interval": [0, 0], "p": 1, "p_adjusted": 1}


def test_systems_without_any_mention_are_compared():
    nothing = [Pair(Annotation("x", id="1"), Annotation("x", id="1"))]
    comparison, = compare_systems({"a": nothing, "b": nothing}, Sampling(resamples=10))
    assert comparison["micro"]["f1"]["p"] == 1


def test_each_two_are_compared_and_p_allows_for_it():
    systems = {"a": found_at(0.4, 0), "b": found_at(0.6, 1), "c": found_at(0.9, 2)}
    comparisons = compare_systems(systems, SAMPLING)
    assert [(each["before"], each["after"]) for each in comparisons] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert all(each["micro"]["f1"]["p_adjusted"] >= each["micro"]["f1"]["p"] for each in comparisons)
    assert min(each["micro"]["f1"]["p_adjusted"] for each in comparisons) == pytest.approx(3 / 2001)


def test_runs_of_a_system_are_one_system_and_seeds_count_as_chance():
    same = {f"a@{seed}": found_at(0.6, seed) for seed in (1, 2, 3)}
    assert compare_systems(same, SAMPLING) == []
    other = {**same, **{f"b@{seed}": found_at(0.6 + 0.1 * seed, seed) for seed in (0, 1, 2)}}
    comparison, = compare_systems(other, SAMPLING)
    cell = comparison["micro"]["recall"]
    assert (comparison["before"], comparison["after"]) == ("a", "b") and cell["p"] == cell["p_adjusted"]
    # On these documents the mean is clearly higher; of another three seeds it need not be.
    assert cell["difference"] > 0.05 and cell["interval"][0] < 0 and cell["p"] > 0.05


def test_a_system_with_one_run_is_compared_with_the_mean_of_several():
    systems = {"one": found_at(0.5, 7), "many@1": found_at(0.8, 1), "many@2": found_at(0.9, 2)}
    comparison, = compare_systems(systems, SAMPLING)
    recalls = [tally(pairs, count_strict).table.sum(axis=(0, 1)) for pairs in systems.values()]
    one, first, second = (tp / (tp + fn) for tp, _, fn in recalls)
    assert comparison["micro"]["recall"]["difference"] == pytest.approx((first + second) / 2 - one)


def test_a_label_that_only_one_system_uses_is_compared():
    odd = [Pair(gold, gold.with_mentions([*gold.mentions, Mention(0, 10, "Z")])) for gold in GOLD]
    comparison, = compare_systems({"plain": found_at(1.0, 0), "odd": odd}, SAMPLING)
    assert comparison["macro"]["f1"]["difference"] == pytest.approx(-1 / 3)


def test_errors_before_and_after_tell_gone_from_new():
    before = [Pair(GOLD[0], GOLD[0].with_mentions([Mention(0, 5, "Y"), Mention(11, 16, "X")]))]
    after = [Pair(GOLD[0], GOLD[0].with_mentions([Mention(0, 5, "X"), Mention(11, 16, "X"), Mention(0, 10, "X")]))]
    comparison, = compare_systems({"before": before, "after": after}, Sampling(resamples=10))
    assert comparison["errors"]["Type"] == {"before": 1, "after": 0, "gone": 1, "new": 0}
    assert comparison["errors"]["Span"] == {"before": 1, "after": 2, "gone": 0, "new": 1}


def test_runs_of_one_system_are_averaged():
    def figures(value):
        return {average: dict.fromkeys(("precision", "recall", "f1"), value) for average in ("micro", "macro")}

    runs = summarise_runs({"s@1": figures(0.5), "s@2": figures(0.7), "other": figures(0.1), "alone@1": figures(0.2)})
    assert list(runs) == ["s"] and runs["s"]["runs"] == ["s@1", "s@2"]
    assert runs["s"]["micro"]["f1"] == pytest.approx({"mean": 0.6, "deviation": 0.1414213562})
