"""How far long work has come: a bar on a terminal, a line now and then in a log."""

import time
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Callable, Iterator, Optional

import typer

from .terminal import console, escaped_output, printable

_TEXT = "{task.fields[note]}"
# Seconds between two lines where there is no terminal.
LINE_EVERY = 30.0


@contextmanager
def show_bar(title: str, *, total: int) -> Iterator[Callable[..., None]]:
    """Show on standard error how far the block has come.

    title (str): What is done.
    total (int): Steps there are.
    YIELDS (Callable[..., None]): Called once a step; `completed` sets where the bar stands, `note` what is said
        beside it, `total` how many steps there are after all.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    screen = console(stderr=True)
    if not screen.is_terminal:
        yield _Lines(title, total).advance
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
               TextColumn(_TEXT))
    with Progress(*columns, console=screen) as progress, escaped_output():
        task = progress.add_task(printable(title, line=True), total=total, note="")

        def advance(**update: Any) -> None:
            if "note" in update:
                update["note"] = printable(update["note"], line=True)
            progress.update(task, **(update if "completed" in update else {"advance": 1, **update}))

        yield advance


class _Lines:
    """The same as lines of a log, one in LINE_EVERY seconds at most, none for work that is done before."""

    def __init__(self, title: str, total: int) -> None:
        self.title = title
        self.total = total
        self.completed = 0
        self.shown = time.monotonic()
        # Where the work began that this process does: what an earlier one had done took none of its time.
        self.began: Optional[float] = None
        self.before = 0

    def advance(self, *, completed: Optional[int] = None, total: Optional[int] = None, note: str = "") -> None:
        now = time.monotonic()
        self.total = self.total if total is None else total
        self.completed = self.completed + 1 if completed is None else completed
        if self.began is None:
            self.began, self.before = now, self.completed
        if now - self.shown < LINE_EVERY:
            return
        self.shown = now
        said = [f"{self.title} {self.completed}/{self.total}"]
        if self.completed > self.before:
            left = (now - self.began) / (self.completed - self.before) * (self.total - self.completed)
            said.append(f"{timedelta(seconds=round(left))} left")
        typer.echo(", ".join([*said, *([note] if note else [])]), err=True)
