"""A progress bar for training, on a terminal's stderr and nowhere else."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from forecaster.jobs.scoring import Progress as TrainingProgress
from forecaster.output.console import stderr, watched


@contextlib.contextmanager
def training_bar() -> Iterator[Callable[[TrainingProgress], None] | None]:
    """A callback that moves the bar: stage, epoch, loss, time left. None where nobody watches."""
    if not watched():
        yield None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[state]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=stderr(), transient=True) as bar:
        tasks = {"start": bar.add_task("starting Keras", total=None, state="")}

        def move(progress: TrainingProgress) -> None:
            epoch = progress.epoch
            if progress.stage not in tasks:
                for task in tasks.values():
                    bar.update(task, visible=False)
                tasks[progress.stage] = bar.add_task(progress.stage, total=epoch.of, state="")
            state = f"epoch {epoch.number}/{epoch.of}  loss {epoch.loss:.4f}"
            if epoch.validation is not None:
                state += f"  validation {epoch.validation:.4f}"
            bar.update(tasks[progress.stage], completed=epoch.number, state=state)

        yield move


@contextlib.contextmanager
def ticker_bar(total: int) -> Iterator[Callable[[str], None] | None]:
    """A callback that moves the bar on with each ticker. None where nobody watches."""
    if not watched() or total < 2:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), TimeRemainingColumn())
    with Progress(*columns, console=stderr(), transient=True) as bar:
        task = bar.add_task("fetching", total=total)
        started = False

        def move(ticker: str) -> None:
            nonlocal started
            bar.update(task, description=f"fetching {ticker}", advance=int(started))
            started = True

        yield move
