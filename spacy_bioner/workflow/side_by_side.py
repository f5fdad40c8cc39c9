"""Runs the commands of a workflow, those side by side that do not wait for each other.

On a CPU two processes of one thread do more than one process of two: the products of small models are too small to be
divided. What a command waits for is read off the files that it names.
"""

import os
import selectors
import shlex
import sys
from collections import deque
from pathlib import Path, PurePosixPath
from typing import Any, Deque, Dict, Iterable, List, Mapping, NamedTuple, Sequence, Set

from ..errors import BionerError, Errors
from .script_lines import RunVerb, Started, split_line, start

Command = Mapping[str, Any]
# Seconds in which a command ends by itself that got the same signal from the terminal.
_GRACE = 3.0


def find_waits(commands: Sequence[Command]) -> Dict[str, Set[str]]:
    """Find what each command waits for: earlier ones that write what it reads, or that touch what it writes.

    commands (Sequence[Command]): The commands of a workflow, as project.yml has them, in their order. One without deps
        may read anything: it waits for all before it, and all behind it wait for it.
    RETURNS (Dict[str, Set[str]]): Name to the names of earlier commands.
    """
    waits: Dict[str, Set[str]] = {}
    for place, command in enumerate(commands):
        waits[command["name"]] = {
            earlier["name"] for earlier in commands[:place]
            if not _deps(command) or not _deps(earlier)
            or _touch(_outputs(earlier), [*_deps(command), *_outputs(command)])
            or _touch(_deps(earlier), _outputs(command))}
    return waits


def _deps(command: Command) -> List[str]:
    return list(command.get("deps") or [])


def _outputs(command: Command) -> List[str]:
    return [*(command.get("outputs") or []), *(command.get("outputs_no_cache") or [])]


def _touch(paths: Iterable[str], others: Iterable[str]) -> bool:
    """Return whether a path of one list is one of the other, or lies in it or around it."""
    pairs = [(PurePosixPath(path).parts, PurePosixPath(other).parts) for path in paths for other in others]
    return any(path[:len(other)] == other or other[:len(path)] == path for path, other in pairs)


def estimate_end(commands: Sequence[Command], minutes: Mapping[str, float], at_once: int) -> float:
    """Estimate when a workflow ends.

    commands (Sequence[Command]): Its commands.
    minutes (Mapping[str, float]): How long each takes; others take no time.
    at_once (int): How many may run at once.
    RETURNS (float): Minutes after its start.
    """
    waits, waiting = find_waits(commands), [command["name"] for command in commands]
    ends: Dict[str, float] = {}
    running: Dict[str, float] = {}
    now = 0.0
    while waiting or running:
        ready = [name for name in waiting if waits[name] <= set(ends)][:at_once - len(running)]
        running.update({name: now + minutes.get(name, 0.0) for name in ready})
        waiting = [name for name in waiting if name not in ready]
        first = min(running, key=lambda name: running[name])
        now = ends[first] = running.pop(first)
    return now


class _Running(NamedTuple):
    """A command under way.

    command (Command): The command.
    lines (Deque[List[str]]): Lines of its script that are to follow, as words.
    """

    command: Command
    lines: Deque[List[str]]


class Workflow:
    """A workflow whose commands are run at once, as many as may.

    folder (Path): The project.
    commands (Sequence[Command]): Its commands, variables filled in.
    at_once (int): How many may run at once.
    run_verb (RunVerb): Runs a verb of this package in a forked process.
    force (bool): Whether commands of which nothing changed run again.
    RAISES BionerError: E753 for a line of a script that cannot be run.
    """

    def __init__(self, folder: Path, commands: Sequence[Command], *, at_once: int, run_verb: RunVerb,
                 force: bool = False) -> None:
        self.folder = folder
        self.at_once = at_once
        self.run_verb = run_verb
        self.force = force
        self._scripts = {command["name"]: [split_line(command["name"], line) for line in command["script"]]
                         for command in commands}
        self._waiting = list(commands)
        self._waits = find_waits(commands)
        self._done: Set[str] = set()
        self._running: Dict[Started, _Running] = {}
        self._selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Run all commands; raises BionerError E752 for one that fails, after the others were ended."""
        try:
            self._start_ready()
            while self._running:
                for key, _ in self._selector.select():
                    self._read(key.data)
                self._start_ready()
        finally:
            self._end_all()

    def _start_ready(self) -> None:
        """Start commands that wait for nothing more, in the order of the workflow."""
        from weasel.cli.run import check_rerun

        for command in list(self._waiting):
            if len(self._running) >= self.at_once:
                return
            if not self._waits[command["name"]] <= self._done:
                continue
            self._waiting.remove(command)
            self._check_deps(command)
            if self.force or check_rerun(self.folder, dict(command)):
                self._go_on(_Running(command, deque(self._scripts[command["name"]])))
            else:
                _say(command, "skipped, nothing changed")
                self._done.add(command["name"])
                # What waited for it may be any of those that were passed over.
                return self._start_ready()

    def _check_deps(self, command: Command) -> None:
        for path in _deps(command):
            if not (self.folder / path).exists():
                raise BionerError(Errors.E751.format(name=command["name"], path=path))

    def _go_on(self, running: _Running) -> None:
        """Start the next line of a command's script, or note that it is done."""
        from weasel.cli.run import update_lockfile

        if not running.lines:
            update_lockfile(self.folder, dict(running.command))
            self._done.add(running.command["name"])
            return
        words = running.lines.popleft()
        _say(running.command, f"$ {shlex.join(words)}")
        started = start(words, self.run_verb)
        self._running[started] = running
        self._selector.register(started.output, selectors.EVENT_READ, started)

    def _read(self, started: Started) -> None:
        """Show what a process has printed, and see to its end."""
        lines, is_over = started.read_lines()
        running = self._running[started]
        for line in lines:
            _say(running.command, line)
        if not is_over:
            return
        # In this order: a command that was forked meanwhile holds a copy of the output, which once closed here would be
        # reported as ended again and again.
        self._selector.unregister(started.output)
        started.output.close()
        del self._running[started]
        code = started.wait()
        if code:
            raise BionerError(Errors.E752.format(name=running.command["name"], code=code))
        self._go_on(running)

    def _end_all(self) -> None:
        for started in self._running:
            started.end(_GRACE)
        self._running.clear()
        self._selector.close()


def _say(command: Command, line: str) -> None:
    print(f"[{command['name']}] {line}", flush=True)


def run_side_by_side(folder: Path, name: str, overrides: Mapping[str, Any], *, at_once: int, run_verb: RunVerb,
                     force: bool = False) -> None:
    """Run a workflow of a project.

    folder (Path): The project.
    name (str): The workflow.
    overrides (Mapping[str, Any]): Variables, as weasel takes them: "vars.name" to value.
    at_once (int): How many commands may run at once.
    run_verb (RunVerb): Runs a verb of this package in a forked process.
    force (bool): Whether commands of which nothing changed run again.
    RAISES BionerError: E751 for an input that no command has made, E752 for a command that fails, E753 for a line that
        cannot be run.
    """
    from weasel.util.config import load_project_config

    config = load_project_config(folder, overrides=dict(overrides))
    commands = {command["name"]: {"script": [], **command} for command in config["commands"]}
    before = Path.cwd()
    os.chdir(folder)
    try:
        Workflow(folder, [commands[step] for step in config["workflows"][name]], at_once=at_once, run_verb=run_verb,
                 force=force).run()
    finally:
        os.chdir(before)
        sys.stdout.flush()
