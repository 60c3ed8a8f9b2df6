"""Bars of weeks, months and quarters are refused; holidays and rare trading are not."""

import numpy as np
import pandas as pd
import pytest

from forecaster.errors import DataError
from forecaster.market.spacing import require_daily


def days(*spans):
    dates = [
        np.datetime64(day, "D") for start, end, step in spans for day in dates_of(start, end, step)
    ]
    return np.unique(np.array(dates))


def dates_of(start, count, step):
    if isinstance(count, int):
        return pd.date_range(start, periods=count, freq=step).date
    return pd.date_range(start, count, freq=step).date


PERIODS = {
    "W-FRI": "a week apart (median 7 days)",
    "W-MON": "a week apart (median 7 days)",
    "W-SUN": "a week apart (median 7 days)",
    "2W-FRI": "14 days apart",
    "SMS": "days apart",
    "10D": "10 days apart",
    "MS": "a month apart",
    "ME": "a month apart",
    "BME": "a month apart",
    "WOM-3FRI": "a month apart",
    "QE": "a quarter apart",
    "BQE": "a quarter apart",
    "YE": "a year apart",
}


@pytest.mark.parametrize(("step", "found"), PERIODS.items())
@pytest.mark.parametrize("count", [3, 4, 7, 13, 30, 200])
def test_longer_periods_are_refused(step, found, count):
    with pytest.raises(
        DataError, match=r"x\.csv: bars are .* one bar a session is needed"
    ) as error:
        require_daily(days(("1990-01-05", count, step)), "x.csv")
    assert found in str(error.value)


@pytest.mark.parametrize("step", ["2D", "3D", "2B"])
def test_bars_of_every_few_days_are_refused(step):
    with pytest.raises(DataError, match=r"bars are [23] days apart"):
        require_daily(days(("1990-01-05", 30, step)), "x.csv")


def test_fixed_days_of_the_week_are_refused():
    every = days(("2020-01-01", "2021-01-01", "D"))
    for wanted in ({0, 2, 4}, {1, 4}):
        some = every[[day.astype(object).weekday() in wanted for day in every]]
        with pytest.raises(DataError, match="days apart"):
            require_daily(some, "x.csv")


def test_holidays_and_lost_sessions_do_not_hide_a_longer_period():
    weekly = days(("2015-01-02", 200, "W-FRI"))
    moved = weekly - (np.random.default_rng(1).random(200) < 0.1).astype(int)
    lost = moved[np.random.default_rng(2).random(200) > 0.1]
    with pytest.raises(DataError, match="a week apart"):
        require_daily(lost, "x.csv")


@pytest.mark.parametrize("count", [3, 50])
def test_a_live_bar_behind_whole_periods_does_not_hide_them(count):
    weekly = days(("2020-01-03", count, "W-FRI"))
    with pytest.raises(DataError, match="bars are a week apart"):
        require_daily(np.append(weekly, weekly[-1] + 4), "x.csv")


def test_a_history_that_is_daily_in_part_says_where_it_changes():
    old = days(("1980-01-01", "1990-01-01", "MS"), ("1990-01-02", "1995-01-01", "B"))
    with pytest.raises(DataError) as error:
        require_daily(old, "x.csv")
    assert "bars from 1980-01-01 to 1990-01-01 are a month apart, others are not" in str(
        error.value
    )
    assert "Leave the rows before 1990-01-01 out" in str(error.value)
    require_daily(old[old >= np.datetime64("1990-01-01")], "x.csv")
    new = days(("1990-01-02", "1995-01-02", "B"), ("1995-01-06", "1999-01-01", "W-FRI"))
    with pytest.raises(DataError, match="Leave the rows after 1995-01-06 out"):
        require_daily(new, "x.csv")
    require_daily(new[new <= np.datetime64("1995-01-06")], "x.csv")
    between = days(
        ("1990-01-02", "1995-01-01", "B"), ("1995-01-06", "1999-01-01", "W"),
        ("1999-01-04", "2002-01-01", "B"),
    )  # fmt: skip
    with pytest.raises(DataError, match=r"others are not .* Give daily bars"):
        require_daily(between, "x.csv")


