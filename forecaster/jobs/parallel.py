"""A pool for fitting tasks: this process, local processes, or the workers of a Dask cluster.

A task is a function of a panel and a small value. Functions and values are sent by pickle, so they
stand at the head of a module and hold no callbacks; the panel is sent once. All workers use one
number of threads (``model/threads.py``), so a seed gives the same bits everywhere.
"""

from __future__ import annotations

import contextlib
import os
import signal
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pickle import PicklingError
from typing import Any, TypeVar

from forecaster.errors import SettingsError, WorkersLost, parameter
from forecaster.jobs.answers import checked_answer, received
from forecaster.jobs.dask_backend import (
    at_a_time,
    backend_of,
    cancel_without_workers,
    connected,
    is_address,
)
from forecaster.jobs.packed_panel import PackedPanel, pack
from forecaster.jobs.progress import OnProgress, TasksDone
from forecaster.jobs.worker import (
    SAFE,
    interrupts_stay_here,
    itself,
    quiet_end,
    set_for_a_while,
    watch_parent,
    work,
)
from forecaster.market.bars import Panel
from forecaster.model import threads

T = TypeVar("T")
R = TypeVar("R")
Function = Callable[[Panel, T, OnProgress | None], R]
"""The function of a task, at the head of a module; in a worker its callback is None."""

Keep = Callable[[int, Any], None]

_ATTEMPTS = 2
_AHEAD = 3
"""Tasks for each worker that are made before they are needed."""

_MAPPED_FROM = 100_000
"""Bytes of the smallest array in shared memory; joblib sends smaller ones with each task."""


@dataclass(frozen=True)
class Pool:
    """A pool of workers for tasks.

    Attributes:
        workers: local processes; with a cluster, how many of its workers are used at a time. None:
            this process alone, or all workers of the cluster.
        cluster: the address of a Dask scheduler, ``tcp://HOST:8786``.
        lasting: whether local processes are left for the next call of ``map``.

    Raises:
        SettingsError: there is no such pool.
    """

    workers: int | None = None
    cluster: str | None = None
    lasting: bool = False

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise SettingsError(
                f"{parameter('workers')} is {self.workers}; it must be at least 1. Change it."
            )
        if self.cluster is not None and not is_address(self.cluster):
            raise SettingsError(
                f"{parameter('cluster')} is {self.cluster!r}; the address of a Dask scheduler is"
                f" needed, as in {parameter('cluster')} tcp://10.0.0.5:8786."
            )

    @property
    def processes(self) -> int:
        """How many work on this machine: 1 is this process."""
        return self.workers or 1

    @contextlib.contextmanager
    def kept(self) -> Iterator[Pool]:
        """This pool for several calls of ``map``, with the same processes until the context ends.

        A process loads TensorFlow once, which takes it longer than a small network.
        """
        try:
            yield replace(self, lasting=True)
        finally:
            if self.cluster is None and self.processes > 1:
                _end_processes()

    def map(
        self,
        function: Function[T, R],
        panel: Panel,
        tasks: Sequence[T],
        *,
        watch: OnProgress | None = None,
        keep: Callable[[int, R], None] | None = None,
    ) -> list[R]:
        """Results of ``function(panel, task, watch)`` in the order of the tasks.

        Args:
            function: at the head of its module.
            panel: of all tasks.
            tasks: small values.
            watch: handed to the function in this process; elsewhere called after each task.
            keep: called here with the place and the result of each finished task.

        Raises:
            ForecastError: a task raised it; the other tasks are cancelled.
            WorkersLost: workers died, and again in another try.
            SettingsError: the cluster cannot be used.
        """
        results: dict[int, R] = {}

        def take(place: int, result: R) -> None:
            results[place] = result
            if keep:
                keep(place, result)
            if watch and elsewhere:
                watch(TasksDone(len(results), len(tasks)))

        elsewhere = self.cluster is not None or min(self.processes, len(tasks)) > 1
        if not elsewhere:
            for place, task in enumerate(tasks):
                take(place, function(panel, task, watch))
        else:
            if watch:
                watch(TasksDone(0, len(tasks)))
            left, packed = dict(enumerate(tasks)), pack(panel)
            if self.cluster is None:
                with contextlib.closing(self._on_processes(function, packed, left)) as made:
                    for place, result in made:
                        take(place, result)
            else:
                self._on_cluster(function, packed, left, take)
        return [results[place] for place in range(len(tasks))]

    def stream(self, function: Function[T, R], tasks: Iterable[T]) -> Iterator[R]:
        """Results of ``function`` in the order of the tasks, without a panel or a cluster.

        Tasks are made, in another thread, as workers become free: neither all of them nor all of
        their results need to be held. Whoever takes results works beside the workers.

        Raises:
            ForecastError: a task raised it.
            WorkersLost: workers died, and again in another try.
        """
        if self.processes == 1:
            yield from (function(Panel(()), task, None) for task in tasks)
            return
        early: dict[int, R] = {}
        due = 0
        numbered = enumerate(tasks)
        with contextlib.closing(
            self._on_processes(function, pack(Panel(())), {}, numbered)
        ) as made:
            for place, result in made:
                early[place] = result
                while due in early:
                    yield early.pop(due)
                    due += 1

    def _on_processes(
        self,
        function: Function[Any, Any],
        packed: PackedPanel,
        left: dict[int, Any],
        more: Iterator[tuple[int, Any]] | None = None,
    ) -> Generator[tuple[int, Any], None, None]:
        """Run tasks in spawned processes; those lost with a killed one are tried once more.

        Args:
            function: of a task.
            packed: the panel.
            left: tasks without a result, by their places; it shrinks as results come.
            more: tasks that are made when they are needed; None: there are none.
        """
        import joblib
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        _start_trackers()
        try:
            for _ in range(_ATTEMPTS):
                processes = self.processes if more else min(self.processes, len(left))
                parallel = joblib.Parallel(
                    n_jobs=max(processes, 2),  # 1 would be this process
                    backend="loky",
                    return_as="generator_unordered",
                    batch_size=1,
                    pre_dispatch=_AHEAD * processes if more else "all",
                    max_nbytes=_MAPPED_FROM,
                    inner_max_num_threads=1,
                    initializer=watch_parent,
                    initargs=(os.getpid(),),
                )
                try:
                    with set_for_a_while(SAFE, "1"), quiet_end(), warnings.catch_warnings():
                        # joblib replaces a process that has grown much
                        warnings.filterwarnings("ignore", message="A worker stopped while")
                        yield from _collect(parallel, function, packed, left, more=more)
                    return
                except TerminatedWorkerError:
                    continue
                except PicklingError as problem:
                    why = str(problem.__cause__ or problem).strip(' \n"').splitlines()[-1]
                    if "[Errno " not in why:
                        raise
                    raise _not_sent(why) from problem
        finally:
            if not self.lasting:
                _end_processes()
        raise WorkersLost(
            f"worker processes were killed, and again after another try, with {len(left)} tasks"
            f" undone; each needs about 1 GB of memory. Use fewer {parameter('workers')}."
        )

    def _on_cluster(
        self, function: Function[Any, Any], packed: PackedPanel, left: dict[int, Any], take: Keep
    ) -> None:
        """Run tasks on the cluster, whose scheduler gives tasks of a lost worker to another one."""
        import joblib

        of = len(left)
        with connected(str(self.cluster)) as client:
            from concurrent.futures import CancelledError

            from distributed import KilledWorker

            in_flight = self.workers or at_a_time(client)
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="Sending large graph")
                # a result, unlike scattered data, is computed again when all its workers are lost
                data = client.submit(itself, packed, pure=False)
            with joblib.parallel_config(backend=backend_of(client)):
                parallel = joblib.Parallel(
                    n_jobs=-1,
                    return_as="generator_unordered",
                    batch_size=1,
                    pre_dispatch=in_flight or "all",
                )
            try:
                lost_ones = (KilledWorker, CancelledError)
                made = _collect(parallel, function, data, left, lost_ones)
                with cancel_without_workers(client), contextlib.closing(made):
                    for place, result in made:
                        take(place, result)
            except KilledWorker as lost:
                raise WorkersLost(
                    f"the workers of {self.cluster} died again and again, with {len(left)} of"
                    f" {of} tasks undone; each needs about 1 GB of memory. Give them more."
                ) from lost
            except CancelledError as lost:
                raise WorkersLost(
                    f"{self.cluster} was lost, or all of its workers were, with {len(left)} of {of}"
                    " tasks undone; a scheduler and a worker are needed to the end. Start them"
                    " again."
                ) from lost


