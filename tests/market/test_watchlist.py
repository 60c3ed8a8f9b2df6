"""Watchlists as people keep them."""

from __future__ import annotations

import io
import os
import re

import pytest

from forecaster.errors import DataError
from forecaster.joint.holdings import read_holdings
from forecaster.market.watchlist import kind_of, read_batch_sources, read_watchlist


def write(tmp_path, data):
    path = tmp_path / "watch.txt"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return str(path)


@pytest.mark.parametrize(
    ("text", "tickers"),
    [
        ("AAPL\nMSFT\n", ["AAPL", "MSFT"]),
        ("# mine\n\nAAPL  # the phone\n  MSFT\t\r\n^GSPC", ["AAPL", "MSFT", "^GSPC"]),
        ('ticker,name\nAAPL,"No. #1, of all"\n# no\nMSFT,M\nIBM,"B"', ["AAPL", "MSFT", "IBM"]),
        ("name;ticker # a, b, c\nApple #1;AAPL # mine\nM;MSFT", ["AAPL", "MSFT"]),
        ("AAPL\nMSFT\nAAPL\n", ["AAPL", "MSFT"]),
        ("\ufeffAAPL\n", ["AAPL"]),
        ("ticker,name\nAAPL,Apple\nBRK-B,\"Berkshire, B\"\n", ["AAPL", "BRK-B"]),
        ("Name;Symbol\nApple;AAPL\n;\nMicrosoft;MSFT\n", ["AAPL", "MSFT"]),
        ("weight\tTicker\n1\tAAPL\n2\n", ["AAPL"]),
        ("ticker\nAAPL\nMSFT\n", ["AAPL", "MSFT"]),
        ("#,Ticker,Name\n1,AAPL,Apple\n2,MSFT,Microsoft\n", ["AAPL", "MSFT"]),
        ("AAPL\nMSFT\n".encode("utf-16"), ["AAPL", "MSFT"]),
        ("# mine, ticker too\nAAPL\n", ["AAPL"]),
    ],
)  # fmt: skip
def test_what_is_in_it(tmp_path, text, tickers):
    assert read_watchlist(write(tmp_path, text)) == tickers


def test_standard_input():
    assert read_watchlist("-", io.BytesIO(b"AAPL\n")) == ["AAPL"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("", "holds no ticker; at least one is needed"),
        ("# nothing\n\n", "holds no ticker"),
        ("ticker,name\n,Apple\n", "holds no ticker"),
        ("AAPL,MSFT\n", '"AAPL,MSFT" \\(ticker 1\\) is no single ticker'),
        (b"\xffA\xfe", "is no text \\(byte 0\\)"),
        ("N1, N2\n", '"N1, N2" \\(ticker 1\\) is no single ticker'),
        (b"x" * (16 * 2**20 + 1), "larger than 16 MiB"),
    ],
)
def test_what_cannot_be_read(tmp_path, data, said):
    with pytest.raises(DataError, match=said) as caught:
        read_watchlist(write(tmp_path, data))
    assert "watch.txt" in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        read_watchlist(str(tmp_path / "none.txt"))
    for word in ("NONESUCH", "BTC-USD", "BRK.B", "0700.HK", "'^GSPC'"):
        with pytest.raises(DataError, match=f"forecast predict {re.escape(word)}$"):
            read_watchlist(word.strip("'"))
    for word in ("watchlist", "NONE.TXT", "A,B"):
        with pytest.raises(DataError, match=r"Check the path\.$"):
            read_watchlist(word)
    with pytest.raises(DataError, match="directory"):
        read_watchlist(str(tmp_path))


@pytest.mark.parametrize("text", ["AAPL\rFB\r", "ticker,x\rAAPL,1\rFB,2\r", "AAPL\u2028FB"])
def test_lines_may_end_as_on_old_machines(tmp_path, text):
    path = tmp_path / "w.txt"
    path.write_bytes(text.encode())
    assert read_batch_sources([str(path)]).tickers == ("AAPL", "FB")


def test_a_line_longer_than_any_cell_is_one_word(tmp_path):
    path = tmp_path / "w.txt"
    path.write_text('"' + "x" * 200_000)
    assert len(read_watchlist(str(path))) == 1
    path.write_text("x" * 200_000 + ",1")
    with pytest.raises(DataError, match="no single ticker"):
        read_watchlist(str(path))


