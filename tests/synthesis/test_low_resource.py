"""The gold subset of a dictionary size: as many mentions as wanted, each sentence with a known entity."""

import random

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.synthesis.low_resource import choose_gold, count_labels
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


def test_labels_without_a_target_are_not_in_the_subset():
    train = list(make_train())
    gold = choose_gold(train, collect_seeds(train).seeds, {"DISEASE": 5}, seed=0)
    assert count_labels(gold) == {"DISEASE": 5}


def test_the_subset_of_a_larger_dictionary_holds_that_of_a_smaller_one():
    train, gold = list(make_train()), []
    for names, target in ((3, 19), (5, 36), (8, 54)):
        dictionary = collect_seeds(train, per_label=names).seeds
        larger = choose_gold(train, dictionary, {"CHEMICAL": target, "DISEASE": target}, seed=42, smaller=gold)
        assert larger[:len(gold)] == gold and len({sentence.id for sentence in larger}) == len(larger)
        assert count_labels(larger) == {"CHEMICAL": target, "DISEASE": target}
        gold = larger
