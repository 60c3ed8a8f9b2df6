from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from forecaster.errors import DataError, UnknownTicker
from forecaster.market.symbols import (
    checked_ticker,
    file_name,
    hint,
    kind_of,
    suffix_of,
)

TICKER = r"[A-Z0-9^][A-Z0-9.\-=^&]{0,23}"


class TestCheckedTicker:
    @pytest.mark.parametrize(
        ("word", "ticker"),
        [
            ("AAPL", "AAPL"),
            ("aapl", "AAPL"),
            (" brk-b\n", "BRK-B"),
            ("$AAPL", "AAPL"),
            ("BRK.B", "BRK.B"),
            ("^gspc", "^GSPC"),
            ("eurusd=x", "EURUSD=X"),
            ("0700.HK", "0700.HK"),
            ("M&M.NS", "M&M.NS"),
            ("A", "A"),
            ("A" * 24, "A" * 24),
        ],
    )
    def test_what_can_be_one(self, word, ticker):
        assert checked_ticker(word) == ticker

    @pytest.mark.parametrize(
        "word",
        [
            "",
            "  ",
            "$",
            "$$AAPL",
            "A" * 25,
            "BRK/B",
            "A?B#C",
            "../../x",
            "-AAPL",
            ".SPX",
            "=X",
            "AA PL",
            "AAPL\nMSFT",
            "A%2FB",
            "straße",  # in capitals this is ASCII
            "ﬁat",
            "АAPL",  # the first letter is Cyrillic
            "٣",
        ],
    )
    def test_what_cannot(self, word):
        with pytest.raises(UnknownTicker, match="cannot be a ticker; one has 1 to 24") as refused:
            checked_ticker(word)
        assert refused.value.exit_code == 4
        assert str(refused.value).endswith(".")

    def test_the_message_says_what_was_found_and_what_to_write(self):
        with pytest.raises(UnknownTicker) as refused:
            checked_ticker("brk/b")
        assert str(refused.value) == (
            "'brk/b' cannot be a ticker; one has 1 to 24 letters, digits and . - = ^ &, and begins"
            " with a letter, a digit or ^. Write BRK-B for that class of shares."
        )

    def test_a_page_of_text_is_not_repeated(self):
        with pytest.raises(UnknownTicker) as refused:
            checked_ticker("x" * 10_000)
        assert len(str(refused.value)) < 300

    @given(st.text())
    def test_what_comes_out_is_always_safe_in_a_url(self, word):
        try:
            ticker = checked_ticker(word)
        except UnknownTicker:
            return
        assert re.fullmatch(TICKER, ticker)
        assert checked_ticker(ticker) == ticker


class TestHint:
    @pytest.mark.parametrize(
        ("word", "said"),
        [
            ("BRK/B", "Write BRK-B "),
            ("BRK.B", "Write BRK-B "),
            ("brk b", "Write BRK-B "),
            ("BF.B", "Write BF-B "),
            ("EURUSD", "write EURUSD=X."),
            ("EUR/USD", "write EURUSD=X."),
            ("usd-jpy", "write USDJPY=X."),
            ("BTC", "write BTC-USD."),
            ("BTCUSD", "write BTC-USD."),
            ("ETH/EUR", "write ETH-EUR."),
            ("DOGE", "write DOGE-USD."),
            ("SPX", "write ^GSPC."),
            ("S&P 500", "write ^GSPC."),
            (".DJI", "write ^DJI."),
            ("^DAX", "write ^GDAXI."),
            ("NASDAQ:AAPL", "Write AAPL,"),
            ("aapl.us", "Write AAPL,"),
            ("Apple Inc", "look up its ticker"),
        ],
    )
    def test_says_what_was_meant(self, word, said):
        assert said in (hint(word) or "")

    @pytest.mark.parametrize(
        "word",
        [
            "AAPL",
            "VOD.L",
            "BMW.F",  # Frankfurt, not a class of shares
            "7203.T",
            "^GSPC",
            "EURUSD=X",
            "BTC-USD",
            "GC=F",
            "BRK-B",
            "",
            "NASDAQ:",
            "ABCDEF",
        ],
    )
    def test_is_silent_where_nothing_is_known(self, word):
        assert hint(word) is None

    @given(st.text())
    def test_takes_any_text(self, word):
        found = hint(word)
        assert found is None or found.endswith(".")


