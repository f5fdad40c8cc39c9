"""Files of tools with values of other types: one line of error, or a problem that is counted, and nothing made up."""

import json

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.formats import read_annotations, write_annotations
from spacy_bioner.formats.parsing.problems import Problems

TEXT = "Gout."
DOCCANO = {"text": TEXT, "label": [[0, 4, "D"]]}
PRODIGY = {"text": TEXT, "spans": [{"start": 0, "end": 4, "label": "D"}]}


def studio(region=(), value=(), **task):
    region = {"type": "labels", "value": {"start": 0, "end": 4, "labels": ["D"], **dict(value)}, **dict(region)}
    return [{"id": 1, "data": {"text": TEXT}, "annotations": [{"result": [region]}], **task}]


def bioc(infons=(), passage=(), **annotation):
    stated = {"id": "T1", "infons": {"type": "D", **dict(infons)}, "text": "Gout",
              "locations": [{"offset": 0, "length": 4}], **annotation}
    return [{"id": "1", "passages": [{"offset": 0, "text": TEXT, "annotations": [stated], **dict(passage)}]}]


def read(tmp_path, name, content, problems):
    (tmp_path / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return list(read_annotations(tmp_path / name, problems=problems))


STUDIO, BIOC, OF_DOCCANO, OF_PRODIGY = "a.labelstudio.json", "a.bioc.json", "a.doccano.jsonl", "a.prodigy.jsonl"


@pytest.mark.parametrize("name, content, kept", [
    pytest.param(STUDIO, studio(value={"text": 5}), 0, id="studio-text"),
    pytest.param(STUDIO, studio(value={"labels": "DIS"}), 0, id="studio-labels"),
    pytest.param(STUDIO, studio(value={"labels": [" "]}), 0, id="studio-blank-label"),
    pytest.param(STUDIO, studio({"meta": {"grounding": 5}}), 1, id="studio-grounding"),
    pytest.param(STUDIO, studio(annotations=5), 0, id="studio-annotations"),
    pytest.param(STUDIO, studio(annotations=[{"result": 5}]), 0, id="studio-result"),
    pytest.param(STUDIO, studio(predictions=5, annotations=[]), 0, id="studio-predictions"),
    pytest.param(BIOC, bioc({"grounding": 5}), 1, id="bioc-grounding"),
    pytest.param(BIOC, bioc({"json:identifier": "x"}), 1, id="bioc-identifier"),
    pytest.param(OF_DOCCANO, {**DOCCANO, "relations": 5}, 1, id="doccano-relations"),
    pytest.param(OF_PRODIGY, {**PRODIGY, "relations": 5}, 1, id="prodigy-relations"),
    pytest.param(OF_PRODIGY, {"text": TEXT, "tokens": [{"id": [1], "start": 0, "end": 4}],
                              "spans": [{"token_start": 0, "token_end": 0, "label": "D"}]}, 0, id="prodigy-token"),
    pytest.param(OF_PRODIGY, {"text": TEXT, "spans": [{**PRODIGY["spans"][0], "grounding": 5}]}, 1,
                 id="prodigy-grounding"),
])
def test_a_value_of_another_type_is_counted(tmp_path, name, content, kept):
    problems = Problems()
    found, = read(tmp_path, name, content, problems)
    assert [(mention.label, mention.grounding) for mention in found.mentions] == [("D", None)] * kept
    assert set(problems.counts) & {"bad_line", "extra_column", "unknown_vocabulary"}


@pytest.mark.parametrize("name, content", [
    pytest.param(STUDIO, studio({"meta": {"attributes": [1]}}), id="studio-attributes"),
    pytest.param(STUDIO, studio(value={"labels": ["D\ud800"]}), id="studio-label"),
    pytest.param(BIOC, bioc(passage={"relations": [5]}), id="bioc-relations"),
    pytest.param(BIOC, bioc(text=0), id="bioc-text"),
    pytest.param(BIOC, bioc({"type": "D\ud800"}), id="bioc-label"),
    pytest.param("a.xml", "<collection><document><id>1</id><infon>x</infon></document></collection>", id="xml-infon"),
    pytest.param(OF_DOCCANO, {"text": TEXT, "label": [[0, 4, "D\ud800"]]}, id="doccano-label"),
    pytest.param(OF_DOCCANO, {**DOCCANO, "meta": {"\udc00": [1]}}, id="doccano-meta"),
    pytest.param(OF_PRODIGY, {"text": TEXT, "spans": [{"start": 0, "end": 4, "label": "D\ud800"}]}, id="prodigy-label"),
])
def test_what_cannot_be_read_is_one_line(tmp_path, name, content):
    with pytest.raises(BionerError, match=name) as caught:
        read(tmp_path, name, content, Problems())
    assert "\n" not in str(caught.value)


def test_an_infon_that_only_looks_like_json_is_kept(tmp_path):
    found, = read(tmp_path, BIOC, bioc({"json:n": 5, "json:m": "x"}), Problems())
    assert found.mentions[0].attributes == {"json:n": 5, "json:m": "x"}


@pytest.mark.parametrize("mention", [Mention(0, 4, "D", note="a\x0b"), Mention(0, 4, "D\x01"),
                                     Mention(0, 4, "D", note="\ud800")])
def test_a_document_that_inception_cannot_hold_is_counted(tmp_path, mention):
    pytest.importorskip("cassis")
    problems = Problems()
    records = [Annotation(TEXT, (mention,), id="1"), Annotation(TEXT, (), id="2")]
    assert write_annotations(tmp_path / "out", records, "inception", problems=problems) == 1
    assert problems.counts["unwritable_text"] == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["2.xmi", "TypeSystem.xml"]


@pytest.mark.parametrize("name, content, key", [
    pytest.param(STUDIO, studio(), "annotations", id="studio"),
    pytest.param(BIOC, bioc(), "passages", id="bioc"),
    pytest.param(BIOC, {"documents": bioc()}, "annotations", id="bioc-collection"),
    pytest.param(OF_DOCCANO, DOCCANO, "label", id="doccano"),
    pytest.param(OF_PRODIGY, PRODIGY, "spans", id="prodigy"),
    pytest.param("a.hf.jsonl", {"tokens": ["Gout"], "ner_tags": ["B-D"]}, "ner_tags", id="hf"),
])
@pytest.mark.parametrize("indent", [None, 1])
def test_a_key_that_comes_twice_is_one_line_of_error(tmp_path, name, content, key, indent):
    once = json.dumps(content, indent=None if name.endswith("jsonl") else indent)
    twice = once.replace(f'"{key}":', f'"{key}": [], "{key}":')
    with pytest.raises(BionerError, match=f"{name}.*the key '{key}' comes twice") as caught:
        read(tmp_path, name, twice, Problems())
    assert "\n" not in str(caught.value)
    read(tmp_path, name, once, Problems())
