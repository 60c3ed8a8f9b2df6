"""What is known of stored tickers, and how far their bars reach."""

from __future__ import annotations

import numpy as np
import pytest
from stored import abc, facts, put

from forecaster.market.store import bars
from forecaster.market.store.tickers import extents, stored_names, stored_tickers


class TestStoredTickers:
    def test_comes_back(self, store):
        since = np.datetime64("2015-01-05")
        put(store, abc(), since=since, currency=None, calendar=None)
        with store.reading() as tx:
            known = stored_tickers(tx, ["ABC"])["ABC"].info
            assert stored_tickers(tx, ["XYZ"]) == {}
        assert known == facts(since=since, currency=None, calendar=None)

    def test_ends_of_those_that_are_stored(self, store):
        put(store, abc())
        put(store, abc(5, "XYZ"))
        with store.reading() as tx:
            ends = stored_tickers(tx, ["XYZ", "ABC", "NONE", *(f"N{i}" for i in range(1200))])
        assert {name: end.cutoff for name, end in ends.items()} == {
            "ABC": abc().cutoff,
            "XYZ": abc(5).cutoff,
        }

    @pytest.mark.parametrize(("tail", "bars"), [(1, 1), (15, 15), (30, 30), (31, 30)])
    def test_the_tail_that_an_update_asks_for(self, store, tail, bars):
        put(store, abc())
        with store.reading() as tx:
            stored = stored_tickers(tx, ["ABC"], tail)["ABC"]
        assert stored.tail_from == abc().sessions[-bars]

    @pytest.mark.parametrize(
        ("asked", "first", "reaches"),
        [
            (None, "2015-01-05", True),
            ("2015-01-05", None, True),
            ("2015-01-05", "2015-01-05", True),
            ("2015-01-05", "2015-01-02", False),
        ],
    )
    def test_how_far_back_a_source_was_asked(self, asked, first, reaches):
        since, wanted = (None if day is None else np.datetime64(day) for day in (asked, first))
        assert facts(since=since).reaches_back_to(wanted) is reaches

    def test_extents_in_alphabetical_order(self, store):
        put(store, abc(5, "XYZ"))
        put(store, abc())
        with store.reading() as tx:
            found = extents(tx)
            (one,) = extents(tx, "XYZ")
            assert stored_names(tx) == ("ABC", "XYZ")
            np.testing.assert_array_equal(bars.sessions(tx, "ABC"), abc().sessions)
        assert [(e.info.ticker, e.bars) for e in found] == [("ABC", 30), ("XYZ", 5)]
        assert (one.first, one.cutoff) == (abc(5).first, abc(5).cutoff)
