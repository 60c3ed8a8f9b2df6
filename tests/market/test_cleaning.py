"""Checks of whole histories: repaired with a note, or refused with a reason."""

from dataclasses import replace

import numpy as np
import pytest

from forecaster.errors import DataError
from forecaster.market.cleaning import checked_history
from forecaster.market.raw_bars import RawBars

TODAY = np.datetime64("2024-06-28")


def bars(days, close, stamps=(), rows=None, cells=None, wide=False, **values):
    count = len(days)
    numbers = {name: np.array(cells, dtype=float) for name, cells in values.items()}
    cells = cells or ["" if np.isnan(value) else f"{value:g}" for value in close]
    return RawBars(
        sources=("x.csv",),
        ticker="AAPL",
        files=np.zeros(count, dtype=np.int64),
        days=np.array(days, dtype="datetime64[D]"),
        rows=np.arange(2, count + 2) if rows is None else np.array(rows),
        values={"close": np.array(close, dtype=float), **numbers},
        blank=np.array([not cell for cell in cells]),
        cells=(dict(enumerate(cells, 2)),),
        stamps=np.array([hash(stamp) for stamp in stamps], dtype=np.int64),
        gaps_expected=wide,
    )


def run(*args, **kwargs):
    return checked_history(bars(*args, **kwargs), TODAY)


def sessions(count, start="2024-01-01"):
    return [str(np.datetime64(start) + step) for step in range(count)]


def test_clean_bars_pass_without_a_word():
    history, notes = run(
        sessions(3), [1, 1.1, 1.2], open=[1, 1, 1.1], high=[2, 2, 2], low=[1, 1, 1]
    )
    assert history.close.tolist() == [1, 1.1, 1.2]
    assert not history.adjusted
    assert notes == []


def test_newest_first_is_ordinary_and_other_disorder_is_sorted_with_a_note():
    days = sessions(4)
    history, notes = run(days[::-1], [4, 3.9, 3.8, 3.7])
    assert history.close.tolist() == [3.7, 3.8, 3.9, 4]
    assert notes == []
    history, notes = run([days[0], days[2], days[1], days[3]], [1, 1.2, 1.1, 1.3])
    assert history.close.tolist() == [1, 1.1, 1.2, 1.3]
    assert len(notes) == 1
    assert "row 4 (2024-01-02)" in notes[0]


def test_unusable_closes_are_left_out_with_count_and_row():
    nan = np.nan
    history, notes = run(
        sessions(7), [1, nan, 1, nan, -2, 1, 1], cells=["1", "", "1", "x", "-2", "1", "1"]
    )
    assert len(history) == 4
    assert notes == ["3 rows with no usable close were left out, first row 3 (close is blank)"]


def test_more_than_half_unusable_is_refused_with_row_and_cell():
    with pytest.raises(DataError) as error:
        run(sessions(3), [1, np.nan, np.nan], cells=["1", "abc", "def"])
    assert 'x.csv, row 3: close is "abc"; a number above zero is needed.' in str(error.value)
    assert "columns close=NAME" in str(error.value)
    history, _ = run(sessions(2), [1, np.nan])  # exactly half is not more than half
    assert len(history) == 1


def test_zero_closes_are_unusable():
    history, notes = run(sessions(3), [1, 0, 1])
    assert len(history) == 2
    assert "row 3" in notes[0]


def test_blank_closes_of_a_wide_panel_say_nothing():
    history, notes = run(sessions(5), [np.nan, np.nan, np.nan, 2, 2.1], wide=True)
    assert history.first == np.datetime64("2024-01-04")
    assert notes == []


def test_footers_are_left_out_silently_and_lost_dates_are_not():
    history, notes = run([*sessions(3), "NaT"], [1, 1, 1, np.nan])
    assert (len(history), notes) == (3, [])
    history, notes = run([*sessions(3), "NaT"], [1, 1, 1, 1])
    assert len(history) == 3
    assert "row 5 (no date)" in notes[0]


def test_identical_rows_are_kept_once():
    day = "2024-01-02"
    history, notes = run(
        ["2024-01-01", day, day, day], [1, 1.1, 1.1, 1.1], volume=[1, np.nan, np.nan, np.nan]
    )
    assert len(history) == 2
    assert notes == ["2 repeated rows were left out, first on 2024-01-02 (row 4)"]


def test_the_last_of_conflicting_rows_is_kept():
    days = sessions(10)
    history, notes = run([*days[:5], *days[4:]], [1, 1, 1, 1, 1, 1.05, 1, 1, 1, 1, 1])
    assert history.close[4] == 1.05
    assert "1 date has several rows with different values, first 2024-01-05" in notes[0]


def test_the_last_in_the_file_wins_in_a_file_that_is_newest_first_too():
    history, _ = run(["2024-01-03", "2024-01-02", "2024-01-02", "2024-01-01"], [4, 3, 2.5, 2.4])
    assert history.close.tolist() == [2.4, 2.5, 4]


@pytest.mark.parametrize("close", [126, 50])
def test_rows_of_one_date_with_distant_closes_are_of_two_stocks(close):
    days = sessions(500)
    with pytest.raises(DataError, match="2024-01-01 was already seen in row 2"):
        run([*days, days[0]], [100] * 500 + [close])


