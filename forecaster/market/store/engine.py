"""Opening the price store, and the two kinds of transaction on it.

The default is one SQLite file in the data folder, in WAL mode: readers never wait, writers wait for
each other.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import DatabaseError, OperationalError, ProgrammingError

from forecaster.errors import SettingsError, StoreError
from forecaster.market.store import schema
from forecaster.market.store.address import engine_of, is_file, store_address
from forecaster.market.store.database_errors import (
    WAIT_SECONDS,
    busy,
    damaged,
    disk_full,
    is_forbidden,
    no_room,
    not_owner,
    only_read,
    translated,
    unwritable,
)
from forecaster.paths import can_write, has_unfinished_changes, make_folder
from forecaster.wording import counted

_CREATING, _WRITING = 0x666F7265, 0x666F7266
"""Keys of PostgreSQL's advisory locks."""


class Store:
    """An open price store; use it in a ``with`` statement or :meth:`close` it.

    Attributes:
        name: what messages call it: the file, or the address without its password.
        read_only: whether it can only be read, because its folder cannot be written, the disk is
            full, or a server lets its user add no row.
    """

    def __init__(self, url: str | None = None) -> None:
        """Open the store, and create or migrate it if need be.

        Args:
            url: as SQLAlchemy reads it; None: ``FORECASTER_STORE``, or the file in the data folder.

        Raises:
            SettingsError: the address cannot be used, or the folder cannot be written.
            StoreError: it is damaged, was written by a newer program, or does not answer.
        """
        address = store_address(url or os.environ.get("FORECASTER_STORE"))
        self.name = str(address.set(query={}))  # without the password, wherever it stands
        if is_file(address):
            self.name = address.database or ""
        self.read_only = self._full = False
        with self._errors_translated():
            self._engine = self._open(address)
            try:
                self._prepare()
            except OperationalError as problem:
                self._engine.dispose()
                if not is_file(address) or not no_room(str(problem.orig)):
                    raise
                self.read_only = self._full = True
                self._read_without_room(Path(address.database or ""))
            except BaseException:
                self._engine.dispose()
                raise

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees the store as it is now, whatever others write meanwhile."""
        with self._errors_translated(), self._engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction of the only writer: all of it happens, or nothing.

        Raises:
            SettingsError: the store can only be read.
            LockHeld: another writer did not finish in ``WAIT_SECONDS``.
        """
        if self.read_only:
            raise self.read_only_error()
        immediate = self._engine.execution_options(immediate=True)
        with self._errors_translated(), immediate.begin() as connection:
            if self._engine.dialect.name == "postgresql":
                _wait_for_other_writers(connection, _WRITING)
            yield connection
            self._require_file()

    def _require_file(self) -> None:
        """What is written to a file that was deleted meanwhile would be kept by nobody.

        Raises:
            StoreError: it was.
        """
        url = self._engine.url
        if is_file(url) and url.database and not Path(url.database).exists():
            raise StoreError(
                f"{self.name} was deleted while it was in use; what was to be written is lost. Run"
                " the command again."
            )

    def _read_without_room(self, path: Path) -> None:
        """Open a file beside which nothing can be written; readers too keep an index there.

        Raises:
            StoreError: there is nothing in it to be read, or not all of it is in it.
        """
        if not path.exists() or not path.stat().st_size or has_unfinished_changes(path):
            raise self.read_only_error()
        self._engine = create_engine(_read_only(path))
        event.listen(self._engine, "connect", _on_connect)
        event.listen(self._engine, "begin", _on_begin)
        self._prepare()

    def read_only_error(self) -> SettingsError | StoreError:
        """What is said to a writer of a store that can only be read."""
        if self._full:
            return disk_full(self.name, "the disk is full")
        if not is_file(self._engine.url):
            return only_read(self.name)
        return SettingsError(
            f"{self.name} cannot be written, and what is fetched is kept there. Make its folder"
            " writable, or set FORECASTER_HOME to one that is."
        )

    def vacuum(self) -> None:
        """Give the space of deleted rows back to the disk; a server does that by itself."""
        if self._engine.dialect.name == "sqlite":
            with self._errors_translated(), self._engine.connect() as connection:
                raw = connection.connection.dbapi_connection
                for line in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                    raw.execute(line)  # type: ignore[union-attr]

    def _open(self, address: URL) -> Engine:
        if not is_file(address):
            return engine_of(address, pool_pre_ping=True)
        path = Path(address.database or "")
        options = {"connect_args": {"timeout": WAIT_SECONDS}}
        engine = engine_of(address, **options)
        try:
            make_folder(path.parent)
            _create(path)
        except OSError as problem:
            raise unwritable(path, problem.strerror or str(problem)) from problem
        if path.exists() and not can_write(path):
            self.read_only = True
            engine = create_engine(_read_only(path), **options)
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
        return engine

    def _prepare(self) -> None:
        """Create or migrate the tables; one process does, the others wait for it."""
        with self._engine.begin() as connection:
            version = schema.version_of(connection)
            if version == schema.VERSION and not schema.can_be_written(connection):
                self.read_only = True
        if version == schema.VERSION or self.read_only:
            return
        try:
            with self._exclusively() as connection:
                schema.bring_up_to_date(connection)
        except ProgrammingError as problem:
            if is_forbidden(problem):
                raise not_owner(self.name, problem) from problem
            raise

    @contextlib.contextmanager
    def _exclusively(self) -> Iterator[Connection]:
        """A writing transaction that no other process can be creating or migrating beside."""
        if self._engine.dialect.name != "sqlite":
            with self._engine.begin() as connection:
                if self._engine.dialect.name == "postgresql":
                    _wait_for_other_writers(connection, _CREATING)
                yield connection
            return
        from filelock import FileLock, Timeout

        path = Path(self._engine.url.database or "")
        try:
            with FileLock(path.with_name(f".{path.name}.lock"), timeout=WAIT_SECONDS):
                with self._engine.connect() as connection:  # outside of any transaction
                    raw = connection.connection.dbapi_connection
                    raw.execute("PRAGMA journal_mode=WAL")  # type: ignore[union-attr]
                immediate = self._engine.execution_options(immediate=True)
                with immediate.begin() as connection:
                    yield connection
        except Timeout as held:
            raise busy(self.name) from held
        except OSError as problem:
            raise unwritable(path, problem.strerror or str(problem)) from problem

    @contextlib.contextmanager
    def _errors_translated(self) -> Iterator[None]:
        """SQL's errors in the words of the program."""
        try:
            yield
        except (DatabaseError, sqlite3.DatabaseError) as problem:  # or of the driver's own cursor
            raise translated(self.name, problem) from problem
        except UnicodeDecodeError as problem:  # of what the driver wanted to say
            raise damaged(self.name, "its text is no UTF-8") from problem


