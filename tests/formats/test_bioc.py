import json

import pytest
from places import ROOT

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.errors import BionerError
from spacy_bioner.formats.bioc import read_bioc, write_bioc
from spacy_bioner.formats.parsing.problems import Problems

XML = """<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE collection SYSTEM "BioC.dtd">
<collection><source>x</source><date/><key/>
<document><id>1</id><infon key="split">train</infon>
<passage><infon key="type">title</infon><offset>0</offset><text>A &lt;p53&gt; gene.</text>
<annotation id="T1"><infon key="type">Gene</infon><location offset="3" length="3"/><text>p53</text></annotation>
</passage>
<passage><offset>{second}</offset>{body}</passage>
</document></collection>"""
SENTENCE = """<sentence><offset>{second}</offset><text>MDM2 it is.</text><annotation id="T2">
<infon key="type">Gene</infon><location offset="{second}" length="4"/><text>MDM2</text></annotation></sentence>"""
ANNOTATION = {"id": "7", "infons": {"type": "Gene"}, "text": "p53", "locations": [{"offset": 0, "length": 3}]}


def _read(tmp_path, name, text, problems=None):
    path = tmp_path / name
    path.write_text(text, encoding="utf8")
    return list(read_bioc(path, problems=problems))


@pytest.mark.parametrize("name", ["a.xml", "a.json"])
def test_everything_survives(nested, tmp_path, name):
    scored = Annotation("a \r\n<b> & \U0001d6fc", (Mention(0, 1, "X", score=0.25, grounding="fuzzy"),), id="s",
                        meta={"n": 2, "issues": [{"kind": "x"}], "lang": "en"})
    gold = [nested, scored, Annotation("", id="e")]
    assert write_bioc(tmp_path / name, gold) == 3
    back = list(read_bioc(tmp_path / name))
    assert back == gold
    assert (back[1].mentions[0].score, back[1].mentions[0].grounding) == (0.25, "fuzzy")


@pytest.mark.issue(20)
@pytest.mark.parametrize("name", ["written_by_bioc.xml", "written_by_bioc.json"])
def test_the_written_file_equals_that_of_the_bioc_package(tmp_path, name):
    scored = Annotation("a <b>", (Mention(0, 1, "X", score=0.25, grounding="fuzzy"),), id="s", meta={"n": 2, "l": "en"})
    write_bioc(tmp_path / name, [scored, Annotation("", id="e")])
    recorded = ROOT / "tests" / "data" / name  # with version 2.1 of the package
    assert (tmp_path / name).read_bytes() == recorded.read_bytes()


@pytest.mark.parametrize("second, text", [
    pytest.param(14, "A <p53> gene. MDM2 it is.", id="one-blank"),
    pytest.param(16, "A <p53> gene.\n\n\nMDM2 it is.", id="gap"),
    pytest.param(13, "A <p53> gene.MDM2 it is.", id="touching"),
    pytest.param(12, "A <p53> gene. MDM2 it is.", id="overlapping"),
])
def test_passages_and_sentences_stand_at_their_offsets(tmp_path, second, text):
    problems = Problems()
    body = SENTENCE.format(second=second)
    (found,) = _read(tmp_path, "a.xml", XML.format(second=second, body=body), problems)
    assert found.text == text
    assert [found.surface(mention) for mention in found.mentions] == ["p53", "MDM2"]
    assert found.meta == {"split": "train"}
    assert set(problems.counts) == ({"moved_passage"} if second == 12 else set())


def test_titles_that_count_bytes_do_not_shift_the_abstract(tmp_path):
    parts = [{"offset": 0, "text": "\u03b2-x", "annotations": [
                {**ANNOTATION, "text": "\u03b2-x", "locations": [{"offset": 0, "length": 4}]}]},
             {"offset": 5, "text": "p53", "annotations": [{**ANNOTATION, "locations": [{"offset": 5, "length": 3}]}]}]
    (found,) = _read(tmp_path, "a.json", json.dumps({"documents": [{"id": 3, "passages": parts}]}), Problems())
    assert [found.surface(mention) for mention in found.mentions] == ["\u03b2-x", "p53"]


