"""Sessions that follow a history, estimated from its own dates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic import weekdays

from forecaster.market.bars import History
from forecaster.market.calendars import (
    estimate_sessions,
)


def history(days) -> object:
    days = np.asarray(days, dtype="datetime64[D]")
    close, unknown = np.full(len(days), 10.0), np.full(len(days), np.nan)
    return History("A", days, unknown, unknown, unknown, close, unknown, close)


def after(days, horizon: int) -> list[str]:
    return [str(d) for d in estimate_sessions(history(days), horizon)]


def every_day(first: str, count: int):
    return np.datetime64(first) + np.arange(count)


def test_weekdays_go_on_over_the_weekend():
    # from Monday 2020-01-06, 60 weekdays end on Friday 2020-03-27
    assert after(weekdays("2020-01-06", 60), 6) == [
        "2020-03-30",
        "2020-03-31",
        "2020-04-01",
        "2020-04-02",
        "2020-04-03",
        "2020-04-06",
    ]


def test_after_a_wednesday_comes_thursday():
    assert after(weekdays("2020-01-06", 58), 1) == ["2020-03-26"]


def test_crypto_trades_every_day():
    assert after(every_day("2020-01-01", 90), 3) == ["2020-03-31", "2020-04-01", "2020-04-02"]


def test_a_market_from_sunday_to_thursday():
    days = every_day("2020-01-01", 90)
    days = days[~np.isin((days.astype(int) + 3) % 7, [4, 5])]
    assert str(days[-1]) == "2020-03-30"
    assert after(days, 4) == ["2020-03-31", "2020-04-01", "2020-04-02", "2020-04-05"]


def test_weekly_bars_go_on_weekly():
    assert after(np.datetime64("2020-01-03") + 7 * np.arange(30), 3) == [
        "2020-07-31",
        "2020-08-07",
        "2020-08-14",
    ]


def test_monthly_bars_go_on_about_monthly():
    months = np.array([f"2020-{m:02d}-01" for m in range(1, 13)], dtype="datetime64[D]")
    assert after(months, 2) == ["2021-01-01", "2021-02-01"]


def test_a_holiday_does_not_take_a_weekday_away():
    days = weekdays("2020-01-06", 60)
    days = days[days != np.datetime64("2020-03-23")]
    assert after(days, 1) == ["2020-03-30"]


def test_one_saturday_session_does_not_open_every_saturday():
    # exchanges in India trade on a Saturday now and then
    days = np.union1d(weekdays("2024-01-01", 40), [np.datetime64("2024-01-20")])
    assert str(days[-1]) == "2024-02-23"
    assert after(days, 2) == ["2024-02-26", "2024-02-27"]


def test_what_the_history_did_years_ago_does_not_count():
    every = every_day("2019-01-01", 200)
    five = weekdays("2020-01-06", 60)
    assert after(np.concatenate([every, five]), 1) == ["2020-03-30"]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (["2020-01-02", "2020-01-03"], ["2020-01-06", "2020-01-07"]),  # Thursday, Friday
        (["2020-01-03", "2020-01-06"], ["2020-01-07", "2020-01-08"]),  # Friday, Monday
        (["2020-01-04", "2020-01-05"], ["2020-01-06", "2020-01-07"]),  # a weekend: every day
        (["2020-01-10", "2020-01-17"], ["2020-01-24", "2020-01-31"]),  # a week apart
        (["2020-01-02", "2020-01-07"], ["2020-01-08", "2020-01-09"]),  # Thursday, Tuesday
    ],
)
def test_two_bars(days, expected):
    assert after(days, 2) == expected


def test_two_bars_around_a_weekend_of_crypto():
    assert after(["2020-01-03", "2020-01-04"], 2) == ["2020-01-05", "2020-01-06"]


def test_one_bar_is_followed_by_weekdays():
    assert after(["2020-01-03"], 2) == ["2020-01-06", "2020-01-07"]


@given(
    st.lists(st.integers(0, 3000), min_size=1, max_size=100, unique=True),
    st.integers(1, 250),
)
def test_any_history_has_as_many_sessions_as_asked_all_later_and_rising(days, horizon):
    seen = history(np.datetime64("2015-01-01") + np.array(sorted(days)))
    found = estimate_sessions(seen, horizon)
    assert found.shape == (horizon,)
    assert found.dtype == np.dtype("datetime64[D]")
    assert found[0] > seen.cutoff
    assert np.all(np.diff(found).astype(int) > 0)
