"""Stored tickers: what is known of each, and how far its bars reach.

Every function works inside a transaction of :class:`~forecaster.market.store.Store`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, ScalarSelect, func, insert, inspect, select

from forecaster.errors import StoreError
from forecaster.market.store import schema
from forecaster.market.store.damage import check, checked
from forecaster.market.store.day_numbers import to_day, to_number

IMPORT = "import"
"""Source of bars that a user brought."""

_SAME_TIME = 60
"""Seconds within which renames are told apart by their order; later ones are of another clock."""

MOST_NAMES = 500
"""In one query: databases limit the number of its parameters."""


@dataclass(frozen=True)
class TickerInfo:
    """What the store knows of one ticker, without its bars.

    Attributes:
        ticker: the symbol.
        source: where the bars came from: a provider's name, or ``import``.
        currency: the source's code, or None.
        exchange: the source's code, or None.
        calendar: code of the exchange's calendar, or None.
        timezone: IANA name, or None.
        adjusted: whether the source had adjusted closes.
        since: first session that was asked for; None: everything.
        answered: when the source last answered, UTC.
    """

    ticker: str
    source: str
    currency: str | None
    exchange: str | None
    calendar: str | None
    timezone: str | None
    adjusted: bool
    since: np.datetime64 | None
    answered: datetime

    @property
    def imported(self) -> bool:
        """Whether a user brought the bars: no provider is asked for what follows them."""
        return self.source == IMPORT

    def reaches_back_to(self, first: np.datetime64 | None) -> bool:
        """Whether sessions were asked for from ``first`` on or earlier; None: as many as stored."""
        return first is None or self.since is None or bool(self.since <= first)


@dataclass(frozen=True)
class StoredTicker:
    """A stored ticker and the end of its bars.

    Attributes:
        info: what is known of it.
        tail_from: first of the last sessions, as many as were asked for.
        cutoff: last session.
    """

    info: TickerInfo
    tail_from: np.datetime64
    cutoff: np.datetime64


@dataclass(frozen=True)
class Extent:
    """How much of a ticker is stored.

    Attributes:
        info: what is known of it.
        first: first session.
        cutoff: last session.
        bars: how many.
    """

    info: TickerInfo
    first: np.datetime64
    cutoff: np.datetime64
    bars: int


def stored_names(connection: Connection) -> tuple[str, ...]:
    """All stored tickers, in alphabetical order."""
    column = schema.histories.c.ticker
    names = tuple(connection.execute(select(column).order_by(column)).scalars())
    for name in names:
        check(name, column)
    return names


def imported_names(connection: Connection) -> frozenset[str]:
    """Stored tickers whose bars a user brought."""
    table = schema.histories
    query = select(table.c.ticker).where(table.c.source == IMPORT)
    return frozenset(connection.execute(query).scalars())


def stored_tickers(
    connection: Connection, names: Sequence[str], tail: int = 1
) -> dict[str, StoredTicker]:
    """Some tickers and the ends of their bars; those without a stored bar are left out.

    Args:
        connection: a transaction.
        names: the symbols.
        tail: the last so many sessions begin with ``tail_from``, or all if there are fewer.
    """
    session, own = schema.bars.c.session, schema.bars.c.history_id == schema.histories.c.id
    first, cutoff = (
        select(end).where(own).scalar_subquery() for end in (func.min(session), func.max(session))
    )
    newest = select(session).where(own).order_by(session.desc())
    tail_from = func.coalesce(newest.limit(1).offset(tail - 1).scalar_subquery(), first)
    stored = {}
    for start in range(0, len(names), MOST_NAMES):
        some = names[start : start + MOST_NAMES]
        query = select(schema.histories, tail_from, cutoff).where(
            schema.histories.c.ticker.in_(some)
        )
        for row in connection.execute(query):
            if row[-1] is not None:
                info = _info(row)
                stored[info.ticker] = StoredTicker(info, *_ends(info, row[-2], row[-1]))
    return stored


def extents(connection: Connection, ticker: str | None = None) -> list[Extent]:
    """What is stored, ticker by ticker in alphabetical order; or of one ticker alone."""
    session = schema.bars.c.session
    query = (
        select(schema.histories, func.min(session), func.max(session), func.count())
        .join(schema.bars)
        .group_by(schema.histories.c.id)
        .order_by(schema.histories.c.ticker)
    )
    if ticker is not None:
        query = query.where(schema.histories.c.ticker == ticker)
    infos = [(_info(row), row) for row in connection.execute(query)]
    return [Extent(info, *_ends(info, row[-3], row[-2]), row[-1]) for info, row in infos]


def _ends(info: TickerInfo, first: int, last: int) -> tuple[np.datetime64, np.datetime64]:
    """Two sessions of a ticker's stored bars.

    Raises:
        StoreError: one of them is no date.
    """
    try:
        return to_day(first), to_day(last)
    except ValueError as problem:
        raise StoreError(
            f"the stored bars of {info.ticker} are damaged ({problem}); they cannot be used. Delete"
            f" them with forecast data prune {info.ticker}, and fetch it again."
        ) from problem


def record_rename(connection: Connection, old: str, new: str, now: datetime) -> None:
    """Note that a ticker has another name from now on; renames of one second get one each."""
    table, at = schema.renames, int(now.timestamp())
    latest = select(func.max(table.c.at)).where(table.c.at < at + _SAME_TIME)
    at = max(at, (connection.execute(latest).scalar() or 0) + 1)
    connection.execute(insert(table).values(old=old, new=new, at=at))


@dataclass(frozen=True)
class Renames:
    """What tickers were renamed to, and when; a name that became free may be another's later.

    Attributes:
        by_old: the new names, and when each was given, in epoch seconds, in order of time.
    """

    by_old: Mapping[str, Sequence[tuple[int, str]]]

    def name_of(self, ticker: str, written: datetime) -> str:
        """The name that a history has now, of what was written down under a ticker at a time."""
        since, taken = int(written.timestamp()), set[tuple[str, int]]()
        while True:
            for at, new in self.by_old.get(ticker, ()):
                if at >= since and (ticker, at) not in taken:
                    taken.add((ticker, at))
                    ticker, since = new, at
                    break
            else:
                return ticker


def renames(connection: Connection) -> Renames:
    """All renames."""
    table, by_old = schema.renames, dict[str, list[tuple[int, str]]]()
    if inspect(connection).has_table(table.name):  # an older store that is only read may have none
        for row in connection.execute(select(table).order_by(table.c.at)):
            checked(row, table)
            by_old.setdefault(row.old, []).append((row.at, row.new))
    return Renames(by_old)


def key_of(ticker: str) -> ScalarSelect[int]:
    """The number of a ticker's rows; another run that replaces the ticker changes it."""
    return (
        select(schema.histories.c.id).where(schema.histories.c.ticker == ticker).scalar_subquery()
    )


def _info(row: Row[Any]) -> TickerInfo:
    checked(row, schema.histories)
    return TickerInfo(
        ticker=row.ticker,
        source=row.source,
        currency=row.currency,
        exchange=row.exchange,
        calendar=row.calendar,
        timezone=row.timezone,
        adjusted=bool(row.adjusted),
        since=None if row.since is None else to_day(row.since),
        answered=_moment(row.answered),
    )


def _moment(seconds: int) -> datetime:
    """A time; long ago where what is stored can be none, so that the source is asked again."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def values_of(info: TickerInfo) -> dict[str, object]:
    """What is known of a ticker as cells of its row."""
    return {
        **vars(info),
        "since": None if info.since is None else to_number(info.since),
        "answered": int(info.answered.timestamp()),
    }
