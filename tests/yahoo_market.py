"""A small made-up market, and the charts that Yahoo would show of it.

A session's prices depend on the ticker and the first session alone, so a listing that is replaced
by one with more sessions or one more split keeps its past, as Yahoo would show it then.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

LIVE_VOLUME = 4321


@dataclass(frozen=True)
class Listing:
    """One ticker of the made-up market.

    Attributes:
        symbol: as Yahoo spells it.
        first: the first session is on it or after it.
        last: the last one is on it or before it.
        splits: session -> new shares for each old one.
        dividends: session -> amount for each share of that day.
        blank: sessions whose prices and volume are null.
        volumeless: sessions whose volume is null.
        cells: (field, session) -> what stands there instead.
        closed: weekdays without a session.
        every_day: whether it trades on weekends too.
        has_volume: whether volumes are above zero.
        traded_at: time of the last trade; None: the last close.
        live: whether the last session has a second row, stamped with the last trade.
        extra: put over ``meta``.
    """

    symbol: str
    currency: str = "USD"
    exchange: str = "NMS"
    timezone: str = "America/New_York"
    kind: str = "EQUITY"
    opens: time = time(9, 30)
    closes: time = time(16, 0)
    first: str = "2019-01-02"
    last: str = "2024-06-28"
    splits: Mapping[str, float] = field(default_factory=dict)
    dividends: Mapping[str, float] = field(default_factory=dict)
    blank: frozenset[str] = frozenset()
    volumeless: frozenset[str] = frozenset()
    cells: Mapping[tuple[str, str], object] = field(default_factory=dict)
    closed: frozenset[str] = frozenset({"2023-12-25", "2024-01-01", "2024-06-19"})
    every_day: bool = False
    has_volume: bool = True
    traded_at: datetime | None = None
    live: bool = False
    extra: Mapping[str, object] = field(default_factory=dict)

    def sessions(self) -> list[date]:
        """All of them, oldest first."""
        first, last = date.fromisoformat(self.first), date.fromisoformat(self.last)
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return [
            day
            for day in days
            if (self.every_day or day.weekday() < 5) and day.isoformat() not in self.closed
        ]

    def at(self, day: date, clock: time) -> int:
        """Epoch seconds of a time of day at the exchange."""
        return int(datetime.combine(day, clock, ZoneInfo(self.timezone)).timestamp())


def listings() -> dict[str, Listing]:
    """The market: shares in three currencies, an index, an ETF, a currency and a coin."""
    round_the_clock: dict[str, Any] = {"opens": time(0, 0), "closes": time(23, 59)}
    made = [
        Listing(
            "AAPL",
            splits={"2020-08-31": 4.0},
            dividends={"2023-11-10": 0.24, "2024-02-09": 0.24, "2024-05-10": 0.25},
        ),
        Listing("MSFT", dividends={"2024-02-14": 0.75, "2024-05-15": 0.75}),
        Listing("BRK-B", exchange="NYQ"),
        Listing("NEWCO", first="2024-06-24"),
        Listing("SPY", exchange="PCX", kind="ETF", dividends={"2024-06-21": 1.76}),
        Listing("^GSPC", exchange="SNP", kind="INDEX"),
        Listing(
            "VOD.L",
            currency="GBp",
            exchange="LSE",
            timezone="Europe/London",
            opens=time(8, 0),
            closes=time(16, 30),
            dividends={"2024-06-06": 3.83},
        ),
        Listing(
            "7203.T",
            currency="JPY",
            exchange="JPX",
            timezone="Asia/Tokyo",
            opens=time(9, 0),
            closes=time(15, 0),
            splits={"2021-09-29": 5.0},
        ),
        Listing(
            "EURUSD=X",
            exchange="CCY",
            timezone="Europe/London",
            kind="CURRENCY",
            has_volume=False,
            **round_the_clock,
        ),
        Listing(
            "BTC-USD",
            exchange="CCC",
            timezone="UTC",
            kind="CRYPTOCURRENCY",
            every_day=True,
            closed=frozenset(),
            **round_the_clock,
        ),
    ]
    return {listing.symbol: listing for listing in made}


def chart(listing: Listing, begin: float, end: float) -> dict[str, Any]:
    """The chart JSON of the sessions that open from ``begin`` to before ``end``, epoch seconds."""
    days = listing.sessions()
    columns = _prices(listing, days)
    stamps = [listing.at(day, listing.opens) for day in days]
    chosen = [n for n, stamp in enumerate(stamps) if begin <= stamp < end]
    if not chosen:
        return {}
    if listing.live:
        traded = _traded_at(listing, days[-1])
        stamps.append(traded)
        chosen.append(len(days))
        columns = {name: [*cells, cells[-1]] for name, cells in columns.items()}
        columns["volume"][-1] = LIVE_VOLUME
    rows = {name: [cells[n] for n in chosen] for name, cells in columns.items()}
    adjusted = rows.pop("adjclose")
    events = {
        "dividends": {
            str(stamp): {"amount": value / _ratio_after(listing, day), "date": stamp}
            for day, stamp, value in _events(listing, listing.dividends, begin, end)
        },
        "splits": {
            str(stamp): {
                "date": stamp,
                "numerator": value if value >= 1 else 1,
                "denominator": 1 if value >= 1 else round(1 / value),
                "splitRatio": f"{value:g}:1",
            }
            for day, stamp, value in _events(listing, listing.splits, begin, end)
        },
    }
    return {
        "meta": meta(listing),
        "timestamp": [stamps[n] for n in chosen],
        "events": {name: found for name, found in events.items() if found},
        "indicators": {"quote": [rows], "adjclose": [{"adjclose": adjusted}]},
    }


def meta(listing: Listing) -> dict[str, Any]:
    """What a chart says about its ticker."""
    last = listing.sessions()[-1]
    hours = {
        name: {
            "timezone": "LOC",
            "gmtoffset": 0,
            "start": listing.at(last, listing.opens),
            "end": listing.at(last, listing.closes),
        }
        for name in ("pre", "regular", "post")
    }
    return {
        "currency": listing.currency,
        "symbol": listing.symbol,
        "exchangeName": listing.exchange,
        "instrumentType": listing.kind,
        "firstTradeDate": listing.at(listing.sessions()[0], listing.opens),
        "regularMarketTime": _traded_at(listing, last),
        "gmtoffset": 0,
        "exchangeTimezoneName": listing.timezone,
        "priceHint": 2,
        "currentTradingPeriod": hours,
        "dataGranularity": "1d",
        "validRanges": ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"],
    } | dict(listing.extra)


def _traded_at(listing: Listing, last: date) -> int:
    if listing.traded_at is not None:
        return int(listing.traded_at.timestamp())
    return listing.at(last, listing.closes)


def _ratio_after(listing: Listing, day: date) -> float:
    later = (ratio for when, ratio in listing.splits.items() if when > day.isoformat())
    return float(np.prod([1.0, *later]))


def _events(
    listing: Listing, events: Mapping[str, float], begin: float, end: float
) -> list[tuple[date, int, float]]:
    found = []
    for when, value in sorted(events.items()):
        day = date.fromisoformat(when)
        stamp = listing.at(day, listing.opens)
        if begin <= stamp < end:
            found.append((day, stamp, value))
    return found


def _prices(listing: Listing, days: list[date]) -> dict[str, list[Any]]:
    """Every column: a random walk that pays the dividends, in today's shares."""
    seed = zlib.crc32(listing.symbol.encode())
    draws = [np.random.default_rng([seed, part]).normal(size=len(days)) for part in range(5)]
    today = float(np.prod([1.0, *listing.splits.values()]))
    close, level, paid = [], 100.0 * (1.0 + seed % 7), {}
    for n, day in enumerate(days):
        grown = level * float(np.exp(0.012 * draws[0][n]))
        amount = listing.dividends.get(day.isoformat(), 0.0)
        if amount and n:
            old_shares = amount * today / _ratio_after(listing, day)
            paid[n] = old_shares / level
            grown -= old_shares
        level = grown
        close.append(level)
    closes = np.array(close) / today
    opened = closes * np.exp(0.004 * draws[1])
    factor, factors = 1.0, np.ones(len(days))
    for n in range(len(days) - 1, 0, -1):
        factor *= 1.0 - paid.get(n, 0.0)
        factors[n - 1] = factor
    columns: dict[str, list[Any]] = {
        "open": opened.tolist(),
        "high": (np.maximum(opened, closes) * np.exp(0.003 * np.abs(draws[2]))).tolist(),
        "low": (np.minimum(opened, closes) * np.exp(-0.003 * np.abs(draws[3]))).tolist(),
        "close": closes.tolist(),
        "adjclose": (closes * factors).tolist(),
        "volume": [int(v) for v in 1e6 * np.exp(0.3 * draws[4]) * today * listing.has_volume],
    }
    place = {day.isoformat(): n for n, day in enumerate(days)}
    for day_name in listing.blank & place.keys():
        for cells in columns.values():
            cells[place[day_name]] = None
    for day_name in listing.volumeless & place.keys():
        columns["volume"][place[day_name]] = None
    for (name, day_name), cell in listing.cells.items():
        columns[name][place[day_name]] = cell
    return columns
