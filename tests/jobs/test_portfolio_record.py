"""What became of portfolios' risks: profits by hand, sessions as named, periods that are apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from fake_provider import FakeProvider, dividend, evening, split
from risks_written import VALUES, only, put, risk_row
from written import LAST, history, run, write

from forecaster.evaluation.significance import kupiec
from forecaster.jobs.matching import CUTOFF_HOLE, ENDED, HOLE, NO_FILE, NOT_YET, UNTOLD
from forecaster.jobs.portfolio_record import PortfolioRecord
from forecaster.jobs.rename import rename
from forecaster.market.bars import History
from forecaster.market.fetch_options import FetchOptions
from forecaster.market.providers.base import Quotes
from forecaster.market.store import journal


@pytest.fixture
def source() -> FakeProvider:
    return FakeProvider({name: history(name) for name in ("ABC", "XYZ", "EURUSD=X")})


def without(made: History, left_out: np.ndarray) -> History:
    """A history that lacks some bars."""
    fields = ("open", "high", "low", "close", "adjusted_close", "volume", "sessions")
    return replace(made, **{field: getattr(made, field)[~left_out] for field in fields})


class Abroad(FakeProvider):
    """A source whose XYZ trades in London."""

    def fetch(self, ticker: str, since: np.datetime64 | None) -> Quotes:
        found = super().fetch(ticker, since)
        if ticker != "XYZ":
            return found
        return replace(found, exchange="LSE", timezone="Europe/London")


def profit(made: Mapping[str, History], row: int, h: int, values: Mapping[str, float]) -> float:
    """A share of the value, by hand."""
    total = sum(
        value * (made[name].close[row + h] / made[name].close[row] - 1.0)
        for name, value in values.items()
    )
    return total / (sum(values.values()) + 100.0)


class TestAProfit:
    def test_by_hand(self, store, source):
        put(store, risk_row(source.truth, 150, steps=(1, 5)))
        record = only(store, source)
        assert [outcome.profit for outcome in record.outcomes] == [
            pytest.approx(profit(source.truth, 150, h, VALUES)) for h in (1, 5)
        ]
        assert (record.scored, record.open, record.late, record.lost) == (2, 0, 0, 0)
        assert [str(outcome.session) for outcome in record.outcomes] == [
            str(source.truth["ABC"].sessions[150 + h]) for h in (1, 5)
        ]

    def test_of_a_short_position(self, store, source):
        values = {"ABC": 900.0, "XYZ": -400.0}
        put(store, risk_row(source.truth, 150, values=values))
        (outcome,) = only(store, source).outcomes
        assert outcome.profit == pytest.approx(profit(source.truth, 150, 1, values))

    @pytest.mark.parametrize("inverse", [False, True])
    def test_through_a_pair_of_currencies(self, store, source, inverse):
        made = source.truth
        put(store, risk_row(made, 150, pair=("EURUSD=X", inverse)))
        (outcome,) = only(store, source).outcomes
        rate = made["EURUSD=X"].close[151] / made["EURUSD=X"].close[150]
        moved = {name: made[name].close[151] / made[name].close[150] for name in VALUES}
        gain = 600 * (moved["ABC"] - 1) + 300 * (moved["XYZ"] * rate ** (-1 if inverse else 1) - 1)
        assert outcome.profit == pytest.approx(gain / 1000)

    def test_a_split_in_between_changes_nothing(self, store, source):
        """Shares that were written down before a split of 4 to 1 are worth what they were."""
        put(store, risk_row(source.truth, 150, steps=(1, 5)))
        before = [outcome.profit for outcome in only(store, source).outcomes]
        made = source.truth["ABC"]
        source.truth["ABC"] = split(made, made.sessions[152], 4.0)
        other = [o.profit for o in only(store, source, now=evening(LAST + 1)).outcomes]
        assert other == pytest.approx(before)

    def test_a_dividend_belongs_to_it(self, store, source):
        put(store, risk_row(source.truth, 150))
        made = source.truth["ABC"]
        source.truth["ABC"] = dividend(made, made.sessions[151], 0.05)
        (outcome,) = only(store, source).outcomes
        paid = 600 * (made.close[151] / made.close[150]) * (1 / 0.95 - 1) / 1000
        assert outcome.profit == pytest.approx(profit(source.truth, 150, 1, VALUES) + paid)

    def test_nothing_after_the_session_counts(self, store, source):
        put(store, risk_row(source.truth, 150))
        (before,) = only(store, source).outcomes
        for name, made in source.truth.items():
            later = made.sessions > before.session
            parts = {
                field: np.where(later, getattr(made, field) * 1.7, getattr(made, field))
                for field in ("open", "high", "low", "close", "adjusted_close")
            }
            source.truth[name] = replace(made, **parts)
        (after,) = only(store, source, now=evening(LAST + 1)).outcomes
        assert after.profit == before.profit

    def test_an_exchange_that_was_closed_has_its_last_close(self, store, source):
        """XYZ trades elsewhere, on a calendar with another holiday on the session named."""
        made = dict(source.truth)
        named = made["ABC"].sessions[151]
        rest = without(made["XYZ"], made["XYZ"].sessions == named)
        record = risk_row(made, 150, files={"XYZ": "XYZ.csv"})
        put(store, record)
        (outcome,) = only(store, source, happened=[rest]).outcomes
        gain = 600 * (made["ABC"].close[151] / made["ABC"].close[150] - 1) / 1000
        assert outcome.profit == pytest.approx(gain)

    def test_a_holiday_that_its_calendar_knows(self, store):
        """London rests on 25 August 2025, and New York does not."""
        made = {name: history(name) for name in VALUES}
        rests = made["XYZ"].sessions == np.datetime64("2025-08-25")
        made["XYZ"] = without(made["XYZ"], rests)
        source = Abroad(made)
        row = int(np.searchsorted(made["ABC"].sessions, np.datetime64("2025-08-22")))
        put(store, risk_row(made, row, steps=(1, 2)))
        closed, opened = only(store, source).outcomes
        gain = 600 * (made["ABC"].close[row + 1] / made["ABC"].close[row] - 1) / 1000
        assert closed.profit == pytest.approx(gain)
        own = made["XYZ"].close[row + 1] / made["XYZ"].close[row]
        gain = 600 * (made["ABC"].close[row + 2] / made["ABC"].close[row] - 1) + 300 * (own - 1)
        assert opened.profit == pytest.approx(gain / 1000)

    def test_a_ticker_that_was_renamed_goes_on(self, store, source):
        put(store, risk_row(source.truth, 150))
        only(store, source)
        source.truth["NEW"] = replace(source.truth.pop("XYZ"), ticker="NEW")
        rename(store, "XYZ", "NEW")
        record = only(store, source, now=evening(LAST + 1))
        assert (record.scored, record.lost) == (1, 0)

    def test_one_that_only_portfolios_held_may_be_renamed(self, store, source):
        """Its bars are all under the new name, and nothing is forecast under the old one."""
        put(store, risk_row(source.truth, 150))
        source.truth["NEW"] = replace(source.truth.pop("XYZ"), ticker="NEW")
        write(store, source.truth["NEW"], 150)
        assert only(store, source).lost == 1
        rename(store, "XYZ", "NEW")
        record = only(store, source, now=evening(LAST + 1))
        assert (record.scored, record.lost) == (1, 0)


class TestWhatDoesNotCount:
    def test_what_was_written_after_a_session_had_closed(self, store, source):
        session = source.truth["ABC"].sessions[151]
        put(store, risk_row(source.truth, 150, steps=(1, 5)), created=evening(session))
        record = only(store, source)
        assert (record.scored, record.late) == (1, 1)
        assert [outcome.step.step for outcome in record.outcomes] == [5]

    @pytest.mark.parametrize(
        ("code", "estimated", "counts"),
        [(None, False, (0, 1, 0)), (None, True, (1, 0, 0)), ("XNYS", False, (0, 0, 1))],
    )
    def test_a_named_session_of_files_needs_its_calendar(
        self, store, source, code, estimated, counts
    ):
        """Written two hours after the close and before the end of the day."""
        files = {name: f"{name}.csv" for name in VALUES}
        given = [replace(source.truth[name], calendar=None) for name in VALUES]
        session = source.truth["ABC"].sessions[151]
        row = risk_row(source.truth, 150, files=files, estimated=estimated)
        put(store, row, created=evening(session).replace(hour=22))
        record = only(store, source, happened=given, fetching=FetchOptions(calendar=code))
        assert (record.scored, record.open, record.late) == counts
        if record.open:
            assert record.unscored[0].reason == UNTOLD

    def test_a_session_that_has_not_closed(self, store, source):
        named = {1: LAST + 3}
        put(store, risk_row(source.truth, 199, named=named))
        record = only(store, source)
        assert (record.open, record.unscored[0].reason) == (1, NOT_YET)

    @pytest.mark.parametrize(("hour", "counts"), [(15, (0, 1)), (21, (1, 0))])
    def test_the_bars_so_far_of_a_session_score_nothing(self, store, source, hour, counts):
        files = {name: f"{name}.csv" for name in VALUES}
        given = [source.truth[name] for name in VALUES]
        put(store, risk_row(source.truth, 198, files=files))
        named = FetchOptions(calendar="XNYS")
        now = evening(LAST).replace(hour=hour)
        record = only(store, source, happened=given, fetching=named, now=now)
        assert (record.scored, record.open) == counts

    def test_a_holding_without_a_bar_of_that_session(self, store, source):
        put(store, risk_row(source.truth, 150))
        source.truth["XYZ"] = without(source.truth["XYZ"], np.arange(200) == 151)
        record = only(store, source)
        (why,) = record.unscored
        assert (record.open, why.ticker, why.reason) == (1, "XYZ", HOLE)

    def test_a_holding_that_was_delisted(self, store, source):
        put(store, risk_row(source.truth, 150))
        source.truth["XYZ"] = source.truth["XYZ"].slice(0, 151)
        record = only(store, source)
        (why,) = record.unscored
        assert (record.lost, why.ticker, why.reason) == (1, "XYZ", ENDED)

    def test_a_cutoff_without_a_bar(self, store, source):
        put(store, risk_row(source.truth, 150))
        source.truth["ABC"] = without(source.truth["ABC"], np.arange(200) == 150)
        (why,) = only(store, source).unscored
        assert (why.ticker, why.reason) == ("ABC", CUTOFF_HOLE)

    def test_a_file_that_is_not_given(self, store, source):
        put(store, risk_row(source.truth, 150, files={"ABC": "ABC.csv", "XYZ": "XYZ.csv"}))
        record = only(store, source)
        assert (record.open, {why.reason for why in record.unscored}) == (1, {NO_FILE})
        assert source.asked == []
        given = list(source.truth.values())
        assert only(store, source, happened=given).scored == 1

    def test_of_several_of_one_evening_the_last_counts(self, store, source):
        cutoff = source.truth["ABC"].sessions[150]
        put(store, risk_row(source.truth, 150, var=0.01))
        put(store, risk_row(source.truth, 150, var=0.05), evening(cutoff) + timedelta(hours=1))
        put(store, risk_row(source.truth, 150, var=0.09), evening(cutoff) + timedelta(days=4))
        (outcome,) = only(store, source).outcomes
        assert outcome.step.levels[0].var == 0.05


class TestDatesThatWereEstimated:
    def test_are_the_bars_that_came(self, store, source):
        made = source.truth
        wrong = {h: made["ABC"].sessions[150 + h] + 1 for h in (1, 5)}
        files = {"ABC": "a.csv", "XYZ": "x.csv"}
        put(
            store,
            risk_row(made, 150, steps=(1, 5), files=files, estimated=True, named=wrong),
        )
        plain = [replace(made[name], calendar=None) for name in VALUES]
        record = only(store, source, happened=plain)
        assert [outcome.profit for outcome in record.outcomes] == [
            pytest.approx(profit(made, 150, h, VALUES)) for h in (1, 5)
        ]


class TestTallies:
    rows = range(100, 190)

    @pytest.fixture
    def nights(self, store, source) -> PortfolioRecord:
        for row in self.rows:
            put(store, risk_row(source.truth, row, steps=(1, 5), var=0.01))
        return only(store, source)

    def test_exceedances_by_hand(self, nights, source):
        for step, apart in ((1, 1), (5, 5)):
            gains = np.array([profit(source.truth, row, step, VALUES) for row in self.rows])
            for level, var in ((0.95, 0.01), (0.99, 0.02)):
                (tally,) = [t for t in nights.tallies if (t.step, t.level) == (step, level)]
                assert (tally.scored, tally.exceeded) == (90, int((gains <= -var).sum()))
                own = gains[::apart]
                assert tally.periods == len(own) == (90 if step == 1 else 18)
                assert tally.periods_exceeded == int((own <= -var).sum())
                assert tally.expected == pytest.approx((1 - level) * len(own))
                if step == 1:
                    assert tally.kupiec == kupiec(tally.exceeded, 90, 1 - level)
                    assert 0 < tally.christoffersen <= 1
                else:
                    assert (tally.kupiec, tally.christoffersen) == (None, None)
        assert nights.tallies[0].exceeded > 0

    def test_nights_that_were_left_out_are_no_overlap(self, store, source):
        for row in (100, 102, 105, 106, 111, 112):
            put(store, risk_row(source.truth, row, steps=(5,)))
        assert only(store, source).tallies[0].periods == 3

    def test_portfolios_and_models_are_kept_apart(self, store, source):
        put(store, risk_row(source.truth, 150))
        put(store, risk_row(source.truth, 150, source="other.csv"))
        put(store, risk_row(source.truth, 151), model="n")
        put(store, risk_row(source.truth, 150, source=None))
        found = run(store, source).portfolios
        assert [(record.model, record.holdings, record.scored) for record in found] == [
            ("m", "mine.csv", 1), ("m", "other.csv", 1), ("n", "mine.csv", 1),
            ("m", "ABC, CASH, XYZ", 1),
        ]  # fmt: skip

    def test_filters_hold_for_them(self, store, source):
        for row in (150, 151):
            put(store, risk_row(source.truth, row))
        since = source.truth["ABC"].sessions[151]
        assert only(store, source, since=since).scored == 1
        assert only(store, source, model="id-m").scored == 2

    def test_a_journal_of_risks_alone_and_one_without(self, store, source):
        put(store, risk_row(source.truth, 150))
        alone = run(store, source)
        assert (alone.records, alone.scored) == ((), 1)
        write(store, source.truth["ABC"], 150)
        both = run(store, source)
        assert (both.scored, len(both.records), len(both.portfolios)) == (4, 1, 1)
        with store.reading() as tx:
            assert not journal.verify(tx).broken
