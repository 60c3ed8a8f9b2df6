"""Watchlists as people keep them."""

from __future__ import annotations

import io

import pytest

from forecaster.errors import DataError
from forecaster.market.watchlist import read_watchlist


def write(tmp_path, data):
    path = tmp_path / "watch.txt"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return str(path)


@pytest.mark.parametrize(
    ("text", "tickers"),
    [
        ("AAPL\nMSFT\n", ["AAPL", "MSFT"]),
        ("# mine\n\nAAPL  # the phone\n  MSFT\t\r\n^GSPC", ["AAPL", "MSFT", "^GSPC"]),
        ("AAPL\nMSFT\nAAPL\n", ["AAPL", "MSFT"]),
        ("\ufeffAAPL\n", ["AAPL"]),
        ("ticker,name\nAAPL,Apple\nBRK-B,\"Berkshire, B\"\n", ["AAPL", "BRK-B"]),
        ("Name;Symbol\nApple;AAPL\n;\nMicrosoft;MSFT\n", ["AAPL", "MSFT"]),
        ("weight\tTicker\n1\tAAPL\n2\n", ["AAPL"]),
        ("ticker\nAAPL\nMSFT\n", ["AAPL", "MSFT"]),
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
        (b"\xff\xfeA\x00", "is no text \\(byte 0\\)"),
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
    with pytest.raises(DataError, match="directory"):
        read_watchlist(str(tmp_path))
