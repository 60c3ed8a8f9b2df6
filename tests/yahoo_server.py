"""A stand-in for Yahoo on this machine: the market of ``yahoo_market``, and every way to fail.

In a test, with the real client::

    with YahooServer() as server:
        monkeypatch.setenv("FORECASTER_YAHOO_URL", server.url)
        server.fail("AAPL", "500", times=2)  # the next two charts of AAPL
        quotes = Yahoo().fetch("AAPL", None)
        assert server.charts("AAPL")         # the requests that came, oldest first

From a shell, until Ctrl-C::

    python tests/yahoo_server.py --port 8000 --fail MSFT=500
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from yahoo_market import Listing, chart, listings, meta

CHART = "/v8/finance/chart/"
FAILURES = (
    "401", "403", "404", "404 html", "429", "500", "503", "999",  # statuses
    "down", "html", "not a chart", "wrong symbol", "no bars",  # lies with status 200
    "ragged", "no zone", "unknown zone", "no adjusted", "all events",
    "truncated", "reset", "stall",  # connections
)  # fmt: skip
"""What :meth:`YahooServer.fail` takes."""

HTML = "<html><body><h1>Oops</h1>Something went wrong.</body></html>"
GONE = "No data found, symbol may be delisted"


@dataclass(frozen=True)
class Request:
    """A request that came.

    Attributes:
        path: unquoted.
        params: the query, one value each.
        symbol: of a chart; empty for a cookie, a crumb or a consent.
    """

    path: str
    params: Mapping[str, str]
    symbol: str

    @property
    def is_probe(self) -> bool:
        """Whether it only asks for the time zone."""
        return "range" in self.params


def forget() -> None:
    """Drop what yfinance keeps for the whole process: cookie, crumb, caches."""
    if "yfinance" not in sys.modules:
        return
    import yfinance.cache
    import yfinance.data

    yfinance.data.SingletonMeta._instances.clear()
    for manager in ("_TzDBManager", "_CookieDBManager", "_ISINDBManager"):
        getattr(yfinance.cache, manager).close_db()
        getattr(yfinance.cache, manager)._db = None
    yfinance.cache._TzCacheManager._tz_cache = None
    yfinance.cache._CookieCacheManager._Cookie_cache = None
    yfinance.cache._ISINCacheManager._isin_cache = None


class YahooServer:
    """The server, in threads of this process; a context that starts and stops it.

    Attributes:
        market: symbol -> listing; may be changed at any time.
        requests: all that came, oldest first.
        url: for ``FORECASTER_YAHOO_URL``.
    """

    def __init__(self, market: Mapping[str, Listing] | None = None, port: int = 0) -> None:
        self.market = dict(listings() if market is None else market)
        self.requests: list[Request] = []
        self._failures: dict[str, list[str]] = {}
        self._always: dict[str, str] = {}
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"yahoo": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> YahooServer:
        forget()
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._http.shutdown()
        self._http.server_close()
        forget()

    def add(self, listing: Listing) -> Listing:
        """List a ticker, or replace it."""
        self.market[listing.symbol] = listing
        return listing

    def change(self, symbol: str, **fields: Any) -> Listing:
        """Replace fields of a listing."""
        return self.add(replace(self.market[symbol], **fields))

    def fail(self, what: str, how: str, times: int | None = None) -> None:
        """Fail from now on.

        Args:
            what: a symbol (all its charts), ``"SYMBOL probe"``, ``"*"`` (all charts), ``"cookie"``,
                ``"crumb"`` or ``"consent"``.
            how: one of :data:`FAILURES`.
            times: so many times, then no more; None: always.
        """
        if how not in FAILURES:
            raise ValueError(f"{how!r} is no failure; one of {FAILURES} is needed")
        with self._lock:
            if times is None:
                self._always[what] = how
            else:
                self._failures.setdefault(what, []).extend([how] * times)

    def heal(self) -> None:
        """Fail no more."""
        with self._lock:
            self._failures.clear()
            self._always.clear()

    def charts(self, symbol: str | None = None, probes: bool = True) -> list[Request]:
        """The requests for charts, of one symbol or of all."""
        return [
            request
            for request in list(self.requests)
            if request.symbol
            and symbol in (None, request.symbol)
            and (probes or not request.is_probe)
        ]

    def failure(self, request: Request) -> str | None:
        """How this request is to fail, used up if it was to fail so many times."""
        keys = [request.path.rstrip("/").rpartition("/")[2] or "cookie"]
        keys = [{"getcrumb": "crumb", "collectConsent": "consent"}.get(keys[0], keys[0])]
        if request.symbol:
            keys = [f"{request.symbol} probe"] * request.is_probe + [request.symbol, "*"]
        with self._lock:
            for key in keys:
                if self._failures.get(key):
                    return self._failures[key].pop(0)
            return next((self._always[key] for key in keys if key in self._always), None)

    def stall(self) -> None:
        """Wait until the server stops."""
        self._stopping.wait(120)


def _distorted(result: dict[str, Any], listing: Listing, how: str | None) -> dict[str, Any]:
    """A result with something wrong in it."""
    if how == "wrong symbol":
        result["meta"]["symbol"] = "OTHER"
    elif how == "no bars":
        result = {"meta": result["meta"], "indicators": {"quote": [{}], "adjclose": [{}]}}
    elif how == "ragged":
        result["indicators"]["quote"][0]["open"].pop()
    elif how == "all events":  # also of sessions before the range
        result["events"] = chart(listing, float("-inf"), float("inf"))["events"]
    elif how == "no adjusted":
        del result["indicators"]["adjclose"]
    elif how == "no zone":
        result["meta"]["exchangeTimezoneName"] = None
    elif how == "unknown zone":
        result["meta"]["exchangeTimezoneName"] = "Mars/Olympus"
    return result


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two packets: 40 ms between them
    yahoo: YahooServer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        params = {name: values[0] for name, values in parse_qs(parts.query).items()}
        symbol = path.removeprefix(CHART) if path.startswith(CHART) else ""
        request = Request(path, params, symbol)
        self.yahoo.requests.append(request)
        failure = self.yahoo.failure(request)
        if failure is not None and self._failed(request, failure):
            return
        if symbol:
            self._chart(request, failure)
        elif path.endswith("/getcrumb"):
            self._send(200, "a.crumb", "text/plain")
        elif path == "/consent":
            names = ("csrfToken", "sessionId")
            fields = "".join(f'<input name="{name}" value="x">' for name in names)
            self._send(200, f"<html><form>{fields}</form></html>")
        else:
            self._send(200, "ok", "text/plain", {"Set-Cookie": "A3=d=x; Path=/; Max-Age=86400"})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass

    def _failed(self, request: Request, failure: str) -> bool:
        """Whether the failure was the whole answer."""
        if failure == "404":
            self._error(404, "Not Found", GONE)
        elif failure == "401":
            self._error(401, "Unauthorized", "Invalid Crumb")
        elif failure == "429":
            self._send(429, "Too Many Requests\r\n", "text/plain")
        elif failure[:3].isdigit():
            self._send(int(failure[:3]), HTML)
        elif failure == "down":
            self._send(200, "<html><title>Will be right back...</title></html>")
        elif failure == "html":
            self._send(200, HTML)
        elif failure == "not a chart":
            self._json(200, {"finance": {"result": [], "error": None}})
        elif failure == "reset":
            self.close_connection = True
        elif failure == "stall":
            self.yahoo.stall()
            self.close_connection = True
        else:
            return False
        return True

    def _chart(self, request: Request, failure: str | None) -> None:
        listing = self.yahoo.market.get(request.symbol)
        if listing is None:
            self._error(404, "Not Found", GONE)
            return
        begin = float(request.params.get("period1", "-inf"))
        end = float(request.params.get("period2", "inf"))
        if begin > end:
            words = "Invalid input - start date cannot be after end date."
            self._error(400, "Bad Request", f"{words} startDate = {begin:.0f}, endDate = {end:.0f}")
            return
        if request.is_probe:
            begin = listing.at(listing.sessions()[-1], time(0, 0))
        result = chart(listing, begin, end)
        if not result and failure is None:
            words = f"Data doesn't exist for startDate = {begin:.0f}, endDate = {end:.0f}"
            self._error(400, "Bad Request", words)
            return
        result = result or {"meta": meta(listing)}
        result = _distorted(result, listing, failure)
        answer = {"chart": {"result": [result], "error": None}}
        if failure == "truncated":
            self._send(200, json.dumps(answer), "application/json", missing=100)
        else:
            self._json(200, answer)

    def _error(self, status: int, code: str, words: str) -> None:
        error = {"code": code, "description": words}
        self._json(status, {"chart": {"result": None, "error": error}})

    def _json(self, status: int, answer: object) -> None:
        self._send(status, json.dumps(answer), "application/json")

    def _send(
        self,
        status: int,
        text: str,
        kind: str = "text/html",
        headers: Mapping[str, str] | None = None,
        missing: int = 0,
    ) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body[: len(body) - missing])
        except OSError:  # the client has left
            self.close_connection = True
        if missing:
            self.close_connection = True


def main() -> None:
    """Serve until interrupted; the address goes to standard output."""
    parser = argparse.ArgumentParser(description="A made-up Yahoo on this machine.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--fail", action="append", default=[], metavar="WHAT=HOW")
    options = parser.parse_args()
    with YahooServer(port=options.port) as server:
        for rule in options.fail:
            what, _, how = rule.rpartition("=")
            server.fail(what, how)
        print(f"FORECASTER_YAHOO_URL={server.url}", flush=True)  # noqa: T201
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
