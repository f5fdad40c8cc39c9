"""The gold subset of a dictionary size: as many mentions as wanted, and names by one of two rules."""

import random

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.synthesis.gold_subset import Rule, choose_gold, count_labels, draw_subsets, names_of
from spacy_bioner.synthesis.seeds import collect_seeds


def make_train(seed=0):
    chance = random.Random(seed)
    for number in range(400):
        names = [(f"drug{chance.randint(0, 9)}", "CHEMICAL"), (f"ill{chance.randint(0, 9)}", "DISEASE")]
        chosen = chance.sample(names, chance.randint(0, 2))
        text = f"Sentence {number} of " + " and ".join(name for name, _ in chosen)
        yield Annotation(text, tuple(Mention(text.index(name), text.index(name) + len(name), label)
                                     for name, label in chosen), id=str(number))


def test_the_subset_holds_exactly_the_mentions_that_are_wanted():
    train = list(make_train())
    dictionary = collect_seeds(train, per_label=3).seeds
    gold = choose_gold(train, dictionary, {"CHEMICAL": 19, "DISEASE": 20}, seed=42)
    assert count_labels(gold) == {"CHEMICAL": 19, "DISEASE": 20}
    known = {seed.text for seed in dictionary}
    assert all({sentence.surface(mention) for mention in sentence.mentions} & known for sentence in gold)
    assert gold == choose_gold(train, dictionary, {"CHEMICAL": 19, "DISEASE": 20}, seed=42)


def test_a_sentence_may_be_held_to_names_of_the_dictionary_alone():
    train = list(make_train())
    dictionary = collect_seeds(train, per_label=3).seeds
    known = {(seed.text, seed.label) for seed in dictionary}
    wanted = {"CHEMICAL": 19, "DISEASE": 20}
    some, only = (choose_gold(train, dictionary, wanted, seed=42, rule=rule) for rule in Rule)
    assert only and all(names_of(sentence) <= known for sentence in only)
    assert any(names_of(sentence) - known for sentence in some)


def test_labels_without_a_target_are_not_in_the_subset():
    train = list(make_train())
    gold = choose_gold(train, collect_seeds(train).seeds, {"DISEASE": 5}, seed=0)
    assert count_labels(gold) == {"DISEASE": 5}


@pytest.mark.parametrize("rule", list(Rule), ids=lambda rule: rule.value)
def test_the_subset_of_a_larger_dictionary_holds_that_of_a_smaller_one(rule):
    drawn = draw_subsets(list(make_train()), [8, 3, 5], lambda size, seeds: {"CHEMICAL": 6 * size, "DISEASE": 6 * size},
                         seed=42, rule=rule)
    assert [subset.size for subset in drawn] == [3, 5, 8]
    for smaller, larger in zip(drawn, drawn[1:]):
        assert larger.sentences[:len(smaller.sentences)] == smaller.sentences
        assert len({sentence.id for sentence in larger.sentences}) == len(larger.sentences)
        assert count_labels(larger.sentences) == larger.wanted


def test_the_card_counts_names_in_all_and_of_the_dictionary():
    [some] = draw_subsets(list(make_train()), [3], lambda size, seeds: {"CHEMICAL": 19, "DISEASE": 20}, seed=42)
    [only] = draw_subsets(list(make_train()), [3], lambda size, seeds: {"CHEMICAL": 19, "DISEASE": 20}, seed=42,
                          rule=Rule.only)
    assert some.card()["known_names"] == 6 < some.card()["names"]
    assert only.card()["known_names"] == 6 == only.card()["names"]
