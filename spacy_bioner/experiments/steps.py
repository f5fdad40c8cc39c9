"""The parts of an experiment: verbs with their arguments, what they make, and what they are made from."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from ..config_files import find_config
from ..errors import BionerError, Errors
from ..formats.jsonl import find_jsonl
from ..project_files import find_project_file
from .json_values import find_value

_BLOCK = 1 << 20
_DEVICE_OPTIONS = ("--gpu-id", "-g")
_CPU = "-1"
# Groups of the command line: their verbs are two words.
VERB_GROUPS = ("train", "select", "generate", "review")


@dataclass(frozen=True)
class Step:
    """A part of an experiment.

    name (str): Unique in the experiment; its log and its stamp are called so.
    arguments (Tuple[str, ...]): The verb and its arguments.
    output (Path): The file or folder that it makes.
    inputs (Tuple[Path, ...]): What it reads beside the files that its arguments name.
    kind (str): What kind of step it is, for times; by default its verb.
    beside (Tuple[Path, ...]): What it makes beside its output, such as a report; it depends on none of it.
    made (str): `FILE#key.key`: how much it has made, in its report; where it is 0 the step may fail.
    """

    name: str
    arguments: Tuple[str, ...]
    output: Path
    inputs: Tuple[Path, ...] = ()
    kind: str = ""
    beside: Tuple[Path, ...] = ()
    made: str = ""

    @property
    def verb(self) -> str:
        """Return the verb that is run, after its group where it is in one."""
        return " ".join(self.arguments[:2 if self.arguments[0] in VERB_GROUPS else 1])

    def named_paths(self) -> Iterator[Path]:
        """Yield what the arguments may name: each argument, what stands round a = in it, and profiles."""
        for argument in self.arguments[len(self.verb.split()):]:
            parts = [argument, *argument.split("=")] if "=" in argument else [argument]
            yield from (path for path in map(Path, parts) if path.name)
        given = dict(zip(self.arguments, self.arguments[1:]))
        if "--profile" in given:
            config = Path(given["--config"]) if "--config" in given else None
            yield from find_config("", config, given["--profile"]).profiles

    def has_made_nothing(self) -> bool:
        """Return whether its report says that it has made nothing."""
        return bool(self.made) and find_value(self.made) == 0


class Plan:
    """Steps in an order in which each comes after those that it needs.

    steps (Sequence[Step]): The steps; one that is given twice counts once.
    cache (Optional[Path]): Folder of what steps keep for themselves; no step depends on it.
    RAISES BionerError: E708 where two steps make the same, E709 where steps need each other, E721 where two steps
        have one name.
    """

    def __init__(self, steps: Sequence[Step], *, cache: Optional[Path] = None) -> None:
        self.cache = cache
        self.steps: List[Step] = []
        self._makers: Dict[Path, Step] = {}
        self._fingerprints: Dict[Step, str] = {}
        self._hashes: Dict[Path, str] = {}
        # Folders in which something is made: what is in them changes as the plan is run.
        self._around = {parent for step in steps for parent in step.output.resolve().parents}
        for step in steps:
            other = self._makers.setdefault(step.output, step)
            if other.arguments != step.arguments:
                raise BionerError(Errors.E708.format(first=other.name, second=step.name, output=step.output))
            self._makers.update({path: other for path in other.beside})
        # Two steps of one name would share a stamp, and each run of one would undo the other.
        named: Dict[str, Step] = {}
        for step in self._makers.values():
            other = named.setdefault(step.name, step)
            if other != step:
                raise BionerError(Errors.E721.format(first=other.output, second=step.output, name=step.name))
        placed: Dict[Step, None] = {}
        for step in self._makers.values():
            self._place(step, placed, ())
        self.steps = list(placed)

    def maker(self, path: Path) -> Optional[Step]:
        """Return the step that makes a path, or a folder that holds it; the nearest one."""
        return next((self._makers[place] for place in (path, *path.parents) if place in self._makers), None)

    def before(self, step: Step) -> List[Step]:
        """Return the steps that make what a step names."""
        makers = (self.maker(path) for path in (*step.named_paths(), *step.inputs))
        return list(dict.fromkeys(maker for maker in makers if maker is not None and maker != step))

    def reduced_to(self, paths: Sequence[Path]) -> "Plan":
        """Return only the steps that are needed to make these paths. What no step declares as its output is
        made by those that name it in their command lines."""
        makers = {path: self.maker(path) for path in paths}
        wanted = {maker for maker in makers.values() if maker is not None}
        undeclared = {path for path, maker in makers.items() if maker is None}
        wanted.update(step for step in self.steps if not undeclared.isdisjoint(step.named_paths()))
        for step in reversed(self.steps):
            if step in wanted:
                wanted.update(self.before(step))
        return Plan([step for step in self.steps if step in wanted], cache=self.cache)

    def fingerprint(self, step: Step) -> str:
        """Say in a few letters what a step depends on.

        step (Step): The step.
        RETURNS (str): Changes with its arguments, with the files and folders that these name and with its inputs,
            and with the fingerprints of the steps before. A folder of which the inputs are a part counts by that
            part. Where it is computed does not count: what was made on a GPU is gone on with on a CPU.
        """
        if step not in self._fingerprints:
            declared = {parent for path in step.inputs for parent in path.parents}
            named = {path for path in step.named_paths() if find_jsonl(find_project_file(path)).is_file() or
                     path.is_dir() and path not in declared and path.resolve() not in self._around}
            parts = [_anywhere(step.arguments), sorted(map(self.fingerprint, self.before(step))),
                     [(str(path), self._hash(path)) for path in sorted(named | set(step.inputs))
                      if self._is_given(path)]]
            self._fingerprints[step] = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
        return self._fingerprints[step]

    def _is_given(self, path: Path) -> bool:
        """Return whether a path is made by no step and is no cache."""
        return self.maker(path) is None and (self.cache is None or self.cache not in (path, *path.parents))

    def _hash(self, path: Path) -> str:
        if path not in self._hashes:
            self._hashes[path] = hash_path(find_project_file(path))
        return self._hashes[path]

    def _place(self, step: Step, placed: Dict[Step, None], waiting: Tuple[Step, ...]) -> None:
        if step in waiting:
            raise BionerError(Errors.E709.format(steps=", ".join(each.name for each in (*waiting, step))))
        if step not in placed:
            for before in self.before(step):
                self._place(before, placed, (*waiting, step))
            placed[step] = None


def _anywhere(arguments: Sequence[str]) -> List[str]:
    """Return the arguments of a step on the CPU."""
    return [_CPU if before in _DEVICE_OPTIONS else argument for before, argument in zip(("", *arguments), arguments)]


def hash_path(path: Path) -> str:
    """Return the hash of a file, or of the names and contents of all files of a folder; empty for neither."""
    path = find_jsonl(path)
    digest = hashlib.sha256()
    if path.is_file():
        with path.open("rb") as file_:  # weights may be larger than memory
            for block in iter(lambda: file_.read(_BLOCK), b""):
                digest.update(block)
        return digest.hexdigest()
    if not path.is_dir():
        return ""
    for inside in sorted(path.rglob("*")):
        if inside.is_file():
            digest.update(f"{inside.relative_to(path)}\t{hash_path(inside)}\n".encode())
    return digest.hexdigest()