def test_more_tickers_than_any_market_has_are_refused(tmp_path):
    path = tmp_path / "w.txt"
    path.write_text("".join(f"T{place}\n" for place in range(100_001)))
    with pytest.raises(DataError, match="holds 100,001 tickers; at most 100,000"):
        read_watchlist(str(path))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("AAPL\nMSFT\n", "tickers"),
        ("# mine\nAAPL  # the phone\n^GSPC\nBTC-USD\n", "tickers"),
        ("AAPL  # the phone, in 2 words\n^GSPC  # a, b\n", "tickers"),
        ('ticker,name\nAAPL,"No. #1"\nMSFT,M\n', "tickers"),
        ("ticker,2024-01-02,2024-01-03\nFB,1000,1010\n", "prices"),
        ("\ufeffAAPL\r\nMSFT", "tickers"),
        ("aapl", "tickers"),
        ("AAPL\nBRK/B\nMSFT\n", "tickers"),
        ("0700.HK\n7203.T\n", "tickers"),
        ("Symbol\nAAPL\n", "tickers"),
        ("ticker,name\nAAPL,Apple\n", "tickers"),
        ("Symbol;Name;Last;Change\nAAPL;Apple;420.1;1.2\nMSFT;Microsoft;28;0\n", "tickers"),
        ("ticker,added\nAAPL,2024-01-02\nMSFT,2024-01-02\n", "tickers"),
        ("AAPL, MSFT, BRK-B\n", "tickers"),
        ("AAPL,MSFT\n1.5,2.5\n", "prices"),
        ("Date,Close\n", "prices"),
        ("DATE,CLOSE\n", "prices"),
        ("Date,Close\n2024-01-02,1\n", "prices"),
        ("ticker,date,close\nA,2024-01-02,1\n", "prices"),
        ("Symbol;Datum;Schlusskurs\nA;02.01.2024;1,5\n", "prices"),
        ("symbol,when,worth\nA,2024-01-02,1\nA,2024-01-03,2\n", "prices"),
        ("Close\n27.1\n27.2\n", "prices"),
        ("2024-01-02\n2024-01-03\n", "prices"),
        ("20240102\n", "prices"),
        ("AAPL\nDate,Close\n2024-01-02,10\n", "prices"),
        ("AAPL\n2024-01-02 10.5\n", "prices"),
        ("Date|Close\n2024-01-02|1\n", "prices"),
        ("Date Close\n2024-01-02 1\n", "prices"),
        ("{\n", None),
        ("<!DOCTYPE html>\n", None),
        ("AAPL, the phone maker\n", "prices"),
        ("", None),
        ("# nothing\n", None),
    ],
)  # fmt: skip
def test_what_a_text_holds(tmp_path, text, kind):
    assert kind_of(write(tmp_path, text)) == kind


def test_what_no_text_holds(tmp_path):
    assert kind_of(write(tmp_path, "Date,Close\n".encode("utf-16"))) == "prices"
    assert kind_of(str(tmp_path)) == "prices"
    assert kind_of(str(tmp_path / "none.txt")) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders")
def test_a_pipe_that_nobody_writes_is_waited_for_by_nobody(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert kind_of(str(tmp_path / "pipe")) is None
    for read in (read_watchlist, read_holdings):
        with pytest.raises(DataError, match="no regular file but a pipe"):
            read(str(tmp_path / "pipe"))


def test_a_long_watchlist_is_known_by_its_beginning(tmp_path):
    assert kind_of(write(tmp_path, "".join(f"TICKER{n}\n" for n in range(5000)))) == "tickers"


PRICES = {
    "of Polygon": (
        "ticker,volume,open,close,high,low,window_start,transactions\n"
        "AAPL,100,187.1,185.64,188.4,183.9,1704171600000000000,5\n"
        "AAPL,100,184.2,184.25,185.9,183.4,1704258000000000000,5\n"
    ),
    "dates in words": "Symbol,As Of,Close\nAAPL,05-Feb-2024,187.68\nMSFT,05-Feb-2024,405.65\n",
    "dates in the header": "Ticker,05-Feb-24,06-Feb-24\nAAPL,187.68,189.30\n",
    "serials": "Symbol,Value Day,Close\nAAPL,45327,187.68\nAAPL,45328,189.30\n",
    "of Polygon, of one day": (
        "ticker,volume,open,close,high,low,window_start,transactions\n"
        "AAPL,100,187.1,185.64,188.4,183.9,1704171600000000000,5\n"
        "MSFT,100,371.2,370.25,372.9,369.4,1704171600000000000,5\n"
    ),
    "yfinance by ticker": (
        "Ticker,AAPL,AAPL,MSFT,MSFT\nPrice,Close,Volume,Close,Volume\nDate,,,,\n"
        "2024-01-02,185.64,100,370.87,200\n2024-01-03,184.25,100,370.6,200\n"
    ),
    "a title above": "Symbol,AAPL\nDate,Close\n2024-01-02,185.64\n2024-01-03,184.25\n",
}
LISTS = {
    "of a screener": "Symbol,Name,Price,Change\nAAPL,Apple,185.6,-1.2\nMSFT,Microsoft,370.6,0.2\n",
    "of days": "Symbol,Open,High,Low,Close\nAAPL,185,188,184,187\nMSFT,370,372,369,371\n",
    "with the day of a listing": "Ticker,Listed\nAAPL,1980-12-12\nMSFT,1986-03-13\n",
    "of lots": "Symbol,Shares\nAAPL,10\nAAPL,20\n",
    "of lots with prices": "Symbol,Quantity,Price\nAAPL,10,185\nMSFT,5,370\nAAPL,3,190\n",
    "with blank rows": "Symbol,Name,Price\nAAPL,Apple,185\nMSFT,MS,370\n,,\n,,\n,Total,555\n",
    "of large companies": "Symbol,Price,Cap\nAAPL,185,1704171600000\nMSFT,370,2800000000000\n",
    "in Asia": "ticker,name\n005930,Samsung\n7203,Toyota\n",
}


@pytest.mark.parametrize("text", PRICES.values(), ids=PRICES)
def test_prices_beside_tickers_are_no_watchlist(tmp_path, text):
    assert kind_of(write(tmp_path, text)) == "prices"
    assert kind_of(write(tmp_path, text.encode("utf-16"))) == "prices"


@pytest.mark.parametrize("text", LISTS.values(), ids=LISTS)
def test_a_list_with_columns_beside_it_is_a_watchlist(tmp_path, text):
    assert kind_of(write(tmp_path, text)) == "tickers"
