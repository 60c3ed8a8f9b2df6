"""What goes into the store comes out of it, on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from stored import NOW, abc, facts, put
from synthetic import close_only

from forecaster.errors import StoreError
from forecaster.market.bars import PRICE_FIELDS, Action, History
from forecaster.market.store import Store, bars
from forecaster.market.store.tickers import stored_tickers


def get(store: Store, ticker: str = "ABC", last: int | None = None) -> History | None:
    with store.reading() as tx:
        return bars.read(tx, ticker, last=last)


def same_bars(a: History, b: History) -> None:
    np.testing.assert_array_equal(a.sessions, b.sessions)
    for name in PRICE_FIELDS:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


class TestBars:
    def test_come_back_as_they_were(self, store):
        put(store, abc())
        read = get(store)
        same_bars(read, abc())
        assert (read.currency, read.calendar, read.adjusted) == ("USD", "XNYS", True)

    def test_unknown_values_stay_unknown(self, store):
        history = close_only(abc())
        put(store, history)
        same_bars(get(store), history)
        assert np.isnan(get(store).open).all()

    def test_the_newest_alone(self, store):
        put(store, abc())
        same_bars(get(store, last=7), abc().slice(23, 30))
        same_bars(get(store, last=99), abc())

    def test_nothing_is_none(self, store):
        assert get(store, "NONE") is None

    def test_names_are_exact(self, store):
        put(store, abc(5, "aapl"))
        put(store, abc(6, "AAPL"))
        assert len(get(store, "aapl")) == 5
        assert len(get(store, "AAPL")) == 6

    def test_a_whole_history_takes_the_place_of_the_old_one(self, store):
        put(store, abc(30), (Action(np.datetime64("2015-01-05"), 0.5),))
        put(store, abc(10))
        same_bars(get(store), abc(10))
        with store.reading() as tx:
            assert bars.dividends(tx, "ABC") == ()

    def test_sessions_are_added_at_the_end(self, store):
        whole = abc(30)
        put(store, whole.slice(0, 20))
        later = NOW.replace(day=3)
        with store.writing() as tx:
            bars.extend(tx, whole.slice(20, 30), [], [], facts(answered=later))
            assert stored_tickers(tx, ["ABC"])["ABC"].info.answered == later
        same_bars(get(store), whole)

    def test_nothing_new_renews_what_is_known(self, store):
        put(store, abc())
        with store.writing() as tx:
            bars.extend(tx, None, [], [], facts(currency="EUR"))
        assert get(store).currency == "EUR"
        same_bars(get(store), abc())

    def test_a_session_twice_changes_nothing_at_all(self, store):
        put(store, abc())
        with pytest.raises(StoreError, match="price store"), store.writing() as tx:
            bars.extend(tx, abc().slice(28, 30), [], [], facts(currency="EUR"))
        same_bars(get(store), abc())
        assert get(store).currency == "USD"

    def test_volumes_are_renewed_where_they_are_given(self, store):
        put(store, abc())
        volume = np.array([1.0, np.nan])
        with store.writing() as tx:
            bars.set_volumes(tx, replace(abc().slice(10, 12), volume=volume))
        read = get(store)
        np.testing.assert_array_equal(read.volume[10:12], volume)
        np.testing.assert_array_equal(read.volume[12:], abc().volume[12:])
        np.testing.assert_array_equal(read.close, abc().close)

    def test_what_is_forgotten_leaves_nothing(self, store):
        put(store, abc(), (Action(np.datetime64("2015-01-05"), 0.5),))
        put(store, abc(5, "XYZ"))
        with store.writing() as tx:
            assert bars.forget(tx, "ABC")
            assert not bars.forget(tx, "ABC")
        assert get(store) is None
        assert len(get(store, "XYZ")) == 5
        with store.reading() as tx:
            for table in ("bars", "actions"):
                owners = tx.exec_driver_sql(f"SELECT count(DISTINCT history_id) FROM {table}")
                assert owners.scalar() == (1 if table == "bars" else 0)


class TestActions:
    split = Action(np.datetime64("2015-01-07"), 4.0)
    paid = Action(np.datetime64("2015-01-07"), 0.22)

    def test_a_split_and_a_dividend_of_one_session(self, store):
        put(store, replace(abc(), splits=(self.split,)), (self.paid,))
        assert get(store).splits == (self.split,)
        with store.reading() as tx:
            assert bars.dividends(tx, "ABC") == (self.paid,)

    def test_added_with_new_sessions(self, store):
        put(store, abc(20))
        with store.writing() as tx:
            bars.extend(tx, None, [self.split], [self.paid], facts())
        assert get(store).splits == (self.split,)

    def test_a_cutoff_before_a_split_is_in_old_shares(self, store):
        history = abc()
        day = history.sessions[20]
        put(store, replace(history, splits=(Action(day, 4.0),)))
        before = get(store).up_to(history.sessions[19])
        np.testing.assert_allclose(before.close, 4.0 * history.close[:20])
        np.testing.assert_allclose(before.volume, history.volume[:20] / 4.0)
        np.testing.assert_array_equal(before.adjusted_close, history.adjusted_close[:20])
        assert before.splits == ()
        on = get(store).up_to(day)
        np.testing.assert_array_equal(on.close, history.close[:21])
        assert len(on.splits) == 1


def test_tickers_of_the_same_sessions_share_them(store):
    put(store, abc())
    put(store, abc(ticker="DEF"))
    put(store, abc(29, ticker="GHI"))
    with store.reading() as tx:
        infos = [one.info for one in stored_tickers(tx, ["ABC", "DEF", "GHI"]).values()]
        found = dict(bars.read_all(tx, infos, last=29))
    assert found["ABC"].sessions is found["DEF"].sessions
    assert np.array_equal(found["ABC"].sessions, abc().sessions[-29:])
    assert np.array_equal(found["GHI"].sessions, abc(29).sessions)
