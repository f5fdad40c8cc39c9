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


def test_an_empty_list_finds_nothing():
    assert not Dictionary([]).annotate(Annotation("Gout.", id="a")).mentions
