"""Bars as arrays, oldest session first: one history, and a panel of them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from forecaster.arrays import Days, Floats, Mask, Moments
from forecaster.errors import DataError
from forecaster.wording import counted

if TYPE_CHECKING:
    import pandas as pd

    from forecaster.market.calendars import Calendars

_NAMED = 3

BAR_FIELDS = ("open", "high", "low", "close", "adjusted_close", "volume")
"""What a bar has, in the order in which it is written."""

FIRST_SESSION, LAST_SESSION = np.datetime64("1600-01-01"), np.datetime64("2200-12-31")
"""Before the first stock was traded, and after any forecast: what lies outside is a misread date,
and the sessions between it and the others would fill the memory."""

PRICE_FIELDS = ("open", "high", "low", "close", "volume", "adjusted_close")
"""The order in which fingerprints take them."""


_RANGE_TOLERANCE = 0.005
"""By which a price may lie outside its range: sources round each of them, and adjust some."""


def contradicting(open: Floats, high: Floats, low: Floats, close: Floats) -> Mask:
    """Which bars have their high below the low, or an open or close outside of them.

    NaN, where a price is not known, contradicts nothing. All arguments and the result: ``(n,)``.
    """
    most, least = high * (1 + _RANGE_TOLERANCE), low * (1 - _RANGE_TOLERANCE)
    bad = high < low
    for price in (open, close):
        bad |= (price > most) | (price < least)
    return np.asarray(bad)


@dataclass(frozen=True)
class Action:
    """A corporate action that takes effect with the first trade of a session.

    Attributes:
        session: its date.
        value: a split's new shares for each old one (4.0 for 4:1, 0.1 for a reverse 1:10), or a
            dividend in the ticker's currency for each share.
    """

    session: np.datetime64
    value: float


@dataclass(frozen=True, eq=False, repr=False)
class History:
    """All bars of one ticker, oldest first.

    Attributes:
        ticker: the symbol.
        sessions: ``datetime64[D]``, shape ``(n,)``, strictly rising.
        open: prices as traded, shape ``(n,)``; NaN where the source has none.
        high: prices as traded, shape ``(n,)``; NaN where the source has none.
        low: prices as traded, shape ``(n,)``; NaN where the source has none.
        close: prices as traded, shape ``(n,)``; always finite and positive. Where ``splits`` are
            known, "as traded" is in shares of the last session.
        volume: shares or units, shape ``(n,)``; NaN where unknown.
        adjusted_close: ``close`` with splits and dividends removed, as the source saw them; equal
            to ``close`` where the source has no adjusted prices.
        adjusted: whether the source had adjusted prices.
        currency: ISO code, or Yahoo's for hundredths (``GBp``), or None where unknown.
        calendar: code of the calendar of the ticker's exchange (``XNYS``, ``24/7``), or None.
        splits: up to the last session, oldest first; empty where unknown.
        closes: when each session closed, ``datetime64[s]`` in UTC, ``(n,)``; None where no calendar
            tells.
    """

    ticker: str
    sessions: Days
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    adjusted_close: Floats
    adjusted: bool = False
    currency: str | None = None
    calendar: str | None = None
    splits: tuple[Action, ...] = ()
    closes: Moments | None = None

    def __post_init__(self) -> None:
        n = len(self.sessions)
        if n == 0:
            raise DataError(
                f"{self.ticker} has no bars; at least 1 is needed."
                " Check the file or the dates asked for."
            )
        if not (self.sessions[0] >= FIRST_SESSION and self.sessions[-1] <= LAST_SESSION):
            raise DataError(
                f"{self.ticker} has sessions from {self.sessions[0]} to {self.sessions[-1]}; dates"
                " from 1600 to 2200 are needed. Correct them."
            )
        for field in PRICE_FIELDS:
            values = getattr(self, field)
            if values.shape != (n,):
                raise ValueError(f"{field} has shape {values.shape}, sessions ({n},)")
        if n > 1 and not bool(np.all(self.sessions[1:] > self.sessions[:-1])):
            raise ValueError(f"{self.ticker}: sessions must be strictly rising")
        for field in ("close", "adjusted_close"):
            values = getattr(self, field)
            if not bool(np.all(np.isfinite(values) & (values > 0))):
                raise ValueError(f"{self.ticker}: {field} must be finite and positive")

    def __len__(self) -> int:
        return len(self.sessions)

    def __repr__(self) -> str:
        bars = counted(len(self), "bar")
        return f"<History of {self.ticker}: {bars}, {self.first} to {self.cutoff}>"

    @property
    def first(self) -> np.datetime64:
        """The first session."""
        return np.datetime64(self.sessions[0], "D")

    @property
    def cutoff(self) -> np.datetime64:
        """The last session, which is the last one a forecast from this history may see."""
        return np.datetime64(self.sessions[-1], "D")

    def up_to(self, day: np.datetime64) -> History:
        """The bars of sessions not later than ``day``, in shares of the last of them.

        Splits that came later are undone in prices and volumes, so that they are as they were
        traded; adjusted closes stay as they are, since only their ratios have a meaning.

        Raises:
            DataError: there are none.
        """
        n = int(np.searchsorted(self.sessions, day, side="right"))
        if n == 0:
            raise DataError(
                f"{self.ticker} begins on {self.first}, after {day}; at least 1 bar is needed up to"
                f" that date. Ask for {self.first} or later."
            )
        return self.slice(0, n)

    def slice(self, start: int, stop: int) -> History:
        """Bars ``start`` (included) to ``stop`` (excluded); views, unless a split is undone."""
        sessions = self.sessions[start:stop]
        kept = self.splits
        if len(sessions) == len(self) and not (kept and kept[-1].session > sessions[-1]):
            return self
        parts = {field: getattr(self, field)[start:stop] for field in PRICE_FIELDS}
        if kept and len(sessions):
            kept = tuple(split for split in kept if split.session <= sessions[-1])
            ratio = math.prod(split.value for split in self.splits[len(kept) :])
            if ratio != 1.0:
                for field in ("open", "high", "low", "close"):
                    parts[field] = parts[field] * ratio
                parts["volume"] = parts["volume"] / ratio
        closes = None if self.closes is None else self.closes[start:stop]
        checked = len(sessions) and kept == self.splits
        made = self.having if checked else partial(replace, self)
        return made(sessions=sessions, splits=kept, closes=closes, **parts)

    def having(self, **known: Any) -> History:
        """This history with other values of some attributes, which are known to fit: no check.

        Checks read every bar, which takes longer than to make a view of them.
        """
        made = copy(self)
        vars(made).update(known)
        vars(made).pop("fingerprint", None)
        return made

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the ticker, the sessions and all prices: equal bars, equal fingerprint."""
        digest = hashlib.sha256(self.ticker.encode())
        digest.update(self.sessions.astype("datetime64[D]").astype("<i8").tobytes())
        for field in PRICE_FIELDS:
            digest.update(np.ascontiguousarray(getattr(self, field), dtype="<f8").tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, eq=False, repr=False)
