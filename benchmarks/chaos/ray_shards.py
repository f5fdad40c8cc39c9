"""Annotation on Ray: two workers against one, a worker killed in the middle, and a run killed and resumed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

from spacy_bioner.files import write_json

from .many_records import write_records, write_replies, write_schema

_SHARDS = 20
_SPEEDUP = 1.8


def run(count: int, seed: int, folder: Path) -> Dict[str, Any]:
    """Annotate replayed documents on Ray.

    count (int): Documents of each run.
    seed (int): Not used: nothing is random.
    folder (Path): Where progress is kept.
    RETURNS (Dict[str, Any]): One row of the table. The speed-up counts only where two cores are free: it is told, and
        what is held does not depend on it.
    """
    progress = folder / f"ray-{count}.progress.json"
    row: Dict[str, Any] = json.loads(progress.read_text(encoding="utf8")) if progress.is_file() else {"seconds": {}}
    work = folder / f"ray-{count}.work"
    work.mkdir(parents=True, exist_ok=True)
    write_schema(work / "labels.yml")
    write_replies(work / "replies.jsonl")
    write_records(work / "in.jsonl", count)
    runs: Dict[str, Callable[[Path], float]] = {
        "1": lambda out: _annotate(work, out, count, workers=1), "2": lambda out: _annotate(work, out, count),
        "worker killed": lambda out: _annotate(work, out, count, disturb=kill_worker),
        "run killed": lambda out: _annotate(work, out, count, disturb=kill_run) + _annotate(work, out, count)}
    for name, annotate in runs.items():
        if name not in row["seconds"]:
            out = work / f"out-{name.replace(' ', '-')}"
            shutil.rmtree(out, ignore_errors=True)
            row["seconds"][name] = round(annotate(out), 1)
            row.setdefault("documents", {})[name] = count_documents(out)
            write_json(progress, row)
    faults = [f"{name}: {found} documents" for name, found in row["documents"].items() if found != count]
    speedup = round(row["seconds"]["1"] / row["seconds"]["2"], 2)
    shutil.rmtree(work, ignore_errors=True)
    return {"guarantee": "Ray", "count": count, "seconds": row["seconds"], "documents": row["documents"],
            "speedup": speedup, "speedup_wanted": _SPEEDUP, "load": os.getloadavg()[0], "faults": faults,
            "held": not faults}


def _annotate(work: Path, output: Path, count: int, *, workers: int = 2,
              disturb: Optional[Callable[["subprocess.Popen[bytes]"], None]] = None) -> float:
    """Return the seconds of a run; one that is disturbed may fail."""
    arguments = ["annotate", str(work / "in.jsonl"), str(output), "--labels", str(work / "labels.yml"), "--engine",
                 "ray", "--annotate.cache", "null", "--annotate.replay", str(work / "replies.jsonl"),
                 "--annotate.ray.workers", str(workers), "--annotate.ray.shard_size", str(max(1, count // _SHARDS))]
    started = time.perf_counter()
    # Ray runs its workers at a low priority, so that on a machine with other work they would get nothing.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "RAY_worker_niceness": "0"}
    with (work / "log.txt").open("ab") as log:
        process = subprocess.Popen([sys.executable, "-m", "spacy_bioner", *arguments], stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=log, env=environment, start_new_session=True)
        while disturb is not None and process.poll() is None and len(find_parts(output)) < _SHARDS // 4:
            time.sleep(0.1)
        if disturb is not None:
            disturb(process)
        code = process.wait()
    if code != 0 and disturb is not kill_run:
        lines = (work / "log.txt").read_text(encoding="utf8", errors="replace").strip().splitlines()
        raise RuntimeError(f"Ray ended with code {code}: {' '.join(lines[-1:])}")
    return time.perf_counter() - started


def find_parts(output: Path) -> List[Path]:
    """Return the shards that are written."""
    return sorted(path for path in output.glob("part-*.jsonl") if "failed" not in path.name)


def count_documents(output: Path) -> int:
    """Return the number of documents with a mention, each counted once."""
    ids = set()
    for path in find_parts(output):
        for line in path.read_text(encoding="utf8").splitlines():
            record = json.loads(line)
            if len(record["spans"]) == 1:
                ids.add(record["id"])
    return len(ids)


def find_descendants(pid: int) -> List[int]:
    """Return the processes that a process has begun, and those that these have begun."""
    parents: Dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
    found = [pid]
    for parent in found:
        found += [child for child, its_parent in parents.items() if its_parent == parent]
    return found[1:]


def kill_worker(process: "subprocess.Popen[bytes]") -> None:
    """Kill one process that annotates shards."""
    for pid in find_descendants(process.pid):
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        if command.startswith(b"ray::") and b"Map" in command:
            os.kill(pid, signal.SIGKILL)
            return


def kill_run(process: "subprocess.Popen[bytes]") -> None:
    """Kill a run with all its processes."""
    for pid in [process.pid, *find_descendants(process.pid)]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
