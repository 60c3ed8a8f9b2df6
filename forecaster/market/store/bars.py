"""Histories in the store: what is known of a ticker, its bars and its corporate actions.

Every function works inside a transaction of :class:`~forecaster.market.store.Store`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from forecaster.arrays import Days, Floats
from forecaster.errors import DataError
from forecaster.market.bars import Action, History
from forecaster.market.store import schema
from forecaster.market.store.dates import to_day, to_days, to_number, to_numbers

FIELDS = ("open", "high", "low", "close", "adjusted_close", "volume")
_COLUMNS = [schema.bars.c.session, *(schema.bars.c[name] for name in FIELDS)]
_MOST_NAMES = 500
"""In one query: databases limit the number of its parameters."""

SPLIT, DIVIDEND = "split", "dividend"


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


@dataclass(frozen=True)
class Stored:
    """What the store knows of one ticker, and how far its bars reach."""

    known: TickerInfo
    cutoff: np.datetime64


@dataclass(frozen=True)
class Extent:
    """How much of a ticker is stored.

    Attributes:
        known: what it is.
        first: first session.
        cutoff: last session.
        bars: how many.
    """

    known: TickerInfo
    first: np.datetime64
    cutoff: np.datetime64
    bars: int


def tickers(connection: Connection) -> tuple[str, ...]:
    """All stored tickers, in alphabetical order."""
    column = schema.histories.c.ticker
    return tuple(connection.execute(select(column).order_by(column)).scalars())


def known(connection: Connection, ticker: str) -> TickerInfo | None:
    """What is known of a ticker, or None where nothing is stored."""
    found = _row(connection, ticker)
    return None if found is None else found[1]


def read(connection: Connection, ticker: str, *, last: int | None = None) -> History | None:
    """The bars of a ticker.

    Args:
        connection: a transaction.
        ticker: the symbol.
        last: only so many bars, the newest; None: all.

    Returns:
        The history in shares of its last session, or None where nothing is stored.

    Raises:
        DataError: what is stored is damaged.
    """
    found = _row(connection, ticker)
    if found is None:
        return None
    key, facts = found
    query = select(*_COLUMNS).where(schema.bars.c.history_id == key)
    order = schema.bars.c.session
    if last is None:
        rows = _rows(connection, query.order_by(order))
    else:
        rows = _rows(connection, query.order_by(order.desc()).limit(last))[::-1]
    if not len(rows):
        return None
    values = {name: rows[:, place] for place, name in enumerate(FIELDS, start=1)}
    try:
        return History(
            ticker=ticker,
            sessions=to_days(rows[:, 0].astype(np.int64)),
            adjusted=facts.adjusted,
            currency=facts.currency,
            calendar=facts.calendar,
            splits=_actions(connection, key, SPLIT),
            **values,
        )
    except ValueError as problem:
        raise DataError(
            f"the stored bars of {ticker} are damaged ({problem}); they cannot be used. Delete them"
            f" with forecast data prune {ticker}, and fetch it again."
        ) from problem


def dividends(connection: Connection, ticker: str) -> tuple[Action, ...]:
    """Stored dividends, oldest first, in shares of the last session."""
    found = _row(connection, ticker)
    return () if found is None else _actions(connection, found[0], DIVIDEND)


def ends(connection: Connection, wanted: Sequence[str]) -> dict[str, Stored]:
    """What is known of some tickers and their last sessions; those not stored are left out."""
    last = (
        select(func.max(schema.bars.c.session))
        .where(schema.bars.c.history_id == schema.histories.c.id)
        .scalar_subquery()
    )
    found = {}
    for start in range(0, len(wanted), _MOST_NAMES):
        names = wanted[start : start + _MOST_NAMES]
        query = select(schema.histories, last).where(schema.histories.c.ticker.in_(names))
        for row in connection.execute(query):
            if row[-1] is not None:
                found[row.ticker] = Stored(_known(row), to_day(row[-1]))
    return found


def sessions(connection: Connection, ticker: str) -> Days:
    """The stored sessions of a ticker, oldest first; empty where nothing is stored."""
    query = (
        select(schema.bars.c.session)
        .join(schema.histories)
        .where(schema.histories.c.ticker == ticker)
        .order_by(schema.bars.c.session)
    )
    return to_days(list(connection.execute(query).scalars()))


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
    found = []
    for row in connection.execute(query):
        first, cutoff, bars = row[-3:]
        found.append(Extent(_known(row), to_day(first), to_day(cutoff), bars))
    return found


def replace(
    connection: Connection, history: History, paid: Sequence[Action], facts: TickerInfo
) -> None:
    """Store a whole history in place of what was there.

    Args:
        connection: a writing transaction.
        history: its ``splits`` are stored with it.
        paid: dividends, oldest first.
        facts: what is known of it.
    """
    forget(connection, facts.ticker)
    made = insert(schema.histories).values(_facts(facts)).returning(schema.histories.c.id)
    key = connection.execute(made).scalar_one()
    _add_bars(connection, key, history)
    _add_actions(connection, key, SPLIT, history.splits)
    _add_actions(connection, key, DIVIDEND, paid)


def extend(
    connection: Connection,
    newer: History | None,
    splits: Sequence[Action],
    paid: Sequence[Action],
    facts: TickerInfo,
) -> None:
    """Add sessions after the last one stored, with their actions; renew what is known.

    Args:
        connection: a writing transaction.
        newer: bars of sessions that are not stored yet; None: there are none.
        splits: that took effect in those sessions.
        paid: dividends of those sessions.
        facts: what is known of the ticker now.
    """
    found = _row(connection, facts.ticker)
    if found is None:
        raise ValueError(f"{facts.ticker} is not stored")
    key = found[0]
    connection.execute(
        update(schema.histories).where(schema.histories.c.id == key).values(_facts(facts))
    )
    if newer is not None:
        _add_bars(connection, key, newer)
    _add_actions(connection, key, SPLIT, splits)
    _add_actions(connection, key, DIVIDEND, paid)


def set_volumes(connection: Connection, history: History) -> None:
    """Renew the volumes of sessions that are stored: sources correct them for days."""
    found = _row(connection, history.ticker)
    if found is None:
        return
    numbers = to_numbers(history.sessions).tolist()
    for number, volume in zip(numbers, _plain(history.volume), strict=True):
        connection.execute(
            update(schema.bars)
            .where(schema.bars.c.history_id == found[0], schema.bars.c.session == number)
            .values(volume=volume)
        )


def forget(connection: Connection, ticker: str) -> bool:
    """Delete a ticker with its bars and actions; False where nothing was stored."""
    found = _row(connection, ticker)
    if found is None:
        return False
    for table in (schema.bars, schema.actions):
        connection.execute(delete(table).where(table.c.history_id == found[0]))
    connection.execute(delete(schema.histories).where(schema.histories.c.id == found[0]))
    return True


def _row(connection: Connection, ticker: str) -> tuple[int, TickerInfo] | None:
    query = select(schema.histories).where(schema.histories.c.ticker == ticker)
    row = connection.execute(query).one_or_none()
    return None if row is None else (row.id, _known(row))


def _known(row: Row[Any]) -> TickerInfo:
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


def _facts(facts: TickerInfo) -> dict[str, object]:
    return {
        "ticker": facts.ticker,
        "source": facts.source,
        "currency": facts.currency,
        "exchange": facts.exchange,
        "calendar": facts.calendar,
        "timezone": facts.timezone,
        "adjusted": facts.adjusted,
        "since": None if facts.since is None else to_number(facts.since),
        "answered": int(facts.answered.timestamp()),
    }


def _rows(connection: Connection, query: Select[Any]) -> Floats:
    """A query's rows as an array; NULL becomes NaN.

    The driver's own tuples are taken: a row object for each bar would cost ten times the time.
    """
    with connection.execute(query) as result:
        rows = result.cursor.fetchall()
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(_COLUMNS))


def _actions(connection: Connection, key: int, kind: str) -> tuple[Action, ...]:
    table = schema.actions
    query = (
        select(table.c.session, table.c.value)
        .where(table.c.history_id == key, table.c.kind == kind)
        .order_by(table.c.session)
    )
    return tuple(Action(to_day(day), value) for day, value in connection.execute(query))


def _add_bars(connection: Connection, key: int, history: History) -> None:
    columns = [_plain(getattr(history, name)) for name in FIELDS]
    names = ("history_id", "session", *FIELDS)
    numbers = to_numbers(history.sessions).tolist()
    rows = zip([key] * len(history), numbers, *columns, strict=True)
    connection.execute(insert(schema.bars), [dict(zip(names, row, strict=True)) for row in rows])


def _add_actions(connection: Connection, key: int, kind: str, made: Sequence[Action]) -> None:
    rows = [
        {"history_id": key, "session": to_number(a.session), "kind": kind, "value": a.value}
        for a in made
    ]
    if rows:
        connection.execute(insert(schema.actions), rows)


def _plain(values: Floats) -> list[float | None]:
    """Python floats, None where NaN."""
    listed: list[float | None] = values.tolist()
    if bool(np.isnan(values).any()):
        listed = [None if value != value else value for value in listed]  # noqa: PLR0124
    return listed
