"""Runs with several seeds: means, intervals over documents, paired differences."""

import random
from dataclasses import replace

import numpy
import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.evaluation.comparison import compare_systems
from spacy_bioner.evaluation.counts import count_strict, micro
from spacy_bioner.evaluation.metrics import Sampling, measure_system
from spacy_bioner.evaluation.pairing import Pair
from spacy_bioner.evaluation.runs import RunScores, compare_runs, score_runs

SAMPLING = Sampling(resamples=400)


def make_pairs(right, *, documents=40, seed=0):
    """Return documents of ten mentions, each found with this probability."""
    chance = random.Random(seed)
    pairs = []
    for number in range(documents):
        mentions = [Mention(3 * place, 3 * place + 2, "X") for place in range(10)]
        gold = Annotation("ab " * 10, tuple(mentions), id=str(number))
        found = [mention if chance.random() < right else Mention(mention.start, mention.end, "Y")
                 for mention in mentions]
        pairs.append(Pair(gold, gold.with_mentions(found)))
    return pairs


def f1_of(pairs):
    counts = micro({str(number): micro(count_strict(pair.gold, pair.predicted)) for number, pair in enumerate(pairs)})
    return counts.f1


def test_the_mean_is_that_of_the_runs_and_the_range_holds_all():
    runs = [make_pairs(0.8, seed=1), make_pairs(0.6, seed=2), make_pairs(0.7, seed=3)]
    f1 = score_runs(runs, sampling=SAMPLING).describe()["f1"]
    each = [f1_of(pairs) for pairs in runs]
    assert f1["runs"] == pytest.approx(each)
    assert f1["mean"] == pytest.approx(sum(each) / 3)
    assert f1["range"] == pytest.approx([min(each), max(each)])
    assert f1["interval"][0] < f1["mean"] < f1["interval"][1]


def test_one_run_has_the_figures_of_the_metrics_file():
    pairs = make_pairs(0.7)
    described, measured = score_runs([pairs], sampling=SAMPLING).describe(), measure_system(pairs, sampling=SAMPLING)
    for figure in ("precision", "recall", "f1"):
        assert described[figure]["mean"] == pytest.approx(measured["micro"][figure], abs=1e-6)
        assert described[figure]["interval"] == pytest.approx(measured["micro"]["intervals"][figure], abs=1e-6)


def test_one_run_each_is_compared_as_two_systems_are():
    before, after = make_pairs(0.6, seed=1), make_pairs(0.8, seed=2)
    compared = compare_runs(score_runs([before], sampling=SAMPLING), score_runs([after], sampling=SAMPLING))
    expected = compare_systems({"before": before, "after": after}, SAMPLING)[0]["micro"]["f1"]
    assert compared["f1"]["difference"] == pytest.approx(expected["difference"])
    assert compared["f1"]["interval"] == pytest.approx(expected["interval"])


def test_equal_systems_do_not_differ_on_any_draw():
    scores = score_runs([make_pairs(0.7, seed=1), make_pairs(0.7, seed=2)], sampling=SAMPLING)
    assert compare_runs(scores, scores)["f1"] == {"difference": 0.0, "interval": [0.0, 0.0]}


def test_seeds_alone_make_no_difference_more_often_than_the_level_says():
    """Two equal systems, three seeds each, that move the rate of hits by two points on many documents."""
    random, away = numpy.random.default_rng(0), 0
    for _ in range(200):
        scores = []
        for _ in range(2):
            runs = numpy.repeat(random.normal(0.8, 0.02, 3)[:, None], 3, axis=1)
            scores.append(RunScores(runs, runs + random.normal(0, 0.002, (400, 1, 1)), 0.95))
        low, high = compare_runs(*scores)["f1"]["interval"]
        away += low > 0 or high < 0
    assert away / 200 <= 0.08


def test_a_difference_that_all_seeds_show_is_clear():
    before, after = ([make_pairs(right, seed=seed) for seed in (1, 2, 3)] for right in (0.5, 0.8))
    low, _ = compare_runs(*(score_runs(runs, sampling=SAMPLING) for runs in (before, after)))["f1"]["interval"]
    assert low > 0


def test_more_runs_do_not_count_a_document_more_often():
    once = score_runs([make_pairs(0.7)], sampling=SAMPLING).describe()["f1"]
    thrice = score_runs([make_pairs(0.7)] * 3, sampling=SAMPLING).describe()["f1"]
    assert thrice["interval"] == pytest.approx(once["interval"])


def test_sentences_of_a_document_are_drawn_together():
    runs = [make_pairs(0.7, seed=seed) for seed in (1, 2)]
    cut = [[Pair(*(replace(each, id=f"{number}-{place}", mentions=each.mentions[place:place + 1],
                           meta={"document": pair.gold.id}) for each in (pair.gold, pair.predicted)))
            for number, pair in enumerate(pairs) for place in range(10)] for pairs in runs]
    assert score_runs(cut, sampling=SAMPLING).describe() == score_runs(runs, sampling=SAMPLING).describe()


def test_some_runs_are_scored_as_if_there_were_no_others():
    runs = [make_pairs(0.8, seed=1), make_pairs(0.6, seed=2), make_pairs(0.7, seed=3)]
    taken = score_runs(runs, sampling=SAMPLING).take([0, 2]).describe()["f1"]
    alone = score_runs([runs[0], runs[2]], sampling=SAMPLING).describe()["f1"]
    assert taken["runs"] == pytest.approx(alone["runs"]) and taken["interval"] == pytest.approx(alone["interval"])
