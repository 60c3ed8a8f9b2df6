"""The tables of the price store, their version, and how an older store is brought up to it.

Dates are integers such as 20150102, so that they read well in any SQL shell, compare and sort as
dates do, and turn into arrays at once. Prices are as the source gave them, in shares of the last
session stored; ``actions`` holds the splits that have been removed from them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    insert,
    inspect,
    null,
    select,
    update,
)
from sqlalchemy.exc import NoSuchTableError

from forecaster.errors import StoreError

VERSION = 6
"""Of the schema. A higher one is written by a newer program and left alone.

2: ``journal.source``. 3: ``journal.joined_on`` and ``journal.market_tickers``. 4: ``renames``.
5: ``journal.kind`` and ``journal.holdings``. 6: the key of ``renames`` is ``old`` and ``at``.
"""

_DAY = {"day": True}
"""What is said of a column that holds dates."""
_LONG = {"long": True}
"""What is said of a column that holds whole documents."""

metadata = MetaData()

store_info = Table(
    "store_info",
    metadata,
    Column("key", String(32), primary_key=True),
    Column("value", String(255), nullable=False),
)

histories = Table(
    "histories",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ticker", String(255), nullable=False, unique=True),
    Column("source", String(255), nullable=False),
    Column("currency", String(16)),
    Column("exchange", String(32)),
    Column("calendar", String(32)),
    Column("timezone", String(64)),
    Column("adjusted", Boolean, nullable=False),
    Column("since", Integer, info=_DAY),  # first session asked for; NULL: everything there is
    Column("answered", BigInteger, nullable=False),  # last answer of the source, epoch seconds
    comment="one row a ticker",
)


def _belongs_to_history() -> Column[int]:
    return Column(
        "history_id",
        Integer,
        ForeignKey("histories.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )


bars = Table(
    "bars",
    metadata,
    _belongs_to_history(),
    Column("session", Integer, primary_key=True, autoincrement=False),
    Column("open", Double),
    Column("high", Double),
    Column("low", Double),
    Column("close", Double, nullable=False),
    Column("adjusted_close", Double, nullable=False),
    Column("volume", Double),
    sqlite_with_rowid=False,
)

actions = Table(
    "actions",
    metadata,
    _belongs_to_history(),
    Column("session", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(8), primary_key=True),  # split or dividend
    Column("value", Double, nullable=False),
    sqlite_with_rowid=False,
)

calendars = Table(
    "calendars",
    metadata,
    Column("calendar", String(32), primary_key=True),
    Column("known_from", Integer, nullable=False, info=_DAY),
    Column("known_until", Integer, nullable=False, info=_DAY),
    # what is known can be less than was asked for
    Column("asked_from", Integer, nullable=False, info=_DAY),
    Column("asked_until", Integer, nullable=False, info=_DAY),
)

exchange_sessions = Table(
    "exchange_sessions",
    metadata,
    Column(
        "calendar",
        String(32),
        ForeignKey("calendars.calendar", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("session", Integer, primary_key=True, autoincrement=False),
    Column("closes", BigInteger, nullable=False),  # epoch seconds
    sqlite_with_rowid=False,
)

fetches = Table(
    "fetches",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("ticker", String(255), nullable=False, index=True),
    Column("source", String(255), nullable=False),
    Column("at", BigInteger, nullable=False),  # epoch seconds
    Column("outcome", String(16), nullable=False),
    Column("detail", String(1000), nullable=False),
    comment="what was asked for and when, append-only",
)

runs = Table(
    "runs",
    metadata,
    Column("run", String(32), primary_key=True),
    Column("task", String(64), nullable=False, index=True),  # digest of what was to be done
    Column("started", BigInteger, nullable=False),  # epoch seconds
    Column("finished", BigInteger),  # NULL while it runs, and for ever if it was cut off
    comment="batch runs, so that one that was cut off can go on",
)

journal = Table(
    "journal",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),  # 1, 2, 3, ...
    Column("run", String(32), nullable=False),
    Column("created", BigInteger, nullable=False),  # epoch seconds
    Column("model", String(255), nullable=False),
    Column("model_id", String(64), nullable=False),
    Column("model_hash", String(64), nullable=False),
    Column("ticker", String(255), nullable=False),
    Column("cutoff", Integer, nullable=False),
    Column("fingerprint", String(64), nullable=False),  # of the bars that were seen
    Column("last_close", Double, nullable=False),
    Column("currency", String(16)),
    Column("horizon", Integer, nullable=False),
    Column("steps", Text, nullable=False, info=_LONG),  # JSON: step, session, naive, quantiles
    Column("hash", String(64), nullable=False),  # of this row and of the hash before it
    Column("source", Text),  # the file that the bars came from; NULL: the price store
    Column("joined_on", Text),  # session; NULL: scored by counting bars, as versions 1 and 2 did
    Column("market_tickers", Integer),  # 0: forecast alone; NULL: not known
    Column("kind", Text),  # risk: of a portfolio; NULL: a forecast of a ticker
    Column("holdings", Text, info=_LONG),  # JSON: positions and histories of a portfolio
    Index("journal_forecast", "ticker", "cutoff", "model_id"),
    comment="every forecast of a batch, of tickers and portfolios; rows are added, never changed",
)


renames = Table(
    "renames",
    metadata,
    Column("old", String(255), primary_key=True),
    Column("new", String(255), nullable=False),
    Column("at", BigInteger, primary_key=True),  # epoch seconds; an old name can be another's later
    comment="tickers that were given another name; the journal keeps the old one",
)


def _adding(*columns: str) -> Callable[[Connection], None]:
    """What adds columns to the journal; rows that are there have NULL in them."""

    def add(connection: Connection) -> None:
        for column in columns:
            connection.exec_driver_sql(f"ALTER TABLE journal ADD COLUMN {column}")

    return add


def _rekey_renames(connection: Connection) -> None:
    """Let a name be renamed more than once; what is there stays, and so do a database's grants."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            "ALTER TABLE renames DROP CONSTRAINT renames_pkey, ADD PRIMARY KEY (old, at)"
        )
        return
    rows = connection.execute(select(renames)).mappings().all()
    renames.drop(connection)
    renames.create(connection)
    if rows:
        connection.execute(insert(renames), [dict(row) for row in rows])


