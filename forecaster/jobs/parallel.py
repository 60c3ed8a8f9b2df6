"""A pool for fitting tasks: this process, local processes, or the workers of a Dask cluster.

A task is a function of a panel and a small value. Functions and values are sent by pickle, so they
stand at the head of a module and hold no callbacks; the panel is sent once. All workers use one
number of threads (``model/threads.py``), so a seed gives the same bits everywhere.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import urlsplit

from forecaster.errors import SettingsError, WorkersLost, parameter
from forecaster.jobs.answers import (
    checked_answer,
    received,
    silence_libraries,
    within,
)
from forecaster.jobs.dask_backend import at_a_time, backend_of
from forecaster.jobs.packed_panel import PackedPanel, pack
from forecaster.jobs.progress import OnProgress, TasksDone
from forecaster.jobs.worker import (
    interrupts_stay_here,
    itself,
    modules_not_from_here,
    require_versions,
    versions,
    watch_parent,
    work,
)
from forecaster.market.bars import Panel
from forecaster.model import threads
from forecaster.packages import to_install

T = TypeVar("T")
R = TypeVar("R")
Function = Callable[[Panel, T, OnProgress | None], R]
"""The function of a task, at the head of a module; in a worker its callback is None."""

Keep = Callable[[int, Any], None]

CONNECT_SECONDS = 5
"""Time limit for a scheduler to answer, and for its workers to appear."""

_ATTEMPTS = 2
_MAPPED_FROM = 100_000
"""Bytes of the smallest array in shared memory; joblib sends smaller ones with each task."""

_WORKERLESS_SECONDS = 30.0
"""Time limit for a cluster without workers."""


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
        if self.cluster is not None and not _is_address(self.cluster):
            raise SettingsError(
                f"{parameter('cluster')} is {self.cluster!r}; the address of a Dask scheduler is"
                f" needed, as in {parameter('cluster')} tcp://10.0.0.5:8786."
            )

    @contextlib.contextmanager
    def kept(self) -> Iterator[Pool]:
        """This pool for several calls of ``map``, with the same processes until the context ends.

        A process loads TensorFlow once, which takes it longer than a small network.
        """
        try:
            yield replace(self, lasting=True)
        finally:
            if self.cluster is None and (self.workers or 1) > 1:
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

        elsewhere = self.cluster is not None or min(self.workers or 1, len(tasks)) > 1
        if not elsewhere:
            for place, task in enumerate(tasks):
                take(place, function(panel, task, watch))
        else:
            if watch:
                watch(TasksDone(0, len(tasks)))
            run = self._on_processes if self.cluster is None else self._on_cluster
            run(function, pack(panel), dict(enumerate(tasks)), take)
        return [results[place] for place in range(len(tasks))]

    def _on_processes(
        self, function: Function[Any, Any], packed: PackedPanel, left: dict[int, Any], take: Keep
    ) -> None:
        """Run tasks in spawned processes; those lost with a killed one are tried once more."""
        import joblib
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        of = len(left)
        _start_trackers()
        try:
            for _ in range(_ATTEMPTS):
                parallel = joblib.Parallel(
                    n_jobs=max(min(self.workers or 1, len(left)), 2),  # 1 would be this process
                    backend="loky",
                    return_as="generator_unordered",
                    batch_size=1,
                    pre_dispatch="all",
                    max_nbytes=_MAPPED_FROM,
                    inner_max_num_threads=1,
                    initializer=watch_parent,
                    initargs=(os.getpid(),),
                )
                try:
                    with modules_not_from_here(), warnings.catch_warnings():
                        # joblib replaces a process that has grown much
                        warnings.filterwarnings("ignore", message="A worker stopped while")
                        _collect(parallel, function, packed, left, take)
                    return
                except TerminatedWorkerError:
                    continue
        finally:
            if not self.lasting:
                _end_processes()
        raise WorkersLost(
            f"worker processes were killed, and again after another try, with {len(left)} of {of}"
            f" tasks undone; each needs about 1 GB of memory. Use fewer {parameter('workers')}."
        )

    def _on_cluster(
        self, function: Function[Any, Any], packed: PackedPanel, left: dict[int, Any], take: Keep
    ) -> None:
        """Run tasks on the cluster, whose scheduler gives tasks of a lost worker to another one."""
        import joblib

        of = len(left)
        with _connected(str(self.cluster)) as client:
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
                with _cancel_without_workers(client):
                    _collect(parallel, function, data, left, take, (KilledWorker, CancelledError))
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


def _start_trackers() -> None:
    """Start the processes that clean up after workers; each of them, as it starts, unblocks Ctrl-C.

    Workers that start behind them would be open to it.
    """
    from multiprocessing import resource_tracker

    from joblib.externals.loky.backend import resource_tracker as of_joblib

    if hasattr(signal, "pthread_sigmask"):
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
    take: Keep,
    lost: tuple[type[Exception], ...] | None = None,
) -> None:
    """Hand out the tasks that are left, and take results as they come.

    ``lost`` are the errors that say that the workers of a cluster are gone; None: there is none.
    """
    import joblib

    variables = threads.variables()
    calls = [
        joblib.delayed(work)(function, shipped, place, task, variables)
        for place, task in left.items()
    ]
    with interrupts_stay_here():
        results = parallel(calls)
    try:
        for answer in results if lost is None else received(results, lost):
            place, result = checked_answer(answer, function, left)
            del left[place]
            take(place, result)
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of cancelled tasks
            results.close()


def _is_address(text: str) -> bool:
    """Whether a text is ``tcp://HOST:PORT``, or another protocol of Dask's."""
    try:
        parts = urlsplit(text)
        return bool(parts.scheme in ("tcp", "tls", "ws", "wss") and parts.hostname and parts.port)
    except ValueError:  # a port that is none
        return False


