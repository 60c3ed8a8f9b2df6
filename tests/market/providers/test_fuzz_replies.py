"""What a server may answer: bars, or a message of the source, and nothing else."""

from __future__ import annotations

import copy
import json
import random
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from fuzzing import flipped, fuzz
from yahoo_market import chart, listings
from yahoo_server import forget

from forecaster.market.load import read_sorted
from forecaster.market.providers import tiingo, yahoo
from forecaster.market.providers.base import completed
from forecaster.market.store import Store

NOW = datetime(2024, 6, 29, tzinfo=UTC)
VALUES = (
    None, True, 0, -1, 1, 0.5, 1e308, -1e308, 5e-324, 10**30, 10**400, -(10**18), 2**63,
    253402300800, -62135596801, -8_520_336_000, "", "x", "NaN", "AAPL", "\x1b]52;c;x\x07", "\u202e",
    "\ud800", "\0", "é" * 500, "Mars/Phobos", "../../etc/passwd", "UTC", "1719581400", [], {},
    [None], [[[]]], {"a": {"b": 1}}, [1, 2, 3], float("nan"), float("inf"), "GBp", "2024-06-28",
    "\n" * 9,
)  # fmt: skip
STATUSES = (200, 200, 200, 200, 200, 200, 200, 200, 400, 401, 403, 404, 418, 429, 500, 503, 999)


class Server:
    """Answers questions of a kind with ``answer``: a line with status and kind, and the body."""

    def __init__(self) -> None:
        owner, self.answer = self, b"200 chart\n"

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                head, _, body = owner.answer.partition(b"\n")
                status, kind = head.decode().split()
                asked = next(kind for kind in KINDS if kind in self.path)
                self.send_response(int(status) if kind == asked else 200)
                body = body if kind == asked else KINDS[asked]
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.handle_error = lambda *_: None  # a client that leaves early


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    forget()
    running = Server()
    threading.Thread(target=running.http.serve_forever, args=(0.02,), daemon=True).start()
    yield running
    running.http.shutdown()
    running.http.server_close()
    forget()


def places(document: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of everything in a document."""
    yield above
    keys = document if isinstance(document, dict) else ()
    for key in range(len(document)) if isinstance(document, list) else list(keys):
        yield from places(document[key], (*above, key))


def changed(rng: random.Random, document: Any) -> Any:
    """The document with something in it replaced, dropped, doubled or moved."""
    paths = list(places(document))[1:]
    if not paths:
        return rng.choice(VALUES)
    path, inner = rng.choice(paths), document
    for key in path[:-1]:
        inner = inner[key]
    match rng.randrange(5):
        case 0 | 1 | 2:
            inner[path[-1]] = copy.deepcopy(rng.choice(VALUES))
        case 3:
            del inner[path[-1]]
        case _ if isinstance(inner, list):
            inner.insert(path[-1], copy.deepcopy(inner[path[-1]]))
        case _:
            inner[str(rng.choice(VALUES))] = inner[path[-1]]
    return document


LISTED = {**chart(listings()["AAPL"], 1717200000, float("inf"))}
CHART = {"chart": {"result": [LISTED], "error": None}}
NO_CHART = {"chart": {"result": None, "error": {"code": "Not Found", "description": "No data"}}}
BAR = {"date": "2024-06-24T00:00:00.000Z", "close": 80.0, "high": 81.0, "low": 79.0, "open": 80.0,
       "volume": 100, "adjClose": 40.0, "divCash": 0.4, "splitFactor": 2.0}  # fmt: skip
ABOUT = {"ticker": "AAPL", "exchangeCode": "NASDAQ", "startDate": "2024-06-25"}
BARS = [{**BAR, "date": f"2024-06-{day}T00:00:00.000Z"} for day in (24, 25, 26, 27, 28)]
KINDS = {"prices": json.dumps(BARS).encode(), "tiingo": json.dumps(ABOUT).encode(),
         "chart": b"", "": b"a.crumb"}  # fmt: skip
"""What is asked for, by a word of the address, and the usual answer."""


def answer(rng: random.Random, document: Any) -> bytes:
    for _ in range(rng.choice([0, 1, 1, 1, 2, 5])):
        document = changed(rng, document)
    text = json.dumps(document)
    if rng.random() < 0.1:
        text = text.replace(rng.choice("[]{},:0"), rng.choice(["", "[", "]", "{", "1e9", '"']), 3)
    data = text.encode(rng.choice(["utf-8"] * 8 + ["utf-16", "latin-1"]), errors="replace")
    return flipped(rng, data, 5) if rng.random() < 0.2 else data


def yahoo_reply(rng: random.Random) -> bytes:
    document = copy.deepcopy(CHART if rng.random() < 0.95 else NO_CHART)
    return b"%d chart\n%s" % (rng.choice(STATUSES), answer(rng, document))


def tiingo_reply(rng: random.Random) -> bytes:
    document, kind = (BARS, b"prices") if rng.random() < 0.8 else (ABOUT, b"tiingo")
    body = answer(rng, copy.deepcopy(document))
    return b"%d %s\n%s" % (rng.choice(STATUSES), kind, body)


def test_fuzz_replies_of_yahoo(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(yahoo.STAND_IN, f"http://127.0.0.1:{server.http.server_port}")
    source = yahoo.Yahoo(timeout=4.0)

    def read(path: Path) -> None:
        server.answer = path.read_bytes()
        quotes = source.fetch("AAPL", None)
        if len(completed(quotes, "AAPL", NOW).history) % 3:  # a new store takes its time
            return
        with Store(f"sqlite:///{path.with_suffix('.db')}") as store:
            loaded = read_sorted([], ["AAPL"], store=store, provider=lambda: source, now=NOW)
        assert len(loaded.panel) + len(loaded.failures) > 0
        path.with_suffix(".db").unlink()
        for failure in loaded.failures:
            str(failure.error).encode()

    fuzz("replies of yahoo", yahoo_reply, read, tmp_path, ".json")


def test_fuzz_replies_of_tiingo(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(tiingo.STAND_IN, f"http://127.0.0.1:{server.http.server_port}")
    monkeypatch.setenv(tiingo.KEY, "0123456789abcdef")
    source = tiingo.Tiingo(timeout=4.0)

    def read(path: Path) -> None:
        server.answer = path.read_bytes()
        completed(source.fetch("AAPL", None), "AAPL", NOW)

    fuzz("replies of tiingo", tiingo_reply, read, tmp_path, ".json")
