"""A nightly batch: seconds and memory for 50, 500 and 5,000 tickers with stored bars.

    python benchmarks/batch.py [--tickers 50,500,5000] [--bars 2500]

Each size is one `forecast batch --offline` in a process of its own, with the model in the box, on a
new SQLite store full of made-up histories: read, forecast in one pass, write the journal and one
file. Beside it stands `import tensorflow` in the same run. Seconds are medians of ``--repeat``
runs, each over a journal that lacks the forecasts.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from store import facts, made_up

from forecaster.market.store import Store
from forecaster.market.store.bars import replace
from forecaster.market.store.calendars import schedules_from


def fill(home: Path, tickers: int, bars: int) -> Path:
    """A store and a watchlist."""
    names = [f"T{i:05d}" for i in range(tickers)]
    with Store(f"sqlite:///{home}/prices.db") as store:
        for seed, name in enumerate(names):
            with store.writing() as tx:
                replace(tx, made_up(name, bars, seed), (), facts(name))
        first = made_up("T", bars, 0).first
        schedules_from(store, {"XNYS": first}, datetime.now(UTC))  # as a fetch does
    watchlist = home / "watchlist.txt"
    watchlist.write_text("\n".join(names))
    return watchlist


def measured(command: list[str], home: Path) -> tuple[float, float]:
    """Seconds and peak MiB of a process."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, env={**os.environ, "FORECASTER_HOME": str(home)}, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def forget(home: Path) -> None:
    """Empty the journal, so that every run writes it."""
    from sqlalchemy import text

    with Store(f"sqlite:///{home}/prices.db") as store, store.writing() as tx:
        tx.execute(text("DELETE FROM journal"))
        tx.execute(text("DELETE FROM store_info WHERE key = 'journal_head'"))


def main() -> None:
    """Fill, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tickers", default="50,500,5000")
    parser.add_argument("--bars", type=int, default=2500)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    sizes = [int(size) for size in given.tickers.split(",")]
    print(f"{'tickers':>8} {'seconds':>9} {'ms/ticker':>10} {'peak MiB':>9}")
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            watchlist = fill(home, size, given.bars)
            command = [sys.executable, "-m", "forecaster", "batch", str(watchlist), "--offline"]
            command += ["--quiet", "--output", str(home / "out.jsonl")]
            runs = []
            for _ in range(given.repeat):
                forget(home)
                runs.append(measured(command, home))
            seconds = statistics.median(run[0] for run in runs)
            peak = max(run[1] for run in runs)
        print(f"{size:>8,} {seconds:>9.2f} {1000 * seconds / size:>10.2f} {peak:>9.0f}")
    runs = [
        measured([sys.executable, "-c", "import tensorflow"], Path()) for _ in range(given.repeat)
    ]
    print(f"import tensorflow: {statistics.median(run[0] for run in runs):.2f} s")


if __name__ == "__main__":
    main()
