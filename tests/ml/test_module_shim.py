import pytest
import torch
from thinc.api import Adam

from spacy_bioner.errors import BionerError
from spacy_bioner.ml.module_shim import ModuleShim


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
    shim = make_shim(rate_factor=lambda name: 10.0 if name.startswith("1.") else 0.0)
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