@contextlib.contextmanager
def _connected(address: str) -> Iterator[Any]:
    """A client of a scheduler, after a check of its workers.

    Raises:
        SettingsError: nothing answers, nobody works there, or other versions do.
    """
    try:
        from distributed import Client
    except ImportError as missing:
        raise SettingsError(
            f"{parameter('cluster')} needs packages that are not installed ({missing.name});"
            f" install them with: {to_install('dask')}"
        ) from missing
    silence_libraries()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of versions: ours are checked below
            # a client that failed half-way would wait once more where Python deletes it
            connect: Any = type("Connection", (Client,), {"__del__": lambda _: None})
            how = {"timeout": CONNECT_SECONDS, "set_as_default": False}
            client = within(2 * CONNECT_SECONDS, lambda: connect(address, **how))
    except Exception as problem:  # what speaks there may say anything
        raise SettingsError(
            f"{parameter('cluster')} is {address}, and no Dask scheduler answered there within"
            f" {CONNECT_SECONDS} s. Start one with: dask scheduler"
        ) from problem
    try:
        try:
            client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except TimeoutError:
            raise SettingsError(
                f"the scheduler at {address} has no workers; at least 1 is needed. Start one with:"
                f" dask worker {address} --nthreads 1"
            ) from None
        require_versions(client.run(versions, on_error="return"))
        yield client
    finally:
        client.close(timeout=1)


@contextlib.contextmanager
def _cancel_without_workers(client: Any) -> Iterator[None]:
    """Cancel pending tasks when the cluster has had no workers for ``_WORKERLESS_SECONDS``."""
    done = threading.Event()

    def look() -> None:
        last_seen = time.monotonic()
        while not done.wait(1.0):
            if client.scheduler_info(n_workers=-1).get("workers"):
                last_seen = time.monotonic()
            elif time.monotonic() - last_seen > _WORKERLESS_SECONDS:
                client.close(timeout=1)
                return

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
