"""A risk of a portfolio, as the journal has it."""

from __future__ import annotations

from datetime import date

import numpy as np

from forecaster.market.store.risk_journal import (
    HistoryWritten,
    LevelWritten,
    PositionWritten,
    RiskRecord,
    RiskStepWritten,
)


def risk_record(
    *,
    cutoff: str = "2026-03-02",
    var: float = 0.02,
    amount: float = 10.0,
    ticker: str = "ABC",
    source: str | None = "mine.csv",
) -> RiskRecord:
    """Shares of one ticker in another currency, and cash."""
    held = PositionWritten(
        ticker=ticker, amount=amount, unit="shares", currency=None, value=900.0, pair="EUR",
        inverse=False,
    )  # fmt: skip
    cash = PositionWritten(
        ticker="CASH", amount=100.0, unit="value", currency="USD", value=100.0, pair=None,
        inverse=False,
    )  # fmt: skip
    day = date.fromisoformat(cutoff)
    levels = (
        LevelWritten(level=0.95, var=var, es=0.03),
        LevelWritten(level=0.99, var=0.04, es=0.05),
    )
    return RiskRecord(
        cutoff=np.datetime64(cutoff),
        fingerprint="a" * 64,
        value=1000.0,
        currency="USD",
        positions=(held, cash),
        histories=tuple(
            HistoryWritten(ticker=name, cutoff=day, source=None) for name in (ticker, "EUR")
        ),
        steps=(
            RiskStepWritten(
                step=1, session=date(2026, 3, 4), session_estimated=False, levels=levels
            ),
        ),
        source=source,
        market_tickers=0,
    )
