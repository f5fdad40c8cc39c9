"""Near duplicates: found exactly, whatever the number of texts."""

import random

import pytest

from spacy_bioner.corpus.near_duplicates import find_near_duplicates, find_trigrams

SENTENCE = "loss of this gene in the liver raised the level of glucose"


def test_trigrams_overlook_case_and_punctuation():
    assert find_trigrams("Loss, of p53.") == find_trigrams("loss of P53")


def test_trigrams_of_chinese_are_of_characters():
    assert find_trigrams("肺癌，患者") == {("肺", "癌", "患"), ("癌", "患", "者")}


@pytest.mark.parametrize("other, found", [
    pytest.param("loss of this gene in the liver raised the level of insulin", True, id="one-word-changed"),
    pytest.param("so loss of this gene in the liver raised the level of glucose by half", True, id="contained"),
    pytest.param("loss of this gene in the heart of old mice had no effect at all", False, id="common-beginning"),
    pytest.param("of loss", False, id="no-trigram"),
    pytest.param(SENTENCE.upper(), True, id="other-case"),
])
def test_near_duplicate_shares_more_than_half(other, found):
    assert bool(find_near_duplicates([SENTENCE, other])) is found


def test_share_of_exactly_the_limit_is_allowed():
    texts = ["a b c d e f", "a b c d x y"]
    assert find_near_duplicates(texts, max_share=0.5) == []
    assert [pair.share for pair in find_near_duplicates(texts, max_share=0.4)] == [0.5]


@pytest.mark.parametrize("max_share", [0.0, 0.3, 0.5, 0.8])
def test_same_texts_are_found_as_by_comparing_all(max_share):
    rng = random.Random(0)
    texts = [" ".join(rng.choices("abcd", k=rng.randint(1, 12))) for _ in range(150)]
    grams = [find_trigrams(text) for text in texts]
    expected = set()
    for first in range(len(texts)):
        for second in range(first):
            shorter = min(len(grams[first]), len(grams[second]))
            if shorter and len(grams[first] & grams[second]) / shorter > max_share:
                expected.add((second, first))
    found = {(pair.first, pair.second) for pair in find_near_duplicates(texts, max_share=max_share)}
    assert found <= expected
    shorter_of = {(a, b): a if len(grams[a]) <= len(grams[b]) else b for a, b in expected}
    assert {shorter_of[pair] for pair in expected} <= {position for pair in found for position in pair}


@pytest.mark.timeout(60)
def test_ten_thousand_texts_from_one_mould_take_no_square_of_time():
    texts = [f"patient {number} was seen on the ward and given the usual dose of the drug" for number in range(10_000)]
    assert len(find_near_duplicates(texts)) >= 5_000


def test_texts_of_one_group_are_passed_over():
    texts = [SENTENCE, SENTENCE, f"{SENTENCE} in old mice", f"{SENTENCE} at night"]
    groups = [frozenset({name}) for name in ("train", "train", "test", "dev")]
    found = {(pair.first, pair.second) for pair in find_near_duplicates(texts, groups=groups)}
    assert found == {(0, 2), (1, 2), (0, 3), (1, 3), (2, 3)}


def test_a_text_of_two_groups_is_compared_with_both():
    texts = [SENTENCE, f"{SENTENCE} in old mice"]
    groups = [frozenset({"train", "test"}), frozenset({"test"})]
    assert len(find_near_duplicates(texts, groups=groups)) == 1


@pytest.mark.parametrize("max_share", [0.0, 0.3, 0.5])
def test_each_text_has_a_neighbour_of_each_other_group_that_holds_one(max_share):
    rng = random.Random(1)
    texts = [" ".join(rng.choices("abcd", k=rng.randint(3, 12))) for _ in range(150)]
    grams = [find_trigrams(text) for text in texts]
    groups = [frozenset({rng.choice("xyz")}) for _ in texts]
    found = {(pair.first, pair.second) for pair in find_near_duplicates(texts, max_share=max_share, groups=groups)}
    assert all(groups[first] != groups[second] for first, second in found)
    for short, own in enumerate(grams):
        fitting = {long for long, other in enumerate(grams) if groups[long] != groups[short]
                   and len(other) >= len(own) and len(own & other) / len(own) > max_share}
        reported = {second if first == short else first for first, second in found if short in (first, second)}
        assert {groups[long] for long in fitting} <= {groups[other] for other in reported}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("end", ["", " again", " in the first of the three weeks of the study that others had left"])
def test_groups_from_one_mould_take_no_square_of_time(end):
    mould = "patient {} was seen on the ward and given the usual dose of the drug{}"
    texts = [mould.format(number, end if number % 2 else "") for number in range(10_000)]
    groups = [frozenset({"odd" if number % 2 else "even"}) for number in range(10_000)]
    assert len(find_near_duplicates(texts, groups=groups)) >= 5_000
