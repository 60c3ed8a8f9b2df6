"""Forecasts written into a journal, and their score against a made-up source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from fake_provider import FakeProvider, evening
from synthetic import garch_history

from forecaster.jobs.score import ScoreResult, score_journal
from forecaster.market import exchanges
from forecaster.market.bars import History
from forecaster.market.store import Store, journal, ledger
from forecaster.market.store.journal import Author, JournalRecord

LAST = np.datetime64("2026-03-06")
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
H = 3


def history(ticker: str, bars: int = 200) -> History:
    known = exchanges.schedule("XNYS", LAST - 3 * bars, LAST)
    made = garch_history(ticker, bars, seed=sum(map(ord, ticker)))
    return replace(made, sessions=known.sessions[-bars:], adjusted_close=made.close.copy())


def spread(h: int, wide: float = 1.0) -> np.ndarray:
    """Log-return quantiles of step h: ``(Q,)``."""
    return wide * 0.02 * np.sqrt(h) * np.array([-1.6, -0.6, 0.0, 0.7, 1.7])


def write(
    store: Store,
    made: History,
    row: int,
    *,
    created: datetime | None = None,
    model: str = "m",
    wide: float = 1.0,
    file: str | None = None,
    sessions: Sequence[object] | None = None,
    joined_on: str | None = "session",
    model_id: str | None = None,
    steps: int = H,
) -> None:
    """A forecast from a row of a history, written down on the evening of that session.

    Its sessions are estimates, or those given, which a calendar named.
    """
    cutoff, last = made.sessions[row], float(made.close[row])
    ahead = [
        {
            "step": h,
            "session": str(cutoff + h if sessions is None else sessions[h - 1]),
            "session_estimated": sessions is None,
            "naive": last,
            "quantiles": {
                f"{q:g}": float(p)
                for q, p in zip(LEVELS, last * np.exp(spread(h, wide)), strict=True)
            },
        }
        for h in range(1, steps + 1)
    ]
    seen = made.slice(0, row + 1).fingerprint
    forecast = JournalRecord(made.ticker, cutoff, seen, last, "USD", ahead, file, joined_on)
    author = Author("run", created or evening(cutoff), model, model_id or f"id-{model}", "0" * 64)
    with in_any_order(), store.writing() as tx:
        journal.append(tx, author, [forecast])


@contextmanager
def in_any_order() -> Iterator[None]:
    """Evenings may be written one before the other, as only earlier versions let them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, "require_clock", lambda *_: None)
        yield


def run(store: Store, source: FakeProvider, **options) -> ScoreResult:
    options = {"now": evening(LAST), **options}
    return score_journal(store=store, provider=lambda: source, **options)


def loss(actual: float, quantiles: np.ndarray) -> float:
    """Pinball by its definition."""
    total = 0.0
    for q, value in zip(LEVELS, quantiles, strict=True):
        error = actual - value
        total += max(q * error, (q - 1) * error)
    return total / len(LEVELS)
