"""spaCy pipelines as annotators: the span group that is named, else sc, else the entities."""

import pytest
import spacy

from spacy_bioner.annotation import Annotation
from spacy_bioner.errors import BionerError
from spacy_bioner.taggers.opening import LabelMap, PipelineSettings, open_tagger

TEXT = Annotation("Gout was treated with aspirin.", id="a")
PATTERNS = [{"label": "DISORDER", "pattern": "Gout"}, {"label": "DRUG", "pattern": "aspirin"}]


def save(folder, *, key="", entities=False):
    nlp = spacy.blank("en")
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
