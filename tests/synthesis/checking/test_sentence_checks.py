"""What is wrong with a generated sentence beyond its tags."""

import pytest

from spacy_bioner.annotation import Annotation
from spacy_bioner.corpus.leakage import KnownTexts
from spacy_bioner.formats.jsonl import read_jsonl, write_jsonl
from spacy_bioner.synthesis.checking.check_settings import CheckSettings
from spacy_bioner.synthesis.checking.sentence_checks import SentenceChecks, count_distinct_ngrams

GOOD = "Aspirin lowered the risk of stroke in patients with atrial fibrillation."
ABSTRACT = "RESULTS. Gout was seen in half of them. Probenecid lowered uric acid in all of the treated patients."


@pytest.fixture
def held_out(tmp_path):
    write_jsonl(tmp_path / "test.jsonl", [Annotation(ABSTRACT, id="1")])
    return [tmp_path / "test.jsonl"]


@pytest.mark.parametrize("text, fault", [
    pytest.param(GOOD, None, id="good"),
    pytest.param("Aspirin in stroke.", "too_short", id="short"),
    pytest.param("word " * 120, "too_long", id="long"),
    pytest.param("阿司匹林降低了房颤患者的卒中风险。", "other_language", id="chinese"),
    pytest.param("the risk of the risk of the risk of the risk of gout", "repetition", id="loop"),
    pytest.param("Le patient atteint de goutte a été traité par l'aspirine.", "other_language", id="french"),
    pytest.param("Gout  was seen in HALF of them!", "held_out_text", id="held-out-by-its-letters"),
    pytest.param("Gout was seen in half of \uff54hem.", "held_out_text", id="held-out-in-another-unicode-form"),
    pytest.param("We asked. Gout was seen in half of them.", "held_out_text", id="holds-a-held-out-sentence"),
    pytest.param("Allopurinol lowered uric acid in all of the treated patients.", "near_held_out", id="nearly"),
])
def test_faults_are_named(text, fault, held_out):
    checks = SentenceChecks(CheckSettings(), held_out=held_out)
    assert checks.find_fault(text) == fault


@pytest.mark.parametrize("text, fault", [
    pytest.param("糖尿病肾病、糖尿病视网膜病变和糖尿病足是常见的并发症。", None, id="name-of-three-characters"),
    pytest.param("患者有卒中的风险的风险的风险的风险的风险的风险。", "repetition", id="loop"),
])
def test_a_name_may_come_often_where_a_character_is_a_unit(text, fault):
    assert SentenceChecks(CheckSettings(lang="zh")).find_fault(text) == fault


def test_what_passes_here_passes_the_guard_of_training(held_out):
    known = KnownTexts(held_out, read_jsonl)
    for text in (GOOD, "Gout was seen in half of \uff54hem.", "We asked. Gout was seen in half of them."):
        sentence = Annotation(text, meta={"unit": "sentence", "origin": "synthetic"})
        passes = SentenceChecks(CheckSettings(), held_out=held_out).find_fault(text) is None
        assert known.find(sentence) is None or not passes


def test_chinese_may_hold_latin_names():
    checks = SentenceChecks(CheckSettings(lang="zh"))
    assert checks.find_fault("患者服用 aspirin 后出现胃出血。") is None
    assert checks.find_fault(GOOD) == "other_language"


def test_a_near_duplicate_is_found_and_another_sentence_is_not():
    checks = SentenceChecks(CheckSettings())
    assert checks.find_fault(GOOD) is None
    assert checks.find_fault(GOOD.replace("Aspirin", "Warfarin")) == "near_duplicate"
    assert checks.find_fault("Atrial fibrillation was the most frequent finding on admission.") is None


@pytest.mark.parametrize("similarity, changed, fault", [
    pytest.param(0.7, 3, None, id="seven-of-thirteen"),
    pytest.param(0.7, 1, "near_duplicate", id="nine-of-eleven"),
    pytest.param(0.8, 2, None, id="eight-of-twelve"),
    pytest.param(0.8, 1, "near_duplicate", id="above-its-share"),
    pytest.param(0.99, 1, None, id="nearly-all"),
    pytest.param(0.99, 0, "near_duplicate", id="all"),
    pytest.param(1.0, 0, None, id="switched-off"),
])
def test_similarity_is_the_share_of_trigrams(similarity, changed, fault):
    """Of the ten trigrams each changed first word takes one away from both."""
    checks = SentenceChecks(CheckSettings(similarity=similarity, max_repeats=9))
    words = [f"the {number}th" for number in range(6)]
    text = " ".join(words)
    assert len(text.split()) == 12 and checks.find_fault(text) is None
    other = text.split()
    other[:changed] = [f"some{number}" for number in range(changed)]
    assert checks.find_fault(" ".join(other)) == fault


def test_sentences_too_short_for_a_trigram_are_no_duplicates():
    checks = SentenceChecks(CheckSettings(min_units=1))
    assert [checks.find_fault(text) for text in ("Aspirin works", "The drug")] == [None, None]


def test_distinct_ngrams_are_fewer_where_sentences_repeat():
    assert count_distinct_ngrams([GOOD]) == 1.0
    assert count_distinct_ngrams([GOOD, GOOD]) == 0.5
    assert count_distinct_ngrams([]) == 0.0
