"""The second source, against a server on this machine that answers as Tiingo does."""

import json
import logging
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import requests

from forecaster.errors import (
    RateLimited,
    SettingsError,
    SourceError,
    SourceUnavailable,
    UnknownTicker,
)
from forecaster.market.bars import Action
from forecaster.market.providers.base import completed
from forecaster.market.providers.tiingo import KEY, STAND_IN, Tiingo

SECRET = "0123456789abcdef"
ABOUT = {"ticker": "ACME", "name": "Acme", "exchangeCode": "NASDAQ", "startDate": "2024-06-25"}


def row(day, close, volume=100, factor=1.0, paid=0.0, **fields):
    return {
        "date": f"{day}T00:00:00.000Z",
        "open": close,
        "high": close + 1,
        "low": close - 1,
        "close": close,
        "volume": volume,
        "adjClose": close / 2,
        "divCash": paid,
        "splitFactor": factor,
    } | fields


ROWS = [
    row("2024-06-24", 80.0, paid=0.4),
    row("2024-06-25", 84.0),
    row("2024-06-26", 42.0, volume=200, factor=2.0),
    row("2024-06-27", 10.5, volume=800, factor=4.0, paid=0.1),
    row("2024-06-28", 11.0, volume=900),
]


class Server:
    """Answers ``/tiingo/daily/TICKER`` and its prices; each may be replaced."""

    def __init__(self):
        self.seen = []
        self.about = (200, json.dumps(ABOUT))
        self.prices = None
        self.headers = {}
        self.stalled = threading.Event()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            disable_nagle_algorithm = True

            def do_GET(self):
                owner.seen.append((self.path, dict(self.headers)))
                parts = urlsplit(self.path)
                status, body = owner.about
                if parts.path.endswith("/prices"):
                    since = parse_qs(parts.query)["startDate"][0]
                    rows = [row for row in ROWS if row["date"] >= since]
                    status, body = owner.prices or (200, json.dumps(rows))
                if body == "stall":
                    owner.stalled.wait(10)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body) + (body == "short") * 50))
                for name, value in owner.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self.stalled.set()
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def server(monkeypatch):
    running = Server()
    monkeypatch.setenv(STAND_IN, running.url)
    monkeypatch.setenv(KEY, SECRET)
    yield running
    running.stop()


def day(text):
    return np.datetime64(text, "D")


def outcome(ticker="ACME", **options):
    with pytest.raises(SourceError) as caught:
        Tiingo(**options).fetch(ticker, None)
    return caught.value


class TestWholeHistory:
    def test_has_splits_removed_from_prices_and_volumes(self, server):
        quotes = Tiingo().fetch("ACME", None)
        assert quotes.sessions.astype(str).tolist()[0] == "2024-06-24"
        assert quotes.close.tolist() == [10, 10.5, 10.5, 10.5, 11]
        assert quotes.open.tolist() == [10, 10.5, 10.5, 10.5, 11]
        assert quotes.high.tolist() == [81 / 8, 85 / 8, 43 / 4, 11.5, 12]
        assert quotes.low.tolist() == [79 / 8, 83 / 8, 41 / 4, 9.5, 10]
        assert quotes.volume.tolist() == [800, 800, 800, 800, 900]
        assert quotes.adjusted_close.tolist() == [40, 42, 21, 5.25, 5.5]

    def test_has_its_actions_in_today_s_shares(self, server):
        quotes = Tiingo().fetch("ACME", None)
        assert quotes.splits == (
            Action(day("2024-06-26"), 2.0),
            Action(day("2024-06-27"), 4.0),
        )
        assert quotes.dividends == (
            Action(day("2024-06-24"), pytest.approx(0.05)),
            Action(day("2024-06-27"), 0.1),
        )

    def test_says_where_it_trades(self, server):
        quotes = Tiingo().fetch("ACME", None)
        assert (quotes.symbol, quotes.exchange, quotes.currency, quotes.timezone) == (
            "ACME",
            "NASDAQ",
            "USD",
            "America/New_York",
        )
        assert quotes.trading is None
        server.about = (200, json.dumps(ABOUT | {"exchangeCode": "SHG"}))
        assert Tiingo().fetch("ACME", None).currency is None

    def test_becomes_a_history(self, server):
        done = completed(Tiingo().fetch("ACME", None), "ACME", datetime(2024, 7, 1, tzinfo=UTC))
        assert done.history.close[-1] == done.history.adjusted_close[-1] == 11
        assert done.notes == ()
        seen = done.history.up_to(day("2024-06-25"))
        assert seen.close.tolist() == [80, 84]  # as it was traded

    def test_is_asked_for_from_the_beginning(self, server):
        Tiingo().fetch("ACME", None)
        assert server.seen[-1][0] == "/tiingo/daily/ACME/prices?startDate=1900-01-01&format=json"


def test_since_a_session(server):
    quotes = Tiingo().fetch("ACME", day("2024-06-27"))
    assert quotes.close.tolist() == [10.5, 11]
    assert quotes.splits == (Action(day("2024-06-27"), 4.0),)


def test_no_new_bars_are_not_an_unknown_ticker(server):
    quotes = Tiingo().fetch("ACME", day("2024-07-01"))
    assert len(quotes.sessions) == len(quotes.close) == 0


