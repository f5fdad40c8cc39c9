"""Measures one guarantee under faults, or all of them with a table at the end.

    python -m benchmarks.chaos all --scale 1 --folder metrics/chaos
    python -m benchmarks.chaos responses --count 1000000 --seed 0 --folder metrics/chaos

Each module of this package has a `run(count, seed, folder)` that returns one row of the table as a JSON object. It
keeps its progress in the folder, so that the same command resumes after an interruption.
"""

import argparse
import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

from benchmarks.__main__ import describe_machine
from spacy_bioner.cpu_threads import usable_cpus
from spacy_bioner.errors import BionerError
from spacy_bioner.files import open_atomic, write_json


class Guarantee(NamedTuple):
    """What is measured.

    promise (str): What is guaranteed.
    count (int): Trials that end in minutes.
    wanted (int): Trials of a whole measurement.
    unit (str): What is counted.
    is_shared (bool): Whether several processes can share the work.
    """

    promise: str
    count: int
    wanted: int
    unit: str
    is_shared: bool = False


GUARANTEES: Dict[str, Guarantee] = {
    "responses": Guarantee("no exception, no invalid span, none over 50 ms", 100_000, 1_000_000, "mutated responses",
                           True),
    "server": Guarantee("no document lost, wrong or asked twice; each set aside has a reason", 1_000, 10_000,
                        "documents asked of a lying server"),
    "corpora": Guarantee("intact mentions are read, or counted, or one line of error", 1_000, 1_000,
                         "damaged corpora"),
    "artefacts": Guarantee("right output or one line of error, no silent difference", 300, 1_000,
                           "damaged caches, checkpoints, adapters"),
    "kills": Guarantee("outputs as without kills, requests in flight repeated at most, no file left", 50, 1_000,
                       "kills (signal 9)", True),
    "memory": Guarantee("flat for verbs that stream, bounded for inspect and evaluate", 100_000, 2_000_000,
                        "records in the larger file"),
    "growth": Guarantee("exponent of processor time at most 1.1", 1_000, 1_000, "records, then 4 and 16 times as many"),
    "ray_shards": Guarantee("a killed worker and a killed run lose nothing; two workers 1.8 times as fast", 20_000,
                            100_000, "replayed documents"),
    "egress": Guarantee("no attempt to reach another machine; unknown model within 2 s", 40, 40, "records"),
    "long_run": Guarantee("memory flat after warm-up", 120, 1_800, "seconds of nlp.pipe"),
    "served": Guarantee("memory flat after warm-up", 120, 1_800, "seconds of serve"),
}
_NOT_SHOWN = ("guarantee", "count", "seed", "held", "faults", "load")


def measure(name: str, count: int, seed: int, folder: Path, processes: int) -> Dict[str, Any]:
    """Measure a guarantee and write its row, unless the folder has one of as many trials.

    name (str): Name of the module.
    count (int): Trials, those of earlier runs included.
    seed (int): Random seed.
    folder (Path): Where progress and results go.
    processes (int): Processes that share the work where this can be.
    RETURNS (Dict[str, Any]): The row.
    """
    path = folder / f"{name}.json"
    if path.is_file():
        row: Dict[str, Any] = json.loads(path.read_text(encoding="utf8"))
        if (row["count"], row.get("seed", seed)) == (count, seed):
            return row
    started = time.perf_counter()
    shared = {"processes": processes} if GUARANTEES[name].is_shared else {}
    row = importlib.import_module(f"benchmarks.chaos.{name}").run(count, seed, folder, **shared)
    row = {**row, "machine": describe_machine(), "minutes": round((time.perf_counter() - started) / 60, 1)}
    write_json(path, row)
    return row


def measure_all(scale: float, seed: int, folder: Path, processes: int) -> bool:
    """Measure all guarantees, then print and write their table.

    scale (float): Factor of the trials; none has more than a whole measurement.
    seed (int): Random seed.
    folder (Path): Where progress and results go.
    processes (int): Processes that share the work where this can be.
    RETURNS (bool): Whether all are held.
    """
    rows: Dict[str, Dict[str, Any]] = {}
    for name, guarantee in GUARANTEES.items():
        count = min(guarantee.wanted, max(int(guarantee.count * scale), 1))
        print(f"{name}: {count:,} {guarantee.unit}", file=sys.stderr, flush=True)
        try:
            rows[name] = measure(name, count, seed, folder, processes)
        except (BionerError, RuntimeError) as error:
            rows[name] = {"count": count, "held": False, "faults": [str(error)]}
    table = "\n".join(make_table(rows))
    with open_atomic(folder / "table.md") as file_:
        file_.write(table + "\n")
    print(table)
    return all(row["held"] for row in rows.values())


def make_table(rows: Dict[str, Dict[str, Any]]) -> List[str]:
    """Return the lines of a table in Markdown."""
    lines = ["| guarantee | trials | of a whole measurement | measured | held |", "| --- | --- | --- | --- | --- |"]
    for name, row in rows.items():
        guarantee = GUARANTEES[name]
        figures = "; ".join(f"{key.replace('_', ' ')} {value}" for key, value in row.items()
                            if key not in _NOT_SHOWN and not isinstance(value, (dict, list, tuple)))
        faults = f"; first fault: {row['faults'][0]}" if not row["held"] and row.get("faults") else ""
        lines.append(f"| {name}: {guarantee.promise} | {row['count']:,} {guarantee.unit} | {guarantee.wanted:,} | "
                     f"{figures}{faults} | {'yes' if row['held'] else 'no'} |")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__.split("\n")[0])
    parser.add_argument("name", choices=["all", *GUARANTEES], help="the guarantee to measure, or all")
    parser.add_argument("--count", type=int, help="how many trials, those of earlier runs included")
    parser.add_argument("--scale", type=float, default=1.0, help="with all: factor of the trials; 20 for all of them")
    parser.add_argument("--seed", type=int, default=0, help="random seed")
    parser.add_argument("--folder", type=Path, default=Path("metrics/chaos"), help="where progress and results go")
    parser.add_argument("--processes", type=int, default=usable_cpus(), help="processes that share the work where "
                                                                             "this can be; the cores by default")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    if arguments.name == "all":
        return 0 if measure_all(arguments.scale, arguments.seed, arguments.folder, arguments.processes) else 1
    count = arguments.count or GUARANTEES[arguments.name].count
    try:
        row = measure(arguments.name, count, arguments.seed, arguments.folder, arguments.processes)
    except BionerError as error:
        print(f"{arguments.name}: {error}", file=sys.stderr)
        return 1
    print(json.dumps(row, ensure_ascii=False))
    return 0 if row["held"] else 1


if __name__ == "__main__":
    sys.exit(main())
