"""Files in the shape of vendors' exports that are easily read wrong, and what is right."""

import numpy as np
import pandas as pd
import pytest
from price_files import messages, read_file, write

from forecaster.market.files.read import ReadOptions

YFINANCE = """Price,Close,High,Low,Open,Volume
Ticker,{0},{0},{0},{0},{0}
Date,,,,,
2024-04-22,20.00,20.50,19.50,19.90,1000
2024-04-23,21.00,21.50,20.50,20.90,1001
2024-04-24,22.00,22.50,21.50,21.90,1002
"""
READ = {
    "a ticker column, unknown words for close and volume": (
        "PERMNO,date,TICKER,PRC,VOL\n14593,2024-04-29,GTLB,50.5,1000\n"
        "14593,2024-04-30,GTLB,51.25,900\n14593,2024-05-01,GTLB,52,900\n",
        {"GTLB": ("2024-05-01", 52, 3)},
    ),
    "a row of units": (
        ",Close,Volume\n,USD,shares\n2024-04-29,10.5,1000\n2024-04-30,11.25,2000\n",
        {"X": ("2024-04-30", 11.25, 2)},
    ),
    "turnover under a word for prices": (
        "Date,Open,High,Low,LTP,Volume,Value\n2024-01-02,286,287,285,286.5,150000,42975000\n"
        "2024-01-03,287,288,286,287.2,150010,43082872\n",
        {"X": ("2024-01-03", 287.2, 2)},
    ),
    "tables side by side under titles": (
        "EHFI38 Index BBGID,,,EHFI139 Index BBGID,\nDate,PX_LAST,,Date,PX_LAST\n"
        "2024-04-22,100.0000,,2024-04-24,200.0000\n2024-04-23,100.1518,,2024-04-25,198.6526\n"
        "2024-04-24,100.2,,2024-04-26,199.1\n",
        {"EHFI38": ("2024-04-24", 100.2, 3), "EHFI139": ("2024-04-26", 199.1, 3)},
    ),
    "tables side by side": (
        "Date,AAPL,Date,MSFT\n2024-04-22,165,2024-04-23,407\n2024-04-23,166,2024-04-24,409\n"
        "2024-04-24,167,,\n",
        {"AAPL": ("2024-04-24", 167, 3), "MSFT": ("2024-04-24", 409, 2)},
    ),
    "instants of midnight further east": (
        "Date,Close\n2023-08-09 22:00:00+00:00,15996.519531\n"
        "2023-08-10 22:00:00+00:00,15832.169922\n2023-08-13 22:00:00+00:00,15904.25\n"
        "2023-08-14 22:00:00+00:00,15767.280273\n2023-08-15 22:00:00+00:00,15789.450195\n"
        "2023-08-16 22:00:00+00:00,15676.900391\n2023-08-17 22:00:00+00:00,15574.259766\n"
        "2023-08-20 22:00:00+00:00,15603.280273\n",
        {"X": ("2023-08-21", 15603.280273, 8)},
    ),
    "a decimal comma in other columns": (
        '"Data","Último","Abertura","Máxima","Mínima","Vol.","Var%"\n'
        '"03.01.2025","16.190","16.195","16.250","16.160","","-0,03%"\n'
        '"02.01.2025","16.195","16.102","16.225","16.090","","0,58%"\n',
        {"X": ("2025-01-03", 16190, 2)},
    ),
    "seconds around 1970": (
        "timestamp,close\n-102246600,80.33\n-101987400,79.84\n-99999000,80.9\n-86400000,81.0\n"
        "52200,92.06\n138600,93.0\n397800,93.46\n100000200,113.0\n100086600,112.7\n",
        {"X": ("1973-03-04", 112.7, 9)},
    ),
    "Chinese in GBK": (
        "日期,股票代码,名称,收盘价,最高价,最低价,开盘价,成交量\n"
        "2024-04-23,'600519,贵州茅台,1650.0,1670.0,1640.0,1665.0,3000\n"
        "2024-04-22,'600519,贵州茅台,1670.0,1680.0,1660.0,1675.0,3100\n".encode("gbk"),
        {"600519": ("2024-04-23", 1650, 2)},
    ),
    "years of Taiwan": (
        '"109年09月 2330 台積電           各日成交資訊"\n"日期","成交股數","成交金額","開盤價",'
        '"最高價","最低價","收盤價","漲跌價差","成交筆數",\n"109/09/01","50,129,577",'
        '"21,681,382,412","430.00","435.00","428.00","435.00","+8.50","17,137",\n"109/09/02",'
        '"42,013,407","18,268,716,092","441.00","441.00","430.50","433.00","-2.00","20,242",\n'
        '"109/09/03","40,683,617","17,768,951,582","439.50","439.50","433.50","436.00","+3.00",'
        '"17,810",\n"說明:"\n',
        {"X": ("2020-09-03", 436, 3)},
    ),
    "months of Norway": (
        "Date;Close\n28. nov. 2023;10,1\n29. nov. 2023;10,2\n30. nov. 2023;10,3\n"
        "1. des. 2023;10,4\n4. des. 2023;10,5\n",
        {"X": ("2023-12-04", 10.5, 5)},
    ),
    "a vendor's number in a column of names": (
        'timeOpen;timeClose;timeHigh;timeLow;name;open;high;low;close;volume;timestamp\n"2025-10-20'
        'T00:00:00.000Z";"2025-10-20T23:59:59.999Z";"2025-10-20T15:53:00.000Z";"2025-10-20T00:34:'
        '00.000Z";"2781";108667.44;111711.03;107485.01;110588.93;63507793084.59;"2025-10-20T23:59:'
        '59.999Z"\n"2025-10-19T00:00:00.000Z";"2025-10-19T23:59:59.999Z";"2025-10-19T15:53:00.000Z"'
        ';"2025-10-19T00:34:00.000Z";"2781";107204.31;109488.07;106157.73;108666.71;47657492610.34;'
        '"2025-10-19T23:59:59.999Z"\n',
        {"X": ("2025-10-20", 110588.93, 2)},
    ),
    "a date in three columns": (
        "year,month,day,open,high,low,close\n2024,4,22,10,11,9,10.5\n2024,4,23,10.5,12,10,11.25\n",
        {"X": ("2024-04-23", 11.25, 2)},
    ),
    "a date and a number": (
        "ds,y\n2016-04-01,0.072\n2016-04-04,0.069\n2016-04-05,0.061\n",
        {"X": ("2016-04-05", 0.061, 3)},
    ),
    "a date and a number under an unknown word": (
        "Date,Foo\n2016-04-01,0.072\n2016-04-04,0.069\n",
        {"X": ("2016-04-04", 0.069, 2)},
    ),
    "several series of numbers": (
        "unique_id,ds,y\n1,2024-04-22,10\n2,2024-04-22,50\n1,2024-04-23,10.1\n2,2024-04-23,50.5\n",
        {"1": ("2024-04-23", 10.1, 2), "2": ("2024-04-23", 50.5, 2)},
    ),
    "merged cells": (
        "Symbol,Date,Close\nAAPL,2024-04-22,165.84\n,2024-04-23,166.9\n,2024-04-24,169.02\n"
        "MSFT,2024-04-22,400.96\n,2024-04-23,407.57\n,2024-04-24,409.06\n",
        {"AAPL": ("2024-04-24", 169.02, 3), "MSFT": ("2024-04-24", 409.06, 3)},
    ),
    "a second key": (
        "SYMBOL,SERIES,OPEN,HIGH,LOW,CLOSE,TIMESTAMP\nRELIANCE,EQ,100,101,99,100.5,02-JAN-2019\n"
        "RELIANCE,EQ,100.5,102,100,101.5,03-JAN-2019\nRELIANCE,BL,97,97,97,97,03-JAN-2019\n",
        {"RELIANCE": ("2019-01-03", 101.5, 2)},
    ),
    "words of Sweden": (
        "Datum,Senaste,Öppning,Högsta,Lägsta,Vol.\n2024-04-22,10.5,10,11,9,1000\n"
        "2024-04-23,11.25,10.5,12,10,2000\n",
        {"X": ("2024-04-23", 11.25, 2)},
    ),
}