@pytest.mark.parametrize("first, text, noted", [
    pytest.param(12, "TP53 is in. MDM2 binds. BRAF too.", {}, id="apart"),
    pytest.param(11, "TP53 is in.MDM2 binds.\n\nBRAF too.", {}, id="touching"),
    pytest.param(10, "TP53 is in. MDM2 binds. BRAF too.", {"moved_passage": 1}, id="overlapping"),
])
def test_passages_out_of_order_stand_at_their_offsets_with_their_mentions(tmp_path, first, text, noted):
    def passage(offset, text):
        return {"offset": offset, "text": text, "annotations": [
            {**ANNOTATION, "text": text[:4], "locations": [{"offset": offset, "length": 4}]}]}

    parts = [passage(first, "MDM2 binds."), passage(0, "TP53 is in."), passage(24, "BRAF too.")]
    problems = Problems()
    (found,) = _read(tmp_path, "a.json", json.dumps({"documents": [{"id": 3, "passages": parts}]}), problems)
    assert found.text == text
    assert [found.surface(mention) for mention in found.mentions] == ["TP53", "MDM2", "BRAF"]
    assert problems.counts == noted


@pytest.mark.parametrize("offsets, message", [
    pytest.param([0, 99_999_999_999], "99999999999, wanted at most 10000 characters after 13", id="endless"),
    pytest.param([0, 10_014], "10014, wanted at most 10000 characters after 13", id="one-too-many"),
    pytest.param([10_001, 10_015], "10001, wanted at most 10000 characters after 0", id="first"),
])
def test_a_passage_far_from_the_others_is_an_error_with_its_place(tmp_path, offsets, message):
    parts = [{"offset": offset, "text": "MDM2 binds it"} for offset in offsets]
    with pytest.raises(BionerError, match=f"a.json, document 3 is not BioC: a passage has the offset {message}"):
        _read(tmp_path, "a.json", json.dumps([{"id": "3", "passages": parts}]))


def test_a_gap_that_a_left_out_section_leaves_is_filled(tmp_path):
    parts = [{"offset": offset, "text": "MDM2 binds it"} for offset in (0, 10_013)]
    (found,) = _read(tmp_path, "a.json", json.dumps([{"id": "3", "passages": parts}]))
    assert len(found.text) == 10_026


def test_an_endless_offset_is_an_error_with_its_place(tmp_path):
    with pytest.raises(BionerError, match="document 3: an offset or length is a whole number; found inf"):
        _read(tmp_path, "a.json", '[{"id": "3", "passages": [{"offset": 1e999, "text": "MDM2"}]}]')


@pytest.mark.parametrize("change, kind, kept", [
    pytest.param({"locations": [{"offset": 0, "length": 1}, {"offset": 2, "length": 1}]}, "discontinuous", 0,
                 id="parts"),
    pytest.param({"infons": {}}, "bad_line", 0, id="no-type"),
    pytest.param({"locations": []}, "bad_line", 0, id="no-location"),
    pytest.param({"text": "p5"}, "surface_differs", 0, id="other-text"),
    pytest.param({"infons": {"type": "Gene", "identifier": "x7157"}}, "unknown_vocabulary", 1, id="identifier"),
    pytest.param({"infons": {"type": "Gene", "identifier": "-1"}}, "no_concept", 1, id="no-identifier"),
])
def test_oddities_are_counted_with_their_place(tmp_path, change, kind, kept):
    problems = Problems()
    passage = {"offset": 0, "text": "p53", "annotations": [{**ANNOTATION, **change}], "relations": []}
    content = json.dumps([{"id": "3", "passages": [passage]}])
    (found,) = _read(tmp_path, "a.json", content, problems)
    assert problems.counts == {kind: 1} and len(found.mentions) == kept
    assert "a.json, document 3" in problems.examples[kind][0].place


