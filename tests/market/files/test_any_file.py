"""Whatever a file holds, it is read or refused: properties, and hostile content."""

import io
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from price_files import read_file, write

from forecaster.market.files.read import read_files

cents = st.integers(100, 5_000_000).map(lambda value: value / 100)
bar = st.tuples(cents, cents, cents, st.integers(0, 10**8), st.integers(1, 4))
NAMES = [
    "Date Open High Low Close Volume",
    "Datum Eröffnung Hoch Tief Schlusskurs Stücke",
    "Data Otwarcie Najwyższy Najniższy Zamknięcie Wolumen",
    "<DATE> <OPEN> <HIGH> <LOW> <CLOSE> <VOL>",
]
STYLES = [(".", "", ","), (".", ",", ";"), (",", ".", ";"), (",", "\u00a0", "\t"), (".", "'", "|")]


@st.composite
def written_history(draw):
    """A history as text in a random dialect, and the bars that it must read back as."""
    rows, day = [], np.datetime64("1995-01-02")
    for one, two, three, volume, step in draw(st.lists(bar, min_size=13, max_size=60)):
        low, close, high = sorted((one, two, three))
        rows.append((str(day), close, high, low, close, volume))
        day = day + step
    names = draw(st.sampled_from(NAMES)).split()
    decimal, thousands, delimiter = draw(st.sampled_from(STYLES))
    pattern = draw(
        st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%Y%m%d", "%d %b %Y", "%d/%m/%Y", "%m/%d/%Y"])
    )

    def cell(value, places):
        whole, _, fraction = f"{value:,.{places}f}".partition(".")
        return whole.replace(",", thousands) + (decimal + fraction if fraction else "")

    lines = [delimiter.join(names)]
    for session, *prices, volume in rows:
        date = pd.Timestamp(session).strftime(pattern)
        lines.append(delimiter.join([date, *(cell(price, 2) for price in prices), cell(volume, 0)]))
    if draw(st.booleans()):
        lines = [lines[0], *lines[:0:-1]]
    ending = draw(st.sampled_from(["\n", "\r\n"]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    return (ending.join(lines) + ending).encode(encoding), rows


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(written_history())
def test_any_history_in_any_dialect_reads_back(written):
    data, rows = written
    loaded = read_files(["-"], stdin=io.BytesIO(data))
    if loaded.failures:  # thirteen sessions can leave the order of day and month open, or never
        text = str(loaded.failures[0].error)  # be neighbours
        assert "date_format" in text or "days apart" in text
        return
    (history,) = loaded.panel
    assert history.sessions.astype(str).tolist() == [row[0] for row in rows]
    for place, name in enumerate(("open", "high", "low", "close", "volume"), 1):
        assert getattr(history, name) == pytest.approx([row[place] for row in rows])


@settings(max_examples=300)
@given(
    st.binary(max_size=400)
    | st.text(alphabet="Date,Close;\t\n\"'0123456789.-/ €\0\ufeff", max_size=400)
)
def test_no_bytes_whatever_make_it_crash(data):
    data = data if isinstance(data, bytes) else data.encode()
    loaded = read_files(["-"], stdin=io.BytesIO(data))
    assert len(loaded.panel) + len(loaded.failures) >= 1


@settings(max_examples=300)
@given(
    st.lists(
        st.lists(
            st.sampled_from(
                [
                    "Date",
                    "Close",
                    "2020-01-02",
                    "01/02/2020",
                    "1",
                    "1,5",
                    "",
                    "x",
                    "AAPL",
                    "-3",
                    "1e308",
                    "Adj Close",
                    "High",
                    "Low",
                    "1e-308",
                    "9" * 400,
                    "nan",
                ]
            ),
            max_size=5,
        ),
        max_size=8,
    )
)
def test_no_table_whatever_makes_it_crash(rows):
    data = "\n".join(";".join(row) for row in rows).encode()
    loaded = read_files(["-"], stdin=io.BytesIO(data))
    assert len(loaded.panel) + len(loaded.failures) >= 1


@pytest.mark.parametrize(
    "cell",
    [
        "1" + " " * 60_000 + "x",
        " " * 60_000 + "1 1",
        "1" * 60_000 + "x",
        "1," * 30_000,
        "(" * 60_000,
        "({[]: 1}, 2)",
        "01/" + "\t" * 50 + " " * 60_000,
        "12:" * 20_000,
    ],
)
@pytest.mark.parametrize("place", ["header", "date", "close"])
def test_hostile_cells_are_refused_quickly(tmp_path, cell, place):
    quoted = f'"{cell}"'
    cells = {"header": "Close", "date": "2020-01-02", "close": "1", place: quoted}
    text = f"Date;{cells['header']};A\n{cells['date']};{cells['close']};1\n" * 3
    started = time.perf_counter()
    loaded = read_file(write(tmp_path, "x.csv", text))
    assert time.perf_counter() - started < 2
    assert len(loaded.panel) + len(loaded.failures) >= 1


@pytest.mark.parametrize(
    "frame",
    [
        {"Date": ["2020-01-02", "2020-01-03"], "Close": [1.0, 2.0], "Ticker": [1.0, np.nan]},
        {"Date": ["2020-01-02", "2020-01-03"], "Close": [1.0, 2.0], "Ticker": [np.inf, 1.0]},
        {"Date": ["2020-01-02", "2020-01-03"], "Close": [1e300, 2.0], "Open": [1e-300, 1e300]},
    ],
)
def test_numbers_beyond_any_market_are_read_or_refused(tmp_path, frame):
    pd.DataFrame(frame).to_parquet(tmp_path / "x.parquet")
    loaded = read_file(str(tmp_path / "x.parquet"))
    assert len(loaded.panel) + len(loaded.failures) >= 1


def test_a_day_of_more_figures_than_any_is_no_date(tmp_path):
    text = "Date,Close\n2020-01-02,1\nJan 99999999999999999999 2020,2\n2020-01-03,3\n"
    assert len(read_file(write(tmp_path, "x.csv", text)).panel) == 1


def test_a_short_row_in_a_file_without_a_header_is_read_or_refused(tmp_path):
    rows = [f"2020-01-{day:02d},10,12,9,11,{day}00" for day in range(1, 29)]
    text = "\n".join([*rows, "2020-01-29,10,12,9,11", ""])
    loaded = read_file(write(tmp_path, "x.csv", text))
    assert len(loaded.panel) + len(loaded.failures) == 1
