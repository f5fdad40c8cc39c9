"""The folder of a head start: what LoRA has learnt comes back as differences, and another model or file is refused."""

import json

import pytest
import torch
from tiny_models import write_bert
from transformers import BertModel

from spacy_bioner.annotation import Annotation
from spacy_bioner.errors import BionerError
from spacy_bioner.formats.jsonl import write_jsonl
from spacy_bioner.ml.encoder.encoder_lora import add_lora, describe_base
from spacy_bioner.ml.head_start.folder import (
    WEIGHTS_FILE,
    find_head_start,
    read_card,
    read_head_start,
    write_head_start,
)
from spacy_bioner.ml.spans.span_grid import SpanGrid
from spacy_bioner.training.training_texts import TrainingTexts

SIZES = {"n_in": 16, "n_labels": 2, "hidden_size": 5, "rank": 4, "max_length": 7, "dropout": 0.0}


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return write_bert(tmp_path_factory.mktemp("bert"))


@pytest.fixture
def trained(bert, tmp_path):
    """Return an encoder with LoRA that has learnt something, and the head start written of it."""
    encoder = BertModel.from_pretrained(bert, add_pooling_layer=False)
    base = describe_base(encoder)
    add_lora(encoder, {"rank": 2, "alpha": 6, "dropout": 0.0})
    torch.manual_seed(1)
    for name, value in encoder.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(value, std=0.1)
    folder = tmp_path / "start"
    folder.mkdir()
    write_jsonl(tmp_path / "texts.jsonl", [Annotation("The patient had gout in both of the knees.", (), id="1")])
    TrainingTexts.read([tmp_path / "texts.jsonl"]).write(folder)
    write_head_start(folder, encoder, SpanGrid(**SIZES), {
        "encoder": "tiny", "base": base, "grid": SIZES, "labels": ["a/GENE", "b/CELL"], "sources": {"a": {}, "b": {}}})
    return encoder.eval(), folder


def test_a_base_model_with_the_differences_gives_what_the_trained_one_gives(bert, trained):
    encoder, folder = trained
    other, plain = (BertModel.from_pretrained(bert, add_pooling_layer=False).eval() for _ in range(2))
    read_head_start(folder).add_to(other, "tiny")
    ids = torch.arange(5, 25)[None]
    with torch.no_grad():
        wanted, found, before = (model(ids).last_hidden_state for model in (encoder, other, plain))
    assert (found - wanted).abs().max() < 0.01 * (before - wanted).abs().max()


def test_all_files_can_be_read_by_the_same_people(trained):
    assert len({path.stat().st_mode for path in trained[1].iterdir()}) == 1


def test_another_model_is_refused(trained, tmp_path):
    (tmp_path / "other").mkdir()
    other = BertModel.from_pretrained(write_bert(tmp_path / "other", seed=5), add_pooling_layer=False)
    with pytest.raises(BionerError, match="is for the encoder 'tiny', not for 'other'"):
        read_head_start(trained[1]).add_to(other, "other")


def damage(folder, how):
    if how == "missing":
        (folder / "training_texts.json").unlink()
    elif how == "changed":
        (folder / WEIGHTS_FILE).write_bytes((folder / WEIGHTS_FILE).read_bytes() + b"x")
    else:
        content = json.loads((folder / "head_start.json").read_text())
        (folder / "head_start.json").write_text(json.dumps({**content, "kind": "another"}))


@pytest.mark.parametrize("how, why", [("missing", "no such file as training_texts.json"),
                                      ("changed", "weights.safetensors has another checksum"),
                                      ("kind", "of the kind 'another'")])
def test_a_damaged_folder_is_refused(trained, how, why):
    damage(trained[1], how)
    with pytest.raises(BionerError, match=why):
        read_head_start(trained[1])


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(BionerError, match="is no head start that can be used: no such file as head_start.json"):
        read_card(tmp_path)


def test_the_name_packaged_stands_for_a_folder_of_the_package():
    assert find_head_start("packaged").parts[-3:] == ("ml", "head_start", "packaged")
