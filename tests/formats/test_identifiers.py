"""Identifiers, attributes and notes of mentions go through every format, or are counted as lost."""

import json
import random
import re
from collections import Counter
from dataclasses import replace

import pytest
from corpora import needs_corpora
from places import SHARED

from spacy_bioner.annotation import Annotation, Mention, in_text_order
from spacy_bioner.errors import BionerError
from spacy_bioner.formats import read_annotations, write_annotations
from spacy_bioner.formats.parsing.identifiers import join_identifiers, read_identifiers
from spacy_bioner.formats.parsing.problems import NOTES, Problems

RAW = SHARED / "data" / "raw"

# After the columns of BioRED: genes and species by number, several diseases, a variant with bars, a mention without
# a concept, and a relation.
BIORED = """15|t|The p.V600E mutation in BRAF and colon and lung cancer.
15|a|It was found in mice treated with vemurafenib, not in X-disease.
15\t4\t11\tp.V600E\tSequenceVariant\tp|SUB|V|600|E
15\t24\t28\tBRAF\tGeneOrGeneProduct\t673,109880
15\t33\t54\tcolon and lung cancer\tDiseaseOrPhenotypicFeature\tD003110,D008175\tcolon cancer|lung cancer
15\t72\t76\tmice\tOrganismTaxon\t10090
15\t90\t101\tvemurafenib\tChemicalEntity\tD000077484
15\t110\t119\tX-disease\tDiseaseOrPhenotypicFeature\t-
15\tAssociation\t673\tD003110\tNovel
"""
IDS = [("p|SUB|V|600|E",), ("NCBIGene:673", "NCBIGene:109880"), ("MESH:D003110", "MESH:D008175"), ("NCBITaxon:10090",),
       ("MESH:D000077484",), ()]


@pytest.fixture
def sample(tmp_path):
    path = tmp_path / "sample.pubtator"
    path.write_text(BIORED, encoding="utf8")
    problems = Problems()
    (annotation,) = read_annotations(path, problems=problems)
    assert problems.counts == {"composite": 1, "no_concept": 1, "relation": 1}
    return annotation


@pytest.fixture
def detailed():
    text = "Lung cancer \U0001f600 and p53"
    mentions = (
        Mention(0, 4, "Organ", ids=("UBERON:0002048",)),
        Mention(0, 11, "Disease", ids=("MESH:D008175", "UMLS:C0242379"), note="sure",
                attributes={"subtype": "SpecificDisease", "Negation": True, "level": 2, "parts": ["a b", "c"]}),
        Mention(18, 21, "Gene", attributes={"type": "protein"}),
    )
    return Annotation(text, in_text_order(mentions), id="d1")


def _details(annotation):
    return [(mention.key, mention.details()) for mention in annotation.mentions]


def test_pubtator_columns_are_read_with_their_vocabulary(sample):
    assert [mention.ids for mention in sample.mentions] == IDS
    assert sample.mentions[2].attributes == {"parts": ["colon cancer", "lung cancer"]}


@pytest.mark.parametrize("name", ["a.jsonl", "a.bioc.json", "a.xml", "a.pubtator", "a.brat", "a.hf.jsonl", "a.hf.json",
                                  "a.spacy"])
def test_identifiers_survive_each_format(sample, tmp_path, name):
    # Mentions inside words cannot be in `.spacy`; this sample has none.
    problems = Problems()
    write_annotations(tmp_path / name, [sample], problems=problems)
    assert set(problems.counts) <= {"lost_meta"}
    (back,) = read_annotations(tmp_path / name, problems=Problems())
    assert _details(back) == _details(sample)


@pytest.mark.parametrize("name", ["a.jsonl", "a.bioc.json", "a.xml", "a.brat", "a.spacy"])
def test_attributes_and_notes_survive_the_formats_that_hold_them(detailed, tmp_path, name):
    write_annotations(tmp_path / name, [detailed])
    (back,) = read_annotations(tmp_path / name)
    assert _details(back) == _details(detailed)


