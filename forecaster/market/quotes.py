"""What a market data source answers, and what every source must be able to do.

A source is one class in one file with the :class:`Provider` protocol; ``providers.py`` lists them.
It reports what it was told and repairs nothing; :func:`completed` makes a history of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np

from forecaster.market.bars import Action, Days, Floats, History

BAR_FIELDS = ("open", "high", "low", "close", "adjusted_close", "volume")


@dataclass(frozen=True)
class Trading:
    """The regular trading hours of one session, as the source gives them.

    Attributes:
        session: its date on the exchange.
        closes: the regular close, with a time zone.
    """

    session: np.datetime64
    closes: datetime


@dataclass(frozen=True, eq=False)
class Quotes:
    """One ticker's bars, oldest first, as a source answered; nothing dropped or repaired yet.

    Prices, volumes and dividends are in today's shares: all splits that the source knows, even of
    a session that is not over, are removed. Adjusted closes have dividends removed too.

    Attributes:
        symbol: as the source spells it; the same as was asked for.
        sessions: ``datetime64[D]``, ``(n,)``, strictly rising, dates on the exchange.
        open: ``(n,)``, NaN where the source has none; so are the following.
        high: see ``open``.
        low: see ``open``.
        close: see ``open``.
        adjusted_close: see ``open``; only ratios have a meaning.
        volume: see ``open``.
        splits: inside the range that was asked for, oldest first.
        dividends: likewise.
        currency: the source's code, such as ``USD`` or ``GBp``; None where unknown.
        exchange: the source's own code of the exchange, such as ``NMS``; None where unknown.
        timezone: IANA name, such as ``America/New_York``; None where unknown.
        trading: the session that is open, or the one that was last; None where unknown.
        traded_at: when the last trade was, with a time zone; None where unknown.
    """

    symbol: str
    sessions: Days
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    adjusted_close: Floats
    volume: Floats
    splits: tuple[Action, ...] = ()
    dividends: tuple[Action, ...] = ()
    currency: str | None = None
    exchange: str | None = None
    timezone: str | None = None
    trading: Trading | None = None
    traded_at: datetime | None = None


class Provider(Protocol):
    """A market data source."""

    @property
    def name(self) -> str:
        """One word, as in ``--provider yahoo`` and in the store."""
        ...

    def fetch(self, ticker: str, since: np.datetime64 | None) -> Quotes:
        """Ask once for daily bars.

        Args:
            ticker: as :func:`forecaster.market.symbols.checked_ticker` returns it.
            since: first session wanted; None: everything that the source has.

        Raises:
            UnknownTicker: the source has no such ticker.
            SourceUnavailable: no answer, or one that cannot be read; trying again may help.
            RateLimited: asked too often; nothing more may be asked for a while.
            SourceError: an answer that trying again will not change: a key is missing or refused.
        """
        ...


@dataclass(frozen=True)
class Completed:
    """A history of completed sessions, and its actions.

    Attributes:
        history: bars with a close, of sessions that are over; its ``splits`` are complete in the
            range that was asked for.
        dividends: up to the last session, in shares of the last session.
        notes: what was left out, one sentence each.
    """

    history: History
    dividends: tuple[Action, ...]
    notes: tuple[str, ...]


def completed(quotes: Quotes, ticker: str, now: datetime) -> Completed:
    """Keep the sessions that are over, as they were seen at the close of the last one.

    Left out: the bar of a session still open, and rows without a close. Splits of the session left
    out are undone, and adjusted closes are scaled to equal the last close, as they did that day.

    Args:
        quotes: at least one bar that can be kept.
        ticker: the name of the history.
        now: with a time zone. A clock that is behind the last trade is not believed.

    Raises:
        DataError: no bar is left.
    """
    raise NotImplementedError
