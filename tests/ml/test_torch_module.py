import os
import subprocess
import sys

import pytest
import torch
from thinc.api import Adam

from spacy_bioner.errors import BionerError
from spacy_bioner.ml.torch_module import ModuleShim


def build(config):
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(config["width"], 2), torch.nn.Linear(2, 1))


def make_shim(**options):
    shim = ModuleShim(build, **options)
    shim.set_module(build({"width": 3}), {"width": 3})
    return shim


def step(shim, optimizer):
    shim.module(torch.ones(4, 3)).sum().backward()
    shim.finish_update(optimizer)
    optimizer.step_schedules()


def test_groups_step_by_their_own_rates():
    shim = make_shim(rate_factor=lambda name, module: 10.0 if name.startswith("1.") else 0.0)
    before = {name: value.detach().clone() for name, value in shim.module.named_parameters()}
    step(shim, Adam(0.01, use_averages=False))
    moved = {name: bool((value != before[name]).any()) for name, value in shim.module.named_parameters()}
    assert moved == {"0.weight": False, "0.bias": False, "1.weight": True, "1.bias": True}


def test_frozen_parameters_stay():
    shim = make_shim()
    shim.module[0].requires_grad_(False)
    before = shim.module[0].weight.clone()
    step(shim, Adam(0.01, use_averages=False))
    assert torch.equal(before, shim.module[0].weight)


def test_averages_serve_inside_the_block_only():
    shim, optimizer = make_shim(average=0.9), Adam(0.1, use_averages=False)
    for _ in range(5):
        step(shim, optimizer)
    trained = shim.module[1].bias.detach().clone()
    with shim.use_params(optimizer.averages):
        averaged = shim.module[1].bias.detach().clone()
    assert not torch.equal(trained, averaged)
    assert torch.equal(trained, shim.module[1].bias)


def test_bytes_bring_config_and_weights_back():
    shim = make_shim()
    other = ModuleShim(build).from_bytes(shim.to_bytes())
    assert other.config == {"width": 3}
    assert torch.equal(other.module(torch.ones(1, 3)), shim.module(torch.ones(1, 3)))


def test_an_empty_shim_is_stored_and_says_so_when_used():
    shim = ModuleShim(build).from_bytes(ModuleShim(build).to_bytes())
    with pytest.raises(BionerError, match="not initialized"):
        shim.module  # noqa: B018


@pytest.mark.issue(22)
def test_all_parts_are_in_the_mode_that_is_asked_for():
    shim = ModuleShim(build)
    module = build({"width": 3})
    module[1].eval()
    shim.set_module(module, {"width": 3})
    for is_train in (True, False, True):
        assert shim.for_mode(is_train=is_train) is module
        assert [part.training for part in module.modules()] == [is_train] * 3


class Renamed(torch.nn.Module):
    """The same weights under other names, as another version of peft would give them."""

    def __init__(self, config):
        super().__init__()
        self.inner = build(config)


@pytest.mark.parametrize("trained_only", [True, False])
def test_weights_under_other_names_are_told(trained_only):
    stored = make_shim(trained_only=trained_only).to_bytes()
    with pytest.raises(BionerError, match="4 weights missing, 4 without a place"):
        ModuleShim(Renamed, trained_only=trained_only).from_bytes(stored)
    with pytest.raises(BionerError, match="size mismatch"):
        ModuleShim(lambda config: build({"width": 5}), trained_only=trained_only).from_bytes(stored)


def test_what_was_not_stored_because_it_is_frozen_may_be_missing():
    shim = make_shim(trained_only=True)
    shim.module[0].requires_grad_(False)

    def frozen(config):
        module = build(config)
        module[0].requires_grad_(False)
        return module

    other = ModuleShim(frozen, trained_only=True).from_bytes(shim.to_bytes())
    assert torch.equal(other.module(torch.ones(1, 3)), shim.module(torch.ones(1, 3)))


def test_epsilon_is_that_of_the_optimizer():
    moved = []
    for eps in (1e-8, 1e3):
        shim = make_shim()
        before = shim.module[1].bias.detach().clone()
        step(shim, Adam(0.1, use_averages=False, eps=eps))
        moved.append(float((shim.module[1].bias - before).abs().max().detach()))
    assert moved[1] < moved[0] / 100


FORKED = """
import spacy
nlp = spacy.blank("en")
nlp.add_pipe("bioner_spancat", config={"model": {"@architectures": "spacy-bioner.SpanGrid.v1", "hidden_size": 16,
             "rank": 8, "tok2vec": {"@architectures": "spacy.HashEmbedCNN.v2", "pretrained_vectors": None, "width": 32,
             "depth": 1, "embed_size": 100, "window_size": 1, "maxout_pieces": 2, "subword_features": True}}})
nlp.get_pipe("bioner_spancat").add_label("D")
nlp.initialize()
texts = ["In this family of many the doctors found gout again and again."] * 64
if __name__ == "__main__":
    list(nlp.pipe(texts))
    print(len(list(nlp.pipe(texts, n_process=2, batch_size=8))))
"""


# Windows has no fork: there each process loads the pipeline anew, and has no threads of a parent to wait for.
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_a_pipeline_that_was_used_can_be_used_in_several_processes(tmp_path):
    """Threads do not survive a fork: a child that waited for its parent's would wait for ever."""
    (tmp_path / "forked.py").write_text(FORKED)
    done = subprocess.run([sys.executable, tmp_path / "forked.py"], capture_output=True, text=True, timeout=240)
    assert done.stdout.split() == ["64"], done.stderr
