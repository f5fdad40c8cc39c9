"""The registered scorer in spaCy's own training and evaluation, on Docs tokenised differently."""

import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.training import Example

from spacy_bioner.evaluation.scorers import score_nested_spans

NLP = spacy.blank("en")


def doc_with(words, spans, key="sc"):
    doc = Doc(NLP.vocab, words=words, spaces=[False] * len(words))
    doc.spans[key] = [Span(doc, start, end, label=label) for start, end, label in spans]
    return doc


def scorer():
    return spacy.registry.scorers.get("spacy-bioner.nested_span_scorer.v1")(spans_key="sc")


def test_nested_spans_are_scored_by_characters():
    reference = doc_with(["IL", "-", "2", "gene"], [(0, 3, "protein"), (0, 4, "DNA")])
    predicted = doc_with(["IL-2", "gene"], [(0, 1, "protein"), (1, 2, "DNA")])
    scores = scorer()([Example(predicted, reference)])
    assert (scores["spans_sc_p"], scores["spans_sc_r"], scores["spans_sc_f"]) == (0.5, 0.5, 0.5)
    assert scores["spans_sc_per_type"]["protein"] == {"p": 1.0, "r": 1.0, "f": 1.0}
    assert scores["spans_sc_macro_f"] == 0.5 and scores["spans_sc_boundary_f"] == 0.5


def test_references_without_spans_are_not_scored():
    scored = Example(doc_with(["a"], [(0, 1, "X")]), doc_with(["a"], [(0, 1, "X")]))
    unscored = Example(doc_with(["b"], [(0, 1, "X")]), doc_with(["b"], [], key="other"))
    assert score_nested_spans([scored, unscored], spans_key="sc")["spans_sc_p"] == 1.0
    assert set(score_nested_spans([unscored], spans_key="sc").values()) == {None}


def test_agrees_with_spacys_own_scorer_on_equal_tokens():
    reference = doc_with(list("abcdef"), [(0, 3, "X"), (1, 2, "Y"), (1, 4, "X")])
    predicted = doc_with(list("abcdef"), [(0, 3, "X"), (1, 2, "X"), (1, 4, "X"), (5, 6, "Y")])
    own = scorer()([Example(predicted, reference)])
    spacys = spacy.registry.scorers.get("spacy.spancat_scorer.v1")()
    theirs = spacys([Example(predicted, reference)], spans_key="sc")
    for name in ("p", "r", "f"):
        assert own[f"spans_sc_{name}"] == pytest.approx(theirs[f"spans_sc_{name}"])


def test_trains_and_evaluates_with_spacy():
    nlp = spacy.blank("en")
    component = nlp.add_pipe("spancat", config={
        "scorer": {"@scorers": "spacy-bioner.nested_span_scorer.v1", "spans_key": "sc"},
        "suggester": {"@misc": "spacy.ngram_suggester.v1", "sizes": [1, 2]}})
    component.add_label("X")
    examples = []
    for text in ("alpha beta", "beta alpha gamma"):
        reference = nlp.make_doc(text)
        reference.spans["sc"] = [Span(reference, 0, 1, label="X")]
        examples.append(Example(nlp.make_doc(text), reference))
    nlp.initialize(lambda: examples)
    nlp.update(examples)
    scores = nlp.evaluate(examples)
    assert 0 <= scores["spans_sc_f"] <= 1 and "spans_sc_boundary_f" in scores
