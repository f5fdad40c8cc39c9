"""Adapters: their files are checked before anything is loaded, and no hub is asked for a folder's name."""

import json
import socket
from copy import deepcopy

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from tiny_models import tiny_lm

from spacy_bioner.errors import BionerError
from spacy_bioner.llm.adapter import CONFIG_FILE, WEIGHTS_FILE
from spacy_bioner.llm.local.adapter_loading import add_adapter, read_adapter_config
from spacy_bioner.llm.local.causal_lm import load_causal_lm
from spacy_bioner.llm.local.fingerprint import adapter_fingerprint


@pytest.fixture
def adapter(tmp_path):
    """The folder of an adapter of the tiny model, with weights that change it."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        wrapped = get_peft_model(deepcopy(tiny_lm().model), LoraConfig(
            task_type="CAUSAL_LM", r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False))
    folder = tmp_path / "adapter"
    wrapped.save_pretrained(folder, save_embedding_layers=False)
    return folder


@pytest.fixture
def no_network(monkeypatch):
    """Whoever asks for an address fails the test."""
    asked = []

    def refuse(*address, **settings):
        asked.append(address)
        raise OSError("no network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    yield
    assert not asked


def _change(adapter, **values):
    path = adapter / CONFIG_FILE
    path.write_text(json.dumps({**json.loads(path.read_text("utf8")), **values}), encoding="utf8")


def _cut(adapter, size):
    path = adapter / WEIGHTS_FILE
    path.write_bytes(path.read_bytes()[:size])


def _to_pickle(adapter):
    torch.save(load_file(adapter / WEIGHTS_FILE), adapter / "adapter_model.bin")
    (adapter / WEIGHTS_FILE).unlink()


def _drop_weights(adapter):
    weights = load_file(adapter / WEIGHTS_FILE)
    weights.pop(next(iter(weights)))
    save_file(weights, adapter / WEIGHTS_FILE)


def _load(adapter):
    return add_adapter(deepcopy(tiny_lm().model), adapter, torch.float32, merge=True)


@pytest.mark.parametrize("rank_pattern", [{}, {"layers.0.self_attn.q_proj": 2}])
def test_the_model_equals_that_of_peft(tmp_path, no_network, rank_pattern):
    wrapped = get_peft_model(deepcopy(tiny_lm().model), LoraConfig(
        task_type="CAUSAL_LM", r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False, use_rslora=True,
        rank_pattern=rank_pattern))
    wrapped.save_pretrained(tmp_path / "adapter", save_embedding_layers=False)
    wanted = PeftModel.from_pretrained(deepcopy(tiny_lm().model), str(tmp_path / "adapter")).merge_and_unload()
    found, wanted = (model.state_dict() for model in (_load(tmp_path / "adapter"), wanted))
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)
    assert not all(torch.equal(found[name], weight) for name, weight in tiny_lm().model.state_dict().items())


@pytest.mark.issue(21)
@pytest.mark.parametrize("change, why", [
    pytest.param(lambda folder: (folder / WEIGHTS_FILE).unlink(), f"no such file as {WEIGHTS_FILE}", id="no-weights"),
    pytest.param(_to_pickle, "adapter_model.bin is a pickle", id="pickle"),
    pytest.param(lambda folder: _cut(folder, 200), "damaged or not safetensors", id="cut"),
    pytest.param(lambda folder: _cut(folder, 4), "damaged or not safetensors", id="cut-head"),
    pytest.param(lambda folder: _cut(folder, -1), "damaged or not safetensors", id="cut-by-one"),
    pytest.param(lambda folder: (folder / WEIGHTS_FILE).write_bytes(b"\xff" * 999), "not safetensors", id="noise"),
    pytest.param(_drop_weights, "lacks 1 of its weights", id="missing-weight"),
    pytest.param(lambda folder: (folder / CONFIG_FILE).write_text("{"), "is not JSON", id="cut-config"),
    pytest.param(lambda folder: (folder / CONFIG_FILE).write_text("r: 8"), "is not JSON", id="no-json"),
    pytest.param(lambda folder: (folder / CONFIG_FILE).write_text("[1]"), "is not a JSON object", id="list"),
    pytest.param(lambda folder: (folder / CONFIG_FILE).write_text('{"a":' * 99999), "nests deeper", id="deep"),
    pytest.param(lambda folder: (folder / CONFIG_FILE).write_text(" " * (17 << 20)), "wanted at most", id="large"),
    pytest.param(lambda folder: _change(folder, peft_type="IA3"), "peft_type in", id="kind"),
    pytest.param(lambda folder: _change(folder, r="8"), "r in adapter_config.json", id="rank-is-a-string"),
    pytest.param(lambda folder: _change(folder, r=0), "r in adapter_config.json", id="rank-is-0"),
    pytest.param(lambda folder: _change(folder, r=10**9), "has the rank 1000000000", id="rank-is-huge"),
    pytest.param(lambda folder: _change(folder, lora_alpha=None), "lora_alpha in", id="scale"),
    pytest.param(lambda folder: _change(folder, target_modules={"a": 1}), "target_modules", id="modules"),
    pytest.param(lambda folder: _change(folder, megatron_config={"a": 1}), "megatron_config in", id="module-by-name"),
    pytest.param(lambda folder: _change(folder, init_lora_weights="pissa"), "init_lora_weights", id="other-base"),
    pytest.param(lambda folder: _change(folder, target_modules=["no_such"]), "another base model", id="no-module"),
    pytest.param(lambda folder: _change(folder, r=2), "another base model", id="rank-differs"),
    pytest.param(lambda folder: (folder / CONFIG_FILE).unlink(), "No adapter in", id="no-config"),
])
def test_a_folder_that_is_no_lora_adapter_is_one_line_and_asks_no_hub(adapter, no_network, change, why):
    change(adapter)
    with pytest.raises(BionerError, match=why) as caught:
        _load(adapter)
    assert "\n" not in str(caught.value)


@pytest.mark.issue(21)
def test_an_adapter_is_checked_before_its_model_is_loaded(adapter, no_network):
    (adapter / WEIGHTS_FILE).unlink()
    with pytest.raises(BionerError, match="no such file as adapter_model.safetensors"):
        load_causal_lm("no/such", adapter=str(adapter))


@pytest.mark.issue(21)
def test_the_fingerprint_covers_every_byte_that_is_loaded(adapter):
    first = adapter_fingerprint(adapter)
    (adapter / "README.md").write_text("not loaded")
    assert adapter_fingerprint(adapter) == first
    path = adapter / WEIGHTS_FILE
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert adapter_fingerprint(adapter) != first
    changed = adapter_fingerprint(adapter)
    _change(adapter, lora_alpha=5)
    assert adapter_fingerprint(adapter) not in (first, changed)


def test_a_whole_adapter_is_read(adapter):
    config = read_adapter_config(adapter)
    assert (config.r, config.lora_alpha, sorted(config.target_modules)) == (4, 8.0, ["q_proj", "v_proj"])
