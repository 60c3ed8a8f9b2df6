"""Waiting for what another process does, as long as it takes and no longer."""

from __future__ import annotations

import array
import fcntl
import termios
import time
from collections.abc import Callable
from typing import IO


def wait_until(happened: Callable[[], object], seconds: float = 60.0) -> None:
    """Return as soon as something is true; fail if it does not become so in time."""
    ends = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.05)


def wait_until_read(pipe: IO[bytes]) -> None:
    """Return once somebody has read everything that was written into a pipe."""
    unread = array.array("i", [1])
    pipe.flush()

    def nothing_left() -> bool:
        fcntl.ioctl(pipe, termios.FIONREAD, unread)
        return unread[0] == 0

    wait_until(nothing_left)
