"""Price files as users have them: each dialect is a small made-up file in a vendor's shape."""

import io
import os
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecaster.errors import DataError, SettingsError
from forecaster.market import files
from forecaster.market.files import (
    Loaded,
    Note,
    ReadOptions,
    is_file_source,
    read_file,
    read_files,
    ticker_from_name,
)

DIALECTS = {
    "yahoo": (
        "Date,Open,High,Low,Close,Adj Close,Volume\n"
        "2020-01-02,10,11,9,10.5,9.5,1000\n2020-01-03,10.5,12,10,11.25,10.25,2000\n"
    ),
    "yahoo page": (
        'Date,Open,High,Low,"Close\n'
        ' Close price adjusted for splits.","Adj Close\n Adjusted.",Volume\n'
        '"Jan 3, 2020",10.5,12,10,11.25,10.25,"2,000"\n"Jan 2, 2020",10,11,9,10.5,9.5,"1,000"\n'
    ),
    "yfinance": (
        "Price,Adj Close,Close,High,Low,Open,Volume\nTicker,X1,X1,X1,X1,X1,X1\nDate,,,,,,\n"
        "2020-01-02,9.5,10.5,11,9,10,1000\n2020-01-03,10.25,11.25,12,10,10.5,2000\n"
    ),
    "stooq": (
        "Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen\r\n"
        "2020-01-02,10,11,9,10.5,1000\r\n2020-01-03,10.5,12,10,11.25,2000\r\n"
    ),
    "stooq ascii": (
        "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"
        "X.US,D,20200102,000000,10,11,9,10.5,1000,0\n"
        "X.US,D,20200103,000000,10.5,12,10,11.25,2000,0\n"
    ),
    "metatrader": (
        "<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"
        "2020.01.02\t10\t11\t9\t10.5\t1000\t0\t3\n2020.01.03\t10.5\t12\t10\t11.25\t2000\t0\t3\n"
    ),
    "metatrader without header": (
        "2020.01.02,00:00,10,11,9,10.5,1000\n2020.01.03,00:00,10.5,12,10,11.25,2000\n"
    ),
    "investing": (
        '\ufeff"Date","Price","Open","High","Low","Vol.","Change %"\n'
        '"01/03/2020","11.25","10.50","12.00","10.00","2.00K","0.85%"\n'
        '"01/02/2020","10.50","10.00","11.00","9.00","1.00K","0.85%"\n'
        '"12/31/2019","10.50","10.00","11.00","9.00","1.00K","0.85%"\n'
    ),
    "investing, old": (
        '"Date","Price","Open","High","Low","Vol.","Change %"\n'
        '"Jan 03, 2020","11.25","10.50","12.00","10.00","2.00K","0.85"\n'
        '"Jan 02, 2020","10.50","10.00","11.00","9.00","1.00K","0.85"\n'
        '"","","","","","",""\n'
        '"","Highest:12","Lowest:9","Difference:3","Average:10","Change %:5.03"\n'
    ),
    "nasdaq": (
        "Date, Close/Last, Volume, Open, High, Low\n"
        "01/13/2020, $11.25, 2000, $10.50, $12.00, $10.00\n"
        "01/10/2020, $10.50, 1000, $10.00, $11.00, $9.00\n"
    ),
    "german": (
        "Datum;Erster;Hoch;Tief;Schlusskurs;Stuecke;Volumen\n"
        "2020-01-03;10,50;12,00;10;11,25;2.000;20.123\n2020-01-02;10;11;9;10,5;1.000;9.456\n\n\n"
    ),
    "nordic": (
        "sep=;\nDate;Bid;Opening price;High price;Low price;Closing price;Total volume;Trades;\n"
        "2020-01-03;10,1;10,50;12,00;10,00;11,25;2 000;33;\n"
        "2020-01-02;10,1;10,00;11,00;9,00;10,50;1 000;33;\n"
    ),
    "nse": (
        "date,series,open,high,low,prev_close,ltp,close,vwap,volume,value\n"
        '2020-01-02,EQ,10,11,9,8,10.45,10.5,10.2,"1,000","6,01,305.85"\n'
        '2020-01-03,EQ,10.5,12,10,10.5,11.2,11.25,11.1,"2,000","17,08,56,105.5"\n'
    ),
    "tiingo": (
        "date,close,high,low,open,volume,adjClose,adjHigh,adjLow,adjOpen,adjVolume,divCash\n"
        "2020-01-02T00:00:00.000Z,10.5,11,9,10,1000,9.5,9,8,9,4000,0.0\n"
        "2020-01-03T00:00:00.000Z,11.25,12,10,10.5,2000,10.25,9,8,9,8000,0.0\n"
    ),
    "quandl": (
        ",Date,Open,High,Low,Close,Volume,ExDividend,AdjOpen,AdjHigh,AdjLow,AdjClose,Stock\n"
        "0,2020-01-03,10.5,12,10,11.25,2000.0,0.0,9,9,9,10.25,AAPL\n"
        "1,2020-01-02,10,11,9,10.5,1000.0,0.0,9,9,9,9.5,AAPL\n"
    ),
    "binance": (
        "open_time,open,high,low,close,volume,num_trades\n"
        "1577923200000,10,11,9,10.5,1000,3\n1578009600000,10.5,12,10,11.25,2000,3\n"
    ),
    "cryptodatadownload": (
        "https://www.CryptoDataDownload.com\n"
        "unix,date,symbol,open,high,low,close,Volume BTC,Volume USD\n"
        "1578009600,2020-01-03 00:00:00,BTC/USD,10.5,12,10,11.25,2000,9\n"
        "1577923200,2020-01-02 00:00:00,BTC/USD,10,11,9,10.5,1000,9\n"
    ),
    "unnamed index": (
        ",Open,High,Low,Close,Volume\n"
        "2020-01-02,10,11,9,10.5,1000\n2020-01-03,10.5,12,10,11.25,2000\n"
    ),
    "quantmod": (
        '"","X.Open","X.High","X.Low","X.Close","X.Volume","X.Adjusted"\n'
        '"2020-01-02",10,11,9,10.5,1000,9.5\n"2020-01-03",10.5,12,10,11.25,2000,10.25\n'
    ),
    "boursorama": (
        "date\touv\thaut\tbas\tclot\tvol\tdevise\t\n"
        "13/01/2020 00:00\t10.5\t12\t10\t11.25\t2000\tEUR\t\n"
        "10/01/2020 00:00\t10\t11\t9\t10.5\t1000\tEUR\t\n"
    ),
    "mixed offsets": (
        "Datetime,Open,High,Low,Close,Volume\n2024-03-08 00:00:00-05:00,10,11,9,10.5,1000\n"
        "2024-03-11 00:00:00-04:00,10.5,12,10,11.25,2000\n"
    ),
}
DATES = {
    "nasdaq": ["2020-01-10", "2020-01-13"],
    "boursorama": ["2020-01-10", "2020-01-13"],
    "mixed offsets": ["2024-03-08", "2024-03-11"],
}
ADJUSTED = {"yahoo", "yahoo page", "yfinance", "tiingo", "quandl", "quantmod"}