@pytest.mark.parametrize("name, lost", [
    ("a.pubtator", {"lost_attributes": 1, "lost_note": 1}),
    ("a.conll", {"lost_ids": 1, "lost_attributes": 1, "lost_note": 1}),
])
def test_what_a_format_does_not_hold_is_counted(detailed, tmp_path, name, lost):
    problems = Problems()
    write_annotations(tmp_path / name, [detailed], problems=problems)
    assert {kind: count for kind, count in problems.counts.items() if kind in NOTES} == lost


def test_pubtator_keeps_the_parts_of_a_composite_mention(sample, tmp_path):
    write_annotations(tmp_path / "b.pubtator", [sample], problems=Problems())
    line = next(line for line in (tmp_path / "b.pubtator").read_text().splitlines() if "composite" in line or
                "colon and" in line and "\t" in line)
    assert line.split("\t")[5:] == ["MESH:D003110|MESH:D008175", "colon cancer|lung cancer"]


def test_brat_reads_normalizations_attributes_and_notes_in_any_order(tmp_path):
    (tmp_path / "d.txt").write_text("lung cancer")
    (tmp_path / "d.ann").write_text(
        "N1\tReference T1 MeSH:D008175\tLung Neoplasms\nA1\tNegation T1\nM2\tLevel T1 high\n"
        "#1\tAnnotatorNotes T1\tsure\nT1\tDisease 0 11\tlung cancer\nA3\tSpeculation E1\n#2\tAnnotatorNotes R1\tx\n")
    problems = Problems()
    (found,) = read_annotations(tmp_path, problems=problems)
    (mention,) = found.mentions
    assert mention.ids == ("MESH:D008175",) and mention.note == "sure"
    assert mention.attributes == {"Negation": True, "Level": "high",
                                  "concept_names": {"MESH:D008175": "Lung Neoplasms"}}
    assert problems.counts == {"other_annotation": 2}
    write_annotations(tmp_path / "out.brat", [found])
    assert "N1\tReference T1 MESH:D008175\tLung Neoplasms\n" in (tmp_path / "out.brat" / "d.ann").read_text()


def test_bioc_of_pubtator3_gives_identifiers_and_attributes(tmp_path):
    infons = {"identifier": "MESH:D008175", "type": "Disease", "valid": True, "normalized": [8175], "name": "Lung Ca",
              "accession": "@DISEASE_Lung", "database": "ncbi_mesh"}
    passage = {"offset": 0, "text": "lung cancer", "relations": [], "annotations": [
        {"id": "1", "infons": infons, "text": "lung cancer", "locations": [{"offset": 0, "length": 11}]}]}
    content = {"PubTator3": [{"id": "7", "infons": {}, "passages": [passage], "relations": [{"id": "R1"}]}]}
    (tmp_path / "a.bioc.json").write_text(json.dumps(content))
    problems = Problems()
    (found,) = read_annotations(tmp_path / "a.bioc.json", problems=problems)
    assert found.mentions[0].ids == ("MESH:D008175",)
    assert found.mentions[0].attributes == {key: infons[key] for key in infons if key not in ("identifier", "type")}
    assert problems.counts == {"relation": 1}


def test_bioc_infons_may_name_the_vocabulary(tmp_path):
    (tmp_path / "a.xml").write_text(
        "<collection><document><id>7</id><passage><offset>0</offset><text>lung cancer</text><annotation id='1'>"
        "<infon key='type'>Disease</infon><infon key='MESH'>D008175|D002289</infon><location offset='0' length='11'/>"
        "<text>lung cancer</text></annotation></passage></document></collection>")
    (found,) = read_annotations(tmp_path / "a.xml")
    assert found.mentions[0].ids == ("MESH:D008175", "MESH:D002289") and not found.mentions[0].attributes


def test_a_span_of_a_doc_has_the_first_identifier_as_kb_id(detailed, tmp_path):
    from spacy.vocab import Vocab

    from spacy_bioner.formats.docbin import read_docs

    write_annotations(tmp_path / "a.spacy", [detailed])
    (doc,) = read_docs(tmp_path / "a.spacy", Vocab())
    assert [span.kb_id_ for span in doc.spans["sc"]] == ["MESH:D008175", "UBERON:0002048", ""]


