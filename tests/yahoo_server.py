"""A stand-in for Yahoo on this machine: a small made-up market, and every way to fail.

In a test, with the real client::

    with YahooServer() as server:
        monkeypatch.setenv("FORECASTER_YAHOO_URL", server.url)
        server.fail("AAPL", "500", times=2)  # the next two charts of AAPL
        quotes = Yahoo().fetch("AAPL", None)
        assert server.charts("AAPL")         # the requests that came, oldest first

From a shell, until Ctrl-C::

    python tests/yahoo_server.py --port 8000 --fail MSFT=500

A session's prices depend on the ticker and the first session alone, so a listing that is replaced
by one with more sessions or one more split keeps its past, as Yahoo would show it then.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import threading
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

import numpy as np

CHART = "/v8/finance/chart/"
FAILURES = (
    "401", "403", "404", "404 html", "429", "500", "503", "999",  # statuses
    "down", "html", "not a chart", "wrong symbol", "no bars",  # lies with status 200
    "ragged", "no zone", "unknown zone", "no adjusted", "all events",
    "truncated", "reset", "stall",  # connections
)  # fmt: skip
"""What :meth:`YahooServer.fail` takes."""

HTML = "<html><body><h1>Oops</h1>Something went wrong.</body></html>"
LIVE_VOLUME = 4321
GONE = "No data found, symbol may be delisted"


@dataclass(frozen=True)
class Listing:
    """One ticker of the made-up market.

    Attributes:
        symbol: as Yahoo spells it.
        first: the first session is on it or after it.
        last: the last one is on it or before it.
        splits: session -> new shares for each old one.
        dividends: session -> amount for each share of that day.
        blank: sessions whose prices and volume are null.
        volumeless: sessions whose volume is null.
        cells: (field, session) -> what stands there instead.
        closed: weekdays without a session.
        every_day: whether it trades on weekends too.
        has_volume: whether volumes are above zero.
        traded_at: time of the last trade; None: the last close.
        live: whether the last session has a second row, stamped with the last trade.
        extra: put over ``meta``.
    """

    symbol: str
    currency: str = "USD"
    exchange: str = "NMS"
    timezone: str = "America/New_York"
    kind: str = "EQUITY"
    opens: time = time(9, 30)
    closes: time = time(16, 0)
    first: str = "2019-01-02"
    last: str = "2024-06-28"
    splits: Mapping[str, float] = field(default_factory=dict)
    dividends: Mapping[str, float] = field(default_factory=dict)
    blank: frozenset[str] = frozenset()
    volumeless: frozenset[str] = frozenset()
    cells: Mapping[tuple[str, str], object] = field(default_factory=dict)
    closed: frozenset[str] = frozenset({"2023-12-25", "2024-01-01", "2024-06-19"})
    every_day: bool = False
    has_volume: bool = True
    traded_at: datetime | None = None
    live: bool = False
    extra: Mapping[str, object] = field(default_factory=dict)

    def sessions(self) -> list[date]:
        """All of them, oldest first."""
        first, last = date.fromisoformat(self.first), date.fromisoformat(self.last)
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return [
            day
            for day in days
            if (self.every_day or day.weekday() < 5) and day.isoformat() not in self.closed
        ]

    def at(self, day: date, clock: time) -> int:
        """Epoch seconds of a time of day at the exchange."""
        return int(datetime.combine(day, clock, ZoneInfo(self.timezone)).timestamp())


def listings() -> dict[str, Listing]:
    """The market: shares in three currencies, an index, an ETF, a currency and a coin."""
    round_the_clock: dict[str, Any] = {"opens": time(0, 0), "closes": time(23, 59)}
    made = [
        Listing(
            "AAPL",
            splits={"2020-08-31": 4.0},
            dividends={"2023-11-10": 0.24, "2024-02-09": 0.24, "2024-05-10": 0.25},
        ),
        Listing("MSFT", dividends={"2024-02-14": 0.75, "2024-05-15": 0.75}),
        Listing("BRK-B", exchange="NYQ"),
        Listing("NEWCO", first="2024-06-24"),
        Listing("SPY", exchange="PCX", kind="ETF", dividends={"2024-06-21": 1.76}),
        Listing("^GSPC", exchange="SNP", kind="INDEX"),
        Listing(
            "VOD.L",
            currency="GBp",
            exchange="LSE",
            timezone="Europe/London",
            opens=time(8, 0),
            closes=time(16, 30),
            dividends={"2024-06-06": 3.83},
        ),
        Listing(
            "7203.T",
            currency="JPY",
            exchange="JPX",
            timezone="Asia/Tokyo",
            opens=time(9, 0),
            closes=time(15, 0),
            splits={"2021-09-29": 5.0},
        ),
        Listing(
            "EURUSD=X",
            exchange="CCY",
            timezone="Europe/London",
            kind="CURRENCY",
            has_volume=False,
            **round_the_clock,
        ),
        Listing(
            "BTC-USD",
            exchange="CCC",
            timezone="UTC",
            kind="CRYPTOCURRENCY",
            every_day=True,
            closed=frozenset(),
            **round_the_clock,
        ),
    ]
    return {listing.symbol: listing for listing in made}


def chart(listing: Listing, begin: float, end: float) -> dict[str, Any]:
    """The chart JSON of the sessions that open from ``begin`` to before ``end``, epoch seconds."""
    days = listing.sessions()
    columns = _prices(listing, days)
    stamps = [listing.at(day, listing.opens) for day in days]
    chosen = [n for n, stamp in enumerate(stamps) if begin <= stamp < end]
    if not chosen:
        return {}
    if listing.live:
        traded = _traded_at(listing, days[-1])
        stamps.append(traded)
        chosen.append(len(days))
        columns = {name: [*cells, cells[-1]] for name, cells in columns.items()}
        columns["volume"][-1] = LIVE_VOLUME
    rows = {name: [cells[n] for n in chosen] for name, cells in columns.items()}
    adjusted = rows.pop("adjclose")
    events = {
        "dividends": {
            str(stamp): {"amount": value / _ratio_after(listing, day), "date": stamp}
            for day, stamp, value in _events(listing, listing.dividends, begin, end)
        },
        "splits": {
            str(stamp): {
                "date": stamp,
                "numerator": value if value >= 1 else 1,
                "denominator": 1 if value >= 1 else round(1 / value),
                "splitRatio": f"{value:g}:1",
            }
            for day, stamp, value in _events(listing, listing.splits, begin, end)
        },
    }
    return {
        "meta": meta(listing),
        "timestamp": [stamps[n] for n in chosen],
        "events": {name: found for name, found in events.items() if found},
        "indicators": {"quote": [rows], "adjclose": [{"adjclose": adjusted}]},
    }


def meta(listing: Listing) -> dict[str, Any]:
    """What a chart says about its ticker."""
    last = listing.sessions()[-1]
    hours = {
        name: {
            "timezone": "LOC",
            "gmtoffset": 0,
            "start": listing.at(last, listing.opens),
            "end": listing.at(last, listing.closes),
        }
        for name in ("pre", "regular", "post")
    }
    return {
        "currency": listing.currency,
        "symbol": listing.symbol,
        "exchangeName": listing.exchange,
        "instrumentType": listing.kind,
        "firstTradeDate": listing.at(listing.sessions()[0], listing.opens),
        "regularMarketTime": _traded_at(listing, last),
        "gmtoffset": 0,
        "exchangeTimezoneName": listing.timezone,
        "priceHint": 2,
        "currentTradingPeriod": hours,
        "dataGranularity": "1d",
        "validRanges": ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"],
    } | dict(listing.extra)


def _traded_at(listing: Listing, last: date) -> int:
    if listing.traded_at is not None:
        return int(listing.traded_at.timestamp())
    return listing.at(last, listing.closes)


def _ratio_after(listing: Listing, day: date) -> float:
    later = (ratio for when, ratio in listing.splits.items() if when > day.isoformat())
    return float(np.prod([1.0, *later]))


def _events(
    listing: Listing, events: Mapping[str, float], begin: float, end: float
) -> list[tuple[date, int, float]]:
    found = []
    for when, value in sorted(events.items()):
        day = date.fromisoformat(when)
        stamp = listing.at(day, listing.opens)
        if begin <= stamp < end:
            found.append((day, stamp, value))
    return found


def _prices(listing: Listing, days: list[date]) -> dict[str, list[Any]]:
    """Every column: a random walk that pays the dividends, in today's shares."""
    seed = zlib.crc32(listing.symbol.encode())
    draws = [np.random.default_rng([seed, part]).normal(size=len(days)) for part in range(5)]
    today = float(np.prod([1.0, *listing.splits.values()]))
    close, level, paid = [], 100.0 * (1.0 + seed % 7), {}
    for n, day in enumerate(days):
        grown = level * float(np.exp(0.012 * draws[0][n]))
        amount = listing.dividends.get(day.isoformat(), 0.0)
        if amount and n:
            old_shares = amount * today / _ratio_after(listing, day)
            paid[n] = old_shares / level
            grown -= old_shares
        level = grown
        close.append(level)
    closes = np.array(close) / today
    opened = closes * np.exp(0.004 * draws[1])
    factor, factors = 1.0, np.ones(len(days))
    for n in range(len(days) - 1, 0, -1):
        factor *= 1.0 - paid.get(n, 0.0)
        factors[n - 1] = factor
    columns: dict[str, list[Any]] = {
        "open": opened.tolist(),
        "high": (np.maximum(opened, closes) * np.exp(0.003 * np.abs(draws[2]))).tolist(),
        "low": (np.minimum(opened, closes) * np.exp(-0.003 * np.abs(draws[3]))).tolist(),
        "close": closes.tolist(),
        "adjclose": (closes * factors).tolist(),
        "volume": [int(v) for v in 1e6 * np.exp(0.3 * draws[4]) * today * listing.has_volume],
    }
    place = {day.isoformat(): n for n, day in enumerate(days)}
    for day_name in listing.blank & place.keys():
        for cells in columns.values():
            cells[place[day_name]] = None
    for day_name in listing.volumeless & place.keys():
        columns["volume"][place[day_name]] = None
    for (name, day_name), cell in listing.cells.items():
        columns[name][place[day_name]] = cell
    return columns


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
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._http.shutdown()
        self._http.server_close()

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
