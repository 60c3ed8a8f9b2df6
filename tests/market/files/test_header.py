"""The header: where it is, and which rows below it hold bars."""

import numpy as np
import pytest
from price_files import closes, failure, read_file, write

from forecaster.errors import DataError
from forecaster.market.files.delimited import split_rows
from forecaster.market.files.header import table_of


def read(text):
    return table_of(split_rows(text, "x.csv"), "x.csv")


def texts(table):
    return [header.text for header in table.headers]


def test_title_lines_above_the_header_are_passed_over():
    text = (
        "Security,AAPL US Equity\nStart Date,1/2/2020\nCurrency,USD\n\nDate,PX_LAST\n1/31/2020,77\n"
    )
    table = read(text)
    assert texts(table) == ["Date", "PX_LAST"]
    assert table.rows.tolist() == [6]


def test_rows_one_cell_longer_than_the_header_have_a_date_in_front():
    table = read("AAPL.Open,AAPL.Close\n2020-01-02,1,2\n2020-01-03,1,2\n")
    assert texts(table) == ["", "AAPL.Open", "AAPL.Close"]


def test_positions_without_a_header():
    rows = "2020-01-02,10,11,9,10.5,100\n2020-01-03,10.5,12,10,11,100\n2020-01-06,11,12,10,11.5,9\n"
    table = read(rows)
    assert texts(table) == ["date", "open", "high", "low", "close", "volume"]
    assert "no header" in table.notes[0]
    assert table.rows.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "rows",
    [
        "2020-01-02,10.5,11,9,10\n2020-01-03,11,12,10,10.5\n2020-01-06,11.5,12,10,11\n",  # C,H,L,O
        "2020-01-02,11,10,9,10.5\n2020-01-03,12,10.5,10,11\n",  # H,O,L,C
        "2020-01-02,10,9,11,10.5\n2020-01-03,10.5,10,12,11\n",  # O,L,H,C
        "2020-01-02,10\n2020-01-03,11\n",
        "AAPL,2020-01-02,10,11,9,10.5\n",
    ],
)
def test_positions_that_could_be_something_else_are_refused(rows):
    with pytest.raises(DataError, match="no header line"):
        read(rows)


def test_rows_wider_than_the_header():
    with pytest.raises(DataError, match="row 2: 5 cells, but the header has 3"):
        read("Date,Open,Close\n02.01.2020,10,5,11,5\n03.01.2020,10,5,11,5\n")
    table = read("Date,Close\n2020-01-02,1,\n2020-01-03,2\n2020-01-06,1,234\n")
    assert table.rows.tolist() == [2, 3]
    assert "1 of 3 rows with more cells" in table.notes[0]
    assert "row 4" in table.notes[0]


def test_columns_are_arrays_or_text():
    table = read("Date,Close\n2020-01-02,1\n")
    assert not any(isinstance(column, np.ndarray) for column in table.columns)


def test_the_first_line_of_a_header_cell_counts():
    table = read('Date,"Close\n(USD)"\n2020-01-02,1\n')
    assert [(h.text, h.role) for h in table.headers] == [("Date", "date"), ("Close", "close")]


@pytest.mark.parametrize(
    ("lines", "tickers"),
    [
        ("Price,Close,Open\nTicker,T,T\nDate,,\n", ["", "T", "T"]),
        ("Ticker,T,T\nPrice,Close,Open\nDate,,\n", ["", "T", "T"]),
        (",Close,Open\n,C,C\n", ["", "C", "C"]),
        (",C,C\n,CLOSE,OPEN\n", ["", "C", "C"]),
        (",Close,Close\n,O,T\n", ["", "O", "T"]),
        ("Price,Close,Close\nTicker,7203,6758\nDate,,\n", ["", "7203", "6758"]),
        ("Price,Close,Close\nTicker,0700.HK,6758.T\n", ["", "0700.HK", "6758.T"]),
        ("Ticker,7203,7203\nPrice,Close,Open\nDate,,\n", ["", "7203", "7203"]),
        (",Close,Close\n,7203,6758\nDate,,\n", ["", "7203", "6758"]),
        ("Date,Close,Open\n,7203,7203\n", []),  # may be a session without a date
        ("Date,Open,Close\n,USD,USD\n", []),
        ("Date,Close,Volume\n,EUR,shares\n", []),
        ("Date,Close,Volume\n,X1,X2\n", []),
    ],
)
def test_tickers_above_or_below_the_fields(lines, tickers):
    table = read(lines + "2020-01-02,1.5,2\n2020-01-03,1.6,3\n")
    assert list(table.tickers) == tickers
    assert {h.role for h in table.headers} & {"close"}


