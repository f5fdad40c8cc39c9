"""Annotators are measured on gold or by agreement, and the probabilities of spans mean what they say."""

import random

import numpy
import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.merging.reliability import (
    LACKS,
    SURE,
    UNSURE,
    collect_candidates,
    estimate_by_agreement,
    estimate_on_gold,
    expect_of_annotators,
    find_cuts,
    measure_annotators,
    weigh,
)
from spacy_bioner.ml.calibration import expected_calibration_error

# Recall, and how often a span that is wrong is found by it.
ANNOTATORS = {"good": (0.9, 0.05), "fair": (0.7, 0.1), "poor": (0.6, 0.2)}


def simulate(count, *, seed, annotators=ANNOTATORS):
    """Return gold, and what independent annotators found among correct and wrong spans."""
    chance = random.Random(seed)
    gold, found = {}, {name: {} for name in annotators}
    for number in range(count):
        id_ = f"t{number}"
        text = Annotation("a b c d e f g h", id=id_)
        spans = [Mention(2 * place, 2 * place + 1, "D") for place in range(8)]
        true = {span for span in spans if chance.random() < 0.5}
        gold[id_] = text.with_mentions(true)
        for name, (recall, error) in annotators.items():
            found[name][id_] = text.with_mentions(span for span in spans
                                                  if chance.random() < (recall if span in true else error))
    return gold, found


def judge(weighed, gold):
    """Return probabilities and whether the spans are correct."""
    pairs = [(mention.score, mention in gold[id_].mentions) for id_, found in weighed.items() for mention in found]
    return numpy.asarray([score for score, _ in pairs]), numpy.asarray([right for _, right in pairs])


@pytest.mark.parametrize("on_gold", [True, False], ids=["gold", "agreement"])
def test_probabilities_are_calibrated_on_other_texts(on_gold):
    gold, found = simulate(400, seed=1)
    seen = dict(list(gold.items())[:60])
    candidates = list(collect_candidates(found, find_cuts({name: records.values() for name, records in found.items()})))
    models = estimate_on_gold(candidates, seen) if on_gold else \
        estimate_by_agreement(candidates, places={tuple(found): 3200})
    scores, right = judge(weigh([one for one in candidates if one.id not in seen], models), gold)
    assert expected_calibration_error(scores, right) < 0.06
    best = max((right & (scores >= least)).sum() / (scores >= least).sum() for least in (0.5, 0.8))
    assert best > 0.8


def test_an_annotator_that_has_read_a_tenth_is_weighed_by_what_it_has_read():
    """Places that it has not read are none at which it lacks a span; else it would hardly ever seem to err."""
    _, found = simulate(2000, seed=4, annotators={"good": (0.9, 0.05), "fair": (0.8, 0.05), "part": (0.5, 0.3)})
    found["part"] = {id_: record for id_, record in found["part"].items() if int(id_[1:]) % 10 == 0}
    candidates = list(collect_candidates(found, dict.fromkeys(found, 0.0)))
    models = estimate_by_agreement(candidates, places={("good", "fair"): 8 * 1800, ("good", "fair", "part"): 8 * 200})
    assert models["D"].answers["part", False, SURE] == pytest.approx(0.3, abs=0.08)


def test_precision_and_recall_have_intervals_that_hold_the_truth():
    gold, found = simulate(300, seed=2)
    measured = measure_annotators(found, gold)["good"]["D"]
    share, low, high = measured["recall"]
    assert low < 0.9 < high and low < share < high
    assert measured["precision"][0] == pytest.approx(0.947, abs=0.02)


@pytest.mark.parametrize("seed", [1, 2])
def test_agreement_estimates_the_precision_and_recall_that_gold_would_measure(seed):
    gold, found = simulate(400, seed=seed)
    candidates = list(collect_candidates(found, dict.fromkeys(found, 0.0)))
    models = estimate_by_agreement(candidates, places={tuple(found): 3200})
    expected, measured = expect_of_annotators(candidates, models), measure_annotators(found, gold)
    for name in found:
        for figure in ("precision", "recall"):
            assert expected[name]["D"][f"estimated_{figure}"] == pytest.approx(measured[name]["D"][figure][0], abs=0.03)


def test_estimates_are_shares_of_what_is_expected_to_be_correct():
    text = Annotation("gout and lupus", id="a")
    first, second = Mention(0, 4, "D"), Mention(9, 14, "D")
    found = {"one": {"a": text.with_mentions([first, second])}, "two": {"a": text.with_mentions([first])},
             "none": {"a": text}, "elsewhere": {"b": Annotation("x", id="b")}}
    # Without a model a probability is the share of votes: two thirds and one third.
    assert expect_of_annotators(collect_candidates(found, dict.fromkeys(found, 0.0)), {}) == {
        "one": {"D": {"estimated_precision": 0.5, "estimated_recall": 1.0}},
        "two": {"D": {"estimated_precision": 0.6667, "estimated_recall": 0.6667}},
        "none": {"D": {"estimated_recall": 0.0}}}


def test_without_any_mention_the_interval_is_all_that_is_possible():
    text = Annotation("gout", id="a")
    assert measure_annotators({"llm": {"a": text}}, {"a": text.with_mentions([Mention(0, 4, "D")])}) == {
        "llm": {"D": {"precision": [0.0, 0.0, 1.0], "recall": [0.0, 0.0, pytest.approx(0.7935)]}}}


def test_answers_tell_sure_unsure_and_lacking_and_pass_over_what_was_not_read():
    text = Annotation("gout and lupus", id="a")
    sources = {"scores": [text.with_mentions([Mention(0, 4, "D", score=0.9), Mention(9, 14, "D", score=0.2)])],
               "plain": [text.with_mentions([Mention(0, 4, "D")])], "other": [Annotation("x", id="b")]}
    by_id = {name: {record.id: record for record in records} for name, records in sources.items()}
    found = {one.key: dict(one.answers) for one in collect_candidates(by_id, find_cuts(sources))}
    assert found == {(0, 4, "D"): {"scores": SURE, "plain": SURE}, (9, 14, "D"): {"scores": UNSURE, "plain": LACKS}}


def test_annotators_that_err_alike_do_not_count_twice():
    gold, found = simulate(400, seed=3, annotators={"one": (0.8, 0.4)})
    found["copy"] = found["one"]
    candidates = list(collect_candidates(found, {"one": 0.0, "copy": 0.0}))
    scores, right = judge(weigh(candidates, estimate_on_gold(candidates, gold)), gold)
    assert abs(scores.mean() - right.mean()) < 0.02


def test_a_label_that_gold_has_not_shown_is_weighed_by_its_votes():
    text = Annotation("gout", id="a")
    found = {"one": {"a": text.with_mentions([Mention(0, 4, "NEW")])}, "two": {"a": text}}
    weighed = weigh(collect_candidates(found, {"one": 0.0, "two": 0.0}), {})
    assert [mention.score for mention in weighed["a"]] == [0.5]