def test_the_remedy_for_rows_of_a_ticker_column_does_not_name_that_column_again():
    table = replace(bars(["2024-01-02"] * 2, [1, 2]), has_ticker_column=True)
    with pytest.raises(DataError, match="Leave the wrong rows of AAPL out"):
        checked_history(table, TODAY)


def test_weekly_bars_are_refused():
    days = [str(np.datetime64("2024-01-05") + 7 * week) for week in range(9)]
    with pytest.raises(DataError, match=r"x\.csv: bars are a week apart \(median 7 days\)"):
        run(days, np.linspace(1, 2, 9))


def test_ranges_that_repeat_closes_are_unknown():
    close = np.linspace(10, 11, 20)
    history, notes = run(sessions(20), close, open=close, high=close, low=close)
    assert np.isnan(history.high[2:]).all()
    assert notes[0].startswith("18 bars of 20 (90%) have no range of their own")


@pytest.mark.parametrize(
    ("conflicts", "total", "refused"),
    [(1, 3, False), (1, 2, True), (2, 10, True), (2, 2, True), (4, 400, False), (5, 400, True)],
)
def test_how_many_conflicts_are_too_many(conflicts, total, refused):
    days = sessions(total)
    prices = [1.0] * total + [1.1] * conflicts
    if refused:
        with pytest.raises(DataError, match=r"columns ticker=NAME"):
            run(days + days[:conflicts], prices)
    else:
        history, _ = run(days + days[:conflicts], prices)
        assert history.close.tolist() == [1.1] * conflicts + [1.0] * (total - conflicts)


def test_intraday_bars_are_called_that():
    days = [day for day in sessions(6) for _ in range(2)]
    stamps = [f"{day} {hour}" for day in sessions(6) for hour in ("09:00", "10:00")]
    with pytest.raises(DataError, match=r"row 3: .* these are intraday bars"):
        run(days, np.linspace(1, 2, 12), stamps=stamps)


def test_intraday_bars_of_one_day_are_refused_too():
    with pytest.raises(DataError, match="intraday"):
        run(["2024-01-02"] * 3, [1, 2, 3], stamps=["09:00", "10:00", "11:00"])


def test_a_live_row_beside_the_daily_one_is_no_intraday_file():
    days = [*sessions(5), "2024-01-05"]
    history, _ = run(days, [1, 1, 1, 1, 1, 1.1], stamps=[*sessions(5), "2024-01-05 16:00"])
    assert history.close[-1] == 1.1


def test_prices_at_or_below_zero_are_unknown():
    history, notes = run(sessions(3), [1, 1, 1], open=[1, 0, -1], volume=[-5, 0, 1])
    assert np.isnan(history.open[1:]).all()
    assert np.isnan(history.volume[0])
    assert history.volume[1] == 0
    assert notes == [
        "2 rows with open at or below zero, first row 3 (2024-01-02); open was taken as unknown"
        " there"
    ]


def test_bars_that_contradict_themselves_keep_the_close_only():
    history, notes = run(
        sessions(4),
        [10, 10, 10, 10],
        open=[10, 10, 12, 10],
        high=[11, 9, 11, 9.96],
        low=[9, 9.5, 9, 9],
    )
    assert np.isnan(history.high).tolist() == [False, True, True, False]
    assert (
        np.isnan(history.open).tolist()
        == np.isnan(history.low).tolist()
        == [False, True, True, False]
    )
    assert history.close.tolist() == [10] * 4
    assert notes[0].startswith("2 bars contradict themselves")
    assert "first 2024-01-02" in notes[0]


def test_adjusted_closes():
    history, notes = run(sessions(2), [10, 10], adjusted_close=[5, 10])
    assert history.adjusted
    assert history.adjusted_close.tolist() == [5, 10]
    assert notes == []


def test_a_missing_adjusted_close_takes_the_adjustment_before_it():
    history, notes = run(
        sessions(5), [10, 20, 30, 40, 50], adjusted_close=[np.nan, 10, 30, np.nan, 50]
    )
    assert history.adjusted_close.tolist() == [5, 10, 30, 40, 50]
    assert notes == ["2 rows without an adjusted close took the adjustment of the bar before"]


def test_a_blank_column_of_adjusted_closes_is_none():
    history, _ = run(sessions(2), [10, 11], adjusted_close=[np.nan, np.nan])
    assert not history.adjusted
    assert history.adjusted_close.tolist() == [10, 11]


def test_sessions_in_the_future_are_noted():
    history, notes = run(["2024-06-28", "2024-07-05", "2024-07-06"], [1, 1, 1])
    assert len(history) == 3
    assert notes == [
        "1 session lies in the future, the last on 2024-07-06; check the date format (date_format)"
    ]


def test_adjusted_histories_have_no_split_notes():
    _, notes = run(["2014-06-06", "2014-06-09"], [700, 100], adjusted_close=[100, 100])
    assert notes == []


@pytest.mark.parametrize(
    ("close", "high", "low", "kept"),
    [
        (10, 9.96, 9, True),  # outside by 0.4%: rounding
        (10, 9.9, 9, False),  # outside by 1%
        (10, 11, 10.04, True),
        (10, 11, 10.1, False),
        (10, 9.99, 10.01, False),  # high below low, however close
    ],
)
def test_how_far_outside_is_a_contradiction(close, high, low, kept):
    history, _ = run(["2024-01-02"], [close], high=[high], low=[low])
    assert np.isfinite(history.high[0]) == kept
