"""Thread settings: set before torch is loaded, bounded by the container, overridden by the user."""

import os
import subprocess
import sys

import pytest

from spacy_bioner.cpu_threads import set_thread_defaults, usable_cpus

AFFINITY = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@pytest.mark.parametrize("files, allowed", [
    pytest.param({"cpu.max": "max 100000"}, None, id="no_limit"),
    pytest.param({"cpu.max": "50000 100000"}, 1, id="half_a_processor"),
    pytest.param({"cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000"}, 1, id="version_1"),
    pytest.param({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None, id="version_1_no_limit"),
    pytest.param({"cpu.max": "what is this"}, None, id="unreadable"),
    pytest.param({}, None, id="no_control_groups"),
])
def test_quota_of_the_container_bounds_the_threads(tmp_path, files, allowed):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    assert usable_cpus(cgroups=tmp_path) == (AFFINITY if allowed is None else min(allowed, AFFINITY))


def test_settings_of_the_user_stay():
    environment = {"OMP_NUM_THREADS": "7"}
    set_thread_defaults(environment)
    assert environment == {"OMP_NUM_THREADS": "7", "OMP_WAIT_POLICY": "PASSIVE"}


def test_the_command_line_starts_with_the_settings():
    code = ("import os, sys; sys.argv = ['spacy-bioner', '--help']; import spacy_bioner.cli.main as m\n"
            "try: m.main()\nexcept SystemExit: pass\n"
            "print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.splitlines()[-1] == "PASSIVE False"