def _not_sent(why: str) -> WorkersLost:
    """The error for a task that the system would not write down for a worker: on a full disk."""
    return WorkersLost(
        f"a task could not be sent to worker processes ({why}); large ones go through files of the"
        " folder for temporary ones. Make room there, or name another folder in"
        " JOBLIB_TEMP_FOLDER."
    )


def _start_trackers() -> None:
    """Start the processes that clean up after workers; each of them, as it starts, unblocks Ctrl-C.

    Workers that start behind them would be open to it. What they warn of where this process ended
    in a hurry is what they are there for.
    """
    from multiprocessing import resource_tracker

    from joblib.externals.loky.backend import resource_tracker as of_joblib

    if hasattr(signal, "pthread_sigmask"):
        with set_for_a_while(SAFE, "1"), set_for_a_while("PYTHONWARNINGS", "ignore"):
            resource_tracker.ensure_running()
            of_joblib.ensure_running()


def _end_processes() -> None:
    """End the worker processes that joblib has here."""
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor(reuse=True).shutdown(wait=True, kill_workers=True)


def _collect(
    parallel: Any,
    function: Function[Any, Any],
    shipped: Any,
    left: dict[int, Any],
    lost: tuple[type[Exception], ...] | None = None,
    more: Iterator[tuple[int, Any]] | None = None,
) -> Generator[tuple[int, Any], None, None]:
    """Hand out the tasks that are left, then more, and give places and results as they come.

    ``lost`` are the errors that say that the workers of a cluster are gone; None: there is none.
    """
    import joblib

    variables = threads.variables()

    def calls() -> Iterator[Any]:
        for place, task in chain(list(left.items()), more or ()):
            left[place] = task
            yield joblib.delayed(work)(function, shipped, place, task, variables)

    results: Any = None
    try:
        with interrupts_stay_here():  # one that waited comes where this ends
            results = parallel(calls())
        for answer in results if lost is None else received(results, lost):
            place, result = checked_answer(answer, function, left)
            del left[place]
            yield place, result
    finally:
        if results is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of cancelled tasks
                results.close()
