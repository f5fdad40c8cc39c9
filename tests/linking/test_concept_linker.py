"""The component: identifiers in the span group, saved, copied, and the same in threads and other processes."""

import copy
import json
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
import spacy
from span_examples import make_nlp

from spacy_bioner.errors import BionerError
from spacy_bioner.formats.docbin import doc_to_annotation, set_mentions
from spacy_bioner.linking.concept_dictionary import ConceptName

NAMES = [ConceptName("breast cancer", ("MESH:D001943",), "DISEASE"),
         ConceptName("ovarian cancer", ("MESH:D010051",), "DISEASE"),
         ConceptName("myocardial infarction", ("MESH:D009203",), "DISEASE"),
         ConceptName("MI", ("MESH:D008944",), "DISEASE")]
TEXTS = ["Myocardial infarction (MI) kills; MI does.", "We saw breast and ovarian cancer.", "Qxzk was not known."]
MENTIONS = [["Myocardial infarction", "MI"], ["breast and ovarian cancer", "ovarian cancer"], ["Qxzk"]]


@pytest.fixture
def nlp():
    made = make_nlp()
    ruler = made.add_pipe("span_ruler", config={"spans_key": "sc"})
    ruler.add_patterns([{"label": "DISEASE", "pattern": name} for names in MENTIONS for name in names])
    made.add_pipe("concept_linker").add_concepts(NAMES)
    return made


def read(docs):
    return [[(mention.start, mention.end, mention.ids) for mention in doc_to_annotation(doc).mentions] for doc in docs]


def test_mentions_get_identifiers_scores_and_alternatives(nlp):
    first, second, third = nlp.pipe(TEXTS)
    assert {span.kb_id_ for span in first.spans["sc"]} == {"MESH:D009203"}, "the text says what MI stands for"
    assert read([second]) == [[(7, 32, ("MESH:D001943", "MESH:D010051")), (18, 32, ("MESH:D010051",))]]
    assert [span.kb_id_ for span in third.spans["sc"]] == [""]
    attrs = second.spans["sc"].attrs
    assert attrs["kb_scores"] == [0.9, 1.0] and json.loads(attrs["kb_alternatives"][1])[0] == [["MESH:D010051"], 1.0]
    assert json.loads(attrs["details"][0]) == {"ids": ["MESH:D001943", "MESH:D010051"]}


def test_details_and_scores_of_the_annotator_stay(nlp):
    from spacy_bioner.annotation import Mention

    doc = nlp.make_doc("We saw breast cancer.")
    set_mentions(doc, [Mention(7, 20, "DISEASE", score=0.5, ids=("OLD:1",), note="sure")], spans_key="sc")
    [mention] = doc_to_annotation(nlp.get_pipe("concept_linker")(doc)).mentions
    assert (mention.ids, mention.note, mention.score) == (("MESH:D001943",), "sure", 0.5)


def test_the_threshold_decides_what_is_linked(nlp):
    nlp.get_pipe("concept_linker").cfg["threshold"] = 0.95
    assert read([nlp(TEXTS[1])]) == [[(7, 32, ()), (18, 32, ("MESH:D010051",))]]


def test_a_linker_is_saved_and_copied(nlp, tmp_path):
    wanted = read(nlp.pipe(TEXTS))
    linker = nlp.get_pipe("concept_linker")
    linker.cfg["alternatives"] = 2
    nlp.to_disk(tmp_path / "saved")
    loaded = spacy.load(tmp_path / "saved")
    assert read(loaded.pipe(TEXTS)) == wanted and loaded.get_pipe("concept_linker").cfg == linker.cfg
    copied = spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": "spacy-bioner.UnitTokenizer.v1"}}})
    copied.add_pipe("span_ruler", config={"spans_key": "sc"})
    copied.add_pipe("concept_linker")
    assert read(copied.from_bytes(nlp.to_bytes()).pipe(TEXTS)) == wanted
    for repeat in (lambda pipe: pickle.loads(pickle.dumps(pipe)), copy.deepcopy):
        docs = [nlp.get_pipe("span_ruler")(nlp.make_doc(text)) for text in TEXTS]
        assert read(map(repeat(linker), docs)) == wanted


def test_what_an_earlier_linker_linked_stays_where_a_later_one_links_nothing(nlp):
    other = nlp.add_pipe("concept_linker", name="other")
    other.add_concepts([ConceptName("Qxzk", ("OTHER:1", "OTHER:2"), "DISEASE")])
    wanted = nlp(TEXTS[1], disable=["other"]).spans["sc"]
    doc = nlp(TEXTS[1])
    assert read([doc]) == [[(7, 32, ("MESH:D001943", "MESH:D010051")), (18, 32, ("MESH:D010051",))]]
    assert {name: list(values) for name, values in doc.spans["sc"].attrs.items()} == dict(wanted.attrs)
    assert read([nlp(TEXTS[2])]) == [[(0, 4, ("OTHER:1", "OTHER:2"))]]


def test_identifiers_of_gold_stay_where_nothing_is_linked(nlp):
    from spacy_bioner.annotation import Mention

    doc = nlp.make_doc("Qxzk was not known.")
    set_mentions(doc, [Mention(0, 4, "DISEASE", ids=("OLD:1", "OLD:2"), note="sure")], spans_key="sc")
    [mention] = doc_to_annotation(nlp.get_pipe("concept_linker")(doc)).mentions
    assert (mention.ids, mention.note) == (("OLD:1", "OLD:2"), "sure")


def test_a_setting_that_is_overridden_in_loading_holds(nlp, tmp_path):
    nlp.get_pipe("concept_linker").cfg["threshold"] = 0.7
    nlp.to_disk(tmp_path)
    override = {"components.concept_linker.threshold": 0.99}
    assert spacy.load(tmp_path).get_pipe("concept_linker").cfg["threshold"] == 0.7
    again = spacy.load(tmp_path, config=override)
    again.to_disk(tmp_path / "again")
    for linker in (again, spacy.load(tmp_path / "again")):
        assert linker.get_pipe("concept_linker").cfg["threshold"] == 0.99


def test_threads_and_processes_give_what_one_gives(nlp):
    wanted = read(nlp.pipe(TEXTS))
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: read(nlp.pipe(TEXTS * 5)), range(4))) == [wanted * 5] * 4
    assert read(nlp.pipe(TEXTS, n_process=2, batch_size=1)) == wanted


def test_a_missing_group_and_a_missing_dictionary_are_told_in_one_line():
    nlp = make_nlp()
    linker = nlp.add_pipe("concept_linker")
    with pytest.raises(BionerError, match="finds no span group 'sc'.*set spans_key"):
        nlp("Gout.")
    doc = nlp.make_doc("Gout.")
    doc.spans["sc"] = []
    with pytest.raises(BionerError, match="add_concepts"):
        linker(doc)
