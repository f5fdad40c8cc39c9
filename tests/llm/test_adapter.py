"""The card of an adapter: asked as in training."""

import json
import shutil

import pytest
from tiny_models import tiny_lm

from spacy_bioner.codecs import make_codec
from spacy_bioner.errors import BionerError
from spacy_bioner.llm.adapter import CARD_FILE, CONFIG_FILE, WEIGHTS_FILE, AdapterCard
from spacy_bioner.llm.local.adapter_loading import read_adapter_config
from spacy_bioner.llm.local.causal_lm import load_causal_lm
from spacy_bioner.llm.local.model_source import EMBEDDED_ADAPTER
from spacy_bioner.prompts.build import PromptBuilder


def make_builder(codec="bracket", labels=("DISEASE",), template="annotate.en", corpus=""):
    return PromptBuilder(template=template, labels=dict.fromkeys(labels, ""), codec=make_codec(codec), corpus=corpus)


def make_card(builder, **other):
    settings = builder.settings()
    return AdapterCard(base_model="tiny", codec=settings["codec"], labels=settings["labels"],
                       corpus=settings["corpus"], template=settings["template"], template_source=settings["source"],
                       **other)


def test_card_survives_the_disk(tmp_path):
    card = make_card(make_builder(), seed=3, score={"f": 0.5}, versions={"torch": "2"})
    card.write(tmp_path)
    assert AdapterCard.read(tmp_path) == card


def test_same_settings_pass():
    assert make_card(make_builder()).check(make_builder().settings(), base_model="tiny", chat=False) == []


def test_other_labels_and_corpus_are_told_but_allowed():
    departures = make_card(make_builder()).check(make_builder(labels=("GENE",), corpus="X").settings())
    assert departures == ["labels", "corpus"]


@pytest.mark.parametrize("builder, asked, what", [
    pytest.param(make_builder(codec="json"), {}, "another codec", id="codec"),
    pytest.param(make_builder(template="annotate.zh"), {}, "another template", id="template"),
    pytest.param(make_builder(), {"base_model": "other"}, "another base model", id="base-model"),
    pytest.param(make_builder(), {"chat": True}, "another chat", id="chat"),
])
def test_settings_that_were_never_trained_with_are_refused(builder, asked, what):
    with pytest.raises(BionerError, match=what):
        make_card(make_builder()).check(builder.settings(), **asked)


def test_the_template_of_a_further_language_was_trained_with_too():
    card = make_card(make_builder(), more_templates={"annotate.zh": make_builder(template="annotate.zh").source})
    assert card.check(make_builder(template="annotate.zh").settings()) == []


def test_every_corpus_of_a_joint_training_was_trained_on():
    card = make_card(make_builder(), more_corpora=[{"labels": {"GENE": ""}, "corpus": "X", "lang": "en"}])
    assert card.check(make_builder(labels=("GENE",), corpus="X").settings()) == []
    assert card.check(make_builder(labels=("GENE",), corpus="Y").settings()) == ["labels", "corpus"]


WHOLE = {"base_model": "tiny", "codec": {"name": "bracket"}, "labels": {"DISEASE": ""}}


@pytest.mark.issue(21)
@pytest.mark.parametrize("content", [
    pytest.param(None, id="missing"), pytest.param("{", id="broken"), pytest.param("[]", id="list"),
    pytest.param('{"base_model": "x"}', id="half"), pytest.param('{"a":' * 99999, id="deep"),
    *(pytest.param(json.dumps({**WHOLE, key: value}), id=f"{key}-{value}") for key, value in (
        ("base_model", 3), ("base_model", None), ("codec", "bracket"), ("labels", ["DISEASE"]), ("labels", {"A": 1}),
        ("shapes", {"hidden_size": "wide"}), ("base_hash", 7), ("lang", None), ("chat", "yes"), ("more_corpora", [3]),
        ("max_sentences", 1.5), ("units_version", "1"), ("score", {"f": "high"}), ("more_templates", [])))])
