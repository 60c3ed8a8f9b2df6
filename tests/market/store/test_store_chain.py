"""What the chain proves to whoever noted a head, and that no change of the store is a crash."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from journal_rows import AUTHOR, NOW, add, check, forecast_of, rows
from sqlalchemy import text

from forecaster.errors import MachineError, StoreError
from forecaster.market.store import Store, chain, journal, ledger


@pytest.fixture
def full(store):
    add(store, forecast_of(), forecast_of("XYZ"))
    add(store, forecast_of(cutoff="2026-03-03"), author=replace(AUTHOR, run="run-2"))
    return store


def change(store: Store, statement: str, **cells: object) -> None:
    with store.writing() as tx:
        tx.execute(text(statement), cells)


def noted(store: Store, head: str) -> journal.Chain:
    with store.reading() as tx:
        return journal.verify(tx, head)


class TestANotedHead:
    def test_is_found_at_its_row(self, full):
        for entry in rows(full):
            found = noted(full, entry.hash)
            assert (found.noted, found.broken) == (entry.number, ())

    def test_that_of_the_empty_journal_is_before_the_first_row(self, full):
        assert noted(full, chain.START).noted == 0

    def test_is_missed_where_all_was_written_anew(self, full):
        """The whole chain is whole, and another."""
        old = rows(full)[-1].hash
        change(full, "DELETE FROM journal")
        change(full, "DELETE FROM store_info WHERE key='journal_head'")
        add(full, forecast_of(scale=1.01), forecast_of("XYZ"), forecast_of(cutoff="2026-03-03"))
        assert check(full).broken == ()
        found = noted(full, old)
        assert found.noted is None
        assert found.broken == (
            f"no row has the noted hash {old}: rows were taken away or written anew",
        )

    def test_is_missed_where_the_end_was_cut_off_with_its_note(self, full):
        old, kept = rows(full)[-1].hash, rows(full)[1].hash
        change(full, "DELETE FROM journal WHERE number=3")
        change(full, "UPDATE store_info SET value=:v WHERE key='journal_head'", v=f"2:{kept}")
        assert check(full).broken == ()
        assert noted(full, kept).noted == 2
        assert len(noted(full, old).broken) == 1


class TestTimes:
    def test_a_row_that_is_older_than_the_one_above_is_found(self, full, monkeypatch):
        """As an earlier version wrote it where clocks differed."""
        monkeypatch.setattr(ledger, "require_clock", lambda *_: None)
        add(full, forecast_of("LATE"), author=replace(AUTHOR, created=NOW - timedelta(hours=1)))
        (said,) = check(full).broken
        assert said == (
            "row 4 (LATE, 2026-03-02) says that it was written at 2026-03-02 21:30:00, before the"
            " row above it, of 2026-03-02 22:30:00"
        )

    @pytest.mark.parametrize("seconds", [1, 5])
    def test_clocks_that_differ_a_little_are_no_finding(self, full, seconds):
        early = replace(AUTHOR, created=NOW - timedelta(seconds=seconds))
        add(full, forecast_of("LATE"), author=early)
        assert check(full).broken == ()
        assert rows(full)[-1].author.created == NOW

    def test_of_a_machine_whose_clock_is_behind_are_refused(self, full):
        """Another machine, whose clock is ahead, wrote while this one forecast."""
        before = check(full)
        early = replace(AUTHOR, created=NOW - timedelta(seconds=6))
        with pytest.raises(MachineError, match="Set the clock"):
            add(full, forecast_of("LATE"), author=early)
        assert check(full) == before

    def test_the_newest_time(self, store):
        with store.reading() as tx:
            assert journal.newest(tx) is None
        add(store, forecast_of())
        with store.reading() as tx:
            assert journal.newest(tx) == NOW


CELLS = (
    "run", "model", "model_id", "model_hash", "ticker", "fingerprint", "currency", "steps", "hash",
    "source", "joined_on", "kind", "holdings", "created", "cutoff", "last_close", "horizon",
)  # fmt: skip


class TestACellOfAnotherKind:
    """SQLite keeps whatever somebody writes into a cell."""

    @pytest.fixture
    def store(self, tmp_path):
        with Store(f"sqlite:///{tmp_path}/prices.db") as opened:
            yield opened

    @pytest.mark.parametrize("name", CELLS)
    @pytest.mark.parametrize("value", ["x'61'", "x'ff00'", "CAST(x'ff' AS TEXT)", "'?'", "-1e300"])
    def test_is_a_finding_and_no_crash(self, full, name, value):
        change(full, f"UPDATE journal SET {name}={value} WHERE number=2")
        assert any(said.startswith("row ") for said in check(full).broken)
        try:
            rows(full)
        except StoreError as problem:
            assert "row 2 of the journal" in str(problem)  # noqa: PT017

    def test_text_as_bytes_is_another_cell(self, full):
        change(full, "UPDATE journal SET ticker=CAST(ticker AS BLOB) WHERE number=2")
        assert any("was changed" in said for said in check(full).broken)

    @pytest.mark.parametrize(
        "steps",
        ["[]", "{}", "null", "1", "[1]", '[{"step":1}]', '[{"quantiles":{"0.5":"x"}}]'],
    )
    def test_steps_of_another_shape_are_named(self, full, steps):
        change(full, "UPDATE journal SET steps=:steps WHERE number=2", steps=steps)
        with pytest.raises(StoreError, match="row 2 of the journal"):
            rows(full)

    @pytest.mark.parametrize("end", ["²:x", "x", "", "3:", "-1:x", ":", "9" * 5000 + ":x", "3:²"])
    def test_an_end_that_cannot_be_read(self, full, end):
        change(full, "UPDATE store_info SET value=:end WHERE key='journal_head'", end=end)
        (said,) = check(full).broken
        assert "the end of the journal" in said
        with pytest.raises(StoreError, match="Run forecast journal verify"):
            add(full, forecast_of("NEW"))

    def test_an_end_of_bytes(self, full):
        change(full, "UPDATE store_info SET value=x'ff' WHERE key='journal_head'")
        assert len(check(full).broken) == 1

    def test_another_end_of_the_right_length(self, full):
        change(full, "UPDATE store_info SET value=:v WHERE key='journal_head'", v=f"3:{'0' * 64}")
        assert check(full).broken == ("the last row is another than the one that was written",)

    def test_a_version_that_is_no_number(self, full, tmp_path):
        change(full, "UPDATE store_info SET value='²' WHERE key='version'")
        with pytest.raises(StoreError, match="has no version"):
            Store(f"sqlite:///{tmp_path}/prices.db")


class TestADroppedTable:
    @pytest.mark.parametrize("table", ["journal", "store_info"])
    def test_is_a_finding(self, full, store_url, table):
        change(full, f"DROP TABLE {table}")
        with Store(store_url) as again:
            assert len(check(again).broken) == 1

    def test_is_named_where_the_journal_is_read(self, full):
        change(full, "DROP TABLE journal")
        with pytest.raises(StoreError, match="no table journal any more"):
            rows(full)

    def test_is_named_where_it_is_written(self, full):
        change(full, "DROP TABLE journal")
        with pytest.raises(StoreError, match="Restore a copy"):
            add(full, forecast_of("NEW"))

    @pytest.mark.parametrize("name", ["currency", "joined_on"])
    def test_a_dropped_column_is_a_finding(self, full, name):
        change(full, f"ALTER TABLE journal DROP COLUMN {name}")
        assert len(check(full).broken) == 3