@pytest.mark.parametrize(
    ("ticker", "kind"),
    [
        ("AAPL", "share"),
        ("BRK-B", "share"),
        ("BRK.B", "share"),
        ("RCI-B.TO", "share"),
        ("USD", "share"),
        ("^GSPC", "index"),
        ("EURUSD=X", "currency"),
        ("JPY=X", "currency"),
        ("BTC-USD", "crypto"),
        ("ETH-EUR", "crypto"),
        ("GC=F", "future"),
        ("ESZ26.CME", "future"),
    ],
)
def test_kind(ticker, kind):
    assert kind_of(ticker) == kind


@pytest.mark.parametrize(
    ("ticker", "suffix"),
    [
        ("VOD.L", "L"),
        ("0700.HK", "HK"),
        ("RCI-B.TO", "TO"),
        ("BMW.F", "F"),
        ("AAPL", ""),
        ("BRK-B", ""),
        ("BRK.B", ""),
        ("^GSPC", ""),
        ("A.", ""),
    ],
)
def test_suffix(ticker, suffix):
    assert suffix_of(ticker) == suffix


def ticker_of(name: str) -> str:
    """The ticker that a file name stands for: that one can be found at all is what counts."""
    return "" if name == file_name("") else unquote(name, errors="surrogatepass")


class TestFileName:
    @pytest.mark.parametrize(
        ("ticker", "name"),
        [
            ("AAPL", "AAPL"),
            ("BRK-B", "BRK-B"),
            ("VOD.L", "VOD.L"),
            ("EURUSD=X", "EURUSD=X"),
            ("^GSPC", "%5EGSPC"),
            ("BRK/B", "BRK%2FB"),
            ("../x", "%2E.%2F%78"),
            ("aapl", "%61%61%70%6C"),
            ("%", "%25"),
            ("", "%"),
            (".", "%2E"),
            ("..", "%2E%2E"),
            ("A.", "A%2E"),
            ("A ", "A%20"),
            ("CON", "%43ON"),
            ("CON.L", "%43ON.L"),
            ("COM1", "%43OM1"),
            ("LPT9.DE", "%4CPT9.DE"),
            ("CONE", "CONE"),
            ("COM", "COM"),
            ("AUX-B", "AUX-B"),
            ("é", "%C3%A9"),
            ("A\\B:C", "A%5CB%3AC"),
            ("A\0B", "A%00B"),
        ],
    )
    def test_both_ways(self, ticker, name):
        assert file_name(ticker) == name
        assert ticker_of(name) == ticker

    @given(st.text(st.characters(), max_size=20))  # lone surrogates too
    @example("nul")
    @example("\ud800")
    def test_any_text_comes_back(self, ticker):
        assert ticker_of(file_name(ticker)) == ticker

    @given(st.from_regex(TICKER, fullmatch=True))
    @example("PRN")
    @example("AUX.")
    def test_any_valid_ticker_comes_back(self, ticker):
        assert ticker_of(file_name(ticker)) == ticker

    @given(st.text(st.sampled_from("conCON.aux1 /\\%A_"), max_size=6))
    def test_is_safe_on_every_file_system(self, ticker):
        name = file_name(ticker)
        assert re.fullmatch(r"[A-Z0-9%_=.-]+", name)
        assert name == name.upper()  # so that no two differ in capitals alone
        assert name[0] != "."
        assert name[-1] not in ". "
        stem = name.partition(".")[0]
        assert not re.fullmatch(r"CON|PRN|AUX|NUL|COM\d|LPT\d", stem)

    @given(st.text(max_size=8), st.text(max_size=8))
    @example("aapl", "AAPL")
    @example("", "%")
    def test_two_tickers_have_two_names(self, one, other):
        assert (file_name(one).lower() == file_name(other).lower()) == (one == other)

    def test_too_long_is_refused(self):
        assert len(file_name("é" * 40)) == 240
        with pytest.raises(DataError, match="246 characters; at most 240"):
            file_name("é" * 41)
