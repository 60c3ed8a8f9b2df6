"""Tickers become histories: when a source is asked, and what is said when it cannot be."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from fake_provider import FakeProvider, evening
from synthetic import garch_history

from forecaster.errors import RateLimited, SettingsError, SourceUnavailable, UnknownTicker
from forecaster.market import exchanges
from forecaster.market.bars import PRICE_FIELDS, History
from forecaster.market.fetch_options import DEFAULT_FETCH_OPTIONS, FetchOptions, StoredBars
from forecaster.market.files.read import LoadResult
from forecaster.market.load import read_sorted
from forecaster.market.store import Store, bars
from forecaster.market.store.tickers import IMPORT, stored_tickers

FRIDAY = np.datetime64("2026-03-06")


def on_xnys(ticker: str, bars: int, seed: int, last: np.datetime64 = FRIDAY) -> History:
    """A history on the sessions of New York that ends on ``last``."""
    known = exchanges.schedule("XNYS", last - 3 * bars, last)
    made = garch_history(ticker, bars, seed=seed)
    return replace(made, sessions=known.sessions[-bars:], adjusted_close=made.close.copy())


@pytest.fixture
def store(tmp_path):
    with Store(f"sqlite:///{tmp_path}/prices.db") as opened:
        yield opened


@pytest.fixture
def source() -> FakeProvider:
    truth = {"ABC": on_xnys("ABC", 50, 1), "XYZ": on_xnys("XYZ", 40, 2)}
    return FakeProvider({name: h.up_to(FRIDAY - 1) for name, h in truth.items()})


def load(
    store: Store,
    source: FakeProvider,
    *words: str,
    now: datetime,
    fetching: FetchOptions = DEFAULT_FETCH_OPTIONS,
    last: int | None = None,
) -> LoadResult:
    return read_sorted(
        [],
        words,
        fetching=fetching,
        store=store,
        provider=lambda: source,
        now=now,
        stored=StoredBars(last),
    )


THURSDAY = evening(FRIDAY - 1)
"""After the close of the last session in the store."""


class TestWhenASourceIsAsked:
    def test_of_a_new_ticker(self, store, source):
        loaded = load(store, source, "ABC", now=THURSDAY)
        assert source.asked == [("ABC", None)]
        assert len(loaded.panel.histories[0]) == 49

    @pytest.mark.parametrize(
        ("now", "asked"),
        [
            (THURSDAY + timedelta(minutes=1), False),
            (evening(FRIDAY).replace(hour=14), False),  # before Friday's close
            (evening(FRIDAY).replace(hour=20, minute=59), False),
            (evening(FRIDAY).replace(hour=21, minute=1), True),
            (evening(FRIDAY + 2), True),
        ],
    )
    def test_again_when_a_session_has_closed(self, store, source, now, asked):
        load(store, source, "ABC", now=THURSDAY)
        load(store, source, "ABC", now=now)
        assert len(source.asked) == 1 + asked

    def test_not_on_a_weekend_after_it_answered(self, store, source):
        source.truth["ABC"] = on_xnys("ABC", 50, 1)
        load(store, source, "ABC", now=evening(FRIDAY))
        for days in (1, 2):
            load(store, source, "ABC", now=evening(FRIDAY + days))
        load(store, source, "ABC", now=evening(FRIDAY + 3).replace(hour=12))
        assert len(source.asked) == 1

    def test_not_on_a_holiday(self, store, source):
        eve = np.datetime64("2026-12-24")
        source.truth["ABC"] = on_xnys("ABC", 50, 1, eve)
        load(store, source, "ABC", now=evening(eve))
        load(store, source, "ABC", now=evening(eve + 3))
        assert len(source.asked) == 1

    def test_not_at_once_where_the_answer_did_not_have_it_yet(self, store, source):
        load(store, source, "ABC", now=THURSDAY)
        late = evening(FRIDAY).replace(hour=21, minute=5)
        load(store, source, "ABC", now=late)
        load(store, source, "ABC", now=late + timedelta(minutes=14))
        assert len(source.asked) == 2
        load(store, source, "ABC", now=late + timedelta(minutes=16))
        assert len(source.asked) == 3

    def test_once_an_hour_where_no_calendar_tells(self, store, source):
        source.exchange = None
        source.truth["ABC.XX"] = source.truth["ABC"]
        load(store, source, "ABC.XX", now=THURSDAY)
        load(store, source, "ABC.XX", now=THURSDAY + timedelta(minutes=59))
        assert len(source.asked) == 1
        load(store, source, "ABC.XX", now=THURSDAY + timedelta(minutes=61))
        assert len(source.asked) == 2

    def test_at_once_where_the_last_answer_is_of_a_clock_that_was_ahead(self, store, source):
        source.exchange = None
        source.truth["ABC.XX"] = source.truth["ABC"]
        load(store, source, "ABC.XX", now=THURSDAY + timedelta(days=800))
        source.truth["ABC.XX"] = on_xnys("ABC.XX", 50, 1)
        loaded = load(store, source, "ABC.XX", now=evening(FRIDAY))
        assert loaded.panel.histories[0].cutoff == FRIDAY
        load(store, source, "ABC.XX", now=evening(FRIDAY) + timedelta(minutes=59))
        assert len(source.asked) == 2

    def test_never_offline(self, store, source):
        load(store, source, "ABC", now=THURSDAY)
        offline = FetchOptions(offline=True)
        loaded = load(store, source, "ABC", "XYZ", now=evening(FRIDAY + 7), fetching=offline)
        assert len(source.asked) == 1
        assert [h.ticker for h in loaded.panel.histories] == ["ABC"]
        (failure,) = loaded.failures
        assert (failure.ticker, failure.error.code) == ("XYZ", "source")
        assert "offline" in str(failure.error)

    def test_not_of_imported_bars(self, store, source):
        load(store, source, "ABC", now=THURSDAY)
        with store.writing() as tx:
            history = bars.read(tx, "ABC")
            known = stored_tickers(tx, ["ABC"])["ABC"].info
            bars.replace(tx, history, (), replace(known, source=IMPORT))
        loaded = load(store, source, "ABC", now=evening(FRIDAY + 7))
        assert len(source.asked) == 1
        (note,) = loaded.notes
        assert "they came from a file. For newer ones: forecast fetch ABC" in note.message

    def test_each_ticker_once(self, store, source):
        loaded = load(store, source, "abc", "ABC", "$ABC", now=THURSDAY)
        assert len(source.asked) == 1
        assert len(loaded.panel.histories) == 1

    def test_a_provider_is_made_only_if_it_is_needed(self, store, source):
        load(store, source, "ABC", now=THURSDAY)

        def none() -> FakeProvider:
            raise AssertionError

        read_sorted([], ["ABC"], store=store, provider=none, now=THURSDAY + timedelta(hours=3))

    def test_a_provider_that_does_not_exist(self, store):
        with pytest.raises(SettingsError, match="nosuch"):
            read_sorted([], ["ABC"], fetching=FetchOptions(provider="nosuch"), store=store)


class TestWhatIsGiven:
    def test_the_order_of_the_words(self, store, source):
        loaded = load(store, source, "XYZ", "ABC", now=THURSDAY)
        assert [h.ticker for h in loaded.panel.histories] == ["XYZ", "ABC"]
        assert not loaded.failures
        assert not loaded.notes

    def test_the_calendar_of_the_exchange(self, store, source):
        loaded = load(store, source, "ABC", now=THURSDAY)
        ahead, estimated = loaded.calendars.next_sessions(loaded.panel.histories[0], 3)
        assert ahead.astype(str).tolist() == ["2026-03-06", "2026-03-09", "2026-03-10"]
        assert not estimated.any()

    def test_another_calendar_that_the_user_named(self, store, source):
        loaded = load(store, source, "ABC", now=THURSDAY, fetching=FetchOptions(calendar="XLON"))
        assert loaded.panel.histories[0].calendar == "XLON"
        assert list(loaded.calendars) == ["XLON"]
        assert load(store, source, "ABC", now=THURSDAY).panel.histories[0].calendar == "XNYS"

    def test_the_calendar_comes_from_the_store_the_second_time(self, store, source, monkeypatch):
        load(store, source, "ABC", now=THURSDAY)
        monkeypatch.setattr(exchanges, "schedule", None)
        loaded = load(store, source, "ABC", now=THURSDAY + timedelta(days=90))
        assert "XNYS" in loaded.calendars

    def test_a_calendar_that_cannot_be_made_is_said_once(self, store, source):
        source.exchange = "TLV"
        assert exchanges.calendar_of("ABC", "TLV") == "XTAE"
        first = load(store, source, "ABC", now=THURSDAY)
        assert any("XTAE" in note.message for note in first.notes)
        second = load(store, source, "ABC", now=THURSDAY + timedelta(minutes=1))
        assert not second.notes
        _, estimated = second.calendars.next_sessions(second.panel.histories[0], 3)
        assert estimated.all()

    def test_the_newest_bars_alone(self, store, source):
        loaded = load(store, source, "ABC", now=THURSDAY, last=7)
        assert len(loaded.panel.histories[0]) == 7

    def test_bars_since_a_date_after_the_last_one(self, store, source):
        load(store, source, "ABC", now=THURSDAY)
        last = source.truth["ABC"].cutoff
        late = FetchOptions(since=last + 400, offline=True)
        (failure,) = load(store, source, "ABC", now=THURSDAY, fetching=late).failures
        assert f"ABC is stored to {last}" in str(failure.error)
        assert f"since {last} or earlier" in str(failure.error)

    def test_bars_since_a_date(self, store, source):
        load(store, source, "ABC", now=THURSDAY)
        since = source.truth["ABC"].sessions[30]
        loaded = load(store, source, "ABC", now=THURSDAY, fetching=FetchOptions(since=since))
        assert loaded.panel.histories[0].first == since
        assert len(source.asked) == 1

    def test_missing_sessions_are_said_and_not_filled(self, store, source):
        whole = source.truth["ABC"]
        keep = ~np.isin(np.arange(49), [20, 21, 30])
        parts = {name: getattr(whole, name)[keep] for name in PRICE_FIELDS}
        source.truth["ABC"] = replace(whole, sessions=whole.sessions[keep], **parts)
        loaded = load(store, source, "ABC", now=THURSDAY)
        assert len(loaded.panel.histories[0]) == 46
        (note,) = loaded.notes
        assert note.message == (
            f"3 sessions of XNYS have no bar, the first {whole.sessions[20]}, the last"
            f" {whole.sessions[30]}; they were not filled"
        )

    def test_words_that_cannot_be_tickers(self, store, source):
        loaded = load(store, source, "BRK/B", "ABC", now=THURSDAY)
        (failure,) = loaded.failures
        assert failure.ticker == "BRK/B"
        assert "BRK-B" in str(failure.error)
        assert len(loaded.panel.histories) == 1


class TestWhenTheSourceFails:
    def test_stored_bars_are_used_and_their_age_is_said(self, store, source):
        load(store, source, "ABC", now=THURSDAY)
        source.problem = SourceUnavailable("Yahoo did not answer.")
        loaded = load(store, source, "ABC", now=evening(FRIDAY + 4))
        assert len(loaded.panel.histories[0]) == 49
        (note,) = loaded.notes
        assert note.message == (
            "Yahoo did not answer. Meanwhile stored bars to 2026-03-05 are used, 3 sessions behind."
        )

    def test_one_session_behind(self, store, source):
        load(store, source, "ABC", now=THURSDAY)
        source.problem = SourceUnavailable("Yahoo did not answer.")
        (note,) = load(store, source, "ABC", now=evening(FRIDAY)).notes
        assert note.message.endswith("are used, 1 session behind.")

    def test_days_where_no_calendar_tells(self, store, source):
        source.exchange = None
        source.truth["ABC.XX"] = source.truth["ABC"]
        load(store, source, "ABC.XX", now=THURSDAY)
        source.problem = SourceUnavailable("Yahoo did not answer.")
        (note,) = load(store, source, "ABC.XX", now=evening(FRIDAY + 4)).notes
        assert note.message.endswith("are used, 5 days old.")

    def test_without_stored_bars_it_fails(self, store, source):
        source.problem = SourceUnavailable("Yahoo did not answer.")
        (failure,) = load(store, source, "ABC", now=THURSDAY).failures
        assert failure.error is source.problem

    def test_bars_that_another_run_stored_meanwhile_are_used(self, store, source):
        other = FakeProvider(dict(source.truth))

        def race(_ticker: str) -> None:
            load(store, other, "ABC", now=THURSDAY)
            raise SourceUnavailable("Yahoo did not answer.")

        source.before_answer = race
        loaded = load(store, source, "ABC", now=THURSDAY)
        assert len(loaded.panel.histories[0]) == 49
        assert loaded.stale == ("ABC",)

    def test_a_ticker_that_the_source_forgot(self, store, source):
        load(store, source, "ABC", now=THURSDAY)
        del source.truth["ABC"]
        loaded = load(store, source, "ABC", now=evening(FRIDAY))
        assert len(loaded.panel.histories) == 1
        assert loaded.notes[0].message.startswith("nobody knows ABC. Meanwhile stored bars")

    def test_an_unknown_ticker_with_a_hint(self, store, source):
        (failure,) = load(store, source, "BRK.B", now=THURSDAY).failures
        assert isinstance(failure.error, UnknownTicker)
        assert "Write BRK-B" in str(failure.error)

    def test_a_rate_limit_leaves_stored_bars_usable(self, store, source):
        load(store, source, "ABC", "XYZ", now=THURSDAY)
        source.problem = RateLimited("too often.")
        loaded = load(store, source, "ABC", "XYZ", now=evening(FRIDAY))
        assert len(loaded.panel.histories) == 2
        assert len(loaded.notes) == 2

    def test_a_store_that_can_only_be_read(self, store, source):
        load(store, source, "ABC", now=THURSDAY)
        store.read_only = True
        loaded = load(store, source, "ABC", now=evening(FRIDAY + 4))
        assert len(loaded.panel.histories) == 1
        assert len(source.asked) == 1
        (note,) = loaded.notes
        assert "cannot be written" in note.message
        assert "3 sessions behind" in note.message

    def test_a_store_that_can_only_be_read_and_has_nothing(self, store, source):
        store.read_only = True
        (failure,) = load(store, source, "ABC", now=THURSDAY).failures
        assert isinstance(failure.error, SettingsError)

    def test_a_clock_that_is_wrong(self, store, source):
        load(store, source, "ABC", now=THURSDAY)
        loaded = load(store, source, "ABC", now=THURSDAY - timedelta(days=400))
        assert len(loaded.panel.histories) == 1
        assert any("Check the clock" in note.message for note in loaded.notes)
