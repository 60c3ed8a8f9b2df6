"""A ticker's history goes on under its new name, in one piece, and scores what was forecast."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from fake_provider import FakeProvider, dividend, evening, split
from written import LAST, history, run, write

from forecaster.errors import DataError, SettingsError, UnknownTicker
from forecaster.jobs.fetch import fetch
from forecaster.jobs.matching import ENDED
from forecaster.jobs.rename import rename
from forecaster.market.bars import History
from forecaster.market.store import Store, bars
from forecaster.market.store.tickers import renames, stored_names

BEFORE = datetime(2000, 1, 1, tzinfo=UTC)
PRICES = ("open", "high", "low", "close", "volume", "adjusted_close")


@pytest.fixture
def whole() -> History:
    return history("META")


def put(store: Store, *histories: History, now=None, **options: object) -> None:
    """As a source gives them."""
    source = FakeProvider({one.ticker: one for one in histories}, **options)
    names = [one.ticker for one in histories]
    done = fetch(names, store=store, provider=lambda: source, now=now or evening(LAST))
    assert done.failures == ()


def read(store: Store, name: str) -> History | None:
    with store.reading() as tx:
        return bars.read(tx, name)


def names(store: Store) -> tuple[str, ...]:
    with store.reading() as tx:
        return stored_names(tx)


def old(whole: History, stop: int) -> History:
    return replace(whole.slice(0, stop), ticker="FB")


def same(a: History, b: History) -> None:
    np.testing.assert_array_equal(a.sessions, b.sessions)
    for name in PRICES:
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-9)
    assert a.splits == b.splits


class TestJoining:
    def test_one_that_is_not_stored_takes_all(self, store, whole):
        put(store, old(whole, 150))
        done = rename(store, "fb", "meta")
        assert (done.bars, done.joined, done.cutoff) == (150, 150, whole.sessions[149])
        assert names(store) == ("META",)
        same(read(store, "META"), whole.slice(0, 150))

    def test_the_next_fetch_goes_on_behind_it(self, store, whole):
        put(store, old(whole, 150))
        rename(store, "FB", "META")
        put(store, whole)
        same(read(store, "META"), whole)

    @pytest.mark.parametrize("start", [150, 140, 1])
    def test_bars_that_follow_or_overlap(self, store, whole, start):
        put(store, old(whole, 150), whole.slice(start, 200))
        done = rename(store, "FB", "META")
        assert (done.bars, done.joined) == (200, start)
        same(read(store, "META"), whole)

    @pytest.mark.parametrize("start", [150, 140])
    @pytest.mark.parametrize("place", [145, 150, 170])
    def test_a_split_is_undone_before_it(self, store, whole, start, place):
        """The new name's prices are in shares after it, the old one's before or after it."""
        after = split(whole, whole.sessions[place], 4.0)
        first = old(after if place < 150 else whole, 150)
        put(store, first, after.slice(start, 200))
        rename(store, "FB", "META")
        made = read(store, "META")
        for name in ("open", "close", "volume"):
            np.testing.assert_allclose(getattr(made, name), getattr(after, name), rtol=1e-9)
        assert made.splits == after.splits

    def test_dividends_of_the_new_name_lower_the_old_one_s_adjusted_closes(self, store, whole):
        paid = dividend(whole, whole.sessions[170], 0.03)
        put(store, old(whole, 150), paid.slice(140, 200))
        rename(store, "FB", "META")
        np.testing.assert_allclose(read(store, "META").adjusted_close, paid.adjusted_close)


class TestRefused:
    def test_prices_that_differ_on_one_session(self, store, whole):
        other = replace(history("OTHER"), ticker="META")
        put(store, old(whole, 150), other.slice(140, 200))
        with pytest.raises(DataError, match="10 sessions that both have; one history has one"):
            rename(store, "FB", "META")
        assert names(store) == ("FB", "META")
        same(read(store, "META"), other.slice(140, 200))

    def test_a_leap_that_no_split_explains(self, store, whole):
        after = split(whole, whole.sessions[160], 4.0)
        hidden = replace(after.slice(150, 200), splits=())
        put(store, old(whole, 150), replace(hidden, close=hidden.close / 3))
        with pytest.raises(DataError, match="has no such leap"):
            rename(store, "FB", "META")

    def test_an_old_name_that_goes_on_longer(self, store, whole):
        put(store, old(whole, 200), whole.slice(100, 150))
        with pytest.raises(DataError, match="forecast fetch META"):
            rename(store, "FB", "META")

    @pytest.mark.parametrize(
        ("words", "error"),
        [
            (("FB", "FB"), SettingsError),
            (("FB", "fb"), SettingsError),
            (("GONE", "META"), UnknownTicker),
            (("FB", "a b"), UnknownTicker),
            (("", "META"), UnknownTicker),
        ],
    )
    def test_words_that_make_no_sense(self, store, whole, words, error):
        put(store, old(whole, 150))
        with pytest.raises(error):
            rename(store, *words)
        assert names(store) == ("FB",)


class TestTheRecord:
    def test_forecasts_of_the_old_name_are_scored_with_the_new_one(self, store, whole):
        """Two of its three sessions came under the new name."""
        first = old(whole, 102)
        put(store, first)
        write(store, first, 100, sessions=whole.sessions[101:104])
        source = FakeProvider({"META": whole})
        (record,) = run(store, source).records
        assert (record.scored, record.lost) == (1, 2)
        assert [u.reason for u in record.unscored] == [ENDED]
        rename(store, "FB", "META")
        (record,) = run(store, source).records
        assert (record.scored, record.open, record.lost) == (3, 0, 0)
        assert [part.name for part in record.tickers] == ["META"]

    def test_beside_those_of_the_new_name(self, store, whole):
        first = old(whole, 102)
        put(store, first)
        write(store, first, 100, sessions=whole.sessions[101:104])
        rename(store, "FB", "META")
        write(store, whole, 110, sessions=whole.sessions[111:114])
        (record,) = run(store, FakeProvider({"META": whole})).records
        assert record.scored == 6
        assert [(part.name, part.n) for part in record.tickers] == [("META", 2)]

    def test_one_session_that_was_forecast_under_both_names_counts_once(self, store, whole):
        first = old(whole, 102)
        put(store, first)
        for made in (first, whole):
            write(store, made, 100, sessions=whole.sessions[101:104])
        rename(store, "FB", "META")
        (record,) = run(store, FakeProvider({"META": whole})).records
        assert record.scored == 3
        assert [(part.name, part.n) for part in record.tickers] == [("META", 1)]

    def test_where_the_new_name_was_fetched_whole_and_the_old_one_is_gone(self, store, whole):
        put(store, whole)
        write(store, old(whole, 102), 100, sessions=whole.sessions[101:104])
        done = rename(store, "FB", "META")
        assert (done.bars, done.joined) == (200, 0)
        (record,) = run(store, FakeProvider({"META": whole})).records
        assert record.scored == 3

    def test_a_name_after_the_other(self, store, whole):
        put(store, old(whole, 150))
        rename(store, "FB", "META")
        rename(store, "META", "MVRS")
        with store.reading() as tx:
            moves = renames(tx)
        assert {moves.name_of(name, BEFORE) for name in ("FB", "META")} == {"MVRS"}

    def test_and_back(self, store, whole):
        put(store, old(whole, 150))
        rename(store, "FB", "META", now=evening(whole.sessions[160]))
        rename(store, "META", "FB", now=evening(whole.sessions[161]))
        with store.reading() as tx:
            moves = renames(tx)
        assert {moves.name_of(name, BEFORE) for name in ("FB", "META")} == {"FB"}
        assert names(store) == ("FB",)

    def test_two_in_one_second_keep_their_order(self, store, whole):
        put(store, old(whole, 150))
        put(store, replace(old(history("ZZ"), 150), ticker="CC"))
        rename(store, "FB", "META", now=evening(whole.sessions[160]))
        rename(store, "CC", "FB", now=evening(whole.sessions[160]))
        with store.reading() as tx:
            moves = renames(tx)
        assert [moves.name_of(name, BEFORE) for name in ("FB", "CC")] == ["META", "FB"]

    def test_not_of_another_company_that_has_the_old_name_later(self, store, whole):
        first = old(whole, 102)
        put(store, first)
        write(store, first, 100, sessions=whole.sessions[101:104])
        rename(store, "FB", "META", now=evening(whole.sessions[102]))
        other = replace(history("ZZ"), ticker="FB")
        write(store, other, 110, sessions=whole.sessions[111:114])
        (record,) = run(store, FakeProvider({"META": whole, "FB": other})).records
        assert record.scored == 6
        assert [(part.name, part.n) for part in record.tickers] == [("FB", 1), ("META", 1)]

    def test_a_name_that_two_companies_had_and_gave_up(self, store, whole):
        first, second = old(whole, 102), old(replace(history("ZZ"), ticker="FB"), 122)
        put(store, first)
        write(store, first, 100, sessions=whole.sessions[101:104])
        rename(store, "FB", "META", now=evening(whole.sessions[105]))
        put(store, second)
        write(store, second, 120, sessions=whole.sessions[121:124])
        rename(store, "FB", "XYZ", now=evening(whole.sessions[130]))
        third = replace(history("ZZ"), ticker="XYZ")
        (record,) = run(store, FakeProvider({"META": whole, "XYZ": third})).records
        assert [(part.name, part.n) for part in record.tickers] == [("META", 1), ("XYZ", 1)]
        assert record.scored == 6

    def test_with_a_file_of_the_new_name(self, store, whole):
        first = old(whole, 102)
        put(store, first)
        write(store, first, 100, sessions=whole.sessions[101:104])
        rename(store, "FB", "META")
        write(store, whole, 110, sessions=whole.sessions[111:114])
        (record,) = run(store, FakeProvider({}), happened=[whole]).records
        assert record.scored == 6
        assert [(part.name, part.n) for part in record.tickers] == [("META", 2)]
