"""Runs the steps of a plan one after the other; finished ones are skipped, a killed run goes on where it was."""

import fcntl
import json
import re
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Callable, Dict, Iterator, List, Optional

from ..errors import BionerError, Errors
from ..files import write_json
from .steps import Plan, Step

Say = Callable[[str], None]
COMMAND = (sys.executable, "-m", "spacy_bioner")
_TAIL = 4000


@dataclass(frozen=True)
class Stamp:
    """What is known of a step that was begun.

    fingerprint (str): What it depended on, see `Plan.fingerprint`.
    seconds (Optional[float]): What it took; None where it was begun and not finished.
    attempts (int): How often it was begun. The seconds are those of the last time.
    """

    fingerprint: str
    seconds: Optional[float] = None
    attempts: int = 1


class Journal:
    """The stamps and logs of the steps of an experiment.

    folder (Path): Folder of the experiment; stamps go to `steps`, logs to `logs`.
    plan (Plan): The steps.
    """

    def __init__(self, folder: Path, plan: Plan) -> None:
        self.folder = folder
        self.plan = plan

    def log_path(self, step: Step) -> Path:
        """RETURNS (Path): Where what a step says is written."""
        return self.folder / "logs" / f"{step.name}.log"

    def read(self, step: Step) -> Optional[Stamp]:
        """RETURNS (Optional[Stamp]): The stamp of a step, where it was begun."""
        path = self._stamp_path(step)
        return Stamp(**json.loads(path.read_text(encoding="utf8"))) if path.is_file() else None

    def is_done(self, step: Step) -> bool:
        """RETURNS (bool): Whether a step is finished, on what it would be made from now."""
        stamp = self.read(step)
        return (stamp is not None and stamp.seconds is not None and step.output.exists()
                and stamp.fingerprint == self.plan.fingerprint(step))

    def begin(self, step: Step) -> Stamp:
        """Note that a step is begun; what it made from something else is removed, and what lies beside it.

        step (Step): The step.
        RETURNS (Stamp): Its stamp.
        """
        found, fingerprint = self.read(step), self.plan.fingerprint(step)
        same = found is not None and found.fingerprint == fingerprint
        if found is not None and not same:
            _remove(step.output)
        for path in step.beside:
            _remove(path)
        stamp = Stamp(fingerprint, None, found.attempts + 1 if same else 1)
        self._write(step, stamp)
        return stamp

    def finish(self, step: Step, stamp: Stamp, seconds: float) -> None:
        """Note that a step is finished."""
        self._write(step, Stamp(stamp.fingerprint, round(seconds, 1), stamp.attempts))

    def _stamp_path(self, step: Step) -> Path:
        return self.folder / "steps" / f"{step.name}.json"

    def _write(self, step: Step, stamp: Stamp) -> None:
        write_json(self._stamp_path(step), vars(stamp))


def run_plan(plan: Plan, folder: Path, *, say: Say = lambda line: print(line, file=sys.stderr, flush=True),
             excuse: Callable[[Step], bool] = lambda step: False) -> None:
    """Run what is not finished.

    plan (Plan): The steps.
    folder (Path): Folder of the experiment.
    say (Say): Takes a line for each step.
    excuse (Callable[[Step], bool]): Whether the others go on after a step has failed; it is tried again the next time.
    RAISES BionerError: E420 where a step fails, with the last line that it said; E723 where another run is under way;
        E736 where a step does not make its output.
    """
    journal = Journal(folder, plan)
    with lock(folder) as locked:
        times: Dict[str, List[float]] = defaultdict(list)
        for number, step in enumerate(plan.steps, start=1):
            if journal.is_done(step):
                say(f"[{number}/{len(plan.steps)}] {step.name}: done before")
                continue
            left = _guess([each for each in plan.steps[number - 1:] if not journal.is_done(each)], times)
            say(f"[{number}/{len(plan.steps)}] {step.name}{left}")
            try:
                times[step.kind or step.verb].append(run_step(step, journal, locked))
            except BionerError as error:
                if not excuse(step):
                    raise
                say(f"[{number}/{len(plan.steps)}] {error}")


def run_step(step: Step, journal: Journal, locked: Optional[IO[Any]] = None) -> float:
    """Run a step in a process of its own, which ends with this one.

    step (Step): The step.
    journal (Journal): Where it is noted.
    locked (Optional[IO]): The lock; the process holds it too, so that it cannot be begun twice.
    RETURNS (float): Seconds that it took.
    RAISES BionerError: E420 where it fails, E736 where it does not make its output.
    """
    stamp, log, started = journal.begin(step), journal.log_path(step), time.perf_counter()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file_:
        process = subprocess.Popen([*COMMAND, *step.arguments], stdin=subprocess.DEVNULL,
                                   stdout=file_, stderr=subprocess.STDOUT,
                                   pass_fds=[locked.fileno()] if locked is not None else [])
        try:
            code = process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if not code and not step.output.exists():
        raise BionerError(Errors.E736.format(verb=step.name, output=step.output, log=log))
    if code:
        raise BionerError(Errors.E420.format(verb=step.name, output=step.output, log=log, why=last_line(log)))
    seconds = time.perf_counter() - started
    journal.finish(step, stamp, seconds)
    return seconds


@contextmanager
def lock(folder: Path) -> Iterator[IO[Any]]:
    """Hold the lock of an experiment.

    folder (Path): Its folder.
    YIELDS (IO): The locked file; whoever has it open holds the lock.
    RAISES BionerError: E723 where a run, or a step that one left behind, holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file_:
        try:
            fcntl.flock(file_, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BionerError(Errors.E723.format(path=folder)) from None
        yield file_


def last_line(log: Path) -> str:
    """RETURNS (str): The last line of a log that says something; "no message" for none."""
    with log.open("rb") as file_:
        file_.seek(max(0, log.stat().st_size - _TAIL))
        lines = file_.read().decode("utf8", "replace").replace("\r", "\n").splitlines()
    # Wrong usage is told in a frame of box characters.
    said = next((line.strip(" │") for line in reversed(lines) if re.search(r"\w", line)), "no message")
    return said.removeprefix("spacy-bioner: ").rstrip(" .")


def _guess(left: List[Step], times: Dict[str, List[float]]) -> str:
    """RETURNS (str): Minutes that the steps left may take, by those of the same kind; nothing where one is unknown."""
    kinds = [step.kind or step.verb for step in left]
    if not all(times[kind] for kind in kinds):
        return ""
    return f", about {sum(sum(times[kind]) / len(times[kind]) for kind in kinds) / 60:.0f} min left"


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
