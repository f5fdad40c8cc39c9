"""The verb train linker: a pipeline from dictionaries and gold; what names no concept is one line."""

import json

import pytest
import spacy

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.formats.jsonl import write_jsonl

TABLE = 'name,id,synonyms,label\ngout,D006073,podagra|gouty arthritis,\naspirin,MESH:D001241,,CHEMICAL\nx,4711,,\n'


def gold(path, split="train", ids=("MESH:D006073",)):
    mention = Mention(0, 4, "DISEASE", ids=ids)
    write_jsonl(path, [Annotation("Gout hurts.", (mention,), id="1", meta={"split": split})])
    return path


@pytest.mark.parametrize("name, content, said", [
    pytest.param("a.obo", "format-version: 1.2\n", "no ontology in it", id="empty-ontology"),
    pytest.param("a.obo", "[Term]\nid: DOID:1\nname: x\nis_obsolete: true\n", "names no concept", id="only-obsolete"),
    pytest.param("a.xml", "<DescriptorRecordSet>", "MeSH descriptors", id="cut-xml"),
    pytest.param("a.csv", "", "names no concept", id="empty-table"),
    pytest.param("a.csv", "name,code\na,b\n", "a column id or ids or identifier", id="no-id-column"),
    pytest.param("a.jsonl", '{"id": "1", "text": "Gout.", "spans": []}\n', "names no concept", id="gold-without-ids"),
    pytest.param("a.bin", "x", "MeSH records", id="no-mesh"),
    pytest.param("a.doc", "x", "format", id="unknown-kind"),
])
def test_a_source_without_concepts_is_told_in_one_line(refused, tmp_path, name, content, said):
    (tmp_path / name).write_text(content, encoding="utf8")
    assert said in refused("train", "linker", tmp_path / name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_gold_of_dev_is_no_dictionary(refused, tmp_path):
    assert "split 'dev'" in refused("train", "linker", gold(tmp_path / "dev.jsonl", split="dev"), tmp_path / "out")


def test_dev_of_another_vocabulary_is_told_in_one_line(refused, tmp_path):
    dev = gold(tmp_path / "dev.jsonl", split="dev", ids=("DOID:13189",))
    said = refused("train", "linker", gold(tmp_path / "g.jsonl"), tmp_path / "out", "--dev", dev)
    assert "are of DOID, those of the dictionary of MESH" in said


def test_the_verb_writes_a_pipeline_and_replaces_it_only_when_told(verb, refused, tmp_path):
    (tmp_path / "t.csv").write_text(TABLE, encoding="utf8")
    arguments = ("train", "linker", gold(tmp_path / "g.jsonl"), f"DISEASE={tmp_path / 't.csv'}", tmp_path / "out",
                 "--dev", gold(tmp_path / "dev.jsonl", split="dev"))
    code, out, err = verb(*arguments)
    assert code == 0 and "note: 1 times: an identifier is kept as it is" in err and "dev F1 of links 100.00" in out
    meta = json.loads((tmp_path / "out" / "meta.json").read_text())["spacy_bioner"]
    assert meta["names"] == 6 and meta["tuned"]["threshold"] == 0.5
    doc = (nlp := spacy.load(tmp_path / "out")).make_doc("Podagra hurts.")
    doc.spans["sc"] = [doc.char_span(0, 7, label="DISEASE")]
    assert nlp(doc).spans["sc"][0].kb_id_ == "MESH:D006073"
    assert "another output folder" in refused(*arguments)
    assert verb(*arguments, "--overwrite")[0] == 0