def test_further_columns_without_a_header_have_no_names(tmp_path):
    rows = "".join(
        f"{1577836800000 + 86400000 * day},{10 + day},{12 + day},{9 + day},{11 + day},1000,"
        f"{1577923199999 + 86400000 * day},20000.5,7,1,2,0\n"
        for day in range(6)
    )
    history = closes(tmp_path, rows, "BTCUSDT-1d-2020-01.csv")
    assert (history.close[-1], history.high[-1], history.volume[-1]) == (16.0, 17.0, 1000.0)
    assert str(history.cutoff) == "2020-01-06"


def test_the_line_that_is_offered_for_a_file_without_a_header_can_be_added(tmp_path):
    rows = "2020-01-02,10.5,7,3\n2020-01-03,11.25,9,4\n"
    line = failure(tmp_path, rows).rpartition("as in ")[2].removesuffix(".")
    assert closes(tmp_path, f"{line}\n{rows}").close[-1] == 11.25


def test_tickers_in_headers_with_blanks_stand_between_commas(tmp_path):
    rows = "".join(f"2020-01-0{day},{day}.5,{day * 9}.5,{day},{day * 9}\n" for day in range(2, 7))
    text = "Date,T Close,O Close,T Open,O Open\n" + rows
    loaded = read_file(write(tmp_path, "x.csv", text))
    assert {h.ticker: h.close[-1] for h in loaded.panel} == {"T": 6.5, "O": 54.5}


def test_a_title_with_a_comma_is_no_line_of_tickers(tmp_path):
    text = "Close prices of ACME, daily\nDate,Close\n2020-01-02,10.5\n2020-01-03,11.25\n"
    assert closes(tmp_path, text).ticker == "X"


@pytest.mark.parametrize("gap", ["", "NA", ".", "#N/A", "null"])
@pytest.mark.parametrize("names", [("AAPL",), ("AAPL", "MSFT")])
def test_first_rows_without_prices_are_no_header(tmp_path, gap, names):
    head = ",".join(["Date", *names])
    gaps = "".join(f"2024-01-0{day},{','.join([gap] * len(names))}\n" for day in (1, 2))
    bars = "".join(f"2024-01-0{day},{','.join([f'{day}.5'] * len(names))}\n" for day in (3, 4, 5))
    loaded = read_file(write(tmp_path, "prices.csv", f"{head}\n{gaps}{bars}"))
    assert {h.ticker: h.close[-1] for h in loaded.panel} == dict.fromkeys(names, 5.5)


@pytest.mark.parametrize("line", [",XNAS,XETR", "id,1001,1002"])
def test_a_line_below_the_tickers_does_not_take_their_place(tmp_path, line):
    text = f"Date,AAPL,SAP\n{line}\n2024-01-02,185.5,138.2\n2024-01-03,184.5,139.2\n"
    loaded = read_file(write(tmp_path, "prices.csv", text))
    assert {h.ticker: h.close[-1] for h in loaded.panel} == {"AAPL": 184.5, "SAP": 139.2}


def test_words_above_groups_of_columns_are_no_tickers(tmp_path):
    text = (
        ",Unadjusted,,,,Adjusted,,,\nDate,Open,High,Low,Close,Open,High,Low,Close\n"
        "2024-01-02,187,188,183,185.6,93.5,94,91.5,92.8\n"
        "2024-01-03,187,188,183,185.4,93.5,94,91.5,92.7\n"
    )
    assert "2 columns of closes with different numbers" in failure(tmp_path, text)


@pytest.mark.parametrize("names", ["aapl,low,open", "Gold,Last,Silver", "LOW,OPEN,T"])
def test_tickers_above_the_fields_may_be_words_of_headers(tmp_path, names):
    text = (
        f",{names}\nDate,Close,Close,Close\n2024-01-02,187.5,220.5,4.5\n"
        "2024-01-03,186.5,221.5,4.25\n"
    )
    loaded = read_file(write(tmp_path, "prices.csv", text))
    assert [h.close[-1] for h in loaded.panel] == [186.5, 221.5, 4.25]
