"""Made-up histories in a store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from synthetic import garch_history

from forecaster.market.bars import Action, History
from forecaster.market.store import Store, bars
from forecaster.market.store.tickers import TickerInfo

NOW = datetime(2026, 3, 2, 21, 30, tzinfo=UTC)


def facts(ticker: str = "ABC", **changes: object) -> TickerInfo:
    known = TickerInfo(
        ticker=ticker,
        source="yahoo",
        currency="USD",
        exchange="NMS",
        calendar="XNYS",
        timezone="America/New_York",
        adjusted=True,
        since=None,
        answered=NOW,
    )
    return replace(known, **changes)


def abc(bars: int = 30, ticker: str = "ABC") -> History:
    return replace(garch_history(ticker, bars, seed=5), adjusted=True)


def put(store: Store, history: History, paid: tuple[Action, ...] = (), **changes: object) -> None:
    with store.writing() as tx:
        known = facts(history.ticker, adjusted=history.adjusted, **changes)
        bars.replace(tx, history, paid, known)
