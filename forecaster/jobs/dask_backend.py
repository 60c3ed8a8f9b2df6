"""A Dask cluster: its address, a client, joblib's backend, and how many tasks it has at a time."""

from __future__ import annotations

import contextlib
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from forecaster.errors import SettingsError, parameter
from forecaster.jobs.answers import answering, silence_libraries, within
from forecaster.jobs.worker import require_versions, versions
from forecaster.packages import to_install

CONNECT_SECONDS = 5
"""Time limit for a scheduler to answer, and for its workers to appear."""

_WORKERLESS_SECONDS = 30.0
"""Time limit for a cluster without workers."""


def backend_of(client: Any) -> Any:
    """Joblib's backend for Dask, changed to use a single worker instead of this process.

    It would wait forever for an answer that cannot be read; here, why that is becomes the answer.
    """
    from distributed import as_completed
    from joblib._dask import DaskDistributedBackend

    completed: Any = as_completed

    class Readable(completed):  # type: ignore[misc]
        async def _track_future(self, future: Any) -> None:
            try:
                await super()._track_future(future)
            except Exception as problem:  # noqa: BLE001 – a worker chooses what it sends
                future._result = answering(problem)
                await super()._track_future(future)

    class OneIsEnough(DaskDistributedBackend):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(client=client)
            self.waiting_futures = Readable(
                [], loop=client.loop, with_results=True, raise_errors=False
            )

        def effective_n_jobs(self, n_jobs: int) -> int:
            return max(int(super().effective_n_jobs(n_jobs)), 2)

    return OneIsEnough()


def at_a_time(client: Any) -> int | None:
    """Tasks to hand out at a time; None where workers have one thread each.

    A worker fits one network at a time, whatever its threads: its other tasks would wait there
    while another worker is idle.
    """
    cores: dict[str, int] = client.ncores()
    return len(cores) if max(cores.values(), default=1) > 1 else None


def is_address(text: str) -> bool:
    """Whether a text is ``tcp://HOST:PORT``, or another protocol of Dask's."""
    try:
        parts = urlsplit(text)
        return bool(parts.scheme in ("tcp", "tls", "ws", "wss") and parts.hostname and parts.port)
    except ValueError:  # a port that is none
        return False


@contextlib.contextmanager
def connected(address: str) -> Iterator[Any]:
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
def cancel_without_workers(client: Any) -> Iterator[None]:
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
