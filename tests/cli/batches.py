"""A watchlist, a stand-in for Yahoo and a fetched store, for the tests of batches."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import commands
import pytest
from yahoo_server import YahooServer

from forecaster.market.store import Store, journal
from forecaster.model.artifact import Model, save

OLD = "100000"
"""Sessions: the stand-in's market ends in June 2024."""

NAMES = ["AAPL", "MSFT", "SPY", "BRK-B", "NEWCO"]


@pytest.fixture
def yahoo(monkeypatch: pytest.MonkeyPatch) -> Iterator[YahooServer]:
    monkeypatch.setenv("FORECASTER_DEADLINE", "8")
    monkeypatch.setenv("FORECASTER_PAUSE", "0")
    monkeypatch.setenv("FORECASTER_BATCH_MAX_AGE", OLD)
    with YahooServer() as server:
        monkeypatch.setenv("FORECASTER_YAHOO_URL", server.url)
        yield server


@pytest.fixture
def watchlist(tmp_path: Path) -> Path:
    path = tmp_path / "watch.txt"
    path.write_text("# mine\n" + "\n".join(NAMES) + "\n")
    return path


@pytest.fixture(scope="session")
def fetched(tmp_path_factory: pytest.TempPathFactory, blank: Model) -> Path:
    """The store that a batch of the watchlist leaves; made once, and copied."""
    home = tmp_path_factory.mktemp("fetched")
    save(blank, home / "models" / "blank.forecast")
    (home / "watch.txt").write_text("\n".join(NAMES))
    with YahooServer() as server:
        done = commands.apart(
            "batch", home / "watch.txt", "--quiet",
            FORECASTER_HOME=str(home), FORECASTER_YAHOO_URL=server.url, FORECASTER_PAUSE="0",
            FORECASTER_BATCH_MAX_AGE=OLD,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return home / "prices.db"


@pytest.fixture
def stored(fetched, yahoo, model, watchlist, home) -> Path:
    """The watchlist, with everything fetched: later batches ask nobody."""
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(fetched, home / "prices.db")
    age(home, days=0)
    return watchlist


def written(home: Path) -> list[journal.Entry]:
    with Store(f"sqlite:///{home}/prices.db") as store, store.reading() as tx:
        chain = journal.verify(tx)
        assert not chain.broken
        return list(journal.entries(tx))


def age(home: Path, days: int = 1) -> None:
    """Make the last answers so old: a day, and the next batch asks again where it must."""
    from sqlalchemy import text

    answered = int(time.time()) - 86400 * days
    with Store(f"sqlite:///{home}/prices.db") as store, store.writing() as tx:
        tx.execute(text(f"UPDATE histories SET answered = {answered}"))


def up_to_date(home: Path, yahoo: YahooServer) -> list[str]:
    """Let the market of the stand-in go on to the last session that is over in New York.

    Returns:
        The last sessions, that one included.
    """
    from datetime import UTC, datetime, timedelta

    import numpy as np

    from forecaster.market import exchanges

    now = datetime.now(UTC)
    today = np.datetime64(now.date())
    known = exchanges.schedule("XNYS", today - 14, today + 1)
    closed = known.closes <= np.datetime64(int((now - timedelta(minutes=1)).timestamp()), "s")
    sessions = [str(session) for session in known.sessions[closed]]
    for name in NAMES:
        yahoo.change(name, last=sessions[-1])
    age(home)
    return sessions
