"""A fetch that is killed at any moment leaves a whole store: each history old or new, none half.

A few kills here; ``make torture`` asks for hundreds.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from datetime import UTC, datetime

import numpy as np
import pytest
from commands import Start
from yahoo_server import YahooServer

from forecaster.jobs.data import verify
from forecaster.market.bars import PRICE_FIELDS, History
from forecaster.market.providers.base import completed
from forecaster.market.providers.yahoo import Yahoo
from forecaster.market.store import Store, bars

KILLS = int(os.environ.get("FORECASTER_TORTURE", "2"))
NAMES = ("AAPL", "MSFT", "SPY", "BRK-B", "NEWCO", "^GSPC", "VOD.L")
NOW = datetime(2024, 8, 1, tzinfo=UTC)


def same(a: History, b: History) -> bool:
    return len(a) == len(b) and all(
        np.allclose(getattr(a, f), getattr(b, f), rtol=1e-4, equal_nan=True) for f in PRICE_FIELDS
    )


@pytest.mark.processes
def test_at_random_moments_of_a_fetch(start, monkeypatch):
    rng = random.Random(os.environ.get("FORECASTER_TORTURE_SEED", "1"))
    monkeypatch.setenv("FORECASTER_PAUSE", "0")
    monkeypatch.setenv("FORECASTER_DEADLINE", "60")  # who is busy killing answers late
    killed = 0
    with YahooServer() as yahoo:
        monkeypatch.setenv("FORECASTER_YAHOO_URL", yahoo.url)
        truth: dict[str, list[History]] = {name: [] for name in NAMES}
        while killed < KILLS:
            change(yahoo, rng, killed)
            for name in NAMES:
                truth[name].append(completed(Yahoo().fetch(name, None), name, NOW).history)
            killed += one_fetch(start, yahoo, rng)
            with Store() as store:
                found = verify(store)
                assert not [finding for finding in found.findings if finding.damaged]
                with store.reading() as tx:
                    read = {name: bars.read(tx, name) for name in NAMES}
            for name, history in read.items():
                versions = truth[name]
                assert history is None or any(same(history, v) for v in versions), name
        assert one_fetch(start, yahoo, rng, patience=60.0) == 0
        with Store() as store, store.reading() as tx:
            for name in NAMES:
                last = bars.read(tx, name)
                assert last is not None
                assert same(last, truth[name][-1]), name


def change(yahoo: YahooServer, rng: random.Random, number: int) -> None:
    """A day goes by; now and then there is a split or a dividend."""
    last = str(np.busday_offset("2024-06-28", number + 1, roll="forward"))
    for name in NAMES:
        listing = yahoo.market[name]
        happened = rng.random()
        splits = {**listing.splits, last: 2.0} if happened < 0.1 else listing.splits
        paid = {**listing.dividends, last: 0.5} if happened > 0.8 else listing.dividends
        yahoo.change(name, last=last, splits=splits, dividends=paid)


def one_fetch(start: Start, yahoo: YahooServer, rng: random.Random, patience: float = 0.0) -> int:
    """Fetch everything; 1 if it was killed before it was done."""
    before = len(yahoo.requests)
    process = start("fetch", *NAMES, stderr=subprocess.DEVNULL)
    while len(yahoo.requests) == before and process.poll() is None:
        time.sleep(0.005)
    try:
        process.wait(patience or rng.uniform(0.0, 0.5))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return 1
    assert process.returncode == 0
    return 0
