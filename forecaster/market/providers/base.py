"""What a market data source answers, and what every source must be able to do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np

from forecaster.arrays import Days, Floats, Mask
from forecaster.errors import DataError
from forecaster.market.bars import BAR_FIELDS, Action, History
from forecaster.market.cleaning import cleaned_history
from forecaster.market.raw_bars import is_price
from forecaster.wording import plural, were

MOST_REPLY_BYTES = 64 * 2**20
"""Of one reply of a source, unpacked; all bars of the oldest ticker take three."""
LARGEST_RATIO = 1e15
"""Of shares before all splits of a ticker to those after them."""
_DELAY = timedelta(minutes=30)
"""After the close, until quotes that are delayed have it."""


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
        symbol: as the source spells it, which is as it was asked for.
        sessions: ``datetime64[D]``, ``(n,)``, strictly rising, dates on the exchange.
        open: ``(n,)``, NaN where the source has none.
        high: ``(n,)``, NaN where the source has none.
        low: ``(n,)``, NaN where the source has none.
        close: ``(n,)``, NaN where the source has none.
        adjusted_close: ``(n,)``, NaN where the source has none; only ratios have a meaning.
        volume: ``(n,)``, NaN where the source has none.
        splits: inside the range that was asked for, oldest first.
        dividends: inside the range that was asked for, oldest first.
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


def are_possible(splits: Sequence[Action]) -> bool:
    """Whether any ticker could have had these splits; others make no finite prices."""
    sizes = [abs(math.log(split.value)) for split in splits]
    return math.fsum(sizes) < math.log(LARGEST_RATIO)


class Provider(Protocol):
    """A market data source."""

    @property
    def name(self) -> str:
        """One word, such as ``yahoo``; the store has it beside each answer."""
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
class CompletedQuotes:
    """A history of completed sessions, and its actions.

    Attributes:
        history: bars with a close, of sessions that are over; its ``splits`` are complete in the
            range that was asked for.
        dividends: up to the last session, in shares of the last session.
        quotes: what the source answered.
        notes: what was left out, one sentence each.
    """

    history: History
    dividends: tuple[Action, ...]
    quotes: Quotes
    notes: tuple[str, ...]


def completed(quotes: Quotes, ticker: str, now: datetime) -> CompletedQuotes:
    """Keep the sessions that are over, as they were seen at the close of the last one.

    Left out: the bar of a session still open, and rows without a close. Splits of the session left
    out are undone, and adjusted closes are scaled to equal the last close, as they did that day.
    Opens, highs and lows that contradict their bar become unknown.

    Args:
        quotes: at least one bar that can be kept.
        ticker: the name of the history.
        now: with a time zone. A clock that is behind the last trade is not believed; one that is
            ahead cannot be told from a right one.

    Raises:
        DataError: no bar is left.
    """
    notes: list[str] = []
    over = _over(quotes, now)
    priced = is_price(quotes.close)
    kept = np.flatnonzero(over & priced)
    if not len(kept):
        raise DataError(_nothing_left(quotes, ticker, over))
    _note_left_out(quotes, over, priced, notes)
    days = quotes.sessions[kept].astype("datetime64[D]")
    values = {name: getattr(quotes, name)[kept].astype(np.float64) for name in BAR_FIELDS}
    splits = _until(quotes.splits, days[-1])
    later = quotes.splits[len(splits) :]
    ratio = math.prod(split.value for split in later)
    for name in BAR_FIELDS[:-1]:
        values[name] *= ratio
    with np.errstate(over="ignore"):
        values["volume"] /= ratio
    values["volume"][np.isinf(values["volume"])] = np.nan
    if later:
        notes.append(
            f"{len(later)} {plural('split', len(later))} that took effect after {days[-1]}"
            f" {were(len(later))} undone, first on {later[0].session}"
        )
    history = cleaned_history(
        ticker, days, values, lambda bar: str(days[bar]), notes, quotes.currency, splits
    )
    if history.adjusted:
        adjusted = history.adjusted_close * (history.close[-1] / history.adjusted_close[-1])
        adjusted[-1] = history.close[-1]
        history = replace(history, adjusted_close=adjusted)
    return CompletedQuotes(
        history=history,
        dividends=tuple(
            replace(paid, value=paid.value * ratio) for paid in _until(quotes.dividends, days[-1])
        ),
        quotes=quotes,
        notes=tuple(f"{note}." for note in notes),
    )


def _over(quotes: Quotes, now: datetime) -> Mask:
    """Which sessions are over, ``(n,)``.

    The last one is over when it was traded up to its close, or some time after that: quotes of many
    exchanges are delayed, and a bar fetched meanwhile lacks the closing auction.
    """
    trading = quotes.trading
    traded = quotes.traded_at
    if (
        trading is None
        or now >= trading.closes + _DELAY
        or (traded is not None and traded >= trading.closes)
    ):
        return np.ones(len(quotes.sessions), dtype=bool)
    return np.asarray(quotes.sessions < trading.session)


def _until(actions: tuple[Action, ...], last: np.datetime64) -> tuple[Action, ...]:
    return tuple(action for action in actions if action.session <= last)


def _note_left_out(quotes: Quotes, over: Mask, priced: Mask, notes: list[str]) -> None:
    blank = np.flatnonzero(over & ~priced)
    if len(blank):
        notes.append(
            f"{len(blank)} {plural('row', len(blank))} without a usable close"
            f" {were(len(blank))} left out, first {quotes.sessions[blank[0]]}"
        )
    if not over.all():
        count, first = int(np.sum(~over)), quotes.sessions[int(np.argmin(over))]
        notes.append(
            f"{count} {plural('bar', count)} of a session that is not over {were(count)}"
            f" left out, first {first}"
        )


def _nothing_left(quotes: Quotes, ticker: str, over: Mask) -> str:
    needed = "at least 1 bar of a session that is over is needed"
    rows, early = len(quotes.sessions), int(np.sum(~over))
    if not rows:
        return f"{ticker} has no bars in the range asked for; {needed}. Ask for earlier sessions."
    unusable = f"{rows} {plural('row', rows)} without a usable close"
    remedy = "Check the ticker; it may be delisted"
    if early:
        unusable = f"{rows} {plural('row', rows)}, {early} of a session that is not over"
        remedy = "Try again after the close"
        if early < rows:
            unusable += f" and {rows - early} without a usable close"
    return f"{ticker} has {unusable}; {needed}. {remedy}."
