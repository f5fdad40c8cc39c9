"""A bar on standard error for long work that counts steps."""

from contextlib import contextmanager
from typing import Any, Callable, Iterator

_TEXT = "{task.fields[note]}"


@contextmanager
def show_bar(title: str, *, total: int) -> Iterator[Callable[..., None]]:
    """Show a bar while the block runs.

    title (str): What is done.
    total (int): Steps there are.
    YIELDS (Callable[..., None]): Called once a step; `completed` sets where the bar stands, `note` what is said
        beside it, `total` how many steps there are after all.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
               TextColumn(_TEXT))
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=total, note="")

        def advance(**update: Any) -> None:
            progress.update(task, **(update if "completed" in update else {"advance": 1, **update}))

        yield advance
