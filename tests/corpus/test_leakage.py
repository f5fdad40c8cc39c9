import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.corpus.leakage import KnownTexts, drop_repeated, normalise, refuse_known
from spacy_bioner.corpus.sentences import split_sentences
from spacy_bioner.errors import BionerError
from spacy_bioner.formats.jsonl import read_jsonl, write_jsonl

ABSTRACT = "RESULTS. Loss of p53 was seen. It led to breast cancer."
NOTICE = "(ABSTRACT TRUNCATED AT 250 WORDS)"


@pytest.fixture
def known(tmp_path):
    write_jsonl(tmp_path / "test.jsonl", [Annotation(ABSTRACT, id="1"), Annotation("...", id="2"),
                                           Annotation(f"It led to gout in all. {NOTICE}", id="3")])
    return KnownTexts([tmp_path / "test.jsonl"], read_jsonl)


@pytest.mark.parametrize("text, found", [
    pytest.param(ABSTRACT, True, id="document"),
    pytest.param("It led to breast cancer.", True, id="sentence"),
    pytest.param("it led to Breast  cancer .", True, id="case-and-spacing"),
    pytest.param("It led to breast \uff43ancer.", True, id="unicode-form"),
    pytest.param("A new start. It led to breast cancer. The end.", True, id="sentence-inside-a-document"),
    pytest.param("It led to lung cancer.", False, id="other"),
    pytest.param("breast cancer", False, id="part-of-a-sentence"),
    pytest.param("Results.", True, id="heading-alone"),
    pytest.param("RESULTS. We saw nothing new.", False, id="heading-of-another-document"),
    pytest.param("?!", False, id="no-letters"),
    pytest.param(f"We saw nothing new. {NOTICE}", False, id="notice-below-another-document"),
])
def test_finds_texts_again(known, text, found):
    assert (known.find(Annotation(text)) is not None) is found


@pytest.mark.parametrize("mentions", [(Mention(32, 45, "DISEASE"),), ()], ids=["labelled", "not-labelled"])
def test_pieces_of_a_sentence_are_found_that_is_cut_where_it_is_raw(tmp_path, mentions):
    text = "We report a severe infection by Staph. Aureus in ten patients of our hospital."
    write_jsonl(tmp_path / "dev.jsonl", [Annotation(text, mentions, id="1", meta={"unit": "sentence"})])
    known = KnownTexts([tmp_path / "dev.jsonl"], read_jsonl)
    pieces = split_sentences(Annotation(text))
    assert len(pieces) == 2 and all(known.find(piece) for piece in pieces)
    assert known.find(Annotation("Staph.")) is None


@pytest.mark.parametrize("meta", [{}, {"lang": "zh"}], ids=["language-not-said", "language-said"])
def test_sentences_of_chinese_documents_are_found_again(tmp_path, meta):
    first, second = "患者服用阿司匹林后出现了严重的胃出血。", "停药一周之后上述的症状全部消失了。"
    write_jsonl(tmp_path / "dev.jsonl", [Annotation(first + second, id="1", meta=meta)])
    known = KnownTexts([tmp_path / "dev.jsonl"], read_jsonl)
    assert known.find(Annotation(second)) and known.find(Annotation("另有一例。" + second, meta=meta))
    assert known.find(Annotation("另有一例患者没有任何这样的症状。")) is None


def test_a_raw_copy_is_found_where_a_mention_lies_across_its_sentences(tmp_path):
    text = "We saw cancer of the breast. Stage four was the most frequent one."
    labelled = Annotation(text, (Mention(21, 38, "DISEASE"),), id="1")
    write_jsonl(tmp_path / "labelled.jsonl", [labelled])
    write_jsonl(tmp_path / "raw.jsonl", [Annotation(text, id="1")])
    sentence = Annotation("Stage four was the most frequent one.")
    assert all(KnownTexts([tmp_path / name], read_jsonl).find(sentence) for name in ("labelled.jsonl", "raw.jsonl"))
    longer = Annotation("A start. " + text, (Mention(30, 47, "DISEASE"),))
    assert KnownTexts([tmp_path / "raw.jsonl"], read_jsonl).find(longer)


def test_headings_cut_out_of_a_document_are_found_on_request(known):
    heading = Annotation("Results.", id="d-s1", meta={"document": "d", "unit": "sentence"})
    assert known.find(heading) is None
    assert known.find(heading, headings=True) is not None


def test_names_the_file(known, tmp_path):
    assert known.find(Annotation(ABSTRACT)) == tmp_path / "test.jsonl"


def test_known_texts_are_refused_and_others_go_by(known):
    passed = refuse_known([Annotation("It led to lung cancer.", id="new"), Annotation(ABSTRACT, id="old")], known)
    assert next(passed).id == "new"
    with pytest.raises(BionerError, match="'old' also occurs in .*test.jsonl"):
        next(passed)


def test_normalised_text_has_letters_and_digits_only():
    assert normalise("\u03b2-Amyloid\u00a0(\uff21\u03b2_1\u201342)") == "\u03b2amyloida\u03b2142"


def test_repeated_texts_are_dropped_after_the_first():
    texts = ["A b.", "a b", "C."]
    assert [one.text for one in drop_repeated(map(Annotation, texts))] == ["A b.", "C."]