@pytest.mark.parametrize("score", ["high", "1.5", "-0.1", "nan", True])
def test_a_score_that_is_no_probability_is_not_carried_over_and_noted(tmp_path, score):
    problems = Problems()
    passage = {"offset": 0, "text": "p53", "annotations": [{**ANNOTATION, "infons": {"type": "Gene", "score": score}}]}
    (found,) = _read(tmp_path, "a.json", json.dumps([{"id": "3", "passages": [passage]}]), problems)
    assert [mention.score for mention in found.mentions] == [None]
    assert problems.counts == {"extra_column": 1}
    assert str(problems.examples["extra_column"][0]).endswith(f"document 3, annotation 7 (score {score})")


def test_relations_are_noted(tmp_path):
    problems = Problems()
    document = {"id": "3", "passages": [{"offset": 0, "text": "p53"}], "relations": [{"id": "R1"}]}
    _read(tmp_path, "a.json", json.dumps({"PubTator3": [document]}), problems)
    assert problems.counts == {"relation": 1}


@pytest.mark.parametrize("name, text", [
    pytest.param("a.xml", "<collection><document>", id="cut-xml"),
    pytest.param("a.xml", "no xml", id="no-xml"),
    pytest.param("a.json", "{", id="cut-json"),
    pytest.param("a.json", "[1]", id="other-json"),
    pytest.param("a.json", '{"passages": [1]}', id="passage-is-a-number"),
    pytest.param("a.json", '{"passages": [{"text": "a", "annotations": [{"infons": []}]}]}', id="infons-are-a-list"),
    pytest.param("a.json", '{"passages": [{"text": "\\ud835"}]}', id="half-a-character"),
    pytest.param("a.json", '{"id": 1, "passages": [{"offset": "x", "text": "a"}]}', id="no-number"),
])
def test_what_is_not_bioc_is_one_clear_error(tmp_path, name, text):
    with pytest.raises(BionerError, match=name):
        _read(tmp_path, name, text)


