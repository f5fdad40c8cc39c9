import numpy
import pytest
import spacy

from spacy_bioner.pipeline.overlaps import drop_overlaps, learn_overlaps, survivors

OUTER, INNER, CROSSING, APART = (0, 4, 0, 0.9), (1, 3, 0, 0.8), (3, 6, 1, 0.95), (7, 8, 0, 0.5)


@pytest.mark.parametrize("overlaps, kept", [
    pytest.param("any", {OUTER, INNER, CROSSING, APART}, id="any"),
    pytest.param("nested", {CROSSING, INNER, APART}, id="nested drops the less probable of two that cross"),
    pytest.param("flat", {CROSSING, INNER, APART}, id="flat"),
])
def test_less_probable_mentions_give_way(overlaps, kept):
    assert set(drop_overlaps([OUTER, INNER, CROSSING, APART], overlaps)) == kept


def test_flat_keeps_one_of_two_nested_mentions():
    assert drop_overlaps([OUTER, INNER], "flat") == [OUTER]


def test_one_place_with_two_labels_is_nested_but_not_flat():
    twice = [(0, 2, 0, 0.9), (0, 2, 1, 0.8)]
    assert len(drop_overlaps(twice, "nested")) == 2
    assert drop_overlaps(twice, "flat") == twice[:1]


@pytest.mark.parametrize("spans, wanted", [
    pytest.param([(0, 2), (2, 4)], "flat", id="side by side"),
    pytest.param([(0, 3), (1, 2)], "any", id="nested"),
    pytest.param([(0, 3), (1, 4)], "any", id="crossing"),
    pytest.param([], "learn", id="none"),
])
def test_overlaps_are_learnt_from_training_mentions(spans, wanted):
    doc = spacy.blank("en")("a b c d e")
    assert learn_overlaps([[doc[start:end] for start, end in spans]]) == wanted


def test_a_mention_below_its_threshold_beats_no_other():
    found = [[(0, 3, 0, 0.6), (1, 2, 1, 0.4)], [], [(0, 1, 0, 0.9)]]
    assert survivors(found, numpy.asarray([True, True, True]), "flat").tolist() == [True, False, True]
    assert survivors(found, numpy.asarray([False, True, True]), "flat").tolist() == [False, True, True]
    assert survivors(found, numpy.asarray([True, True, False]), "any").tolist() == [True, True, False]
