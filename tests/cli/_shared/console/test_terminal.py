"""Nothing that a label, an id, a text or a model says reaches the terminal as a command to it."""

import io
import logging
import os
import re
import subprocess
import sys
import warnings

import pytest
import typer
from places import ROOT
from rich.progress import Progress

from spacy_bioner.cli import main as command_line
from spacy_bioner.cli._shared.console.progress_bar import show_progress
from spacy_bioner.cli._shared.console.terminal import console, escaped_output, printable
from spacy_bioner.errors import BionerError

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\x08\x7f\u202egnp\u2066\u200f\ud800"
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def test_control_characters_are_shown_and_not_obeyed():
    assert printable("\x1b[31m\u202e\r") == "\\x1b[31m\\u202e\\r"
    assert printable("two\nlines\tof text, 糖尿病 é") == "two\nlines\tof text, 糖尿病 é"
    assert printable("two\nlines", line=True) == "two\\nlines"


def test_all_that_is_printed_logged_or_warned_is_escaped(monkeypatch):
    out, error = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", error)
    with escaped_output():
        print(HOSTILE)
        typer.echo(HOSTILE)
        typer.echo(HOSTILE, err=True)
        logging.StreamHandler(sys.stderr).emit(logging.makeLogRecord({"msg": HOSTILE}))
        # As Python shows a warning where no test framework records it.
        sys.stderr.write(warnings.formatwarning(HOSTILE, UserWarning, "x.py", 1))
        sys.stdout.writelines([HOSTILE])
        print(HOSTILE, file=sys.stderr)
        assert not sys.stdout.isatty()
    assert sys.stdout is out
    for stream in (out, error):
        assert stream.getvalue().count("202e") >= 2 and not RAW.search(stream.getvalue())


def test_bold_headings_are_plain_lines(monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    with escaped_output():
        print("\x1b[1m== all ==\x1b[0m")
    assert out.getvalue() == "== all ==\n"


class Screen(io.StringIO):
    def isatty(self):
        return True


def test_what_is_printed_beside_a_bar_is_escaped(monkeypatch):
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with escaped_output(), show_progress(HOSTILE, total=1) as advance:
        print(HOSTILE, file=sys.stderr)
        advance(failed=0)
    assert "owned" in screen.getvalue()
    for hostile in ("\x1b]0;", "\x1b[2J\x9b", "\x9b", "\u202e", "\x07"):
        assert hostile not in screen.getvalue()


def test_an_error_is_one_escaped_line(monkeypatch, capsys):
    def fail():
        raise BionerError(f"Label '{HOSTILE}\nx' is unknown.")

    monkeypatch.setattr(command_line, "app", fail)
    with pytest.raises(SystemExit):
        command_line.main()
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "\\x1b" in error and not RAW.search(error)


def test_consoles_are_made_in_one_place():
    assert Progress(console=console()).console is not None
    for path in (ROOT / "spacy_bioner").rglob("*.py"):
        if path.name != "terminal.py":
            assert not re.search(r"\bConsole\(", path.read_text(encoding="utf8")), path


def test_bars_and_warnings_of_libraries_stay_off_the_terminal():
    code = ("from spacy_bioner.cli._shared.console.terminal import quiet_libraries\nquiet_libraries()\n"
            "import warnings\nfrom tqdm.auto import tqdm\nlist(tqdm(range(3)))\n"
            "warnings.warn_explicit('deprecated', FutureWarning, 'm.py', 1, module='transformers.modeling_utils')\n"
            "warnings.warn_explicit('ours', UserWarning, 'x.py', 1, module='spacy_bioner.x')\n")
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("TQDM_DISABLE", "PYTHONWARNINGS")}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert "it/s" not in run.stderr and "deprecated" not in run.stderr and "ours" in run.stderr
