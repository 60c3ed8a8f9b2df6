"""Single dates that stand far from their place among rows that are in order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import forecaster
from forecaster.errors import DataError

DAYS = np.arange("2023-03-01", "2024-02-09", dtype="datetime64[D]")
SESSIONS = DAYS[np.is_busday(DAYS)]
PRICES = 100 * np.exp(np.cumsum(np.random.default_rng(4).normal(0, 0.01, len(SESSIONS))))


def written(days, **slips):
    """Dates with some of them, by the day that is meant, written as another."""
    cells = [str(day) for day in days]
    for meant, slip in slips.items():
        cells[cells.index(meant.strip("_").replace("_", "-"))] = slip
    return cells


def load(tmp_path, dates, **options):
    path = tmp_path / "X.csv"
    rows = [f"{date},{price:.2f}" for date, price in zip(dates, PRICES, strict=False)]
    path.write_text("\n".join(["Date,Close", *rows]) + "\n")
    (history,) = forecaster.read(path, **options)
    return history


SLIPS = {
    "one, which would be the last": {"_2024_01_09": "2024-09-01"},
    "one amid the others": {"_2023_12_05": "2023-05-12"},
    "two in a row": {"_2024_01_09": "2024-09-01", "_2024_01_10": "2024-10-01"},
    "the last": {"_2024_02_08": "2024-08-02"},
    "the last three": {
        "_2024_02_06": "2024-06-02", "_2024_02_07": "2024-07-02", "_2024_02_08": "2024-08-02",
    },
    "the first": {"_2023_03_01": "2023-01-03"},
    "a wrong year": {"_2024_01_09": "2022-01-09"},
    "the year before, in January": {"_2024_01_03": "2023-01-03"},
    "a wrong century": {"_2024_01_09": "1924-01-09"},
    "the last, a year ahead": {"_2024_02_08": "2025-02-08"},
    "the first, ten years back": {"_2023_03_01": "2013-03-01"},
    "the last two, in January": {"_2024_02_07": "2023-02-07", "_2024_02_08": "2023-02-08"},
}  # fmt: skip


@pytest.mark.parametrize("turned", [1, -1], ids=["oldest first", "newest first"])
@pytest.mark.parametrize("slips", SLIPS.values(), ids=SLIPS)
def test_a_date_far_from_its_place_is_refused_with_its_row(tmp_path, slips, turned):
    dates, days = written(SESSIONS, **slips)[::turned], written(SESSIONS)[::turned]
    with pytest.raises(DataError) as refused:
        load(tmp_path, dates)
    slipped = [place for place, (a, b) in enumerate(zip(dates, days, strict=True)) if a != b]
    found = [f"row {place + 2}: date is {dates[place]}, " for place in slipped]
    assert any(text in str(refused.value) for text in found), str(refused.value)
    assert "the other rows are in order of date" in str(refused.value)


def test_a_last_date_that_goes_back_is_refused(tmp_path):
    days = SESSIONS[: int(np.searchsorted(SESSIONS, np.datetime64("2023-12-06")))]
    dates = written(days, _2023_12_05="2023-05-12")
    with pytest.raises(DataError, match="2023-05-12, by 2023-12-04, and may be 2023-12-05"):
        load(tmp_path, dates)


def test_what_it_may_be_is_said_where_it_fits(tmp_path):
    with pytest.raises(DataError, match="and may be 2024-01-09 with day and month exchanged"):
        load(tmp_path, written(SESSIONS, _2024_01_09="2024-09-01"))
    with pytest.raises(DataError) as refused:
        load(tmp_path, written(SESSIONS, _2024_01_09="2022-01-09"))
    assert "between 2024-01-08 and 2024-01-10; the other" in str(refused.value)
    with pytest.raises(DataError, match="2025-02-07, between 2024-02-06 and 2025-02-08; the other"):
        load(tmp_path, written(SESSIONS, _2024_02_07="2025-02-07", _2024_02_08="2025-02-08"))


def test_a_format_that_is_given_is_believed(tmp_path):
    dates = written(SESSIONS, _2024_01_09="2024-09-01")
    history = load(tmp_path, dates, date_format="%Y-%m-%d")
    assert history.sessions[-1] == np.datetime64("2024-09-01")


@pytest.mark.parametrize(
    "written_as", ["%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%b %d, %Y", "%Y%m%d", "%d-%b-%y"]
)
def test_the_format_that_is_advised_is_believed(tmp_path, written_as):
    days = SESSIONS.copy()
    days[-5] = np.datetime64("2022-01-09")
    dates = [f'"{day.item():{written_as}}"' for day in days]
    with pytest.raises(DataError) as refused:
        load(tmp_path, dates)
    assert f"{written_as}" in str(refused.value)
    assert load(tmp_path, dates, date_format=written_as).sessions[0] == days[-5]


def test_of_numbers_no_format_is_advised(tmp_path):
    days = SESSIONS.copy()
    days[-5] = np.datetime64("2022-01-09")
    serials = days.astype(int) + 25569
    with pytest.raises(DataError, match="as in 2020-09-01, and add date_format="):
        load(tmp_path, map(str, serials))


def test_one_ticker_of_a_table_and_typed_dates_are_looked_at(tmp_path):
    rows = [(date, name, 50 + k % 7) for k, date in enumerate(SESSIONS) for name in "AB"]
    frame = pd.DataFrame(rows, columns=["date", "ticker", "close"])
    path = tmp_path / "two.parquet"
    frame.to_parquet(path)
    assert len(forecaster.read(path)) == 2
    row = int(np.flatnonzero((frame["ticker"] == "B") & (frame["date"] == "2024-01-09"))[0])
    frame.loc[row, "date"] = pd.Timestamp("2024-09-01")
    frame.to_parquet(path)
    with pytest.raises(DataError, match=r"2024-09-01, between 2024-01-08 and 2024-01-10"):
        forecaster.read(path)


def exchange_places(days, first, second):
    moved = days.copy()
    moved[[first, second]] = moved[[second, first]]
    return moved


IN_ANOTHER_ORDER = {
    "two neighbours": exchange_places(SESSIONS, 60, 61),
    "the last two": exchange_places(SESSIONS, -1, -2),
    "the newest on top": np.roll(SESSIONS, 1),
    "the oldest at the end": np.roll(SESSIONS, -1),
    "a block of a week": np.concatenate([SESSIONS[:50], SESSIONS[-5:], SESSIONS[50:-5]]),
    "shuffled": np.random.default_rng(3).permutation(SESSIONS),
}


@pytest.mark.parametrize("days", IN_ANOTHER_ORDER.values(), ids=IN_ANOTHER_ORDER)
def test_rows_in_another_order_are_sorted(tmp_path, days):
    history = load(tmp_path, map(str, days))
    np.testing.assert_array_equal(history.sessions, SESSIONS)


def test_a_halt_before_the_last_bars_is_no_slip(tmp_path):
    days = SESSIONS.copy()
    days[-4:] += 60
    assert load(tmp_path, map(str, days)).sessions[-1] == days[-1]


@pytest.mark.parametrize("turn", [1, -1])
def test_a_halt_of_a_year_is_no_slip_where_weekends_would_be_sessions(tmp_path, turn):
    """Monday the 5th of February 2024 would be a Sunday in the year before."""
    before = np.arange("2022-11-01", "2023-02-04", dtype="datetime64[D]")
    days = np.concatenate([before[np.is_busday(before)], SESSIONS[-4:]])
    assert load(tmp_path, map(str, days[::turn])).sessions[-1] == days[-1]


@pytest.mark.parametrize("count", [19, 3])
def test_a_few_rows_are_no_order_to_go_by(tmp_path, count):
    days = SESSIONS[:count].copy()
    days[1] = np.datetime64("2023-01-09")
    assert load(tmp_path, map(str, days)).sessions[0] == days[1]
