"""Token classifiers: pieces are joined to pre-tokens, windows give what the whole text would, offsets are exact."""

import json

import pytest
from tiny_taggers import save_token_classifier

from spacy_bioner.annotation import Annotation
from spacy_bioner.errors import BionerError
from spacy_bioner.taggers.opening import LabelMap, find_kind
from spacy_bioner.taggers.token_classifier import TokenClassifier

PIECES = {"chronic": "B-Disease", "bronch": "I-Disease", "##itis": "O", "asthma": "B-Disease", "aspirin": "B-Drug",
          "gout": "B-Disease", "and": "O", "with": "O", "was": "O", "treated": "O", ".": "O", "sep": "O", "[": "O",
          "]": "O"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("tagger")
    save_token_classifier(path, PIECES)
    return path


@pytest.fixture(scope="module")
def tagger(folder):
    return TokenClassifier(folder, name="tiny")


def find(tagger, text):
    (_, mentions), = tagger.find([Annotation(text)])
    return [(text[mention.start:mention.end], mention.label) for mention in mentions]


@pytest.mark.parametrize("text, found", [
    pytest.param("Chronic bronchitis was treated with aspirin.", [("Chronic bronchitis", "Disease"),
                                                                  ("aspirin", "Drug")], id="pieces"),
    pytest.param("Bronchitis", [("Bronchitis", "Disease")], id="inside-first"),
    pytest.param("  asthma \n asthma", [("asthma", "Disease"), ("asthma", "Disease")], id="blanks"),
    pytest.param("asthma [SEP] gout", [("asthma", "Disease"), ("gout", "Disease")], id="special-token"),
    pytest.param("哮喘 and 😀 gout", [("gout", "Disease")], id="unknown-characters"),
    pytest.param("", [], id="empty"),
    pytest.param(" \n", [], id="white-space"),
])
def test_mentions_stand_where_the_text_has_them(tagger, text, found):
    assert find(tagger, text) == found


def test_a_long_text_is_read_in_windows(tagger):
    words = ["gout" if place % 7 == 3 else "asthma" if place % 11 == 5 else "with" for place in range(200)]
    wanted = [(word, "Disease") for word in words if word != "with"]
    assert find(tagger, " ".join(words)) == wanted


def test_texts_of_all_lengths_are_read_together(tagger):
    texts = [Annotation(" ".join(["with"] * length + ["gout"]), id=str(length)) for length in range(70)]
    found = list(tagger.find(texts))
    assert [text.id for text, _ in found] == [text.id for text in texts]
    assert all(text.surface(mention) == "gout" for text, (mention,) in found)


def test_labels_are_those_of_the_tags_and_scores_are_probabilities(tagger):
    assert list(tagger.labels) == ["Disease", "Drug"]
    (_, (mention,)), = tagger.find([Annotation("gout")])
    assert 0.9 < mention.score <= 1


@pytest.mark.parametrize("begin", ["B", "I"])
def test_tags_without_a_label_are_those_of_one_label(tmp_path, begin):
    save_token_classifier(tmp_path, {"breast": begin, "cancer": "I", "and": "O", "gout": begin})
    tagger = TokenClassifier(tmp_path, name="bare")
    assert find(tagger, "Breast cancer and gout") == [("Breast cancer", "ENTITY"), ("gout", "ENTITY")]
    (_, mentions), = tagger.find([Annotation("Breast cancer")])
    mapped = LabelMap({"ENTITY": "DISEASE"}, known={"DISEASE"}, tagger=tagger).apply(mentions)
    assert {mention.label for mention in mapped} == {"DISEASE"}


@pytest.mark.parametrize("map, known, missing", [
    pytest.param({}, ["Disease", "Drug"], None, id="all-found"),
    pytest.param({}, ["Disease", "Drug", "Gene", "Cell"], "Gene, Cell", id="two-unknown"),
    pytest.param({"Drug": "CHEMICAL"}, ["Disease", "CHEMICAL"], None, id="mapped"),
    pytest.param({"Drug": "Disease"}, ["Disease", "Drug"], "Drug", id="mapped-away"),
    pytest.param({"Drug": ""}, ["Disease", "Drug"], "Drug", id="dropped"),
    pytest.param({}, None, None, id="no-schema"),
])
def test_labels_of_the_schema_that_are_never_found_are_a_warning(tagger, caplog, map, known, missing):
    LabelMap(map, known=known, tagger=tagger)
    said = [message for message in caplog.messages if "never finds" in message]
    assert said == ([f"The annotator tiny never finds {missing} of the label schema; it has: Disease, Drug. Map a "
                     "label of it to each of them, or leave them out of the schema."] if missing else [])


def test_a_letter_among_whole_labels_is_a_label(tmp_path):
    save_token_classifier(tmp_path, {"breast": "B", "cancer": "Disease"})
    assert TokenClassifier(tmp_path, name="letter").labels == ["B", "Disease"]


def test_a_folder_says_what_it_is(folder):
    assert find_kind(str(folder)) == ("token_classifier", folder)


def test_a_model_without_the_head_is_refused(tmp_path):
    save_token_classifier(tmp_path, PIECES, head=False)
    with pytest.raises(BionerError, match="no token classifier.*BertModel"):
        TokenClassifier(tmp_path, name="headless")


def test_a_model_that_names_code_is_refused(folder, tmp_path):
    save_token_classifier(tmp_path, PIECES)
    settings = json.loads((tmp_path / "config.json").read_text())
    settings.update(model_type="own", auto_map={"AutoModelForTokenClassification": "modeling.Own"})
    (tmp_path / "config.json").write_text(json.dumps(settings))
    (tmp_path / "modeling.py").write_text("raise SystemExit('code was run')")
    with pytest.raises(BionerError):
        TokenClassifier(tmp_path, name="code")
