"""One call: texts in, annotated texts out, by a pipeline or a language model, and shown in a notebook."""

import pytest
import spacy

from spacy_bioner import annotate, annotate_texts
from spacy_bioner.annotate_texts import AnnotatedTexts
from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.llm.replay import make_replay

pytestmark = pytest.mark.issue(24)
TEXTS = ["Gout hurts.", "No flu."]


@pytest.fixture
def pipeline():
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("span_ruler", config={"spans_key": "sc"})
    ruler.add_patterns([{"label": "DISEASE", "pattern": "Gout"}, {"label": "DISEASE", "pattern": "flu"}])
    return nlp


def surfaces(docs):
    return [[(doc.surface(mention), mention.label) for mention in doc.mentions] for doc in docs]


def test_a_trained_pipeline_annotates_loaded_or_from_its_folder(pipeline, tmp_path):
    pipeline.to_disk(tmp_path / "pipeline")
    for model in (pipeline, tmp_path / "pipeline", str(tmp_path / "pipeline")):
        assert surfaces(annotate(TEXTS, model=model)) == [[("Gout", "DISEASE")], [("flu", "DISEASE")]]


def test_labels_cannot_be_asked_of_a_pipeline(pipeline):
    with pytest.raises(BionerError, match="so GENE cannot be asked"):
        annotate(TEXTS, ["GENE"], pipeline)


def test_a_language_model_is_asked_for_the_labels_and_what_fails_is_told(tmp_path, monkeypatch, caplog):
    (tmp_path / "replies.jsonl").write_text('{"text": "Gout hurts.", "output": "DISEASE:  [Gout] hurts."}\n')
    monkeypatch.setattr(annotate_texts, "_open", lambda *_: make_replay(tmp_path / "replies.jsonl"))
    docs = annotate(TEXTS, {"DISEASE": "illnesses"})
    assert surfaces(docs) == [[("Gout", "DISEASE")], []]
    assert "error" in docs[1].meta and "1 of 2 texts could not be annotated" in caplog.text


def test_one_text_may_be_given_alone(pipeline):
    assert surfaces(annotate("Gout hurts.", model=pipeline)) == [[("Gout", "DISEASE")]]


def test_a_notebook_shows_nested_mentions_and_text_is_escaped():
    docs = AnnotatedTexts([Annotation("breast cancer & <b>", (Mention(0, 6, "ANATOMY"), Mention(0, 13, "DISEASE"))),
                           Annotation("No flu.")])
    page = docs.to_html()
    assert "ANATOMY" in page and "DISEASE" in page and "&lt;" in page and "<b>" not in page
    assert isinstance(docs[:1], AnnotatedTexts) and docs[:1]._repr_html_() == docs[:1].to_html()
    assert docs[:0].to_html() == ""
