"""Tiingo: daily bars of sessions that are over, with a key of the user's.

Prices come in shares of their own day, with each day's split factor; all splits are removed here.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import numpy as np

from forecaster.arrays import Days, Floats, Mask
from forecaster.errors import RateLimited, SourceError, SourceUnavailable, UnknownTicker
from forecaster.market.bars import BAR_FIELDS, FIRST_SESSION, LAST_SESSION, Action
from forecaster.market.providers.base import MOST_REPLY_BYTES, Quotes, are_possible
from forecaster.market.providers.local_server import stand_in
from forecaster.wording import writable

KEY = "TIINGO_API_KEY"
STAND_IN = "FORECASTER_TIINGO_URL"
_ADDRESS = "https://api.tiingo.com"
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9.\-]{0,23}")
_LARGEST = 1e100
_EARLIEST = "1900-01-01"
_FIELDS = {**{name: name for name in BAR_FIELDS}, "adjusted_close": "adjClose"}
_AMERICAN = ("NASDAQ", "NYSE", "AMEX", "BATS", "IEX", "OTC", "PINK")
"""How the codes of exchanges begin whose prices are in dollars."""


class Tiingo:
    """Tiingo as a :class:`~forecaster.market.providers.base.Provider` of daily bars.

    Args:
        timeout: seconds without a sign of life after which a request is given up.

    Raises:
        SettingsError: ``FORECASTER_TIINGO_URL`` is no address of this machine.
    """

    name = "tiingo"

    def __init__(self, timeout: float = 10.0) -> None:
        self._timeout = timeout
        self._base = stand_in(STAND_IN)
        self._opened: Any = None

    def fetch(self, ticker: str, since: np.datetime64 | None) -> Quotes:
        """Ask once for daily bars; without any where the ticker has none since that session.

        Args:
            ticker: as Tiingo spells it, such as ``BRK-B``.
            since: first session wanted; None: all.

        Raises:
            UnknownTicker: Tiingo has none of that name, or no ticker can be so.
            SourceUnavailable: no answer, or one that is not what was asked for.
            RateLimited: the key's allowance is used up.
            SourceError: the key is missing or refused.
        """
        if not _SYMBOL.fullmatch(ticker):  # it becomes part of an address
            raise UnknownTicker(
                f"{ticker[:40]!r} cannot be a ticker at Tiingo; capitals, digits, . and - are"
                " needed, such as BRK-B. Check the spelling."
            )
        path = f"/tiingo/daily/{quote(ticker, safe='')}"
        about = self._get(path, {}, ticker)
        if not isinstance(about, dict) or str(about.get("ticker")).upper() != ticker.upper():
            raise _unavailable(ticker, "with something that is not about it")
        start = _EARLIEST if since is None else str(since)
        rows = self._get(f"{path}/prices", {"startDate": start, "format": "json"}, ticker)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise _unavailable(ticker, "with something that is no list of prices")
        return _quotes(ticker, about, rows)

    def _get(self, path: str, params: Mapping[str, str], ticker: str) -> object:
        """The JSON at an address."""
        import requests

        key = _key()

        def sign(request: Any) -> Any:
            request.headers["Authorization"] = f"Token {key}"  # an address would be logged
            return request

        if self._opened is None:
            self._opened = requests.Session()
            self._opened.trust_env = self._base is None  # no proxy to this machine itself
        try:
            reply = self._opened.get(
                f"{self._base or _ADDRESS}{path}",
                params=params,
                auth=sign,  # not as a header: a netrc file would replace that
                timeout=self._timeout,
                allow_redirects=False,  # the key goes nowhere else
                stream=True,
            )
            with reply:
                _require_success(reply.status_code, ticker)
                body = _body(reply, ticker)
        except requests.RequestException as problem:
            raise _unavailable(ticker, f"not at all ({type(problem).__name__})") from problem
        try:
            document: object = json.loads(body)
        except (ValueError, RecursionError, MemoryError) as problem:
            raise _unavailable(ticker, "with something that is no JSON") from problem
        return document


def _body(reply: Any, ticker: str) -> bytes:
    """What a reply holds, unpacked piece by piece."""
    body = bytearray()
    for piece in reply.iter_content(65_536):
        body += piece
        if len(body) > MOST_REPLY_BYTES:
            raise _unavailable(ticker, f"with more than {MOST_REPLY_BYTES // 2**20} MiB")
    return bytes(body)


def _key() -> str:
    key = os.environ.get(KEY, "").strip()
    if not key:
        raise SourceError(
            f"{KEY} is not set; Tiingo answers to a key alone. Get one at tiingo.com and put it"
            f" into {KEY}."
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise SourceError(
            f"{KEY} holds a character that no key has; letters and digits are needed. Copy the key"
            " again."
        )
    return key


def _require_success(status: int, ticker: str) -> None:
    if status == 404:
        raise UnknownTicker(f"Tiingo knows no ticker {ticker} (HTTP 404). Check the spelling.")
    if status == 429:
        raise RateLimited(
            "Tiingo refuses to answer for now (HTTP 429): the key's allowance is used up. Wait an"
            " hour, then ask for fewer tickers."
        )
    if status in (401, 403):
        raise SourceError(
            f"Tiingo refused the key (HTTP {status}) when asked for {ticker}; a valid one is"
            f" needed. Check {KEY}."
        )
    if status != 200:
        raise _unavailable(ticker, f"with HTTP {status}")


def _unavailable(ticker: str, how: str) -> SourceUnavailable:
    return SourceUnavailable(f"Tiingo answered {how} when asked for {ticker}. Try again later.")


def _quotes(ticker: str, about: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Quotes:
    days = _days(rows, ticker)
    order = np.unique(days, return_index=True)[1]  # rising, each session once
    days = days[order]
    columns: dict[str, Any] = {
        name: _column(rows, field, ticker)[order] for name, field in _FIELDS.items()
    }
    factors = _column(rows, "splitFactor", ticker)[order]
    factors[~(np.isfinite(factors) & (factors > 0))] = 1.0
    splits = _actions(days, factors, factors != 1.0)
    if not are_possible(splits):
        raise _unavailable(ticker, "with splits that no ticker can have had")
    paid = np.nan_to_num(_column(rows, "divCash", ticker)[order])
    later = np.append(np.cumprod(factors[::-1])[::-1][1:], 1.0)[: len(days)]
    for name in ("open", "high", "low", "close"):
        columns[name] /= later
    columns["volume"] *= later
    exchange = about.get("exchangeCode")
    is_text = isinstance(exchange, str) and exchange and exchange == writable(exchange)
    exchange = exchange if is_text else None
    american = exchange is not None and exchange.upper().startswith(_AMERICAN)
    return Quotes(
        symbol=ticker,
        sessions=days,
        splits=splits,
        dividends=_actions(days, paid / later, paid > 0),
        currency="USD" if american else None,
        exchange=exchange,
        timezone="America/New_York" if american else None,
        **columns,
    )


def _days(rows: Sequence[Mapping[str, Any]], ticker: str) -> Days:
    try:
        days = np.array([str(row["date"])[:10] for row in rows], dtype="datetime64[D]")
    except (KeyError, ValueError) as problem:
        raise _unavailable(ticker, "with a price that has no date") from problem
    if not np.all((days >= FIRST_SESSION) & (days <= LAST_SESSION)):
        raise _unavailable(ticker, "with a price of before 1600 or after 2200, or of no date")
    return days


def _column(rows: Sequence[Mapping[str, Any]], field: str, ticker: str) -> Floats:
    """A field of every row, ``(n,)``, NaN for null."""
    cells = [row.get(field, "") for row in rows]
    if not all(cell is None or (isinstance(cell, int | float)) for cell in cells):
        raise _unavailable(ticker, f"with prices whose {field} is no number")
    if any(cell is not None and abs(cell) > _LARGEST for cell in cells):
        raise _unavailable(ticker, f"with prices whose {field} is no number")
    return np.array(cells, dtype=np.float64)


def _actions(days: Days, values: Floats, chosen: Mask) -> tuple[Action, ...]:
    return tuple(
        Action(np.datetime64(day, "D"), float(value))
        for day, value in zip(days[chosen], values[chosen], strict=True)
    )
