"""Standard streams that are closed, full, or of an encoding that lacks characters."""

from __future__ import annotations

import codecs
import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator
from typing import Any

import typer

from forecaster.errors import SettingsError

_PLAIN = str.maketrans("–−─━│└┴┘░▒●·◂×±σ₂…", "---=|+++:#o.<x+s2.")
"""Signs of tables and charts, and those of ASCII that stand for them, each as wide."""
_BRAILLE = range(0x2800, 0x2900)

READER_GONE = 141
"""The program that read our output went away, as a shell reports SIGPIPE."""


def open_streams() -> None:
    """Make standard streams that can be written to, whatever they are.

    Streams that a daemon closed lead nowhere; without them the first note would be a crash. A
    character that stdout's encoding lacks is replaced by one that is like it, or else by a question
    mark. What stderr does not take is lost: a full disk under a log is no reason to lose a result.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        codecs.register_error("plain", _in_plain_signs)
        sys.stdout.reconfigure(errors="plain")
    raw = _Lossy(sys.stderr.fileno(), "w", closefd=False)
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=sys.stderr.encoding,
        errors="backslashreplace",
        line_buffering=True,
    )


def _in_plain_signs(problem: UnicodeError) -> tuple[str, int]:
    """ASCII for characters that an encoding lacks, as a handler of errors of ``codecs``."""
    if not isinstance(problem, UnicodeEncodeError):
        raise problem
    lacking = problem.object[problem.start : problem.end].translate(_PLAIN)
    signs = ("*" if ord(c) in _BRAILLE else c if c.isascii() else "?" for c in lacking)
    return "".join(signs), problem.end


class _Lossy(io.FileIO):
    """A file that takes everything, and keeps what it can."""

    def write(self, data: Any) -> int:
        """Write; what cannot be written counts as written."""
        with contextlib.suppress(OSError):
            return super().write(data) or len(data)
        return len(data)


@contextlib.contextmanager
def written(last_words: Any) -> Iterator[None]:
    """End the command in one line where stdout cannot be written.

    Args:
        last_words: is given the line and the exit code.

    Raises:
        typer.Exit: with the code of what happened.
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_stdout()
        raise typer.Exit(READER_GONE) from None
    except OSError as problem:
        if problem.errno not in (errno.ENOSPC, errno.EBADF, errno.EIO):
            raise
        _drop_stdout()
        last_words(
            f"the result could not be written ({problem.strerror}); make room or choose another"
            " --output",
            SettingsError.exit_code,
        )
        raise typer.Exit(SettingsError.exit_code) from None


def _drop_stdout() -> None:
    """Let what is still buffered go nowhere: it must not fail again when Python closes stdout."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
