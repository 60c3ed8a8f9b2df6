"""Listing, checking, exporting, importing and pruning the price store."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import text
from synthetic import garch_history

from forecaster.errors import DataError, Message, SettingsError
from forecaster.jobs import data
from forecaster.market import exchanges
from forecaster.market.bars import PRICE_FIELDS, Action, History
from forecaster.market.files.read import ReadOptions, read_files
from forecaster.market.store import Store, bars, calendars
from forecaster.market.store.tickers import TickerInfo, stored_names, stored_tickers
from forecaster.output.data import write_csv, write_parquet

NOW = datetime(2026, 3, 2, 21, 30, tzinfo=UTC)


def history(ticker: str = "ABC", bars: int = 30) -> History:
    made = garch_history(ticker, bars, seed=5)
    return replace(made, adjusted_close=made.close * 0.5)


def put(store: Store, made: History, paid: tuple[Action, ...] = (), **changes: object) -> None:
    known = TickerInfo(
        made.ticker, "yahoo", "USD", "NMS", "XNYS", "America/New_York", True, None, NOW
    )
    with store.writing() as tx:
        bars.replace(tx, made, paid, replace(known, **changes))


def of_closes(made: History, close: np.ndarray) -> History:
    """Other closes alone, which no range contradicts."""
    unknown = dict.fromkeys(("open", "high", "low"), np.full(len(made), np.nan))
    return replace(made, close=close, adjusted_close=close, **unknown)


class TestVerify:
    def test_a_whole_store(self, store):
        put(store, history())
        found = data.verify(store)
        assert (found.tickers, found.bars, found.findings) == (1, 30, ())

    def test_an_empty_one(self, store):
        assert data.verify(store).tickers == 0

    def test_bars_that_cannot_be(self, store):
        put(store, history())
        put(store, history("XYZ"))
        with store.writing() as tx:
            tx.execute(text("UPDATE bars SET close=-1 WHERE session=20150107 AND history_id=1"))
            tx.execute(text("UPDATE bars SET high=low-1 WHERE session=20150108 AND history_id=2"))
        one, two = data.verify(store).findings
        assert (one.ticker, one.damaged) == ("ABC", True)
        assert "a cell of close is negative" in one.message
        assert "open, high, low and close of 2015-01-08 contradict each other" in two.message
        with store.reading() as tx, pytest.raises(DataError, match="forecast data prune XYZ"):
            bars.read(tx, "XYZ")

    def test_a_ticker_without_bars(self, store):
        put(store, history())
        with store.writing() as tx:
            tx.execute(text("DELETE FROM bars"))
        (one,) = data.verify(store).findings
        assert "it has no bars" in one.message

    def test_rows_of_nobody(self, store):
        put(store, history())
        raw = store._engine.raw_connection()
        raw.execute("PRAGMA foreign_keys=OFF")
        raw.execute("UPDATE bars SET history_id=77 WHERE session=20150105")
        raw.close()
        (one,) = data.verify(store).findings
        assert one.message == "1 row of bars without a ticker"

    def test_missing_and_stray_sessions_are_no_damage(self, store):
        known = exchanges.schedule("XNYS", np.datetime64("2015-01-01"), np.datetime64("2015-12-31"))
        with store.writing() as tx:
            calendars.write(tx, known, known.known_from, known.known_until)
        put(store, history())  # weekdays: a bar on Martin Luther King's day
        made = history("XYZ")
        keep = np.isin(made.sessions, known.sessions) & (np.arange(30) != 4)
        parts = {name: getattr(made, name)[keep] for name in PRICE_FIELDS}
        put(store, replace(made, sessions=made.sessions[keep], **parts))
        one, two = data.verify(store).findings
        assert (one.ticker, one.damaged) == ("ABC", False)
        assert one.message.startswith("1 session that XNYS does not have, first 2015-01-19")
        assert two.message == "1 session of XNYS without a bar, first 2015-01-09"


class TestExport:
    split, paid = Action(np.datetime64("2015-01-07"), 4.0), Action(np.datetime64("2015-01-08"), 0.2)

    @pytest.fixture
    def filled(self, store):
        unknown = np.full(30, np.nan)
        put(store, replace(history(), splits=(self.split,)), (self.paid,))
        put(store, replace(history("^GSPC"), volume=unknown, open=unknown), currency=None)
        return store

    def test_a_ticker_that_is_named_twice_is_written_once(self, filled):
        assert [one.history.ticker for one in data.export(filled, ["ABC", "abc"])] == ["ABC"]

    def test_csv_can_be_read_again(self, filled, tmp_path):
        path = tmp_path / "all.csv"
        with path.open("wb") as file:
            write_csv(file, data.export(filled))
        loaded = read_files([str(path)])
        assert not loaded.failures
        for made in loaded.panel:
            with filled.reading() as tx:
                was = bars.read(tx, made.ticker)
            np.testing.assert_array_equal(made.sessions, was.sessions)
            for name in PRICE_FIELDS:
                np.testing.assert_array_equal(getattr(made, name), getattr(was, name), name)
        assert [h.currency for h in loaded.panel] == ["USD", None]

    def test_parquet_too(self, filled, tmp_path):
        path = tmp_path / "all.parquet"
        with path.open("wb") as file:
            write_parquet(file, data.export(filled))
        loaded = read_files([str(path)])
        assert [h.ticker for h in loaded.panel] == ["ABC", "^GSPC"]
        np.testing.assert_array_equal(loaded.panel.histories[0].close, history().close)
        assert np.isnan(loaded.panel.histories[1].volume).all()

    def test_actions_stand_beside_their_session(self, filled):
        file = io.BytesIO()
        write_csv(file, data.export(filled, ["abc"]))
        lines = file.getvalue().decode().splitlines()
        assert lines[0] == (
            "ticker,date,open,high,low,close,adj_close,volume,dividends,stock_splits,currency"
        )
        assert lines[3].endswith(",0.0,4.0,USD")
        assert lines[4].endswith(",0.2,0.0,USD")
        assert len(lines) == 31

    def test_a_name_that_a_spreadsheet_would_run(self, store):
        put(store, history("=HYPERLINK(1)"))
        file = io.BytesIO()
        write_csv(file, data.export(store))
        assert file.getvalue().decode().splitlines()[1].startswith("'=HYPERLINK(1),")

    def test_what_is_not_stored(self, filled):
        with pytest.raises(DataError, match=r"ABD is not stored.*Did you mean ABC\?"):
            data.export(filled, ["ABD"])

    def test_nothing_stored(self, store):
        with pytest.raises(DataError, match="holds no bars yet"):
            data.export(store)


class TestImport:
    def test_bars_of_files_become_stored_bars(self, store):
        (done,) = data.bring_in(store, [history()], now=NOW)
        assert (done.ticker, done.bars, done.refused) == ("ABC", 30, None)
        with store.reading() as tx:
            known = stored_tickers(tx, ["ABC"])["ABC"].info
            np.testing.assert_array_equal(bars.read(tx, "ABC").close, history().close)
        assert (known.source, known.calendar, known.answered) == ("import", "XNYS", NOW)

    def test_fewer_bars_than_are_stored_are_refused(self, store):
        put(store, history())
        (done,) = data.bring_in(store, [history().slice(0, 20)])
        assert done.refused.startswith("has bars to 2015-01-30 only")
        with store.reading() as tx:
            assert len(bars.read(tx, "ABC")) == 30
            assert stored_tickers(tx, ["ABC"])["ABC"].info.source == "yahoo"

    def test_bars_of_another_stock_are_refused(self, store):
        put(store, history())
        other = replace(garch_history("ABC", 30, seed=6), currency="USD")
        (done,) = data.bring_in(store, [other])
        assert done.refused.startswith("moves otherwise than the stored bars on ")
        assert done.refused.endswith(": it may be of another stock")
        (done,) = data.bring_in(store, [replace(history(), currency="EUR")])
        assert done.refused == "is in EUR, and the stored bars are in USD"
        assert data.bring_in(store, [other], replace=True)[0].refused is None

    def test_the_first_session_that_differs_is_named(self, store):
        put(store, history())
        close = history().close * np.where(np.arange(30) % 2, 1.0, 1.1)
        other = replace(history(), close=close, adjusted_close=close)
        (done,) = data.bring_in(store, [other])
        expected = f"on 29 of 29 sessions, as on {history().sessions[1]} to {close[1]:g} instead of"
        assert expected in done.refused

    def test_other_coins_below_a_dollar_are_another_stock(self, store):
        def scaled(seed, price):
            close = np.round(garch_history("ABC", 300, seed=seed).close * price, 6)
            return replace(of_closes(garch_history("ABC", 300, seed=seed), close), currency="USD")

        put(store, scaled(5, 0.001))
        (done,) = data.bring_in(store, [scaled(6, 0.004)])
        assert done.refused.startswith("moves otherwise than the stored bars")

    def test_closes_of_another_hour_are_the_same_stock(self, store):
        made = garch_history("ABC", 300, seed=5)
        put(store, replace(made, adjusted_close=made.close))
        noise = np.exp(np.random.default_rng(1).normal(0, 0.003, 300))
        later = replace(made, close=made.close * noise, adjusted_close=made.close * noise)
        (done,) = data.bring_in(store, [replace(later, currency="USD")])
        assert done.refused is None

    def test_cents_of_a_penny_stock_are_no_other_stock(self, store):
        made = of_closes(history(), history().close / 400)
        put(store, made)
        rounded = np.round(made.close, 2)
        (done,) = data.bring_in(store, [replace(made, close=rounded, adjusted_close=rounded)])
        assert done.refused is None

    @pytest.mark.parametrize("count", [1, 3, 5])
    def test_few_sessions_tell_nothing_of_the_stock(self, store, count):
        put(store, history().slice(0, count))
        other = garch_history("ABC", 30, seed=6).slice(0, count)
        (done,) = data.bring_in(store, [replace(other, currency="USD")])
        assert done.refused is None

    def test_another_unit_without_a_currency_is_refused(self, store):
        put(store, history(), currency="GBP")
        pence = replace(history(), close=history().close * 100, currency=None)
        (done,) = data.bring_in(store, [pence])
        assert Message(done.refused) == (
            "names no currency, and its closes are 100 times the stored ones; if they are in GBP,"
            " say so with currency GBP"
        )
        (done,) = data.bring_in(store, [replace(history(), currency=None)])
        assert done.refused is None
        with store.reading() as tx:
            assert stored_tickers(tx, ["ABC"])["ABC"].info.currency == "GBP"

    def test_columns_that_are_stored_are_not_lost(self, store):
        put(store, replace(history(), adjusted=True))
        unknown = np.full(30, np.nan)
        less = replace(history(), open=unknown, volume=unknown, adjusted=False)
        (done,) = data.bring_in(store, [less])
        assert done.refused == "has no open, adjusted close and volume, and the store has them"

    def test_splits_count_as_stored_actions(self, store):
        put(store, replace(history(), splits=(Action(history().sessions[5], 2.0),)))
        (done,) = data.bring_in(store, [history()])
        assert done.refused == "has no dividends and splits, and the store has them (1)"

    def test_corrections_and_other_shares_are_stored(self, store):
        put(store, of_closes(history(), history().close))
        corrected = history().close.copy()
        corrected[[3, 9, 20]] *= 1.01
        for close in (corrected, history().close / 4):
            (done,) = data.bring_in(store, [of_closes(history(), close)])
            assert done.refused is None

    def test_bars_without_actions_that_are_stored_are_refused(self, store):
        paid = (Action(history().sessions[5], 0.2),)
        put(store, history(), paid)
        (done,) = data.bring_in(store, [history()])
        assert done.refused == "has no dividends and splits, and the store has them (1)"

    def test_unless_they_are_wanted(self, store):
        put(store, history())
        (done,) = data.bring_in(store, [history().slice(0, 20)], replace=True, calendar="XLON")
        assert done.refused is None
        with store.reading() as tx:
            assert len(bars.read(tx, "ABC")) == 20
            assert stored_tickers(tx, ["ABC"])["ABC"].info.calendar == "XLON"

    @pytest.mark.parametrize("name", ["O'X", "=SUM", "a b", "日本", "../x"])
    def test_names_that_no_command_could_ask_for(self, name):
        found, failures = data.storable([replace(history(), ticker=name), history()])
        assert [one.ticker for one in found] == ["ABC"]
        assert [failure.name for failure in failures] == [name]
        assert "nothing was stored" in str(failures[0].error)

    def test_names_in_small_letters_are_capitals(self):
        small = replace(history(), ticker="abc")
        assert [one.ticker for one in data.storable([small])[0]] == ["ABC"]
        found, failures = data.storable([history(), small])
        assert len(found) == len(failures) == 1
        assert "this name is ABC, as another is" in str(failures[0].error)

    def test_what_train_reads(self, store, tmp_path):
        path = tmp_path / "x.csv"
        path.write_text("Datum;Schlusskurs\n02.01.2024;1.234,5\n03.01.2024;1.240,0\n")
        loaded = read_files([str(path)], ReadOptions(ticker="DAX"))
        data.bring_in(store, loaded.panel.histories)
        with store.reading() as tx:
            assert bars.read(tx, "DAX").close.tolist() == [1234.5, 1240.0]


class TestPrune:
    @pytest.fixture
    def filled(self, store):
        put(store, history())
        put(store, history("OLD"), answered=NOW - timedelta(days=100))
        return store

    def left(self, store: Store) -> tuple[str, ...]:
        with store.reading() as tx:
            return stored_names(tx)

    def test_by_name(self, filled):
        assert data.prune(filled, ["abc"]) == ["ABC"]
        assert self.left(filled) == ("OLD",)

    def test_by_age(self, filled):
        assert data.prune(filled, [], idle_days=99, now=NOW) == ["OLD"]
        assert data.prune(filled, [], idle_days=99, now=NOW) == []
        data.bring_in(filled, [history("MINE")], now=NOW - timedelta(days=100))
        assert data.prune(filled, [], idle_days=99, now=NOW) == []  # no source has it
        assert self.left(filled) == ("ABC", "MINE")

    def test_all(self, filled):
        assert data.prune(filled, [], everything=True) == ["ABC", "OLD"]
        assert self.left(filled) == ()

    def test_all_and_some_of_them_contradict_each_other(self, filled):
        for wanted, days, everything in (
            (["ABC"], None, True),
            ([], 99, True),
            (["ABC"], 99, False),
        ):
            with pytest.raises(SettingsError, match="Leave the other out"):
                data.prune(filled, wanted, idle_days=days, everything=everything, now=NOW)
        assert self.left(filled) == ("ABC", "OLD")

    def test_nothing_was_named(self, filled):
        with pytest.raises(SettingsError, match="idle_days DAYS"):
            data.prune(filled, [])

    def test_one_that_is_not_stored_stops_it_all(self, filled):
        with pytest.raises(DataError):
            data.prune(filled, ["ABC", "NONE"])
        assert self.left(filled) == ("ABC", "OLD")

    def test_the_file_gets_smaller(self, filled, tmp_path):
        put(filled, garch_history("BIG", 5000, seed=1))
        before = data_size(tmp_path)
        data.prune(filled, ["BIG"])
        assert data_size(tmp_path) < before / 2


def data_size(folder) -> int:
    return sum(path.stat().st_size for path in folder.glob("prices.db*"))
