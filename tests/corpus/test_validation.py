import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_bioner.annotation import Annotation, Mention, in_text_order
from spacy_bioner.corpus.validation import CorpusFigures, OddityFinder, count_unseen, find_crossings, find_depths

MENTIONS = st.lists(st.builds(lambda start, length, label: Mention(start, start + length, label),
                              st.integers(0, 12), st.integers(1, 8), st.sampled_from("XY")), max_size=8)


@given(MENTIONS)
def test_depths_and_crossings_equal_a_count_of_all_pairs(mentions):
    mentions = in_text_order(mentions)
    places = {(mention.start, mention.end) for mention in mentions}
    holding = [{place for place in places - {(one.start, one.end)} if place[0] <= one.start and one.end <= place[1]}
               for one in mentions]
    assert find_depths(mentions) == [len(around) for around in holding]
    crossing = {frozenset((one, other)) for one in mentions for other in mentions if one.crosses(other)}
    assert {frozenset(pair) for pair in find_crossings(mentions)} == crossing


def test_figures_are_taken_down_while_records_go_by(nested):
    figures = CorpusFigures()
    records = [nested, Annotation("no mention", id="2")]
    for record in records:
        figures.add(record)
    assert (figures.records, figures.without_mention, figures.mentions) == (2, 1, 6)
    assert (figures.nested, figures.crossing, figures.same_place) == (1, 3, 2)
    assert figures.labels == {"protein": 2, "disease": 2, "DNA": 1, "topic": 1}
    assert figures.mention_lengths == {3: 2, 4: 4}
    assert figures.meta["split"] == {"train": 1, "": 1}
    assert list(figures.ambiguous()) == ["parkinson\u2019s disease"]


def test_unseen_mentions_are_told_by_their_folded_surface():
    train, test = CorpusFigures(), CorpusFigures()
    train.add(Annotation("Aspirin", (Mention(0, 7, "X"),)))
    test.add(Annotation("aspirin and p53, p53", (Mention(0, 7, "X"), Mention(12, 15, "X"), Mention(17, 20, "X"))))
    assert count_unseen(test, train.surfaces) == 2


@pytest.mark.parametrize("text, span, kinds", [
    pytest.param("p53 gene", (0, 3), set(), id="nothing"),
    pytest.param("p53, gene", (0, 4), {"punctuation_edge"}, id="comma"),
    pytest.param("(p53) gene", (1, 5), {"unbalanced_bracket"}, id="bracket"),
    pytest.param("antibody", (0, 4), {"off_boundary"}, id="inside-a-word"),
    pytest.param("a " * 40, (0, 79), {"long_mention"}, id="long"),
    pytest.param("p53\x00", (0, 3), {"control_character"}, id="control"),
])
def test_odd_mentions_and_texts_are_found(text, span, kinds):
    finder = OddityFinder()
    finder.look_at(Annotation(text, (Mention(*span, "X"),), id="1"))
    assert set(finder.found.counts) == kinds


def test_ids_twice_or_missing_and_empty_texts_are_found():
    finder = OddityFinder()
    for annotation in (Annotation("a", id="1"), Annotation("b", id="1"), Annotation("c"), Annotation(" ", id="2")):
        finder.look_at(annotation)
    assert finder.found.counts == {"repeated_id": 1, "no_id": 1, "empty_text": 1}
