"""Reports the lines of a file that a verb had to leave out."""

import sys
from pathlib import Path
from typing import Callable, Tuple

import typer

Report = Callable[[int, str], None]


def report_lines(source: Path, target: Path, convert: Callable[[Report], Tuple[int, int]]) -> None:
    """Run a conversion, print each line that it leaves out, and end with exit code 1 if there was one.

    source (Path): The file that is read.
    target (Path): The file that is written.
    convert (Callable[[Report], Tuple[int, int]]): Takes a function that is told line number and reason; gives how
        many records were written and left out.
    """
    def report(number: int, why: str) -> None:
        print(f"spacy-bioner: {source}, line {number}: {why}", file=sys.stderr)

    written, failed = convert(report)
    if failed and not written:
        print(f"No record of {source} can be used, so {target} is not written: {failed} lines left out")
    else:
        print(f"{written} records written to {target}" + (f", {failed} lines left out" if failed else ""))
    if failed:
        raise typer.Exit(1)
