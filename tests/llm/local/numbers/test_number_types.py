"""Which number type a device computes in where nothing is said: what was measured on it."""

import json
import logging

import pytest
import torch

from spacy_bioner.llm.local.causal_lm import choose_int8
from spacy_bioner.llm.local.numbers import number_types
from spacy_bioner.llm.local.numbers.number_types import (
    is_quick_in_bfloat16,
    is_quickest_in_int8,
    measure_number_types,
    read_number_types,
)

pytestmark = pytest.mark.issue(22)
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def machine(tmp_path, monkeypatch):
    """Return a function that sets what a measurement finds, and the list of measurements."""
    measured = []
    monkeypatch.setenv("SPACY_BIONER_CACHE", str(tmp_path / "cache"))
    read_number_types.cache_clear()

    def set_times(float32, bfloat16, int8=9.0, trained_int8=9.0):
        def measure():
            measured.append((float32, bfloat16))
            return {"float32": float32, "bfloat16": bfloat16, "float32 in use": float32, "bfloat16 in use": bfloat16,
                    "int8": trained_int8, "int8 in use": int8}
        read_number_types.cache_clear()
        monkeypatch.setattr(number_types, "measure_number_types", measure)
        return measured

    yield set_times
    read_number_types.cache_clear()


@pytest.mark.parametrize("float32, bfloat16, quick", [
    pytest.param(1.0, 0.3, True, id="faster"),
    pytest.param(1.0, 0.95, False, id="a-little-faster"),
    pytest.param(1.0, 1.7, False, id="slower"),
])
def test_bfloat16_is_chosen_where_it_is_measured_clearly_faster(machine, float32, bfloat16, quick):
    machine(float32, bfloat16)
    assert is_quick_in_bfloat16(CPU) is quick


@pytest.mark.parametrize("float32, bfloat16, int8, quickest", [
    pytest.param(1.0, 9.0, 0.6, True, id="faster"),
    pytest.param(1.0, 9.0, 0.9, False, id="a-little-faster"),
    pytest.param(1.0, 0.5, 0.45, False, id="bfloat16-is-as-fast"),
    # Fast in bfloat16, but not so much that it is used.
    pytest.param(1.0, 0.9, 0.7, True, id="bfloat16-is-not-used"),
])
def test_8_bits_are_chosen_where_they_are_measured_clearly_faster(machine, float32, bfloat16, int8, quickest):
    machine(float32, bfloat16, int8)
    assert is_quickest_in_int8(CPU) is quickest and not is_quickest_in_int8(torch.device("cuda"))


@pytest.mark.parametrize("trained, used", [(0.5, 0.9), (0.9, 0.5)])
def test_8_bits_below_an_adapter_are_measured_by_themselves(machine, trained, used):
    machine(1.0, 9.0, used, trained)
    assert choose_int8("auto", CPU, for_training=True, quantize=None) is (trained < used)
    assert choose_int8("auto", CPU, for_training=False, quantize=None) is (used < trained)
    assert not choose_int8("auto", CPU, for_training=trained < used, quantize="4bit")


def test_a_measurement_of_an_earlier_version_is_made_again(machine, tmp_path):
    machine(1.0, 9.0, 0.5)
    assert not is_quickest_in_int8(CPU, for_training=True)
    [kept] = (tmp_path / "cache").rglob("*.json")
    content = json.loads(kept.read_text())
    del content["seconds"]["int8"]
    kept.write_text(json.dumps(content))
    machine(1.0, 9.0, 0.5, 0.5)
    assert is_quickest_in_int8(CPU, for_training=True)


def test_the_choice_stays_what_it_was_on_this_machine(machine):
    machine(1.0, 0.3)
    assert is_quick_in_bfloat16(CPU)
    measured = machine(1.0, 3.0)
    assert is_quick_in_bfloat16(CPU) and measured == [(1.0, 0.3)]


@pytest.mark.parametrize("change", ["processor", "torch"])
def test_another_processor_or_torch_is_measured_anew(machine, monkeypatch, change):
    machine(1.0, 0.3)
    assert is_quick_in_bfloat16(CPU)
    machine(1.0, 3.0)
    if change == "torch":
        monkeypatch.setattr(torch, "__version__", "99.0")
    else:
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "SSE41")
    assert not is_quick_in_bfloat16(CPU)


@pytest.mark.parametrize("content", ["", "[]", '{"seconds": {"float32": 0, "bfloat16": 1}}', '{"seconds": null}'])
def test_a_damaged_measurement_is_made_again(machine, tmp_path, content):
    machine(1.0, 0.3)
    assert is_quick_in_bfloat16(CPU)
    [kept] = (tmp_path / "cache").rglob("*.json")
    kept.write_text(content)
    machine(1.0, 3.0)
    assert not is_quick_in_bfloat16(CPU)


def test_without_a_place_for_the_cache_the_machine_is_measured(machine, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SPACY_BIONER_CACHE", str(tmp_path / "file"))
    machine(1.0, 0.3)
    assert is_quick_in_bfloat16(CPU)


def test_the_log_says_what_was_chosen_and_why(machine, caplog):
    machine(0.010, 0.004)
    with caplog.at_level(logging.INFO):
        is_quick_in_bfloat16(CPU)
    assert "float32 10.0, bfloat16 4.0, " in caplog.text


def test_all_number_types_are_measured():
    seconds = measure_number_types()
    assert set(seconds) == {"float32", "bfloat16", "int8", "float32 in use", "bfloat16 in use", "int8 in use"}
    assert all(value > 0 for value in seconds.values())
