"""A terminal that a test reads and types into."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

_CONTROLLED = (
    "import os, sys; os.close(os.open(os.ttyname(0), os.O_RDWR))\n"
    "os.execv(sys.argv[1], sys.argv[1:])"
)
"""The terminal that a session's first process opens is the one whose Ctrl-C it gets."""


@contextmanager
def in_terminal(
    command: list[str], columns: int = 80, **environment: str
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A process that has a terminal of its own, as its controlling one."""
    usual = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, columns))
    process = subprocess.Popen(
        [sys.executable, "-c", _CONTROLLED, *command],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env={**usual, "TERM": "xterm-256color", **environment},
    )  # fmt: skip
    os.close(theirs)
    try:
        yield process, ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def read_until(terminal: int, wanted: str | None, seconds: float = 60) -> str:
    """What a terminal shows until some text comes, or (None) the end."""
    shown, end = b"", time.monotonic() + seconds
    while time.monotonic() < end and (wanted is None or wanted.encode() not in shown):
        ready, _, _ = select.select([terminal], [], [], 0.2)
        if ready:
            try:
                part = os.read(terminal, 65536)
            except OSError:  # Linux says so where the other side is closed
                break
            if not part:
                break
            shown += part
    text = shown.decode(errors="replace")
    assert wanted is None or wanted in text, text
    return text


def plain(line: str) -> str:
    """A line without its colours."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", line).rstrip()
