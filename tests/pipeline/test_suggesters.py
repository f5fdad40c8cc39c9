import pytest
from span_examples import make_nlp
from thinc.api import NumpyOps

from spacy_bioner.pipeline.suggesters import make_word_span_suggester


def suggest(*texts, max_size=6):
    nlp = make_nlp()
    docs = [nlp.make_doc(text) for text in texts]
    found = make_word_span_suggester(max_size)(docs, ops=NumpyOps())
    return [{doc[start:end].text for start, end in rows.dataXd.tolist()} for doc, rows in zip(docs, found)]


@pytest.mark.parametrize("text, mention", [
    ("deficiency of the C9 protein", "deficiency of the C9 protein"), ("A-T is rare", "A-T"),
    ("CD4+ cells", "CD4+"), ("the (1-3)-glucan level", "(1-3)-glucan"), ("2-deoxy glucose", "2-deoxy glucose"),
])
def test_mentions_are_suggested(text, mention):
    assert mention in suggest(text, max_size=8)[0]


@pytest.mark.parametrize("span", ["of", "the cells", "cells of", "cells ,", ", with"])
def test_what_cannot_be_a_mention_is_not(span):
    assert span not in suggest("growth of the cells , with gout")[0]


def test_documents_keep_their_spans_apart_and_may_have_none():
    assert suggest("gout", "", "of the") == [{"gout"}, set(), set()]


def test_spans_are_no_longer_than_asked_for():
    assert max(len(span.split()) for span in suggest("one gout two gout three gout four", max_size=3)[0]) == 3