@pytest.mark.parametrize("ids, linked", [((), ("UBERON:1",)), (("UBERON:2",), ("UBERON:1", "UBERON:2"))])
def test_what_a_linker_has_set_is_the_first_identifier(ids, linked):
    from spacy.tokens import Span, SpanGroup
    from spacy.vocab import Vocab

    from spacy_bioner.formats.docbin import annotation_to_doc, doc_to_annotation

    doc, _ = annotation_to_doc(Annotation("lung", (Mention(0, 4, "Organ", ids=ids),)), Vocab())
    span = Span(doc, 0, 1, label="Organ", kb_id="UBERON:1")
    doc.spans["sc"] = SpanGroup(doc, name="sc", spans=[span], attrs=doc.spans["sc"].attrs)
    assert doc_to_annotation(doc).mentions[0].ids == linked


@pytest.mark.parametrize("change", [{"ids": "MESH:D1"}, {"ids": [""]}, {"ids": [1]}, {"attributes": ["a"]},
                                    {"note": 1}])
def test_details_of_another_type_are_an_error_with_file_and_line(tmp_path, change):
    record = {"text": "lung", "spans": [{"start": 0, "end": 4, "label": "X", **change}]}
    (tmp_path / "a.jsonl").write_text(json.dumps(record))
    with pytest.raises(BionerError, match=rf"a\.jsonl, line 1: key '{next(iter(change))}' holds"):
        list(read_annotations(tmp_path / "a.jsonl"))


def test_unknown_keys_of_a_span_are_counted(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "lung", "spans": [{"start": 0, "end": 4, "label": "X", "kb": "1"}]}')
    problems = Problems()
    list(read_annotations(tmp_path / "a.jsonl", problems=problems))
    assert problems.counts == {"unknown_key": 1}


def test_equality_hash_and_order_do_not_depend_on_details():
    plain, full = Mention(0, 4, "X"), Mention(0, 4, "X", ids=("A:1",), attributes={"a": [1]}, note="n")
    assert plain == full and hash(plain) == hash(full)
    (only,) = in_text_order([plain, full, Mention(0, 4, "X", ids=("A:2",), note="m")])
    assert (only.ids, only.attributes, only.note) == (("A:1", "A:2"), {"a": [1]}, "n")


def test_a_sentence_keeps_the_details_of_its_mentions(detailed):
    cut = detailed.crop(0, 11, id="s1")
    assert _details(cut) == _details(detailed)[:2]


@pytest.mark.parametrize("column, label, ids", [
    ("D003110|D009369", "X", ("MESH:D003110", "MESH:D009369")),
    ("MESH:D003110,OMIM:114500", "X", ("MESH:D003110", "OMIM:114500")),
    ("D003110+D009369", "X", ("MESH:D003110", "MESH:D009369")),
    ("rs113488022;c.123+1G>A", "SequenceVariant", ("dbSNP:rs113488022", "c.123+1G>A")),
    ("C0242379", "X", ("UMLS:C0242379",)),
    ("C535918", "X", ("MESH:C535918",)),
    ("D003110|D003110", "X", ("MESH:D003110",)),
    ("D000438,D018943", "ChemicalEntity", ("MESH:D000438", "MESH:D018943")),
    ("p|SUB|V||M", "SequenceVariant", ("p|SUB|V||M",)),
    ("c|SUB|G|CODON1763|A", "SequenceVariant", ("c|SUB|G|CODON1763|A",)),
    ("CVCL_2737", "CellLine", ("Cellosaurus:CVCL_2737",)),
    ("100770962", "GeneOrGeneProduct", ("NCBIGene:100770962",)),
    (None, "X", ()),
])
def test_identifiers_of_a_column_are_told_apart(column, label, ids):
    assert read_identifiers(column, label, place="", problems=Problems()) == ids


@pytest.mark.parametrize("ids", [("A:1|2",), ("A:1", "p|SUB|V|1|E;x"), ("A:1\t",)])
def test_identifiers_that_a_column_cannot_hold_are_counted(tmp_path, ids):
    assert join_identifiers(ids) is None
    problems = Problems()
    annotation = Annotation("lung", (Mention(0, 4, "X", ids=ids),), id="1")
    write_annotations(tmp_path / "a.pubtator", [annotation], problems=problems)
    assert problems.counts == {"lost_ids": 1}
    write_annotations(tmp_path / "a.bioc.json", [annotation])
    (back,) = read_annotations(tmp_path / "a.bioc.json", problems=Problems())
    assert back.mentions[0].ids == tuple(id.strip() for id in ids)


