"""Many price files read in several processes: the same histories, notes and failures, sooner."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from forecaster.errors import WorkersLost
from forecaster.jobs.progress import EpochDone, OnProgress, TasksDone
from forecaster.market.bars import Panel
from forecaster.market.files.cells.parse_numbers import load_arrow
from forecaster.market.files.read import Collected, NamedPath, Reader, ReadOptions, read_each

LARGE = 32 * 2**20
"""Bytes of files from which processes pay: they need about a second to start."""

MOST_WORKERS = 8
"""Processes at most: what they read comes together in one."""

_IN_A_TASK = 8
"""Files of one task."""

_Task = tuple[list[NamedPath], ReadOptions]
OnFiles = Callable[[int, int], None]
"""Called with how many files were read, and of how many."""


def reader(on_files: OnFiles | None = None, workers: int | None = None) -> Reader:
    """Reads the files of a source, in several processes where that pays.

    Args:
        on_files: called as files are done.
        workers: processes; None: one for each core, if the files are large enough.
    """

    def read(files: Sequence[NamedPath], options: ReadOptions) -> Iterable[Collected]:
        processes = min(_workers(files) if workers is None else workers, len(files))
        if processes > 1:
            with contextlib.suppress(WorkersLost):  # this process may have the memory
                return _on_processes(files, options, processes, on_files)
        return _here(files, options, on_files)

    return read


def _here(
    files: Sequence[NamedPath], options: ReadOptions, on_files: OnFiles | None
) -> Iterable[Collected]:
    for done, found in enumerate(read_each(files, options), start=1):
        if on_files is not None and len(files) > 1:
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