def integrity_problems(connection: Connection) -> list[str]:
    """What the database finds wrong with itself; empty where it is whole."""
    problems = []
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
        problems += [f"the database is damaged: {row}" for row in rows if row != "ok"]
    for table in (schema.bars, schema.actions):
        orphans = (
            select(func.count())
            .select_from(table.outerjoin(schema.histories))
            .where(schema.histories.c.id.is_(None))
        )
        count = connection.execute(orphans).scalar_one()
        if count:
            problems.append(f"{counted(count, 'row')} of {table.name} without a ticker")
    return problems


def _create(path: Path) -> None:
    """Create the file where there is none, for its owner alone; what SQLite lays beside it too."""
    if not path.exists():
        with contextlib.suppress(FileExistsError):  # another process was faster
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _read_only(path: Path) -> URL:
    """An address that changes nothing, not even the files beside the database.

    Raises:
        StoreError: a run that was killed left changes that only a writer can bring home.
    """
    if has_unfinished_changes(path):
        raise StoreError(
            f"{path} cannot be written and {path.name}-wal beside it holds changes that are not in"
            " it yet; they can be brought in only where the folder can be written. Run forecast"
            " data verify once as a user who may."
        )
    query = {"mode": "ro", "immutable": "1", "uri": "true"}
    return URL.create("sqlite", database=f"file:{quote(str(path))}", query=query)


def _wait_for_other_writers(connection: Connection, key: int) -> None:
    """What SQLite does by itself: one writer at a time, for as long as its transaction lasts."""
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({key})")


def _on_connect(raw: Any, _record: object) -> None:
    raw.text_factory = _text
    raw.isolation_level = None  # the driver begins no transactions; _on_begin does
    raw.execute("PRAGMA foreign_keys=ON")
    raw.execute("PRAGMA trusted_schema=OFF")  # a file that somebody sends runs nothing
    raw.execute("PRAGMA synchronous=FULL")  # what was stored survives a power cut


def _text(raw: bytes) -> str:
    """A cell; what is no UTF-8 in it is kept as halves of characters, which no other text has."""
    return raw.decode("utf-8", "surrogateescape")


def _on_begin(connection: Connection) -> None:
    """A writer takes its place at once: one that began as a reader could be refused later."""
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
