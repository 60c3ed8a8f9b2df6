"""`forecast demo`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecaster.cli.streams import READER_GONE
from forecaster.cli.uses import writes
from forecaster.errors import INTERRUPTED, TERMINATED

if TYPE_CHECKING:
    from forecaster.jobs.demo import Chapter


def demo(
    folder: Annotated[
        Path,
        writes(
            typer.Option(
                metavar="FOLDER",
                help="Where it works: a new folder, an empty one, or an earlier demo's.",
            ),
            folder=True,
        ),
    ] = Path("forecast-demo"),
    no_pause: Annotated[
        bool, typer.Option("--no-pause", help="Do not wait for Enter between steps.")
    ] = False,
) -> None:
    """Take a tour, offline, in half a minute: train, predict, backtest, explain, plot, report."""
    from forecaster.jobs.demo import CHAPTERS

    watched = sys.stdin.isatty() and sys.stdout.isatty()
    tour(folder, CHAPTERS, pause=watched and not no_pause)


def tour(folder: Path, chapters: Sequence[Chapter], *, pause: bool) -> None:
    """Run the commands of some chapters, each below its heading.

    Args:
        folder: where it works: a new folder, an empty one, or an earlier demo's.
        chapters: in order.
        pause: wait for Enter between two of them.

    Raises:
        Exit: a command failed; with its exit code.
    """
    from forecaster.jobs.demo import contents, prepare, run, surroundings
    from forecaster.output.console import error, logs_json
    from forecaster.output.demo import print_chapter, print_closing, print_opening, print_prompt

    prepare(folder, chapters)
    place = folder.absolute()
    environment = surroundings(place, os.environ, log_json=logs_json())
    print_opening(len(chapters), folder)
    for number, chapter in enumerate(chapters, 1):
        if pause and number > 1:
            print_prompt()
            if not sys.stdin.readline():  # the end of the input (Ctrl-D) leaves like Ctrl-C
                raise KeyboardInterrupt
        print_chapter(number, len(chapters), chapter.title, chapter.text, chapter.command)
        code = run(chapter, place, environment)
        if code:
            # a command that was stopped says so itself
            if code not in (INTERRUPTED, TERMINATED, READER_GONE):
                error(
                    f"step {number} of {len(chapters)} ({chapter.command}) ended with exit code"
                    f" {code}; the tour needs each step. See above.",
                    code,
                )
            raise typer.Exit(code)
    print_closing(folder, contents(chapters))
