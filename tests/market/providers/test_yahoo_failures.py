"""Failures of Yahoo, each of which is told apart by the real yfinance."""

import time

import pytest
from yahoo_answers import day, outcome
from yahoo_market import Listing
from yahoo_server import YahooServer

from forecaster.errors import (
    RateLimited,
    SourceError,
    SourceUnavailable,
    UnknownTicker,
)
from forecaster.market.providers.yahoo import STAND_IN, Yahoo


class TestOutagesAreNotUnknownTickers:
    """With yfinance's own settings an outage is an empty table and "possibly delisted"."""

    @pytest.mark.parametrize("where", ["AAPL", "AAPL probe"])
    @pytest.mark.parametrize(
        ("how", "words"),
        [
            ("500", "HTTP 500"),
            ("503", "HTTP 503"),
            ("down", "Will be right back"),
            ("html", "no chart"),
            ("not a chart", "no chart"),
            ("truncated", "could not be reached"),
            ("reset", "could not be reached"),
            ("no zone", "no time zone"),
            ("unknown zone", "Mars/Olympus"),
            ("401", "did not accept its own cookie"),
        ],
    )
    def test_replies(self, server, yahoo, where, how, words):
        server.fail(where, how)
        error = outcome(yahoo)
        assert type(error) is SourceUnavailable
        assert words in str(error)
        assert str(error).startswith("Yahoo ")
        assert str(error).endswith("when asked for AAPL. Try again later.")
        server.heal()
        assert len(yahoo.fetch("AAPL", None).sessions) == 1430

    def test_rows_of_different_lengths(self, server, yahoo):
        server.fail("AAPL", "ragged")
        assert "rows of different lengths" in str(outcome(yahoo))

    def test_prices_that_are_no_numbers(self, server, yahoo):
        server.change("AAPL", cells={("close", "2024-06-28"): "many"})
        assert "no numbers" in str(outcome(yahoo))

    def test_a_connection_that_is_refused(self, server, yahoo, monkeypatch):
        with YahooServer() as gone:
            pass
        monkeypatch.setenv(STAND_IN, gone.url)
        error = outcome(Yahoo())
        assert type(error) is SourceUnavailable
        assert "could not be reached" in str(error)

    @pytest.mark.parametrize("where", ["AAPL", "AAPL probe"])
    def test_a_stall_ends_at_the_timeout(self, server, where):
        server.fail(where, "stall")
        began = time.monotonic()
        error = outcome(Yahoo(timeout=0.3))
        assert type(error) is SourceUnavailable
        assert time.monotonic() - began < 3

    def test_meta_that_yfinance_cannot_read(self, server, yahoo):
        server.change("AAPL", extra={"currentTradingPeriod": {"regular": {"start": 1, "end": 2}}})
        assert type(outcome(yahoo)) is SourceUnavailable


class TestCookieAndCrumb:
    @pytest.mark.parametrize("how", ["500", "404 html", "reset", "401"])
    @pytest.mark.parametrize("where", ["cookie", "crumb"])
    def test_failures_do_not_matter(self, server, yahoo, where, how):
        server.fail(where, how)
        assert len(yahoo.fetch("AAPL", None).sessions) == 1430

    @pytest.mark.parametrize("where", ["cookie", "crumb", "consent"])
    def test_a_stall_is_shorter_than_the_client_s_30_seconds(self, server, where):
        server.fail(where, "stall")
        if where == "consent":
            server.fail("AAPL probe", "401", times=1)
        began = time.monotonic()
        assert len(Yahoo(timeout=0.6).fetch("AAPL", None).sessions) == 1430
        assert time.monotonic() - began < 5

    def test_a_refused_cookie_is_replaced_once(self, server, yahoo):
        server.fail("AAPL", "401", times=1)
        assert len(yahoo.fetch("AAPL", None).sessions) == 1430
        assert "/consent" in [request.path for request in server.requests]


class TestRateLimit:
    @pytest.mark.parametrize("how", ["429", "999"])
    @pytest.mark.parametrize("where", ["AAPL", "AAPL probe", "crumb", "cookie"])
    def test_nothing_is_asked_after_it(self, server, yahoo, where, how):
        server.fail(where, how)
        error = outcome(yahoo)
        assert type(error) is RateLimited
        assert "Wait an hour" in str(error)
        wanted = server.requests[-1]
        expected = {"crumb": "/v1/test/getcrumb", "cookie": "/"}
        assert wanted.path == expected.get(where, "/v8/finance/chart/AAPL")
        assert [request.path for request in server.requests].count(wanted.path) == 1 or (
            wanted.path == "/"
        )
        assert len(server.charts()) <= 1


class TestUnknownTickers:
    def test_are_told_in_the_source_s_own_words(self, yahoo):
        with pytest.raises(UnknownTicker) as caught:
            yahoo.fetch("ZZZZQ", None)
        assert str(caught.value) == (
            'Yahoo knows no ticker ZZZZQ ("No data found, symbol may be delisted"). Check the'
            " spelling."
        )

    @pytest.mark.parametrize("since", [None, "2024-06-01"])
    def test_are_asked_for_once(self, server, yahoo, since):
        with pytest.raises(UnknownTicker):
            yahoo.fetch("ZZZZQ", since and day(since))
        assert len(server.charts("ZZZZQ")) == 1

    def test_that_were_known_before(self, server, yahoo):
        yahoo.fetch("MSFT", None)
        del server.market["MSFT"]
        with pytest.raises(UnknownTicker):
            yahoo.fetch("MSFT", None)
        assert len(server.charts("MSFT")) == 3

    def test_a_404_that_is_not_yahoo_s_says_nothing_about_the_ticker(self, server, yahoo):
        server.fail("AAPL", "404 html")
        error = outcome(yahoo)
        assert type(error) is SourceError  # neither unknown nor worth a second request
        assert len(server.charts("AAPL")) == 1

    def test_a_refusal_is_not_retried(self, server, yahoo):
        server.fail("AAPL", "403")
        assert type(outcome(yahoo)) is SourceError
        assert len(server.charts("AAPL")) == 1

    @pytest.mark.parametrize("where", ["AAPL", "AAPL probe"])
    def test_an_answer_about_another_ticker_is_refused(self, server, yahoo, where):
        server.fail(where, "wrong symbol")
        error = outcome(yahoo)
        assert type(error) is SourceError
        assert "answered about 'OTHER' when asked for AAPL" in str(error)


class TestSymbols:
    @pytest.mark.parametrize(
        "symbol",
        [
            "A?B#C",
            "../../x",
            "",
            "BRK/B",
            "aapl",
            "A B",
            "A%2FB",
            "A\n",
            "A" * 25,
            ".A",
            "Ä",
            "A\\",
        ],
    )
    def test_that_would_change_the_address_are_never_sent(self, server, yahoo, symbol):
        with pytest.raises(UnknownTicker, match="cannot be a ticker at Yahoo"):
            yahoo.fetch(symbol, None)
        assert server.requests == []

    def test_an_isin_is_not_searched_for(self, server, yahoo):
        with pytest.raises(UnknownTicker, match="US0378331005 is an ISIN"):
            yahoo.fetch("US0378331005", None)
        assert server.requests == []

    def test_with_signs_arrive_unharmed(self, server, yahoo):
        server.add(Listing("M&M.NS", currency="INR", exchange="NSI", timezone="Asia/Kolkata"))
        for symbol in ("M&M.NS", "^GSPC", "EURUSD=X"):
            assert yahoo.fetch(symbol, None).symbol == symbol
            assert {request.symbol for request in server.charts()} >= {symbol}
