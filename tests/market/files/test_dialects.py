"""Price files as users have them: each dialect is a small made-up file in a vendor's shape."""

import numpy as np
import pytest
from price_files import DIALECTS, closes, failure, messages, read_file, write

from forecaster.market.notes import Note

DATES = {
    "nasdaq": ["2020-01-10", "2020-01-13"],
    "boursorama": ["2020-01-10", "2020-01-13"],
    "mixed offsets": ["2024-03-08", "2024-03-11"],
}
ADJUSTED = {"yahoo", "yahoo page", "yfinance", "tiingo", "quandl", "quantmod"}


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
    assert note == Note(message, "AAPL", path)


def test_a_blank_volume_is_unknown_and_silent(tmp_path):
    text = "Date,Open,Close,Volume\n2020-01-02,,1,-\n2020-01-03,,1.1,\n"
    loaded = read_file(write(tmp_path, "x.csv", text))
    (history,) = loaded.panel
    assert np.isnan(history.volume).all()
    assert np.isnan(history.open).all()
    assert loaded.notes == ()


def test_ambiguous_dates_fail_until_the_format_is_given(tmp_path):
    text = "Date,Close\n01/02/2024,1\n02/02/2024,1.1\n"
    assert "date_format %d/%m/%Y or date_format %m/%d/%Y" in failure(tmp_path, text)
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
    assert "columns ticker=NAME" in failure(tmp_path, "Date,Close\n" + rows)


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
