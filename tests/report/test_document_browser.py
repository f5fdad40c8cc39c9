"""Documents as HTML: escaped, nested, and with what the filters need."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.report.document_browser import OUTCOMES, mark_up, render_browser

COLOURS = {"X": 0, "Y": 1}
MENTIONS = st.lists(st.builds(lambda start, length, label: Mention(start, start + length, label), st.integers(0, 8),
                              st.integers(1, 6), st.sampled_from("XY")), max_size=6)


class Reader(HTMLParser):
    """Reads markup back: its text, and the span of every mark."""

    def __init__(self):
        super().__init__()
        self.text, self.open, self.marks = "", [], []

    def handle_starttag(self, tag, attrs):
        if tag == "mark":
            self.open.append((len(self.text), dict(attrs)))

    def handle_endtag(self, tag):
        if tag == "mark":
            start, attrs = self.open.pop()
            self.marks.append((start, len(self.text), attrs))

    def handle_data(self, data):
        self.text += data


def read(markup):
    reader = Reader()
    reader.feed(str(markup))
    assert not reader.open
    return reader


@given(MENTIONS)
def test_markup_keeps_the_text_and_shows_every_mention(mentions):
    annotation = Annotation("<a> & \"b\" 'c'", ()).with_mentions(mentions)
    reader = read(mark_up(annotation, COLOURS))
    assert reader.text == annotation.text
    for label in "XY":
        wanted = {place for mention in annotation.mentions if mention.label == label
                  for place in range(mention.start, min(mention.end, len(annotation.text)))}
        shown = {place for start, end, attrs in reader.marks if attrs["data-l"] == label for place in range(start, end)}
        assert shown == wanted
    begun = [mark for mark in reader.marks if "on" not in mark[2]["class"].split()]
    assert len(begun) == len(annotation.mentions)


@pytest.mark.parametrize("mentions, marks", [
    pytest.param([(0, 9, "X"), (0, 4, "Y")], [(0, 4, "k1"), (0, 9, "k0 h1")], id="inner at the start"),
    pytest.param([(0, 4, "X"), (0, 4, "Y")], [(0, 4, "k1"), (0, 4, "k0 h1")], id="two labels"),
    pytest.param([(0, 9, "X"), (1, 8, "Y"), (2, 4, "X")], [(2, 4, "k0"), (1, 8, "k1 h1"), (0, 9, "k0 h2")], id="deep"),
    pytest.param([(0, 4, "X"), (2, 9, "Y")], [(2, 4, "k1"), (0, 4, "k0 h1"), (4, 9, "k1 on")], id="crossing"),
])
def test_nesting_and_crossing(mentions, marks):
    annotation = Annotation("abcdefghi").with_mentions(Mention(*each) for each in mentions)
    assert [(start, end, attrs["class"]) for start, end, attrs in read(mark_up(annotation, COLOURS)).marks] == marks


GOLD = Annotation("<script>alert(1)</script> p53 is a gene.",
                  (Mention(26, 29, "X"), Mention(35, 39, "Y")), id="<b>1</b>")


def test_text_ids_and_labels_are_escaped():
    labels = ["X", "Y", "<i>"]
    found = GOLD.with_mentions([Mention(0, 8, "<i>", score=0.5)])
    html = str(render_browser([GOLD], {"<u>s</u>": {GOLD.id: found}}, labels=labels, anchor="a"))
    assert not re.search(r"<(script|b>1|u>|i>)", html)
    assert "&lt;script&gt;" in html and 'data-l="&lt;i&gt; 0.50"' in html


def test_filter_keys_name_system_outcome_and_label():
    found = GOLD.with_mentions([Mention(26, 29, "Y"), Mention(35, 39, "Y")])
    html = str(render_browser([GOLD], {"s": {GOLD.id: found}}, labels=["X", "Y"], anchor="a"))
    keys = set(re.search(r'data-f="([^"]*)"', html)[1].split())
    type_error, right = OUTCOMES.index("Type"), OUTCOMES.index("Right")
    assert keys == {f"0.{type_error}.0", f"0.{type_error}.1", f"0.{right}.1"}


def test_a_line_that_a_system_has_right_is_not_repeated():
    html = str(render_browser([GOLD], {"good": {GOLD.id: GOLD}, "bad": {GOLD.id: GOLD.with_mentions(())}},
                              labels=["X", "Y"], anchor="a"))
    assert html.count("p53") == 2 and "= good" in html
    assert html.count('data-e="not by bad"') == 2
