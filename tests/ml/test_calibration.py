import numpy
import pytest

from spacy_bioner.ml.calibration import (
    best_threshold,
    expected_calibration_error,
    fit_temperature,
    reliability,
    to_logit,
    to_probability,
)


@pytest.fixture
def outcomes():
    chance = numpy.random.default_rng(0)
    logits = chance.normal(scale=2, size=4000)
    return logits, chance.random(4000) < to_probability(logits)


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_temperature_undoes_a_model_that_is_too_sure_or_too_shy(outcomes, factor):
    logits, valid = outcomes
    assert fit_temperature(logits * factor, valid) == pytest.approx(factor, rel=0.08)


def test_temperature_lowers_the_calibration_error(outcomes):
    logits, valid = outcomes
    temperature = fit_temperature(logits * 4, valid)
    before = expected_calibration_error(to_probability(logits * 4), valid)
    assert expected_calibration_error(to_probability(logits * 4, temperature), valid) < before / 3


@pytest.mark.parametrize("valid", [[True, True], [False, False], []], ids=["all right", "none right", "no candidate"])
def test_temperature_is_one_where_there_is_nothing_to_fit_to(valid):
    assert fit_temperature(numpy.zeros(len(valid)), numpy.asarray(valid, dtype=bool)) == 1.0


def test_reliability_counts_bins_by_hand():
    bins = reliability(numpy.asarray([0.05, 0.95, 1.0, 0.9]), numpy.asarray([False, True, True, False]), bins=10)
    assert [one["count"] for one in bins] == [1, 3]
    assert bins[1]["was"] == pytest.approx(2 / 3, abs=1e-4)
    assert bins[1]["said"] == pytest.approx(0.95)


@pytest.mark.parametrize("most_lost", [None, 0, 1, 3])
@pytest.mark.parametrize("seed", range(20))
def test_best_threshold_equals_trying_all_that_lose_no_more_right_ones_than_they_may(seed, most_lost):
    chance = numpy.random.default_rng(seed)
    probability = numpy.round(chance.random(30), 1)
    valid = chance.random(30) < probability
    gold = int(valid.sum()) + 4

    def f1(threshold):
        kept = probability >= threshold
        may = most_lost is None or (~kept & valid).sum() <= most_lost
        return 2 * (kept & valid).sum() / (kept.sum() + gold) if may else 0

    threshold, score = best_threshold(probability, valid, gold, most_lost=most_lost)
    assert score == pytest.approx(max(f1(step / 20) for step in range(21)))
    assert f1(threshold) == pytest.approx(score)


def test_threshold_stays_where_it_is_as_good_as_any():
    assert best_threshold(numpy.asarray([0.9, 0.1]), numpy.asarray([True, False]), 1) == (0.5, 1.0)


def test_logits_and_probabilities_are_each_others_inverse():
    numpy.testing.assert_allclose(to_probability(to_logit(numpy.asarray([0.01, 0.5, 0.99]))), [0.01, 0.5, 0.99])


@pytest.mark.parametrize("floor, threshold", [(0.0, 0.15), (0.2, 0.25), (0.4, 0.3)])
def test_no_threshold_lets_in_what_was_not_looked_at(floor, threshold):
    """All candidates are right, so the cut lies below the last one, but not below the floor of what was counted."""
    found, score = best_threshold(numpy.asarray([0.4, 0.3]), numpy.asarray([True, True]), 2, floor=floor)
    assert (found, score) == (pytest.approx(threshold), 1.0)
