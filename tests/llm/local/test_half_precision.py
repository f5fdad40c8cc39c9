"""Which number type a device computes in where nothing is said."""

import time

import pytest
import torch

from spacy_bioner.llm.local.half_precision import is_quick_in_bfloat16

CPU = torch.device("cpu")


@pytest.mark.parametrize("capabilities, quick", [
    pytest.param({"cpu_name": "Intel Xeon", "avx512_bf16": True, "amx_bf16": True}, True, id="AMX"),
    pytest.param({"cpu_name": "Intel Xeon", "avx512_bf16": True, "amx_bf16": False}, False, id="AMX is hidden"),
    pytest.param({"cpu_name": "AMD EPYC", "avx512_bf16": True}, True, id="not of Intel"),
    pytest.param({"cpu_name": "AMD EPYC", "avx512_bf16": False}, False, id="old"),
    pytest.param({}, False, id="nothing known"),
])
def test_a_processor_is_taken_for_what_it_says(monkeypatch, capabilities, quick):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert is_quick_in_bfloat16(CPU) is quick


def test_a_torch_that_cannot_say_it_computes_in_float32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert is_quick_in_bfloat16(CPU) is False


@pytest.mark.slow
def test_this_machine_is_not_much_slower_in_what_is_chosen():
    """What a linear layer of the embedded model takes, at least of twenty times each."""
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        states, weight = torch.ones(1024, 576, dtype=dtype), torch.ones(1536, 576, dtype=dtype)
        times = []
        for _ in range(20):
            began = time.perf_counter()
            torch.nn.functional.linear(states, weight)
            times.append(time.perf_counter() - began)
        seconds[dtype] = min(times)
    chosen, other = ((torch.bfloat16, torch.float32) if is_quick_in_bfloat16(CPU) else
                     (torch.float32, torch.bfloat16))
    assert seconds[chosen] < 1.25 * seconds[other]
