import pytest

from spacy_bioner.annotation import Annotation, Mention
from spacy_bioner.merging.dictionary import Dictionary

NAMES = [("colon cancer", "DISEASE"), ("cancer", "DISEASE"), ("APC", "GENE"), ("WAS", "GENE"), ("WAS", "DISEASE"),
         ("IL-2", "GENE"), ("interleukin 2", "GENE"), ("结肠癌", "DISEASE")]


def find(text):
    found = Dictionary(NAMES).annotate(Annotation(text, (Mention(0, 1, "OLD"),), id="a"))
    return [(found.surface(mention), mention.label) for mention in found.mentions]


@pytest.mark.parametrize("text, names", [
    pytest.param("Familial colon cancer and APC.", [("colon cancer", "DISEASE"), ("APC", "GENE")], id="longest first"),
    pytest.param("Colon  Cancer, then cancer.", [("Colon  Cancer", "DISEASE"), ("cancer", "DISEASE")],
                 id="case and spacing of long names"),
    pytest.param("It was seen in WAS.", [("WAS", "DISEASE"), ("WAS", "GENE")],
                 id="short names in their case, with all their labels"),
    pytest.param("Anticancer APCs.", [], id="never inside a word"),
    pytest.param("IL-2, IL-20 and IL - 2", [("IL-2", "GENE"), ("IL - 2", "GENE")], id="hyphens and digits"),
    pytest.param("患结肠癌多年", [("结肠癌", "DISEASE")], id="Chinese, without spaces"),
    pytest.param("", [], id="empty"),
])
def test_names_are_found(text, names):
    assert find(text) == names


@pytest.mark.parametrize("name, text, span", [
    pytest.param("Tylenol™", "She took Tylenol™ daily.", (9, 17), id="fewer units when normalised"),
    pytest.param("½ tablet", "Take ½ tablet.", (5, 13), id="more units when normalised"),
])
def test_names_whose_units_change_when_they_are_normalised_are_found(name, text, span):
    found = Dictionary([(name, "D")]).annotate(Annotation(text, id="a"))
    assert [(mention.start, mention.end) for mention in found.mentions] == [span]


def test_an_empty_list_finds_nothing():
    assert not Dictionary([]).annotate(Annotation("Gout.", id="a")).mentions
