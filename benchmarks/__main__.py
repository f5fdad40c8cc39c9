"""Runs the benchmarks: every module here that has a `run`, or the ones named on the command line.

A benchmark's `run(quick)` returns an object with `ratios`: a list of `{"what", "against", "ratio", "aim"}`, beside
whatever else it measured. All of it is written as JSON; the ratios are printed.
"""

import argparse
import importlib
import pkgutil
import platform
import sys
from pathlib import Path
from typing import Any, Dict, List

import benchmarks
from spacy_bioner.errors import BionerError
from spacy_bioner.files import write_json


def find_benchmarks() -> List[str]:
    """Return names of the modules with a `run`."""
    names = sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__) if module.name != "__main__")
    return [name for name in names if hasattr(importlib.import_module(f"benchmarks.{name}"), "run")]


def describe_machine() -> Dict[str, Any]:
    """Return what absolute times depend on."""
    import torch

    return {"python": platform.python_version(), "torch": torch.__version__, "threads": torch.get_num_threads(),
            "processor": platform.processor() or platform.machine(), "cuda": torch.cuda.is_available()}


def print_ratios(name: str, result: Dict[str, Any]) -> None:
    """Print a line for each ratio: what, against what, how it stands to its aim."""
    for row in result["ratios"]:
        aim = f"  (aim {row['aim']})" if row.get("aim") is not None else ""
        print(f"{name:>14}  {row['what']} against {row['against']}: {row['ratio']:.2f}{aim}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help="benchmarks to run; all where none is named")
    parser.add_argument("--quick", action="store_true", help="little data: to see that it runs, not to quote")
    parser.add_argument("--output", type=Path, default=Path("metrics/benchmarks"), help="folder for the JSON files")
    arguments = parser.parse_args()
    known = find_benchmarks()
    unknown = sorted(set(arguments.names) - set(known))
    if unknown:
        parser.error(f"no benchmark {unknown[0]}; there are {', '.join(known)}")
    for name in arguments.names or known:
        try:
            result = importlib.import_module(f"benchmarks.{name}").run(quick=arguments.quick)
        except BionerError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
        write_json(arguments.output / f"{name}.json", {"machine": describe_machine(), **result})
        print_ratios(name, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