def test_unreadable_card_is_a_clear_error(tmp_path, content):
    if content is not None:
        (tmp_path / CARD_FILE).write_text(content, encoding="utf8")
    with pytest.raises(BionerError, match="adapter card") as caught:
        AdapterCard.read(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_card_with_unknown_keys_is_read(tmp_path):
    (tmp_path / CARD_FILE).write_text(json.dumps({**WHOLE, "later": 1}), encoding="utf8")
    assert AdapterCard.read(tmp_path).labels == {"DISEASE": ""}


@pytest.mark.issue(6)
def test_another_order_of_labels_is_told():
    card = make_card(make_builder(labels=("DISEASE", "GENE")))
    assert card.check(make_builder(labels=("GENE", "DISEASE")).settings()) == ["labels"]
    further = make_card(make_builder(), more_corpora=[{"labels": {"A": "", "B": ""}, "corpus": "X", "lang": "en"}])
    assert further.check(make_builder(labels=("A", "B"), corpus="X").settings()) == []
    assert "labels" in further.check(make_builder(labels=("B", "A"), corpus="X").settings())


@pytest.mark.issue(6)
def test_model_is_known_by_its_shapes():
    shapes = {"hidden_size": 32, "num_hidden_layers": 2, "vocab_size": 97}
    make_card(make_builder(), shapes=shapes).check_model(shapes)
    make_card(make_builder()).check_model(shapes)  # a card from before they were kept
    with pytest.raises(BionerError, match="another base model.*tiny.*hidden_size"):
        make_card(make_builder(), shapes={**shapes, "hidden_size": 64}).check_model(shapes)


@pytest.mark.issue(6)
def test_models_of_the_same_shapes_are_told_apart_by_their_weights(tmp_path):
    """However they are called, saved and loaded: an adapter on another base model is an error."""
    hashes = {}
    for seed in (0, 1):
        lm = tiny_lm(seed)
        for size in ("5GB", "20KB"):
            folder = tmp_path / f"{seed}-{size}"
            lm.model.save_pretrained(folder, max_shard_size=size)
            lm.tokenizer.save_pretrained(folder)
            hashes[seed, size] = load_causal_lm(str(folder), dtype="float32").base_hash
        hashes[seed, "bfloat16"] = load_causal_lm(str(folder), dtype="bfloat16").base_hash
    assert len({value for (seed, _), value in hashes.items() if seed == 0}) == 1
    assert len(set(hashes.values())) == 2
    shapes = tiny_lm().shapes
    card = make_card(make_builder(), shapes=shapes, base_hash=hashes[0, "5GB"])
    card.check_model(shapes, hashes[0, "20KB"])
    with pytest.raises(BionerError, match="another base model.*of the same shapes"):
        card.check_model(shapes, hashes[1, "5GB"])


@pytest.mark.issue(6)
def test_an_adapter_trained_one_label_at_a_time_is_asked_so():
    card = make_card(make_builder(labels=("DISEASE", "GENE")), instruction="each")
    assert card.check(make_builder(labels=("GENE",)).settings()) == []
    assert card.check(make_builder(labels=("DRUG",)).settings()) == ["labels"]
    with pytest.raises(BionerError, match="one label at a time"):
        card.check(make_builder(labels=("DISEASE", "GENE")).settings())


@pytest.mark.issue(21)
@pytest.mark.parametrize("name, before", [
    pytest.param(WEIGHTS_FILE, b"", id="weights"),
    pytest.param(CONFIG_FILE, b'"lora_alpha": ', id="number"),
    pytest.param(CARD_FILE, b"adverse effects and ", id="definition"),
])
def test_one_changed_byte_of_an_adapter_is_named(tmp_path, name, before):
    folder = tmp_path / "adapter"
    shutil.copytree(EMBEDDED_ADAPTER, folder)
    read_adapter_config(folder)
    content = bytearray((folder / name).read_bytes())
    # All of them stay well-formed.
    place = content.index(before) + len(before) if before else len(content) - 9
    content[place] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(BionerError, match=f"{name} is not as the training wrote it"):
        read_adapter_config(folder)


@pytest.mark.issue(21)
def test_a_card_from_before_sums_were_kept_is_read(tmp_path):
    shutil.copytree(EMBEDDED_ADAPTER, tmp_path, dirs_exist_ok=True)
    content = json.loads((tmp_path / CARD_FILE).read_text(encoding="utf8"))
    del content["sha256"]
    (tmp_path / CARD_FILE).write_text(json.dumps({**content, "corpus": "Mine"}), encoding="utf8")
    read_adapter_config(tmp_path)
    assert AdapterCard.read(tmp_path).corpus == "Mine"
