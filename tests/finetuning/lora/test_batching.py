from collections import Counter

import pytest
from learning_models import make_pairs

from spacy_bioner.finetuning.lora.batching import mix, plan_updates


@pytest.fixture
def bilingual():
    return make_pairs(30, group="genia", lang="en") + make_pairs(30, seed=1, group="cmeee", lang="zh")


def test_every_pair_is_trained_on_once_an_epoch(bilingual):
    updates = plan_updates(bilingual, batch_size=7, epoch=0, seed=0)
    assert sorted(index for update in updates for index in update) == list(range(60))


def test_order_depends_on_seed_and_epoch_alone(bilingual):
    def plan(**arguments):
        return plan_updates(bilingual, batch_size=8, **arguments)

    assert plan(epoch=1, seed=3) == plan(epoch=1, seed=3)
    assert plan(epoch=1, seed=3) != plan(epoch=2, seed=3)
    assert plan(epoch=1, seed=3) != plan(epoch=1, seed=4)


def test_languages_of_equal_size_alternate(bilingual):
    langs = [bilingual[index].lang for index in mix(bilingual, seed="0")]
    assert all(first != second for first, second in zip(langs, langs[1:]))


def test_steps_hold_both_languages_though_one_instruction_is_longer():
    pairs = make_pairs(60, group="genia", lang="en") + make_pairs(60, seed=1, shared=90, group="cmeee", lang="zh")
    updates = plan_updates(pairs, batch_size=4, epoch=0, seed=0)
    both = sum(len({pairs[index].lang for index in update}) == 2 for update in updates)
    assert both > 0.8 * len(updates)


def test_a_small_language_is_spread_over_the_epoch():
    pairs = make_pairs(90, lang="en") + make_pairs(10, seed=1, lang="zh")
    langs = [pairs[index].lang for index in mix(pairs, seed="0")]
    assert all(langs[start:start + 10].count("zh") == 1 for start in range(0, 100, 10))


def test_balance_repeats_small_corpora_evenly():
    pairs = make_pairs(10, group="large") + make_pairs(4, seed=1, group="small")
    mixed = Counter(mix(pairs, seed="0", balance=True))
    assert sum(mixed[index] for index in range(10)) == sum(mixed[index] for index in range(10, 14)) == 10
    assert {mixed[index] for index in range(10, 14)} == {2, 3}


def test_steps_hold_pairs_of_like_length():
    pairs = make_pairs(256)
    spread = {}
    for window in (1, 8):
        updates = plan_updates(pairs, batch_size=16, epoch=0, seed=0, window=window)
        lengths = [[pairs[index].length for index in update] for update in updates]
        spread[window] = sum(max(update) - min(update) for update in lengths)
    assert spread[8] < spread[1] / 3


def test_steps_hold_pairs_of_one_question_where_that_is_asked_for():
    pairs = make_pairs(30, group="genes") + make_pairs(20, seed=1, group="cells") + make_pairs(9, seed=2, lang="zh")
    updates = plan_updates(pairs, batch_size=4, epoch=0, seed=0, one_question=True)
    assert sorted(index for update in updates for index in update) == list(range(59))
    assert all(len({(pairs[index].group, pairs[index].lang) for index in update}) == 1 for update in updates)
    kinds = [pairs[update[0]].group for update in updates]
    assert kinds != sorted(kinds) and kinds != sorted(kinds, reverse=True)
