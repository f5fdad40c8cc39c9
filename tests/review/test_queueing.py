"""A queue: what is known is left out, what annotators say is counted, and each sentence says why it is there."""

import pytest

from spacy_bioner.annotation import Annotation, Mention, index_records
from spacy_bioner.errors import BionerError
from spacy_bioner.review.choices import Strategy
from spacy_bioner.review.queueing import Pool, find_doubts, leave_out_known, make_queue

TEXTS = {"a": "Gout is painful.", "b": "No fever was seen.", "c": "Asthma and cough."}
RAW = [Annotation(text, (), id=id) for id, text in TEXTS.items()]
SILVER = [Annotation(one.text, (Mention(0, 4, "D", score=score),), id=one.id)
          for one, score in zip(RAW, (0.9, 0.5, 0.7))]


def ids(queue):
    return [one.id for one in queue]


def test_known_and_repeated_texts_are_left_out():
    again = Annotation("gout is  painful.", (), id="z")
    assert ids(leave_out_known([*RAW, again], [RAW[1]], source="pool")) == ["a", "c"]


def test_a_pool_of_known_texts_is_refused():
    with pytest.raises(BionerError, match="all 3 are corrected already"):
        leave_out_known(RAW, RAW, source="pool")


@pytest.mark.parametrize("use", [lambda records: leave_out_known(records, [], source="pool"),
                                 lambda records: index_records(records, source="pool")])
def test_an_id_that_comes_twice_is_refused(use):
    with pytest.raises(BionerError, match="two records with the id 'a'"):
        use([RAW[0], Annotation("Other.", (), id="a")])


def test_scores_of_silver_decide_without_a_pipeline():
    queue = make_queue(Pool("pool", SILVER), 2, strategy=Strategy.uncertainty, seed=0, encoder="")
    assert ids(queue) == ["b", "c"]
    assert queue[0].mentions == SILVER[1].mentions
    assert queue[0].meta["queue"] == {"strategy": "uncertainty", "rank": 1, "doubt": 0.5, "novelty": 1.0,
                                      "suggestions": []}


@pytest.mark.parametrize("sentences", [pytest.param(RAW, id="raw"), pytest.param(
    [one.with_mentions([Mention(0, 4, "D")]) for one in RAW], id="without scores")])
def test_a_pool_without_scores_is_refused(sentences):
    with pytest.raises(BionerError, match="Nothing in pool is in doubt"):
        make_queue(Pool("pool", sentences), 2, strategy=Strategy.uncertainty, seed=0, encoder="")


def test_teachers_that_disagree_decide_and_the_majority_is_proposed():
    yes, no = index_records(SILVER, source=""), index_records(RAW, source="")
    some = {**no, "b": SILVER[1].with_mentions([Mention(0, 2, "D")]),
            "c": SILVER[2].with_mentions([Mention(0, 4, "D")])}
    pool = Pool("pool", RAW, {"one": {**yes, "a": RAW[0], "c": some["c"]}, "two": some, "three": some})
    queue = make_queue(pool, 2, strategy=Strategy.disagreement, seed=0, encoder="")
    assert ids(queue)[0] == "b" and [one.key for one in queue[0].mentions] == [(0, 2, "D")]
    assert [one["start"] for one in queue[0].meta["queue"]["suggestions"]] == [0]


def test_disagreement_of_one_is_refused():
    with pytest.raises(BionerError, match="two annotators, and there is only one"):
        find_doubts(Pool("pool", SILVER), Strategy.disagreement)


def test_a_teacher_without_a_sentence_is_refused():
    with pytest.raises(BionerError, match="'a' by 'one' is missing"):
        find_doubts(Pool("pool", RAW, {"one": {}}), Strategy.gain)


def test_a_pipeline_gives_mentions_doubt_and_suggestions():
    found = {one.id: (one, (Mention(5, 7, "D", score=0.3), Mention(5, 9, "D", score=0.03))) for one in SILVER}
    queue = make_queue(Pool("pool", RAW, found=found), 1, strategy=Strategy.uncertainty, seed=0, encoder="")
    assert queue[0].id == "b" and queue[0].meta["queue"]["doubt"] == pytest.approx(0.5 + 0.3 + 0.03)
    assert [one["score"] for one in queue[0].meta["queue"]["suggestions"]] == [0.3]
