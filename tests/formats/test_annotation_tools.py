"""Records go to annotation tools with their scores and come back as their corrections."""

import json
import shutil

import pytest
from places import ROOT

from spacy_bioner.annotation import Annotation, Mention, in_text_order
from spacy_bioner.errors import BionerError
from spacy_bioner.formats import read_annotations, write_annotations
from spacy_bioner.formats.parsing.problems import Problems
from spacy_bioner.formats.parsing.tool_records import hash_text, take_corrections

EXPORTS = ROOT / "tests" / "data" / "tools"
TEXT = "\U0001f600 p53 and lung cancer cells."
GENE, DISEASE, ORGAN = Mention(2, 5, "Gene"), Mention(10, 21, "Disease"), Mention(10, 14, "Organ")
FILES = ["a.labelstudio.json", "a.doccano.jsonl", "a.prodigy.jsonl"]


@pytest.fixture
def given_out():
    mentions = (Mention(2, 5, "Gene", score=0.75, ids=("NCBIGene:7157",)),
                Mention(10, 21, "Disease", score=0.5, note="sure", attributes={"subtype": "Cancer"}),
                Mention(10, 14, "Organ", grounding="exact"))
    return Annotation(TEXT, in_text_order(mentions), id="doc-1", meta={"split": "train"})


@pytest.mark.parametrize("name, counts", [
    ("export.labelstudio.json", {"relation": 1, "other_annotator": 1, "not_accepted": 1, "no_annotation": 1}),
    ("export.doccano.jsonl", {"relation": 1, "other_annotation": 1}),
    ("export.prodigy.jsonl", {"not_accepted": 1}),
    ("inception/doc-1.xmi", {"relation": 1}),
])
def test_exports_are_read_with_nested_spans_after_an_emoji(name, counts):
    pytest.importorskip("cassis" if name.endswith(".xmi") else "json")
    problems = Problems()
    found = {one.id: one for one in read_annotations(EXPORTS / name, problems=problems)}
    assert found["doc-1"].text == TEXT
    assert found["doc-1"].mentions == (GENE, DISEASE, ORGAN)
    assert problems.counts == counts


def test_label_studio_keeps_scores_notes_and_choices():
    gene, disease, _ = next(read_annotations(EXPORTS / "export.labelstudio.json", problems=Problems())).mentions
    assert gene.score == 0.75 and disease.note == "sure" and disease.attributes == {"status": ["negated"]}


def test_inception_keeps_identifiers_and_features():
    pytest.importorskip("cassis")
    gene, _, organ = next(read_annotations(EXPORTS / "inception", "inception", problems=Problems())).mentions
    assert gene.ids == ("NCBIGene:7157",) and organ.attributes == {"certainty": "high"}


@pytest.mark.parametrize("name, lost", [
    ("a.labelstudio.json", set()),
    ("a.prodigy.jsonl", set()),
    ("a.doccano.jsonl", {"lost_score", "lost_ids", "lost_attributes", "lost_note"}),
    ("a.xmi", {"lost_attributes", "lost_meta"}),
])
def test_what_goes_out_comes_back_or_is_counted(given_out, tmp_path, name, lost):
    pytest.importorskip("cassis" if name.endswith(".xmi") else "json")
    written, read = Problems(), Problems()
    write_annotations(tmp_path / name, [given_out], problems=written)
    (back,) = read_annotations(tmp_path / name, "inception" if name == "a.xmi" else "", problems=read)
    assert set(written.counts) == lost and set(read.counts) <= {"from_predictions"}
    assert (back.id, back.text, back.mentions) == (given_out.id, given_out.text, given_out.mentions)
    for kind in ("score", "ids", "attributes", "note"):
        if f"lost_{kind}" not in lost:
            assert [getattr(one, kind) for one in back.mentions] == [getattr(one, kind) for one in given_out.mentions]


def test_inception_holds_carriage_returns(tmp_path):
    pytest.importorskip("cassis")
    problems = Problems()
    given = Annotation("One.\r\np53\rrose.", (Mention(6, 9, "Gene"),), id="1")
    assert write_annotations(tmp_path / "a", [given], "inception", problems=problems) == 1 and not problems.counts
    (back,) = read_annotations(tmp_path / "a", "inception", problems=Problems())
    assert (back.text, back.mentions) == (given.text, given.mentions)