@needs_corpora
@pytest.mark.issue(26)
@pytest.mark.parametrize("name, count, inside_words", [
    ("ncbi_disease/pubtator/NCBItrainset_corpus.txt", 5259, 2),
    ("ncbi_disease/pubtator/NCBIdevelopset_corpus.txt", 821, 0),
    ("ncbi_disease/pubtator/NCBItestset_corpus.txt", 979, 0),
    ("bc5cdr/pubtator/CDR_DevelopmentSet.PubTator.txt", 9635, 10),
    # The published files of BioRED, to be put beside the others; their identifiers are only counted here.
    ("biored/Train.PubTator", None, None), ("biored/Dev.PubTator", None, None), ("biored/Test.PubTator", None, None),
])
def test_every_identifier_of_the_published_files_survives(tmp_path, name, count, inside_words):
    if not (RAW / name).is_file():
        pytest.skip(f"no {name} beside the checkout (../shared/data/raw)")
    stated = _count_by_hand(RAW / name)
    problems = Problems()
    found = list(read_annotations(RAW / name, "pubtator", problems=problems))
    assert Counter(id.split(":")[-1] for one in found for mention in one.mentions for id in mention.ids) == stated
    assert count in (None, stated.total()) and (count is None or "unknown_vocabulary" not in problems.counts)
    for ending in (".pubtator", ".jsonl", ".xml", ".bioc.json", ".brat"):
        back, _ = _write_and_read(found, tmp_path / f"a{ending}")
        assert [_ids(back[one.id]) for one in found] == [_ids(one) for one in found], ending
    # A `.spacy` file holds no mention that begins or ends inside a pre-token. These are counted, all others are kept.
    back, lost = _write_and_read(found, tmp_path / "a.spacy")
    kept = [[pair for pair in _ids(one) if pair in _ids(back[one.id])] for one in found]
    assert [_ids(back[one.id]) for one in found] == kept
    assert sum(len(one.mentions) for one in found) - sum(map(len, kept)) == lost.counts.get("off_boundary", 0)
    dropped = stated.total() - sum(len(ids) for pairs in kept for _, ids in pairs)
    print(f"{name}: {stated.total()} identifiers, {dropped} of mentions inside words")
    assert inside_words in (None, dropped)


def _write_and_read(annotations, path):
    """Return the annotations of a file by id, and what its writer told."""
    problems = Problems()
    write_annotations(path, annotations, problems=problems)
    return {one.id: one for one in read_annotations(path, problems=Problems())}, problems


def _count_by_hand(path):
    """Return how often each identifier stands in a file, once for each place and label of a document."""
    places = {}
    for line in path.read_text(encoding="utf8").splitlines():
        columns = line.split("\t")
        if re.match(r"\d+\t\d+\t\d+\t", line) and len(columns) > 5:
            ids = places.setdefault((columns[0], columns[1], columns[2], columns[4]), set())
            # A variant has bars of its own.
            parts = re.split(r"[,;]" if re.match(r"[cgmnpr]\|", columns[5]) else r"[|,;+]", columns[5])
            ids |= {part.split(":")[-1].strip() for part in parts} - {"", "-", "-1"}
    return Counter(id for ids in places.values() for id in ids)


def _ids(annotation):
    return [(mention.key, mention.ids) for mention in annotation.mentions]


def test_any_subset_of_labels_renamed_keeps_the_first_label(detailed):
    from spacy_bioner.cli.convert import _rename

    renamed = _rename(detailed, {"Gene": "GENE"})
    assert [mention.attributes.get("subtype") for mention in renamed.mentions] == ["SpecificDisease", None, "Gene"]


@pytest.mark.parametrize("seed", range(3))
def test_details_stay_with_their_mentions_whatever_the_order(detailed, seed):
    shuffled = list(detailed.mentions)
    random.Random(seed).shuffle(shuffled)
    assert _details(replace(detailed, mentions=()).with_mentions(shuffled)) == _details(detailed)
