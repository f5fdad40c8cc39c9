"""The small inputs that failed, which lie beside the checkout: each gives what its README says is right."""

import json

import pytest
from odd_labels import CODECS, check_written_or_refused
from places import SHARED

from spacy_bioner.codecs import make_codec
from spacy_bioner.codecs.recorded import decode_record
from spacy_bioner.errors import BionerError
from spacy_bioner.formats import read_annotations
from spacy_bioner.formats.parsing.problems import Problems
from spacy_bioner.synthesis.ontology import read_names

FAULTS = SHARED / "faults"
FORMATS = FAULTS / "formats"
pytestmark = [pytest.mark.issue(21),
              pytest.mark.skipif(not FAULTS.is_dir(), reason="no faults beside the checkout (../shared/faults)")]
# File: for each record its id, where the file says one, its text, and its mentions by offsets and label.
RIGHT = {
    "medline.iob2": [("90000001", "IL-2 gene expression", [(0, 9, "DNA")]),
                     ("90000002", "T cells", [(0, 7, "cell_type")])],
    "comments.conll": [("1", "imatinib treats leukaemia", [(16, 25, "Disease")]),
                       ("2", "no fever", [(3, 8, "Symptom")])],
    "four_columns.conll": [("5a2c", "imatinib treats leukaemia", [(0, 8, "Drug"), (16, 25, "Disease")]),
                           ("5a2d", "no fever", [(3, 8, "Symptom")])],
    "inline.bioc.xml": [("9", "Loss of TP53 in gout.", [(16, 20, "Disease")])],
    "entity.bioc.xml": [("9", "Serum TNF-α was high & gout followed.", [(6, 11, "Gene")])],
    "touching.bioc.json": [("1", "Gout came back. Aspirin helped.", [(16, 23, "Chemical")])],
    "UPPER.BIOC.JSON": [("1", "Gout came back. Aspirin helped.", [(16, 23, "Chemical")])],
    "bionlp": [("p", "IL-2 gene expression needs NF-kappa B.\n", [(0, 4, "Protein"), (27, 37, "Protein")])],
    "fbk.pubtator.txt": [("7001", "Gout and the TP53 gene. TP53 was lost in asthma.",
                          [(0, 4, "Disease"), (13, 17, "Gene"), (24, 28, "Gene"), (41, 47, "Disease")])],
}
# What of them is no mention, and is counted.
COUNTED = {"bionlp": {"event": 2}}


def read_lines(name):
    path = FAULTS / name
    return [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()] if path.is_file() else []


@pytest.mark.parametrize("record", [pytest.param(record, id=record["id"]) for record in read_lines("decode.jsonl")])
def test_a_reply_gives_the_expected_spans(record):
    decoded = decode_record(record)
    assert decoded["spans"] == record["expected"], record["why"]
    assert set(record["expected_issues"]) <= set(decoded["issues"])


@pytest.mark.parametrize("name, options", CODECS)
@pytest.mark.parametrize("label", json.loads((FAULTS / "labels.json").read_text()) if FAULTS.is_dir() else [])
def test_a_label_is_read_back_or_refused_by_name(label, name, options):
    check_written_or_refused(make_codec(name, **options), label)


@pytest.mark.parametrize("name", RIGHT)
def test_a_file_gives_the_records_that_are_in_it(name):
    problems = Problems()
    found = list(read_annotations(FORMATS / name, problems=problems))
    assert [(one.id, one.text, [(mention.start, mention.end, mention.label) for mention in one.mentions])
            for one in found] == RIGHT[name]
    assert {kind: count for kind, count in problems.counts.items() if kind in COUNTED.get(name, ())} == COUNTED.get(
        name, {})


def test_a_token_that_is_a_hash_stays_a_token(tmp_path):
    text = (FORMATS / "four_columns.conll").read_text(encoding="utf8")
    (tmp_path / "hash.conll").write_text(text.replace("imatinib _", "# _"), encoding="utf8")
    first, _ = read_annotations(tmp_path / "hash.conll")
    assert first.text == "# treats leukaemia"


def test_texts_without_an_annotation_file_are_raw_or_an_error(tmp_path):
    (tmp_path / "p.txt").write_bytes((FORMATS / "bionlp" / "p.txt").read_bytes())
    with pytest.raises(BionerError, match="raw"):
        list(read_annotations(tmp_path))
    [found] = read_annotations(tmp_path, raw=True)
    assert not found.mentions


def test_events_and_triggers_stop_a_strict_reading():
    with pytest.raises(BionerError):
        list(read_annotations(FORMATS / "bionlp"))


def test_entities_of_docs_are_read():
    found = list(read_annotations(FORMATS / "ents.spacy", problems=Problems()))
    assert sum(len(one.mentions) for one in found) > 0


def test_names_of_terms_with_an_undeclared_synonym_type_are_read():
    assert read_names(FORMATS / "undeclared_type.obo") == [
        "disease", "gouty arthritis", "podagra", "asthma", "bronchial asthma"]


def test_every_input_is_tried():
    tried = {*RIGHT, "ents.spacy", "undeclared_type.obo"}
    assert {path.name for path in FORMATS.iterdir()} == tried
    assert {path.name for path in FAULTS.iterdir()} == {"README.md", "decode.jsonl", "labels.json", "formats"}
