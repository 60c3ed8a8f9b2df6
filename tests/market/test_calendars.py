"""Schedules of exchanges: which sessions follow a history, which it lacks, which has closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_estimated_sessions import every_day, history

from forecaster.market.calendars import (
    NO_CALENDARS,
    Calendars,
    Schedule,
    estimate_sessions,
    first_running,
    last_closed,
    missing_sessions,
    next_sessions,
    stray_sessions,
)

HOLIDAYS = ("2025-12-25", "2026-01-01", "2026-01-19", "2026-02-16", "2026-04-03")


def market(first="2025-01-01", until="2026-12-31", holidays=HOLIDAYS, weekmask="1111100"):
    """A made-up exchange that closes at 21:00 UTC, and at 18:00 on Christmas Eve."""
    days = every_day(first, int((np.datetime64(until) - np.datetime64(first)).astype(int)) + 1)
    days = days[np.is_busday(days, weekmask=weekmask, holidays=list(holidays))]
    eve = days == np.datetime64("2025-12-24")
    hours = np.where(eve, np.timedelta64(18, "h"), np.timedelta64(21, "h"))
    closes = days.astype("datetime64[s]") + hours
    return Schedule("MADE", days, closes, np.datetime64(first), np.datetime64(until))


def bars(known, until, count=60):
    """A history with a bar on each of the last sessions of a calendar up to a day."""
    return history(known.sessions[known.sessions <= np.datetime64(until)][-count:])


def dated(found) -> list[str]:
    """Sessions as text, with a question mark behind estimates."""
    sessions, estimated = found
    return [f"{d}{'?' if e else ''}" for d, e in zip(sessions, estimated, strict=True)]


def following(seen, horizon):
    """What weekdays alone say, all of it estimated."""
    return [f"{d}?" for d in estimate_sessions(seen, horizon)]


class TestNextSessions:
    def test_come_from_the_calendar(self):
        known = market()
        assert dated(next_sessions(bars(known, "2025-12-23"), 3, known)) == [
            "2025-12-24",
            "2025-12-26",
            "2025-12-29",
        ]

    def test_without_a_calendar_they_are_estimates(self):
        seen = bars(market(), "2025-12-23")
        assert dated(next_sessions(seen, 3, None)) == ["2025-12-24?", "2025-12-25?", "2025-12-26?"]

    def test_after_the_calendars_end_weekdays_go_on(self):
        # Thursday 2026-01-15 is the last session known; it says nothing of Monday, a holiday
        known = market(until="2026-01-15")
        assert dated(next_sessions(bars(known, "2026-01-13"), 5, known)) == [
            "2026-01-14",
            "2026-01-15",
            "2026-01-16?",
            "2026-01-19?",
            "2026-01-20?",
        ]

    def test_days_that_are_known_to_be_closed_are_not_estimated(self):
        known = market(until="2026-01-01")
        assert dated(next_sessions(bars(known, "2025-12-31"), 2, known)) == [
            "2026-01-02?",
            "2026-01-05?",
        ]

    def test_a_short_history_takes_its_weekdays_from_the_calendar(self):
        sunday_to_thursday = market(until="2025-06-30", weekmask="1111001")
        seen = bars(sunday_to_thursday, "2025-06-30", count=1)
        assert dated(next_sessions(seen, 5, sunday_to_thursday))[3:] == [
            "2025-07-06?",
            "2025-07-07?",
        ]

    @pytest.mark.parametrize("cutoff", ["2024-12-30", "2027-01-04"])
    def test_a_cutoff_outside_the_calendar_leaves_estimates(self, cutoff):
        long = market("2024-01-01", "2027-12-31")
        seen = bars(long, cutoff)
        known = market("2024-12-31", "2026-12-31")
        assert dated(next_sessions(seen, 3, known)) == following(seen, 3)

    def test_crypto_is_not_on_an_exchanges_calendar(self):
        seen = history(every_day("2026-03-01", 60))
        assert dated(next_sessions(seen, 3, market())) == following(seen, 3)

    def test_a_weekend_of_crypto_is_enough_to_know(self):
        seen = history(["2026-03-07", "2026-03-08"])
        assert dated(next_sessions(seen, 1, market())) == ["2026-03-09?"]

    def test_a_share_is_not_on_the_calendar_of_crypto(self):
        always = market(holidays=(), weekmask="1111111")
        seen = bars(market(), "2026-03-06")
        assert dated(next_sessions(seen, 2, always)) == ["2026-03-09?", "2026-03-10?"]

    @pytest.mark.parametrize("step", [5, 21])
    def test_weekly_and_monthly_bars_are_not_followed_by_days(self, step):
        known = market()
        seen = history(known.sessions[:300:step])
        assert dated(next_sessions(seen, 2, known)) == following(seen, 2)

    def test_three_weekly_bars_are_enough_to_know(self):
        seen = history(["2026-03-06", "2026-03-13", "2026-03-20"])
        assert dated(next_sessions(seen, 2, market())) == ["2026-03-27?", "2026-04-03?"]

    def test_weekly_bars_named_after_mondays(self):
        seen = history(np.datetime64("2025-06-02") + 7 * np.arange(40))
        assert dated(next_sessions(seen, 1, market())) == ["2026-03-09?"]

    def test_one_odd_session_in_three_months_is_forgiven(self):
        known = market()
        days = np.union1d(bars(known, "2026-03-06").sessions, [np.datetime64("2026-01-24")])
        assert dated(next_sessions(history(days), 1, known)) == ["2026-03-09"]

    def test_a_thinly_traded_share_follows_its_exchange(self):
        known = market()
        seen = history(known.sessions[known.sessions <= np.datetime64("2025-12-24")][::-3][::-1])
        assert seen.cutoff == np.datetime64("2025-12-24")
        assert dated(next_sessions(seen, 1, known)) == ["2025-12-26"]

    def test_two_bars_around_a_long_holiday_are_neighbours(self):
        week = [f"2026-05-{d:02d}" for d in range(4, 12)]
        known = market(holidays=week)
        seen = history(["2026-05-01", "2026-05-12"])
        assert dated(next_sessions(seen, 2, known)) == ["2026-05-13", "2026-05-14"]

    @given(st.integers(0, 700), st.integers(1, 90), st.integers(1, 120), st.integers(0, 800))
    def test_any_cut_of_a_calendar(self, end, count, horizon, until):
        long = market("2024-01-01", "2027-12-31")
        stop = str(np.datetime64("2024-06-03") + until)
        known = market("2024-01-01", stop)
        seen = history(long.sessions[: end + 1][-count:])
        sessions, estimated = next_sessions(seen, horizon, known)
        assert sessions.shape == estimated.shape == (horizon,)
        assert sessions.dtype == np.dtype("datetime64[D]")
        assert sessions[0] > seen.cutoff
        assert np.all(np.diff(sessions).astype(int) > 0)
        assert not np.any(np.diff(estimated.astype(int)) < 0)  # estimates come last
        true = long.sessions[long.sessions > seen.cutoff][:horizon]
        if seen.cutoff <= known.known_until:
            assert np.array_equal(estimated, sessions > known.known_until)
            sure = int((~estimated).sum())
            assert np.array_equal(sessions[:sure], true[:sure])
        else:
            assert np.all(estimated)


class TestCalendars:
    def test_go_by_the_calendar_that_a_history_names(self):
        known = market()
        calendars = Calendars({"MADE": known})
        seen = bars(known, "2025-12-24")
        named = replace(seen, calendar="MADE")
        assert dated(calendars.next_sessions(named, 1)) == ["2025-12-26"]
        for other in (seen, replace(seen, calendar="ELSE")):
            assert dated(calendars.next_sessions(other, 1)) == ["2025-12-25?"]
        assert dated(NO_CALENDARS.next_sessions(named, 1)) == ["2025-12-25?"]

    def test_are_a_mapping_that_nobody_changes(self):
        schedules = {"MADE": market()}
        calendars = Calendars(schedules)
        schedules.clear()
        assert list(calendars) == ["MADE"]
        assert len(calendars) == 1
        assert len(NO_CALENDARS) == 0
        with pytest.raises(TypeError):
            calendars["MADE"] = market()


class TestGaps:
    def test_sessions_without_a_bar(self):
        known = market()
        days = bars(known, "2026-01-09", 20).sessions
        lacking = days[[3, 7]]
        assert np.array_equal(missing_sessions(np.delete(days, [3, 7]), known), lacking)
        assert len(missing_sessions(history(days).sessions, known)) == 0

    def test_before_the_first_bar_and_after_the_last_nothing_is_missing(self):
        known = market()
        assert len(missing_sessions(history(["2026-03-03"]).sessions, known)) == 0

    def test_bars_on_days_without_a_session(self):
        known = market()
        days = bars(known, "2026-01-09", 20).sessions
        odd = np.array(["2025-12-25", "2026-01-03"], dtype="datetime64[D]")
        assert np.array_equal(stray_sessions(history(np.union1d(days, odd)), known), odd)
        assert len(stray_sessions(history(days), known)) == 0

    def test_nothing_is_said_of_days_that_are_not_known(self):
        known = market("2025-06-01", "2025-06-30")
        seen = history(every_day("2025-05-01", 120))
        strays = [str(d) for d in stray_sessions(seen, known)]
        assert (strays[0], strays[-1]) == ("2025-06-01", "2025-06-29")
        assert len(strays) == 9
        assert len(missing_sessions(history(["2025-05-01", "2025-07-31"]).sessions, known)) == 21


class TestLastClosed:
    @pytest.mark.parametrize(
        ("now", "session"),
        [
            ("2025-12-23T20:59:59", "2025-12-22"),
            ("2025-12-23T21:00:00", "2025-12-23"),
            ("2025-12-24T18:00:00", "2025-12-24"),  # a half day
            ("2025-12-25T23:00:00", "2025-12-24"),
            ("2025-12-28T12:00:00", "2025-12-26"),
        ],
    )
    def test_is_over(self, now, session):
        then = datetime.fromisoformat(now).replace(tzinfo=UTC)
        assert str(last_closed(market(), then)) == session

    def test_time_zones_are_understood(self):
        east = timezone(timedelta(hours=9))
        assert str(last_closed(market(), datetime(2025, 12, 24, 6, 0, tzinfo=east))) == "2025-12-23"
        assert (
            str(last_closed(market(), datetime(2025, 12, 24, 5, 59, tzinfo=east))) == "2025-12-22"
        )

    def test_a_clock_without_a_zone_is_a_bug(self):
        with pytest.raises(ValueError, match="time zone"):
            last_closed(market(), datetime(2025, 12, 24))

    def test_where_the_calendar_does_not_reach_nothing_is_said(self):
        known = market("2025-06-02", "2025-06-06")
        assert last_closed(known, datetime(2025, 6, 2, 20, tzinfo=UTC)) is None
        assert str(last_closed(known, datetime(2025, 6, 7, tzinfo=UTC))) == "2025-06-06"
        assert last_closed(known, datetime(2025, 6, 7, 1, tzinfo=UTC)) is None

    def test_before_1970(self):
        known = market("1962-01-01", "1962-12-31")
        assert str(last_closed(known, datetime(1962, 3, 1, 23, tzinfo=UTC))) == "1962-03-01"


class TestFirstRunning:
    @pytest.mark.parametrize(
        ("now", "session"),
        [
            ("2025-12-23T20:59:59", "2025-12-23"),
            ("2025-12-23T21:00:00", "2025-12-24"),
            ("2025-12-24T18:00:00", "2025-12-26"),
        ],
    )
    def test_is_not_over(self, now, session):
        then = datetime.fromisoformat(now).replace(tzinfo=UTC)
        assert str(first_running(market(), then)) == session

    def test_where_no_calendar_tells_no_date_is_later(self):
        then = datetime(2025, 6, 7, tzinfo=UTC)
        for known in (None, market("2025-06-02", "2025-06-06")):
            assert not np.datetime64("2200-01-01") >= first_running(known, then)


class TestSchedule:
    def test_its_parts_belong_together(self):
        made = market()
        with pytest.raises(ValueError, match="shape"):
            replace(made, closes=made.closes[1:])
        with pytest.raises(ValueError, match="rising"):
            replace(made, sessions=made.sessions[::-1])
        for wrong in ({"known_from": made.sessions[1]}, {"known_until": made.sessions[-2]}):
            with pytest.raises(ValueError, match="range"):
                replace(made, **wrong)
