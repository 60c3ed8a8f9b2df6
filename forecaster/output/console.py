"""Where text goes: results to stdout, everything else to stderr."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from rich.console import Console, RenderableType
from rich.text import Text

_FULL_WIDTH = 400
"""Columns where the output is no terminal: wide enough that no table is cut."""


def console(stream: TextIO) -> Console:
    """A console that colours and fits a terminal, and writes full-width plain text elsewhere.

    Rich itself would cut tables to 80 columns in a pipe and switch colour on for FORCE_COLOR=0.
    """
    terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
    return Console(
        file=stream,
        force_terminal=terminal,
        color_system="auto" if terminal and "NO_COLOR" not in os.environ else None,
        width=None if terminal else _FULL_WIDTH,
        markup=False,
        emoji=False,
        highlight=False,
        soft_wrap=not terminal,
    )


def stdout() -> Console:
    """For results."""
    return console(sys.stdout)


def stderr() -> Console:
    """For notes, progress and errors."""
    return console(sys.stderr)


def render(make: Callable[[int], list[RenderableType]], output: Path | None) -> str:
    """A result as text, coloured for stdout's terminal or plain for a file.

    Args:
        make: gives the parts for a width in columns.
        output: the file it is for; None: stdout.
    """
    target = stdout() if output is None else console(io.StringIO())
    parts = make(target.width)
    with target.capture() as captured:
        for part in parts:
            target.print(part)
    text = captured.get()
    if target.is_terminal:
        return text
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def note(message: str) -> None:
    """One line on stderr that is worth knowing."""
    stderr().print(Text(f"note: {message}", style="yellow"))


def error(message: str) -> None:
    """One line on stderr that says what failed."""
    stderr().print(Text.assemble(("error: ", "bold red"), message))
