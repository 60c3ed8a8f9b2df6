"""The chain of the journal: a hash for each row, of the row and of the hash before it.

It proves that rows which an earlier head stands for are there, in their order and unchanged, to
whoever noted that head where the writer of the store cannot reach it. It does not prove more: who
can write the whole store can write a whole new chain, and a time in it is what a clock said.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, inspect, select

from forecaster.errors import StoreError
from forecaster.market.store import schema
from forecaster.market.store.day_numbers import to_day

START = hashlib.sha256(b"forecast journal").hexdigest()
"""The hash before the first row."""

_HEAD = "journal_head"
_LATER_COLUMNS = ("source", "joined_on", "market_tickers", "kind", "holdings")
"""Columns that rows of an older store do not have."""


@dataclass(frozen=True)
class Chain:
    """How the journal stands.

    Attributes:
        entries: how many rows there are.
        head: the hash of the last one.
        broken: what is wrong, one sentence each; empty where the chain holds.
        noted: the number of the row whose hash is the head that was noted, 0 where that is the
            empty journal's; None: no head was given, or it is not in the chain.
        risks: how many rows are of a portfolio and not of a ticker.
    """

    entries: int
    head: str
    broken: tuple[str, ...]
    noted: int | None = None
    risks: int = 0


def row_hash(before: str, row: dict[str, Any]) -> str:
    """SHA-256 of the hash before and of all cells but the hash, as JSON with sorted keys.

    Args:
        before: the hash before.
        row: its cells; one that is in ``_LATER_COLUMNS`` and None is left out.
    """
    left_out = {"hash", *(name for name in _LATER_COLUMNS if row[name] is None)}
    cells = {name: value for name, value in row.items() if name not in left_out}
    text = json.dumps(  # a cell that is no JSON was not written by this program: it is shown as is
        [before, cells], sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=repr
    )
    return hashlib.sha256(text.encode()).hexdigest()


def written_head(connection: Connection) -> tuple[int, str]:
    """How many rows were written, and the hash of the last one.

    Raises:
        StoreError: what was noted is not readable.
    """
    column = schema.store_info.c
    end = connection.execute(select(column.value).where(column.key == _HEAD)).scalar()
    if end is None:
        return 0, START
    found = re.fullmatch(r"([0-9]{1,18}):([0-9a-f]{64})", end) if isinstance(end, str) else None
    if found is None:
        raise StoreError(
            "the end of the journal cannot be read; a number and a hash are needed. Run forecast"
            " journal verify."
        )
    return int(found[1]), found[2]


def write_head(connection: Connection, count: int, head: str) -> None:
    """Note how many rows were written, and the hash of the last one."""
    connection.execute(delete(schema.store_info).where(schema.store_info.c.key == _HEAD))
    connection.execute(insert(schema.store_info).values(key=_HEAD, value=f"{count}:{head}"))


def verify(connection: Connection, head: str | None = None) -> Chain:
    """Compute the chain again and compare.

    Args:
        connection: a transaction.
        head: one that was noted earlier, 64 hex digits: is it still in the chain?
    """
    if not inspect(connection).has_table(schema.journal.name):
        return Chain(0, START, ("the table journal is missing",))
    broken: list[str] = []
    before, created, count, risks = START, None, 0, 0
    noted = 0 if head == START else None
    columns = schema.readable(connection, schema.journal)
    for row in connection.execute(select(*columns).order_by(schema.journal.c.number)):
        count += 1
        risks += row.kind is not None
        if row.number != count:
            broken.append(f"row {count} is missing; {row.number} follows {count - 1}")
            count = row.number
        if row_hash(before, dict(row._mapping)) != row.hash:
            broken.append(f"{_named(row)} was changed")
        if created is not None and isinstance(row.created, int) and row.created < created:
            broken.append(
                f"{_named(row)} says that it was written at {_time(row.created)}, before the row"
                f" above it, of {_time(created)}"
            )
        noted = count if row.hash == head else noted
        before, created = row.hash, row.created if isinstance(row.created, int) else created
    broken += _end(connection, count, before, whole=not broken)
    if head is not None and noted is None:
        broken.append(f"no row has the noted hash {head}: rows were taken away or written anew")
    return Chain(count, str(before), tuple(broken), noted, risks)


def _end(connection: Connection, count: int, head: str, *, whole: bool) -> list[str]:
    """What is wrong with the end of the journal, where the rows themselves are whole."""
    try:
        promised = written_head(connection)
    except StoreError:
        return ["the end of the journal that was noted in the store cannot be read"]
    if not whole or (count, head) == promised:
        return []
    if count == promised[0]:
        return ["the last row is another than the one that was written"]
    return [f"the journal ends with row {count}, and {promised[0]} were written"]


def _named(row: Row[Any]) -> str:
    """A row in a message, whatever its cells are."""
    try:
        cutoff = str(to_day(row.cutoff))
    except (ValueError, TypeError, OverflowError):
        cutoff = repr(row.cutoff)
    return f"row {row.number} ({row.ticker}, {cutoff})"


def _time(seconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return f"{seconds} seconds"
