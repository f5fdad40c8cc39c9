"""Near duplicates: found exactly, whatever the number of texts."""

import random

import pytest

from spacy_bioner.formats.near_duplicates import find_near_duplicates, find_trigrams

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
