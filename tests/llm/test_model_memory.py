"""A model that does not fit into memory is refused before its weights are read."""

import logging

import numpy
import pytest
import torch
from safetensors.numpy import save_file

from spacy_bioner.errors import BionerError
from spacy_bioner.llm import model_memory as memory
from spacy_bioner.llm.model_memory import estimate_bytes, free_bytes, refuse_too_large

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a million weights in two files, a tenth of them word vectors."""
    save_file({"embed_tokens.weight": numpy.zeros((100, 1000), "float32")}, tmp_path / "model-1.safetensors")
    save_file({"layer.weight": numpy.zeros((900, 1000), "float32")}, tmp_path / "model-2.safetensors")
    return tmp_path


@pytest.mark.parametrize("dtype, quantized, wanted", [
    pytest.param(torch.float32, False, 4e6, id="float32"),
    pytest.param(torch.bfloat16, False, 2e6, id="bfloat16"),
    pytest.param(torch.bfloat16, True, 0.2e6 + 0.55 * 0.9e6, id="4bit"),
])
def test_the_weights_of_all_files_count(folder, dtype, quantized, wanted):
    assert estimate_bytes(folder, dtype=dtype, quantized=quantized) == pytest.approx(wanted)


@pytest.mark.parametrize("free, told", [(3e6, "error"), (4.4e6, "warning"), (9e6, "")])
def test_what_is_needed_and_free_is_told(folder, monkeypatch, caplog, free, told):
    monkeypatch.setattr(memory, "free_bytes", lambda device: free)
    caplog.set_level(logging.WARNING)
    if told == "error":
        with pytest.raises(BionerError, match=r"big need 0\.0 GB.*server"):
            refuse_too_large(folder, name="big", dtype=torch.float32, device=CPU)
    else:
        refuse_too_large(folder, name="big", dtype=torch.float32, device=CPU)
    assert bool(caplog.records) == (told == "warning")


def test_a_limit_of_the_container_counts(tmp_path, monkeypatch):
    (tmp_path / "meminfo").write_text("MemTotal: 9000 kB\nMemAvailable:    8000 kB\n")
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    assert free_bytes(CPU) == 8000 * 1024
    (tmp_path / "memory.current").write_text("1000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert free_bytes(CPU) == 8000 * 1024
    (tmp_path / "memory.max").write_text("5000\n")
    assert free_bytes(CPU) == 4000


def test_a_damaged_file_is_left_to_the_loader(folder):
    (folder / "model-1.safetensors").write_bytes(b"no")
    assert estimate_bytes(folder, dtype=torch.float32) == 0
    refuse_too_large(folder, name="broken", dtype=torch.float32, device=CPU)