@pytest.mark.parametrize("kind", READ)
def test_read_right(tmp_path, kind):
    text, expected = READ[kind]
    loaded = read_file(write(tmp_path, "x.csv", text))
    assert not loaded.failures, loaded.failures[0].error
    assert {
        history.ticker: (str(history.cutoff), history.close[-1], len(history))
        for history in loaded.panel
    } == expected


@pytest.mark.parametrize("ticker", ["T", "O", "DAY", "LOW", "OPEN", "KURS"])
def test_a_ticker_that_is_a_word_of_headers(tmp_path, ticker):
    (history,) = read_file(write(tmp_path, "x.csv", YFINANCE.format(ticker))).panel
    assert (history.ticker, history.close[-1], history.open[-1]) == (ticker, 22, 21.9)


def test_the_range_and_the_volume_are_read_too(tmp_path):
    (history,) = read_file(write(tmp_path, "x.csv", READ["words of Sweden"][0])).panel
    assert (history.open[-1], history.high[-1], history.low[-1]) == (10.5, 12, 10)
    (history,) = read_file(write(tmp_path, "x.csv", READ["Chinese in GBK"][0])).panel
    assert (history.open[-1], history.volume[-1]) == (1665, 3000)


def test_what_a_panel_leaves_out_is_named(tmp_path):
    text = "Date,S&P 500,Gold,BTC,Nasdaq\n2024-04-22,5010.6,2327.1,66837,15451.31\n"
    loaded = read_file(write(tmp_path, "x.csv", text))
    assert loaded.panel.tickers == ("S&P 500", "BTC")
    assert '"Gold" and "Nasdaq"' in messages(loaded)[0]


