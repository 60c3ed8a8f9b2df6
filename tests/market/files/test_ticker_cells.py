"""Cells of ticker columns: numbers, apostrophes, and blank cells below a merged one."""

import numpy as np
import pandas as pd
import pytest
from price_files import closes, failure, messages, read_file, write

import forecaster
from forecaster.market.files.read import ReadOptions
from forecaster.market.files.ticker_cells import ticker_names

MERGED = (
    "Symbol,Date,Close\nAAPL,2024-04-22,165.84\n,2024-04-23,166.9\n,2024-04-24,169.02\n"
    "MSFT,2024-04-22,400.96\n,2024-04-23,407.57\n,2024-04-24,409.06\n"
)


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        (["AAPL", " AAPL ", "MSFT"], ["AAPL", "MSFT"]),
        (["'600519", "'000001"], ["600519", "000001"]),
        (["\u200eAAPL\u200e", "MSFT\u00a0"], ["AAPL", "MSFT"]),
        (['="600519"', '"000001"'], ["600519", "000001"]),
        (["14593.0", "90001.00", ""], ["14593", "90001", ""]),
        (["000001", "600519"], ["000001", "600519"]),
        (["14593.0", "BRK.A"], ["14593.0", "BRK.A"]),
        (np.array([14593.0, 90001.0, np.nan]), ["14593", "90001", ""]),
        (np.array([20240422001.0]), ["20240422001"]),
    ],
)
def test_names(cells, names):
    assert ticker_names(cells)[0] == names


def test_codes_follow_the_names():
    assert ticker_names(["B", "A", "B ", "'A"])[1].tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(
    "typed",
    [
        lambda column: column.astype("int64"),
        lambda column: column.astype("int32"),
        lambda column: column.astype("Int64"),
        lambda column: column.astype("float64"),
        lambda column: column.astype(str),
        lambda column: column.astype(str).astype("category"),
        lambda column: column.astype("category"),
        lambda column: column.astype(str).str.encode("ascii"),
    ],
)
@pytest.mark.parametrize("as_index", [False, True])
@pytest.mark.parametrize("header", ["firm", "ticker"])
def test_typed_tickers_of_parquet_are_equal(tmp_path, typed, header, as_index):
    frame = pd.DataFrame(
        {
            header: pd.Series([10001, 10001, 10002, 10002]),
            "date": pd.to_datetime(["2024-04-22", "2024-04-23"] * 2),
            "close": [10.0, 10.1, 50.0, 50.5],
        }
    )
    frame[header] = typed(frame[header])
    frame = frame.set_index([header, "date"]) if as_index else frame
    path = tmp_path / "x.parquet"
    frame.to_parquet(path)
    columns = {} if header == "ticker" else {"ticker": header}
    loaded = read_file(str(path), ReadOptions(columns=columns))
    assert not loaded.failures, loaded.failures[0].error
    assert loaded.panel.tickers == ("10001", "10002")
    assert [history.close.tolist() for history in loaded.panel] == [[10, 10.1], [50, 50.5]]


@pytest.mark.parametrize("tickers", [["A", "A", "B", "B"], [10001, 10001, 10002, 10002]])
def test_an_unnamed_index_level_beside_dates_has_tickers(tmp_path, tickers):
    days = pd.to_datetime(["2024-04-22", "2024-04-23"] * 2)
    index = pd.MultiIndex.from_arrays([tickers, days])
    pd.DataFrame({"close": [10.0, 10.1, 50.0, 50.5]}, index=index).to_parquet(
        tmp_path / "x.parquet"
    )
    loaded = read_file(str(tmp_path / "x.parquet"))
    assert loaded.panel.tickers == tuple(map(str, dict.fromkeys(tickers)))
    assert [history.close.tolist() for history in loaded.panel] == [[10, 10.1], [50, 50.5]]


def test_an_unnamed_index_of_row_numbers_has_none(tmp_path):
    days = pd.to_datetime(["2024-04-22", "2024-04-23", "2024-04-24"])
    frame = pd.DataFrame({"date": days, "close": [10.0, 10.1, 10.2]}, index=[7, 8, 9])
    frame.to_parquet(tmp_path / "x.parquet")
    assert read_file(str(tmp_path / "x.parquet")).panel.tickers == ("X",)