def test_label_studio_is_given_utf16_offsets(given_out, tmp_path):
    write_annotations(tmp_path / "a.labelstudio.json", [given_out])
    (task,) = json.loads((tmp_path / "a.labelstudio.json").read_text(encoding="utf8"))
    value = task["predictions"][0]["result"][0]["value"]
    assert (value["start"], value["end"]) == (3, 6)
    assert TEXT.encode("utf-16-le")[6:12].decode("utf-16-le") == value["text"] == "p53"
    assert task["predictions"][0]["score"] == 0.5


def test_label_studio_min_is_read_under_the_number_of_the_task(tmp_path):
    row = {"id": 7, "text": TEXT, "label": [{"start": 3, "end": 6, "text": "p53", "labels": ["Gene"]}], "annotator": 1}
    (tmp_path / "a.labelstudio.json").write_text(json.dumps([row]))
    (found,) = read_annotations(tmp_path / "a.labelstudio.json")
    assert (found.id, found.mentions) == ("7", (GENE,))


def test_prodigy_tokens_end_where_mentions_end(tmp_path):
    annotation = Annotation("antip53", (Mention(4, 7, "Gene"),), id="1")
    write_annotations(tmp_path / "a.prodigy.jsonl", [annotation])
    task = json.loads((tmp_path / "a.prodigy.jsonl").read_text())
    assert [token["text"] for token in task["tokens"]] == ["anti", "p53"]
    assert (task["spans"][0]["token_start"], task["spans"][0]["token_end"]) == (1, 1)


@pytest.mark.parametrize("name", FILES)
def test_a_text_that_has_changed_is_counted_and_strict_fails(given_out, tmp_path, name):
    write_annotations(tmp_path / name, [given_out], problems=Problems())
    path = tmp_path / name
    path.write_text(path.read_text(encoding="utf8").replace("cells", "cell!"), encoding="utf8")
    problems = Problems()
    assert not list(read_annotations(path, problems=problems)) and problems.counts["text_changed"] == 1
    with pytest.raises(BionerError, match="doc-1"):
        list(read_annotations(path, problems=Problems(strict=True)))


@pytest.mark.parametrize("name", FILES)
def test_a_repeated_id_is_counted(given_out, tmp_path, name):
    problems = Problems()
    write_annotations(tmp_path / name, [given_out, given_out], problems=Problems())
    assert len(list(read_annotations(tmp_path / name, problems=problems))) == 1
    assert problems.counts["repeated_document"] == 1


@pytest.mark.parametrize("name, row", [
    ("a.labelstudio.json", [{"id": 1, "data": {"text": "p53"}, "annotations": [{"result": [
        {"type": "labels", "value": {"start": 0, "end": 99, "labels": ["Gene"]}}]}]}]),
    ("a.doccano.jsonl", {"text": "p53", "label": [[0, 99, "Gene"]]}),
    ("a.prodigy.jsonl", {"text": "p53", "answer": "accept", "spans": [{"start": 0, "end": 99, "label": "Gene"}]}),
])
def test_a_span_outside_the_text_is_counted_and_strict_fails(tmp_path, name, row):
    (tmp_path / name).write_text(json.dumps(row))
    problems = Problems()
    (found,) = read_annotations(tmp_path / name, problems=problems)
    assert not found.mentions and problems.counts == {"outside_text": 1}
    with pytest.raises(BionerError, match="0-99 in 3 characters"):
        list(read_annotations(tmp_path / name, problems=Problems(strict=True)))


def test_inception_documents_without_their_type_system_are_one_line(tmp_path):
    (tmp_path / "a.xmi").write_text("<a/>")
    with pytest.raises(BionerError, match=r"^There is no file at .*TypeSystem.xml\. Give"):
        list(read_annotations(tmp_path / "a.xmi"))


def test_inception_types_that_nothing_declares_are_noted(tmp_path):
    pytest.importorskip("cassis")
    types = (EXPORTS / "inception" / "TypeSystem.xml").read_text(encoding="utf8")
    (tmp_path / "TypeSystem.xml").write_text(types.replace("segmentation.type.Token", "segmentation.type.Other"))
    shutil.copy(EXPORTS / "inception" / "doc-1.xmi", tmp_path)
    problems = Problems()
    (found,) = read_annotations(tmp_path, "inception", problems=problems)
    assert len(found.mentions) == 3 and problems.counts == {"relation": 1, "other_annotation": 1}


