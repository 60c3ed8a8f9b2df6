"""Memory: how much is free, and how bars of many histories do without it.

A file that takes more than is free is refused before it is read. Bars on a shelf lie in a temporary
file that is mapped: their arrays are read like any others, and the pages under them come and go.
"""

from __future__ import annotations

import contextlib
import errno
import io
import mmap
import os
import re
import tempfile
from pathlib import Path
from typing import IO, Any, BinaryIO

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
    free = free_bytes()
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


def free_bytes() -> float:
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

    The first ``BLOCK`` bytes stay in memory, and so does what the disk has no room for. Sessions
    and closing times, which most tickers of an exchange share, are held once.
    """

    def __init__(self) -> None:
        self.held = 0
        """Bytes of prices in memory."""
        self._dates: dict[bytes, Days] = {}
        self._closes: dict[tuple[int, str], Moments | None] = {}
        self._file: IO[bytes] | None = None
        self._blocks: list[mmap.mmap] = []
        self._used = 0

    @property
    def written(self) -> int:
        """Bytes of the file."""
        return sum(map(len, self._blocks))

    def put(self, history: History) -> History:
        """The history with its prices on the shelf, where they can be read alone."""
        rows = self._kept(np.stack([getattr(history, name) for name in PRICE_FIELDS]))
        prices: dict[str, Any] = dict(zip(PRICE_FIELDS, rows, strict=True))
        return history.having(sessions=self._shared(history.sessions), **prices)

    def with_closes(self, history: History, known: Schedule) -> History:
        """A history of the shelf with the moments at which its sessions closed."""
        key = id(history.sessions), known.code
        if key not in self._closes:
            self._closes[key] = closes_of(history.sessions, known)
        return history.having(closes=self._closes[key])

    def rest(self) -> None:
        """Take the pages of the file out of memory; they come back when they are read."""
        for block in self._blocks:
            block.madvise(mmap.MADV_DONTNEED)

    def _shared(self, sessions: Days) -> Days:
        return self._dates.setdefault(sessions.tobytes(), sessions)

    def _kept(self, prices: Floats) -> Floats:
        """Prices ``(6, n)`` where they stay."""
        if self.held >= BLOCK and hasattr(os, "pwrite") and hasattr(mmap, "MADV_DONTNEED"):
            with contextlib.suppress(OSError):
                return self._in_file(prices)
        self.held += prices.nbytes
        return prices

    def _in_file(self, prices: Floats) -> Floats:
        """Prices ``(6, n)`` as the file has them.

        Raises:
            OSError: the disk has no room for them.
        """
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 – as long as the shelf
        file = self._file.fileno()
        if not self._blocks or self._used + prices.nbytes > len(self._blocks[-1]):
            self._add_block(file, prices.nbytes)
        block, start = self._blocks[-1], self._used
        if os.pwrite(file, prices.data, self.written - len(block) + start) < prices.nbytes:
            raise OSError(errno.ENOSPC, "no room")
        self._used += prices.nbytes
        kept = np.frombuffer(block, np.float64, prices.size, start)
        return kept.reshape(prices.shape)

    def _add_block(self, file: int, least: int) -> None:
        self.rest()
        size = -(-least // BLOCK) * BLOCK
        os.truncate(file, self.written + size)
        self._blocks.append(mmap.mmap(file, size, access=mmap.ACCESS_READ, offset=self.written))
        self._used = 0
