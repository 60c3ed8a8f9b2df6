"""A progress bar for training, on a terminal's stderr and nowhere else."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from forecaster.jobs.scoring import OnProgress, TasksDone
from forecaster.jobs.scoring import Progress as TrainingProgress
from forecaster.output.console import stderr, watched


@contextlib.contextmanager
def training_bar() -> Iterator[OnProgress | None]:
    """A callback that moves the bar: stage, epoch, loss, time left. None where nobody watches.

    Of networks that are trained elsewhere it shows how many are done.
    """
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

        def task_of(stage: str, total: int) -> TaskID:
            if stage not in tasks:
                for task in tasks.values():
                    bar.update(task, visible=False)
                tasks[stage] = bar.add_task(stage, total=total, state="")
            return tasks[stage]

        def move(progress: TrainingProgress | TasksDone) -> None:
            if isinstance(progress, TasksDone):
                state = f"{progress.done} of {progress.of} done"
                task = task_of("training on workers", progress.of)
                bar.update(task, completed=progress.done, state=state)
                return
            epoch = progress.epoch
            state = f"epoch {epoch.number}/{epoch.of}  loss {epoch.loss:.4f}"
            if epoch.validation is not None:
                state += f"  validation {epoch.validation:.4f}"
            bar.update(task_of(progress.stage, epoch.of), completed=epoch.number, state=state)

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