def test_bars_a_month_apart_are_refused(tmp_path):
    rows = "".join(f"2023-{month:02d}-01,{100 + month}\n" for month in range(1, 9))
    (failed,) = read_file(write(tmp_path, "x.csv", "Date,Close\n" + rows)).failures
    assert "month" in str(failed.error)


@pytest.mark.parametrize("options", [ReadOptions(), ReadOptions(columns={"ticker": "permno"})])
def test_whole_numbers_are_tickers_in_parquet(tmp_path, options):
    days = pd.to_datetime(["2024-04-22", "2024-04-23"] * 2)
    frame = pd.DataFrame(
        {"permno": [10001] * 2 + [10002] * 2, "date": days, "close": [10.0, 10.1, 50.0, 50.5]}
    )
    frame.to_parquet(tmp_path / "x.parquet")
    loaded = read_file(str(tmp_path / "x.parquet"), options)
    assert [(h.ticker, h.close.tolist()) for h in loaded.panel] == [
        ("10001", [10.0, 10.1]),
        ("10002", [50.0, 50.5]),
    ]


def test_a_file_a_day_is_one_history_a_ticker(tmp_path):
    for day, closes in ((22, (3860, 1425)), (23, (3870, 1435))):
        rows = f"TCS,{day}-Apr-2024,{closes[0]}\nINFY,{day}-Apr-2024,{closes[1]}\n"
        write(tmp_path, f"2024-04-{day}.csv", "SYMBOL,DATE1,CLOSE_PRICE\n" + rows)
    loaded = read_file(str(tmp_path))
    assert not loaded.failures
    assert {h.ticker: h.close.tolist() for h in loaded.panel} == {
        "TCS": [3860, 3870],
        "INFY": [1425, 1435],
    }
    assert messages(loaded)


def test_a_file_name_of_a_chart(tmp_path):
    text = "time,open,high,low,close\n1713792600,165,167,164,165.84\n1713879000,166,167,165,166.9\n"
    (history,) = read_file(write(tmp_path, "NASDAQ_AAPL, 1D.csv", text)).panel
    assert history.ticker in {"NASDAQ_AAPL", "AAPL"}


def test_placeholder_ranges_are_unknown(tmp_path):
    days = np.busday_offset("2022-01-03", np.arange(400), roll="forward")
    closes = np.round(100 * np.exp(np.cumsum(np.random.default_rng(3).normal(0, 0.02, 400))), 2)
    rows = "".join(f"{day},{c},{c},{c},{c}\n" for day, c in zip(days, closes, strict=True))
    loaded = read_file(write(tmp_path, "x.csv", "Date,Open,High,Low,Close\n" + rows))
    (history,) = loaded.panel
    assert np.isnan(history.high).mean() > 0.95
    assert messages(loaded)


@pytest.mark.parametrize(
    ("end", "last"),
    [
        ("2024-05-03,9,9.5,8,9", ("2024-05-02", 11.0)),  # of 9.25
        ("2024-05-03,9,9.5,8,9.2,1", ("2024-05-03", 9.2)),
        ("2024-05-03,9,9.5,8,9.2,1\n", ("2024-05-03", 9.2)),
        ("2024-05-03,9,9.5,8,9\n", ("2024-05-03", 9.0)),
    ],
)
def test_a_cell_that_was_cut_off_is_no_price(tmp_path, end, last):
    rows = "2024-05-01,10,11,9,10,100\n2024-05-02,10,11.5,9,11,100\n"
    found = read_file(write(tmp_path, "X.csv", f"Date,Open,High,Low,Close,Volume\n{rows}{end}"))
    (history,) = found.panel
    assert (str(history.cutoff), history.close[-1]) == last
    assert any("left out" in said for said in messages(found)) == (last[0] == "2024-05-02")