def write(folder, name, text, encoding="utf-8"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return str(path)


def closes(tmp_path, text, name="X.csv", **options):
    """The one history of a file that must read without failures."""
    loaded = read_file(write(tmp_path, name, text), ReadOptions(**options))
    assert not loaded.failures, loaded.failures[0].error
    (history,) = loaded.panel
    return history


def failure(tmp_path, text, name="X.csv", **options):
    loaded = read_file(write(tmp_path, name, text), ReadOptions(**options))
    assert len(loaded.panel) == 0
    (failed,) = loaded.failures
    assert isinstance(failed.error, DataError)
    return str(failed.error)


def messages(loaded):
    return [note.message for note in loaded.notes]


@pytest.mark.parametrize("name", DIALECTS)
def test_every_dialect_reads_the_same_two_bars(tmp_path, name):
    history = closes(tmp_path, DIALECTS[name])
    assert history.sessions[-2:].astype(str).tolist() == DATES.get(
        name, ["2020-01-02", "2020-01-03"]
    )
    bars = [history.open, history.high, history.low, history.close, history.volume]
    assert [values[-2] for values in bars] == [10, 11, 9, 10.5, 1000]
    assert [values[-1] for values in bars] == [10.5, 12, 10, 11.25, 2000]
    assert history.adjusted == (name in ADJUSTED)
    expected = [9.5, 10.25] if name in ADJUSTED else [10.5, 11.25]
    assert history.adjusted_close[-2:].tolist() == expected


def test_tickers_come_from_the_column_the_header_the_option_or_the_file_name(tmp_path):
    assert closes(tmp_path, DIALECTS["quandl"]).ticker == "AAPL"
    assert closes(tmp_path, DIALECTS["yfinance"]).ticker == "X1"
    assert closes(tmp_path, DIALECTS["yahoo"], "msft_us_d.csv").ticker == "MSFT"
    assert closes(tmp_path, DIALECTS["yahoo"], ticker="OTHER").ticker == "OTHER"
    assert closes(tmp_path, DIALECTS["quandl"], ticker="OTHER").ticker == "OTHER"


@pytest.mark.parametrize(
    ("name", "ticker"),
    [
        ("AAPL_2006-01-01_to_2018-01-01.csv", "AAPL"),
        ("FB.csv", "FB"),
        ("aapl_us_d.csv", "AAPL"),
        ("brk-b.csv", "BRK-B"),
        ("BRK.B.csv", "BRK.B"),
        ("^GSPC.parquet", "^GSPC"),
        ("AAPL (1).csv", "AAPL"),
        ("AAPL Historical Data.csv", "AAPL"),
        ("EUR_USD Historical Data.csv", "EUR_USD"),
        ("BTC-USD_20200101.csv", "BTC-USD"),
        ("0700.HK.csv", "0700.HK"),
        ("600519.csv", "600519"),
        ("D.csv", "D"),
        ("prices", "PRICES"),
        ("2020-01-02.csv", "2020-01-02"),
    ],
)
def test_ticker_from_name(name, ticker):
    assert ticker_from_name(name) == ticker


def test_a_long_table_keeps_the_order_of_its_tickers(tmp_path):
    text = "symbol,date,price,currency\nZZ,2022/01/31,1,USD\nAA,2022/01/31,2,EUR\n"
    text += "ZZ,2022/02/01,1.1,USD\nAA,2022/02/01,2.1,EUR\n"
    loaded = read_file(write(tmp_path, "x.csv", text))
    assert loaded.panel.tickers == ("ZZ", "AA")
    assert [history.close.tolist() for history in loaded.panel] == [[1, 1.1], [2, 2.1]]
    assert [history.currency for history in loaded.panel] == ["USD", "EUR"]


def test_one_bad_ticker_of_a_long_table_does_not_stop_the_others(tmp_path):
    text = "Date,Close,Name\n2020-01-02,1,A\n2020-01-02,x,B\n2020-01-03,1,A\n2020-01-03,y,B\n"
    loaded = read_file(write(tmp_path, "x.csv", text))
    assert loaded.panel.tickers == ("A",)
    (failed,) = loaded.failures
    assert failed.ticker == "B"
    assert 'row 3: close is "x"' in str(failed.error)


def test_lines_below_a_long_table_are_no_ticker(tmp_path):
    text = "Date,Close,Name\n2020-01-02,1,A\n2020-01-02,1,B\n,,\nSource: the exchange\n,,Total\n"
    loaded = read_file(write(tmp_path, "x.csv", text))
    assert loaded.panel.tickers == ("A", "B")
    assert (loaded.failures, loaded.notes) == ((), ())


def test_a_wide_table_drops_blanks_before_a_listing(tmp_path):
    text = "Date,AAPL,FB,C\r\n2012-05-17,1,,3\r\n2012-05-18,1.1,38,3\r\n2012-05-21,1.2,34,\r\n"
    loaded = read_file(write(tmp_path, "x.csv", text))
    assert loaded.panel.tickers == ("AAPL", "FB", "C")
    assert [len(history) for history in loaded.panel] == [3, 2, 2]
    assert loaded.notes == ()


def test_a_ticker_column_that_is_blank_is_no_ticker_column(tmp_path):
    assert closes(tmp_path, "Date,Close,Name\n2020-01-02,1,\n2020-01-03,1,\n").ticker == "X"


def test_two_tickers_that_pandas_wrote(tmp_path):
    text = "Price,Close,Close\nTicker,AAPL,MSFT\nDate,,\n2020-01-02,1,2\n2020-01-03,1.1,2.1\n"
    loaded = read_file(write(tmp_path, "x.csv", text))
    assert loaded.panel.tickers == ("AAPL", "MSFT")


@pytest.mark.parametrize("blank", ["NaN", "n/a", "-", "halted"])
def test_a_first_session_without_prices_is_no_line_of_tickers(tmp_path, blank):
    rows = [f"2020-01-02,{blank},{blank}", "2020-01-03,1,2", "2020-01-06,1.1,2.1"]
    for header in ("Date,Open,Close", "Date,Close,Volume"):
        path = write(tmp_path, "ABC.csv", "\n".join([header, *rows]) + "\n")
        loaded = read_file(path)
        (history,) = loaded.panel
        assert (history.ticker, len(history)) == ("ABC", 2)
        assert "1 row with no usable close was left out" in messages(loaded)[0]


def test_repeated_headers_blank_lines_and_footers(tmp_path):
    text = "Date,Close\n2020-01-02,1\n\nDate,Close\n2020-01-03,1.1\nSource: exchange\n\n"
    loaded = read_file(write(tmp_path, "x.csv", text))
    assert len(loaded.panel.histories[0]) == 2
    assert messages(loaded) == ["1 repeated header line was left out."]


def test_notes_name_source_and_ticker(tmp_path):
    path = write(tmp_path, "aapl.csv", "Date,Close\n2020-01-02,1\n2020-01-03,\n2020-01-06,1.1\n")
    (note,) = read_file(path).notes
    message = "1 row with no usable close was left out, first row 3 (close is blank)."
    assert note == Note(path, "AAPL", message)


def test_a_blank_volume_is_unknown_and_silent(tmp_path):
    text = "Date,Open,Close,Volume\n2020-01-02,,1,-\n2020-01-03,,1.1,\n"
    loaded = read_file(write(tmp_path, "x.csv", text))
    (history,) = loaded.panel
    assert np.isnan(history.volume).all()
    assert np.isnan(history.open).all()
    assert loaded.notes == ()


def test_ambiguous_dates_fail_until_the_format_is_given(tmp_path):
    text = "Date,Close\n01/02/2024,1\n02/02/2024,1.1\n"
    assert "--date-format %d/%m/%Y or --date-format %m/%d/%Y" in failure(tmp_path, text)
    history = closes(tmp_path, text, date_format="%m/%d/%Y")
    assert history.sessions.astype(str).tolist() == ["2024-01-02", "2024-02-02"]


def test_columns_named_by_the_user(tmp_path):
    text = "Tag;Mittel;Close\n02.01.2020;1,5;9\n03.01.2020;1,6;9\n"
    options = {"columns": {"date": "Tag", "close": "Mittel"}}
    assert closes(tmp_path, text, **options).close.tolist() == [1.5, 1.6]
    assert 'no column "Preis"' in failure(tmp_path, text, columns={"close": "Preis"})


def test_one_row_is_a_history_and_none_is_not(tmp_path):
    assert len(closes(tmp_path, "Date,Close\n2020-01-02,1\n")) == 1
    assert "a header and no rows" in failure(tmp_path, "Date,Close\n")
    assert "a header and no rows" in failure(tmp_path, "Date,Close\n\n ,\n")


def test_several_tickers_without_a_ticker_column_are_refused(tmp_path):
    rows = "".join(f"2020-01-{day:02d},{price}\n" for price in (1, 50) for day in range(1, 20))
    assert "--column ticker=NAME" in failure(tmp_path, "Date,Close\n" + rows)


def test_intraday_files_are_refused(tmp_path):
    rows = "".join(
        f"2020-01-0{day} {hour:02d}:00,{day + hour}\n" for day in (2, 3) for hour in range(9, 17)
    )
    assert "intraday" in failure(tmp_path, "Datetime,Close\n" + rows)
    split = rows.replace(" ", ",")
    assert "intraday" in failure(tmp_path, "Date,Time,Close\n" + split)


def test_a_split_is_noted(tmp_path):
    text = "Date,Close\n2014-06-06,700\n2014-06-09,100.1\n"
    (note,) = read_file(write(tmp_path, "AAPL.csv", text)).notes
    assert note.ticker == "AAPL"
    assert "from 700.0 to 100.1 on 2014-06-09, as a 7:1 split" in note.message


def test_sources_are_read_in_order_and_failures_do_not_stop_them(tmp_path):
    first = write(tmp_path, "B.csv", DIALECTS["yahoo"])
    second = write(tmp_path, "A.csv", DIALECTS["stooq"])
    loaded = read_files([first, "AAPL", str(tmp_path / "none.csv"), second])
    assert isinstance(loaded, Loaded)
    assert loaded.panel.tickers == ("B", "A")
    texts = [str(failed.error) for failed in loaded.failures]
    assert texts[0] == (
        "AAPL is not a file or folder here; prices are read from files. Give a path such as"
        " AAPL.csv."
    )
    assert texts[1].endswith("none.csv is not there; a price file is needed. Check the path.")


def test_a_ticker_from_two_sources_fails_the_second_time_and_names_both(tmp_path):
    (tmp_path / "old").mkdir()
    first = write(tmp_path, "AAPL.csv", DIALECTS["yahoo"])
    second = write(tmp_path / "old", "AAPL.csv", DIALECTS["stooq"])
    loaded = read_files([first, second])
    assert loaded.panel.tickers == ("AAPL",)
    assert loaded.panel.histories[0].adjusted
    (failed,) = loaded.failures
    assert (failed.source, failed.ticker) == (second, "AAPL")
    assert first in str(failed.error)
    assert second in str(failed.error)


def test_a_folder_is_its_price_files_in_order(tmp_path):
    folder = tmp_path / "prices"
    (folder / "inner.csv").mkdir(parents=True)
    write(folder, "b.csv", DIALECTS["yahoo"])
    write(folder, "a.TSV", DIALECTS["metatrader"])
    write(folder, ".hidden.csv", DIALECTS["yahoo"])
    write(folder, "notes.md", "no")
    write(folder, "readme.txt", "Prices of two stocks.\nThey end in 2020.\n")
    loaded = read_files([str(folder)])
    assert loaded.panel.tickers == ("A", "B")
    assert [failed.source for failed in loaded.failures] == [str(folder / "readme.txt")]


def test_a_folder_without_price_files_fails(tmp_path):
    (failed,) = read_files([str(tmp_path)]).failures
    assert "without price files" in str(failed.error)


def test_standard_input(tmp_path):
    def read(text, **options):
        return read_files(["-"], ReadOptions(**options), stdin=io.BytesIO(text.encode()))

    assert read(DIALECTS["yahoo"]).panel.tickers == ("STDIN",)
    assert read(DIALECTS["yahoo"], ticker="A").panel.tickers == ("A",)
    assert read(DIALECTS["yfinance"]).panel.tickers == ("X1",)
    (failed,) = read("").failures
    assert failed.source == "standard input"
    twice = read_files(["-", "-"], stdin=io.BytesIO(DIALECTS["yahoo"].encode()))
    assert "given twice" in str(twice.failures[0].error)


def test_wrong_options_raise(tmp_path):
    path = write(tmp_path, "x.csv", "Date,Close,Name\n2020-01-02,1,A\n2020-01-02,1,B\n")
    with pytest.raises(SettingsError, match="--ticker AAPL names one history, but 2 were read"):
        read_file(path, ReadOptions(ticker="AAPL"))
    with pytest.raises(SettingsError, match="--column price"):
        read_file(path, ReadOptions(columns={"price": "Close"}))
    with pytest.raises(SettingsError, match="--date-format"):
        read_file(path, ReadOptions(date_format="%d"))
    with pytest.raises(SettingsError, match="--ticker"):
        read_file(path, ReadOptions(ticker=" "))


def test_one_ticker_name_for_two_files_raises(tmp_path):
    paths = [write(tmp_path, name, DIALECTS["yahoo"]) for name in ("a.csv", "b.csv")]
    with pytest.raises(SettingsError, match="--ticker AAPL"):
        read_files(paths, ReadOptions(ticker="AAPL"))


def test_what_is_a_file_source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "AAPL").write_text("x")
    for word in ("-", "a/b", "./AAPL", "x.csv", "X.TSV", "x.txt", "x.parquet", "x.pq", "AAPL"):
        assert is_file_source(word), word
    for word in ("MSFT", "BRK-B", "^GSPC", "BTC-USD", "BRK.B", "", "a\0b", "x" * 5000):
        assert not is_file_source(word), word


