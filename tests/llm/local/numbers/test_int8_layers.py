"""Frozen layers with 8-bit weights, through which gradients go to what is trained below."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from spacy_bioner.llm.local.numbers.int8_layers import FrozenInt8Linear, Int8Linear, can_use_int8, put_int8

pytestmark = [pytest.mark.issue(22), pytest.mark.skipif(not can_use_int8(), reason="no fast products of 8-bit numbers")]


@pytest.mark.parametrize("has_bias", [True, False])
def test_outputs_and_gradients_are_nearly_those_of_the_float_layer(has_bias):
    torch.manual_seed(0)
    layer = torch.nn.Linear(96, 64, bias=has_bias).requires_grad_(False)
    rounded = FrozenInt8Linear(96, 64, has_bias=has_bias).fill(layer)
    values = torch.randn(3, 40, 96, requires_grad=True)
    outer = torch.randn(3, 40, 64)
    found = []
    for linear in (layer, rounded):
        values.grad = None
        output = linear(values)
        output.backward(outer)
        found.append((output.detach(), values.grad))
    for exact, near in zip(*found):
        assert near.shape == exact.shape
        assert 0 < (near - exact).norm() / exact.norm() < 0.03


def test_a_row_does_not_depend_on_the_others():
    torch.manual_seed(3)
    layer = Int8Linear(24, 10, has_bias=True).fill(torch.nn.Linear(24, 10))
    rows = torch.randn(9, 24).abs() * torch.tensor([1.0] * 8 + [-50.0])[:, None]
    together = layer(rows)
    for number in range(len(rows)):
        assert torch.equal(layer(rows[number:number + 1]), together[number:number + 1])


def test_layers_that_are_trained_keep_their_weights():
    model = torch.nn.Sequential(torch.nn.Linear(8, 8).requires_grad_(False), torch.nn.Linear(8, 8))
    model.get_input_embeddings = lambda: None
    put_int8(model, trains_below=True)
    frozen, trained = model
    assert isinstance(frozen, FrozenInt8Linear) and isinstance(trained, torch.nn.Linear)
    model(torch.randn(4, 8)).sum().backward()
    assert trained.weight.grad is not None and frozen.weight.grad is None


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc here")
def test_memory_of_the_float_weights_is_given_back():
    script = """
import torch
from spacy_bioner.llm.local.numbers.int8_layers import put_int8

def held():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("RssAnon")) // 1024

# What was freed once is taken from the heap from then on.
large = torch.empty(4_000_000)
del large
layers = torch.nn.Sequential(*(torch.nn.Linear(576, 576) for _ in range(80)))
layers.get_input_embeddings = lambda: None
before = held()
put_int8(layers)
print(before - held())
"""
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    # 101 MB of float weights, 25 MB of whole numbers.
    assert int(shown.stdout) > 50
