"""Replies that do not end, or inflate, or nest, are given up with a message of the source."""

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from yahoo_server import forget

from forecaster.errors import SourceUnavailable
from forecaster.market.providers import tiingo, yahoo, yahoo_chart

MIB = 2**20


class Server:
    """Answers every chart, and every question to Tiingo, with the same pieces."""

    def __init__(self, pieces, **headers):
        owner, self.sent = self, 0

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                is_data = "chart" in self.path or "tiingo" in self.path
                self.send_response(200)
                for name, value in headers.items() if is_data else ():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                try:
                    for piece in pieces() if is_data else [b"a.crumb"]:
                        self.wfile.write(piece)
                        owner.sent += len(piece)
                except OSError:  # the client has left
                    pass

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.handle_error = lambda *_: None  # a client that leaves early
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def __enter__(self):
        forget()
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()
        forget()


@pytest.fixture(params=["yahoo", "tiingo"])
def ask(request, monkeypatch):
    """What a source says of such a reply."""

    def asked(server):
        monkeypatch.setenv(yahoo.STAND_IN, server.url)
        monkeypatch.setenv(tiingo.STAND_IN, server.url)
        monkeypatch.setenv(tiingo.KEY, "0123456789abcdef")
        source = yahoo.Yahoo(20.0) if request.param == "yahoo" else tiingo.Tiingo(20.0)
        with pytest.raises(SourceUnavailable) as caught:
            source.fetch("AAPL", None)
        return str(caught.value)

    return asked


def test_a_reply_without_an_end_is_left_at_64_mib(ask):
    with Server(lambda: (b" " * MIB for _ in range(3000))) as server:
        assert "with more than 64 MiB" in ask(server)
        assert server.sent < 100 * MIB


def test_a_reply_that_inflates_is_left_at_64_mib(ask):
    packed = gzip.compress(b" " * (300 * MIB), 1)
    assert len(packed) < 2 * MIB
    with Server(lambda: [packed], Content_Encoding="gzip") as server:
        assert "with more than 64 MiB" in ask(server)


@pytest.mark.parametrize("body", [b"[" * MIB, b'{"a":' * MIB, b"[" * 30_000 + b"]" * 30_000])
def test_a_reply_that_nests_is_rubbish(ask, body):
    with Server(lambda: [body]) as server:
        assert ask(server).endswith("when asked for AAPL. Try again later.")


@pytest.mark.parametrize("number", ["1" * 5000, "1" * 4000, "1e999", "-" + "9" * 400])
def test_a_number_of_many_figures_is_rubbish(ask, number):
    meta = {"symbol": "AAPL", "exchangeTimezoneName": "America/New_York"}
    quote = {name: [0] for name in ("open", "high", "low", "close", "volume")}
    result = {"meta": meta, "timestamp": [1719581400], "indicators": {"quote": [quote]}}
    chart = {"chart": {"result": [result], "error": None}, "ticker": "AAPL"}
    body = json.dumps(chart).replace("[0]", f"[{number}]").replace("1719581400", number)
    with Server(lambda: [body.encode()]) as server:
        assert ask(server).endswith("when asked for AAPL. Try again later.")


@pytest.mark.parametrize("stamp", [-12_000_000_000, -62_135_596_801, 7_300_000_000, 10**15])
def test_a_bar_of_another_age_is_rubbish(monkeypatch, stamp):
    meta = {"symbol": "AAPL", "exchangeTimezoneName": "America/New_York"}
    quote = {name: [1, 2] for name in ("open", "high", "low", "close", "volume")}
    result = {"meta": meta, "timestamp": [1719581400, stamp], "indicators": {"quote": [quote]}}
    body = json.dumps({"chart": {"result": [result], "error": None}}).encode()
    with Server(lambda: [body]) as server:
        monkeypatch.setenv(yahoo.STAND_IN, server.url)
        with pytest.raises(SourceUnavailable, match="a bar of before 1600 or after 2200"):
            yahoo.Yahoo(20.0).fetch("AAPL", None)


def test_text_that_is_none_is_left_out():
    result = {"meta": {"currency": "\ud800", "exchangeName": "NMS"}}
    read = yahoo_chart.read(result, "AAPL")
    assert (read.currency, read.exchange) == (None, "NMS")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"date": "1599-12-31"}, "before 1600"),
        ({"date": "2201-01-01"}, "before 1600"),
        ({"date": "NaT"}, "of no date"),
        ({"date": "2024-06-28", "close": 10**400}, "close is no number"),
    ],
)
def test_rows_of_tiingo_that_cannot_be_are_refused(row, words):
    bar = dict.fromkeys(("open", "high", "low", "close", "volume", "adjClose"), 1.0)
    with pytest.raises(SourceUnavailable, match=words):
        tiingo._quotes("AAPL", {"exchangeCode": "\ud800"}, [{**bar, **row}])


@pytest.mark.parametrize("ratio", [1e308, 1e-200, 10**14])
def test_splits_that_no_ticker_can_have_had_are_refused(ratio):
    bar = dict.fromkeys(("open", "high", "low", "close", "volume", "adjClose"), 1.0)
    rows = [{**bar, "date": f"2024-06-2{day}", "splitFactor": float(ratio)} for day in (4, 5)]
    with pytest.raises(SourceUnavailable, match=r"no number|splits that no ticker"):
        tiingo._quotes("AAPL", {}, rows)
    event = {"numerator": ratio, "denominator": 1}
    splits = {str(day): {**event, "date": 86_400 * day} for day in (10, 11)}
    with pytest.raises(SourceUnavailable, match="splits that no ticker"):
        yahoo_chart.read({"events": {"splits": splits}}, "AAPL")
