"""When several workers pay: one backtest in one process, in two, and on a cluster of two.

    python benchmarks/workers.py DATA [--repeats 3] [--epochs 60] [--workers 2]

DATA is a folder of price files. Every way runs whole commands in turns with the others; medians are
printed, and whether all of them printed the same scores.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PLAN = ("--folds", "2", "--cells", "gru,lstm", "--seeds", "1", "--device", "cpu")


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="a folder of price files")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=60, help="at most, of each network")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    plan = (*PLAN, "--epochs", str(asked.epochs))
    many = str(asked.workers)
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder), asked.workers) as address:
        ways = {
            "1 worker": (),
            f"{many} workers": ("--workers", many),
            f"a cluster of {many}": ("--cluster", address),
        }
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        printed = set()
        for _ in range(asked.repeats):
            for name, options in ways.items():
                taken, scores = run(asked.data, (*plan, *options), Path(folder))
                seconds[name].append(taken)
                printed.add(scores)
    first = statistics.median(seconds["1 worker"])
    print(f"backtest, 4 networks, {os.cpu_count()} cores, median of {asked.repeats}")
    print(f"{'':20}{'seconds':>9}{'speed-up':>10}   each run")
    for name, times in seconds.items():
        middle = statistics.median(times)
        every = " ".join(f"{t:.0f}" for t in times)
        print(f"{name:20}{middle:9.1f}{first / middle:10.2f}   {every}")
    print("scores: the same" if len(printed) == 1 else f"scores: {len(printed)} different tables")


def run(data: Path, options: tuple[str, ...], home: Path) -> tuple[float, str]:
    """Seconds of one whole command, and its scores as CSV."""
    command = [sys.executable, "-m", "forecaster", "backtest", str(data), "--format", "csv"]
    start = time.perf_counter()
    done = subprocess.run(
        [*command, *options],
        env={**os.environ, "FORECASTER_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed with {done.returncode}: {done.stderr}")
    return time.perf_counter() - start, done.stdout


@contextlib.contextmanager
def cluster(folder: Path, workers: int) -> Iterator[str]:
    """A scheduler and its workers on this machine, each with one thread; its address."""
    found = folder / "scheduler.json"
    local = ("--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(found))
    each = ("--nworkers", str(workers), "--nthreads", "1", "--local-directory", str(folder))
    started = [dask("scheduler", *local, "--port", "0")]
    try:
        while not found.exists():
            time.sleep(0.1)
        started.append(dask("worker", *local, *each))
        time.sleep(5)
        yield "tcp://" + found.read_text().split('"tcp://')[1].split('"')[0]
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()


def dask(kind: str, *arguments: str) -> subprocess.Popen[bytes]:
    """One of Dask's commands."""
    command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
