"""The journal: rows are added, never twice, and a change is seen."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from journal_rows import AUTHOR, add, check, forecast_of, rows
from sqlalchemy import text

from forecaster.market.store import chain, journal, ledger
from forecaster.output.journal import write_csv


class TestAppending:
    def test_comes_back_as_it_was(self, store):
        assert add(store, forecast_of(), forecast_of("XYZ")) == 2
        first, second = rows(store)
        assert (first.number, first.author, first.forecast) == (1, AUTHOR, forecast_of())
        assert (second.number, second.forecast.ticker) == (2, "XYZ")

    def test_the_same_forecast_is_written_once(self, store):
        add(store, forecast_of())
        assert add(store, forecast_of(scale=1 + 1e-7), author=replace(AUTHOR, run="run-2")) == 0
        assert len(rows(store)) == 1

    @pytest.mark.parametrize(
        "other",
        [
            forecast_of(scale=1.001),
            forecast_of(cutoff="2026-03-03"),
            forecast_of(steps=3),
            forecast_of("XYZ"),
            replace(forecast_of(), last_close=100.5),
            replace(forecast_of(), source="my/ABC.csv"),
        ],
    )
    def test_another_forecast_is_added(self, store, other):
        add(store, forecast_of())
        assert add(store, other) == 1
        assert len(rows(store)) == 2
        assert not check(store).broken

    def test_another_model_is_added(self, store):
        add(store, forecast_of())
        assert add(store, forecast_of(), author=replace(AUTHOR, model_id="other")) == 1

    def test_the_newest_is_what_counts_as_the_same(self, store):
        add(store, forecast_of())
        add(store, forecast_of(scale=1.001))
        assert add(store, forecast_of()) == 1  # back again is a change too
        assert [entry.number for entry in rows(store)] == [1, 2, 3]

    def test_an_evening_s_batches_in_any_order_add_no_second_row_of_an_identity(self, store):
        alone = forecast_of()
        listed = replace(forecast_of(scale=1.001), fingerprint="b" * 64, market_tickers=4)
        assert [add(store, one) for one in (alone, listed, alone, listed, alone)] == [1, 1, 0, 0, 0]
        assert [entry.forecast.market_tickers for entry in rows(store)] == [None, 4]
        assert not check(store).broken

    @pytest.mark.parametrize("source", [None, "my/ABC.csv", "other/ABC.csv"])
    def test_sources_do_not_supersede_each_other(self, store, source):
        """Whichever was forecast last, what each of the others says is there already."""
        for one in (None, "my/ABC.csv", "other/ABC.csv"):
            assert add(store, replace(forecast_of(), source=one)) == 1
        assert add(store, replace(forecast_of(), source=source)) == 0
        assert add(store, replace(forecast_of(scale=1.001), source=source)) == 1
        assert [e.forecast.source for e in rows(store)][-1] == source
        assert not check(store).broken

    def test_a_failure_leaves_nothing(self, store):
        add(store, forecast_of())

        def half() -> None:
            with store.writing() as tx:
                journal.append(tx, AUTHOR, [forecast_of("XYZ")])
                raise KeyError

        with pytest.raises(KeyError):
            half()
        assert len(rows(store)) == 1
        assert not check(store).broken


class TestReading:
    def test_by_what_is_wanted(self, store):
        add(store, forecast_of(), forecast_of("XYZ", cutoff="2026-02-27"))
        add(
            store,
            forecast_of("XYZ"),
            author=replace(AUTHOR, run="run-2", model="b", model_id="id-b"),
        )
        numbers = {
            "since": np.datetime64("2026-03-01"),
            "ticker": "XYZ",
            "run": "run-2",
            "model": "b",
        }
        found = {name: [e.number for e in rows(store, **{name: v})] for name, v in numbers.items()}
        assert found == {"since": [1, 3], "ticker": [2, 3], "run": [3], "model": [3]}
        assert [e.number for e in rows(store, model="id-b")] == [3]

    def test_the_newest_alone_and_how_many_there_are(self, store):
        add(store, forecast_of(), forecast_of("XYZ"))
        add(store, forecast_of("XYZ", scale=1.1), author=replace(AUTHOR, run="run-2"))
        assert [e.number for e in rows(store, last=2)] == [2, 3]
        assert [e.number for e in rows(store, last=1, run="run-1")] == [2]
        assert [e.number for e in rows(store, last=9, ticker="ABC")] == [1]
        with store.reading() as tx:
            assert (journal.count(tx), journal.count(tx, ticker="XYZ", run="run-2")) == (3, 1)


class TestTheChain:
    @pytest.fixture
    def full(self, store):
        add(store, forecast_of(), forecast_of("XYZ"))
        add(store, forecast_of(cutoff="2026-03-03"), author=replace(AUTHOR, run="run-2"))
        return store

    @pytest.fixture
    def filed(self, full):
        """And one from a file, which is not the last."""
        add(full, replace(forecast_of("OWN"), source="my/OWN.csv"), forecast_of("OWN"))
        return full

    def test_holds(self, full):
        chain = check(full)
        assert (chain.entries, chain.broken) == (3, ())
        assert chain.head == rows(full)[-1].hash
        with full.reading() as tx:
            assert journal.head(tx) == chain.head

    def test_an_empty_journal_holds(self, store):
        assert check(store).entries == 0
        assert not check(store).broken

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ("UPDATE journal SET last_close=99 WHERE number=2", "row 2 (XYZ, 2026-03-02)"),
            ("UPDATE journal SET created=created-86400 WHERE number=1", "row 1 (ABC, 2026-03-02)"),
            ("UPDATE journal SET steps=replace(steps,'97.','96.') WHERE number=1", "row 1 (ABC"),
            ("UPDATE journal SET model_id='x' WHERE number=3", "row 3 (ABC, 2026-03-03)"),
            ("UPDATE journal SET joined_on=NULL WHERE number=2", "row 2 (XYZ, 2026-03-02)"),
            ("DELETE FROM journal WHERE number=2", "row 2 is missing; 3 follows 1"),
            ("DELETE FROM journal WHERE number=1", "row 1 is missing; 2 follows 0"),
            ("DELETE FROM journal WHERE number=3", "ends with row 2, and 3 were written"),
            ("DELETE FROM journal", "ends with row 0, and 3 were written"),
        ],
    )  # fmt: skip
    def test_a_change_breaks_it(self, full, change, said):
        with full.writing() as tx:
            tx.execute(text(change))
        assert any(said in line for line in check(full).broken)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ("UPDATE journal SET source='my/ABC.csv' WHERE number=1", "row 1 (ABC, 2026-03-02)"),
            ("UPDATE journal SET source='' WHERE number=1", "row 1 (ABC, 2026-03-02)"),
            ("UPDATE journal SET source='my/own.csv' WHERE number=4", "row 4 (OWN, 2026-03-02)"),
            ("UPDATE journal SET source=NULL WHERE number=4", "row 4 (OWN, 2026-03-02)"),
        ],
    )  # fmt: skip
    def test_another_source_breaks_it(self, filed, change, said):
        assert check(filed).broken == ()
        with filed.writing() as tx:
            tx.execute(text(change))
        assert check(filed).broken == (f"{said} was changed",)

    def test_a_row_that_was_forged_with_its_hash_breaks_the_next(self, full):
        first = rows(full)[0]
        cells = journal._row(replace(first.forecast, last_close=1.0))
        forged = ledger.row_of(1, first.author, cells)
        forged["hash"] = chain.row_hash(chain.START, forged)
        with full.writing() as tx:
            tx.execute(text("UPDATE journal SET last_close=1.0, hash=:hash WHERE number=1"), forged)
        assert check(full).broken == ("row 2 (XYZ, 2026-03-02) was changed",)

    def test_a_hash_is_of_every_cell(self, full):
        """So that no column can be added to the table and forgotten here."""
        names = set(ledger.row_of(1, AUTHOR, journal._row(forecast_of())))
        from forecaster.market.store import schema

        assert names | {"hash"} == {column.name for column in schema.journal.columns}


def test_levels_are_those_of_every_model(store):
    add(store, forecast_of())
    wider = forecast_of("XYZ")
    steps = [{**one, "quantiles": {"0.01": 90.0, **one["quantiles"]}} for one in wider.steps]
    add(store, replace(wider, steps=steps), author=replace(AUTHOR, model_id="0" * 12))
    with store.reading() as tx:
        assert journal.levels(tx) == ["0.01", "0.05", "0.5", "0.95"]
        assert journal.levels(tx, ticker="ABC") == ["0.05", "0.5", "0.95"]
        written = io.BytesIO()
        write_csv(written, journal.entries(tx), journal.levels(tx))
    narrow, _, wide, _ = csv.DictReader(io.StringIO(written.getvalue().decode()))
    assert (narrow["q0.01"], narrow["q0.05"]) == ("", "97.0")
    assert (wide["q0.01"], wide["q0.05"]) == ("90.0", "97.0")


def test_a_table_of_nothing_has_its_header():
    written = io.BytesIO()
    write_csv(written, [], [])
    assert written.getvalue().decode().startswith("number,run,created,model,")
