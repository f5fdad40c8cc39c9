"""Attention on a GPU is not planned anew for each shape; a CPU is left as it is."""

import time

import pytest
import torch

from spacy_bioner.llm.local.attention_kernels import leave_out_planned_attention
from spacy_bioner.llm.local.causal_lm import load_causal_lm


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
