"""Rows of the journal, of whatever kind: written in a chain, read in their order."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypedDict, Unpack

import numpy as np
from sqlalchemy import ColumnElement, Connection, Row, func, insert, or_, select

from forecaster.errors import MachineError, StoreError
from forecaster.market.store import schema
from forecaster.market.store.chain import row_hash, write_head, written_head
from forecaster.market.store.day_numbers import to_number

RISK = "risk"
"""The kind of a row that holds the risk of a portfolio."""

_UNREADABLE = (ValueError, TypeError, OverflowError, OSError, RecursionError, StoreError)
"""What cells that somebody changed lead to."""
CLOCKS_APART = timedelta(seconds=5)
"""How much the clocks of machines that share a store may differ that nobody need look at."""


@dataclass(frozen=True)
class Author:
    """Who forecasts: a run of a model.

    Attributes:
        run: name of the run.
        created: when, UTC.
        model: its name.
        model_id: its id.
        model_hash: SHA-256 of its weights.
    """

    run: str
    created: datetime
    model: str
    model_id: str
    model_hash: str

    @property
    def written(self) -> np.datetime64:
        """When its rows were written down, UTC, in whole seconds."""
        return np.datetime64(int(self.created.timestamp()), "s")


def add_rows(connection: Connection, author: Author, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows down, each with its number, its author and its hash.

    Args:
        connection: a writing transaction.
        author: of all of them.
        rows: their other cells.

    Raises:
        MachineError: as ``require_clock`` does; another machine may have written meanwhile.
    """
    count, head = written_head(connection)
    last = require_clock(connection, author.created)
    if last is not None and last > author.created:
        author = replace(author, created=last)
    whole = []
    for number, cells in enumerate(rows, start=count + 1):
        row = row_of(number, author, cells)
        row["hash"] = head = row_hash(head, row)
        whole.append(row)
    if whole:
        connection.execute(insert(schema.journal), whole)
        write_head(connection, count + len(whole), head)


def require_clock(connection: Connection, now: datetime) -> datetime | None:
    """Refuse to write where the clock stands before the last row: no later proof would hold.

    Args:
        connection: a transaction.
        now: the time of the rows that are to be written.

    Returns:
        When the last row was written, at most ``CLOCKS_APART`` after ``now``; None without one.

    Raises:
        MachineError: it is later.
    """
    last = newest(connection)
    if last is not None and last - now > CLOCKS_APART:
        raise MachineError(
            f"this machine's clock says {now:%Y-%m-%d %H:%M:%S} UTC, and the last forecast of the"
            f" journal was written at {last:%Y-%m-%d %H:%M:%S}; rows in order of time are needed,"
            " so nothing was written. Set the clock, here or on the machine that wrote it; if all"
            " are right, keep that journal with forecast journal export, and start another in a"
            " database that FORECASTER_STORE names; forecast data export and data import take the"
            " bars along."
        )
    return last


def row_of(number: int, author: Author, cells: dict[str, Any]) -> dict[str, Any]:
    """All cells of a row but its hash."""
    own = {**vars(author), "created": int(author.created.timestamp())}
    return {**cells, **own, "number": number}


class Wanted(TypedDict, total=False):
    """Which rows are wanted; all of those where nothing is said.

    Attributes:
        since: first cutoff.
        model: name or id of a model.
        ticker: a symbol.
        run: name of a run.
    """

    since: np.datetime64 | None
    model: str | None
    ticker: str | None
    run: str | None


def rows(
    connection: Connection, *, risks: bool, last: int | None = None, **wanted: Unpack[Wanted]
) -> Iterator[Row[Any]]:
    """Rows in their order, as they are.

    Args:
        connection: a transaction.
        risks: those of portfolios, or all others.
        last: only so many, the newest; None: all.
        wanted: which.
    """
    columns, conditions = _chosen(connection, risks, wanted)
    number = schema.journal.c.number
    query = select(*columns).where(*conditions)
    if last is None:
        yield from connection.execute(query.order_by(number))
    else:
        newest_first = query.order_by(number.desc()).limit(last)
        yield from reversed(connection.execute(newest_first).fetchall())


def first_rows(connection: Connection, **wanted: Unpack[Wanted]) -> Iterator[Row[Any]]:
    """The first forecast of tickers by each model, among the rows that are wanted."""
    columns, conditions = _chosen(connection, False, wanted)
    table = schema.journal.c
    firsts = select(func.min(table.number)).where(*conditions).group_by(table.model_id)
    yield from connection.execute(select(*columns).where(table.number.in_(firsts)))


def count_rows(connection: Connection, *, risks: bool, **wanted: Unpack[Wanted]) -> int:
    """How many rows ``rows`` gives."""
    _, conditions = _chosen(connection, risks, wanted)
    query = select(func.count()).select_from(schema.journal).where(*conditions)
    return connection.execute(query).scalar_one()


def _chosen(
    connection: Connection, risks: bool, wanted: Wanted
) -> tuple[list[ColumnElement[Any]], list[ColumnElement[bool]]]:
    """The columns of the journal, and what is so of the rows that are wanted."""
    table = schema.journal.c
    columns = schema.readable(connection, schema.journal)
    kind = next(column for column in columns if column.name == table.kind.name)
    conditions = [kind == RISK if risks else or_(kind.is_(None), kind != RISK)]
    since, model = wanted.get("since"), wanted.get("model")
    if since is not None:
        conditions.append(table.cutoff >= to_number(since))
    if model is not None:
        conditions.append(or_(table.model == model, table.model_id == model))
    if (ticker := wanted.get("ticker")) is not None:
        conditions.append(table.ticker == ticker)
    if (run := wanted.get("run")) is not None:
        conditions.append(table.run == run)
    return columns, conditions


def newest(connection: Connection) -> datetime | None:
    """When the last row says that it was written; None where the journal is empty.

    Raises:
        StoreError: it is no time.
    """
    table = schema.journal.c
    last = select(table.created).order_by(table.number.desc()).limit(1)
    created = connection.execute(last).scalar()
    try:
        return None if created is None else datetime.fromtimestamp(created, UTC)
    except _UNREADABLE as problem:
        raise StoreError(
            "the last row of the journal has no time that can be read; somebody changed it. Run"
            " forecast journal verify, and restore the store from a copy."
        ) from problem


@contextlib.contextmanager
def readable_row(row: Row[Any]) -> Iterator[None]:
    """Name a row whose cells cannot be read.

    Raises:
        StoreError: they cannot.
    """
    try:
        yield
    except _UNREADABLE as problem:
        raise StoreError(
            f"row {row.number} of the journal ({row.ticker}) cannot be read ({problem}); somebody"
            " changed it. Run forecast journal verify, and restore the store from a copy."
        ) from problem


def author_of(row: Row[Any]) -> Author:
    """Who wrote a row.

    Raises:
        ValueError: it has no time.
    """
    return _author(row.run, row.created, row.model, row.model_id, row.model_hash)


@lru_cache(maxsize=64)
def _author(run: str, created: int, *model: str) -> Author:
    """One object for all rows of a run."""
    return Author(run, datetime.fromtimestamp(created, UTC), *model)
