"""Many price files, or stored tickers, read in several processes.

Histories, notes, failures and their order are those of one process. Where workers are lost, or
cannot be had, this process reads what they did not.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from forecaster.errors import WorkersLost
from forecaster.jobs.progress import EpochDone, OnProgress, TasksDone
from forecaster.market.bars import Panel
from forecaster.market.files.cells.parse_numbers import load_arrow
from forecaster.market.files.read import MANY, Collected, NamedPath, Reader, ReadOptions, read_each
from forecaster.market.memory import free_bytes

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from forecaster.errors import DataError
    from forecaster.jobs.parallel import Pool
    from forecaster.market.bars import History
    from forecaster.market.fetch_options import BarsReader
    from forecaster.market.store.tickers import TickerInfo

LARGE = 32 * 2**20
"""Bytes of files from which processes pay: they need about a second to start."""

MANY_TICKERS = 1_000
"""Stored tickers from which processes pay."""

MOST_WORKERS = 8
"""Processes at most: what they read comes together in one."""

_BYTES_OF_A_WORKER = 2**29
"""Free memory that another process asks for."""

_IN_A_TASK = 8
"""Files of one task."""

NO_WORKERS = (WorkersLost, OSError, ImportError)
"""How workers are lost, or cannot be had, as in a container without shared memory."""

TICKERS_IN_A_TASK = 64
"""Stored tickers of one task."""

_Task = tuple[list[NamedPath], ReadOptions]
_StoredTask: TypeAlias = tuple[tuple[Any, ...], int | None]
"""What is known of some tickers, and how many bars of each are wanted."""

OnFiles = Callable[[int, int], None]
"""Called with how many files were read, and of how many."""


def reader(on_files: OnFiles | None = None, workers: int | None = None) -> Reader:
    """Reads the files of a source, in several processes where that pays.

    Args:
        on_files: called as some of many files are done.
        workers: processes; None: one for each core, if the files are large enough.
    """

    def read(files: Sequence[NamedPath], options: ReadOptions) -> Iterable[Collected]:
        processes = min(_workers(files) if workers is None else workers, len(files))
        if processes > 1:
            with contextlib.suppress(*NO_WORKERS):
                return _on_processes(files, options, processes, on_files)
        return _here(files, options, on_files)

    return read


def pool_for(tickers: int, workers: int | None) -> Pool:
    """The processes that read stored tickers and forecast from them.

    Args:
        tickers: how many.
        workers: processes; None: one for each core, if there are enough tickers and memory.

    Raises:
        SettingsError: there are fewer than one.
    """
    from forecaster.jobs.parallel import Pool

    if workers is None and tickers >= MANY_TICKERS:
        workers = max(1, int(min(_cores(), MOST_WORKERS, free_bytes() / _BYTES_OF_A_WORKER)))
    return Pool(workers)


def stored_reader(pool: Pool) -> BarsReader:
    """Reads the bars of stored tickers, in the processes of a pool if it has several."""
    from forecaster.market.store.bars import read_all

    def read(
        connection: Connection, infos: Sequence[TickerInfo], last: int | None
    ) -> Iterator[tuple[str, History | DataError]]:
        done = 0
        if pool.processes > 1 and len(infos) > TICKERS_IN_A_TASK:
            with contextlib.suppress(*NO_WORKERS):
                for found in pool.stream(read_stored, _tasks(infos, last)):
                    yield from found
                    done += TICKERS_IN_A_TASK
        yield from read_all(connection, infos[done:], last)

    return read


def _tasks(infos: Sequence[TickerInfo], last: int | None) -> list[_StoredTask]:
    starts = range(0, len(infos), TICKERS_IN_A_TASK)
    return [(tuple(infos[i : i + TICKERS_IN_A_TASK]), last) for i in starts]


def read_stored(
    _panel: Panel, task: _StoredTask, _watch: OnProgress | None
) -> list[tuple[str, Any]]:
    """The bars of some stored tickers, of one moment: a task of a pool."""
    from forecaster.market.store import Store
    from forecaster.market.store.bars import read_all

    with Store() as store, store.reading() as connection:
        return list(read_all(connection, *task))


def _here(
    files: Sequence[NamedPath], options: ReadOptions, on_files: OnFiles | None
) -> Iterable[Collected]:
    for done, found in enumerate(read_each(files, options), start=1):
        if on_files is not None and len(files) >= MANY:
            on_files(done, len(files))
        yield found


def _on_processes(
    files: Sequence[NamedPath], options: ReadOptions, workers: int, on_files: OnFiles | None
) -> Iterable[Collected]:
    from forecaster.jobs.parallel import Pool

    starts = range(0, len(files), _IN_A_TASK)
    tasks: list[_Task] = [(list(files[i : i + _IN_A_TASK]), options) for i in starts]
    watch = None if on_files is None else _counting(on_files, len(files))
    parts = Pool(workers).map(read_task, Panel(()), tasks, watch=watch)
    return [found for part in parts for found in part]


def read_task(_panel: Panel, task: _Task, _watch: OnProgress | None) -> list[Collected]:
    """What is in each of some files: a task of a pool."""
    load_arrow()
    return list(read_each(*task))


def _counting(on_files: OnFiles, of: int) -> OnProgress:
    def told(progress: EpochDone | TasksDone) -> None:
        if isinstance(progress, TasksDone):
            on_files(min(progress.done * _IN_A_TASK, of), of)

    return told


def _workers(files: Sequence[NamedPath]) -> int:
    """How many processes pay for some files."""
    if sum(_size(path) for path, _ in files) < LARGE:
        return 1
    return min(_cores(), MOST_WORKERS)


def _size(path: Path) -> int:
    """Bytes of a file; 0 of one that cannot be read, which will be said when it is."""
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return 0


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
