"""A bar on standard error: documents per second, time left and failures."""

from contextlib import contextmanager
from typing import Callable, Iterator, Optional

from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from .terminal import console, escaped_output, printable


class SpeedColumn(ProgressColumn):
    """Documents per second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f}/s")


@contextmanager
def show_progress(title: str, *, total: Optional[int] = None,
                  shown: bool = True) -> Iterator[Callable[[int, int], None]]:
    """Show a bar while the block runs.

    title (str): What is done.
    total (Optional[int]): Documents there are, where that is known.
    shown (bool): Whether to show it at all.
    YIELDS (Callable[[int, int], None]): Called with the number of failures so far, and of documents just done.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), SpeedColumn(),
               TimeRemainingColumn(), TextColumn("{task.fields[failed]} failed"))
    with Progress(*columns, console=console(stderr=True), disable=not shown) as progress, escaped_output():
        task = progress.add_task(printable(title, line=True), total=total, failed=0)
        yield lambda failed, done: progress.update(task, advance=done, failed=failed)
