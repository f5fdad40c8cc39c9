"""Counts against a brute-force count, for any nesting, crossing and order of spans."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.evaluation.counts import (
    ANY,
    Counts,
    add_up,
    count_boundaries,
    count_overlaps,
    count_strict,
    count_strings,
    macro,
    micro,
)

TEXT = "aabaabaaab"
PLACES = [(start, end) for start, end in product(range(10), range(11)) if start < end]
MENTIONS = st.lists(st.builds(lambda place, label: Mention(*place, label), st.sampled_from(PLACES),
                              st.sampled_from("XY")), max_size=6)


def annotate(*keys):
    return Annotation(TEXT, tuple(Mention(*key) for key in keys))


def count_by_hand(gold, predicted):
    """True positives, false positives and false negatives of two lists, repeated members once."""
    unique_gold, unique_predicted = [], []
    for source, target in ((gold, unique_gold), (predicted, unique_predicted)):
        for member in source:
            if member not in target:
                target.append(member)
    tp = sum(member in unique_gold for member in unique_predicted)
    return Counts(tp, len(unique_predicted) - tp, len(unique_gold) - tp)


def most_pairs(gold, predicted):
    """Size of the largest pairing of overlapping spans, tried out in every way."""
    if not gold:
        return 0
    first, rest = gold[0], gold[1:]
    best = most_pairs(rest, predicted)
    for index, other in enumerate(predicted):
        if first.start < other.end and other.start < first.end:
            best = max(best, 1 + most_pairs(rest, predicted[:index] + predicted[index + 1:]))
    return best


@given(MENTIONS, MENTIONS)
def test_strict_counts_equal_a_count_by_hand(gold, predicted):
    counts = count_strict(Annotation(TEXT, tuple(gold)), Annotation(TEXT, tuple(predicted)))
    for label in "XY":
        wanted = count_by_hand([each.key for each in gold if each.label == label],
                               [each.key for each in predicted if each.label == label])
        assert counts.get(label, Counts()) == wanted
    assert micro(counts) == count_by_hand([each.key for each in gold], [each.key for each in predicted])


@given(MENTIONS, MENTIONS)
def test_boundary_and_string_counts_equal_a_count_by_hand(gold, predicted):
    wanted, found = Annotation(TEXT, tuple(gold)), Annotation(TEXT, tuple(predicted))
    places = count_boundaries(wanted, found)
    assert places.get(ANY, Counts()) == count_by_hand([each.key[:2] for each in gold],
                                                      [each.key[:2] for each in predicted])
    strings = micro(count_strings(wanted, found))
    assert strings == count_by_hand([(each.label, wanted.surface(each)) for each in gold],
                                    [(each.label, found.surface(each)) for each in predicted])


@given(MENTIONS, MENTIONS)
def test_overlap_counts_take_the_largest_pairing(gold, predicted):
    counts = count_overlaps(Annotation(TEXT, tuple(gold)), Annotation(TEXT, tuple(predicted)))
    for label in "XY":
        wanted = list({each for each in gold if each.label == label})
        found = list({each for each in predicted if each.label == label})
        pairs = most_pairs(wanted, found)
        assert counts.get(label, Counts()) == Counts(pairs, len(found) - pairs, len(wanted) - pairs)


@given(MENTIONS, MENTIONS, st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(gold, predicted, random):
    again = [*predicted, *predicted]
    random.shuffle(again)
    for count in (count_strict, count_boundaries, count_strings, count_overlaps):
        assert count(Annotation(TEXT, tuple(gold)), Annotation(TEXT, tuple(predicted))) == \
            count(Annotation(TEXT, tuple(reversed(gold))), Annotation(TEXT, tuple(again)))


@pytest.mark.parametrize("gold, predicted, strict, overlap", [
    pytest.param([(0, 5, "X"), (1, 3, "X")], [(0, 5, "X")], (1, 0, 1), (1, 0, 1), id="inner missed"),
    pytest.param([(0, 3, "X")], [(0, 3, "Y")], (0, 1, 1), (0, 1, 1), id="label wrong"),
    pytest.param([(0, 3, "X")], [(1, 3, "X")], (0, 1, 1), (1, 0, 0), id="boundary wrong"),
    pytest.param([(0, 3, "X"), (0, 3, "Y")], [(0, 3, "X")], (1, 0, 1), (1, 0, 1), id="two labels on one place"),
    pytest.param([(0, 6, "X")], [(0, 2, "X"), (3, 5, "X")], (0, 2, 1), (1, 1, 0), id="one gold, two parts"),
    pytest.param([(0, 3, "X")], [(3, 5, "X")], (0, 1, 1), (0, 1, 1), id="touching is not overlapping"),
    pytest.param([], [], (0, 0, 0), (0, 0, 0), id="nothing"),
])
def test_worked_cases(gold, predicted, strict, overlap):
    wanted, found = annotate(*gold), annotate(*predicted)
    assert micro(count_strict(wanted, found)) == Counts(*strict)
    assert micro(count_overlaps(wanted, found)) == Counts(*overlap)


def test_scores_of_nothing_are_zero():
    assert (Counts().precision, Counts().recall, Counts().f1) == (0.0, 0.0, 0.0)
    assert macro({}) == (0.0, 0.0, 0.0)


def test_macro_is_the_mean_over_labels_and_micro_the_sum():
    counts = add_up([{"X": Counts(1, 0, 0)}, {"X": Counts(1, 0, 0), "Y": Counts(0, 1, 1)}])
    assert counts == {"X": Counts(2, 0, 0), "Y": Counts(0, 1, 1)}
    assert macro(counts) == (0.5, 0.5, 0.5)
    assert micro(counts).f1 == pytest.approx(2 / 3)
