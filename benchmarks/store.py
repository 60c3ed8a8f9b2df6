"""The price store: seconds to write many histories, and to read them in part and in whole.

    python benchmarks/store.py [--histories 500] [--bars 6400] [--store URL]

The histories are made up; the store is a new SQLite file in a temporary folder, unless an empty
one is named. Beside each time stands what the same number of values costs as one NumPy file, the
least that this disk and this processor can do.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from forecaster.market.bars import BAR_FIELDS, History
from forecaster.market.store import Store
from forecaster.market.store.bars import read as read_bars
from forecaster.market.store.bars import replace
from forecaster.market.store.tickers import TickerInfo

LAST = 400


def made_up(ticker: str, bars: int, seed: int) -> History:
    """A random walk on consecutive weekdays, up to yesterday."""
    rng = np.random.default_rng(seed)
    days = np.datetime64(datetime.now(UTC).date()) - np.arange(2 * bars, 0, -1)
    close = 50.0 * np.exp(np.cumsum(rng.normal(0, 0.015, bars)))
    return History(
        ticker=ticker,
        sessions=days[np.is_busday(days)][-bars:],
        open=close * 0.999,
        high=close * 1.01,
        low=close * 0.99,
        close=close,
        volume=np.round(rng.uniform(1e5, 1e7, bars)),
        adjusted_close=close,
        adjusted=True,
    )


def facts(ticker: str) -> TickerInfo:
    """What a source says of a ticker."""
    now = datetime.now(UTC)
    return TickerInfo(ticker, "yahoo", "USD", "NMS", "XNYS", "America/New_York", True, None, now)


def timed(what: str, work: Callable[[], object], count: int) -> float:
    """Run once, print seconds and bars per second."""
    start = time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    print(f"{what:<34} {seconds:8.2f} s  {count / seconds:12,.0f} bars/s")
    return seconds


def main() -> None:
    """Write, read, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--histories", type=int, default=500)
    parser.add_argument("--bars", type=int, default=6400)
    parser.add_argument("--store", help="address of an empty store")
    given = parser.parse_args()
    names = [f"T{i:04d}" for i in range(given.histories)]
    whole = [made_up(name, given.bars, seed) for seed, name in enumerate(names)]
    total = given.histories * given.bars
    print(f"{given.histories} histories of {given.bars:,} bars, {total:,} in all")
    with tempfile.TemporaryDirectory() as folder:
        address = given.store or f"sqlite:///{folder}/prices.db"
        with Store(address) as store:
            measure(store, whole, total)
        path = Path(folder) / "prices.db"
        if path.exists():
            print(f"{'size':<34} {path.stat().st_size / 2**20:8.0f} MiB")
        floor(whole, Path(folder) / "floor.npy", total)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'peak memory':<34} {peak:8.0f} MiB")


def measure(store: Store, whole: list[History], total: int) -> None:
    """One transaction a history when writing, as a fetch does; one for all when reading."""

    def write() -> None:
        for history in whole:
            with store.writing() as tx:
                replace(tx, history, (), facts(history.ticker))

    def read(last: int | None) -> None:
        with store.reading() as tx:
            for history in whole:
                found = read_bars(tx, history.ticker, last=last)
                if found is None or found.close[-1] != history.close[-1]:
                    raise SystemExit(f"{history.ticker} was not read as it was written")

    timed("write", write, total)
    timed(f"read the last {LAST} bars of each", lambda: read(LAST), LAST * len(whole))
    timed("read everything", lambda: read(None), total)


def floor(whole: list[History], path: Path, total: int) -> None:
    """The same values in one NumPy file."""
    values = np.stack([[getattr(h, name) for name in BAR_FIELDS] for h in whole])
    timed("one NumPy file: write", lambda: np.save(path, values), total)
    timed("one NumPy file: read", lambda: np.load(path), total)


if __name__ == "__main__":
    main()
