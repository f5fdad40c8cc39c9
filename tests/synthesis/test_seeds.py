"""Seeds: what is collected, folded, reported and refused."""

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
    pytest.param("format-version: 1.4\n\n[Term]\nid: D:2\nname: flu\nis_a: D:1\n", "the term 'D:1', which",
                 id="undefined-parent"),
    pytest.param("format-version: 1.4\n\n[Term]\nname: x\nid D:1\n", "expected", id="no-clause"),
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
