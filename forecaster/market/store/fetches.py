"""The record of what was asked for and when; rows are added and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select

from forecaster.market.store import schema

_LONGEST = 1000


@dataclass(frozen=True)
class Fetch:
    """One question to a source.

    Attributes:
        ticker: what was asked for.
        source: who was asked.
        at: when, UTC.
        outcome: ``new``, ``updated``, ``reloaded``, ``current``, ``kept`` or ``failed``.
        detail: one sentence.
    """

    ticker: str
    source: str
    at: datetime
    outcome: str
    detail: str


def record(connection: Connection, fetch: Fetch) -> None:
    """Add one."""
    connection.execute(
        insert(schema.fetches).values(
            ticker=fetch.ticker,
            source=fetch.source,
            at=int(fetch.at.timestamp()),
            outcome=fetch.outcome,
            detail=fetch.detail[:_LONGEST],
        )
    )


def latest(connection: Connection, ticker: str) -> Fetch | None:
    """The newest one of a ticker."""
    table = schema.fetches
    query = select(table).where(table.c.ticker == ticker).order_by(table.c.id.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    at = datetime.fromtimestamp(row.at, UTC)
    return Fetch(row.ticker, row.source, at, row.outcome, row.detail)
