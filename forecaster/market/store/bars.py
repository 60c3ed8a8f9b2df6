"""Histories in the store: the bars of a ticker and its corporate actions.

Every function works inside a transaction of :class:`~forecaster.market.store.Store`.
"""

from __future__ import annotations

import math
import struct
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain
from types import NoneType
from typing import Any, TypeAlias

import numpy as np
from sqlalchemy import Connection, Select, bindparam, delete, insert, select, update

from forecaster.arrays import Days, Floats
from forecaster.errors import DataError
from forecaster.market.bars import BAR_FIELDS, Action, History, contradicting
from forecaster.market.store import schema
from forecaster.market.store.day_numbers import to_day, to_days, to_number, to_numbers
from forecaster.market.store.tickers import (
    MOST_NAMES,
    TickerInfo,
    key_of,
    stored_tickers,
    values_of,
)

_COLUMNS = [schema.bars.c.session, *(schema.bars.c[name] for name in BAR_FIELDS)]
_OF_TICKER: Select[Any] = select(*_COLUMNS).where(
    schema.bars.c.history_id
    == select(schema.histories.c.id)
    .where(schema.histories.c.ticker == bindparam("name"))
    .scalar_subquery()
)
_OLDEST_FIRST = _OF_TICKER.order_by(schema.bars.c.session)
_NEWEST_FIRST = _OF_TICKER.order_by(schema.bars.c.session.desc()).limit(bindparam("last"))

_Dates: TypeAlias = dict[bytes, Days]
"""Sessions by their bytes: most tickers of an exchange have the same ones, held once."""
_LEAST = np.array([[0.0 if name == "volume" else np.nextafter(0.0, 1.0)] for name in BAR_FIELDS])
SPLIT, DIVIDEND = "split", "dividend"


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
    stored = stored_tickers(connection, [ticker])
    for _, history in read_all(connection, [s.info for s in stored.values()], last=last):
        if isinstance(history, DataError):
            raise history
        return history
    return None


def read_all(
    connection: Connection, infos: Sequence[TickerInfo], last: int | None = None
) -> Iterator[tuple[str, History | DataError]]:
    """The bars of several tickers, one after the other; those without a bar are left out.

    Args:
        connection: a transaction.
        infos: what is known of them.
        last: only so many bars of each, the newest; None: all.

    Yields:
        A ticker, and its history or what is wrong with its stored bars.
    """
    dates: _Dates = {}
    for start in range(0, len(infos), MOST_NAMES):
        some = infos[start : start + MOST_NAMES]
        actions = _actions(connection, [info.ticker for info in some], SPLIT)
        for info in some:
            rows = _bars(connection, info.ticker, last)
            if len(rows):
                yield info.ticker, _history(info, rows, actions[info.ticker, SPLIT], dates)


def read_tail(
    connection: Connection, info: TickerInfo, count: int
) -> tuple[History, tuple[Action, ...]]:
    """The newest bars of a stored ticker with its splits, and its dividends.

    Raises:
        DataError: what is stored is damaged.
    """
    actions = _actions(connection, [info.ticker], SPLIT, DIVIDEND)
    rows = _bars(connection, info.ticker, count)
    tail = _history(info, rows, actions[info.ticker, SPLIT], {})
    if isinstance(tail, DataError):
        raise tail
    return tail, _dividends(info.ticker, actions[info.ticker, DIVIDEND])


def dividends(connection: Connection, ticker: str) -> tuple[Action, ...]:
    """Stored dividends, oldest first, in shares of the last session.

    Raises:
        DataError: they are damaged.
    """
    return _dividends(ticker, _actions(connection, [ticker], DIVIDEND)[ticker, DIVIDEND])


def _dividends(ticker: str, cells: Sequence[tuple[Any, Any]]) -> tuple[Action, ...]:
    try:
        return tuple(_action(*paid) for paid in cells)
    except ValueError as problem:
        raise _damaged(ticker, problem) from problem