@pytest.mark.parametrize("content", ["<a/>", "<xmi", ""])
def test_other_xml_is_one_line_of_error(tmp_path, content):
    pytest.importorskip("cassis")
    shutil.copy(EXPORTS / "inception" / "TypeSystem.xml", tmp_path)
    (tmp_path / "a.xmi").write_text(content)
    with pytest.raises(BionerError, match=r"a\.xmi"):
        list(read_annotations(tmp_path / "a.xmi"))


def test_corrections_are_matched_by_id_and_text(given_out):
    other = Annotation("Other text.", id="doc-2")
    corrected = [Annotation(TEXT, (GENE, Mention(10, 27, "Disease")), id="doc-1", meta={"annotator": "first"}),
                 Annotation("Other text.", id="17"), Annotation("Changed.", id="doc-2"), Annotation("New.", id="9")]
    problems = Problems()
    first, second = take_corrections([given_out, other], corrected, labels=["Gene", "Disease"], problems=problems)
    assert first.mentions == (GENE, Mention(10, 27, "Disease")) and second.id == "doc-2"
    assert first.mentions[0].ids == ("NCBIGene:7157",) and first.mentions[0].score is None
    assert first.meta == {"split": "train", "annotator": "first"}
    assert problems.counts == {"text_changed": 1, "unknown_document": 1}


def test_a_number_that_is_the_id_of_another_text_does_not_hide_the_text():
    given = [Annotation("Gout.", id="1"), Annotation("Flu.", id="2")]
    problems = Problems()
    corrected = [Annotation("Gout.", id="2"), Annotation("Flu.", id="3")]
    assert [one.id for one in take_corrections(given, corrected, problems=problems)] == ["1", "2"]
    assert problems.counts == {}


def test_a_correction_with_an_unknown_label_is_counted_and_strict_fails(given_out):
    corrected = [Annotation(TEXT, (Mention(2, 5, "Protein"), GENE), id="doc-1")]
    problems = Problems()
    (found,) = take_corrections([given_out], corrected, labels=["Gene"], problems=problems)
    assert found.mentions == (GENE,) and problems.counts == {"unknown_label": 1}
    with pytest.raises(BionerError, match="2-5 Protein"):
        list(take_corrections([given_out], corrected, labels=["Gene"]))


def test_the_hash_of_a_text_is_that_of_its_bytes():
    assert hash_text("p53") == hash_text("p" + "53") != hash_text("P53") and len(hash_text(TEXT)) == 16


@pytest.mark.parametrize("name, row, entry", [
    ("a.labelstudio.json", [{"id": 1, "data": {"text": "p53"}, "annotations": [
        {"result": [], "completed_by": {"id": 3, "email": "mary@x.org"}, "updated_at": "2026-03-01T10:00:00.5Z"}]}],
     {"by": "mary@x.org", "at": "2026-03-01T10:00:00.5Z"}),
    ("a.labelstudio.json", [{"id": 1, "data": {"text": "p53"}, "annotations": [{"result": [], "completed_by": 3}]}],
     {"by": "3"}),
    ("a.labelstudio.json", [{"id": 1, "text": "p53", "annotation_id": 4, "annotator": 3, "updated_at": "2026-03-01"}],
     {"by": "3", "at": "2026-03-01"}),
    ("a.labelstudio.json", [{"id": 1, "data": {"text": "p53"}, "annotations": [{"result": [], "completed_by": []}]}],
     None),
    ("a.prodigy.jsonl", {"text": "p53", "spans": [], "answer": "accept", "_annotator_id": "ner-mary",
                         "_timestamp": 1772445601}, {"by": "ner-mary", "at": "2026-03-02T10:00:01+00:00"}),
    ("a.prodigy.jsonl", {"text": "p53", "spans": [], "answer": "accept", "_timestamp": 1e300}, None),
])
def test_who_annotated_and_when_is_read(tmp_path, name, row, entry):
    (tmp_path / name).write_text(json.dumps(row))
    problems = Problems()
    (found,) = read_annotations(tmp_path / name, problems=problems)
    assert found.meta == ({"review": [entry]} if entry else {}) and not problems.counts and not found.mentions


def test_label_studio_min_without_an_annotation_is_not_answered(tmp_path):
    (tmp_path / "a.labelstudio.json").write_text(json.dumps([{"id": 1, "text": "p53"}]))
    problems = Problems()
    assert list(read_annotations(tmp_path / "a.labelstudio.json", problems=problems))
    assert problems.counts == {"no_annotation": 1}
