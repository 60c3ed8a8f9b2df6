"""The console: results on stdout, all else on stderr, as text or as a log in JSON."""

from __future__ import annotations

import io
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO, cast

from rich.console import Console, RenderableType
from rich.text import Text as RichText

from forecaster.redaction import redacted
from forecaster.wording import visible, visible_lines

_FULL_WIDTH = 400
"""Columns where the output is no terminal: wide enough that no table is cut."""


@dataclass
class _Log:
    """Format of stderr, one for the process, and what its lines are of.

    Attributes:
        command: that runs, such as ``data list``.
        run: of a batch, as the journal names it.
    """

    json: bool = False
    command: str | None = None
    run: str | None = None
    quiet: bool = False


_LOG = _Log()


class Text(RichText):
    """A line of text that may hold what is from outside: all of it can be seen, and is one line.

    Rich itself drops some control characters, passes others on, and breaks lines where they say.
    """

    def __init__(self, text: str = "", *args: Any, **options: Any) -> None:
        super().__init__(visible(text), *args, **options)

    def append(self, text: RichText | str, style: Any = None) -> Self:
        """Add text with a style at the end."""
        super().append(visible(text) if isinstance(text, str) else text, style)
        return self

    @classmethod
    def assemble(cls, *parts: Any, **options: Any) -> Self:
        """A line of texts, and of pairs of a text and a style."""
        line = super().assemble(*parts, **options)
        return cast("Self", line)  # which Rich makes of this class


def below_each_other(lines: Iterable[Text]) -> RichText:
    """Texts, each in a line of its own."""
    return RichText("\n").join(lines)


class _Console(Console):
    """A console that shows plain strings, such as cells of tables, like ``Text``."""

    def render_str(self, text: str, **options: Any) -> RichText:
        """Make a text of a string."""
        return super().render_str(visible(text), **options)


def console(stream: TextIO) -> Console:
    """A console that colours and fits a terminal, and writes full-width plain text elsewhere.

    Rich itself would cut tables to 80 columns in a pipe and switch colour on for FORCE_COLOR=0.
    """
    terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
    return _Console(
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
    """The console of results."""
    return console(sys.stdout)


def stderr() -> Console:
    """The console of notes, progress and errors."""
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


def logs_json() -> bool:
    """Whether stderr is a log in JSON."""
    return _LOG.json


def watched() -> bool:
    """Whether stderr is a terminal without a log, for progress bars."""
    return sys.stderr.isatty() and not _LOG.json


def quiet() -> bool:
    """Whether no word is wanted about what goes well."""
    return _LOG.quiet


def note(message: str) -> None:
    """Print a note on stderr."""
    if _LOG.json:
        _record("note", message)
    else:
        stderr().print(Text(f"note: {redacted(message)}", style="yellow"))


def wrote(path: Path) -> None:
    """Name a file that was written, unless all is to be quiet or it is a device or a pipe."""
    if not quiet() and path.is_file():
        note(f"wrote {path}")


def next_step(command: str) -> None:
    """Print a command that may come next, in one line to be copied."""
    stderr().print(Text(f"next: {command}", style="dim"), soft_wrap=True)


def error(message: str, exit_code: int | None = None) -> None:
    """Print an error on stderr.

    Args:
        message: what was found, what was needed and one thing to do.
        exit_code: of the process, if the error ends it; a log in JSON has it too.
    """
    if _LOG.json:
        _record("error", message, exit_code)
    else:
        stderr().print(Text.assemble(("error: ", "bold red"), redacted(message)))


def last_words(message: str, exit_code: int) -> None:
    """Print a last message on stderr, on a line below Ctrl-C."""
    if _LOG.json:
        _record("error", message, exit_code)
    else:
        sys.stderr.write(f"\n{visible(message)}\n")


def take_over(*, json: bool, command: str | None = None, quiet: bool = False) -> None:
    """Write what libraries say on stderr like notes and errors from here on.

    Args:
        json: as one JSON object a line.
        command: that runs, if it is known yet.
        quiet: no word about files that are written.
    """
    _LOG.json, _LOG.command, _LOG.quiet, _LOG.run = json, command, quiet, None
    warnings.showwarning = lambda message, *_args, **_more: _library("warning", str(message))
    logging.lastResort = _Records(logging.WARNING)
    sys.excepthook = _record_bug


def log_as_json(command: str | None = None) -> None:
    """Write stderr as one JSON object a line from here on, for libraries too."""
    take_over(json=True, command=command)


def name_run(run: str) -> None:
    """Have each line of a log in JSON say which run it is of, from here on."""
    _LOG.run = run


def _library(level: str, message: str) -> None:
    """Write what a library says, which may be what somebody told it."""
    if _LOG.json:
        _record(level, message)
    else:
        sys.stderr.write(f"{level}: {visible(redacted(message))}\n")


class _Records(logging.Handler):
    """Handler of the logs of libraries."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record of a library."""
        level = "error" if record.levelno >= logging.ERROR else "warning"
        _library(level, f"{record.name}: {record.getMessage()}")


def _record_bug(
    kind: type[BaseException], problem: BaseException, trace: TracebackType | None
) -> None:
    """Write an unexpected exception with its traceback, which a log in JSON has in one message."""
    text = "".join(traceback.format_exception(kind, problem, trace)).rstrip()
    if _LOG.json:
        _record("bug", text, 1)
    else:
        sys.stderr.write(f"{visible_lines(redacted(text))}\n")


def _record(level: str, message: str, exit_code: int | None = None) -> None:
    """Write one JSON object on a line, in ASCII for any terminal and locale."""
    line: dict[str, object] = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "level": level,
        "command": _LOG.command,
        "message": (visible_lines if level == "bug" else visible)(redacted(message)),
    }
    if _LOG.run is not None:
        line["run"] = _LOG.run
    if exit_code is not None:
        line["exit_code"] = exit_code
    import json

    sys.stderr.write(json.dumps(line) + "\n")
    sys.stderr.flush()