def sessions(connection: Connection, ticker: str) -> Days:
    """The stored sessions of a ticker, oldest first; empty where nothing is stored.

    Raises:
        DataError: they are damaged.
    """
    query = (
        select(schema.bars.c.session)
        .where(schema.bars.c.history_id == key_of(ticker))
        .order_by(schema.bars.c.session)
    )
    try:
        return to_days(list(connection.execute(query).scalars()))
    except ValueError as problem:
        raise _damaged(ticker, problem) from problem


def replace(
    connection: Connection, history: History, paid: Sequence[Action], info: TickerInfo
) -> None:
    """Store a whole history in place of what was there.

    Args:
        connection: a writing transaction.
        history: its ``splits`` are stored with it.
        paid: dividends, oldest first.
        info: what is known of it.
    """
    forget(connection, info.ticker)
    row = insert(schema.histories).values(values_of(info)).returning(schema.histories.c.id)
    key = connection.execute(row).scalar_one()
    _add_bars(connection, key, history)
    _add_actions(connection, key, history.splits, paid)


def extend(
    connection: Connection,
    newer: History | None,
    splits: Sequence[Action],
    paid: Sequence[Action],
    info: TickerInfo,
) -> None:
    """Add sessions after the last one stored, with their actions; renew what is known.

    Args:
        connection: a writing transaction.
        newer: bars of sessions that are not stored yet; None: there are none.
        splits: that took effect in those sessions.
        paid: dividends of those sessions.
        info: what is known of the ticker now.
    """
    row = (
        update(schema.histories)
        .where(schema.histories.c.ticker == info.ticker)
        .values(values_of(info))
        .returning(schema.histories.c.id)
    )
    key = connection.execute(row).scalar_one_or_none()
    if key is None:
        raise ValueError(f"{info.ticker} is not stored")
    if newer is not None:
        _add_bars(connection, key, newer)
    _add_actions(connection, key, splits, paid)


def set_volumes(connection: Connection, history: History) -> None:
    """Renew the volumes of sessions that are stored: sources correct them for days."""
    table = schema.bars
    numbers = to_numbers(history.sessions).tolist()
    connection.execute(
        update(table)
        .where(table.c.history_id == key_of(history.ticker), table.c.session == bindparam("day"))
        .values(volume=bindparam("corrected")),
        [
            {"day": number, "corrected": volume}
            for number, volume in zip(numbers, _plain(history.volume), strict=True)
        ],
    )


def forget(connection: Connection, ticker: str) -> bool:
    """Delete a ticker with its bars and actions; False where nothing was stored."""
    for table in (schema.bars, schema.actions):
        connection.execute(delete(table).where(table.c.history_id == key_of(ticker)))
    row = delete(schema.histories).where(schema.histories.c.ticker == ticker)
    return connection.execute(row).rowcount > 0


def _bars(connection: Connection, ticker: str, last: int | None) -> list[tuple[Any, ...]]:
    """Rows of sessions and ``BAR_FIELDS``, oldest first.

    The driver's own tuples are taken: a row object for each bar would cost ten times the time.
    """
    query = _OLDEST_FIRST if last is None else _NEWEST_FIRST
    with connection.execute(query, {"name": ticker, "last": last}) as result:
        rows = list(result.cursor.fetchall())
    return rows if last is None else rows[::-1]


def _history(
    info: TickerInfo,
    rows: Sequence[tuple[Any, ...]],
    splits: Sequence[tuple[Any, Any]],
    dates: _Dates,
) -> History | DataError:
    """A history of cells as they are stored; NULL becomes NaN."""
    try:
        columns = _numbers(rows)
        return History(
            ticker=info.ticker,
            sessions=_days(rows, columns[0], dates),
            adjusted=info.adjusted,
            currency=info.currency,
            calendar=info.calendar,
            splits=tuple(_action(*split) for split in splits),
            **dict(zip(BAR_FIELDS, columns[1:], strict=True)),
        )
    except ValueError as problem:
        damaged = _damaged(info.ticker, problem)
        damaged.__cause__ = problem
        return damaged


