"""What a verb may write to: never to what it reads itself; and what to do next with it."""

import os
import sys
from pathlib import Path
from typing import Iterable, Optional

from ...errors import BionerError, Errors
from ...files import refuse_unwritable

# Is set where a workflow runs the verbs, which knows what comes next.
IN_WORKFLOW = "SPACY_BIONER_WORKFLOW"


def say_next(command: str) -> None:
    """Close a verb with the command that takes its result; nothing is said inside a workflow.

    command (str): The command after `spacy-bioner`, with the paths of this run.
    """
    if IN_WORKFLOW not in os.environ:
        print(f"next: spacy-bioner {command}", file=sys.stderr)


def refuse_own_input(output: Path, inputs: Iterable[Optional[Path]]) -> None:
    """Refuse to write where something is read, for the only copy of a corpus would be gone, or where no file can be.

    output (Path): The file that would be written.
    inputs (Iterable[Optional[Path]]): What the verb reads; None stands for an option that is not given.
    RAISES BionerError: E726 where it is one of them, be it by another name, E727 where no file can stand there.
    """
    from ...formats.jsonl import find_jsonl

    place = Path(output).resolve()
    for path in inputs:
        if path is not None and place in (Path(path).resolve(), find_jsonl(path).resolve()):
            raise BionerError(Errors.E726.format(output=output, path=path))
    refuse_unwritable(output)


def refuse_own_cache(cache: Optional[Path], others: Iterable[Optional[Path]]) -> None:
    """Refuse a cache in the place of a file that is read or written.

    cache (Optional[Path]): The file of the cache, if there is one.
    others (Iterable[Optional[Path]]): What the verb reads and writes; None stands for an option that is not given.
    RAISES BionerError: E740 for the first of them.
    """
    for path in others:
        if cache is not None and path is not None and Path(cache).resolve() == Path(path).resolve():
            raise BionerError(Errors.E740.format(cache=cache, path=path))


def refuse_same_output(output: Path, other: Path, option: str) -> None:
    """Refuse two results in one file, of which the second would replace the first.

    output (Path): The file of the one.
    other (Path): The file of the other.
    option (str): What names the other.
    RAISES BionerError: E701 where they are the same.
    """
    if Path(output).resolve() == Path(other).resolve():
        raise BionerError(Errors.E701.format(first=output, second=other, option=option))


def name_beside(output: Path, ending: str) -> Path:
    """Return a file beside another: of its name without .jsonl or .jsonl.gz, with an ending of its own.

    output (Path): The other file.
    ending (str): What comes after the dot.
    RETURNS (Path): The file.
    RAISES BionerError: E727 where the other is a folder, such as ".", or no file can stand there.
    """
    refuse_unwritable(output)
    return output.with_name(f"{output.name.removesuffix('.gz').removesuffix('.jsonl')}.{ending}")


def refuse_other_ending(output: Path) -> None:
    """Refuse another name than that of JSON Lines: other verbs would take the file for what its name says.

    output (Path): The file that records or seeds would be written to.
    RAISES BionerError: E728 where its name does not end in .jsonl or .jsonl.gz.
    """
    if not Path(output).name.lower().endswith((".jsonl", ".jsonl.gz")):
        raise BionerError(Errors.E728.format(path=output))


def refuse_own_folder(output: Path, folders: Iterable[Path]) -> None:
    """Refuse a folder of results that is, holds, or lies in a folder that is read.

    output (Path): The folder that would be written to.
    folders (Iterable[Path]): The folders that the verb reads.
    RAISES BionerError: E733 for the first of them.
    """
    place = Path(output).resolve()
    for folder in folders:
        read = Path(folder).resolve()
        if read == place or read in place.parents or place in read.parents:
            raise BionerError(Errors.E733.format(output=output, path=folder))
