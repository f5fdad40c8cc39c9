"""Every format gives back any text with any mentions, or says what it could not hold."""

import string
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spacy_bioner.annotation import Annotation, Mention, in_text_order
from spacy_bioner.formats import read_annotations, write_annotations
from spacy_bioner.formats.parsing.problems import NOTES, Problems

ALPHABET = string.ascii_letters + " .,;-()[]|/#'\"<>&\t\n\r\u00a0\u2028\u0085\x0b\x1c\ufeff\u03b2\u0301\u4e2d\U0001d6fc"
TEXTS = st.text(ALPHABET, max_size=40)
IDS = st.text("ab1-_ /.%\u4e2d", min_size=1, max_size=12)


@st.composite
def _annotations(draw):
    text = draw(TEXTS)
    places = draw(st.lists(st.tuples(st.integers(0, len(text)), st.integers(0, len(text))), max_size=5))
    spans = [(start, end) for start, end in places if text[start:end].strip() == text[start:end] != ""]
    labels = st.sampled_from(["X", "cell_line", "B-side"])
    return Annotation(text, in_text_order(Mention(*span, draw(labels)) for span in spans), id=draw(IDS).strip() or "1")


@pytest.mark.parametrize("name", ["a.jsonl", "a.bioc.json", "a.xml", "a.pubtator", "a.brat", "a.conll", "a.hf.jsonl",
                                  "a.spacy"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(annotation=_annotations())
def test_what_is_written_comes_back_or_is_reported(name, annotation):
    with tempfile.TemporaryDirectory() as folder:
        written, read = Problems(), Problems()
        path = Path(folder) / name
        count = write_annotations(path, [annotation], problems=written)
        back = list(read_annotations(path, problems=read)) if count else []
    assert count == len(back)
    lost = {kind: number for kind, number in written.counts.items() if kind not in NOTES}
    if not lost:
        assert set(read.counts) <= NOTES
        (one,) = back
        assert (one.id, one.text, one.mentions) == (annotation.id, annotation.text, annotation.mentions)
    elif count:
        (one,) = back
        unheld = sum(lost.get(kind, 0) for kind in ("off_boundary", "overlap", "unwritable_label"))
        assert len(one.mentions) == len(annotation.mentions) - unheld
        assert len(one.text) == len(annotation.text)
