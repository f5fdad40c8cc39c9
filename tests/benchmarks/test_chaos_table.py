"""All guarantees by one command: a table at its end, and what was measured is not measured again."""

import importlib
import json
import pkgutil

import pytest

import benchmarks.chaos
from benchmarks.chaos import __main__ as chaos
from benchmarks.chaos.growth import find_exponent

pytestmark = pytest.mark.issue(21)


def test_every_module_that_measures_a_guarantee_is_in_the_table():
    modules = [module.name for module in pkgutil.iter_modules(benchmarks.chaos.__path__) if module.name != "__main__"]
    assert {name for name in modules if hasattr(importlib.import_module(f"benchmarks.chaos.{name}"), "run")} \
        == set(chaos.GUARANTEES)


def test_what_was_measured_with_as_many_trials_is_not_measured_again(tmp_path, monkeypatch):
    counts = []

    def run(count, seed, folder):
        counts.append(count)
        return {"count": count, "seed": seed, "invalid_spans": 0, "held": count < 10, "faults": ["no 7"]}

    monkeypatch.setattr("benchmarks.chaos.responses.run", run)
    monkeypatch.setattr(chaos, "GUARANTEES", {"responses": chaos.Guarantee("no fault", 5, 20, "responses")})
    assert chaos.measure_all(1, 0, tmp_path, 1) and chaos.measure_all(1, 0, tmp_path, 1) and counts == [5]
    assert not chaos.measure_all(9, 0, tmp_path, 1) and counts == [5, 20]
    table = (tmp_path / "table.md").read_text(encoding="utf8")
    assert "20 responses | 20 | invalid spans 0" in table and "first fault: no 7 | no |" in table
    assert json.loads((tmp_path / "responses.json").read_text(encoding="utf8"))["count"] == 20


@pytest.mark.parametrize("power", [1.0, 1.5, 2.0])
def test_the_exponent_of_growth_does_not_depend_on_what_a_start_costs(power):
    times = [3.0 + 0.001 * (1000 * factor) ** power for factor in (1, 4, 16)]
    assert find_exponent(times) == pytest.approx(power)
