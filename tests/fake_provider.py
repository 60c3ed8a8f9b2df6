"""A source that answers from made-up histories, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from forecaster.errors import ForecastError, UnknownTicker
from forecaster.market.bars import PRICE_FIELDS, Action, History
from forecaster.market.providers.base import Quotes


@dataclass
class FakeProvider:
    """Answers like a source whose prices are in today's shares.

    Attributes:
        truth: ticker to history, in shares of its last session.
        dividends: ticker to dividends.
        problem: raised instead of an answer.
        before_answer: called with the ticker before each answer.
        asked: every question: ticker and first session wanted.
    """

    truth: dict[str, History] = field(default_factory=dict)
    dividends: dict[str, tuple[Action, ...]] = field(default_factory=dict)
    problem: ForecastError | None = None
    before_answer: Callable[[str], None] | None = None
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    name: str = "yahoo"
    exchange: str | None = "NMS"

    def fetch(self, ticker: str, since: np.datetime64 | None) -> Quotes:
        self.asked.append((ticker, None if since is None else str(since)))
        if self.before_answer is not None:
            self.before_answer(ticker)
        if self.problem is not None:
            raise self.problem
        if ticker not in self.truth:
            raise UnknownTicker(f"nobody knows {ticker}.")
        history = self.truth[ticker]
        start = 0 if since is None else int(np.searchsorted(history.sessions, since))
        values = {name: getattr(history, name)[start:].copy() for name in PRICE_FIELDS}
        first = history.sessions[min(start, len(history) - 1)]
        return Quotes(
            symbol=ticker,
            sessions=history.sessions[start:],
            splits=tuple(a for a in history.splits if a.session >= first),
            dividends=tuple(a for a in self.dividends.get(ticker, ()) if a.session >= first),
            currency="USD",
            exchange=self.exchange,
            timezone="America/New_York",
            **values,
        )


def split(history: History, day: np.datetime64, ratio: float) -> History:
    """The same history after a split on ``day``: told in new shares, even of the time before."""
    names = ("open", "high", "low", "close", "adjusted_close")
    parts = {name: getattr(history, name) / ratio for name in names}
    splits = (*history.splits, Action(day, ratio))
    return replace(history, volume=history.volume * ratio, splits=splits, **parts)


def dividend(history: History, day: np.datetime64, share: float) -> History:
    """The same history after a dividend went ex on ``day``: earlier adjusted closes are lower."""
    early = history.sessions < day
    return replace(history, adjusted_close=history.adjusted_close * np.where(early, 1 - share, 1.0))


def evening(day: np.datetime64) -> datetime:
    """Some hours after New York's close."""
    return datetime.fromisoformat(f"{day}T22:30:00+00:00")
