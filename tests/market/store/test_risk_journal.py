"""Risks of portfolios in the journal: one chain with forecasts, once, and a change is seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from journal_rows import AUTHOR, add, add_risk, check, forecast_of, risks_in
from journal_rows import rows as forecasts
from portfolio_rows import risk_record
from sqlalchemy import text

from forecaster.errors import StoreError
from forecaster.market.store import journal, risk_journal
from forecaster.market.store.risk_journal import every_entry, risks

CELLS = risk_journal._cells(risk_record())
STEPS, HOLDINGS = CELLS["steps"], CELLS["holdings"]


@pytest.fixture
def mixed(store):
    """A forecast, a risk, a forecast."""
    add(store, forecast_of())
    add_risk(store, risk_record())
    add(store, forecast_of("XYZ"))
    return store


class TestOneChain:
    def test_comes_back_as_it_was(self, mixed):
        (entry,) = risks_in(mixed)
        assert (entry.number, entry.author, entry.record) == (2, AUTHOR, risk_record())

    def test_readers_of_forecasts_do_not_see_it(self, mixed):
        assert [entry.forecast.ticker for entry in forecasts(mixed)] == ["ABC", "XYZ"]
        assert [entry.number for entry in forecasts(mixed)] == [1, 3]

    def test_every_entry_is_in_order(self, mixed):
        with mixed.reading() as tx:
            assert [entry.number for entry in every_entry(tx)] == [1, 2, 3]
            assert [entry.number for entry in every_entry(tx, ticker="EUR")] == [2]
            assert [entry.number for entry in every_entry(tx, ticker="XYZ")] == [3]

    def test_it_is_chained(self, mixed):
        found = check(mixed)
        assert (found.entries, found.risks, found.broken) == (3, 1, ())
        assert found.head == forecasts(mixed)[-1].hash

    def test_a_ticker_called_as_its_column_is_no_risk(self, store):
        add_risk(store, risk_record())
        assert add(store, forecast_of("holdings")) == 1
        assert add(store, forecast_of("holdings")) == 0
        assert len(risks_in(store)) == 1

    @pytest.mark.parametrize(
        ("wanted", "count"),
        [
            ({"since": np.datetime64("2026-03-03")}, 0),
            ({"model": "default"}, 1),
            ({"model": "abc123def456"}, 1),
            ({"model": "other"}, 0),
            ({"run": "run-1"}, 1),
            ({"run": "run-2"}, 0),
            ({"ticker": "ABC"}, 1),
            ({"ticker": "CASH"}, 0),
        ],
    )
    def test_filters(self, mixed, wanted, count):
        with mixed.reading() as tx:
            assert len(list(risks(tx, **wanted))) == count


class TestOnce:
    def test_twice_is_once(self, store):
        assert add_risk(store, risk_record())
        assert not add_risk(store, risk_record(), replace(AUTHOR, run="run-2"))

    def test_another_processor_s_rounding_is_the_same(self, store):
        add_risk(store, risk_record())
        assert not add_risk(store, risk_record(var=0.02 * (1 + 1e-6)))

    @pytest.mark.parametrize(
        "other",
        [
            risk_record(var=0.021),
            risk_record(amount=11.0),
            risk_record(source="other.csv"),
            risk_record(source=None),
            risk_record(cutoff="2026-03-03"),
            replace(risk_record(), currency="EUR"),
        ],
    )
    def test_what_differs_is_new(self, store, other):
        assert add_risk(store, risk_record())
        assert add_risk(store, other)
        assert not add_risk(store, other)
        assert check(store).entries == 2

    def test_without_a_name_the_tickers_tell_portfolios_apart(self, store):
        assert add_risk(store, risk_record(source=None))
        assert add_risk(store, risk_record(source=None, ticker="XYZ"))
        assert not add_risk(store, risk_record(source=None))
        assert {e.record.portfolio for e in risks_in(store)} == {"ABC, CASH", "CASH, XYZ"}

    def test_what_comes_back_is_not_written_again(self, store):
        """Of equal bars, the newest is looked at, beside the newest of all."""
        other = replace(risk_record(var=0.03), fingerprint="b" * 64)
        assert [add_risk(store, one) for one in (risk_record(), other, risk_record())] == [
            True, True, False,
        ]  # fmt: skip


class TestAChange:
    @pytest.mark.parametrize(
        "change",
        [
            "kind=NULL",
            "holdings=NULL",
            "kind='other'",
            "holdings=replace(holdings, '10.0', '11.0')",
            "steps=replace(steps, '0.02', '0.01')",
            "last_close=last_close+1",
            "source='other.csv'",
            "currency=NULL",
            "cutoff=20260303",
        ],
    )
    def test_of_a_risk_is_found(self, mixed, change):
        with mixed.writing() as tx:
            tx.execute(text(f"UPDATE journal SET {change} WHERE number=2"))
        (said,) = check(mixed).broken
        assert said.startswith("row 2 (holdings, 2026-03-0")
        assert said.endswith("was changed")

    def test_of_a_forecast_into_a_risk_is_found(self, mixed):
        with mixed.writing() as tx:
            tx.execute(text("UPDATE journal SET kind='risk' WHERE number=1"))
        assert check(mixed).broken == ("row 1 (ABC, 2026-03-02) was changed",)
        with pytest.raises(StoreError, match="row 1 of the journal"):
            risks_in(mixed)

    def test_a_row_that_is_taken_out_is_found(self, mixed):
        with mixed.writing() as tx:
            tx.execute(text("DELETE FROM journal WHERE number=2"))
        assert "row 2 is missing" in check(mixed).broken[0]

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("holdings", "{}"),
            ("holdings", "null"),
            ("holdings", "[1]"),
            ("holdings", '{"positions":[],"histories":[]}'),
            ("steps", "[]"),
            ("steps", '[{"step":1}]'),
            ("steps", STEPS.replace('"step":1', '"step":1000000000')),
            ("steps", STEPS.replace("0.95", "1.95")),
            ("steps", STEPS.replace("2026-03-04", "2026-02-30")),
            ("steps", STEPS.replace("0.02", "NaN")),
            ("holdings", HOLDINGS.replace('"ABC","amount"', '"CASH","amount"')),
            ("holdings", HOLDINGS.replace("900.0", "1e400")),
            ("last_close", "0"),
            ("last_close", "5"),
            ("kind", "other"),
        ],
    )
    def test_that_makes_it_unreadable_names_the_row(self, mixed, column, value):
        with mixed.writing() as tx:
            tx.execute(text(f"UPDATE journal SET {column}=:value WHERE number=2"), {"value": value})
        with pytest.raises(StoreError, match="row 2 of the journal"), mixed.reading() as tx:
            list(every_entry(tx))

    def test_a_position_without_a_history_is_named(self, mixed):
        with mixed.writing() as tx:
            change = """UPDATE journal SET holdings=replace(holdings, '"ABC"', '"NEW"')"""
            tx.execute(text(change + " WHERE number=2"))
            forged = "UPDATE journal SET holdings=replace(holdings, :a, :b) WHERE number=2"
            tx.execute(text(forged), {"a": '{"ticker":"NEW","cut', "b": '{"ticker":"OLD","cut'})
        with pytest.raises(StoreError, match="NEW has no history in it"):
            risks_in(mixed)


def test_a_hash_is_of_what_holdings_are(mixed):
    """Rows that differ in nothing but their holdings have other hashes."""
    (first,) = risks_in(mixed)
    assert first.hash not in {entry.hash for entry in forecasts(mixed)}
    with mixed.reading() as tx:
        assert journal.head(tx) == forecasts(mixed)[-1].hash
