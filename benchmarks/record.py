"""The live record: seconds and memory of `forecast score` and `forecast journal list`.

    python benchmarks/record.py [--tickers 100] [--nights 60]

A new SQLite store is filled with made-up histories and with a forecast of twenty steps for each
ticker and night; then each command runs in a process of its own. `import tensorflow` stands beside
them. A year of 500 tickers (``--tickers 500 --nights 250``) fills a gigabyte and takes minutes. A
peak below this process's own, some 230 MB, does not show: a child begins with its parent's.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import NormalDist

import numpy as np
from batch import fill, measured

from forecaster.market.bars import History
from forecaster.market.store import Store, journal
from forecaster.market.store.bars import read
from forecaster.market.store.journal import Author, JournalRecord
from forecaster.model.settings import LEVELS

BARS, STEPS, DEVIATION = 1500, 20, 0.015
NORMAL = np.array([NormalDist().inv_cdf(level) for level in LEVELS])


def forecast(history: History, row: int, tickers: int) -> JournalRecord:
    """A normal distribution for each step after a row."""
    last, after = float(history.close[row]), history.sessions[row + 1 : row + 1 + STEPS]
    guessed = history.sessions[-1] + np.arange(1, STEPS + 1 - len(after))
    prices = last * np.exp(DEVIATION * np.sqrt(np.arange(1, STEPS + 1))[:, None] * NORMAL)
    steps = [
        {
            "step": step,
            "session": str(session),
            "session_estimated": False,
            "naive": last,
            "quantiles": {f"{q:g}": p for q, p in zip(LEVELS, row_prices, strict=True)},
        }
        for step, (session, row_prices) in enumerate(
            zip(np.concatenate([after, guessed]), prices.tolist(), strict=True), start=1
        )
    ]
    cutoff = history.sessions[row]
    return JournalRecord(
        history.ticker, cutoff, "0" * 64, last, "USD", steps, market_tickers=tickers
    )


def write(home: Path, nights: int) -> None:
    """A batch of every ticker on each of the last nights, an hour before midnight UTC."""
    with Store(f"sqlite:///{home}/prices.db") as store:
        with store.reading() as tx:
            names = (home / "watchlist.txt").read_text().split()
            histories = [history for name in names if (history := read(tx, name)) is not None]
        for night in range(nights + 1, 1, -1):
            row = BARS - night
            evening = datetime.fromisoformat(str(histories[0].sessions[row])).replace(tzinfo=UTC)
            author = Author(f"run{night}", evening + timedelta(hours=23), "m", "0" * 12, "0" * 64)
            with store.writing() as tx:
                made = [forecast(history, row, len(histories)) for history in histories]
                journal.append(tx, author, made)


def main() -> None:
    """Fill, score, list and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tickers", type=int, default=100)
    parser.add_argument("--nights", type=int, default=60)
    options = parser.parse_args()
    forecast_command = [sys.executable, "-m", "forecaster"]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        fill(home, options.tickers, BARS)
        write(home, options.nights)
        unit, _ = measured([sys.executable, "-c", "import tensorflow"], home)
        print(f"{options.tickers} tickers, {options.nights} nights; import tensorflow {unit:.1f} s")
        for words in (["score", "--offline"], ["journal", "list", "--last", "3"]):
            output = ["--output", str(home / "out.json"), "--format", "json"]
            seconds, peak = measured([*forecast_command, *words, *output], home)
            print(f"{' '.join(words):24}{seconds:7.1f} s {seconds / unit:6.2f} {peak:7.0f} MB")


if __name__ == "__main__":
    main()
