"""Progress bars: of trainings by epoch, and of fetching by ticker."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from forecaster.output.console import stderr, watched
from forecaster.output.format import number
from forecaster.output.live.spinners import beside_stderr, fetching, plain_column
from forecaster.wording import visible

if TYPE_CHECKING:
    from rich.progress import Progress

    from forecaster.jobs.progress import EpochDone, OnProgress, TasksDone

_ROOMY = 80
"""Columns of a terminal that has room for the bar itself beside what it is about."""


@contextlib.contextmanager
def training_bar(*, always: bool = False) -> Iterator[OnProgress | None]:
    """Callback of a progress bar: stage, epoch, loss, time left; None without a terminal.

    For networks in training elsewhere the bar shows how many are done.

    Args:
        always: without a terminal too, as a notebook has none.
    """
    if not (always or watched()):
        yield None
        return
    from rich.progress import BarColumn, Progress, TimeElapsedColumn, TimeRemainingColumn

    texts = plain_column("description"), plain_column("fields[state]")
    with contextlib.nullcontext(stderr()) if always else beside_stderr() as screen:
        roomy = screen.width >= _ROOMY
        middle = (BarColumn(bar_width=20),) if roomy else ()
        ends = (TimeElapsedColumn(), *((TimeRemainingColumn(),) if roomy else ()))
        with Progress(texts[0], *middle, texts[1], *ends, console=screen, transient=True) as bar:
            yield _moving(bar)


def _moving(bar: Progress) -> OnProgress:
    """Callback that moves a bar."""
    from forecaster.jobs.progress import TasksDone

    tasks = {"start": bar.add_task("starting Keras", total=None, state="")}

    def move(progress: EpochDone | TasksDone) -> None:
        if isinstance(progress, TasksDone):
            stage, done, of = "training on workers", progress.done, progress.of
            state = f"{done} of {of} done"
        else:
            stage, epoch = visible(progress.stage), progress.epoch
            done, of = epoch.number, epoch.of
            state = f"epoch {done}/{of}  loss {number(epoch.loss, '.4f')}"
            if epoch.validation is not None:
                state += f"  validation {number(epoch.validation, '.4f')}"
        if stage not in tasks:
            for task in tasks.values():
                bar.update(task, visible=False)
            tasks[stage] = bar.add_task(stage, total=of, state="")
        bar.update(tasks[stage], completed=done, state=state)

    return move


@contextlib.contextmanager
def ticker_bar(total: int) -> Iterator[Callable[[str], None] | None]:
    """Callback of a progress bar by ticker; None without a terminal."""
    if not watched() or total < 2:
        with fetching() as on_ticker:
            yield on_ticker
        return
    from rich.progress import BarColumn, Progress, TimeRemainingColumn

    columns = (plain_column("description"), BarColumn(bar_width=20), TimeRemainingColumn())
    with Progress(*columns, console=stderr(), transient=True) as bar:
        task = bar.add_task("fetching", total=total)
        started = False

        def move(ticker: str) -> None:
            nonlocal started
            bar.update(task, description=f"fetching {visible(ticker)}", advance=int(started))
            started = True

        yield move
