"""Dates: the order of day and month is decided by the whole column, or refused."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecaster.errors import DataError, SettingsError
from forecaster.market.files.cells.parse_dates import (
    DateCells,
    check_date_format,
    looks_like_date,
    read_dates,
)


def read(cells, date_format=None, **beside):
    return read_dates(DateCells(cells, "x.csv", range(2, len(cells) + 2), **beside), date_format)


def iso(cells, date_format=None):
    return read(cells, date_format).days.astype(str).tolist()


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2017-01-02", "2017-01-02"),
        ("2017/01/02", "2017-01-02"),
        ("2017/1/2", "2017-01-02"),
        ("2017.01.02", "2017-01-02"),
        ("20170102", "2017-01-02"),
        ("20170102 160000", "2017-01-02"),
        ("2015-01-02T00:00:00.000Z", "2015-01-02"),
        ("2024-03-08 00:00:00-05:00", "2024-03-08"),
        ("2024-03-08 23:30:00+09:00", "2024-03-08"),
        ("Nov 02, 2017", "2017-11-02"),
        ("02-Nov-2017", "2017-11-02"),
        ("2 November 2017", "2017-11-02"),
        ("2-Nov-17", "2017-11-02"),
        ("2-Nov-95", "1995-11-02"),
        ("Thu, 2 Nov 2017", "2017-11-02"),
        ("2017-Nov-02", "2017-11-02"),
        ("2. März 2017", "2017-03-02"),
        ("2 października 2017", "2017-10-02"),
        ("2 août 2017", "2017-08-02"),
        ("2 de enero de 2017", "2017-01-02"),
        ("2017年01月02日", "2017-01-02"),
        ("1502928000", "2017-08-17"),
        ("1502928000000", "2017-08-17"),
        ("1502928000000000", "2017-08-17"),
        ("43832", "2020-01-02"),
        ("31.01.2020", "2020-01-31"),
        ("01.02.2020", "2020-02-01"),
        ("1/31/2020", "2020-01-31"),
        ("31/1/2020 16:00", "2020-01-31"),
        ("1/31/2020 4:00 PM", "2020-01-31"),
        ("31.01.20", "2020-01-31"),
        (" 2017-01-02 ", "2017-01-02"),
        ("1752-09-14", "1752-09-14"),
    ],
)
def test_reads_one_date(cell, expected):
    assert iso([cell]) == [expected]


def test_a_value_above_twelve_decides_the_whole_column():
    assert iso(["01/02/2024", "13/02/2024"]) == ["2024-02-01", "2024-02-13"]
    assert iso(["01/02/2024", "02/13/2024"]) == ["2024-01-02", "2024-02-13"]


def test_the_order_of_rows_decides():
    day_first = ["11/01/2024", "12/01/2024", "01/02/2024", "02/02/2024"]
    assert iso(day_first)[2] == "2024-02-01"
    assert iso(day_first[::-1])[1] == "2024-02-01"
    month_first = ["01/11/2024", "01/12/2024", "02/01/2024", "02/02/2024"]
    assert iso(month_first)[2] == "2024-02-01"


def test_weekends_decide():
    # Month first these are Mondays to Fridays; day first two of them are a Saturday and a Sunday.
    cells = ["03/04/2024", "03/05/2024", "03/06/2024", "03/08/2024", "03/11/2024"]
    wrong = [dt.date(2024, int(cell[3:5]), 3).weekday() for cell in cells]
    assert sum(day >= 5 for day in wrong) >= 2
    assert iso(cells) == [f"2024-03-{cell[3:5]}" for cell in cells]


def test_an_undecidable_column_is_refused_with_both_formats():
    with pytest.raises(DataError) as error:
        iso(["01/02/2024", "02/02/2024"])
    text = str(error.value)
    assert text.startswith("x.csv: the dates can be read in 2 ways")
    assert "date_format %d/%m/%Y or date_format %m/%d/%Y" in text
    assert "2024-02-01" in text
    assert "2024-01-02" in text


def test_the_offered_formats_fit_the_column():
    with pytest.raises(DataError, match=r"date_format %d-%m-%y or date_format %m-%d-%y"):
        iso(["01-02-24", "02-02-24"])


def test_the_same_day_under_both_readings_is_no_question():
    assert iso(["03/03/2024", "04/04/2024"]) == ["2024-03-03", "2024-04-04"]


def test_a_given_format_overrules():
    assert iso(["01/02/2024", "02/02/2024"], "%m/%d/%Y") == ["2024-01-02", "2024-02-02"]
    assert iso(["31122017", "02012018"], "%d%m%Y") == ["2017-12-31", "2018-01-02"]
    assert iso(["02/01/2024 16:00"], "%d/%m/%Y") == ["2024-01-02"]


@pytest.mark.parametrize("bad", ["%Q", "%d/%m", "%", "%H:%M", "%d%d%m%Y", "yyyy-mm-dd", ""])
def test_a_format_that_is_no_date_is_a_setting_error(bad):
    with pytest.raises(SettingsError, match="date_format"):
        check_date_format(bad)


def test_formats_of_several_kinds_in_one_column():
    cells = ["2020-01-02", "Jan 03, 2020", "01/06/2020", "01/13/2020"]
    assert iso(cells) == ["2020-01-02", "2020-01-03", "2020-01-06", "2020-01-13"]


def test_impossible_days_are_not_dates():
    assert iso(["2020-02-29", "2020-02-30", "2020-03-01"])[1] == "NaT"
    assert iso(["29.02.2020", "30.02.2020", "13.03.2020"])[1] == "NaT"


def test_most_cells_not_dates_is_refused_with_the_row():
    with pytest.raises(DataError, match=r'x\.csv, row 3: date is "abc"; a date is needed'):
        iso(["2020-01-02", "abc", "def"])


def test_eight_digits_that_are_no_compact_date_are_not_seconds():
    with pytest.raises(DataError, match="31122017"):
        iso(["31122017", "02012018"])


def test_typed_dates_pass_through():
    days = read(np.array(["2020-01-02"], dtype="datetime64[ms]")).days
    assert days.dtype == np.dtype("datetime64[D]")


def test_looks_like_date():
    assert looks_like_date("02.01.2020")
    assert looks_like_date("Jan 2, 2020")
    assert not looks_like_date("20200102")
    assert looks_like_date("20200102", numbers=True)
    for cell in ("1.234,5", "12.5", "abc", "", "99/99/2020", "1 234 567"):
        assert not looks_like_date(cell)


FORMATS = [
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%b %d, %Y",
    "%d-%b-%y",
    "%Y%m%d",
    "%Y/%m/%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
]


@given(
    st.dates(dt.date(1990, 1, 1), dt.date(2025, 12, 31)),
    st.lists(st.integers(1, 5), min_size=30, max_size=80),
    st.sampled_from(FORMATS),
    st.booleans(),
)
def test_a_run_of_days_reads_back_in_any_format(first, steps, pattern, newest_first):
    """Thirty days or more pass the twelfth of a month, so that no order is left open."""
    days = [first + dt.timedelta(int(offset)) for offset in np.cumsum(steps)]
    days = days[::-1] if newest_first else days
    assert iso([day.strftime(pattern) for day in days]) == [str(day) for day in days]
