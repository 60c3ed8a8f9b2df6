"""Spinners: what is being done, and that it goes on."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from rich.console import Console

from forecaster.output.console import console, quiet, watched
from forecaster.wording import visible

if TYPE_CHECKING:
    from rich.progress import ProgressColumn


@contextlib.contextmanager
def beside_stderr() -> Iterator[Console]:
    """A console on a descriptor of its own: the one of stderr is turned away while Keras starts."""
    descriptor = os.dup(sys.stderr.fileno())
    with open(descriptor, "w", encoding=sys.stderr.encoding, errors="replace") as file:  # noqa: PTH123
        yield console(file)


def plain_column(field: str) -> ProgressColumn:
    """A column of a progress bar with a text of the task, as it is."""
    from rich.progress import TextColumn

    return TextColumn(f"{{task.{field}}}", markup=False)


@contextlib.contextmanager
def working(what: str) -> Iterator[Callable[[str], None]]:
    """Show on a terminal what is being done, and that it goes on; gives what changes the words.

    Nothing is shown in a pipe, in a log, and where all is to be quiet.
    """
    if not watched() or quiet():
        yield lambda _: None
        return
    from rich.progress import Progress, SpinnerColumn, TimeElapsedColumn

    with beside_stderr() as screen:
        dots = "dots" if screen.encoding.lower().startswith("utf") else "line"
        columns = (SpinnerColumn(dots), plain_column("description"), TimeElapsedColumn())
        with Progress(*columns, console=screen, transient=True) as shown:
            task = shown.add_task(visible(what), total=None)
            yield lambda words: shown.update(task, description=visible(words))


@contextlib.contextmanager
def fetching() -> Iterator[Callable[[str], None] | None]:
    """Callback that names the ticker being fetched, from the first one on; None without a terminal.

    Where nothing is fetched nothing is shown, nor loaded for it.
    """
    with reading_sources() as (_, on_ticker):
        yield on_ticker


@contextlib.contextmanager
def reading_sources() -> Iterator[
    tuple[Callable[[int, int], None] | None, Callable[[str], None] | None]
]:
    """Callbacks that say how many of the files were read, and which ticker is being fetched.

    Each shows something from its first call on; both are None without a terminal.
    """
    if not watched():
        yield None, None
        return
    with contextlib.ExitStack() as shown:
        said: list[Callable[[str], None]] = []

        def say(words: str) -> None:
            if not said:
                said.append(shown.enter_context(working(words)))
            said[0](words)

        yield (
            lambda done, of: say(f"reading prices, {done} of {of} files"),
            lambda ticker: say(f"fetching {ticker}"),
        )