def test_entities_are_not_resolved(tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    text = ("<!DOCTYPE collection [<!ENTITY x SYSTEM 'secret.txt'>]><collection><document><id>1</id><passage>"
            "<offset>0</offset><text>A &x;</text></passage></document></collection>")
    with pytest.raises(BionerError, match="line 1 is not BioC XML: nothing defines its entity 'x'"):
        _read(tmp_path, "a.xml", text, Problems())


def test_text_that_xml_cannot_hold_is_counted(tmp_path):
    problems = Problems()
    assert write_bioc(tmp_path / "a.xml", [Annotation("a\x00b", id="1"), Annotation("c", id="2")],
                      problems=problems) == 1
    assert problems.counts == {"unwritable_text": 1}
    assert [one.id for one in read_bioc(tmp_path / "a.xml")] == ["2"]


DOCUMENT = ("<collection><source>x</source><document><id>9</id><passage><offset>0</offset><text>{text}</text>"
            "<annotation id='1'><infon key='type'>Gene</infon><location offset='{start}' length='4'/>"
            "<text>{surface}</text></annotation></passage></document></collection>")


@pytest.mark.issue(21)
@pytest.mark.parametrize("text, surface, wanted", [
    pytest.param("Loss of <i>TP53</i> in gout.", "TP53", "Loss of TP53 in gout.", id="inline"),
    pytest.param("Loss of <b><i>TP</i>53</b> in gout.", "<i>TP</i>53", "Loss of TP53 in gout.", id="inline-in-inline"),
    pytest.param("Loss of TP<!-- no text -->53<?none?> in gout.", "TP53", "Loss of TP53 in gout.", id="comment"),
    pytest.param("Loss of <![CDATA[TP53]]> in gout.", "TP53", "Loss of TP53 in gout.", id="cdata"),
    pytest.param("Loss of TP&#53;&#x33; in gout.", "TP53", "Loss of TP53 in gout.", id="number"),
    pytest.param("Loss of TN&beta;1 <sup>&amp;</sup> gout.", "TN&beta;1", "Loss of TN\u03b21 & gout.", id="html"),
    pytest.param("Loss of &own;53 in gout.", "&own;53", "Loss of TP53 in gout.", id="declared-entity"),
])
def test_text_is_whole_round_elements_and_entities(tmp_path, text, surface, wanted):
    head = "<!DOCTYPE collection SYSTEM 'BioC.dtd' [<!ENTITY own 'TP'>]>"
    (found,) = _read(tmp_path, "a.xml", head + DOCUMENT.format(text=text, start=8, surface=surface))
    assert found.text == wanted
    assert [(mention.start, mention.end) for mention in found.mentions] == [(8, 12)]


@pytest.mark.issue(21)
@pytest.mark.parametrize("head, text", [
    pytest.param("<!DOCTYPE collection SYSTEM 'BioC.dtd'>", "a &nobody; b", id="undefined"),
    pytest.param("", "a &alpha; b", id="without-a-document-type"),
    pytest.param("<!DOCTYPE c [<!ENTITY a 'lol'><!ENTITY b '&a;&a;'>]>", "a &b; b", id="entities-in-an-entity"),
    pytest.param("<!DOCTYPE c [<!ENTITY a '<i>x</i>'>]>", "a &a; b", id="elements-in-an-entity"),
    pytest.param("", "<i>" * 200 + "a" + "</i>" * 200, id="deep-elements"),
])
def test_an_entity_or_element_that_cannot_be_read_is_one_line_with_its_place(tmp_path, head, text):
    with pytest.raises(BionerError, match="a.xml.* line 2.*|a.xml.*line 2") as caught:
        _read(tmp_path, "a.xml", head + "\n" + DOCUMENT.format(text=text, start=0, surface="a"), Problems())
    assert "\n" not in str(caught.value)


@pytest.mark.issue(21)
def test_elements_that_nest_without_end_are_one_line(tmp_path):
    text = "<collection><document><id>1</id>" + "<passage>" * 5000 + "</passage>" * 5000 + "</document></collection>"
    with pytest.raises(BionerError, match="a.xml is not BioC XML"):
        _read(tmp_path, "a.xml", text, Problems())


@pytest.mark.issue(21)
def test_other_xml_is_not_read_as_a_collection_without_documents(tmp_path):
    with pytest.raises(BionerError, match="outermost element is 'PubmedArticleSet'"):
        _read(tmp_path, "a.xml", "<PubmedArticleSet><PubmedArticle/></PubmedArticleSet>", Problems())


@pytest.mark.issue(21)
def test_json_with_a_document_a_line_is_read_line_by_line(tmp_path):
    document = {"id": "1", "passages": [{"offset": 0, "text": "p53", "annotations": []}]}
    lines = [json.dumps({**document, "id": str(number)}) for number in range(3)]
    for content in ("\n".join(lines), "\n\n".join(lines) + "\n", json.dumps({"documents": [*map(json.loads, lines)]})):
        assert [one.id for one in _read(tmp_path, "a.bioc.json", content)] == ["0", "1", "2"]
    with pytest.raises(BionerError, match="a.bioc.json, line 3: not BioC JSON"):
        _read(tmp_path, "a.bioc.json", "\n".join([*lines[:2], lines[2][:20]]))


@pytest.mark.issue(21)
@pytest.mark.parametrize("name", ["A.BIOC.JSON", "a.bioc.json.gz", "A.XML", "a.xml.gz", "A.JSON.GZ"])
def test_names_in_upper_case_and_compressed_files_are_read(tmp_path, name):
    annotation = Annotation("p53", (Mention(0, 3, "X"),), id="1")
    write_bioc(tmp_path / name, [annotation])
    assert (tmp_path / name).read_bytes()[:2] == (b"\x1f\x8b" if name.lower().endswith(".gz") else
                                                 b'{"' if "json" in name.lower() else b"<?")
    assert list(read_bioc(tmp_path / name)) == [annotation]


@pytest.mark.issue(21)
@pytest.mark.parametrize("content", [b"[" * 5000 + b"]" * 5000, b"{", b'{"documents": 1}', b"\xff\xfe{}", b"", b"1",
                                     b'{"passages": [' + b"[" * 90 + b"]" * 90 + b"]}"])
def test_json_that_is_no_collection_is_one_line(tmp_path, content):
    (tmp_path / "a.bioc.json").write_bytes(content)
    with pytest.raises(BionerError, match="a.bioc.json") as caught:
        list(read_bioc(tmp_path / "a.bioc.json", problems=Problems()))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


@pytest.mark.issue(21)
@pytest.mark.parametrize("name, text", [
    pytest.param("a.json", json.dumps([{"id": "3", "passages": [{"offset": 0, "text": "p53",
                                                                 "anotations": [ANNOTATION]}]}]), id="json"),
    pytest.param("a.xml", XML.format(second=13, body="<text>So it is.</text>").replace("annotation", "annot"),
                 id="xml"),
])
def test_a_misspelt_list_of_annotations_is_counted(tmp_path, name, text):
    problems = Problems()
    (found,) = _read(tmp_path, name, text, problems)
    assert found.mentions == () and problems.counts == {"unknown_list": 1}
    with pytest.raises(BionerError, match="BioC has none of that name"):
        _read(tmp_path, name, text)


@pytest.mark.issue(21)
def test_other_keys_of_a_document_are_passed_over(tmp_path):
    problems = Problems()
    content = [{"id": "3", "authors": ["A"], "journal": "J", "relations_display": [{"name": "x"}],
                "passages": [{"offset": 0, "text": "p53", "annotations": []}]}]
    assert len(_read(tmp_path, "a.json", json.dumps(content), problems)) == 1 and not problems.counts


@pytest.mark.issue(21)
def test_a_character_that_xml_forbids_is_one_line(tmp_path):
    with pytest.raises(BionerError) as error:
        _read(tmp_path, "a.xml", XML.format(second=13, body="<text>So\x00 it is.</text>"))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("wrapped", ["<passages><passage><offset>0</offset><text>Gout.</text></passage></passages>",
                                     '<infons><infon key="split">train</infon></infons>', "<line><b/></line>"])
def test_an_element_around_what_bioc_has_without_one_is_counted(tmp_path, wrapped):
    problems = Problems()
    content = f"<collection><document><id>1</id>{wrapped}</document></collection>"
    assert [one.id for one in _read(tmp_path, "a.xml", content, problems)] == ["1"]
    assert problems.counts == {"unknown_list": 1}


@pytest.mark.parametrize("name", ["a.xml", "a.json"])
@pytest.mark.parametrize("score", [0.00005, 0.000001, 0.0, 0.25, 1.0])
def test_every_score_comes_back(tmp_path, name, score):
    write_bioc(tmp_path / name, [Annotation("p53", (Mention(0, 3, "Gene", score=score),), id="1")])
    (found,) = read_bioc(tmp_path / name)
    assert [mention.score for mention in found.mentions] == [score]


@pytest.mark.parametrize("score", ["5e-05", "2.5E-3", 5e-05])
def test_a_score_with_an_exponent_is_read(tmp_path, score):
    passage = {"offset": 0, "text": "p53", "annotations": [{**ANNOTATION, "infons": {"type": "Gene", "score": score}}]}
    (found,) = _read(tmp_path, "a.json", json.dumps([{"id": "3", "passages": [passage]}]))
    assert [mention.score for mention in found.mentions] == [float(score)]


@pytest.mark.parametrize("name", ["a.bioc.xml", "a.bioc.json"])
@pytest.mark.parametrize("ids, attributes", [
    ((), {"identifier": "I"}),
    ((), {"identifier": 5, "identifier:json": "x"}),
    (("MESH:D006073",), {"identifier": "I"}),
    (("OMIM:123,456",), {"identifier": "I", "identifier:json": [1]}),
])
def test_an_attribute_called_identifier_is_none(tmp_path, name, ids, attributes):
    given = Annotation("Gout.", (Mention(0, 4, "D", ids=ids, attributes=attributes),), id="1")
    write_bioc(tmp_path / name, [given])
    (found,) = read_bioc(tmp_path / name)
    assert (found.mentions[0].ids, found.mentions[0].attributes) == (ids, attributes)