def _days(rows: Sequence[tuple[Any, ...]], numbers: Floats, dates: _Dates) -> Days:
    """The first cells of rows as dates.

    Raises:
        ValueError: one of them is none.
    """
    key = numbers.tobytes()
    if key not in dates:
        dates[key] = to_days([row[0] for row in rows])
    return dates[key]


def _numbers(rows: Sequence[tuple[Any, ...]]) -> Floats:
    """The cells of rows as numbers, a row a column: ``(7, n)``.

    Raises:
        ValueError: one of them is none, or one that no bar can have; text that reads like a number
            is none either.
    """
    count = len(rows) * len(_COLUMNS)
    try:
        cells = struct.pack(f"{count}d", *chain.from_iterable(rows))
        flat = np.frombuffer(cells)
    except struct.error:  # of a NULL, too
        if not set(map(type, chain.from_iterable(rows))) <= {int, float, NoneType}:
            raise ValueError("a cell is no number") from None
        flat = np.fromiter(chain.from_iterable(rows), np.float64, count)
    columns = np.ascontiguousarray(flat.reshape(-1, len(_COLUMNS)).T)
    fits = ((columns[1:] >= _LEAST) & (columns[1:] < np.inf)) | np.isnan(columns[1:])
    if not fits.all():
        name = BAR_FIELDS[int(np.argmin(fits.all(axis=1)))]
        raise ValueError(f"a cell of {name} is negative, infinite, or a price of zero")
    bad = contradicting(*columns[1:5])
    if bad.any():
        day = to_day(int(columns[0][np.argmax(bad)]))
        raise ValueError(f"open, high, low and close of {day} contradict each other")
    return columns


def _action(day: Any, value: Any) -> Action:
    """A split or dividend of cells as they are stored.

    Raises:
        ValueError: its session is no date, or its value no number above 0.
    """
    if not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ValueError("the value of a split or dividend is no number above 0")
    return Action(to_day(day), value)


def _damaged(ticker: str, problem: Exception) -> DataError:
    """What is said of a ticker whose bars or actions somebody changed."""
    return DataError(
        f"the stored bars of {ticker} are damaged ({problem}); they cannot be used. Delete"
        f" them with forecast data prune {ticker}, and fetch it again."
    )


def _actions(
    connection: Connection, names: Sequence[str], *kinds: str
) -> defaultdict[tuple[str, str], list[tuple[Any, Any]]]:
    """Sessions and values of actions, as they are stored, by ticker and kind, oldest first."""
    table, owner = schema.actions.c, schema.histories.c.ticker
    query = (
        select(owner, table.kind, table.session, table.value)
        .join_from(schema.actions, schema.histories)
        .where(owner.in_(names), table.kind.in_(kinds))
        .order_by(table.session)
    )
    actions: defaultdict[tuple[str, str], list[tuple[Any, Any]]] = defaultdict(list)
    for ticker, kind, day, value in connection.execute(query):
        actions[ticker, kind].append((day, value))
    return actions


def _add_bars(connection: Connection, key: int, history: History) -> None:
    columns = (_plain(getattr(history, name)) for name in BAR_FIELDS)
    names = ("history_id", "session", *BAR_FIELDS)
    numbers = to_numbers(history.sessions).tolist()
    rows = zip([key] * len(history), numbers, *columns, strict=True)
    connection.execute(insert(schema.bars), [dict(zip(names, row, strict=True)) for row in rows])


def _add_actions(
    connection: Connection, key: int, splits: Sequence[Action], paid: Sequence[Action]
) -> None:
    rows = [
        {"history_id": key, "session": to_number(a.session), "kind": kind, "value": a.value}
        for kind, actions in ((SPLIT, splits), (DIVIDEND, paid))
        for a in actions
    ]
    if rows:
        connection.execute(insert(schema.actions), rows)


def _plain(values: Floats) -> list[float | None]:
    """Python floats, None where NaN."""
    return [None if math.isnan(value) else value for value in values.tolist()]
