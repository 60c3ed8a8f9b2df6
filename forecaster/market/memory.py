"""Memory: how much is free, and how bars of many histories do without it.

A file that takes more than is free is refused before it is read. Bars on a shelf lie in a temporary
file that is mapped: their arrays are read like any others, and the pages under them come and go.
"""

from __future__ import annotations

import io
import mmap
import os
import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from forecaster.arrays import Days, Floats, Moments
from forecaster.errors import DataError
from forecaster.market.bars import PRICE_FIELDS, History
from forecaster.market.calendars import Schedule, closes_of

_PIECE = 2**20

BLOCK = 2**25
"""Bytes of a block; the first one lies in memory, and is enough for some hundred tickers."""

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


class Shelf:
    """Histories whose prices lie in a file of the platform's temporary folder.

    Sessions and closing times, which most tickers of an exchange share, are held once, in memory.
    Where the disk has no room the prices stay there, too.
    """

    def __init__(self) -> None:
        self._dates: dict[bytes, Days] = {}
        self._closes: dict[tuple[int, str], Moments | None] = {}
        self._mapped: list[mmap.mmap] = []
        self._free = np.empty(BLOCK // 8)

    @property
    def mapped(self) -> int:
        """Bytes of the file."""
        return sum(map(len, self._mapped))

    def put(self, history: History) -> History:
        """The history with its arrays on the shelf; what it came with is not needed any more."""
        rows = self._place(len(PRICE_FIELDS) * len(history)).reshape(len(PRICE_FIELDS), -1)
        for row, name in zip(rows, PRICE_FIELDS, strict=True):
            row[:] = getattr(history, name)
        prices: dict[str, Any] = dict(zip(PRICE_FIELDS, rows, strict=True))
        return replace(history, sessions=self._shared(history), **prices)

    def rest(self) -> None:
        """Take what was written and read out of memory; it is read again where it is needed."""
        for block in self._mapped:
            block.madvise(mmap.MADV_DONTNEED)

    def with_closes(self, history: History, known: Schedule) -> History:
        """A history of the shelf with the moments at which its sessions closed."""
        key = id(history.sessions), known.code
        if key not in self._closes:
            self._closes[key] = closes_of(history.sessions, known)
        return replace(history, closes=self._closes[key])

    def _shared(self, history: History) -> Days:
        key = history.sessions.tobytes()
        if key not in self._dates:
            self._dates[key] = history.sessions.copy()
        return self._dates[key]

    def _place(self, count: int) -> Floats:
        """Room for so many numbers."""
        if count > len(self._free):
            self._free = self._block(max(BLOCK, 8 * count))
        place, self._free = self._free[:count], self._free[count:]
        return place

    def _block(self, size: int) -> Floats:
        """More room: in a file, or in memory where there can be none."""
        self.rest()
        if hasattr(os, "posix_fallocate") and hasattr(mmap, "MADV_DONTNEED"):
            try:
                with tempfile.TemporaryFile() as file:  # it is gone when the blocks are
                    # a page that finds the disk full later would end the process
                    os.posix_fallocate(file.fileno(), 0, size)
                    self._mapped.append(mmap.mmap(file.fileno(), size))
                return np.frombuffer(self._mapped[-1])
            except OSError:
                pass
        return np.empty(size // 8)
