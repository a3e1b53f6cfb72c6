"""The progress bar: on a terminal only, and drawn rarely, because drawing costs more than hundreds of messages."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Step = Callable[..., None]


class Bars:
    """One bar after the other: logging in and devices, connecting, sending, reading back."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def bar(self, title: str, total: float, counted: bool = True) -> Iterator[Step]:
        """A bar from 0 to `total`; call what it yields with the present value, and a text to show beside it."""
        if not self._console.is_terminal:
            yield lambda value, text="": None
            return
        number = [MofNCompleteColumn()] if counted else []
        columns = [
            TextColumn("{task.description}"),
            BarColumn(),
            *number,
            TimeRemainingColumn(),
            TextColumn("{task.fields[text]}"),
        ]
        with Progress(*columns, console=self._console, transient=True, refresh_per_second=4) as progress:
            task = progress.add_task(title, total=total, text="")
            yield lambda value, text="": progress.update(task, completed=value, text=text)
