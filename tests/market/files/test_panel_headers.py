"""Headers that name a field and a ticker."""

import pytest

from forecaster.market.files.column_names import header_of
from forecaster.market.files.panel_headers import pairs_in


def pairs(*headers):
    return [
        (pair.field.text, pair.ticker) for pair in pairs_in([header_of(text) for text in headers])
    ]


@pytest.mark.parametrize(
    ("header", "pair"),
    [
        ("('Close', 'AAPL')", ("Close", "AAPL")),
        ("('BRK-B', 'Open')", ("Open", "BRK-B")),
        ("Close_AAPL", ("Close", "AAPL")),
        ("BRK.B.Close", ("Close", "BRK.B")),
        ("Adj Close AAPL", ("Adj Close", "AAPL")),
        ("PREV_CLOSE", None),
        ("Prior close", None),
        ("ADJ_CLOSE", None),
        ("(1)", None),
        ("(", None),
    ],
)
def test_a_field_and_a_ticker_in_one_header(header, pair):
    assert pairs(header) == ([] if pair is None else [pair])


@pytest.mark.parametrize("ticker", ["T", "OPEN", "LOW", "COIN", "HOY", "MAX", "DATA"])
def test_a_ticker_may_be_a_word_of_headers(ticker):
    fields = ["Open", "High", "Low", "Close", "Volume"]
    for sign in "._:":
        assert pairs(*(f"{ticker}{sign}{field}" for field in fields)) == [
            (field, ticker) for field in fields
        ]
        capitals = [field.upper() for field in fields]
        assert pairs(*(f"{field}{sign}{ticker}" for field in capitals)) == [
            (field, ticker) for field in capitals
        ]


def test_fields_of_two_letters_are_fields_in_other_scripts():
    assert pairs("LAST.始値", "LAST.終値") == [("始値", "LAST"), ("終値", "LAST")]
    assert pairs("BRK.C", "BRK.O") == []


def test_words_and_symbols_are_tickers_on_the_same_side():
    headers = ["AAPL.Open", "AAPL.Close", "LOW.Open", "LOW.Close"]
    assert [ticker for _, ticker in pairs(*headers)] == ["AAPL", "AAPL", "LOW", "LOW"]


def test_a_field_of_which_two_readings_fit_names_none():
    assert pairs("CLOSE_LAST", "LAST_CLOSE") == []


def test_the_field_takes_as_much_of_a_header_as_it_can():
    headers = [header_of(text) for text in ("AAPL OPEN PRICE", "AAPL CLOSE PRICE", "AAPL - HIGH")]
    assert [(pair.ticker, pair.field.role) for pair in pairs_in(headers)] == [
        ("AAPL", "open"),
        ("AAPL", "close"),
        ("AAPL", "high"),
    ]
    assert pairs_in([header_of("BRK.B.Close")])[0].ticker == "BRK.B"


@pytest.mark.parametrize(
    "ticker",
    ["aapl", "btc-usd", "^gdaxi", "vow3.de", "Apple Inc", "SPX Index", "LOW", "C"],
)
def test_beside_the_field_of_a_tuple_stands_the_ticker_whatever_it_says(ticker):
    fields, tickers = ["Open", "High", "Low", "Close", "Dividends"], ["MSFT", ticker]
    read = [(field, name) for name in tickers for field in fields[:-1]]
    assert pairs(*(f"({n!r}, {f!r})" for n in tickers for f in fields)) == read
    assert pairs(*(f"({f!r}, {n!r})" for n in tickers for f in fields)) == read
    assert pairs(*(f"({f!r}, {ticker!r})" for f in fields)) == read[4:]


def test_closes_of_tickers_that_are_words_of_fields_are_no_fields_of_one_ticker():
    tickers = ["C", "V", "O", "AAPL"]
    assert pairs(*(f"('Close', {n!r})" for n in tickers)) == [("Close", n) for n in tickers]


def test_a_tuple_of_two_fields_names_no_ticker():
    assert pairs("('Close', 'Value')") == []
