"""What a name may mean: by equality of several kinds, in coordinations, and by similarity."""

import pytest

from spacy_bioner.linking.concept_dictionary import ConceptDictionary, ConceptName
from spacy_bioner.linking.name_forms import bag_of_words, split_coordination

NAMES = [
    ConceptName("breast cancer", ("MESH:D001943",), "DISEASE", 8),
    ConceptName("breast cancer", ("MESH:D061325",), "DISEASE", 2),
    ConceptName("ovarian cancer", ("MESH:D010051",), "DISEASE"), ConceptName("NFκB", ("MESH:D016328",), "GENE"),
    ConceptName("lead", ("MESH:D007854",), "CHEMICAL"), ConceptName("lead poisoning", ("MESH:D007855",), "DISEASE"),
    ConceptName("tumours of the pancreas", ("MESH:D010190",)), ConceptName("急性心肌梗死", ("MESH:D009203",), "dis"),
    ConceptName("spinocerebellar ataxia 1", ("OMIM:164400",)),
    ConceptName("spinocerebellar ataxia 2", ("OMIM:183090",)),
]
DICTIONARY = ConceptDictionary(NAMES)


@pytest.mark.parametrize("name, label, ids, how", [
    pytest.param("breast cancer", "DISEASE", ("MESH:D001943",), "exact", id="exact"),
    pytest.param("Breast  Cancer", "DISEASE", ("MESH:D001943",), "folded", id="folded"),
    pytest.param("nf-kappab", "GENE", ("MESH:D016328",), "similar", id="greek-with-hyphen"),
    pytest.param("NFKAPPAB", "GENE", ("MESH:D016328",), "folded", id="greek"),
    pytest.param("cancers of the breast", "DISEASE", ("MESH:D001943",), "words", id="word-order-and-number"),
    pytest.param("pancreatic tumor", "DISEASE", ("MESH:D010190",), "similar", id="similar"),
    pytest.param("pancreas tumor", "DISEASE", ("MESH:D010190",), "words", id="british-spelling-and-any-label"),
    pytest.param("lead", "chemical", ("MESH:D007854",), "exact", id="case-of-label"),
    pytest.param("lead", "UNKNOWN", ("MESH:D007854",), "exact", id="unknown-label"),
    pytest.param("急性心肌梗死", "dis", ("MESH:D009203",), "exact", id="chinese"),
    pytest.param("急性 心肌梗死", "dis", ("MESH:D009203",), "folded", id="chinese-spaced"),
    pytest.param("急性心肌梗塞", "dis", ("MESH:D009203",), "similar", id="chinese-similar"),
    pytest.param("breast and ovarian cancer", "DISEASE", ("MESH:D001943", "MESH:D010051"), "parts", id="composite"),
    pytest.param("spinocerebellar ataxias 1 and 2", "", ("OMIM:164400", "OMIM:183090"), "parts", id="shared-beginning"),
])
def test_the_likeliest_meaning_is_found(name, label, ids, how):
    best = DICTIONARY.find(name, label)[0]
    assert (best.ids, best.how) == (ids, how) and 0 < best.score <= 1


def test_a_name_of_another_label_is_passed_over():
    assert DICTIONARY.find("lead", "DISEASE")[0].how != "exact"


def test_the_share_of_a_meaning_is_in_its_score():
    assert [(link.ids[0], link.score) for link in DICTIONARY.find("breast cancer", "DISEASE")] == [
        ("MESH:D001943", 0.8), ("MESH:D061325", 0.2)]


def test_an_abbreviation_of_the_text_counts_more_than_one_of_the_dictionary():
    known = ConceptDictionary([*NAMES, ConceptName("BC", ("MESH:D001749",), "DISEASE")])
    assert known.find("BC", "DISEASE")[0].ids == ("MESH:D001749",)
    assert known.find("BC", "DISEASE", abbreviations={"BC": "breast cancer"})[0].ids == ("MESH:D001943",)


@pytest.mark.parametrize("name", ["", " ", "()", "xq", "\ud800", "a" * 5000], ids=repr)
def test_odd_names_raise_nothing(name):
    assert all(link.score < 0.6 for link in DICTIONARY.find(name, "DISEASE"))


def test_an_empty_dictionary_finds_nothing():
    assert ConceptDictionary().find("gout") == []


def test_words_are_compared_without_number_order_and_spelling():
    assert bag_of_words("Tumours of the breast") == bag_of_words("breast tumor")
    assert bag_of_words("diabetes") == "diabete" and bag_of_words("ataxia of the") == "ataxia"


def test_readings_of_a_coordination_begin_with_the_longest_shared_end():
    assert split_coordination("renal and liver cell cancer")[0] == ("renal cell cancer", "liver cell cancer")
    assert split_coordination("hand") == []
