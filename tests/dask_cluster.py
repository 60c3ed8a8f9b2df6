"""A real Dask scheduler and two workers on loopback, for tests."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parent
PATIENCE = 60


@dataclass
class Cluster:
    """Processes on this machine.

    Attributes:
        address: of the scheduler.
        scheduler: its process.
        workers: their processes, without nannies, so that nobody starts a killed one again.
    """

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]]


@contextlib.contextmanager
def cluster(folder: Path, *, workers: int = 2, options: tuple[str, ...] = ()) -> Iterator[Cluster]:
    """Start them on free ports, wait until they answer, and end them."""
    log = (folder / "cluster.log").open("wb")
    paths = [str(TESTS.parent), str(TESTS), os.environ.get("PYTHONPATH", "")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(p for p in paths if p),
        "FORECASTER_HOME": str(folder / "home"),
        "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
    }

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "distributed.cli." + arguments[0], *arguments[1:]]
        return subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)

    found = folder / "scheduler.json"
    local = ("--host", "127.0.0.1", "--no-dashboard")
    running = [
        start("dask_scheduler", *local, "--port", "0", "--scheduler-file", str(found)),
    ]
    try:
        address = str(_when_written(found)["address"])
        one = ("--nthreads", "1", "--no-nanny", "--local-directory", str(folder), *options)
        running += [start("dask_worker", address, *local, *one) for _ in range(workers)]
        yield Cluster(address, running[0], running[1:])
    finally:
        for process in running:
            process.kill()
        for process in running:
            process.wait()
        log.close()


def _when_written(path: Path) -> dict[str, object]:
    """The scheduler's file, once it is whole."""
    for _ in range(PATIENCE * 10):
        with contextlib.suppress(OSError, ValueError):
            read: dict[str, object] = json.loads(path.read_text())
            return read
        time.sleep(0.1)
    raise TimeoutError(f"no scheduler in {PATIENCE} s")
