"""Opening a store, sharing it, and what is said when it cannot be used."""

from __future__ import annotations

import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import postgres
import pytest
from sqlalchemy import Connection, text

from forecaster.errors import LockHeld, SettingsError, StoreError
from forecaster.market.store import Store, engine, schema
from forecaster.market.store.tickers import stored_names


def version(store: Store) -> int:
    with store.reading() as tx:
        return schema.version_of(tx)


class TestOpening:
    def test_makes_a_store_of_this_version(self, store):
        assert version(store) == schema.VERSION

    def test_again_finds_what_was_written(self, store_url):
        with Store(store_url) as first, first.writing() as tx:
            tx.execute(text("INSERT INTO store_info VALUES ('key', 'value')"))
        with Store(store_url) as second, second.reading() as tx:
            assert tx.execute(text("SELECT value FROM store_info WHERE key='key'")).scalar()

    def test_the_usual_one_is_a_file_in_the_data_folder(self, home):
        with Store() as store:
            assert store.name == str(home / "prices.db")
        assert (home / "prices.db").exists()

    def test_the_address_comes_from_the_environment(self, tmp_path, monkeypatch):
        monkeypatch.setenv("FORECASTER_STORE", f"sqlite:///{tmp_path}/other.db")
        with Store() as store:
            assert store.name == f"{tmp_path}/other.db"

    def test_readers_do_not_wait_for_a_writer(self, store_url):
        with Store(store_url) as store, store.writing() as tx:
            tx.execute(text("INSERT INTO store_info VALUES ('new', '1')"))
            with Store(store_url) as other, other.reading() as seen:
                count = text("SELECT count(*) FROM store_info WHERE key='new'")
                assert seen.execute(count).scalar() == 0

    def test_a_failure_inside_undoes_everything(self, store):
        def half() -> None:
            with store.writing() as tx:
                tx.execute(text("INSERT INTO store_info VALUES ('new', '1')"))
                raise KeyError

        with pytest.raises(KeyError):
            half()
        with store.reading() as tx:
            assert tx.execute(text("SELECT count(*) FROM store_info")).scalar() == 1

    def test_many_processes_make_one_store(self, store_url):
        code = "from forecaster.market.store import Store; Store().close()"
        running = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(6)]
        assert [process.wait(60) for process in running] == [0] * 6
        with Store(store_url) as store:
            assert version(store) == schema.VERSION


class TestVersions:
    def test_a_newer_store_is_left_alone(self, store_url):
        with Store(store_url) as store, store.writing() as tx:
            tx.execute(text("UPDATE store_info SET value='99' WHERE key='version'"))
        with pytest.raises(StoreError, match="version 99, and this program knows up to"):
            Store(store_url)

    def test_an_older_store_is_brought_up_to_date(self, store_url, monkeypatch):
        def next_version(connection: Connection) -> None:
            connection.execute(text("ALTER TABLE fetches ADD COLUMN extra INTEGER"))

        Store(store_url).close()
        monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
        monkeypatch.setattr(schema, "MIGRATIONS", {schema.VERSION - 1: next_version})
        with Store(store_url) as store, store.reading() as tx:
            assert schema.version_of(tx) == schema.VERSION
            assert tx.execute(text("SELECT count(extra) FROM fetches")).scalar() == 0

    def test_a_migration_that_fails_changes_nothing(self, store_url, monkeypatch):
        def broken(connection: Connection) -> None:
            connection.execute(text("ALTER TABLE fetches ADD COLUMN extra INTEGER"))
            raise StoreError("no")

        Store(store_url).close()
        before = schema.VERSION
        monkeypatch.setattr(schema, "VERSION", before + 1)
        monkeypatch.setattr(schema, "MIGRATIONS", {before: broken})
        with pytest.raises(StoreError):
            Store(store_url)
        monkeypatch.setattr(schema, "VERSION", before)
        with Store(store_url) as store, store.reading() as tx:
            assert schema.version_of(tx) == before
            columns = tx.execute(text("SELECT * FROM fetches")).keys()
            assert "extra" not in columns

    def test_tables_of_something_else_are_not_taken(self, store_url):
        with Store(store_url) as store, store.writing() as tx:
            tx.execute(text("DELETE FROM store_info"))
        with pytest.raises(StoreError, match="has no version"):
            Store(store_url)


