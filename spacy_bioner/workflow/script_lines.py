"""Processes of a workflow: verbs that run models as forks of a process that has loaded the libraries, all else anew."""

import importlib
import importlib.util
import multiprocessing
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from typing import IO, Any, Callable, List, Sequence, Tuple

from ..errors import BionerError, Errors

# Runs the verb whose words are given, and ends by SystemExit where it fails.
RunVerb = Callable[[Sequence[str]], None]
_VERBS = ("python", "-m", "spacy_bioner")
# Verbs and groups of verbs that run models, and what these need: several seconds of loading. No module that starts
# threads or uses a GPU.
_HEAVY = ("annotate", "assemble", "evaluate", "generate", "select", "train")
_LIBRARIES = ("spacy", "torch", "transformers.models.bert.modeling_bert", "transformers.models.llama.modeling_llama",
              "peft")
# Programs that are those of this Python, as `spacy project` takes them.
_OWN = {"python": [sys.executable], "python3": [sys.executable], "pip": [sys.executable, "-m", "pip"],
        "pip3": [sys.executable, "-m", "pip"]}
_BYTES = 65536


class Started:
    """A process whose output is read line by line.

    output (IO[bytes]): What it prints, errors too.
    wait (Callable[[], int]): Waits for its end and returns its exit code.
    terminate (Callable[[], None]): Tells it to end.
    """

    def __init__(self, output: IO[bytes], wait: Callable[[], int], terminate: Callable[[], None]) -> None:
        self.output = output
        self.wait = wait
        self.terminate = terminate
        self._rest = b""

    def read_lines(self) -> Tuple[List[str], bool]:
        """Return the lines that are complete, and whether the output has ended."""
        data = os.read(self.output.fileno(), _BYTES)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if not data:
            lines, self._rest = [*lines, *([self._rest] if self._rest else [])], b""
        return [line.decode("utf8", "replace").rstrip("\r") for line in lines], not data

    def end(self, grace: float) -> None:
        """End the process: it may have been told so already, by the terminal, and then ends by itself.

        grace (float): Seconds to wait for that.
        """
        os.set_blocking(self.output.fileno(), False)
        until = time.monotonic() + grace
        while time.monotonic() < until and not self._is_silent():
            time.sleep(0.05)
        self.terminate()
        self.output.close()
        self.wait()

    def _is_silent(self) -> bool:
        """Return whether the output has ended."""
        try:
            return not os.read(self.output.fileno(), _BYTES)
        except BlockingIOError:
            return False


def split_line(name: str, line: str) -> List[str]:
    """Split a line of a script as a shell does.

    name (str): The command that it belongs to.
    line (str): The line.
    RETURNS (List[str]): Its words; `python` stays as it is.
    RAISES BionerError: E753 where it is empty, has an open quotation, or names no program.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise BionerError(Errors.E753.format(name=name, line=line, why=error)) from None
    if not words:
        raise BionerError(Errors.E753.format(name=name, line=line, why="it is empty"))
    if words[0] not in _OWN and shutil.which(words[0]) is None:
        raise BionerError(Errors.E753.format(name=name, line=line, why=f"no program '{words[0]}' is found"))
    return words


def start(words: List[str], run_verb: RunVerb) -> Started:
    """Start a line of a script in the current folder.

    words (List[str]): Its words. `python` and `pip` are those of this process.
    run_verb (RunVerb): Runs a verb of this package in a forked process.
    RETURNS (Started): The process.
    """
    verb = words[len(_VERBS):] if tuple(words[:len(_VERBS)]) == _VERBS else []
    if can_fork() and verb and verb[0] in _HEAVY:
        return _fork(verb, run_verb)
    process = subprocess.Popen([*_OWN.get(words[0], words[:1]), *words[1:]], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    assert process.stdout is not None
    return Started(process.stdout, process.wait, process.terminate)


def can_fork() -> bool:
    """Return whether a process may be forked after libraries were loaded: on macOS some of them forbid it."""
    return sys.platform.startswith("linux")


def load_libraries() -> None:
    """Load what the verbs need, so that each fork has it; what is not installed stays out."""
    for name in _LIBRARIES:
        if importlib.util.find_spec(name.partition(".")[0]) is not None:
            importlib.import_module(name)


def _fork(words: Sequence[str], run_verb: RunVerb) -> Started:
    load_libraries()
    reader, writer = os.pipe()
    process: Any = multiprocessing.get_context("fork").Process(target=_become, args=(words, run_verb, writer))
    sys.stdout.flush()
    process.start()
    os.close(writer)

    def wait() -> int:
        process.join()
        return int(process.exitcode)

    return Started(os.fdopen(reader, "rb", buffering=0), wait, process.terminate)


def _become(words: Sequence[str], run_verb: RunVerb, writer: int) -> None:
    """Run a verb in a forked process, as if it had been started anew."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    os.dup2(writer, 1)
    os.dup2(writer, 2)
    os.close(writer)
    sys.stdout, sys.stderr = (open(number, "w", encoding="utf8", errors="backslashreplace", buffering=1, closefd=False)
                              for number in (1, 2))
    sys.argv = ["spacy-bioner", *words]
    run_verb(words)
