"""How much memory is free, so that a file that takes more is refused before it is read."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import BinaryIO

from forecaster.errors import DataError

_PIECE = 2**20

_FREE = re.compile(r"^MemAvailable:\s+(\d+) kB", re.M)


def require_memory(needed: float, source: str) -> None:
    """Raise a DataError if a source takes more bytes than are free.

    Args:
        needed: about how many.
        source: what a message calls it.
    """
    free = _free_bytes()
    if needed > free:
        raise DataError(
            f"{source} takes about {needed / 2**30:.1f} GiB of memory to be read, and"
            f" {free / 2**30:.1f} GiB are free. Split it."
        )


def read_at_most(stream: BinaryIO, count: int) -> bytes:
    """The rest of a stream, up to ``count`` bytes; none are reserved that do not come."""
    read = io.BytesIO()
    while (left := count - read.tell()) and (piece := stream.read(min(left, _PIECE))):
        read.write(piece)
    return read.getvalue()


def _free_bytes() -> float:
    """Bytes that can be had: what the machine has, within a limit set for the process.

    Infinite where neither is known, as outside Linux.
    """
    return min(_of_machine(), _of_limit())


def _of_machine() -> float:
    try:
        found = _FREE.search(Path("/proc/meminfo").read_text())
    except OSError:
        return float("inf")
    return 1024.0 * int(found[1]) if found else float("inf")


def _of_limit() -> float:
    """What ``ulimit -v`` leaves."""
    try:
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError):
        return float("inf")
    if limit == resource.RLIM_INFINITY:
        return float("inf")
    return max(0.0, limit - pages * os.sysconf("SC_PAGE_SIZE"))
