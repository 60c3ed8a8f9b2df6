"""Text of the tour between its commands."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from forecaster.output.console import Text, stdout

_WIDEST = 88
"""Columns of running text: longer lines are hard to read."""
_ROOMY = 110
"""Columns of the widest table of the tour."""


def print_opening(steps: int, folder: Path) -> None:
    """Print the introduction."""
    narrow = " In a wider window the tables have more columns." if stdout().width < _ROOMY else ""
    _print_text(
        f"A tour of forecast in {steps} steps, on price histories that come with the program. It"
        " takes half a minute, asks nothing of the internet and works in the folder"
        f" {folder}; each command can be run again there.{narrow}"
    )


def print_chapter(number: int, of: int, title: str, text: str, command: str) -> None:
    """Print the head of a chapter; the output of its command follows."""
    _print_line()
    _print_text(f"{number}/{of}  {title}", "bold")
    _print_line()
    _print_text(text)
    _print_line()
    _print_line(Text.assemble(("$ ", "dim"), (command, "bold cyan")))
    sys.stdout.flush()  # the command writes to the same stream


def print_prompt() -> None:
    """Print the line where the tour waits."""
    _print_line()
    _print_line(Text("Enter goes on, Ctrl-C leaves. ", style="dim"), end="")
    sys.stdout.flush()


def print_closing(folder: Path, contents: Sequence[tuple[str, str]]) -> None:
    """Print the files of the tour, and the next commands to try."""
    _print_line()
    _print_text(f"That was the tour. In {folder} there are now", "bold")
    indent = max(len(name) for name, _ in contents) + 2
    for name, what in contents:
        _print_text(f"  {name:{indent}}{what}", hanging=" " * (indent + 2))
    _print_line()
    _print_text("Delete the folder when you are done with it. Next, try your own files:")
    _print_line(Text.assemble(("$ ", "dim"), ("forecast train FILES", "bold cyan")))
    _print_line(Text.assemble(("$ ", "dim"), ("forecast --help", "bold cyan")))
    sys.stdout.flush()


def _print_text(text: str, style: str = "", hanging: str = "") -> None:
    """Print text folded at words; a path longer than a line stays whole."""
    width = min(stdout().width, _WIDEST)
    for line in textwrap.wrap(
        text, width, subsequent_indent=hanging, break_on_hyphens=False, break_long_words=False
    ):
        _print_line(Text(line, style=style))


def _print_line(text: Text | None = None, end: str = "\n") -> None:
    """Print one line, never folded: a command must be copied whole."""
    target = stdout()
    with target.capture() as captured:  # Rich by itself makes a reader that went away a failure
        target.print(Text() if text is None else text, end=end, soft_wrap=True)
    sys.stdout.write(captured.get())