@pytest.mark.parametrize(
    "address", ["http://a.example/x.csv", "https://a/x", "s3://b/x.parquet", "file:///x.csv"]
)
def test_addresses_are_never_opened(address):
    (failed,) = read_files([address]).failures
    assert "Download it first" in str(failed.error)


def test_strange_paths_are_failures(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dead.csv").symlink_to(tmp_path / "gone")
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    words = {
        str(tmp_path / "pipe"): "no regular file",
        str(tmp_path / "dead.csv"): "link to a file that does not exist",
        str(tmp_path / "loop.csv"): "cannot be opened",
        "/dev/null": "no regular file",
        "x" * 5000 + ".csv": "cannot be opened",
        "a\0b.csv": "cannot be opened",
        "": "no source",
    }
    loaded = read_files(list(words))
    assert len(loaded.failures) == len(words)
    for failed, expected in zip(loaded.failures, words.values(), strict=True):
        assert expected in str(failed.error)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    path = write(tmp_path, "x.csv", DIALECTS["yahoo"])
    files.Path(path).chmod(0)
    (failed,) = read_file(path).failures
    assert "permissions" in str(failed.error)


def test_permission_errors_are_failures(tmp_path, monkeypatch):
    path = write(tmp_path, "x.csv", DIALECTS["yahoo"])

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files.Path, "open", refuse)
    (failed,) = read_file(path).failures
    assert "may not be read" in str(failed.error)


