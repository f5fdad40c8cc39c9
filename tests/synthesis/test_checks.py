"""What is wrong with a generated sentence beyond its tags."""

import pytest

from spacy_bioner.synthesis.checks import CheckSettings, SentenceChecks, count_distinct_ngrams

GOOD = "Aspirin lowered the risk of stroke in patients with atrial fibrillation."


@pytest.mark.parametrize("text, fault", [
    pytest.param(GOOD, None, id="good"),
    pytest.param("Aspirin in stroke.", "too_short", id="short"),
    pytest.param("word " * 120, "too_long", id="long"),
    pytest.param("阿司匹林降低了房颤患者的卒中风险。", "other_language", id="chinese"),
    pytest.param("the risk of the risk of the risk of the risk of gout", "repetition", id="loop"),
    pytest.param("Gout  was seen in HALF of them!", "held_out_text", id="held-out-by-its-letters"),
])
def test_faults_are_named(text, fault):
    checks = SentenceChecks(CheckSettings(), held_out=["Gout was seen in half of them."])
    assert checks.find_fault(text) == fault


def test_chinese_may_hold_latin_names():
    checks = SentenceChecks(CheckSettings(lang="zh"))
    assert checks.find_fault("患者服用 aspirin 后出现胃出血。") is None
    assert checks.find_fault(GOOD) == "other_language"


def test_a_near_duplicate_is_found_and_another_sentence_is_not():
    checks = SentenceChecks(CheckSettings())
    assert checks.find_fault(GOOD) is None
    assert checks.find_fault(GOOD.replace("Aspirin", "Warfarin")) == "near_duplicate"
    assert checks.find_fault("Atrial fibrillation was the most frequent finding on admission.") is None


def test_distinct_ngrams_are_fewer_where_sentences_repeat():
    assert count_distinct_ngrams([GOOD]) == 1.0
    assert count_distinct_ngrams([GOOD, GOOD]) == 0.5
    assert count_distinct_ngrams([]) == 0.0
