"""Attention on a GPU is not planned anew for each shape; a CPU that trains in bfloat16 takes plain products."""

import time
from contextlib import nullcontext
from functools import partial

import pytest
import torch

from spacy_bioner.llm.local.causal_lm import load_causal_lm
from spacy_bioner.llm.local.passes.attention_kernels import leave_out_planned_attention, trained_attention


@pytest.fixture(autouse=True)
def as_before():
    planned = torch.backends.cuda.cudnn_sdp_enabled()
    torch.backends.cuda.enable_cudnn_sdp(True)
    yield
    torch.backends.cuda.enable_cudnn_sdp(planned)


@pytest.mark.parametrize("device, planned", [("cuda", False), ("cuda:1", False), ("cpu", True)])
def test_a_gpu_attends_without_plans_and_a_cpu_is_left_alone(device, planned):
    leave_out_planned_attention(torch.device(device))
    assert torch.backends.cuda.cudnn_sdp_enabled() is planned


@pytest.mark.gpu
def test_texts_of_ever_new_lengths_take_no_longer_than_those_of_one_length():
    lm = load_causal_lm("smollm2-135m-instruct", device="cuda", dtype="bfloat16")

    def time_passes(widths):
        torch.cuda.synchronize()
        started = time.perf_counter()
        for width in widths:
            lm.model.base_model(input_ids=torch.zeros((2, width), dtype=torch.long, device="cuda"), use_cache=False)
        torch.cuda.synchronize()
        return time.perf_counter() - started

    time_passes([64] * 3)
    assert time_passes(range(70, 110)) < 1.5 * time_passes([109] * 40)


def time_gradients(choice):
    """Least processor seconds of a forward pass and a gradient of a batch of short sentences."""
    parts = [torch.ones(60, 12, 12, 32, dtype=torch.bfloat16, requires_grad=True) for _ in range(3)]
    mask = torch.zeros(60, 1, 12, 12, dtype=torch.bfloat16)
    seconds = []
    for _ in range(4):
        started = time.process_time()
        with choice():
            torch.nn.functional.scaled_dot_product_attention(*parts, attn_mask=mask).sum().backward()
        seconds.append(time.process_time() - started)
    return min(seconds)


def test_gradients_in_bfloat16_on_a_cpu_take_less_than_those_of_the_fused_kernel():
    # By a factor of four to eight.
    assert 1.5 * time_gradients(partial(trained_attention, torch.device("cpu"), torch.bfloat16)) < \
        time_gradients(nullcontext)


@pytest.mark.parametrize("device, dtype, fused", [("cpu", torch.bfloat16, False), ("cpu", torch.float32, True),
                                                  ("cuda", torch.bfloat16, True)])
def test_only_a_cpu_in_bfloat16_does_without_the_fused_kernel(device, dtype, fused):
    with trained_attention(torch.device(device), dtype):
        assert torch.backends.cuda.flash_sdp_enabled() is fused
