"""Forecasts to be written down, and a journal as tests read it."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from forecaster.market.store import Store, journal
from forecaster.market.store.journal import Author, JournalRecord
from forecaster.market.store.risk_journal import RiskEntry, RiskRecord, append_risk, risks

NOW = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)
AUTHOR = Author("run-1", NOW, "default", "abc123def456", "f" * 64)


def forecast_of(
    ticker: str = "ABC", cutoff: str = "2026-03-02", scale: float = 1.0, steps: int = 2
):
    return JournalRecord(
        ticker=ticker,
        cutoff=np.datetime64(cutoff),
        fingerprint="a" * 64,
        last_close=100.0,
        currency="USD",
        steps=[
            {
                "step": h,
                "session": f"2026-03-{2 + h:02d}",
                "session_estimated": False,
                "naive": 100.0,
                "quantiles": {"0.05": 97.0 * scale, "0.5": 100.1 * scale, "0.95": 103.3 * scale},
            }
            for h in range(1, steps + 1)
        ],
    )


def add(store: Store, *forecasts: JournalRecord, author: Author = AUTHOR) -> int:
    with store.writing() as tx:
        return journal.append(tx, author, forecasts)


def rows(store: Store, **wanted: object) -> list[journal.Entry]:
    with store.reading() as tx:
        return list(journal.entries(tx, **wanted))


def check(store: Store) -> journal.Chain:
    with store.reading() as tx:
        return journal.verify(tx)


def add_risk(store: Store, record: RiskRecord, author: Author = AUTHOR) -> bool:
    with store.writing() as tx:
        return append_risk(tx, author, record)


def risks_in(store: Store) -> list[RiskEntry]:
    with store.reading() as tx:
        return list(risks(tx))
