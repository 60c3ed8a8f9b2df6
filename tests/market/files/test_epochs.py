"""Plain numbers as dates: one reading for a column, from its values and its steps."""

import numpy as np
import pandas as pd
import pytest
from price_files import closes, failure

from forecaster.market.files.cells.epochs import days_of_numbers

SECONDS = [1_502_928_000 + 86_400 * day for day in (0, 1, 4, 5, 6)]
EXPECTED = ["2017-08-17", "2017-08-18", "2017-08-21", "2017-08-22", "2017-08-23"]


def days(texts):
    read = days_of_numbers([str(text) for text in texts])
    return None if read is None else read[0].astype(str).tolist()


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
def test_units_are_told_from_the_steps(unit):
    assert days([second * unit for second in SECONDS]) == EXPECTED
    assert days([f"{second * unit}.0" for second in SECONDS]) == EXPECTED


@pytest.mark.parametrize("unit", [1, 10**3, 10**6])
@pytest.mark.parametrize("first", [0, 1, 31, 400, -1_200])
def test_units_near_1970(unit, first):
    numbers = [(first + day) * 86_400 * unit for day in range(8)]
    assert days(numbers) == [str(np.datetime64(first + day, "D")) for day in range(8)]


def test_seconds_of_the_sixties_with_small_numbers_among_them(tmp_path):
    numbers = [-102246600, -101987400, -86400000, 52200, 138600, 397800, 100000200]
    rows = "".join(f"{number},{80.5 + n}\n" for n, number in enumerate(numbers))
    history = closes(tmp_path, "timestamp,close\n" + rows)
    assert len(history) == 7
    assert str(history.first) == "1966-10-05"
    assert str(history.sessions[3]) == "1970-01-01"


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
def test_numbers_in_parquet(tmp_path, unit):
    late = [(second + 86_100) * unit for second in SECONDS]  # 23:55
    frame = pd.DataFrame({"timestamp": late, "close": np.arange(5) + 10.5})
    frame.to_parquet(tmp_path / "x.parquet")
    history = closes(tmp_path, (tmp_path / "x.parquet").read_bytes(), "x.parquet")
    assert history.sessions.astype(str).tolist() == EXPECTED


def test_weeks_and_single_stamps():
    assert days([1_502_928_000 + 7 * 86_400 * week for week in range(4)])[-1] == "2017-09-07"
    assert days([1_502_928_000_000]) == ["2017-08-17"]


def test_scientific_notation_is_read_unless_its_figures_are_too_few():
    assert days([f"{second * 1000:.6E}" for second in SECONDS]) == EXPECTED
    assert days([f"{second * 1000:.4E}" for second in SECONDS]) is None


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([45_293, 45_294, 45_295, 45_296, 45_299], "2024-01-02"),
        ([45_293.67, 45_294.67, 45_295.67], "2024-01-02"),
        ([19_724, 19_725, 19_726, 19_727, 19_730], "2024-01-02"),  # days since 1970
        ([20_455, 20_458, 20_459, 20_460], "2026-01-02"),
        ([20240102, 20240103, 20240201], "2024-01-02"),
        ([20240102160000, 20240103160000], "2024-01-02"),
        ([1130102, 1130103, 1130201], "2024-01-02"),  # Minguo
        ([25670102, 25670103, 25670201], "2024-01-02"),  # Buddhist
    ],
)
def test_numbers_that_are_no_seconds(numbers, expected):
    assert days(numbers)[0] == expected


@pytest.mark.parametrize(
    "numbers",
    [
        [1, 2, 3, 4],
        [31122017, 2012018],
        [13990612, 13990613, 13990614],
        [22, 23, 24],
        [20_455, 20_456, 20_457, 20_458, 20_459, 20_460, 20_461],
    ],
)
def test_numbers_that_are_no_dates(numbers):
    assert days(numbers) is None


def test_a_stray_number_is_no_date_and_changes_no_unit():
    numbers = [1_502_928_000 + 86_400 * day for day in range(20)]
    read = days([*numbers[:10], 99_999_999_999_999, *numbers[10:]])
    assert read[10] == "NaT"
    assert read[11] == "2017-08-27"


def test_a_last_date_decades_from_now_is_refused(tmp_path):
    text = failure(tmp_path, "Date,Close\n2024-01-02,1.5\n2204-01-03,1.6\n")
    assert 'row 3: date is "2204-01-03"' in text
    assert "columns date=NAME" in text
    assert "date_format" in text


def test_six_figures_that_begin_with_zero_are_no_count(tmp_path):
    days = np.arange("2001-08-01", "2001-10-20", dtype="datetime64[D]")
    days = days[np.is_busday(days)]
    rows = "".join(f"{day.item():%y%m%d},10.5\n" for day in days)
    assert 'date is "010801"' in failure(tmp_path, "Date,Close\n" + rows)
    rows = "".join(f"{int(f'{day.item():%y%m%d}')},10.5\n" for day in days)
    assert 'date is "10801"' in failure(tmp_path, "Date,Close\n" + rows)


def test_days_counted_from_1904(tmp_path):
    days = np.arange("2024-03-04", "2024-05-01", dtype="datetime64[D]")
    open_days = days[np.is_busday(days)]
    first = np.datetime64("1904-01-01")
    rows = "".join(f"{(day - first).astype(int)},10.5\n" for day in open_days)
    assert list(closes(tmp_path, "Date,Close\n" + rows).sessions) == list(open_days)
    every = "".join(f"{(day - first).astype(int)},10.5\n" for day in days)
    assert str(closes(tmp_path, "Date,Close\n" + every).sessions[0]) == "2020-03-03"
