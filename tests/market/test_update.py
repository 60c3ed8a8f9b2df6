"""Updates ask for what is missing, notice what changed, and lose nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fake_provider import FakeProvider, dividend, evening, split
from synthetic import garch_history
from updates import fetch, stored

from forecaster.errors import DataError, SourceUnavailable, UnknownTicker
from forecaster.market.bars import PRICE_FIELDS, Action, History
from forecaster.market.store import Store, bars
from forecaster.market.store.tickers import stored_names, stored_tickers
from forecaster.market.update import OVERLAP, UpdateResult


def whole(bars: int = 60) -> History:
    made = garch_history("ABC", bars, seed=3)
    return replace(made, adjusted_close=made.close.copy())


@pytest.fixture
def source() -> FakeProvider:
    return FakeProvider({"ABC": whole().slice(0, 40)})


def run(store: Store, source: FakeProvider, **options: object) -> UpdateResult:
    last = source.truth["ABC"].cutoff if "ABC" in source.truth else np.datetime64("2026-01-05")
    return fetch(store, source, last, **options)


def latest_fetch(tx):
    return tx.exec_driver_sql(
        "SELECT outcome, detail FROM fetches WHERE ticker = 'ABC' ORDER BY id DESC LIMIT 1"
    ).one()


def same_bars(a: History, b: History) -> None:
    np.testing.assert_array_equal(a.sessions, b.sessions)
    for name in PRICE_FIELDS:
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-12, err_msg=name)


class TestNew:
    def test_everything_is_stored(self, store, source):
        made = run(store, source)
        assert (made.outcome, made.added, made.extent.bars) == ("new", 40, 40)
        assert (made.extent.first, made.extent.cutoff) == (whole().first, whole().sessions[39])
        same_bars(stored(store), whole().slice(0, 40))
        assert source.asked == [("ABC", None)]

    def test_what_the_source_says_of_it(self, store, source):
        run(store, source)
        with store.reading() as tx:
            known = stored_tickers(tx, ["ABC"])["ABC"].info
        assert (known.source, known.currency, known.exchange) == ("yahoo", "USD", "NMS")
        assert (known.calendar, known.timezone) == ("XNYS", "America/New_York")
        assert known.answered == evening(whole().sessions[39])

    def test_from_a_date_on(self, store, source):
        since = whole().sessions[10]
        made = run(store, source, since=since)
        assert source.asked == [("ABC", str(since))]
        assert made.extent.bars == 30
        with store.reading() as tx:
            assert stored_tickers(tx, ["ABC"])["ABC"].info.since == since

    def test_nobody_knows_it(self, store, source):
        source.truth.clear()
        with pytest.raises(UnknownTicker):
            run(store, source)
        with store.reading() as tx:
            assert stored_names(tx) == ()
            assert latest_fetch(tx).outcome == "failed"

    def test_an_answer_without_a_bar(self, store, source):
        source.truth["ABC"] = replace(whole().slice(0, 1))
        quotes = source.fetch("ABC", None)
        source.fetch = lambda _ticker, _since: replace(quotes, close=np.array([np.nan]))
        with pytest.raises(DataError):
            run(store, source)


class TestUpdates:
    def test_only_what_is_missing_and_an_overlap_are_asked_for(self, store, source):
        run(store, source)
        source.truth["ABC"] = whole().slice(0, 43)
        made = run(store, source)
        assert source.asked[1:] == [("ABC", str(whole().sessions[40 - OVERLAP]))]
        assert (made.outcome, made.added, made.extent.bars) == ("updated", 3, 43)
        same_bars(stored(store), whole().slice(0, 43))

    def test_nothing_new(self, store, source):
        run(store, source)
        made = run(store, source)
        assert (made.outcome, made.added, made.extent.bars) == ("current", 0, 40)
        same_bars(stored(store), whole().slice(0, 40))

    def test_a_history_shorter_than_the_overlap(self, store, source):
        source.truth["ABC"] = whole().slice(0, 3)
        run(store, source)
        source.truth["ABC"] = whole().slice(0, 5)
        assert run(store, source).outcome == "updated"
        same_bars(stored(store), whole().slice(0, 5))

    def test_rounding_in_single_precision_is_no_change(self, store, source):
        run(store, source)
        later = whole().slice(0, 43)
        source.truth["ABC"] = replace(later, close=later.close.astype(np.float32).astype(float))
        assert run(store, source).outcome == "updated"

    def test_a_corrected_volume_is_taken_over(self, store, source):
        run(store, source)
        later = whole().slice(0, 43)
        volume = later.volume.copy()
        volume[38] *= 1.1
        volume[2] *= 1.1  # too long ago to be asked for again
        source.truth["ABC"] = replace(later, volume=volume)
        assert run(store, source).outcome == "updated"
        read = stored(store).volume
        assert read[38] == volume[38]
        assert read[2] == later.volume[2]

    def test_older_sessions_that_are_wanted_now(self, store, source):
        run(store, source, since=whole().sessions[10])
        made = run(store, source, since=whole().sessions[5])
        assert source.asked[-1] == ("ABC", str(whole().sessions[5]))
        assert (made.outcome, made.extent.bars) == ("reloaded", 35)

    def test_since_is_kept_where_nothing_is_said(self, store, source):
        run(store, source, since=whole().sessions[10])
        source.truth["ABC"] = split(whole().slice(0, 43), whole().sessions[41], 4.0)
        assert run(store, source).outcome == "reloaded"
        assert source.asked[-1] == ("ABC", str(whole().sessions[10]))
        assert stored(store).first == whole().sessions[10]

    def test_each_one_is_on_record(self, store, source):
        run(store, source)
        source.truth["ABC"] = whole().slice(0, 43)
        run(store, source)
        with store.reading() as tx:
            found = latest_fetch(tx)
        assert found.outcome == "updated"
        assert found.detail.startswith("3 bars added, 43 from 2015-01-05 to ")


class TestWhatChanged:
    def reload(self, store: Store, source: FakeProvider, later: History) -> UpdateResult:
        run(store, source)
        source.truth["ABC"] = later
        made = run(store, source)
        same_bars(stored(store), later)
        assert source.asked[-1] == ("ABC", None)
        return made

    def test_a_split_rewrites_the_past(self, store, source):
        later = split(whole().slice(0, 43), whole().sessions[41], 4.0)
        made = self.reload(store, source, later)
        assert (made.outcome, made.added) == ("reloaded", 3)
        (note,) = made.notes
        assert note.startswith("all bars were fetched again, because the close of ")
        assert stored(store).splits == later.splits

    def test_returns_around_a_split_are_the_market_s(self, store, source):
        later = split(whole().slice(0, 43), whole().sessions[41], 4.0)
        self.reload(store, source, later)
        moved = np.diff(np.log(stored(store).adjusted_close))
        np.testing.assert_allclose(moved, np.diff(np.log(whole().close[:43])), rtol=1e-9)

    def test_a_dividend(self, store, source):
        day = whole().sessions[41]
        source.dividends["ABC"] = (Action(day, 0.5),)
        made = self.reload(store, source, dividend(whole().slice(0, 43), day, 0.02))
        assert "adjusted close" in made.notes[0]
        with store.reading() as tx:
            assert bars.dividends(tx, "ABC") == source.dividends["ABC"]

    @pytest.mark.parametrize("field", ["open", "high", "low", "close"])
    def test_a_correction_of_one_price(self, store, source, field):
        later = whole().slice(0, 43)
        values = getattr(later, field).copy()
        values[37] *= 1.0001 if field in ("close", "high") else 0.9999
        changes = {field: values}
        if field == "close":
            changes["adjusted_close"] = values
        made = self.reload(store, source, replace(later, **changes))
        assert f"because the {field} of {whole().sessions[37]} was" in made.notes[0]

    def test_a_session_that_is_gone(self, store, source):
        later = whole().slice(0, 43)
        keep = np.arange(43) != 35
        parts = {name: getattr(later, name)[keep] for name in PRICE_FIELDS}
        thinner = replace(later, sessions=later.sessions[keep], **parts)
        made = self.reload(store, source, thinner)
        assert f"the session {whole().sessions[35]} is gone" in made.notes[0]

    def test_a_session_that_was_added(self, store, source):
        keep = np.arange(40) != 35
        now = whole().slice(0, 40)
        parts = {name: getattr(now, name)[keep] for name in PRICE_FIELDS}
        source.truth["ABC"] = replace(now, sessions=now.sessions[keep], **parts)
        made = self.reload(store, source, now)
        assert f"the session {whole().sessions[35]} was added" in made.notes[0]

    def test_a_dividend_that_is_taken_back(self, store, source):
        source.dividends["ABC"] = (Action(whole().sessions[36], 0.01),)
        run(store, source)
        source.dividends["ABC"] = ()
        made = run(store, source)
        assert made.outcome == "reloaded"
        assert "the dividends since" in made.notes[0]

    def test_another_source(self, store, source):
        run(store, source)
        source.name = "tiingo"
        assert run(store, source).outcome == "reloaded"
        with store.reading() as tx:
            assert stored_tickers(tx, ["ABC"])["ABC"].info.source == "tiingo"


class TestNothingIsLost:
    """A whole answer that has less than the store does not take its place."""

    def kept(self, store: Store, source: FakeProvider, answer: History) -> UpdateResult:
        run(store, source)
        before = stored(store)
        source.truth["ABC"] = answer
        made = run(store, source)
        same_bars(stored(store), before)
        assert made.outcome == "kept"
        return made

    def test_an_answer_that_ends_early(self, store, source):
        made = self.kept(store, source, split(whole().slice(0, 36), whole().sessions[34], 2.0))
        assert f"has bars to {whole().sessions[35]} only" in made.notes[-1]
        assert "forecast data prune ABC" in made.notes[-1]

    def test_an_answer_that_begins_late(self, store, source):
        late = split(whole(), whole().sessions[41], 2.0).slice(20, 43)
        made = self.kept(store, source, late)
        assert f"has bars from {whole().sessions[20]} on" in made.notes[-1]

    def test_an_answer_with_holes(self, store, source):
        later = split(whole().slice(0, 43), whole().sessions[41], 2.0)
        keep = np.arange(43) % 3 != 1
        parts = {name: getattr(later, name)[keep] for name in PRICE_FIELDS}
        made = self.kept(store, source, replace(later, sessions=later.sessions[keep], **parts))
        assert "of the 40 stored sessions" in made.notes[-1]

    def test_an_answer_that_ends_before_the_overlap(self, store, source):
        run(store, source)
        source.truth["ABC"] = whole().slice(0, 20)
        with pytest.raises(DataError, match="ABC has no bars in the range asked for"):
            run(store, source)
        same_bars(stored(store), whole().slice(0, 40))

    def test_a_source_that_fails(self, store, source):
        run(store, source)
        source.problem = SourceUnavailable("no answer.")
        with pytest.raises(SourceUnavailable):
            run(store, source)
        same_bars(stored(store), whole().slice(0, 40))

    def test_a_source_that_fails_when_all_is_asked_for_again(self, store, source):
        run(store, source)
        source.truth["ABC"] = split(whole().slice(0, 43), whole().sessions[41], 4.0)

        def second_time(_ticker: str) -> None:
            if len(source.asked) == 3:
                raise SourceUnavailable("no answer.")

        source.before_answer = second_time
        with pytest.raises(SourceUnavailable):
            run(store, source)
        same_bars(stored(store), whole().slice(0, 40))


class TestTwoAtOnce:
    def test_another_run_was_faster(self, store, source):
        run(store, source)
        source.truth["ABC"] = whole().slice(0, 43)
        other = FakeProvider(dict(source.truth))
        source.before_answer = lambda _ticker: run(store, other)
        made = run(store, source)
        assert (made.outcome, made.added) == ("current", 0)
        same_bars(stored(store), whole().slice(0, 43))

    def test_another_run_reloaded_meanwhile(self, store, source):
        run(store, source)
        source.truth["ABC"] = whole().slice(0, 42)
        later = split(whole().slice(0, 43), whole().sessions[42], 4.0)
        other = FakeProvider({"ABC": later})

        def race(_ticker: str) -> None:
            source.before_answer = None
            run(store, other)
            source.truth["ABC"] = later

        source.before_answer = race
        answer = source.truth["ABC"]
        source.truth["ABC"] = answer
        run(store, source)
        same_bars(stored(store), later)

    def test_it_was_pruned_meanwhile(self, store, source):
        run(store, source)

        def prune(_ticker: str) -> None:
            source.before_answer = None
            with store.writing() as tx:
                bars.forget(tx, "ABC")

        source.before_answer = prune
        source.truth["ABC"] = whole().slice(0, 43)
        assert run(store, source).outcome == "new"
        same_bars(stored(store), whole().slice(0, 43))