class Panel:
    """Several histories, each with its own length, one per ticker, in the order given.

    Attributes:
        histories: to be forecast.
        market: those that make the market state; None: ``histories`` themselves.
        calendars: sessions of the calendars that histories name, by their codes; None: of none.

    Raises:
        DataError: a ticker occurs twice.
    """

    histories: tuple[History, ...]
    market: tuple[History, ...] | None = None
    calendars: Calendars | None = None

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for history in self.histories:
            if history.ticker in seen:
                raise DataError(
                    f"{history.ticker} was given twice; each ticker may come from one source only."
                    " Leave one of them out."
                )
            seen.add(history.ticker)

    def __len__(self) -> int:
        return len(self.histories)

    def __iter__(self) -> Iterator[History]:
        return iter(self.histories)

    def __repr__(self) -> str:
        named = ", ".join(self.tickers[:_NAMED]) + (", …" if len(self) > _NAMED else "")
        return f"<Panel of {counted(len(self), 'history')}, {self.bars:,} bars: {named}>"

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(repr(self))}</p>"

    def to_dataframe(self) -> pd.DataFrame:
        """A row for each ticker and session, oldest first, ticker after ticker.

        Returns:
            Columns ``ticker``, ``date`` and those of a bar; prices as traded, NaN where unknown.
        """
        import pandas as pd

        columns = {name: [getattr(h, name) for h in self.histories] for name in BAR_FIELDS}
        every = {"date": [history.sessions for history in self.histories], **columns}
        joined: dict[str, Any] = {
            name: np.concatenate(parts) if parts else [] for name, parts in every.items()
        }
        tickers = np.repeat(np.array(self.tickers, dtype=object), [len(h) for h in self.histories])
        return pd.DataFrame({"ticker": tickers, **joined})

    @property
    def tickers(self) -> tuple[str, ...]:
        """The tickers, in order."""
        return tuple(history.ticker for history in self.histories)

    @property
    def market_tickers(self) -> tuple[str, ...] | None:
        """The tickers that make the market state; None: its own."""
        return None if self.market is None else tuple(h.ticker for h in self.market)

    @property
    def bars(self) -> int:
        """How many bars all histories hold together."""
        return sum(len(history) for history in self.histories)

    @cached_property
    def sessions(self) -> Days:
        """The sessions of all histories together, rising, each once: ``datetime64[D]``."""
        return np.unique(np.concatenate([history.sessions for history in self.histories]))

    def up_to(self, day: np.datetime64) -> Panel:
        """The panel as it was at the close of ``day``; histories that begin later are left out."""
        market = None if self.market is None else _up_to(self.market, day)
        return replace(self, histories=_up_to(self.histories, day), market=market)

    def keep(self, wanted: Callable[[History], bool]) -> Panel:
        """The histories that are wanted; the market state stays."""
        return replace(self, histories=tuple(h for h in self.histories if wanted(h)))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the fingerprints of the histories, in order, and of the market."""
        every = (*self.histories, *(self.market or ()))
        return hashlib.sha256("".join(h.fingerprint for h in every).encode()).hexdigest()


def _up_to(histories: Iterable[History], day: np.datetime64) -> tuple[History, ...]:
    return tuple(history.up_to(day) for history in histories if history.first <= day)


def history_from_closes(
    ticker: str, sessions: Sequence[str] | Days, close: Sequence[float] | Floats
) -> History:
    """A history that knows closes only (open, high, low and volume are NaN).

    Args:
        ticker: the symbol.
        sessions: ISO dates or ``datetime64``, shape ``(n,)``, rising, one for each session.
        close: prices, shape ``(n,)``, which are copied.

    Raises:
        DataError: the dates are a week, a month or so apart, or have times of day.
        ValueError: something is no date, dates do not rise, or a close is no price.
    """
    from forecaster.market.spacing import require_daily

    prices = np.ma.array(close, dtype=np.float64, copy=True).filled(np.nan)
    moments = np.asarray(sessions, dtype="datetime64[s]")
    days = moments.astype("datetime64[D]")
    unknown = np.full(prices.shape, np.nan)
    history = History(ticker, days, unknown, unknown, unknown, prices, unknown, prices)
    timed = np.flatnonzero(days != moments)
    if len(timed):
        raise DataError(
            f"{ticker} has the session {moments[timed[0]]}; dates without a time of day are needed."
            " Give dates of the exchange, or a table: forecaster.read knows midnights elsewhere."
        )
    require_daily(days, ticker)
    return history
