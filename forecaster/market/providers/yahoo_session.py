"""The session through which yfinance asks Yahoo: it checks each reply before yfinance does."""

from __future__ import annotations

import functools
import threading
from typing import Any
from urllib.parse import urlsplit

from forecaster.errors import ForecastError, SourceError
from forecaster.market.providers import yahoo_chart
from forecaster.market.providers.base import MOST_REPLY_BYTES

_CHART_PATH = "/v8/finance/chart/"
_CONSENT_HOST = "consent.yahoo.com"


class ReplyChecker(threading.local):
    """Checks what is answered about a symbol; each thread asks about one of its own.

    A request that was given up on may still be answered.

    Attributes:
        symbol: what is asked for.
        result: the last chart's result.
    """

    symbol: str
    result: dict[str, Any]
    _refused: bool

    def expect(self, symbol: str) -> None:
        """Say which symbol the next charts must be about."""
        self.symbol, self._refused, self.result = symbol, False, {}

    def failed(self, problem: Exception) -> ForecastError:
        """What to say of a chart's request that brought no reply."""
        return yahoo_chart.unavailable(self.symbol, f"could not be reached ({_reason(problem)})")

    def too_long(self) -> ForecastError:
        """What to say of a reply that does not end."""
        most = MOST_REPLY_BYTES // 2**20
        return yahoo_chart.unavailable(self.symbol, f"answered with more than {most} MiB")

    def cannot_connect(self) -> ForecastError:
        """What to say where the client cannot open a connection at all."""
        return SourceError(
            f"Yahoo cannot be asked for {self.symbol}: TensorFlow was loaded before its client in"
            " this process, which then cannot connect. Import forecaster and fetch before"
            " TensorFlow is imported, or run forecast fetch first."
        )

    def read(self, reply: Any, *, is_chart: bool, whole: bool) -> None:
        """Raise what a reply means, if it is no good.

        Args:
            reply: of any request.
            is_chart: whether a chart was asked for.
            whole: whether that was a chart of all bars.
        """
        yahoo_chart.refuse_rate_limit(reply.status_code, reply.content)
        final = urlsplit(str(reply.url))
        at_consent = (final.hostname or "").endswith(_CONSENT_HOST)  # yfinance fills it in
        if (is_chart or _CHART_PATH in final.path) and not at_consent:
            self._read_chart(reply, whole)

    def _read_chart(self, reply: Any, whole: bool) -> None:
        if reply.status_code == 401 and not self._refused:
            self._refused = True  # yfinance gets a new cookie and asks once more
            return
        self.result = yahoo_chart.result_of(reply.status_code, reply.content, self.symbol)
        self._refused = False
        if yahoo_chart.read(self.result, self.symbol).timezone is None:
            raise yahoo_chart.unavailable(self.symbol, "named no time zone")  # dates need one
        if whole:
            yahoo_chart.require_bars(self.result, self.symbol)


class _Body:
    """What a reply holds, unpacked; it is given up where it becomes too long."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.is_too_long = False

    def take(self, piece: bytes) -> int:
        """Keep a piece, and tell the client how many bytes of it are wanted."""
        from curl_cffi.curl import CURL_WRITEFUNC_ERROR

        self.is_too_long = len(self.data) + len(piece) > MOST_REPLY_BYTES
        if self.is_too_long:
            return int(CURL_WRITEFUNC_ERROR)
        self.data += piece
        return len(piece)


@functools.cache
def session_class() -> Any:
    """The class of the session through which yfinance asks."""
    from curl_cffi import CurlOpt
    from curl_cffi.requests import Session
    from curl_cffi.requests.exceptions import ImpersonateError, RequestException

    class CheckedSession(Session):  # type: ignore[type-arg]
        """Has each reply checked; ForecastErrors pass through yfinance unharmed.

        Args:
            base: an address of this machine that stands in for Yahoo's, or None.
            timeout: seconds for a chart; half of it for anything else.
        """

        def __init__(self, base: str | None, timeout: float) -> None:
            here = {CurlOpt.NOPROXY: "*"} if base else {}
            super().__init__(impersonate="chrome", curl_options=here)
            self._base = base
            self._longest = timeout
            self.checker = ReplyChecker()

        def request(  # type: ignore[override]
            self, method: Any, url: str, params: Any = None, **kwargs: Any
        ) -> Any:
            is_chart = _CHART_PATH in url
            longest = self._longest if is_chart else self._longest / 2
            kwargs["timeout"] = min(kwargs.get("timeout") or longest, longest)
            body = _Body()
            kwargs["content_callback"] = body.take
            try:
                reply = super().request(method, _address(self._base, url), params=params, **kwargs)
            except ImpersonateError as problem:
                raise self.checker.cannot_connect() from problem
            except RequestException as problem:
                if not is_chart:  # a chart needs no cookie: yfinance goes on without one
                    raise
                if body.is_too_long:
                    raise self.checker.too_long() from problem
                raise self.checker.failed(problem) from problem
            reply.content = bytes(body.data)
            self.checker.read(reply, is_chart=is_chart, whole="period1" in (params or {}))
            return reply

    return CheckedSession


def _address(base: str | None, url: str) -> str:
    """A URL of Yahoo's, moved to the address that stands in for Yahoo's if there is one."""
    if base is None:
        return url
    parts = urlsplit(url)
    return f"{base}{parts.path}{'?' + parts.query if parts.query else ''}"


def _reason(problem: Exception) -> str:
    """A library's message without its advice and addresses."""
    return str(problem).partition(". See ")[0][:120]
