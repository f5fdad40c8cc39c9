"""Kills at random moments: whatever is killed, however often, ends in the outputs of a run that nothing disturbed.

A trial starts a verb again and again and kills it with its children, then lets it end. At most the requests in flight
are repeated, and no temporary file is left.
"""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from spacy_bioner.files import write_json

from .kill_scenarios import IN_FLIGHT, SCENARIOS, Scenario, write_inputs
from .lying_server import LoopbackServer

_MOST_KILLS = 10
_DEADLINE = 600.0
_TIMES = b"\n## Time\n"
# Hidden files that stay: what git should not take, and what two runs of an experiment would both lock.
_KEPT = (".gitignore", ".lock")


def run(count: int, seed: int, folder: Path, *, processes: int = 1,
        names: Sequence[str] = tuple(SCENARIOS)) -> Dict[str, Any]:
    """Kill verbs.

    count (int): Kills of all scenarios together, those of earlier runs included.
    seed (int): Random seed.
    folder (Path): Where progress is kept.
    processes (int): Scenarios whose verbs run side by side.
    names (Sequence[str]): The scenarios; each gets an equal share of the kills.
    RETURNS (Dict[str, Any]): One row of the table.
    """
    work = (folder / f"kills-{seed}.work").resolve()
    write_inputs(work / "inputs")
    shares = {name: count // len(names) + (number < count % len(names)) for number, name in enumerate(names)}
    with ThreadPoolExecutor(processes) as threads:
        rows = list(threads.map(lambda name: kill_scenario(SCENARIOS[name], shares[name], seed, folder, work), names))
    shutil.rmtree(work, ignore_errors=True)
    faults = [fault for row in rows for fault in row["faults"]]
    return {"guarantee": "kill -9", "count": count, "seed": seed, "kills": sum(row["kills"] for row in rows),
            "trials": sum(row["trials"] for row in rows), "scenarios": {name: row["kills"]
                                                                        for name, row in zip(names, rows)},
            "repeated_requests": sum(row["repeated"] for row in rows), "faults": faults, "held": not faults}


def kill_scenario(scenario: Scenario, count: int, seed: int, folder: Path, work: Path) -> Dict[str, Any]:
    """Kill one verb as often as is asked for.

    scenario (Scenario): The verb.
    count (int): Kills, those of earlier runs included.
    seed (int): Random seed.
    folder (Path): Where progress is kept.
    work (Path): Folder with the inputs, where the verb runs.
    RETURNS (Dict[str, Any]): Kills, trials, requests repeated and faults.
    """
    progress = folder / f"kills-{seed}-{scenario.name}.progress.json"
    row = json.loads(progress.read_text(encoding="utf8")) if progress.is_file() else {
        "kills": 0, "trials": 0, "repeated": 0, "faults": []}
    reference: Optional[Dict[str, Any]] = None
    while row["kills"] < count:
        chance = random.Random(f"{seed}-{scenario.name}-{row['trials']}")
        if reference is None:
            reference = _run_trial(scenario, work, chance, None, 0)
            row["faults"] += [f"undisturbed, {scenario.name}: {fault}" for fault in reference["faults"]]
        done = _run_trial(scenario, work, chance, reference, min(_MOST_KILLS, count - row["kills"]))
        row["trials"] += 1
        row["kills"] += done["kills"]
        row["repeated"] += max(0, done["repeated"] - reference["repeated"])
        row["faults"] += [f"trial {row['trials']}, {scenario.name}: {fault}" for fault in done["faults"]]
        write_json(progress, row)
    return row


def _run_trial(scenario: Scenario, work: Path, chance: random.Random, reference: Optional[Dict[str, Any]],
               most_kills: int) -> Dict[str, Any]:
    """Return kills, seconds of the last run, what it wrote, what it asked again, and what was wrong."""
    folder = work / scenario.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    server = LoopbackServer(scenario.answer, lambda prompt, tried: "slow").start()
    kills, faults = 0, []
    try:
        arguments = scenario.arguments(work / "inputs", folder, server.url)
        process = _start(arguments, folder)
        while reference is not None and kills < most_kills:
            try:
                # The first time early, so that each trial has a kill; how long a verb takes differs from time to time.
                most = 1.05 if kills else 0.5
                process.wait(chance.uniform(0.0, most * reference["seconds"]))
                break
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                kills += 1
                process = _start(arguments, folder)
        started = time.perf_counter()
        if process.wait(_DEADLINE) != 0:
            faults.append(f"ended with code {process.returncode}: {_last_line(folder)}")
        seconds = time.perf_counter() - started
        repeated = sum(times - 1 for times in server.answered.values() if times > 1)
    finally:
        server.stop()
    outputs = {name: _digest(folder / name) for name in scenario.outputs}
    if reference is not None:
        faults += [f"{name} differs" for name in outputs if outputs[name] != reference["outputs"][name]]
        # An undisturbed run too asks a prompt again where its answer was rejected.
        more = repeated - reference["repeated"]
        if more > kills * IN_FLIGHT:
            faults.append(f"{more} requests repeated after {kills} kills")
    faults += [f"left: {name}" for name in find_leftovers(folder)]
    return {"kills": kills, "seconds": seconds, "outputs": outputs, "repeated": repeated, "faults": faults}


def _start(arguments: List[str], folder: Path) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "NO_PROXY": "127.0.0.1"}
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "spacy_bioner", *arguments], stdin=subprocess.DEVNULL,
                                stdout=log, stderr=log, env=environment, start_new_session=True)


def find_leftovers(folder: Path) -> List[str]:
    """Return what only an unfinished run has: temporary files and folders, and journals of databases."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*")
                  if path.name.endswith((".tmp", ".old", "-wal", "-shm", "-journal"))
                  or path.name.startswith(".") and path.name not in _KEPT)


def _digest(path: Path) -> Optional[str]:
    # The last part of a table of results says how long its steps took.
    return hashlib.sha256(path.read_bytes().partition(_TIMES)[0]).hexdigest() if path.is_file() else None


def _last_line(folder: Path) -> str:
    lines = (folder / "log.txt").read_text(encoding="utf8", errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else "no message"
