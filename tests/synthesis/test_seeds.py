"""Seeds: what is collected, folded, reported and refused."""

import gzip

import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.files import write_json_lines
from spacy_bioner.synthesis.seeds import Seed, collect_seeds, read_seeds


def annotate(text, *surfaces, split="train"):
    mentions = [Mention(text.index(surface), text.index(surface) + len(surface), label) for surface, label in surfaces]
    return Annotation(text, tuple(mentions), meta={"split": split})


def test_seeds_are_the_most_frequent_mentions_of_each_label():
    gold = [annotate("aspirin and asthma", ("aspirin", "CHEMICAL"), ("asthma", "DISEASE")),
            annotate("Aspirin in flu", ("Aspirin", "CHEMICAL"), ("flu", "DISEASE")),
            annotate("aspirin, heparin and flu", ("aspirin", "CHEMICAL"), ("heparin", "CHEMICAL"), ("flu", "DISEASE"))]
    found = collect_seeds(gold, per_label=1)
    assert found.seeds == (Seed("aspirin", "CHEMICAL", 3), Seed("flu", "DISEASE", 2))
    assert found.folded == 1


def test_spacing_is_folded_and_two_labels_are_reported():
    gold = [annotate("DSM - IV", ("DSM - IV", "DISEASE")), annotate("DSM-IV", ("DSM-IV", "CHEMICAL"))]
    assert collect_seeds(gold).ambiguous == (("DSM - IV", ("CHEMICAL", "DISEASE")),)


def test_names_with_markup_are_left_out_and_counted(tmp_path):
    """A tag in a name could not be told from the tags round the names."""
    (tmp_path / "names.csv").write_text("text,label\n5-HT<sub>2</sub>,GENE\np < 0.05,STAT\nBRCA1,GENE\n")
    found = read_seeds(tmp_path / "names.csv")
    assert {seed.text for seed in found.seeds} == {"p < 0.05", "BRCA1"} and found.marked_up == 1


def test_a_compressed_list_is_read(tmp_path):
    write_json_lines(tmp_path / "seeds.jsonl.gz", [{"text": "flu", "label": "DISEASE"}])
    for name in ("seeds.jsonl.gz", "seeds.jsonl"):
        assert read_seeds(tmp_path / name).seeds == (Seed("flu", "DISEASE"),)


def test_held_out_text_is_refused():
    with pytest.raises(BionerError, match="split 'test'"):
        collect_seeds([annotate("flu", ("flu", "DISEASE"), split="test")])


@pytest.mark.parametrize("split", [None, ""])
def test_text_that_says_no_split_is_taken(split):
    assert len(collect_seeds([annotate("flu", ("flu", "DISEASE"), split=split)]).seeds) == 1


def test_long_names_are_left_out_before_the_most_frequent_are_chosen():
    gold = [annotate("acute lymphoblastic leukaemia and flu", ("acute lymphoblastic leukaemia", "DISEASE"))] * 3
    gold.append(annotate("flu", ("flu", "DISEASE")))
    found = collect_seeds(gold, per_label=1, max_length=10)
    assert [seed.text for seed in found.seeds] == ["flu"] and found.long == 1


def test_mentions_of_punctuation_are_no_seeds():
    assert [seed.text for seed in collect_seeds([annotate("flu (+)", ("flu", "DISEASE"), ("(+)", "DISEASE"))]).seeds] \
        == ["flu"]


@pytest.mark.parametrize("name, content, kept", [
    pytest.param("a.csv", '"text","label"\n"asthma, severe","DISEASE"\n', ["asthma, severe"], id="csv-quoted-header"),
    pytest.param("a.tsv", 'text\tlabel\n"5\'-nucleotidase\tDISEASE\nflu\tDISEASE\n', ["\"5'-nucleotidase", "flu"],
                 id="tsv-quotes-are-letters"),
    pytest.param("a.txt", "flu\tDISEASE\ngout\tDISEASE\n", ["flu", "gout"], id="txt-with-label-column"),
    pytest.param("a.txt", "text\tlabel\nflu\tDISEASE\n", ["flu"], id="txt-with-header"),
    pytest.param("a.csv", 'text,label\n"asthma, severe",DISEASE\n', ["asthma, severe"], id="csv"),
    pytest.param("a.tsv", "Label\tText\nDISEASE\tflu\n", ["flu"], id="tsv-any-column-order"),
    pytest.param("a.jsonl", '{"text": "flu", "label": "DISEASE", "count": 3}\n', ["flu"], id="jsonl"),
])
def test_lists_are_read(tmp_path, name, content, kept):
    (tmp_path / name).write_text(content, encoding="utf8")
    assert [seed.text for seed in read_seeds(tmp_path / name).seeds] == kept