@pytest.mark.parametrize("count", [4, 6, 15])
@pytest.mark.parametrize("step", ["W-FRI", "W-MON", "ME", "MS", "QE"])
def test_a_few_longer_bars_behind_or_before_daily_ones_are_refused(step, count):
    daily = days(("1990-01-02", "2000-01-03", "B"))
    behind = np.concatenate([daily, days(("2000-01-07", count, step))])
    with pytest.raises(DataError, match=r"others are not .* Leave the rows after (1999|2000)-"):
        require_daily(behind, "x.csv")
    with pytest.raises(DataError, match=r"others are not"):
        require_daily(np.append(behind, behind[-1] + 2), "x.csv")
    first = days(("1970-01-02", count, step))
    before = np.concatenate([first, days((str(first[-1] + 3), 500, "B"))])
    with pytest.raises(DataError, match=r"others are not .* Leave the rows before 19\d\d-"):
        require_daily(before, "x.csv")


def test_a_holiday_does_not_hide_weekly_bars_behind_daily_ones():
    daily = days(("1990-01-02", "2000-01-03", "B"))
    with pytest.raises(DataError, match="a week apart, others are not"):
        require_daily(np.append(daily, daily[-1] + np.cumsum([7, 7, 6, 8])), "x.csv")


@pytest.mark.parametrize("count", [6, 9])
@pytest.mark.parametrize("step", ["W-FRI", "W-TUE", "ME"])
def test_longer_bars_between_daily_ones_are_refused(step, count):
    before = days(("1999-01-04", "1999-12-31", "B"))
    longer = days(("2000-01-01", count, step))
    behind = days((str(longer[-1] + 1), 250, "B"))
    with pytest.raises(DataError, match=r"are a (week|month) apart, others are not"):
        require_daily(np.concatenate([before, longer, behind]), "x.csv")


def test_gaps_between_daily_bars_that_are_no_weeks_pass():
    daily = days(("1999-01-04", 600, "B"))
    rests = np.repeat(0, 599)
    rests[300:306] = [7, 8, 6, 8, 5, 7]
    assert require_daily(np.append(daily[0], daily[1:] + np.cumsum(rests)), "x.csv") == []


def test_a_stock_that_rests_for_some_weeks_at_its_end_passes():
    daily = days(("1990-01-02", "2000-01-03", "B"))
    for gaps in ([7, 8], [5, 9, 6, 8], [21, 7, 7], [6, 6, 6, 5], [7, 7, 6], [7, 5, 9, 6]):
        assert require_daily(np.append(daily, daily[-1] + np.cumsum(gaps)), "x.csv") == []
    every = days(("2015-01-05", "2020-01-01", "B"))
    for seed in range(300):
        rng = np.random.default_rng(seed)
        traded = every[rng.random(len(every)) < rng.choice([0.6, 0.8, 0.9])]
        assert require_daily(traded[: rng.integers(40, len(traded))], "x.csv") == []


@pytest.mark.parametrize("step", ["D", "B"])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 40, 3000])
def test_daily_bars_pass_without_a_word(step, count):
    assert require_daily(days(("1990-01-05", count, step)), "x.csv") == []


def test_long_holidays_pass_without_a_word():
    history = days(("2020-01-02", 10, "B"), ("2020-01-29", 2, "D"), ("2020-02-08", 3, "B"))
    assert require_daily(history, "x.csv") == []
    assert require_daily(np.array(["2020-01-23", "2020-02-03"], "M8[D]"), "x.csv") == []


def test_two_bars_far_apart_are_used_with_a_note():
    (note,) = require_daily(days(("2020-01-01", 2, "MS")), "x.csv")
    assert "sessions are 31 days apart" in note


@pytest.mark.parametrize("share", [0.5, 0.2, 0.1, 0.05, 0.02])
def test_rarely_traded_stocks_pass(share):
    every = days(("2000-01-03", "2020-01-01", "B"))
    noted = 0
    for seed in range(25):
        rng = np.random.default_rng(seed)
        traded = every[rng.random(len(every)) < share]
        noted += len(require_daily(traded[: rng.integers(8, len(traded))], "x.csv"))
    assert noted >= 20 if share <= 0.1 else noted == 0 or share == 0.2
