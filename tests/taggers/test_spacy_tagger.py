"""spaCy pipelines as annotators: the span group that is named, else sc, else the entities."""

import re

import pytest
import spacy
from spacy.language import Language
from spacy.pipeline import Pipe, TrainablePipe

from spacy_bioner.annotation import Annotation
from spacy_bioner.errors import BionerError
from spacy_bioner.formats.jsonl import read_jsonl, write_jsonl
from spacy_bioner.taggers.opening import LabelMap, PipelineSettings, open_tagger

TEXT = Annotation("Gout was treated with aspirin.", id="a")
PATTERNS = [{"label": "DISORDER", "pattern": "Gout"}, {"label": "DRUG", "pattern": "aspirin"}]


def save(folder, *, key="", entities=False, components=()):
    nlp = spacy.blank("en")
    for component in components:
        nlp.add_pipe(component)
    if key:
        nlp.add_pipe("span_ruler", config={"spans_key": key}).add_patterns(PATTERNS[:1])
    if entities:
        nlp.add_pipe("entity_ruler").add_patterns(PATTERNS)
    nlp.to_disk(folder)
    return str(folder)


def find(name, spans_key=None):
    (_, mentions), = open_tagger(PipelineSettings(name=name, spans_key=spans_key)).find([TEXT])
    return [(TEXT.surface(mention), mention.label) for mention in mentions]


@pytest.mark.parametrize("made, spans_key, labels", [
    pytest.param({"key": "sc", "entities": True}, None, ["DISORDER"], id="group-goes-first"),
    pytest.param({"key": "ruler", "entities": True}, None, ["DISORDER", "DRUG"], id="else-entities"),
    pytest.param({"key": "ruler", "entities": True}, "ruler", ["DISORDER"], id="named-group"),
    pytest.param({"key": "sc", "entities": True}, "ents", ["DISORDER", "DRUG"], id="entities-by-name"),
])
def test_mentions_come_from_the_group_or_the_entities(tmp_path, made, spans_key, labels):
    assert [label for _, label in find(save(tmp_path, **made), spans_key)] == labels


def test_a_group_that_the_pipeline_does_not_write_is_an_error(tmp_path):
    with pytest.raises(BionerError, match="no span group|'nope'"):
        find(save(tmp_path, key="sc"), "nope")


def test_white_space_at_the_edges_of_spans_is_left_out(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("span_ruler", config={"spans_key": "sc"}).add_patterns([
        {"label": "DRUG", "pattern": [{"IS_SPACE": True, "OP": "?"}, {"LOWER": "aspirin"}]},
        {"label": "GAP", "pattern": [{"IS_SPACE": True}]}, {"label": "VERB", "pattern": [{"LOWER": "took"}]}])
    nlp.to_disk(tmp_path / "pipeline")
    text = Annotation("She took \n aspirin.", id="a")
    ((_, mentions),) = open_tagger(PipelineSettings(name=str(tmp_path / "pipeline"))).find([text])
    assert [(text.surface(mention), mention.label) for mention in mentions] == [("took", "VERB"), ("aspirin", "DRUG")]
    write_jsonl(tmp_path / "out.jsonl", [text.with_mentions(mentions)])
    assert len(next(iter(read_jsonl(tmp_path / "out.jsonl"))).mentions) == 2


class FailsInBatches(TrainablePipe):
    """Fails on each batch with a text that says so."""

    def __init__(self, vocab, name):
        self.vocab, self.model, self.name, self.cfg = vocab, None, name, {}

    def predict(self, docs):
        if any("bad" in doc.text for doc in docs):
            raise RuntimeError("bad\ntext")
        return docs

    def set_annotations(self, docs, scores):
        pass

    def to_disk(self, path, *, exclude=()):
        pass

    def from_disk(self, path, *, exclude=()):
        return self


class FailsInCalls(Pipe):
    """Tells the error handler itself, and then has no Doc, as lemmatizers do."""

    def __init__(self, name):
        self.name = name

    def __call__(self, doc):
        if "bad" in doc.text:
            return self.get_error_handler()(self.name, self, [doc], RuntimeError("bad\ntext"))
        return doc


@Language.factory("fails_in_batches")
def make_fails_in_batches(nlp, name):
    return FailsInBatches(nlp.vocab, name)


@Language.factory("fails_in_calls")
def make_fails_in_calls(nlp, name):
    return FailsInCalls(name)


@Language.component("fails_alone")
def fail_alone(doc):
    if "bad" in doc.text:
        raise RuntimeError("bad\ntext")
    return doc


@Language.factory("drops")
def make_drops(nlp, name):
    class Drops:
        def __call__(self, doc):
            return doc

        def pipe(self, docs, batch_size):
            return (doc for doc in docs if "bad" not in doc.text)

    return Drops()


@pytest.mark.parametrize("components", [
    ["fails_in_batches"], ["fails_in_calls"], ["fails_alone"], ["fails_in_calls", "fails_in_batches"],
    ["fails_alone", "fails_in_batches"]], ids="-".join)
def test_a_text_on_which_a_component_fails_fails_alone(tmp_path, components):
    tagger = open_tagger(PipelineSettings(name=save(tmp_path, key="sc", components=components)))
    texts = [Annotation(text, id=text) for text in ("Gout.", "a bad Gout", "No Gout.", "bad", "Gout, too.")]
    found = list(tagger.find(texts))
    assert [text for text, _ in found] == texts
    assert [repr(one) if isinstance(one, Exception) else len(one) for _, one in found] == [
        1, "RuntimeError('bad\\ntext')", 1, "RuntimeError('bad\\ntext')", 1]


def test_a_text_that_a_component_drops_fails(tmp_path):
    tagger = open_tagger(PipelineSettings(name=save(tmp_path, key="sc", components=["drops"])))
    (_, first), (_, second) = tagger.find([Annotation("bad"), TEXT])
    assert "gave no Doc" in str(first) and len(second) == 1


def test_a_text_that_is_too_long_for_the_pipeline_fails_alone(tmp_path):
    tagger = open_tagger(PipelineSettings(name=save(tmp_path, key="sc")))
    (_, first), (_, second) = tagger.find([Annotation("a " * 500_001, id="long"), TEXT])
    assert re.match("Text 'long' has 1,000,002 characters.*1,000,000", str(first)) and len(second) == 1


@pytest.mark.parametrize("name", ["no_such_package", "./nowhere", "/nowhere/at/all"])
def test_a_pipeline_that_there_is_not_is_one_line(name):
    with pytest.raises(BionerError, match="There is no pipeline at"):
        find(name)


def test_labels_are_mapped_dropped_and_checked(tmp_path):
    tagger = open_tagger(PipelineSettings(name=save(tmp_path, entities=True)))
    (_, mentions), = tagger.find([TEXT])
    assert [one.label for one in LabelMap({"DISORDER": "DISEASE", "DRUG": ""}, known={"DISEASE"},
                                          tagger=tagger).apply(mentions)] == ["DISEASE"]
    with pytest.raises(BionerError, match="label 'DRUG', which the label schema lacks"):
        LabelMap({"DISORDER": "DISEASE"}, known={"DISEASE"}, tagger=tagger).apply(mentions)
