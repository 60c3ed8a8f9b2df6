"""A store of an older version is brought up to this one: nothing lost, once, by one process."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import version_1
from journal_rows import AUTHOR, add, add_risk, check, forecast_of, risks_in, rows
from portfolio_rows import risk_record
from sqlalchemy import create_engine, inspect, text

from forecaster.errors import SettingsError, StoreError
from forecaster.market.store import Store, engine, journal, schema
from forecaster.market.store.tickers import record_rename, renames


@pytest.fixture
def old(store_url) -> str:
    """The address of a store of version 1."""
    version_1.make(store_url)
    return store_url


def layout(address: str) -> dict[str, object]:
    """Every table's columns, keys and indexes, as the database has them."""
    opened = create_engine(address)
    seen = inspect(opened)
    found = {
        table: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in seen.get_columns(table)],
            seen.get_pk_constraint(table)["constrained_columns"],
            sorted((i["name"], i["column_names"]) for i in seen.get_indexes(table)),
        )
        for table in sorted(seen.get_table_names())
    }
    opened.dispose()
    return found


def test_every_version_has_a_way_to_the_next():
    assert list(schema.MIGRATIONS) == list(range(1, schema.VERSION))


def test_what_was_written_keeps_its_hash(old):
    with Store(old) as store:
        with store.reading() as tx:
            assert schema.version_of(tx) == schema.VERSION
        found = rows(store)
        assert [entry.hash for entry in found] == list(version_1.HASHES)
        assert [(e.forecast.ticker, e.forecast.currency, e.forecast.source) for e in found] == [
            ("ABC", "USD", None),
            ("XYZ", None, None),
        ]
        assert check(store) == journal.Chain(2, version_1.HASHES[1], ())


VERSION_4_HASHES = (
    "29bcaf5e40891466741f9b2ffadaeb331e8c9fdccd91ebb1325e803719cd7b44",
    "9d7388cd0c97bea8a7ac4ec5182ec95491ad13b70c9a7d6b189f8055b87802ec",
)
"""Of ``forecast_of()`` and ``forecast_of("XYZ")``, as version 4 computed them."""


def test_a_row_without_the_cells_of_version_5_has_the_hash_of_version_4(store_url):
    with Store(store_url) as store:
        add(store, forecast_of(), forecast_of("XYZ"))
        assert tuple(entry.hash for entry in rows(store)) == VERSION_4_HASHES


@pytest.mark.parametrize("version", range(1, schema.VERSION))
def test_from_every_older_version(old, version):
    """Brought up to a version, left there, and brought up to this one by a later program."""
    opened = create_engine(old)
    with opened.begin() as connection:
        for earlier in range(1, version):
            schema.MIGRATIONS[earlier](connection)
        change = f"UPDATE store_info SET value='{version}' WHERE key='version'"
        connection.exec_driver_sql(change)
        if version > 3:
            connection.exec_driver_sql("INSERT INTO renames VALUES ('FB', 'META', 5)")
    opened.dispose()
    with Store(old) as store:
        with store.writing() as tx:
            assert schema.version_of(tx) == schema.VERSION
            assert renames(tx).by_old == ({"FB": [(5, "META")]} if version > 3 else {})
            record_rename(tx, "FB", "XYZ", datetime.fromtimestamp(9, UTC))
            assert renames(tx).by_old["FB"][-1] == (9, "XYZ")
        assert [entry.hash for entry in rows(store)] == list(version_1.HASHES)
        assert add_risk(store, risk_record())
        assert add(store, forecast_of("NEW")) == 1
        assert not check(store).broken
        assert (check(store).entries, check(store).risks) == (4, 1)
    names = [name for name, _, _ in layout(old)["journal"][0]]
    assert names == [column.name for column in schema.journal.columns]


def test_what_comes_later_is_chained_to_it(old):
    with Store(old) as store:
        again = rows(store)[0].forecast
        assert add(store, again, author=replace(AUTHOR, run="run-2")) == 0
        assert add(store, forecast_of("NEW"), replace(again, source="my/ABC.csv")) == 2
        assert [entry.forecast.source for entry in rows(store)] == [None, None, None, "my/ABC.csv"]
        assert check(store).entries == 4
        assert not check(store).broken


def test_it_becomes_what_a_new_store_is(old, tmp_path, request):
    Store(old).close()
    if old.startswith("sqlite"):
        new = f"sqlite:///{tmp_path}/new.db"
        Store(new).close()
        assert layout(old) == layout(new)
        return
    migrated = layout(old)
    with create_engine(old).begin() as connection:
        schema.metadata.drop_all(connection)
    Store(old).close()
    assert layout(old) == migrated


def test_processes_at_once_do_it_once(old):
    code = "from forecaster.market.store import Store; Store().close()"
    running = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(6)]
    assert [process.wait(60) for process in running] == [0] * 6
    with Store(old) as store:
        assert check(store) == journal.Chain(2, version_1.HASHES[1], ())


def test_a_failure_on_the_way_leaves_it_as_it_was(old, monkeypatch):
    """The column is added and something fails before the version is written."""
    add_column = schema.MIGRATIONS[1]

    def half(connection) -> None:
        add_column(connection)
        raise StoreError("no")

    with monkeypatch.context() as patch:
        patch.setitem(schema.MIGRATIONS, 1, half)
        with pytest.raises(StoreError):
            Store(old)
    names = [name for name, _, _ in layout(old)["journal"][0]]
    assert "source" not in names
    with Store(old) as store:
        assert check(store) == journal.Chain(2, version_1.HASHES[1], ())


def test_where_nobody_may_write_it_is_read_as_it_is(tmp_path, monkeypatch):
    address = f"sqlite:///{tmp_path}/prices.db"
    version_1.make(address)
    monkeypatch.setattr(engine, "can_write", lambda _path: False)
    with Store(address) as store:
        assert [entry.forecast.source for entry in rows(store, ticker="ABC")] == [None]
        assert check(store) == journal.Chain(2, version_1.HASHES[1], ())
        assert risks_in(store) == []
        with store.reading() as tx:
            assert schema.version_of(tx) == 1


def test_a_user_of_the_database_who_may_not_is_told_who_can(postgres_url):
    version_1.make(postgres_url)
    opened = create_engine(postgres_url)
    with opened.begin() as connection:
        connection.execute(text("DROP ROLE IF EXISTS reader"))
        connection.execute(text("CREATE ROLE reader LOGIN"))
        connection.execute(text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader"))
    try:
        with pytest.raises(SettingsError, match="once as the owner of the tables"):
            Store(postgres_url.replace("tester@", "reader@"))
        Store(postgres_url).close()
        with Store(postgres_url.replace("tester@", "reader@")) as store:
            assert not check(store).broken
    finally:
        with opened.begin() as connection:
            connection.execute(text("DROP OWNED BY reader"))
            connection.execute(text("DROP ROLE reader"))
        opened.dispose()
