"""What the tour says between its commands."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from forecaster.output.console import stdout

_WIDEST = 88
"""Columns of running text: longer lines are hard to read."""
_ROOMY = 110
"""Columns that the widest table of the tour has."""


def opening(steps: int, folder: Path) -> None:
    """What is about to happen."""
    narrow = " In a wider window the tables have more columns." if stdout().width < _ROOMY else ""
    _say(
        f"A tour of forecast in {steps} steps, on price histories that come with the program. It"
        " takes half a minute, asks nothing of the internet and works in the folder"
        f" {folder}; each command can be run again there.{narrow}"
    )


def chapter(number: int, of: int, title: str, text: str, command: str) -> None:
    """The head of a step; what follows is the command's own output."""
    _line()
    _say(f"{number}/{of}  {title}", "bold")
    _line()
    _say(text)
    _line()
    _line(Text.assemble(("$ ", "dim"), (command, "bold cyan")))
    sys.stdout.flush()  # the command writes to the same stream


def ask_to_go_on() -> None:
    """The line where the tour waits."""
    _line()
    _line(Text("Enter goes on, Ctrl-C leaves. ", style="dim"), end="")
    sys.stdout.flush()


def closing(folder: Path, contents: Sequence[tuple[str, str]]) -> None:
    """What was made, and where to go from here."""
    _line()
    _say(f"That was the tour. In {folder} there are now", "bold")
    room = max(len(name) for name, _ in contents) + 2
    for name, what in contents:
        _say(f"  {name:{room}}{what}", hanging=" " * (room + 2))
    _line()
    _say("Delete the folder when you are done with it. Next, try your own files:")
    _line(Text.assemble(("$ ", "dim"), ("forecast train FILES", "bold cyan")))
    _line(Text.assemble(("$ ", "dim"), ("forecast --help", "bold cyan")))
    sys.stdout.flush()


def _say(text: str, style: str = "", hanging: str = "") -> None:
    """Running text, folded at words; a path longer than a line stays whole."""
    width = min(stdout().width, _WIDEST)
    folded = textwrap.fill(
        text, width, subsequent_indent=hanging, break_on_hyphens=False, break_long_words=False
    )
    _line(Text(folded, style=style))


def _line(text: Text | None = None, end: str = "\n") -> None:
    """One line, never folded: a command must be copied whole."""
    target = stdout()
    with target.capture() as captured:  # Rich by itself makes a reader that went away a failure
        target.print(Text() if text is None else text, end=end, soft_wrap=True)
    sys.stdout.write(captured.get())
