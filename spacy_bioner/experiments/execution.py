"""Runs the steps of a plan, one or several at a time; finished ones are skipped, a killed run resumes."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Set

from ..cpu_threads import usable_cpus
from ..errors import BionerError, Errors
from ..extras import extra
from ..files import write_json
from .steps import Plan, Step

with extra("train"):
    from filelock import FileLock, Timeout

Say = Callable[[str], None]
COMMAND = (sys.executable, "-m", "spacy_bioner")
_TAIL = 4000
_POLL_SECONDS = 0.05


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
        """Return where what a step says is written."""
        return self.folder / "logs" / f"{step.name}.log"

    def read(self, step: Step) -> Optional[Stamp]:
        """Return the stamp of a step, where it was begun."""
        path = self._stamp_path(step)
        return Stamp(**json.loads(path.read_text(encoding="utf8"))) if path.is_file() else None

    def is_done(self, step: Step) -> bool:
        """Return whether a step is finished, on what it would be made from now."""
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
        stamp = Stamp(fingerprint, None, found.attempts + 1 if found is not None and same else 1)
        self._write(step, stamp)
        return stamp

    def finish(self, step: Step, stamp: Stamp, seconds: float) -> None:
        """Note that a step is finished."""
        self._write(step, Stamp(stamp.fingerprint, round(seconds, 1), stamp.attempts))

    def _stamp_path(self, step: Step) -> Path:
        return self.folder / "steps" / f"{step.name}.json"

    def _write(self, step: Step, stamp: Stamp) -> None:
        write_json(self._stamp_path(step), vars(stamp))


def run_plan(plan: Plan, folder: Path, *, jobs: int = 1,
             say: Say = lambda line: print(line, file=sys.stderr, flush=True)) -> List[Step]:
    """Run what is not finished. Where a step fails, all that does not need it is run nevertheless.

    plan (Plan): The steps.
    folder (Path): Folder of the experiment.
    jobs (int): Steps that may run side by side, each in a process of its own; those that one waits for come first.
    say (Say): Takes a line for each step.
    RETURNS (List[Step]): The steps that have made nothing by their own reports, which is no error, and those that need
        them, which were not run. What failed so is tried again the next time.
    RAISES BionerError: E429 where a step has failed, with the last line that it said; E710 where another run is under
        way; E723 where a step has not made its output.
    """
    journal = Journal(folder, plan)
    with lock(folder) as locked:
        waiting = list(plan.steps)
        places = {step: f"[{number}/{len(waiting)}] {step.name}" for number, step in enumerate(waiting, start=1)}
        times: Dict[str, List[float]] = defaultdict(list)
        running: List[RunningStep] = []
        failed: Dict[Step, BionerError] = {}
        empty: List[Step] = []
        try:
            while True:
                open_steps = {*waiting, *failed, *empty, *(each.step for each in running)}
                step = _next_step(plan, waiting, open_steps) if len(running) < jobs else None
                if step is not None:
                    waiting.remove(step)
                    if journal.is_done(step):
                        say(f"{places[step]}: done before")
                        empty += [step] if step.has_made_nothing() else []
                    else:
                        left = [each for each in open_steps.difference(failed, empty) if not journal.is_done(each)]
                        say(f"{places[step]}{_guess(left, times, jobs)}")
                        running.append(RunningStep(step, journal, locked, environment=_environment(jobs)))
                elif running:
                    ended = _wait_for_any(running)
                    running.remove(ended)
                    try:
                        times[ended.step.kind or ended.step.verb].append(ended.finish())
                    except BionerError as error:
                        say(f"{places[ended.step]}: {error}")
                        if not ended.step.has_made_nothing():
                            failed[ended.step] = error
                    if ended.step.has_made_nothing():
                        empty.append(ended.step)
                else:
                    break
        finally:
            for each in running:
                each.process.terminate()
            for each in running:
                each.process.wait()
        for step in waiting:
            needed = ", ".join(before.name for before in plan.before(step) if before in {*failed, *empty, *waiting})
            say(f"{places[step]}: not run, it needs {needed}")
        if failed:
            raise next(iter(failed.values()))
        return [*empty, *waiting]


def _next_step(plan: Plan, waiting: Sequence[Step], open_steps: Set[Step]) -> Optional[Step]:
    """Return the first step that needs none of the open ones."""
    return next((step for step in waiting if open_steps.isdisjoint(plan.before(step))), None)


def _environment(jobs: int) -> Mapping[str, str]:
    """Return the variables of a step. What it says goes to the log as it is said, so that an
    error is the last line, not what was said before it; with several steps at a time they divide the cores."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    if jobs > 1:
        environment.setdefault("OMP_NUM_THREADS", str(max(1, usable_cpus() // jobs)))
    return environment


def _wait_for_any(running: Sequence["RunningStep"]) -> "RunningStep":
    """Return one that has ended."""
    while True:
        for each in running:
            if each.process.poll() is not None:
                return each
        time.sleep(_POLL_SECONDS)


class RunningStep:
    """A step in a process of its own, which ends with this one.

    step (Step): The step; it is begun.
    journal (Journal): Where it is noted.
    locked (FileLock): The lock; the process holds it too where the system allows it, so that it cannot be begun twice.
    environment (Mapping[str, str]): Variables of the process.
    """

    def __init__(self, step: Step, journal: Journal, locked: FileLock, *, environment: Mapping[str, str]) -> None:
        self.step = step
        self._journal = journal
        self._stamp = journal.begin(step)
        self._log = journal.log_path(step)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._started = time.perf_counter()
        with self._log.open("ab") as file_:
            self.process = subprocess.Popen([*COMMAND, *step.arguments], stdin=subprocess.DEVNULL,
                                            stdout=file_, stderr=subprocess.STDOUT, env=environment,
                                            pass_fds=_descriptors(locked))

    def finish(self) -> float:
        """Wait for the end, and note it.

        RETURNS (float): Seconds that the step took.
        RAISES BionerError: E429 where it failed, E723 where it did not make its output.
        """
        code, step, log = self.process.wait(), self.step, self._log
        if not code and not step.output.exists():
            raise BionerError(Errors.E723.format(verb=step.name, output=step.output, log=log))
        if code:
            raise BionerError(Errors.E429.format(verb=step.name, output=step.output, log=log, why=last_line(log)))
        seconds = time.perf_counter() - self._started
        self._journal.finish(step, self._stamp, seconds)
        return seconds


@contextmanager
def lock(folder: Path) -> Iterator[FileLock]:
    """Hold the lock of an experiment.

    folder (Path): Its folder.
    YIELDS (FileLock): The lock; on POSIX systems whoever has its file open holds it.
    RAISES BionerError: E710 where a run, or a step that one left behind, holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    held = FileLock(folder / ".lock", timeout=0)
    try:
        held.acquire()
    except Timeout:
        raise BionerError(Errors.E710.format(path=folder)) from None
    try:
        yield held
    finally:
        held.release()


def _descriptors(locked: FileLock) -> List[int]:
    """Return the open files that a process must be given to hold a lock too; Windows has no such."""
    descriptor = locked._context.lock_file_fd
    return [descriptor] if os.name == "posix" and descriptor is not None else []


def last_line(log: Path) -> str:
    """Return the last line of a log that says something; "no message" for none."""
    with log.open("rb") as file_:
        file_.seek(max(0, log.stat().st_size - _TAIL))
        lines = file_.read().decode("utf8", "replace").replace("\r", "\n").splitlines()
    # Wrong usage is told in a frame of box characters.
    said = next((line.strip(" │") for line in reversed(lines) if re.search(r"\w", line)), "no message")
    return said.removeprefix("spacy-bioner: ").rstrip(" .")


def _guess(left: List[Step], times: Dict[str, List[float]], jobs: int) -> str:
    """Return minutes that the steps left may take, by those of the same kind; nothing where one is unknown."""
    kinds = [step.kind or step.verb for step in left]
    if not all(times[kind] for kind in kinds):
        return ""
    seconds = sum(sum(times[kind]) / len(times[kind]) for kind in kinds) / jobs
    return f", about {seconds / 60:.0f} min left"


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
