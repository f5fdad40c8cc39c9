"""Which sentences come first, for each strategy."""

import numpy
import pytest

from spacy_bioner.errors import BionerError
from spacy_bioner.review.choices import Strategy
from spacy_bioner.review.ranking import rank, refuse_certain

# Three groups of sentences: 0 and 1 alike, 2 and 3 alike, 4 alone.
VECTORS = numpy.asarray([[1, 0, 0], [0.999, 0.0447, 0], [0, 1, 0], [0, 0.999, 0.0447], [0, 0, 1]], dtype="float32")
DOUBTS = [5.0, 4.0, 3.0, 0.0, 1.0]


def rows(strategy, count=3, **options):
    return [choice.row for choice in rank(5, count, strategy=strategy, seed=0, doubts=DOUBTS, vectors=VECTORS,
                                          **options)]


def test_uncertainty_takes_the_most_doubtful():
    assert rows(Strategy.uncertainty) == rows(Strategy.disagreement) == [0, 1, 2]


def test_gain_passes_over_what_is_like_a_taken_one():
    assert rows(Strategy.gain) == [0, 2, 4]


def test_gain_passes_over_what_is_like_a_known_one():
    assert rows(Strategy.gain, known=VECTORS[:1]) == [2, 4, 1]


def test_diversity_covers_the_groups_whatever_the_doubt():
    assert {row // 2 for row in rows(Strategy.diversity)} == {0, 1, 2}


def test_random_depends_on_the_seed_alone():
    first = [choice.row for choice in rank(100, 10, strategy=Strategy.random, seed=1)]
    assert first == [choice.row for choice in rank(100, 10, strategy=Strategy.random, seed=1)]
    assert first != [choice.row for choice in rank(100, 10, strategy=Strategy.random, seed=2)]


@pytest.mark.parametrize("strategy", Strategy)
def test_every_sentence_comes_once_where_more_are_asked_for(strategy):
    assert sorted(rows(strategy, count=9)) == list(range(5))


def test_equal_sentences_are_taken_by_doubt():
    same = numpy.tile(VECTORS[:1], (3, 1))
    chosen = rank(3, 3, strategy=Strategy.gain, seed=0, doubts=[1.0, 3.0, 2.0], vectors=same)
    assert [choice.row for choice in chosen] == [1, 2, 0]


def test_a_pool_without_doubt_is_refused():
    refuse_certain([0.0, 0.1], source="pool")
    with pytest.raises(BionerError, match="Nothing in pool is in doubt"):
        refuse_certain([0.0, 0.0], source="pool")
