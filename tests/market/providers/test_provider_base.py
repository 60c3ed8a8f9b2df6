"""From what a source answered to a history of sessions that are over."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from forecaster.errors import DataError
from forecaster.market.bars import Action
from forecaster.market.providers.base import Quotes, Trading, completed

NAN = np.nan
CLOSE = datetime(2024, 6, 28, 20, 0, tzinfo=UTC)
BEFORE, AFTER = CLOSE.replace(hour=18), CLOSE.replace(hour=21)
FRIDAY = Trading(np.datetime64("2024-06-28"), CLOSE)
DAYS = ("2024-06-26", "2024-06-27", "2024-06-28")


def day(text):
    return np.datetime64(text, "D")


def quotes(close=(10.0, 11.0, 12.0), days=DAYS, **fields):
    close = np.array(close, dtype=float)
    columns = {
        "open": close,
        "high": close + 1,
        "low": close - 1,
        "adjusted_close": close,
        "volume": np.full(close.shape, 100.0),
    }
    columns |= {name: np.array(fields.pop(name), dtype=float) for name in columns if name in fields}
    return Quotes(
        symbol="ACME",
        sessions=np.array(days, dtype="datetime64[D]"),
        close=close,
        **columns,
        **{"trading": FRIDAY, "traded_at": CLOSE, "currency": "USD", **fields},
    )


def test_a_clean_answer_passes_without_a_word():
    done = completed(quotes(), "ACME", AFTER)
    assert done.history.ticker == "ACME"
    assert done.history.close.tolist() == [10, 11, 12]
    assert done.history.high.tolist() == [11, 12, 13]
    assert done.history.volume.tolist() == [100, 100, 100]
    assert done.history.sessions.astype(str).tolist() == list(DAYS)
    assert (done.history.adjusted, done.history.currency, done.history.calendar) == (
        True,
        "USD",
        None,
    )
    assert done.notes == ()


class TestTheSessionStillOpen:
    def test_is_left_out_and_reported(self):
        done = completed(quotes(traded_at=BEFORE), "ACME", BEFORE)
        assert done.history.cutoff == day("2024-06-27")
        assert done.notes == (
            "1 bar of a session that is not over was left out, first 2024-06-28.",
        )

    @pytest.mark.parametrize("traded_at", [BEFORE, None])
    def test_is_over_half_an_hour_after_its_close(self, traded_at):
        second_before = CLOSE.replace(minute=29, second=59)
        open_still = completed(quotes(traded_at=traded_at), "ACME", second_before)
        assert len(open_still.history) == 2
        over = CLOSE.replace(minute=30)
        assert len(completed(quotes(traded_at=traded_at), "ACME", over).history) == 3

    def test_is_over_at_once_when_it_was_traded_up_to_its_close(self):
        assert len(completed(quotes(traded_at=CLOSE), "ACME", CLOSE).history) == 3

    def test_a_clock_behind_the_last_trade_is_not_believed(self):
        years_behind = datetime(2020, 1, 1, tzinfo=UTC)
        assert len(completed(quotes(traded_at=CLOSE), "ACME", years_behind).history) == 3
        assert len(completed(quotes(traded_at=BEFORE), "ACME", years_behind).history) == 2

    def test_a_clock_far_ahead_is_believed(self):
        years_ahead = datetime(2030, 1, 1, tzinfo=UTC)
        assert len(completed(quotes(traded_at=BEFORE), "ACME", years_ahead).history) == 3

    def test_a_bar_after_it_cannot_be_over_either(self):
        asked = quotes(trading=Trading(day("2024-06-27"), CLOSE.replace(day=27)), traded_at=None)
        done = completed(asked, "ACME", BEFORE.replace(day=27))
        assert done.history.cutoff == day("2024-06-26")
        assert done.notes[0].startswith("2 bars of a session that is not over were left out")

    def test_without_hours_all_bars_are_of_sessions_that_are_over(self):
        assert len(completed(quotes(trading=None), "ACME", BEFORE).history) == 3

    def test_other_time_zones_are_compared_as_instants(self):
        from zoneinfo import ZoneInfo

        tokyo = CLOSE.replace(minute=30).astimezone(ZoneInfo("Asia/Tokyo"))
        assert len(completed(quotes(traded_at=BEFORE), "ACME", tokyo).history) == 3


class TestRowsWithoutAClose:
    @pytest.mark.parametrize("cell", [NAN, 0.0, -1.0, np.inf])
    def test_are_left_out_and_reported(self, cell):
        done = completed(quotes((10.0, cell, 12.0)), "ACME", AFTER)
        assert done.history.close.tolist() == [10, 12]
        assert done.notes == ("1 row without a usable close was left out, first 2024-06-27.",)

    def test_are_counted(self):
        done = completed(quotes((NAN, NAN, 12.0)), "ACME", AFTER)
        assert done.notes == ("2 rows without a usable close were left out, first 2024-06-26.",)
        assert len(done.history) == 1

    def test_in_the_session_still_open_are_named_once(self):
        done = completed(quotes((10.0, 11.0, NAN), traded_at=BEFORE), "ACME", BEFORE)
        assert done.notes == (
            "1 bar of a session that is not over was left out, first 2024-06-28.",
        )


class TestNothingLeft:
    def test_no_rows(self):
        with pytest.raises(
            DataError, match=r"^ACME has no bars in the range asked for; at least 1"
        ):
            completed(quotes((), ()), "ACME", AFTER)

    def test_no_close(self):
        with pytest.raises(DataError, match=r"has 3 rows without a usable close.*delisted"):
            completed(quotes((NAN, 0, NAN)), "ACME", AFTER)

    def test_a_first_session_still_open(self):
        asked = quotes((5.0,), DAYS[-1:], traded_at=BEFORE)
        with pytest.raises(DataError, match=r"1 row, 1 of a session that is not over;.*after the"):
            completed(asked, "ACME", BEFORE)

    def test_both(self):
        asked = quotes((NAN, NAN, 5.0), traded_at=BEFORE)
        with pytest.raises(DataError, match="1 of a session that is not over and 2 without"):
            completed(asked, "ACME", BEFORE)


class TestSplitsAfterTheLastSession:
    SPLIT = Action(np.datetime64("2024-06-28"), 4.0)

    def at_noon(self, **fields):
        """The morning of a 4:1 split: the source already shows all prices in new shares."""
        asked = quotes(
            (10.0, 11.0, 12.0),
            traded_at=BEFORE,
            splits=(Action(day("2024-06-27"), 2.0), self.SPLIT),
            **fields,
        )
        return completed(asked, "ACME", BEFORE)

    def test_are_undone(self):
        done = self.at_noon()
        assert done.history.close.tolist() == [40, 44]
        assert done.history.open.tolist() == [40, 44]
        assert done.history.high.tolist() == [44, 48]
        assert done.history.low.tolist() == [36, 40]
        assert done.history.volume.tolist() == [25, 25]
        assert done.history.splits == (Action(day("2024-06-27"), 2.0),)
        assert done.notes[-1] == (
            "1 split that took effect after 2024-06-27 was undone, first on 2024-06-28."
        )

    def test_leave_the_adjusted_closes_equal_to_the_last_close(self):
        done = self.at_noon(adjusted_close=(5.0, 11.0, 12.0))
        assert done.history.adjusted_close.tolist() == [20, 44]

    def test_scale_dividends_and_drop_those_that_came_later(self):
        paid = tuple(Action(day(when), 0.5) for when in DAYS)
        done = self.at_noon(dividends=paid)
        assert done.dividends == (Action(day(DAYS[0]), 2.0), Action(day(DAYS[1]), 2.0))

    def test_also_of_a_session_without_a_row(self):
        asked = quotes(splits=(Action(day("2024-07-01"), 0.1),))
        done = completed(asked, "ACME", AFTER)
        assert done.history.close.tolist() == pytest.approx([1.0, 1.1, 1.2])
        assert done.history.volume.tolist() == pytest.approx([1000] * 3)
        assert done.history.splits == ()

    def test_of_the_last_session_stay(self):
        done = completed(quotes(splits=(self.SPLIT,)), "ACME", AFTER)
        assert done.history.close.tolist() == [10, 11, 12]
        assert done.history.splits == (self.SPLIT,)

    def test_the_source_is_left_as_it_was(self):
        asked = quotes(traded_at=BEFORE, splits=(self.SPLIT,))
        completed(asked, "ACME", BEFORE)
        assert asked.close.tolist() == [10, 11, 12]
        assert asked.volume.tolist() == [100, 100, 100]


class TestAdjustedCloses:
    def test_end_at_the_last_close_whatever_their_scale(self):
        done = completed(quotes(adjusted_close=(1.0, 2.0, 3.0)), "ACME", AFTER)
        assert done.history.adjusted_close.tolist() == pytest.approx([4, 8, 12])
        assert done.history.adjusted_close[-1] == done.history.close[-1]
        assert done.history.adjusted

    def test_forget_a_dividend_of_the_session_left_out(self):
        asked = quotes(adjusted_close=(9.0, 9.9, 12.0), traded_at=BEFORE)
        done = completed(asked, "ACME", BEFORE)
        assert done.history.adjusted_close.tolist() == pytest.approx([10, 11])

    def test_a_missing_one_takes_the_adjustment_of_the_bar_before(self):
        done = completed(quotes(adjusted_close=(5.0, NAN, 12.0)), "ACME", AFTER)
        assert done.history.adjusted_close.tolist() == pytest.approx([5, 5.5, 12])
        assert "1 row without an adjusted close" in done.notes[0]

    def test_none_at_all_are_the_closes(self):
        done = completed(quotes(adjusted_close=(NAN, NAN, NAN)), "ACME", AFTER)
        assert done.history.adjusted_close.tolist() == [10, 11, 12]
        assert not done.history.adjusted


def test_a_bar_that_contradicts_itself_keeps_its_close_alone():
    done = completed(quotes(high=(11.0, 5.0, 13.0)), "ACME", AFTER)
    assert np.isnan([done.history.open[1], done.history.high[1], done.history.low[1]]).all()
    assert done.history.close[1] == 11
    assert done.notes[0].startswith("1 bar contradicts itself")
    assert "first 2024-06-27" in done.notes[0]


def test_an_open_of_zero_is_unknown():
    done = completed(quotes(open=(0.0, 11.0, 12.0)), "ACME", AFTER)
    assert np.isnan(done.history.open[0])
    assert done.notes == (
        "1 row with open at or below zero, first 2024-06-26; open was taken as unknown there.",
    )


def test_one_bar_without_any_volume_is_a_history():
    done = completed(quotes((5.0,), DAYS[-1:], volume=(NAN,)), "ACME", AFTER)
    assert len(done.history) == 1
    assert np.isnan(done.history.volume).all()


def test_up_to_an_earlier_day_agrees_with_what_was_seen_then():
    split = Action(day("2024-06-28"), 4.0)
    seen_later = completed(quotes(splits=(split,)), "ACME", AFTER).history.up_to(day(DAYS[1]))
    seen_then = completed(quotes(splits=(split,), traded_at=BEFORE), "ACME", BEFORE).history
    assert seen_later.close.tolist() == seen_then.close.tolist()
    assert seen_later.volume.tolist() == seen_then.volume.tolist()


def test_an_unknown_currency_stays_unknown():
    assert completed(replace(quotes(), currency=None), "ACME", AFTER).history.currency is None
