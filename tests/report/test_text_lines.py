"""Lines for reading: nothing lost, no mention cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_bioner.report.document_browser import cut_lines

LONG = "A sentence with enough letters to be long. "


@given(st.text(alphabet="aA. \n。9", max_size=200),
       st.lists(st.tuples(st.integers(0, 190), st.integers(1, 20)), max_size=5))
def test_lines_are_the_text_and_cut_no_mention(text, mentions):
    places = [(start, start + length) for start, length in mentions]
    lines = cut_lines(text, places)
    assert "".join(text[start:end] for start, end in lines) == text
    assert not any(first < end < last for _, end in lines[:-1] for first, last in places)


@pytest.mark.parametrize("text, places, number", [
    pytest.param(LONG * 3, [], 3, id="sentences"),
    pytest.param(LONG * 3, [(30, 60)], 2, id="mention across"),
    pytest.param("No. 5 is short.", [], 1, id="short"),
    pytest.param("这是一个足够长的句子这是一个足够长的句子这是一个足够长的句子。另一句。", [], 2, id="Chinese"),
    pytest.param("", [], 1, id="empty"),
])
def test_cuts_where_sentences_seem_to_end(text, places, number):
    assert len(cut_lines(text, places)) == number
