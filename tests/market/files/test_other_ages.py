"""Dates outside 1600 to 2200 are refused, wherever they stand and however they are written."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from price_files import closes, failure

from forecaster.errors import DataError
from forecaster.market.bars import History

ROWS = [f"2020-01-{day:02d},{100 + day}" for day in range(1, 29)]
STAMPS = [f"{1577923200 + 86400 * day},{100 + day}" for day in range(28)]
COMPACT = [row.replace("-", "") for row in ROWS]
DOTTED = [f"{day:02d}.01.2020,{100 + day}" for day in range(1, 29)]
OTHER_AGES = [
    "0001-01-03", "999-01-04", "0999/01/04", "1402-01-05", "1492-01-05T00:00:00Z", "1599-12-31",
    "04.01.0999", "04/01/1492", "4 Jan 1492", '"January 5, 9999"', "5 janvier 1066", "14920104",
    "2201-01-01", "3000-01-01", "9999-12-31", "9999-12-31 00:00:00", "12020-01-02", "99990104",
]  # fmt: skip


def text(rows, row, place):
    return "\n".join(["Date,Close", *rows[:place], f"{row},99", *rows[place:], ""])


@pytest.mark.parametrize("place", [0, 9, 28])
@pytest.mark.parametrize("date", OTHER_AGES)
def test_a_date_of_another_age_among_others_is_refused(tmp_path, date, place):
    message = failure(tmp_path, text(ROWS, date, place))
    assert f"row {place + 2}: date is" in message
    assert "the date of a past session is needed, from 1600 on" in message


@pytest.mark.parametrize(
    ("rows", "date"),
    [
        (STAMPS, "-62135596800"),
        (STAMPS, "253402300799"),
        (STAMPS, "99999999999999999999"),
        (COMPACT, "99990104"),
        (COMPACT, "14920104"),
    ],
)
def test_a_number_that_counts_to_another_age_is_refused(tmp_path, rows, date):
    assert "from 1600 on" in failure(tmp_path, text(rows, date, 9))


@pytest.mark.parametrize("date", ["04.01.0999", "04.01.9999", "04.01.1492"])
def test_a_format_of_the_users_changes_nothing(tmp_path, date):
    assert "from 1600 on" in failure(tmp_path, text(DOTTED, date, 9), date_format="%d.%m.%Y")


@pytest.mark.parametrize("date", ["1600-01-03", "1699-12-31", "1700-01-04"])
def test_old_dates_of_stocks_are_read(tmp_path, date):
    history = closes(tmp_path, text(ROWS, date, 0))
    assert str(history.first) == date


@pytest.mark.parametrize("row", ["2020-13-45", "0000-00-00", "20201345", "30.02.2020", "n/a"])
def test_what_is_no_date_at_all_is_left_out_as_before(tmp_path, row):
    assert len(closes(tmp_path, text(ROWS, row, 9))) == 28


@pytest.mark.parametrize("kind", [pa.date32(), pa.timestamp("us"), pa.timestamp("s", tz="UTC")])
@pytest.mark.parametrize("day", [-2_000_000, -200_000, 200_000, 2_900_000])
def test_typed_dates_of_another_age_are_refused(tmp_path, kind, day):
    days = np.append(np.datetime64("2020-01-02") + np.arange(28), np.datetime64(day, "D"))
    dates = pa.array(days.astype("datetime64[s]")).cast(pa.timestamp("s")).cast(kind)
    file = io.BytesIO()
    pq.write_table(pa.table({"Date": dates, "Close": np.arange(1.0, 30)}), file)
    assert "from 1600 on" in failure(tmp_path, file.getvalue(), "x.parquet")


@pytest.mark.parametrize("first", ["1599-12-31", "0001-01-01", "NaT"])
def test_no_history_has_sessions_of_another_age(first):
    days = np.array([first, "2020-01-02"], dtype="datetime64[D]")
    prices = [np.ones(2)] * 6
    with pytest.raises(DataError, match="dates from 1600 to 2200 are needed"):
        History("X", days, *prices)
    with pytest.raises(DataError, match="dates from 1600 to 2200 are needed"):
        History("X", np.array(["2020-01-02", "2201-01-01"], dtype="datetime64[D]"), *prices)