def test_unknown_prices_are_not_numbers(server):
    rows = [*ROWS, row("2024-07-01", 12.0, volume=None, open=None)]
    server.prices = (200, json.dumps(rows))
    quotes = Tiingo().fetch("ACME", None)
    assert np.isnan([quotes.volume[-1], quotes.open[-1]]).all()


class TestTheKey:
    def test_goes_into_a_header_and_nowhere_else(self, server, caplog):
        with caplog.at_level(logging.DEBUG):
            Tiingo().fetch("ACME", None)
        assert [headers["Authorization"] for _, headers in server.seen] == [f"Token {SECRET}"] * 2
        assert SECRET not in "".join(path for path, _ in server.seen)
        assert SECRET not in caplog.text

    def test_is_not_replaced_by_another_file_s(self, server, monkeypatch, tmp_path):
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login other password other\n")
        monkeypatch.setenv("NETRC", str(netrc))
        tiingo = Tiingo()
        tiingo._opened = requests.Session()  # the one for this machine reads no such file
        tiingo.fetch("ACME", None)
        assert server.seen[0][1]["Authorization"] == f"Token {SECRET}"

    @pytest.mark.parametrize("key", [None, "", "  "])
    def test_missing(self, server, monkeypatch, key):
        monkeypatch.delenv(KEY) if key is None else monkeypatch.setenv(KEY, key)
        error = outcome()
        assert type(error) is SourceError
        assert str(error).startswith("TIINGO_API_KEY is not set; Tiingo answers to a key alone.")
        assert server.seen == []

    @pytest.mark.parametrize("key", ["ab\ncd", "ab cd", "schlüssel"])
    def test_that_cannot_be_one(self, server, monkeypatch, key):
        monkeypatch.setenv(KEY, key)
        error = outcome()
        assert type(error) is SourceError
        assert key not in str(error)
        assert server.seen == []

    @pytest.mark.parametrize("status", [401, 403])
    def test_refused(self, server, status):
        server.about = (status, '{"detail": "Invalid token."}')
        error = outcome()
        assert type(error) is SourceError
        assert str(error) == (
            f"Tiingo refused the key (HTTP {status}) when asked for ACME; a valid one is needed."
            " Check TIINGO_API_KEY."
        )
        assert SECRET not in repr(error)

    def test_is_not_carried_to_another_address(self, server):
        other = Server()
        server.about, server.headers = (302, ""), {"Location": other.url}
        assert type(outcome()) is SourceUnavailable
        other.stop()
        assert other.seen == []


class TestFailures:
    @pytest.mark.parametrize("where", ["about", "prices"])
    def test_an_unknown_ticker(self, server, where):
        setattr(server, where, (404, '{"detail": "Not found."}'))
        with pytest.raises(UnknownTicker, match="Tiingo knows no ticker ACME"):
            Tiingo().fetch("ACME", None)

    @pytest.mark.parametrize("where", ["about", "prices"])
    def test_a_rate_limit(self, server, where):
        setattr(server, where, (429, "slow down"))
        assert type(outcome()) is RateLimited

    @pytest.mark.parametrize("where", ["about", "prices"])
    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (500, "<html>"),
            (503, "{}"),
            (200, "<html>"),
            (200, "null"),
            (200, '"no"'),
            (200, '{"detail": "x"}'),
            (200, "[1]"),
            (200, "short"),
            (200, "stall"),
        ],
    )
    def test_an_outage(self, server, where, status, body):
        setattr(server, where, (status, body))
        error = outcome(timeout=0.2)
        assert type(error) is SourceUnavailable
        assert str(error).startswith("Tiingo answered ")
        assert str(error).endswith("when asked for ACME. Try again later.")

    @pytest.mark.parametrize(
        "odd",
        [
            {"close": "many"},
            {"date": "soon"},
            {"date": None},
            {"splitFactor": [1]},
            {"volume": {}},
        ],
    )
    def test_rows_that_are_no_prices(self, server, odd):
        server.prices = (200, json.dumps([ROWS[0] | odd]))
        assert type(outcome()) is SourceUnavailable

    def test_rows_without_a_field(self, server):
        server.prices = (200, json.dumps([{"date": "2024-06-24"}]))
        assert "whose open is no number" in str(outcome())

    def test_an_answer_about_another_ticker(self, server):
        server.about = (200, json.dumps(ABOUT | {"ticker": "OTHER"}))
        assert type(outcome()) is SourceUnavailable

    def test_no_connection(self, server, monkeypatch):
        gone = Server()
        gone.stop()
        monkeypatch.setenv(STAND_IN, gone.url)
        began = time.monotonic()
        assert type(outcome()) is SourceUnavailable
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("ticker", ["../../x", "A?B#C", "A/B", "..", ".", "", "A B", "aapl"])
def test_a_ticker_cannot_change_the_address(server, ticker):
    with pytest.raises(UnknownTicker, match="cannot be a ticker at Tiingo"):
        Tiingo().fetch(ticker, None)
    assert server.seen == []


def test_another_machine_is_refused(monkeypatch):
    monkeypatch.setenv(STAND_IN, "http://example.com")
    with pytest.raises(SettingsError, match=STAND_IN):
        Tiingo()


@pytest.mark.live
def test_the_real_tiingo(monkeypatch):
    """Off by default: ``pytest -m live``, with a key."""
    import os

    if not os.environ.get(KEY):
        pytest.skip("no key")
    since = np.datetime64(datetime.now(UTC).date(), "D") - 30
    assert len(Tiingo().fetch("AAPL", since).sessions) > 10
