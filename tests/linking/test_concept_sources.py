"""Dictionaries from files, and how links are counted."""

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.formats.jsonl import write_jsonl
from spacy_bioner.formats.parsing.problems import Problems
from spacy_bioner.linking.concept_sources import read_concept_names
from spacy_bioner.linking.linker_training import score_links

OBO = """format-version: 1.2

[Term]
id: DOID:4
name: disease
synonym: "illness" EXACT []
synonym: "trouble" RELATED []

[Term]
id: DOID:5
name: old
is_obsolete: true
"""
MESH = """<DescriptorRecordSet><DescriptorRecord><DescriptorUI>D006073</DescriptorUI>
<DescriptorName><String>Gout</String></DescriptorName><TreeNumberList><TreeNumber>C05.1</TreeNumber></TreeNumberList>
<ConceptList><Concept PreferredConceptYN="Y"><TermList><Term><String>Gout</String></Term></TermList></Concept>
<Concept PreferredConceptYN="N"><TermList><Term><String>Podagra</String></Term></TermList></Concept></ConceptList>
</DescriptorRecord></DescriptorRecordSet>"""
SUPPLEMENT = MESH.replace("DescriptorRecord>", "SupplementalRecord>").replace(
    "DescriptorUI>", "SupplementalRecordUI>").replace("DescriptorName>", "SupplementalRecordName>")
ASCII = "*NEWRECORD\nRECTYPE = D\nMH = Gout\nENTRY = Podagra|T047|NON\nUI = D006073\n\n"
ASCII += "*NEWRECORD\nNM = x\nUI = C000001\n"
TABLE = 'name,id,synonyms,label\ngout,D006073,podagra|gouty arthritis,\naspirin,MESH:D001241,,CHEMICAL\nx,4711,,\n'


def gold(path, split="train", ids=("MESH:D006073",)):
    mention = Mention(0, 4, "DISEASE", ids=ids)
    write_jsonl(path, [Annotation("Gout hurts.", (mention,), id="1", meta={"split": split})])
    return path


def names(path, **options):
    return {(one.name, one.ids, one.label) for one in read_concept_names(path, problems=Problems(), **options)}


def test_names_are_read_from_every_kind_of_source(tmp_path):
    for name, content in (("a.obo", OBO), ("m.xml", MESH), ("t.csv", TABLE)):
        (tmp_path / name).write_text(content, encoding="utf8")
    assert names(tmp_path / "a.obo", label="DISEASE") == {("disease", ("DOID:4",), "DISEASE"),
                                                          ("illness", ("DOID:4",), "DISEASE")}
    assert names(tmp_path / "m.xml") == {("Gout", ("MESH:D006073",), ""), ("Podagra", ("MESH:D006073",), "")}
    for name, content in (("s.xml", SUPPLEMENT), ("d.bin", ASCII)):
        (tmp_path / name).write_text(content, encoding="utf8")
    assert names(tmp_path / "s.xml") == names(tmp_path / "m.xml")
    assert names(tmp_path / "d.bin") == names(tmp_path / "m.xml") | {("x", ("MESH:C000001",), "")}
    problems = Problems()
    found = read_concept_names(tmp_path / "t.csv", label="DISEASE", problems=problems)
    assert [(one.name, one.ids, one.label) for one in found] == [
        ("gout", ("MESH:D006073",), "DISEASE"), ("podagra", ("MESH:D006073",), "DISEASE"),
        ("gouty arthritis", ("MESH:D006073",), "DISEASE"), ("aspirin", ("MESH:D001241",), "CHEMICAL"),
        ("x", ("4711",), "DISEASE")]
    assert problems.counts == {"unknown_vocabulary": 1}, "kept as it is, and told"
    assert names(gold(tmp_path / "g.jsonl")) == {("Gout", ("MESH:D006073",), "DISEASE")}


def test_rows_without_a_name_or_an_identifier_are_told(tmp_path):
    (tmp_path / "t.csv").write_text("name,id\ngout,MESH:D006073\nasthma,\n,MESH:D001249\nsepsis\n")
    problems = Problems()
    assert [one.name for one in read_concept_names(tmp_path / "t.csv", problems=problems)] == ["gout"]
    assert problems.counts == {"bad_line": 3} and "t.csv, line 3" in str(problems.examples["bad_line"][0])


def test_a_link_is_right_only_with_all_its_identifiers():
    def annotation(*mentions):
        return Annotation("a b c d", tuple(Mention(start, start + 1, "X", ids=ids) for start, ids in mentions))

    scores = score_links(annotation((0, ("A", "B")), (2, ("C",)), (4, ()), (6, ("D",))),
                         annotation((0, ("B", "A")), (2, ("C", "E")), (4, ("F",)), (6, ())))
    assert (scores.right, scores.linked, scores.wanted) == (1, 3, 3)
