"""Day and month that a spreadsheet or a parser exchanged where it could."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

import forecaster
from forecaster.errors import DataError
from forecaster.market.files.cells.date_order import unswapped
from forecaster.market.files.cells.parse_dates import DateCells, read_dates

YEARS = np.arange("2022-01-03", "2024-01-01", dtype="datetime64[D]")
SESSIONS = YEARS[np.is_busday(YEARS)]


def exchanged(days):
    """As a parser of the other order reads them: day and month exchanged where both can be."""
    dates = [day.item() for day in days]
    return [d.replace(day=d.month, month=d.day) if d.day <= 12 else d for d in dates]


def read(cells, **options):
    return read_dates(DateCells(cells, "x.csv", range(2, len(cells) + 2)), **options)


def iso_and_slashes(days, slashes):
    """What a spreadsheet saves: dates that it understood, and those that it left as text."""
    rows = zip(exchanged(days), (day.item() for day in days), strict=True)
    return [f"{read:%Y-%m-%d}" if d.day <= 12 else d.strftime(slashes) for read, d in rows]


@pytest.mark.parametrize("slashes", ["%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y"])
@pytest.mark.parametrize("days", [SESSIONS, SESSIONS[::-1], SESSIONS[:30]], ids=len)
def test_what_a_spreadsheet_understood_is_put_back(slashes, days):
    found = read(iso_and_slashes(days, slashes))
    np.testing.assert_array_equal(found.days, days)
    assert "day and month of dates up to the 12th were exchanged" in found.notes[0]
    first = next(d for d in map(np.datetime64.item, days) if d.day <= 12 and d.day != d.month)
    assert f"({exchanged([np.datetime64(first)])[0]} is {first})" in found.notes[0]


def test_one_style_of_both_orders_is_put_back():
    cells = [
        f"{d:%d/%m/%Y}" if d.day <= 12 else f"{d:%m/%d/%Y}"
        for d in map(np.datetime64.item, SESSIONS)
    ]
    np.testing.assert_array_equal(read(cells).days, SESSIONS)


@pytest.mark.parametrize("rows", [[0, 1, 2], [0]], ids=["of three tickers", "of one"])
@pytest.mark.parametrize("by_date", [True, False])
def test_typed_dates_and_tables_of_tickers_are_put_back(rows, by_date):
    days = np.repeat(SESSIONS, len(rows)) if by_date else np.tile(SESSIONS, len(rows))
    found = read(np.array(exchanged(days), dtype="datetime64[s]"))
    np.testing.assert_array_equal(found.days, days)


def test_a_frame_says_so_once(tmp_path):
    closes = 100 + np.cumsum(np.random.default_rng(3).normal(0, 1, len(SESSIONS)))
    frame = pd.DataFrame({"Close": closes}, index=pd.DatetimeIndex(exchanged(SESSIONS)))
    with pytest.warns(forecaster.ForecastWarning, match="were put back") as caught:
        history = next(iter(forecaster.read(frame, ticker="AAPL")))
    assert sum("put back" in str(one.message) for one in caught) == 1
    np.testing.assert_array_equal(history.sessions, SESSIONS)


@pytest.mark.parametrize(
    "days",
    [
        SESSIONS,
        SESSIONS[::-1],
        np.tile(SESSIONS, 3),
        np.concatenate([SESSIONS[200:], SESSIONS[:200]]),
        np.random.default_rng(1).permutation(SESSIONS),
        np.tile(np.arange("2015-01", "2024-01", dtype="datetime64[M]"), 4).astype("datetime64[D]"),
        np.arange("2015-01", "2024-01", dtype="datetime64[M]").astype("datetime64[D]"),
        SESSIONS[:1],
        SESSIONS[[3, 1, 2]],
        np.full(3, np.datetime64("NaT"), dtype="datetime64[D]"),
    ],
)
def test_dates_that_are_right_stay(days):
    found, notes = unswapped(days, "x.csv", range(len(days)))
    np.testing.assert_array_equal(found, days)
    assert notes == []


@pytest.mark.parametrize("order", ["sorted", "shuffled", "descending"])
def test_weekends_show_what_the_order_of_rows_does_not(order):
    read_as = np.array(exchanged(SESSIONS), dtype="datetime64[D]")
    if order == "shuffled":
        places = np.random.default_rng(2).permutation(len(read_as))
    else:
        places = np.argsort(read_as)[:: 1 if order == "sorted" else -1]
    found = read(read_as[places].astype(str).tolist())
    np.testing.assert_array_equal(found.days, SESSIONS[places])
    assert "only so is none of them on a weekend" in found.notes[0]


@pytest.mark.parametrize("right", [60, 200, 400])
def test_what_was_exchanged_in_part_is_refused(right):
    cells = [*SESSIONS[:right], *exchanged(SESSIONS[right:])]
    with pytest.raises(DataError, match=r"a weekend, as are .* day and month of some were exch"):
        read([str(cell) for cell in cells])


@pytest.mark.parametrize("count", [3, 12])
@pytest.mark.parametrize("by_date", [True, False])
def test_a_ticker_that_was_exchanged_alone_is_put_back(count, by_date):
    columns = [exchanged(SESSIONS) if n == 1 else SESSIONS for n in range(count)]
    cells = np.array(columns, dtype="datetime64[D]")
    groups = np.repeat(np.arange(count), len(SESSIONS)).reshape(cells.shape)
    right = np.tile(SESSIONS, (count, 1))
    if by_date:
        cells, groups, right = cells.T, groups.T, right.T
    texts = cells.ravel().astype(str).tolist()
    found = read_dates(DateCells(texts, "x.csv", range(2, len(texts) + 2), groups=groups.ravel()))
    np.testing.assert_array_equal(found.days, right.ravel())
    assert found.notes[0].startswith(f"1 of {count} tickers: day and month of dates up to the 12th")


def test_tickers_of_which_one_was_exchanged_in_part_are_refused():
    cells = np.array([*SESSIONS, *SESSIONS[:200], *exchanged(SESSIONS[200:])], dtype="M8[D]")
    groups = np.repeat([0, 1], len(SESSIONS))
    with pytest.raises(DataError, match=r"x\.csv, row \d+: date is .*, a weekend") as error:
        read_dates(DateCells(cells, "x.csv", np.arange(2, len(cells) + 2), groups=groups))
    row = int(str(error.value).split("row ")[1].split(":")[0])
    assert cells[row - 2].item().weekday() >= 5
    kept = read_dates(
        DateCells(cells, "x.csv", np.arange(2, len(cells) + 2), groups=groups), "%Y-%m-%d"
    )
    np.testing.assert_array_equal(kept.days, cells)


@pytest.mark.parametrize("special", ["2020-02-01", "2023-11-12", "2024-03-02", "2025-02-01"])
def test_one_weekend_session_of_many_tickers_is_no_exchange(special):
    day = np.datetime64(special)
    near = np.arange(day - 20, day + 20)
    days = np.union1d(near[np.is_busday(near)], [day])
    for first in range(len(days) - 3):
        for count in (3, 9, 18):
            some = days[first : first + count]
            cells = np.repeat(some, 5)
            groups = np.tile(np.arange(5), len(some))
            found = read_dates(DateCells(cells, "x.csv", range(2, len(cells) + 2), groups=groups))
            np.testing.assert_array_equal(found.days, cells)


def test_sessions_on_some_weekends_are_no_exchange():
    special = np.array(["2022-03-05", "2022-08-06", "2023-03-04", "2023-11-12"], dtype="M8[D]")
    days = np.union1d(SESSIONS, special)
    np.testing.assert_array_equal(read(days.astype(str).tolist()).days, days)
    every_day = YEARS[:400]
    np.testing.assert_array_equal(read(every_day.astype(str).tolist()).days, every_day)


def test_two_orders_in_one_column_are_said_to_be_two():
    days = list(map(np.datetime64.item, SESSIONS))
    for n in (220, 260, 300, 480):
        cells = [f"{d:%m/%d/%Y}" for d in days[:n]] + [f"{d:%d/%m/%Y}" for d in days[n:]]
        with pytest.raises(
            DataError, match=r"in several orders of day and month, as .* and .*; one"
        ):
            read(cells)


def test_a_given_format_is_believed():
    cells = [f"{d:%Y-%m-%d}" for d in exchanged(SESSIONS)]
    found = read(cells, date_format="%Y-%m-%d")
    assert found.days.astype(str).tolist() == cells
    assert not any("exchanged" in note for note in found.notes)


def test_only_dates_that_are_known_are_exchanged():
    cells = [f"{d:%Y-%m-%d}" for d in exchanged(SESSIONS)]
    found = read(["", *cells, "Total"])
    np.testing.assert_array_equal(found.days[1:-1], SESSIONS)
    assert np.isnat(found.days[[0, -1]]).all()
    assert dt.date(2022, 1, 3) in found.days.tolist()
