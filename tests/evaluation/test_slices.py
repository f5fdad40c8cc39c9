"""Which slice a mention is in, and that slices add up to the whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.evaluation.counts import count_strict, micro
from spacy_bioner.evaluation.ruler import Ruler
from spacy_bioner.evaluation.slices import SliceByFamiliarity, count_slices, slice_by_depth, slice_by_length

TEXT = "the p53-binding protein of the cell"
MENTIONS = st.lists(st.builds(lambda start, length, label: Mention(start, start + length, label), st.integers(0, 25),
                              st.integers(1, 9), st.sampled_from("XY")), max_size=7)


def brute_depth(mention, mentions):
    place = (mention.start, mention.end)
    return len({(other.start, other.end) for other in mentions
                if other.start <= place[0] and place[1] <= other.end and (other.start, other.end) != place})


@given(MENTIONS)
def test_depth_is_the_number_of_places_around(mentions):
    names = {0: "outermost", 1: "inside 1"}
    slices = slice_by_depth(Annotation(TEXT, tuple(mentions)))
    for mention in mentions:
        assert slices[mention] == names.get(brute_depth(mention, mentions), "inside 2 or more")


@given(MENTIONS, MENTIONS)
def test_slices_add_up_to_strict_counts(gold, predicted):
    wanted, found = Annotation(TEXT, tuple(gold)), Annotation(TEXT, tuple(predicted))
    whole = micro(count_strict(wanted, found))
    for slicer in (slice_by_depth, slice_by_length, SliceByFamiliarity.from_training([wanted])):
        assert micro(count_slices(wanted, found, slicer)) == whole


@pytest.mark.parametrize("start, end, name", [
    pytest.param(4, 7, "1", id="one unit"),
    pytest.param(4, 15, "3", id="hyphen is a unit"),
    pytest.param(5, 7, "1", id="inside a unit"),
    pytest.param(0, 35, "6-10", id="all"),
])
def test_length_counts_units(start, end, name):
    mention = Mention(start, end, "X")
    assert slice_by_length(Annotation(TEXT, (mention,)))[mention] == name


def test_a_right_prediction_counts_in_the_slice_of_gold():
    inner, outer = Mention(4, 7, "X"), Mention(4, 23, "X")
    counts = count_slices(Annotation(TEXT, (outer, inner)), Annotation(TEXT, (inner,)), slice_by_depth)
    assert counts["inside 1"].tp == 1 and counts["outermost"].fn == 1


def test_familiarity_looks_at_surface_and_label_without_case():
    training = Annotation("P53  and BRCA1", (Mention(0, 3, "GENE"), Mention(9, 14, "GENE")))
    text = Annotation("p53 brca1 TP63", (Mention(0, 3, "GENE"), Mention(4, 9, "DISEASE"), Mention(10, 14, "GENE")))
    assert list(SliceByFamiliarity.from_training([training])(text).values()) == [
        "seen", "seen with another label", "unseen"]


@pytest.mark.parametrize("wanted, found, start, end", [
    pytest.param((4, 15), (4, 7), 0, -2, id="ends too early"),
    pytest.param((4, 15), (0, 15), -1, 0, id="begins too early"),
    pytest.param((4, 7), (8, 23), 2, 3, id="both too late"),
    pytest.param((4, 7), (5, 7), 1, 0, id="begins inside a unit"),
])
def test_shifts_are_signed_units(wanted, found, start, end):
    ruler = Ruler(TEXT)
    assert (ruler.start_shift(wanted[0], found[0]), ruler.end_shift(wanted[1], found[1])) == (start, end)
