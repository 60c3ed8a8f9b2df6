"""The journal: every forecast of a batch, in an order that cannot be changed unseen.

Each row carries a hash of itself and of the hash before it; the chain's length and end are noted
apart from it, so that rows cut off its end are missed too. A cell that came with a later version of
the store and is NULL counts as not there: rows that are older than their column keep their hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, delete, insert, select

from forecaster.errors import StoreError
from forecaster.market.store import schema
from forecaster.market.store.schema import to_day, to_number

_START = hashlib.sha256(b"forecast journal").hexdigest()
"""The hash before the first row."""

_HEAD = "journal_head"
_LATER_COLUMNS = ("source", "joined_on")
"""Columns that rows of an older store do not have."""
_PRICE_TOLERANCE = 1e-5
"""Relative difference up to which two forecasts are the same: processors round differently."""


@dataclass(frozen=True)
class JournalRecord:
    """A forecast that is to be written down.

    Attributes:
        ticker: the symbol.
        cutoff: the last session seen.
        fingerprint: SHA-256 of the bars seen.
        last_close: price at the cutoff.
        currency: or None.
        steps: one object a step, as in ``forecast predict --format json``: ``step``, ``session``,
            ``session_estimated``, ``naive`` and ``quantiles``.
        source: the file that the bars came from, as it was given; None: the price store.
        joined_on: ``session``, if a step is scored on the session that it names; None, if on the
            h-th bar after the cutoff, as it was when the forecast was written.
    """

    ticker: str
    cutoff: np.datetime64
    fingerprint: str
    last_close: float
    currency: str | None
    steps: Sequence[dict[str, Any]]
    source: str | None = None
    joined_on: str | None = "session"


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


@dataclass(frozen=True)
class Entry:
    """A row of the journal.

    Attributes:
        number: 1, 2, 3, ... without gaps.
        author: who forecast, and when.
        forecast: what.
        hash: of the row and of the hash before it.
    """

    number: int
    author: Author
    forecast: JournalRecord
    hash: str


@dataclass(frozen=True)
class Chain:
    """How the journal stands.

    Attributes:
        entries: how many rows there are.
        head: the hash of the last one.
        broken: what is wrong, one sentence each; empty where the chain holds.
    """

    entries: int
    head: str
    broken: tuple[str, ...]


def append(connection: Connection, author: Author, forecasts: Sequence[JournalRecord]) -> int:
    """Write forecasts down, those that are not there yet.

    One whose horizon and prices are those of the newest row of its ticker, cutoff, model and source
    is there already. Any other supersedes that row. A file and the price store, and one file and
    another, can hold different things under one ticker: neither supersedes what the other gave.

    Args:
        connection: a writing transaction.
        author: of all of them.
        forecasts: the forecasts.

    Returns:
        How many were added.
    """
    count, head = _head(connection)
    rows = []
    for forecast in forecasts:
        newest = _newest(connection, author.model_id, forecast)
        if newest is not None and _same(newest, forecast):
            continue
        count += 1
        row = _row(count, author, forecast)
        row["hash"] = head = _hash(head, row)
        rows.append(row)
    if rows:
        connection.execute(insert(schema.journal), rows)
        _set_head(connection, count, head)
    return len(rows)


def entries(
    connection: Connection,
    *,
    since: np.datetime64 | None = None,
    model: str | None = None,
    ticker: str | None = None,
    run: str | None = None,
) -> Iterator[Entry]:
    """Rows in their order.

    Args:
        connection: a transaction.
        since: first cutoff.
        model: name or id of a model.
        ticker: a symbol.
        run: name of a run.
    """
    table = schema.journal.c
    query = select(*schema.readable(connection, schema.journal)).order_by(table.number)
    if since is not None:
        query = query.where(table.cutoff >= to_number(since))
    if model is not None:
        query = query.where((table.model == model) | (table.model_id == model))
    if ticker is not None:
        query = query.where(table.ticker == ticker)
    if run is not None:
        query = query.where(table.run == run)
    for row in connection.execute(query):
        yield _entry(row)


def head(connection: Connection) -> str:
    """The hash of the last row, which stands for the whole journal."""
    return _head(connection)[1]


def verify(connection: Connection) -> Chain:
    """Compute the chain again and compare."""
    promised, promised_head = _head(connection)
    broken = []
    before, count, last = _START, 0, _START
    columns = schema.readable(connection, schema.journal)
    for row in connection.execute(select(*columns).order_by(schema.journal.c.number)):
        count += 1
        if row.number != count:
            broken.append(f"row {count} is missing; {row.number} follows {count - 1}")
            count = row.number
        if _hash(before, dict(row._mapping)) != row.hash:
            broken.append(f"row {row.number} ({row.ticker}, {to_day(row.cutoff)}) was changed")
        before = last = row.hash
    if (count, last) != (promised, promised_head) and not broken:
        broken.append(f"the journal ends with row {count}, and {promised} were written")
    return Chain(count, last, tuple(broken))


def _head(connection: Connection) -> tuple[int, str]:
    """How many rows were written, and the hash of the last one.

    Raises:
        StoreError: what was noted is not readable.
    """
    column = schema.store_info.c
    end = connection.execute(select(column.value).where(column.key == _HEAD)).scalar()
    if end is None:
        return 0, _START
    count, _, head = end.partition(":")
    if not count.isdigit():
        raise StoreError(
            "the end of the journal cannot be read; a number and a hash are needed. Run forecast"
            " journal verify."
        )
    return int(count), head


def _set_head(connection: Connection, count: int, head: str) -> None:
    connection.execute(delete(schema.store_info).where(schema.store_info.c.key == _HEAD))
    connection.execute(insert(schema.store_info).values(key=_HEAD, value=f"{count}:{head}"))


def _newest(connection: Connection, model_id: str, forecast: JournalRecord) -> JournalRecord | None:
    table = schema.journal.c
    query = (
        select(schema.journal)
        .where(
            table.ticker == forecast.ticker,
            table.cutoff == to_number(forecast.cutoff),
            table.model_id == model_id,
            table.source == forecast.source,  # IS NULL, where that is None
        )
        .order_by(table.number.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _entry(row).forecast


def _same(a: JournalRecord, b: JournalRecord) -> bool:
    """Whether two forecasts of one ticker and cutoff have equal sessions, levels and prices."""
    shapes = [[(step["session"], *step["quantiles"]) for step in one.steps] for one in (a, b)]
    if shapes[0] != shapes[1]:
        return False
    mine, others = (
        [one.last_close, *(p for step in one.steps for p in step["quantiles"].values())]
        for one in (a, b)
    )
    return np.allclose(mine, others, rtol=_PRICE_TOLERANCE, atol=0.0)


def _row(number: int, author: Author, forecast: JournalRecord) -> dict[str, Any]:
    return {
        **vars(author),
        **vars(forecast),
        "number": number,
        "created": int(author.created.timestamp()),
        "cutoff": to_number(forecast.cutoff),
        "horizon": len(forecast.steps),
        "steps": json.dumps(forecast.steps, separators=(",", ":"), allow_nan=False),
    }


def _hash(before: str, row: dict[str, Any]) -> str:
    """SHA-256 of the hash before and of all cells but the hash, as JSON with sorted keys.

    Args:
        before: the hash before.
        row: its cells; one that is in ``_LATER_COLUMNS`` and None is left out.
    """
    left_out = {"hash", *(name for name in _LATER_COLUMNS if row[name] is None)}
    cells = {name: value for name, value in row.items() if name not in left_out}
    text = json.dumps([before, cells], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _entry(row: Row[Any]) -> Entry:
    try:
        created = datetime.fromtimestamp(row.created, UTC)
        steps = json.loads(row.steps)
    except (ValueError, OverflowError, OSError) as problem:
        raise StoreError(
            f"row {row.number} of the journal ({row.ticker}) cannot be read ({problem}); somebody"
            " changed it. Run forecast journal verify, and restore the store from a copy."
        ) from problem
    return Entry(
        number=row.number,
        author=Author(row.run, created, row.model, row.model_id, row.model_hash),
        forecast=JournalRecord(
            ticker=row.ticker,
            cutoff=to_day(row.cutoff),
            fingerprint=row.fingerprint,
            last_close=row.last_close,
            currency=row.currency,
            steps=steps,
            source=row.source,
            joined_on=row.joined_on,
        ),
        hash=row.hash,
    )