class TestBadPlaces:
    def test_a_file_that_is_no_store(self, tmp_path):
        path = tmp_path / "prices.db"
        path.write_bytes(b"Date,Close\n2024-01-02,10\n" * 400)
        with pytest.raises(StoreError, match=r"prices\.db is not a price store") as caught:
            Store(f"sqlite:///{path}")
        assert "move it away and fetch again" in str(caught.value)
        assert path.read_bytes().startswith(b"Date,Close")

    def test_a_damaged_page(self, tmp_path):
        path = tmp_path / "prices.db"
        Store(f"sqlite:///{path}").close()
        data = bytearray(path.read_bytes())
        data[100:4096] = b"\xff" * 3996
        path.write_bytes(data)
        with pytest.raises(
            StoreError, match=r"cannot be read|does not answer|is not a price store"
        ):
            Store(f"sqlite:///{path}")

    def test_a_folder_that_is_a_file(self, tmp_path):
        (tmp_path / "home").write_text("")
        with pytest.raises(SettingsError, match="cannot be written"):
            Store(f"sqlite:///{tmp_path}/home/prices.db")


class TestReadOnly:
    """A store whose folder cannot be written is read as it is."""

    @pytest.fixture
    def frozen(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
        address = f"sqlite:///{tmp_path}/prices.db"
        Store(address).close()
        monkeypatch.setattr(engine, "can_write", lambda _path: False)
        return address

    def test_where_its_path_looks_like_an_address(self, tmp_path, monkeypatch):
        for name in ("a b", "a%20b", "c?d#e"):
            (tmp_path / name).mkdir()
            with (
                Store(f"sqlite:///{quote(str(tmp_path / name))}/prices.db") as store,
                store.writing() as tx,
            ):
                tx.execute(text("INSERT INTO store_info VALUES ('mark', :name)"), {"name": name})
        monkeypatch.setattr(engine, "can_write", lambda _path: False)
        for name in ("a b", "a%20b", "c?d#e"):
            with (
                Store(f"sqlite:///{quote(str(tmp_path / name))}/prices.db") as store,
                store.reading() as tx,
            ):
                found = tx.execute(text("SELECT value FROM store_info WHERE key = 'mark'"))
                assert found.scalar_one() == name

    def test_it_can_be_read(self, frozen):
        with Store(frozen) as store:
            assert store.read_only
            assert version(store) == schema.VERSION
            with store.reading() as tx:
                assert stored_names(tx) == ()

    def test_writing_is_refused_before_anything_is_tried(self, frozen, tmp_path):
        before = (tmp_path / "prices.db").read_bytes()
        said = r"cannot be written.*FORECASTER_HOME"
        with Store(frozen) as store, pytest.raises(SettingsError, match=said):
            store.writing().__enter__()
        assert (tmp_path / "prices.db").read_bytes() == before

    def test_nothing_appears_beside_it(self, frozen, tmp_path):
        before = sorted(tmp_path.iterdir())
        with Store(frozen) as store:
            version(store)
        assert sorted(tmp_path.iterdir()) == before

    def test_changes_that_were_left_in_the_log_are_not_skipped(self, frozen, tmp_path):
        (tmp_path / "prices.db-wal").write_bytes(b"x" * 100)
        with pytest.raises(StoreError, match=r"prices\.db-wal beside it holds changes"):
            Store(frozen)


class TestReadOnlyServer:
    """A server that lets its user add no row is read as a folder that cannot be written is."""

    @pytest.fixture(params=["SELECT alone", "a copy"])
    def reading(self, request: pytest.FixtureRequest, postgres_url: str) -> Iterator[str]:
        with Store(postgres_url):
            pass
        with postgres.reader(postgres_url, is_copy=request.param == "a copy") as address:
            yield address

    def test_it_can_be_read(self, reading):
        with Store(reading) as store, store.reading() as tx:
            assert store.read_only
            assert stored_names(tx) == ()

    def test_writing_is_refused(self, reading):
        said = r"cannot be written with this user.*Give the user the right to write"
        with Store(reading) as store, pytest.raises(SettingsError, match=said):
            store.writing().__enter__()

    def test_a_statement_that_only_reads_is_no_damage(self, postgres_url):
        said = pytest.raises(SettingsError, match="cannot be written with this user")
        with Store(postgres_url) as store, said, store.writing() as tx:
            tx.execute(text("SET TRANSACTION READ ONLY"))
            tx.execute(text("INSERT INTO store_info VALUES ('new', '1')"))

    def test_a_right_that_is_missing_is_named(self, postgres_url):
        with Store(postgres_url):
            pass
        said = pytest.raises(SettingsError, match=r"permission denied.*Give this one the right")
        inserting = postgres.reader(postgres_url, rights="SELECT, INSERT")
        with inserting as address, Store(address) as store, said, store.writing() as tx:
            tx.execute(text("DELETE FROM store_info"))

    def test_there_is_nothing_in_a_copy_yet(self, postgres_url):
        said = pytest.raises(SettingsError, match="cannot be written with this user")
        with postgres.reader(postgres_url, is_copy=True) as address, said:
            Store(address)


class TestManyWriters:
    def test_one_waits_for_the_other(self, store_url):
        order = []

        def second() -> None:
            with Store(store_url) as mine, mine.writing() as tx:
                order.append("second")
                tx.execute(text("UPDATE store_info SET value=value || '2' WHERE key='turn'"))

        with Store(store_url) as store:
            with store.writing() as tx:
                tx.execute(text("INSERT INTO store_info VALUES ('turn', '1')"))
                thread = threading.Thread(target=second)
                thread.start()
                time.sleep(0.4)
                order.append("first")
            thread.join(30)
            with store.reading() as tx:
                turn = tx.execute(text("SELECT value FROM store_info WHERE key='turn'")).scalar()
        assert order == ["first", "second"]
        assert turn == "12"

    def test_waiting_has_an_end(self, store_url, monkeypatch):
        monkeypatch.setattr(engine, "WAIT_SECONDS", 1)
        said = pytest.raises(LockHeld, match="another run has been writing")
        with Store(store_url) as first, Store(store_url) as second, first.writing(), said:
            second.writing().__enter__()

    def test_kill_9_in_a_transaction_leaves_the_store_as_it_was(self, store_url):
        Store(store_url).close()
        code = """if True:
            import time
            from sqlalchemy import text
            from forecaster.market.store import Store
            with Store() as store, store.writing() as tx:
                tx.execute(text("INSERT INTO store_info VALUES ('half', '1')"))
                print("inside", flush=True)
                time.sleep(60)
        """
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"inside\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
        with Store(store_url) as store:
            with store.reading() as tx:
                assert tx.execute(text("SELECT count(*) FROM store_info")).scalar() == 1
            with store.writing() as tx:
                tx.execute(text("INSERT INTO store_info VALUES ('next', '1')"))


def test_a_store_is_in_wal_mode(tmp_path):
    Store(f"sqlite:///{tmp_path}/prices.db").close()
    with sqlite3.connect(tmp_path / "prices.db") as raw:
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_new_store_is_its_owners_alone_and_what_is_beside_it(home):
    with Store() as store, store.writing() as tx:
        tx.execute(text("INSERT INTO store_info VALUES ('a', 'b')"))
        made = {path.name: stat.S_IMODE(path.stat().st_mode) for path in home.glob("prices.db*")}
    assert made == dict.fromkeys(("prices.db", "prices.db-shm", "prices.db-wal"), 0o600)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("made", "named"),
    [
        ("CREATE VIEW v AS SELECT 1", "a view"),
        ("CREATE TRIGGER t AFTER INSERT ON bars BEGIN DELETE FROM journal; END", "a trigger"),
        ("CREATE VIRTUAL TABLE f USING fts5(a)", "a virtual table"),
    ],
)
def test_what_a_file_would_run_is_refused(home, made, named):
    Store().close()
    with sqlite3.connect(home / "prices.db") as connection:
        connection.execute(made)
    connection.close()
    with pytest.raises(StoreError, match=f"holds {named}"):
        Store()
