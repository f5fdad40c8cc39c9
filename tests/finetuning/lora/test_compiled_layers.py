"""Compiled layers train as others do."""

import shutil
from functools import partialmethod

import pytest
import torch
from learning_models import make_pairs, make_tiny_model
from torch._dynamo.utils import counters

from spacy_bioner.errors import BionerError
from spacy_bioner.finetuning.lora.adapter_model import put_adapter
from spacy_bioner.finetuning.lora.checkpoints import Checkpoints
from spacy_bioner.finetuning.lora.compiled_layers import compile_layers, uncompiled
from spacy_bioner.finetuning.lora.lora_settings import LoraSettings, TrainingSettings
from spacy_bioner.finetuning.lora.processes import Processes
from spacy_bioner.finetuning.lora.trainer import Trainer


def make_trainer(folder, score=None, **settings):
    training = TrainingSettings(batch_size=3, max_epochs=2, warmup_ratio=0, **settings)
    model = put_adapter(make_tiny_model(), LoraSettings(r=2), seed=0)
    return Trainer(make_pairs(9), model=model, checkpoints=Checkpoints(folder), training=training, fingerprint="",
                   score=score, progress=None, processes=Processes())


# A machine without a compiler cannot compile; that this is told to its user (E313) is tested below, on every machine.
@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="layers are compiled by g++ on a CPU")
def test_the_losses_are_those_of_layers_that_are_not_compiled(tmp_path):
    plain, compiled = make_trainer(tmp_path / "plain"), make_trainer(tmp_path / "compiled", compile=True)
    for trainer in (plain, compiled):
        trainer.run()
    losses = [[row["loss"] for row in trainer.state.history] for trainer in (plain, compiled)]
    assert losses[1] == pytest.approx(losses[0], abs=1e-4)
    assert losses[0][-1] != pytest.approx(losses[0][0], abs=1e-2)


def test_dev_is_decoded_without_compiled_layers(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(torch.nn.Module, "compile", partialmethod(torch.nn.Module.compile, backend="eager"))
    model, tokens = make_tiny_model(), torch.tensor([[1, 2, 3]])
    before = model(input_ids=tokens).logits
    compile_layers(model)
    counters.clear()
    with uncompiled(), torch.inference_mode():
        after = model(input_ids=tokens).logits
    assert not counters["frames"]
    torch.testing.assert_close(after, before)
    model(input_ids=tokens)
    assert counters["frames"]["ok"]


def test_dev_is_scored_without_a_word_to_the_compiler_where_nothing_is_compiled(tmp_path, monkeypatch):
    monkeypatch.delattr(torch.compiler, "set_stance")
    trainer = make_trainer(tmp_path, score=lambda model: 0.5, max_steps=1)
    trainer.run()
    assert trainer.state.scores == [(1, 0.5)]


def test_one_compilation_serves_all_layers_and_shapes_and_one_more_those_of_one_row(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(torch.nn.Module, "compile", partialmethod(torch.nn.Module.compile, backend="eager"))
    torch.compiler.reset()
    model = put_adapter(make_tiny_model(), LoraSettings(r=2), seed=0).train()
    compile_layers(model)
    counters.clear()
    done = []
    for shape in ((3, 7), (4, 9), (2, 30), (1, 12), (1, 21), (5, 8)):
        model.get_base_model().base_model(input_ids=torch.ones(shape, dtype=torch.long), use_cache=False)
        done.append(counters["frames"]["ok"])
    assert done == [1, 1, 1, 2, 2, 2]


def test_a_machine_without_a_compiler_says_so(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(BionerError, match=r"'compile' needs a C\+\+ compiler, which is missing"):
        compile_layers(make_tiny_model())


def test_a_model_that_names_no_layers_is_not_compiled(monkeypatch):
    model = make_tiny_model()
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(model, "_no_split_modules", None)
    with pytest.raises(BionerError, match="does not name its layers"):
        compile_layers(model)
