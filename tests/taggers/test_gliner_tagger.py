"""GLiNER models: asked for words, long texts in parts, folders checked before the package reads them.

The package is an extra. Most tests put another module in its place that has its documented functions; the last one
compares with the package itself, where it is installed.
"""

import json
import re
import sys
from types import ModuleType

import pytest
from tiny_taggers import tiny_bert_config, tiny_wordpiece

from spacy_bioner.annotation import Annotation
from spacy_bioner.errors import BionerError
from spacy_bioner.taggers.gliner_tagger import GlinerTagger, cut_parts
from spacy_bioner.taggers.opening import find_kind
from spacy_bioner.tokens import find_units

SCHEMA = {"DISEASE": "illnesses", "CELL_TYPE": "kinds of cell"}


class StandIn:
    """Finds gout, and asserts that no text is longer than the model reads."""

    @classmethod
    def from_pretrained(cls, folder, *, local_files_only, load_tokenizer, map_location):
        assert local_files_only
        return cls()

    def inference(self, texts, labels, *, flat_ner, threshold, batch_size):
        self.asked = labels
        assert all(len(find_units(text)) <= 8 for text in texts)
        return [[{"start": match.start(), "end": match.end(), "text": "gout", "label": labels[0], "score": 0.8}
                 for match in re.finditer("gout", text)] for text in texts]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "gliner_config.json").write_text(json.dumps({"max_len": 8, "encoder_config": {"model_type": "bert"}}))
    for name in ("model.safetensors", "tokenizer_config.json"):
        (tmp_path / name).write_text("{}")
    return tmp_path


@pytest.fixture
def stand_in(monkeypatch):
    module = ModuleType("gliner")
    module.GLiNER = StandIn
    monkeypatch.setitem(sys.modules, "gliner", module)


def test_long_texts_are_read_in_parts_with_exact_offsets(stand_in, folder):
    text = "We saw gout. " * 5 + " ".join(["word"] * 6 + ["gout"] + ["word"] * 20 + ["gout"])
    tagger = GlinerTagger(folder, name="tiny", schema=SCHEMA, map={})
    (_, mentions), (_, none) = tagger.find([Annotation(text), Annotation(" ")])
    assert [mention.start for mention in mentions] == [match.start() for match in re.finditer("gout", text)]
    assert {mention.label for mention in mentions} == {"DISEASE"} and not none
    assert tagger._model.asked == ["disease", "cell type"]


def test_a_map_says_what_is_asked_for(stand_in, folder):
    tagger = GlinerTagger(folder, name="tiny", schema=SCHEMA, map={"illness": "DISEASE"})
    list(tagger.find([Annotation("gout")]))
    assert tagger._model.asked == ["illness"] == list(tagger.labels)


@pytest.mark.parametrize("change, told", [
    pytest.param({"encoder_config": None, "model_name": "some/encoder"}, "would take them from some/encoder",
                 id="no-encoder"),
    pytest.param({"encoder_config": {"auto_map": {"AutoModel": "own.Model"}}}, "code of its own", id="code"),
])
def test_a_model_with_parts_or_code_elsewhere_is_refused(stand_in, folder, change, told):
    settings = json.loads((folder / "gliner_config.json").read_text())
    (folder / "gliner_config.json").write_text(json.dumps({**settings, **change}))
    with pytest.raises(BionerError, match=told):
        GlinerTagger(folder, name="tiny", schema=SCHEMA, map={})


def test_pickled_weights_are_refused(stand_in, folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(BionerError, match="safetensors"):
        GlinerTagger(folder, name="tiny", schema=SCHEMA, map={})


def test_nothing_to_ask_for_is_an_error(stand_in, folder):
    with pytest.raises(BionerError, match="no labels of its own"):
        GlinerTagger(folder, name="tiny", schema={}, map={})


def test_without_the_package_one_line_names_the_extra(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "gliner", None)
    with pytest.raises(BionerError, match=r"spacy-bioner\[gliner\]"):
        GlinerTagger(folder, name="tiny", schema=SCHEMA, map={})


def test_a_folder_says_what_it_is(folder):
    assert find_kind(str(folder)) == ("gliner", folder)


@pytest.mark.parametrize("most", [1, 3, 8, 100])
def test_parts_hold_every_pre_token_and_are_short_enough(most):
    text = "One two three four five six seven. Eight nine. Ten. " * 3
    parts = cut_parts(text, "en", most=most)
    assert all(len(find_units(text[start:end])) <= most for start, end in parts)
    covered = {place for start, end in parts for place in range(start, end)}
    assert all(set(range(start, end)) <= covered for start, end in find_units(text))


def test_the_package_itself_finds_the_same(tmp_path):
    gliner = pytest.importorskip("gliner")
    words = {word: "O" for word in ("gout", "was", "treated", "with", "aspirin", ".", "disease", "cell", "type")}
    tokenizer = tiny_wordpiece(words, most=64)
    encoder = tiny_bert_config(len(tokenizer), most=64)
    for part in (tokenizer, encoder):
        part.save_pretrained(tmp_path / "encoder")
    model = gliner.GLiNER.from_config({
        "model_name": str(tmp_path / "encoder"), "encoder_config": encoder.to_dict(), "hidden_size": 16, "max_width": 3,
        "max_len": 32, "num_rnn_layers": 0}, backbone_from_pretrained=False)
    model.save_pretrained(tmp_path, safe_serialization=True)
    tagger = GlinerTagger(tmp_path, name="tiny", schema=SCHEMA, map={}, threshold=0.3)
    text = "Gout was treated with aspirin."
    (_, mentions), = tagger.find([Annotation(text)])
    whole = gliner.GLiNER.from_pretrained(str(tmp_path), local_files_only=True)
    found = whole.inference([text], ["disease", "cell type"], flat_ner=False, threshold=0.3)[0]
    assert {(one.start, one.end) for one in mentions} == {(one["start"], one["end"]) for one in found} != set()