@pytest.mark.parametrize("name, content, message", [
    pytest.param("a.csv", "", "holds no seed", id="empty"),
    pytest.param("a.csv", "text\nflu\n", "columns text and label", id="one-column"),
    pytest.param("a.csv", "text,label\nflu,\n", "line 2: a seed needs", id="no-label"),
    pytest.param("a.xls", "x", "ends in", id="kind"),
    pytest.param("a.txt", "flu\n", "needs a label", id="txt-without-label"),
    pytest.param("a.txt", "flu\tDISEASE\ngout\n", "line 2: a seed needs a text and a label", id="txt-half-labelled"),
    pytest.param("a.csv", 'text,label\nflu,DISEASE\n"' + "a" * 140000 + '",DISEASE\n', "line 3: field larger",
                 id="csv-error"),
    pytest.param("a.csv", "text,label\nasthma, severe,DISEASE\n", "line 2: 3 fields", id="comma-without-quotes"),
    pytest.param("a.csv", "text,label,count\nflu,DISEASE,\u00b2\n", "count is '\u00b2'", id="count-of-a-superscript"),
    pytest.param("a.csv", "text,label\n(+),DISEASE\n", "needs a letter or a digit", id="punctuation"),
    pytest.param("a.jsonl", '{"text": 5, "label": "DISEASE"}\n', "line 1: text and label", id="number-as-text"),
    pytest.param("a.jsonl", '{"text": ["flu"], "label": "DISEASE"}\n', "line 1: text and label", id="list-as-text"),
    pytest.param("a.tsv", "\n\n", "holds no seed", id="blank-lines"),
])
def test_bad_lists_are_one_clear_line(tmp_path, name, content, message):
    (tmp_path / name).write_text(content, encoding="utf8")
    with pytest.raises(BionerError, match=message):
        read_seeds(tmp_path / name)


def test_ontology_names_come_from_under_the_root(tmp_path):
    (tmp_path / "a.obo").write_text(
        "format-version: 1.4\n\n[Term]\nid: D:1\nname: disease\n\n[Term]\nid: D:2\nname: flu\nis_a: D:1\n"
        'synonym: "influenza" EXACT []\nsynonym: "la grippe" RELATED []\n\n[Term]\nid: X:1\nname: tool\n',
        encoding="utf8")
    seeds = read_seeds(tmp_path / "a.obo", root="D:1", label="DISEASE").seeds
    assert sorted(seed.text for seed in seeds) == ["disease", "flu", "influenza"]


@pytest.mark.parametrize("content, message", [
    pytest.param("", "no OBO|not an OBO ontology: no ontology", id="empty"),
    pytest.param("hello world\n", "not an OBO ontology", id="garbage"),
    pytest.param("format-version: 1.4\n\n[Typedef]\nid: D:2\n", "no ontology in it", id="no-term"),
    pytest.param("format-version: 1.4\n\n[Term]\nname: x\nid D:1\n", "line 5 is neither a tag", id="no-clause"),
    pytest.param('[Term]\nid: D:1\nname: x\nsynonym: "flu EXACT []\n', 'line 4 .* no synonym in quotes: "flu EXACT',
                 id="open-quote"),
    pytest.param('[Term]\nid: D:1\nname: x\nexact_synonym: flu\n', "line 4 .* no synonym in quotes", id="no-quote"),
])
def test_a_broken_ontology_is_one_clear_line(tmp_path, content, message):
    (tmp_path / "a.obo").write_text(content, encoding="utf8")
    with pytest.raises(BionerError, match=message):
        read_seeds(tmp_path / "a.obo", label="DISEASE")


@pytest.mark.parametrize("options, message", [
    pytest.param({"label": "DISEASE"}, "label is for", id="label"),
    pytest.param({"root": "D:1"}, "root is for an ontology", id="root"),
])
def test_options_that_a_list_has_no_use_for_are_refused(tmp_path, options, message):
    (tmp_path / "a.csv").write_text("text,label\nflu,DISEASE\n")
    with pytest.raises(BionerError, match=message):
        read_seeds(tmp_path / "a.csv", **options)


OBO = r"""! a comment before all
!another
format-version: 1.2
synonymtypedef: ABBREVIATION "abbreviation"

[Term]
id: X:1
name: disease {source="a"} ! the root

[Term]
id: X:2
name: gouty arthritis
is_a: X:1 {gci="y"} ! disease
is_a: MISSING:7 ! of another ontology
synonym: "podagra" EXACT layperson []
synonym: "the \"king's\" evil" EXACT UNDECLARED [A:1 "x, y", B:2] {a="b"}
synonym: "ache" RELATED layperson []
exact_synonym: "arthritis urica" [X:y]
synonym: "saturnine \
  gout" EXACT []
relationship: part_of NOWHERE:1
def: "a long \
name: no tag" []

[Typedef]
id: part_of
name: part of

[Term]
id: X:3
name: old gout
is_a: X:1
is_obsolete: true

[Instance]
id: X:9
name: a patient
"""


