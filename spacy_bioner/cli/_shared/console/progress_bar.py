"""How far long work has come: one line on a terminal, a line every ten seconds in a log."""

import time
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Callable, Iterator, Optional

import typer

from .terminal import console, escaped_output, printable

# Seconds between two lines where there is no terminal.
LINE_EVERY = 10.0


@contextmanager
def show_progress(title: str, *, total: Optional[int] = None) -> Iterator[Callable[..., None]]:
    """Show on standard error how far the block has come: count, rate, time left and failures.

    title (str): What is done.
    total (Optional[int]): Steps or documents there are, where that is known.
    YIELDS (Callable[..., None]): Called when something is done. `done` says how much (1), or `completed` how much in
        all; `failed` how much of it failed in all, `note` what else is shown, `total` how much there is after all.
    """
    work = _Work(printable(title, line=True), total)
    screen = console(stderr=True)
    if not screen.is_terminal:
        yield work.log
        return
    from rich.progress import BarColumn, Progress, TextColumn

    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[state]}", markup=False)
    with Progress(*columns, console=screen) as progress, escaped_output():
        task = progress.add_task(work.title, total=total, state=work.describe())

        def advance(**update: Any) -> None:
            work.advance(**update)
            progress.update(task, completed=work.completed, total=work.total, state=work.describe())

        yield advance


class _Work:
    """Work that is under way.

    title (str): What is done.
    total (Optional[int]): How much there is.
    """

    def __init__(self, title: str, total: Optional[int]) -> None:
        self.title = title
        self.total = total
        self.completed = 0
        self.failed: Optional[int] = None
        self.note = ""
        self.began = self.shown = time.monotonic()
        # What an earlier process had done took none of the time of this one.
        self.before: Optional[int] = None

    def advance(self, *, done: int = 1, completed: Optional[int] = None, total: Optional[int] = None,
                failed: Optional[int] = None, note: str = "") -> None:
        """Take note of what is done."""
        self.completed = self.completed + done if completed is None else completed
        self.total = self.total if total is None else total
        self.failed = self.failed if failed is None else failed
        self.note = printable(note, line=True)
        if self.before is None:
            self.before = 0
            if completed is not None and completed > 1:
                self.before, self.began = completed, time.monotonic()

    def describe(self) -> str:
        """Return count, rate, time left, failures and note."""
        said = [f"{self.completed:,}/{self.total:,}" if self.total else f"{self.completed:,}"]
        done, seconds = self.completed - (self.before or 0), time.monotonic() - self.began
        if done > 0 and seconds > 0:
            said.append(f"{done / seconds:.3g}/s")
            if self.total:
                left = max(0, self.total - self.completed) * seconds / done
                said.append(f"{timedelta(seconds=round(left))} left")
        if self.failed is not None:
            said.append(f"{self.failed:,} failed")
        return ", ".join([*said, *([self.note] if self.note else [])])

    def log(self, **update: Any) -> None:
        """Take note of what is done, and print a line if the last one was printed a while ago."""
        self.advance(**update)
        if time.monotonic() - self.shown >= LINE_EVERY:
            self.shown = time.monotonic()
            typer.echo(f"{self.title} {self.describe()}", err=True)
