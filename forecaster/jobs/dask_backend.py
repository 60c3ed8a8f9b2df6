"""Joblib on a Dask cluster: its backend, and how many tasks the workers can have at a time."""

from __future__ import annotations

from typing import Any

from forecaster.jobs.answers import answering


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