@pytest.mark.issue(21)
@pytest.mark.parametrize("root, names", [
    (None, {"disease", "gouty arthritis", "podagra", "the \"king's\" evil", "arthritis urica", "saturnine gout"}),
    ("X:2", {"gouty arthritis", "podagra", "the \"king's\" evil", "arthritis urica", "saturnine gout"}),
    ("MISSING:7", {"gouty arthritis", "podagra", "the \"king's\" evil", "arthritis urica", "saturnine gout"}),
])
@pytest.mark.parametrize("name", ["a.obo", "A.OBO", "a.obo.gz"])
def test_ontologies_as_they_are_published_are_read(tmp_path, name, root, names):
    (tmp_path / name).write_bytes(gzip.compress(OBO.encode()) if name.endswith(".gz") else OBO.encode())
    seeds = read_seeds(tmp_path / name, label="DISEASE", root=root).seeds
    assert {seed.text for seed in seeds} == names


def descriptor(id, name, numbers, *terms):
    places = "".join(f"<TreeNumber>{number}</TreeNumber>" for number in numbers)
    strings = "".join(f"<Term><TermUI>T</TermUI><String>{term}</String></Term>" for term in (name, *terms))
    other = "<Concept PreferredConceptYN='N'><TermList><Term><String>narrower</String></Term></TermList></Concept>"
    return (f"<DescriptorRecord><DescriptorUI>{id}</DescriptorUI><DescriptorName><String>{name}</String>"
            f"</DescriptorName><TreeNumberList>{places}</TreeNumberList><ConceptList>"
            f"<Concept PreferredConceptYN='Y'><TermList>{strings}</TermList></Concept>{other}</ConceptList>"
            "</DescriptorRecord>")


MESH = "".join(["<?xml version='1.0'?><!DOCTYPE DescriptorRecordSet SYSTEM 'desc2025.dtd'><DescriptorRecordSet>",
                descriptor("D1", "Joint Diseases", ["C05.550"]),
                descriptor("D2", "Gout", ["C05.550.354", "C16.320"], "Gouts"),
                descriptor("D3", "Tophus", ["C16.320.9"]), descriptor("D4", "Asthma", ["C08.127"]),
                "</DescriptorRecordSet>"])


@pytest.mark.issue(21)
@pytest.mark.parametrize("root, names", [
    (None, {"Joint Diseases", "Gout", "Gouts", "Tophus", "Asthma"}), ("C05", {"Joint Diseases", "Gout", "Gouts"}),
    ("D1", {"Joint Diseases", "Gout", "Gouts"}), ("D2", {"Gout", "Gouts", "Tophus"}), ("C16.320.9", {"Tophus"}),
])
def test_mesh_descriptors_are_read(tmp_path, root, names):
    (tmp_path / "desc.xml").write_text(MESH)
    assert {seed.text for seed in read_seeds(tmp_path / "desc.xml", label="DISEASE", root=root).seeds} == names
    with pytest.raises(BionerError, match="no term 'D9'"):
        read_seeds(tmp_path / "desc.xml", label="DISEASE", root="D9")


@pytest.mark.issue(21)
@pytest.mark.parametrize("name, content", [
    ("a.xml", MESH[:900]), ("a.xml", "<other/>"), ("a.xml", ""), ("a.xml.gz", "no gzip"), ("a.obo.gz", "no gzip"),
    ("a.obo", "[Term]\nid: \xff"), ("a.csv", "title,year\nflu,1\n"),
])
def test_a_dictionary_that_cannot_be_read_is_one_line(tmp_path, name, content):
    (tmp_path / name).write_text(content, encoding="latin-1")
    with pytest.raises(BionerError, match=name) as caught:
        read_seeds(tmp_path / name, label="DISEASE")
    assert "\n" not in str(caught.value)


@pytest.mark.issue(21)
@pytest.mark.parametrize("name, content", [
    ("a.csv", "id,name,synonyms\n1,gout,podagra|urate arthritis\n2,\"asthma, bronchial\",\n"),
    ("a.tsv", "Term\tSynonyms\ngout\tpodagra|urate arthritis\nasthma, bronchial\t\n"),
])
def test_a_table_without_labels_takes_the_given_one_and_its_synonyms(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    seeds = read_seeds(tmp_path / name, label="DISEASE").seeds
    assert {(seed.text, seed.label) for seed in seeds} == {
        (text, "DISEASE") for text in ("gout", "podagra", "urate arthritis", "asthma, bronchial")}
