"""Loading models: one place, local folders, no code of theirs, one line where a folder cannot be read."""

import ast
import json

import pytest
import torch
import transformers
from places import ROOT
from tiny_models import tiny_lm

from spacy_bioner.errors import BionerError
from spacy_bioner.finetuning.selection.diversity import embed_sentences
from spacy_bioner.llm.local.causal_lm import load_causal_lm
from spacy_bioner.llm.local.pretrained import build_model, load_model, load_tokenizer
from spacy_bioner.llm.server.server_source import read_counter
from spacy_bioner.ml.architectures import make_marked_selector, make_transformer_encoder

CODE = """
from pathlib import Path
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

Path({marker!r}).write_text("the code ran")


class Config(LlamaConfig):
    model_type = {model_type!r}


class Model(LlamaForCausalLM):
    config_class = Config


class Tokens(PreTrainedTokenizerFast):
    pass
"""


@pytest.fixture
def saved(tmp_path):
    """The folder of a whole model."""
    folder = tmp_path / "model"
    tiny_lm().model.save_pretrained(folder)
    tiny_lm().tokenizer.save_pretrained(folder)
    return folder


def _change(path, **values):
    path.write_text(json.dumps({**json.loads(path.read_text("utf8")), **values}), encoding="utf8")


def _add_code(folder, model_type):
    marker = folder.parent / "ran"
    (folder / "custom.py").write_text(CODE.format(marker=str(marker), model_type=model_type), encoding="utf8")
    auto = {"AutoConfig": "custom.Config", "AutoModel": "custom.Model", "AutoModelForCausalLM": "custom.Model"}
    _change(folder / "config.json", model_type=model_type, auto_map=auto)
    _change(folder / "tokenizer_config.json", tokenizer_class="Tokens", auto_map={
        "AutoTokenizer": ["custom.Tokens", "custom.Tokens"]})
    return marker


def _cut(path, size):
    path.write_bytes(path.read_bytes()[:size])


CALLS = {
    "llm": load_causal_lm,
    "diversity": lambda folder: embed_sentences(["a"], encoder=folder),
    "encoder": lambda folder: make_transformer_encoder(folder, max_pieces=120).initialize(),
    "causal-selector": lambda folder: make_marked_selector(folder, "llm_causal").initialize(),
    "encoder-selector": lambda folder: make_marked_selector(folder, "bert_cls").initialize(),
    "server": read_counter,
}


@pytest.mark.issue(21)
@pytest.mark.parametrize("model_type", [pytest.param("llama", id="known-type"), pytest.param("odd", id="own-type")])
@pytest.mark.parametrize("call", CALLS)
def test_code_of_a_model_folder_never_runs_and_nothing_is_asked(saved, monkeypatch, call, model_type):
    marker, asked = _add_code(saved, model_type), []
    monkeypatch.setattr("builtins.input", lambda *prompt: asked.append(prompt) or "y")
    try:
        CALLS[call](str(saved))
    except BionerError as error:
        assert "\n" not in str(error)
    assert not marker.exists() and not asked


@pytest.mark.issue(21)
def test_only_one_module_calls_the_loaders_of_transformers():
    loaders = {"from_pretrained", "from_config", "for_model", "pipeline"}
    callers = set()
    for path in sorted(path for folder in ("spacy_bioner", "benchmarks") for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            imported = [name.name for name in node.names] if isinstance(node, ast.ImportFrom) else []
            # GLiNER is no model of transformers, and has a loader of its own; `refuse_code` sees its settings first.
            is_other = not isinstance(node, ast.Attribute) or ast.unparse(node.value) == "GLiNER"
            called = None if is_other else node.attr
            if called in loaders - {"pipeline"} or getattr(node, "module", None) == "transformers" and any(
                    name.startswith("Auto") or name in loaders for name in imported):
                callers.add(path.relative_to(ROOT).as_posix())
    assert callers == {"spacy_bioner/llm/local/pretrained.py"}


@pytest.mark.issue(21)
@pytest.mark.parametrize("change, why", [
    pytest.param(lambda folder: (folder / "config.json").write_text("{"), "config.json is not JSON", id="cut-config"),
    pytest.param(lambda folder: (folder / "config.json").write_text("[]"), "is not a JSON object", id="list"),
    pytest.param(lambda folder: (folder / "config.json").write_text('{"a":' * 110 + "1" + "}" * 110), "nests deeper",
                 id="deep"),
    pytest.param(lambda folder: (folder / "config.json").write_text('{"a":' * 99999), "nests deeper", id="very-deep"),
    pytest.param(lambda folder: (folder / "config.json").write_bytes(b"\xff\xfe"), "is not UTF-8", id="no-utf-8"),
    pytest.param(lambda folder: _change(folder / "config.json", hidden_size="wide"), "cannot be read", id="type"),
    pytest.param(lambda folder: _change(folder / "config.json", model_type="odd"), "cannot be read", id="odd-type"),
    pytest.param(lambda folder: _cut(folder / "model.safetensors", 1000), "damaged or not safetensors", id="cut"),
    pytest.param(lambda folder: _cut(folder / "model.safetensors", 4), "damaged or not safetensors", id="cut-head"),
    pytest.param(lambda folder: (folder / "model.safetensors").unlink(), "no safetensors weights", id="no-weights"),
    pytest.param(lambda folder: (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "a/b"}'),
                 "folder of an adapter too", id="adapter"),
    pytest.param(lambda folder: _change(folder / "config.json", attn_implementation="some-org/kernel"),
                 "needs code of its own", id="kernel"),
])
def test_a_damaged_model_folder_is_one_line(saved, change, why):
    change(saved)
    with pytest.raises(BionerError, match=why) as caught:
        load_model(saved, dtype=torch.float32, causal=True)
    assert "\n" not in str(caught.value)


@pytest.mark.issue(21)
def test_a_pickle_in_place_of_safetensors_is_not_read(saved):
    (saved / "model.safetensors").unlink()
    torch.save(tiny_lm().model.state_dict(), saved / "pytorch_model.bin")
    with pytest.raises(BionerError, match="no safetensors weights"):
        load_model(saved, dtype=torch.float32)


@pytest.mark.issue(20)
@pytest.mark.skipif(not transformers.__version__.startswith("4."), reason="transformers 5 reads what it writes")
def test_a_model_of_transformers_5_is_not_read_with_wrong_positions_by_4(saved):
    _change(saved / "config.json", rope_parameters={"rope_theta": 100000.0, "rope_type": "default"})
    with pytest.raises(BionerError, match="written by transformers 5"):
        load_model(saved, dtype=torch.float32, causal=True)


@pytest.mark.parametrize("settings, why", [
    pytest.param({"model_type": "odd"}, "cannot be read", id="type"),
    pytest.param({}, "cannot be read: 'model_type'", id="none"),
    pytest.param({"model_type": "bert", "attn_implementation": "some-org/kernel"}, "code of its own", id="kernel"),
])
def test_settings_of_a_pipeline_that_describe_no_model_are_one_line(settings, why):
    with pytest.raises(BionerError, match=why):
        build_model(settings)


@pytest.mark.issue(21)
@pytest.mark.parametrize("content", ["{}", '{"model": {"type": "nothing"}}', "[]", '{"version": "1.0"}'])
def test_a_malformed_tokenizer_is_one_line(tmp_path, content):
    (tmp_path / "tokenizer.json").write_text(content)
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    with pytest.raises(BionerError) as error:
        load_tokenizer(tmp_path)
    assert "\n" not in str(error.value)
