"""Intervals and tests: seeded, near what theory says, and quick."""

import time

import numpy
import pytest

from spacy_bioner.errors import BionerError
from spacy_bioner.evaluation.intervals import (
    Interval,
    adjust_p_values,
    find_interval,
    find_p_value,
    macro_scores,
    mean_and_deviation,
    micro_scores,
    resample,
    swap,
    widen,
)


def table_of(seed, documents=200, labels=2, rate=0.7):
    """Counts of documents with ten mentions a label, found with some rate."""
    random = numpy.random.default_rng(seed)
    tp = random.binomial(10, rate, size=(documents, labels))
    return numpy.stack([tp, random.binomial(3, 0.5, size=tp.shape), 10 - tp], axis=-1).astype(float)


def test_resample_draws_as_many_documents_as_there_are():
    sums = resample(numpy.ones((7, 1)), resamples=50, seed=0)
    assert (sums == 7).all()


def test_resample_gives_every_document_the_same_chance():
    sums = resample(numpy.eye(5), resamples=4000, seed=1)
    assert sums.mean(axis=0) == pytest.approx(numpy.ones(5), abs=0.06)
    assert sums.var(axis=0) == pytest.approx(numpy.full(5, 0.8), abs=0.08)


def test_same_seed_same_draws_also_for_other_columns():
    table = table_of(0).reshape(200, -1)
    assert (resample(table, resamples=20, seed=3)[:, :2] == resample(table[:, :2], resamples=20, seed=3)).all()
    assert (resample(table, resamples=20, seed=3) != resample(table, resamples=20, seed=4)).any()


def test_drawing_in_blocks_covers_all_resamples(monkeypatch):
    monkeypatch.setattr("spacy_bioner.evaluation.intervals._BLOCK", 64)
    sums = resample(numpy.ones((10, 1)), resamples=100, seed=0)
    assert (sums == 10).all()


def test_interval_agrees_with_the_normal_approximation():
    documents = 400
    values = numpy.random.default_rng(0).binomial(1, 0.3, size=(documents, 1)).astype(float)
    interval = find_interval(resample(values, resamples=5000, seed=0)[:, 0] / documents)
    mean = values.mean()
    margin = 1.96 * (mean * (1 - mean) / documents) ** 0.5
    assert (interval.low, interval.high) == pytest.approx((mean - margin, mean + margin), abs=0.006)


@pytest.mark.parametrize("value, documents, ends", [
    pytest.param(1.0, 12, (0.735, 1.0), id="all-right"), pytest.param(0.0, 12, (0.0, 0.265), id="all-wrong"),
    pytest.param(1.0, 1, (0.025, 1.0), id="one-document"), pytest.param(0.0, 0, (0.0, 0.0), id="nothing"),
    pytest.param(0.5, 12, (0.5, 0.5), id="neither"),
])
def test_a_figure_without_a_failure_or_a_success_has_an_exact_end(value, documents, ends):
    interval = widen(Interval(value, value), value, documents=documents)
    assert (interval.low, interval.high) == pytest.approx(ends, abs=5e-4)


def test_no_document_is_an_error():
    with pytest.raises(BionerError, match="No document"):
        resample(numpy.zeros((0, 3)), resamples=10, seed=0)


def scores_after_swapping(first, second, resamples):
    sums = swap(first.reshape(len(first), -1), second.reshape(len(second), -1), resamples=resamples, seed=0)
    return [micro_scores(each.reshape(-1, *first.shape[1:]))[:, 2] for each in sums]


def test_swapping_keeps_the_total_of_both():
    first, second = table_of(0), table_of(1)
    one, other = swap(first.reshape(200, -1), second.reshape(200, -1), resamples=30, seed=0)
    assert (one + other == (first + second).reshape(200, -1).sum(axis=0)).all()


def test_equal_systems_have_p_one_and_better_ones_a_small_p():
    first, better = table_of(0), table_of(1, rate=0.8)
    same = scores_after_swapping(first, first, 200)
    assert find_p_value(0.0, same[1] - same[0]) == 1.0
    mixed = scores_after_swapping(first, better, 2000)
    observed = micro_scores(better.sum(axis=0))[2] - micro_scores(first.sum(axis=0))[2]
    assert find_p_value(float(observed), mixed[1] - mixed[0]) == pytest.approx(1 / 2001)


def test_p_values_of_equally_good_systems_are_spread_evenly():
    p_values = []
    for seed in range(60):
        first, second = table_of(2 * seed, documents=40), table_of(2 * seed + 1, documents=40)
        mixed = scores_after_swapping(first, second, 200)
        observed = micro_scores(second.sum(axis=0))[2] - micro_scores(first.sum(axis=0))[2]
        p_values.append(find_p_value(float(observed), mixed[1] - mixed[0]))
    assert 0.4 < numpy.mean(p_values) < 0.65 and numpy.mean(numpy.array(p_values) < 0.1) < 0.25


def test_holm_raises_p_values_in_order():
    assert adjust_p_values([0.04, 0.01, 0.03]) == pytest.approx((0.06, 0.03, 0.06))
    assert adjust_p_values([0.9, 0.8]) == (1.0, 1.0)


def test_deviation_is_that_of_a_sample():
    assert mean_and_deviation([1.0, 2.0, 3.0]) == (2.0, 1.0)
    assert mean_and_deviation([5.0]) == (5.0, 0.0)


def test_macro_leaves_out_labels_that_do_not_occur():
    sums = numpy.array([[2.0, 0, 0], [0, 1, 1], [0, 0, 0]])
    assert macro_scores(sums).tolist() == [0.5, 0.5, 0.5]
    assert macro_scores(numpy.zeros((3, 3))).tolist() == [0, 0, 0]


def test_ten_thousand_resamples_of_a_thousand_documents_take_under_five_seconds():
    table = table_of(0, documents=1000, labels=10)
    started = time.process_time()
    drawn = resample(table.reshape(1000, -1), resamples=10_000, seed=0).reshape(-1, 10, 3)
    find_interval(micro_scores(drawn)[:, 2])
    scores_after_swapping(table, table_of(1, documents=1000, labels=10), 10_000)
    assert time.process_time() - started < 5
