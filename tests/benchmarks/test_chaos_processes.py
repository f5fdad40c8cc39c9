"""The short forms of the guarantees that are measured on whole processes."""

import pytest

from benchmarks.chaos import egress, growth, kills, long_run, memory, ray_shards

pytestmark = pytest.mark.issue(21)


def test_a_run_of_seconds_keeps_its_memory(tmp_path):
    row = long_run.run(2, 0, tmp_path)
    assert row["held"] and row["documents"] > 50 and row["mb_peak"] > 10
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_memory_of_all_verbs_is_measured(tmp_path):
    row = memory.run(2_000, 0, tmp_path)
    assert set(row["verbs"]) == set(memory.VERBS)
    assert all(figures["large_mb"] < 2_000 for figures in row["verbs"].values())


@pytest.mark.slow
def test_growth_of_all_verbs_is_measured(tmp_path):
    row = growth.run(20, 0, tmp_path)
    assert set(row["exponents"]) == set(growth.VERBS)


@pytest.mark.slow
def test_no_verb_reaches_for_another_machine(tmp_path):
    pytest.importorskip("ray")
    row = egress.run(20, 0, tmp_path)
    assert row["held"], row["faults"]


@pytest.mark.slow
def test_killed_workers_and_runs_on_ray_lose_nothing(tmp_path):
    pytest.importorskip("ray")
    row = ray_shards.run(400, 0, tmp_path)
    assert row["held"], row["faults"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["train-annotator", "train-spancat", "generate", "experiment"])
def test_killed_verbs_end_as_undisturbed_ones(tmp_path, name):
    row = kills.run(1, 1, tmp_path, names=(name,))
    assert row["held"], row["faults"]
