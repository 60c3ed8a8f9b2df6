"""Yahoo's chart JSON: what each reply means, and what it says beside the bars."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite
from types import NoneType
from typing import Any, TypeGuard
from zoneinfo import ZoneInfo

import numpy as np

from forecaster.errors import (
    ForecastError,
    RateLimited,
    SourceError,
    SourceUnavailable,
    UnknownTicker,
)
from forecaster.market.bars import FIRST_SESSION, LAST_SESSION, Action
from forecaster.market.providers.base import Trading, are_possible
from forecaster.wording import writable

RATE_LIMITS = (429, 999)
"""HTTP statuses of a reply to one who asks too often; 999 is Yahoo's own."""
_RATE_LIMIT_WORDS = b"Too Many Requests"
_DOWN_WORDS = "Will be right back"
_NO_BARS_WORDS = ("Data doesn't exist", "start date cannot be after end date")
_NO_NUMBERS = ("NaN", "Infinity", "-Infinity")  # words that stand for prices in a few charts
_LONGEST_QUOTE = 160
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_WHOLE = 2**63 - 1
_FIRST_STAMP, _LAST_STAMP = (
    int(day.astype("datetime64[s]").astype(np.int64)) for day in (FIRST_SESSION, LAST_SESSION)
)


class NoBars(Exception):
    """The ticker is known and has no bars in the range asked for."""


@dataclass(frozen=True)
class Chart:
    """What a reply says beside its bars.

    Attributes:
        currency: such as ``USD``, or None.
        exchange: Yahoo's own code, or None.
        timezone: IANA name of the exchange's, or None.
        trading: the session that is open, or the one that was last, or None.
        traded_at: time of the last trade, or None.
        splits: with dates on the exchange, oldest first.
        dividends: with dates on the exchange, oldest first.
        priceless: sessions whose row has no close.
        volumeless: sessions whose row has no volume.
        adjusted: whether there are adjusted closes.
    """

    currency: str | None
    exchange: str | None
    timezone: str | None
    trading: Trading | None
    traded_at: datetime | None
    splits: tuple[Action, ...]
    dividends: tuple[Action, ...]
    priceless: frozenset[np.datetime64]
    volumeless: frozenset[np.datetime64]
    adjusted: bool


def refuse_rate_limit(status: int, body: bytes) -> None:
    """Raise if any reply, even to the request for a cookie, says that too much was asked.

    Raises:
        RateLimited: it does.
    """
    if status in RATE_LIMITS or _RATE_LIMIT_WORDS in body[:500]:
        raise RateLimited(
            f"Yahoo refuses to answer for now (HTTP {status}): it was asked too often. Wait an"
            " hour, then ask for fewer tickers at a time."
        )


def unavailable(symbol: str, reason: str) -> SourceUnavailable:
    """The error for a reply that is none."""
    return SourceUnavailable(f"Yahoo {reason} when asked for {symbol}. Try again later.")


def result_of(status: int, body: bytes, symbol: str) -> dict[str, Any]:
    """The one result in a reply.

    Args:
        status: of HTTP.
        body: as it came.
        symbol: what was asked for.

    Raises:
        UnknownTicker: Yahoo says so itself, in its own JSON.
        NoBars: the range has none.
        SourceUnavailable: the reply is an error page, an outage, or not a chart.
        SourceError: Yahoo refuses the request, or answers about another symbol.
    """
    text = body.decode("utf-8", errors="replace")
    if _DOWN_WORDS in text:
        raise unavailable(symbol, f'is down ("{_DOWN_WORDS}")')
    chart = _chart(text)
    error = chart.get("error") if chart else None
    if isinstance(error, dict):
        raise _refusal(status, error, symbol)
    if status in (403, 404):
        raise SourceError(
            f"Yahoo refused the request for {symbol} (HTTP {status}) without saying why; a chart"
            " is needed. Check that its pages can be reached from this network."
        )
    if status != 200:
        raise unavailable(symbol, f"answered with HTTP {status}")
    results = chart.get("result") if chart else None
    if not isinstance(results, list) or not results or not isinstance(results[0], dict):
        raise unavailable(symbol, "answered with something that is no chart")
    result: dict[str, Any] = results[0]
    named = _text(_part(result, "meta").get("symbol"))
    if named is None:
        raise unavailable(symbol, "answered with a chart that names no symbol")
    if named.upper() != symbol:
        raise SourceError(
            f"Yahoo answered about {named[:40]!r} when asked for {symbol}; prices of {symbol} are"
            f" needed. If it was renamed, ask for the new ticker."
        )
    return result


def require_bars(result: Mapping[str, Any], symbol: str) -> None:
    """Check the rows, so that the client that reads them next cannot stumble.

    Raises:
        NoBars: there are no rows.
        SourceUnavailable: rows of different lengths, cells that are no numbers, or dates that no
            bar has.
    """
    stamps = result.get("timestamp")
    columns = _first(_part(result, "indicators"), "quote")
    if not stamps and not any(columns.values()):
        raise NoBars
    names = ("open", "high", "low", "close", "volume")
    rows = [stamps, *(columns.get(name) for name in names)]
    adjusted = _first(_part(result, "indicators"), "adjclose")
    if adjusted:
        rows.append(adjusted.get("adjclose"))
    for row in rows:
        if not isinstance(row, list) or not isinstance(stamps, list) or len(row) != len(stamps):
            raise unavailable(symbol, "answered with rows of different lengths")
        odd = set(map(type, row)) - {int, float, NoneType}
        if odd and not all(cell in _NO_NUMBERS for cell in row if type(cell) in odd):
            raise unavailable(symbol, "answered with prices that are no numbers")
        if any(type(cell) is int and abs(cell) > _LARGEST_WHOLE for cell in row):
            raise unavailable(symbol, "answered with prices of more figures than any has")
    for stamp in stamps if isinstance(stamps, list) else ():
        if not _is_number(stamp):
            raise unavailable(symbol, "answered with a row without a date")
        if not _FIRST_STAMP <= stamp <= _LAST_STAMP:
            raise unavailable(symbol, "answered with a bar of before 1600 or after 2200")