MIGRATIONS: dict[int, Callable[[Connection], None]] = {
    1: _adding("source TEXT"),
    2: _adding("joined_on TEXT", "market_tickers INTEGER"),
    3: renames.create,
    4: _adding("kind TEXT", "holdings TEXT"),
    5: _rekey_renames,
}
"""From a version to the next one."""


def version_of(connection: Connection) -> int:
    """The version of the store; 0 where there is none yet.

    Raises:
        StoreError: the tables are not a store's, or a newer program wrote them.
    """
    _check_objects(connection)
    if not inspect(connection).has_table("store_info"):
        return 0
    version = connection.execute(
        select(store_info.c.value).where(store_info.c.key == "version")
    ).scalar()
    if not isinstance(version, str) or not re.fullmatch("[0-9]{1,9}", version):
        raise StoreError(
            "the table store_info has no version; a price store has one. Point FORECASTER_STORE"
            " at another database."
        )
    if int(version) > VERSION:
        raise StoreError(
            f"the price store has version {version}, and this program knows up to {VERSION}; a"
            " newer one wrote it. Update forecast, or point FORECASTER_STORE at another store."
        )
    return int(version)


def can_be_written(connection: Connection) -> bool:
    """Whether the database lets its user add rows: a server may be a copy that is only read.

    One in a file always does; whether the file can be written is not seen here.
    """
    if connection.dialect.name != "postgresql":
        return True
    tables = ", ".join(f"('{name}')" for name in metadata.tables)
    query = (
        "SELECT current_setting('transaction_read_only') = 'off'"
        " AND bool_or(has_table_privilege(to_regclass(name), 'INSERT'))"
        f" FROM (VALUES {tables}) AS ours (name)"
    )
    return bool(connection.exec_driver_sql(query).scalar_one())


def _check_objects(connection: Connection) -> None:
    """Check that a file holds tables and indexes alone: a view or a trigger would run.

    Raises:
        StoreError: it holds more.
    """
    if connection.dialect.name != "sqlite":
        return
    query = "SELECT type FROM sqlite_master WHERE type NOT IN ('table', 'index') OR rootpage = 0"
    found = connection.exec_driver_sql(query).scalars().first()
    if found is not None:
        raise StoreError(
            f"the price store holds a {'virtual table' if found == 'table' else found}, and tables"
            " alone are needed; forecast did not make it. Restore the store from a copy."
        )


def bring_up_to_date(connection: Connection) -> None:
    """Create or migrate the tables inside the transaction that is open.

    Raises:
        StoreError: a newer program wrote the store.
    """
    version = version_of(connection)
    if version == 0:
        metadata.create_all(connection)
        connection.execute(insert(store_info).values(key="version", value=str(VERSION)))
        return
    for old in range(version, VERSION):
        MIGRATIONS[old](connection)
    if version < VERSION:
        connection.execute(
            update(store_info).where(store_info.c.key == "version").values(value=str(VERSION))
        )


def readable(connection: Connection, table: Table) -> list[ColumnElement[Any]]:
    """The columns of a table, NULL for those that a store does not have yet.

    One that cannot be written stays at the version at which it was.

    Raises:
        StoreError: somebody dropped the table.
    """
    try:
        there = {column["name"] for column in inspect(connection).get_columns(table.name)}
    except NoSuchTableError as problem:
        raise StoreError(
            f"the price store has no table {table.name} any more; somebody dropped it. Restore the"
            " store from a copy."
        ) from problem
    return [c if c.name in there else null().label(c.name) for c in table.columns]


def is_day(column: Column[Any]) -> bool:
    """Whether a column holds dates such as 20150102."""
    return "day" in column.info
