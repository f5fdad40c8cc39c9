import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.finetuning.selection.superfiltering import select_records, tabulate

# Six positives, three negatives, one record too long to score.
SCORES = [0.9, 0.2, 0.5, 1.3, 0.7, 0.4, 0.1, 0.2, 0.3, None]
TOO_LONG = {9}


@pytest.fixture
def records():
    mentions = [(Mention(0, 3, "GENE" if index % 2 else "DISEASE"),) if index < 6 else () for index in range(10)]
    return [Annotation("abc def", mention, id=str(index)) for index, mention in enumerate(mentions)]


@pytest.mark.parametrize("choice, chosen", [
    pytest.param({"strategy": "hybrid", "keep_ratio": 0.4}, [0, 4, 6, 7, 8], id="hybrid_keeps_share_of_survivors"),
    pytest.param({"strategy": "hybrid", "keep_ratio": 1.0}, [0, 1, 2, 4, 5, 6, 7, 8], id="hybrid_drops_one_and_above"),
    pytest.param({"strategy": "hybrid", "keep_ratio": 0.4, "negatives": False}, [0, 4], id="positives_only"),
    pytest.param({"strategy": "lowest", "keep_ratio": 0.4}, [1, 5, 6, 7, 8], id="lowest"),
    pytest.param({"strategy": "ifd_all", "keep_ratio": 0.5}, [0, 2, 4, 5], id="ifd_over_everything_loses_negatives"),
    pytest.param({"strategy": "all"}, list(range(9)), id="all_that_fit"),
    pytest.param({"strategy": "hybrid", "keep_ratio": 1.0, "max_ifd": 0.5}, [1, 5, 6, 7, 8], id="other_bound"),
])
def test_strategy_chooses(records, choice, chosen):
    selection = select_records(records, SCORES, too_long=TOO_LONG, **choice)
    assert list(selection.chosen) == chosen
    assert set(selection.dropped) == set(range(10)) - set(chosen)


@pytest.mark.parametrize("strategy", ["hybrid", "random", "lowest", "ifd_all"])
def test_negatives_alone_are_no_selection(records, strategy):
    """They would train the model to find none."""
    with pytest.raises(BionerError, match="no record with a mention among 10.*high_ifd|not_drawn"):
        select_records(records, [1.1] * 10, strategy=strategy)


def test_random_draws_as_many_positives_as_hybrid_and_keeps_negatives(records):
    draws = {select_records(records, SCORES, too_long=TOO_LONG, strategy="random", keep_ratio=0.4, seed=seed).chosen
             for seed in range(20)}
    assert len(draws) > 5
    assert all(len(draw) == 5 and {6, 7, 8} < set(draw) for draw in draws)
    assert any(3 in draw for draw in draws), "records of high IFD can be drawn too"
    again = select_records(records, SCORES, too_long=TOO_LONG, strategy="random", keep_ratio=0.4, seed=3)
    assert again == select_records(records, SCORES, too_long=TOO_LONG, strategy="random", keep_ratio=0.4, seed=3)


def test_negatives_without_a_score_are_kept(records):
    scores = SCORES[:6] + [None] * 4
    assert select_records(records, scores, too_long=TOO_LONG, keep_ratio=0.4).chosen == (0, 4, 6, 7, 8)


def test_reasons_are_told(records):
    dropped = select_records(records, SCORES, too_long=TOO_LONG, keep_ratio=0.4).dropped
    assert dropped == {1: "rank", 2: "rank", 3: "high_ifd", 5: "rank", 9: "too_long"}


def test_table_counts_by_label(records):
    table = tabulate(records, select_records(records, SCORES, too_long=TOO_LONG, keep_ratio=0.4))
    assert table == {"all": {"chosen": 5, "high_ifd": 1, "rank": 3, "too_long": 1},
                     "DISEASE": {"chosen": 2, "rank": 1}, "GENE": {"high_ifd": 1, "rank": 2},
                     "without mentions": {"chosen": 3, "too_long": 1}}


def test_diversity_step_gets_ranked_survivors_and_their_number(records):
    calls = []

    def diversify(candidates, count):
        calls.append((list(candidates), count))
        return [candidates[-1], candidates[-2]]

    selection = select_records(records, SCORES, too_long=TOO_LONG, keep_ratio=0.4, diversify=diversify)
    assert calls == [([0, 4, 2, 5], 2)], "twice as many as are taken, the best first"
    assert list(selection.chosen) == [2, 5, 6, 7, 8]
    select_records(records, SCORES, too_long=TOO_LONG, keep_ratio=0.4, diversify=diversify, pool=1.5)
    assert calls[-1] == ([0, 4, 2], 2)


@pytest.mark.issue(6)
@pytest.mark.parametrize("strategy", ["all", "random"])
def test_diversity_is_refused_where_nothing_is_ranked(records, strategy):
    with pytest.raises(BionerError, match=f"strategy '{strategy}'.*hybrid, ifd_all, lowest"):
        select_records(records, SCORES, too_long=TOO_LONG, strategy=strategy,
                       diversify=lambda candidates, count: candidates[:count])


@pytest.mark.issue(6)
@pytest.mark.parametrize("keep_ratio, kept", [(0.55, 55), (0.07, 7), (0.551, 56)])
def test_share_is_not_raised_by_what_floats_add(keep_ratio, kept):
    records = [Annotation("abc", (Mention(0, 3, "GENE"),), id=str(index)) for index in range(100)]
    selection = select_records(records, [0.5] * 100, keep_ratio=keep_ratio)
    assert len(selection.chosen) == kept


def test_empty_selection_is_an_error(records):
    with pytest.raises(BionerError, match="no record with a mention among 10.*high_ifd 6, negative 3, too_long 1"):
        select_records(records, SCORES, too_long=TOO_LONG, max_ifd=0.1, negatives=False)