def read(result: Mapping[str, Any], symbol: str) -> Chart:
    """Everything in a result but its prices.

    Raises:
        SourceUnavailable: a time, the time zone or a split cannot be.
    """
    meta = _part(result, "meta")
    zone_name = _text(meta.get("exchangeTimezoneName"))
    try:
        zone = ZoneInfo(zone_name or "UTC")
        hours = _part(_part(meta, "currentTradingPeriod"), "regular")
        opens, closes = _instant(hours.get("start")), _instant(hours.get("end"))
        trading = None
        if opens is not None and closes is not None:
            trading = Trading(np.datetime64(opens.astimezone(zone).date(), "D"), closes)
        events = _part(result, "events")
        splits = _actions(_part(events, "splits"), zone, _ratio)
        if not are_possible(splits):
            raise unavailable(symbol, "answered with splits that no ticker can have had")
        return Chart(
            currency=_text(meta.get("currency")),
            exchange=_text(meta.get("exchangeName")),
            timezone=zone_name,
            trading=trading,
            traded_at=_instant(meta.get("regularMarketTime")),
            splits=splits,
            dividends=_actions(_part(events, "dividends"), zone, lambda paid: paid.get("amount")),
            priceless=_sessions_without(result, "close", zone),
            volumeless=_sessions_without(result, "volume", zone),
            adjusted=bool(_first(_part(result, "indicators"), "adjclose")),
        )
    except (LookupError, ValueError, OverflowError, OSError) as problem:  # also an unknown zone
        raise unavailable(symbol, f"gave a time that cannot be read ({problem})") from problem


def _chart(text: str) -> dict[str, Any]:
    """``chart`` of the JSON, or nothing where it is no such JSON."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError, MemoryError):
        return {}
    chart = whole.get("chart") if isinstance(whole, dict) else None
    return chart if isinstance(chart, dict) else {}


def _refusal(status: int, error: Mapping[str, Any], symbol: str) -> ForecastError | NoBars:
    """What Yahoo's own error object means."""
    code, words = _text(error.get("code")) or "", _text(error.get("description")) or ""
    quoted = f'"{words[:_LONGEST_QUOTE] or code}"'
    if status >= 500:
        return unavailable(symbol, f"answered with HTTP {status} ({quoted})")
    if any(part in words for part in _NO_BARS_WORDS):
        return NoBars()
    if status == 404 or code == "Not Found":
        return UnknownTicker(f"Yahoo knows no ticker {symbol} ({quoted}). Check the spelling.")
    if status == 401 or code == "Unauthorized":
        return unavailable(symbol, f"did not accept its own cookie ({quoted})")
    return SourceError(
        f"Yahoo refused the request for {symbol} ({quoted}); daily bars are needed. Check the"
        " ticker and the dates."
    )


def _part(whole: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = whole.get(name)
    return part if isinstance(part, dict) else {}


def _first(whole: Mapping[str, Any], name: str) -> dict[str, Any]:
    parts = whole.get(name)
    first = parts[0] if isinstance(parts, list) and parts else None
    return first if isinstance(first, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value and value == writable(value) else None


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _instant(value: object) -> datetime | None:
    """Epoch seconds as a time; None for what is no number or zero."""
    if not _is_number(value) or value <= 0:
        return None
    return _EPOCH + timedelta(seconds=value)


def _bar_session(stamp: float, zone: ZoneInfo) -> np.datetime64:
    """The session of a bar stamped with its opening.

    Where the clocks of a country changed by law at short notice, midnight is stamped 22:00 or
    23:00 of the day before; yfinance moves such bars to the day that was meant, and so does this.
    """
    local = (_EPOCH + timedelta(seconds=stamp)).astimezone(zone)
    if local.minute == 0 and local.hour >= 22:
        local += timedelta(hours=24 - local.hour)
    return np.datetime64(local.date(), "D")


def _sessions_without(
    result: Mapping[str, Any], field: str, zone: ZoneInfo
) -> frozenset[np.datetime64]:
    stamps = result.get("timestamp") or []
    cells = _first(_part(result, "indicators"), "quote").get(field) or []
    rows = zip(stamps, cells, strict=False)
    missing = {_bar_session(stamp, zone) for stamp, cell in rows if cell is None}
    if missing and cells[-1] is not None:  # a live row stands for the whole session
        missing.discard(_bar_session(stamps[-1], zone))
    return frozenset(missing)


def _ratio(split: Mapping[str, Any]) -> object:
    new, old = split.get("numerator"), split.get("denominator")
    return new / old if _is_number(new) and _is_number(old) and old else None


def _actions(
    events: Mapping[str, Any], zone: ZoneInfo, value_of: Callable[[Mapping[str, Any]], object]
) -> tuple[Action, ...]:
    """Events with a usable date and value."""
    actions: list[Action] = []
    for event in events.values():
        if not isinstance(event, dict):
            continue
        stamp, value = event.get("date"), value_of(event)
        if _is_number(stamp) and _is_number(value) and isfinite(value) and value > 0:
            day = (_EPOCH + timedelta(seconds=stamp)).astimezone(zone).date()
            actions.append(Action(np.datetime64(day, "D"), float(value)))
    return tuple(sorted(actions, key=lambda action: action.session))