def test_sizes_are_refused_before_reading(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_TEXT_BYTES", 2**20)
    monkeypatch.setattr(files, "MAX_PARQUET_BYTES", 2**21)
    path = tmp_path / "big.csv"
    with path.open("wb") as file:
        file.truncate(2**20 + 1)
    assert "larger than 1 MiB" in str(read_file(str(path)).failures[0].error)
    stream = io.BytesIO(b"x" * (2**21))
    assert "larger than 1 MiB" in str(read_files(["-"], stdin=stream).failures[0].error)
    assert stream.tell() == 2**20 + 1
    with path.open("r+b") as file:
        file.write(b"PAR1")
        file.truncate(2**21 + 1)
    assert "larger than 2 MiB" in str(read_file(str(path)).failures[0].error)


SESSIONS = pd.DatetimeIndex(["2020-01-02", "2020-01-03", "2020-01-06"])
FRAME = pd.DataFrame({"Open": [1.0, 2, 3], "Close": [1.5, 2.1, 2.9], "Volume": [1, 2, 3]}, SESSIONS)


def parquet(tmp_path, frame):
    path = tmp_path / "aapl.parquet"
    frame.to_parquet(path)
    loaded = read_file(str(path))
    assert not loaded.failures, loaded.failures[0].error
    return loaded.panel


@pytest.mark.parametrize(
    "frame",
    [
        FRAME,
        FRAME.rename_axis("Date"),
        FRAME.rename_axis("Date").reset_index(),
        FRAME.tz_localize("Asia/Tokyo"),
        FRAME.tz_localize("America/New_York"),
        FRAME.set_axis([20200102, 20200103, 20200106]).rename_axis("date").reset_index(),
        FRAME.set_axis(SESSIONS.strftime("%Y-%m-%d")).rename_axis("date").reset_index(),
        FRAME.set_axis(SESSIONS.date).rename_axis("day"),
        FRAME.astype("float32").iloc[::-1],
    ],
)
def test_parquet_of_one_ticker(tmp_path, frame):
    (history,) = parquet(tmp_path, frame)
    assert history.ticker == "AAPL"
    assert history.sessions.astype(str).tolist() == ["2020-01-02", "2020-01-03", "2020-01-06"]
    assert history.close == pytest.approx([1.5, 2.1, 2.9], rel=1e-6)
    assert history.volume.tolist() == [1, 2, 3]


def test_parquet_of_several_tickers(tmp_path):
    long = pd.concat([FRAME.assign(ticker=name) for name in ("A", "B")]).rename_axis("date")
    wide = pd.DataFrame({"A": [1.0, 1.1, 1.2], "B": [4, 5, np.nan]}, SESSIONS)
    levels = pd.concat({"Close": wide, "Open": wide}, axis=1)
    named = levels.rename_axis("Date").rename_axis(["Price", "Ticker"], axis=1)
    for frame in (
        long.reset_index(),
        long.astype({"ticker": "category"}),
        long.set_index("ticker", append=True),
        wide,
        levels,
        named,
        named.swaplevel(axis=1),
    ):
        panel = parquet(tmp_path, frame)
        assert panel.tickers == ("A", "B")
        assert panel.histories[0].first == np.datetime64("2020-01-02")


def test_intraday_parquet_is_refused(tmp_path):
    hours = pd.date_range("2020-01-02", periods=72, freq="h")
    pd.DataFrame({"Close": np.linspace(1, 2, 72)}, hours).to_parquet(tmp_path / "x.parquet")
    (failed,) = read_file(str(tmp_path / "x.parquet")).failures
    assert "intraday" in str(failed.error)


def test_damaged_parquet_is_a_failure(tmp_path):
    FRAME.to_parquet(tmp_path / "x.parquet")
    whole = (tmp_path / "x.parquet").read_bytes()
    assert "cannot be read as Parquet" in failure(tmp_path, whole[:-20], "a.parquet")
    middle = whole[:200] + bytes(200) + whole[400:]
    assert "a.parquet" in failure(tmp_path, middle, "a.parquet")
    assert "not a Parquet file" in failure(tmp_path, "Date,Close\n2020-01-02,1\n", "a.parquet")
    assert "is empty" in failure(tmp_path, "", "a.parquet")


def test_parquet_is_known_by_its_content(tmp_path):
    path = tmp_path / "aapl.parquet"
    FRAME.to_parquet(path)
    whole = path.read_bytes()
    assert len(closes(tmp_path, whole, "b.csv")) == 3
    assert len(read_files(["-"], stdin=io.BytesIO(whole)).panel) == 1


def test_text_files_need_no_pandas(tmp_path):
    import subprocess
    import sys

    path = write(tmp_path, "x.csv", DIALECTS["german"])
    code = (
        "import sys; from forecaster.market.files import read_file;"
        f"assert len(read_file({path!r}).panel) == 1;"
        "assert not {'pandas', 'pyarrow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


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
    if loaded.failures:  # thirteen sessions can leave the order of day and month open
        assert "--date-format" in str(loaded.failures[0].error)
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
