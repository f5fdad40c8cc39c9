"""Measures one guarantee under faults, or lists them.

    python -m benchmarks.chaos responses --count 1000000 --seed 0 --folder metrics/chaos

Each module of this package has a `run(count, seed, folder)` that returns one row of the table as a JSON object. It
keeps its progress in the folder, so that the same command resumes after an interruption.
"""

import argparse
import importlib
import json
import pkgutil
import sys
from pathlib import Path
from typing import List

import benchmarks.chaos
from spacy_bioner.errors import BionerError
from spacy_bioner.files import write_json


def find_guarantees() -> List[str]:
    """Return names of the modules that measure a guarantee."""
    names = sorted(module.name for module in pkgutil.iter_modules(benchmarks.chaos.__path__))
    return [name for name in names if name != "__main__" and hasattr(
        importlib.import_module(f"benchmarks.chaos.{name}"), "run")]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__.split("\n")[0])
    parser.add_argument("name", choices=find_guarantees(), help="the guarantee to measure")
    parser.add_argument("--count", type=int, required=True, help="how many trials, those of earlier runs included")
    parser.add_argument("--seed", type=int, default=0, help="random seed")
    parser.add_argument("--folder", type=Path, default=Path("metrics/chaos"), help="where progress and results go")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    module = importlib.import_module(f"benchmarks.chaos.{arguments.name}")
    try:
        row = module.run(arguments.count, arguments.seed, arguments.folder)
    except BionerError as error:
        print(f"{arguments.name}: {error}", file=sys.stderr)
        return 1
    write_json(arguments.folder / f"{arguments.name}.json", row)
    print(json.dumps(row, ensure_ascii=False))
    return 0 if row.get("held", True) else 1


if __name__ == "__main__":
    sys.exit(main())