def test_two_small_stocks_are_never_one(tmp_path):
    rows = ["1,2024-04-22,10", "1,2024-04-23,10.1", "2,2024-04-22,10.2", "2,2024-04-23,10.3"]
    path = write(tmp_path, "x.csv", "\n".join(["firm,date,close", *rows]))
    for options in (ReadOptions(), ReadOptions(columns={"ticker": "firm"})):
        for history in read_file(path, options).panel:
            assert history.close.tolist() in ([10, 10.1], [10.2, 10.3])


def test_blank_tickers_below_a_merged_cell_are_filled(tmp_path):
    loaded = read_file(write(tmp_path, "x.csv", MERGED))
    assert [(h.ticker, h.close.tolist()) for h in loaded.panel] == [
        ("AAPL", [165.84, 166.9, 169.02]),
        ("MSFT", [400.96, 407.57, 409.06]),
    ]
    assert messages(loaded) == [
        "4 rows without a ticker took that of the row above, first row 3 (AAPL)."
    ]


def test_newest_first_and_a_footer_are_fine(tmp_path):
    text = "Symbol,Date,Close\nAAPL,2024-04-24,3\n,2024-04-23,2\n,2024-04-22,1\nMSFT,2024-04-24,6\n"
    loaded = read_file(write(tmp_path, "x.csv", text + ",2024-04-23,5\n,,\nsource: none,,\n"))
    assert [h.close.tolist() for h in loaded.panel] == [[1, 2, 3], [5, 6]]


@pytest.mark.parametrize(
    "text",
    [
        MERGED.replace("MSFT,", ","),  # dates begin again under AAPL
        MERGED.replace("AAPL,", ","),  # nothing above
        "Symbol,Date,Close\nA,2024-04-22,1\nB,2024-04-22,9\n,2024-04-22,2\nA,2024-04-23,1\n",
        "Symbol,Date,Close\nA,2024-04-22,1\nA,2024-04-23,1\n,2024-04-21,2\nB,2024-04-23,1\n",
    ],
)
def test_rows_of_unknown_tickers_are_refused(tmp_path, text):
    message = failure(tmp_path, text)
    assert "the ticker is blank" in message
    assert "Fill the column" in message


def test_a_blank_column_of_tickers_is_none(tmp_path):
    text = "Symbol,Date,Close\n,2024-04-22,1\n,2024-04-23,2\n"
    assert closes(tmp_path, text).ticker == "X"


def test_blank_dates_below_a_merged_cell_are_filled(tmp_path):
    text = "Date,Symbol,Close\n2024-04-22,A,1\n,B,10\n2024-04-23,A,2\n,B,11\n"
    loaded = read_file(write(tmp_path, "x.csv", text))
    assert [h.close.tolist() for h in loaded.panel] == [[1, 2], [10, 11]]
    assert messages(loaded)[0].startswith(
        "2 rows without a date were taken to be of the date above"
    )
    text = "Date,Symbol,Close\n2024-04-22,A,1\n,A,10\n2024-04-23,A,2\n"
    assert closes(tmp_path, text).close.tolist() == [1, 2]


def test_a_number_and_an_exchange_of_one_letter_is_a_ticker(tmp_path):
    """``T`` is Tokyo behind a dot, and a trillion behind a figure."""
    rows = [f"7203.T,2012-01-{day:02d},{day}.5" for day in range(2, 16)]
    rows += [f"6758.T,2012-02-{day:02d},{day}.25" for day in range(2, 16)]
    loaded = read_file(write(tmp_path, "x.csv", "\n".join(["ticker,date,close", *rows]) + "\n"))
    assert loaded.panel.tickers == ("7203.T", "6758.T")
    frame = loaded.panel.to_dataframe()
    assert forecaster.read(frame[frame.ticker == "7203.T"]).tickers == ("7203.T",)
