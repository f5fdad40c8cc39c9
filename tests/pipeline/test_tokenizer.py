import pytest
import spacy

from spacy_bioner.tokens import find_units


@pytest.fixture
def nlp():
    return spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": "spacy-bioner.UnitTokenizer.v1"}}})


@pytest.mark.parametrize("text", ["HLA-DR+ cells/ml (p < 0.05)", "  two  blanks\n", "急性白血病 AML",
                                  "主诉：\u3000头痛", ""])
def test_tokens_are_the_units_and_the_text_stays(nlp, text):
    doc = nlp(text)
    assert doc.text == text
    units = [(token.idx, token.idx + len(token)) for token in doc if not token.is_space]
    assert units == find_units(text)


def test_an_ideographic_space_is_no_unit():
    assert find_units("高\u3000压、") == [(0, 1), (2, 3), (3, 4)]


def test_a_stored_pipeline_cuts_alike(nlp, tmp_path):
    nlp.to_disk(tmp_path)
    text = "alpha[DEC-205]"
    assert [token.text for token in spacy.load(tmp_path)(text)] == [token.text for token in nlp(text)]
    again = spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": "spacy-bioner.UnitTokenizer.v1"}}})
    assert [token.text for token in again.from_bytes(nlp.to_bytes())(text)] == [token.text for token in nlp(text)]
