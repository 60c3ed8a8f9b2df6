"""Exchanges: which calendar a ticker follows, and that calendar's sessions.

The only module that knows exchange_calendars, which costs half a second to import: it is imported
inside functions, when a calendar is first built.
"""

from __future__ import annotations

import csv
import difflib
from functools import lru_cache
from pathlib import Path

import numpy as np

from forecaster.arrays import Days, Moments
from forecaster.errors import CalendarUnavailable, SettingsError, parameter
from forecaster.market.calendars import Schedule
from forecaster.market.symbols import kind_of, suffix_of
from forecaster.packages import installed

ALWAYS = "24/7"
"""Cryptocurrencies: every day."""

WEEKDAYS = "24/5"
"""Currencies: Monday to Friday, holidays too."""

US = "XNYS"
"""New York; Nasdaq and all other US markets keep the same days."""

with Path(__file__).with_name("exchanges.csv").open(encoding="utf-8", newline="") as _file:
    _EXCHANGES = list(csv.DictReader(_file))
"""Calendars with the exchange codes of Yahoo and (US and China) Tiingo, Yahoo's suffixes, and its
indices: they have no suffix, and are known where a source names no exchange."""


def _calendars(column: str) -> dict[str, str]:
    """Each word of a column, with its calendar."""
    return {word: row["calendar"] for row in _EXCHANGES for word in row[column].split()}


_BY_EXCHANGE = _calendars("exchanges")
_BY_SUFFIX = _calendars("suffixes")
_BY_INDEX = _calendars("indices")
_BY_KIND = {"currency": WEEKDAYS, "crypto": ALWAYS, "future": "CMES"}

_CHECKED_UNTIL = {
    "XIDX": np.datetime64("2025-12-31"),
    "XKAR": np.datetime64("2025-12-31"),
    "XPHS": np.datetime64("2027-12-31"),
    "XTAE": np.datetime64("2026-12-31"),
}
"""Calendars that the library builds without an end, though its lists of holidays have one.

Read off exchange_calendars 4.13; a newer one may know more, and then these days are estimates
that need not be.
"""

_CONTROL_HOLIDAYS = {"XTAE": np.datetime64("2026-09-21")}
"""A day that is a holiday if the calendar is right.

With pandas 3 Tel Aviv's holidays, which move with the Hebrew calendar, silently fall on Easter;
this is Yom Kippur.
"""

_PADDING = np.timedelta64(7, "D")
"""Built around the days that are asked for: the library refuses ranges of one day."""


def calendar_of(ticker: str, exchange: str | None) -> str | None:
    """The code of the calendar that a ticker follows; loads nothing.

    The exchange that the source names decides, then the suffix, then the kind of ticker. One with
    no suffix is a US share.

    Args:
        ticker: in Yahoo's spelling.
        exchange: Yahoo's ``meta.exchangeName`` or Tiingo's code; None where there is none.

    Returns:
        Such as ``XNYS``, ``XLON``, ``24/7``; None where nothing tells.
    """
    code = (exchange or "").strip().upper().replace(" ", "_")
    if code in _BY_EXCHANGE:
        return _BY_EXCHANGE[code]
    suffix = suffix_of(ticker)
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    kind = kind_of(ticker)
    if kind == "index":
        return _BY_INDEX.get(ticker)
    if kind == "share":
        return None if suffix else US
    return _BY_KIND[kind]


def checked_calendar(code: str) -> str:
    """A calendar that was asked for by name, in the library's own spelling.

    Args:
        code: a name or an alias of the library (``XNYS``, ``xnas``, ``24/7``), in any case.

    Raises:
        SettingsError: there is none.
    """
    asked = code.strip().upper()
    if asked in (ALWAYS, WEEKDAYS):
        return asked
    from exchange_calendars import calendar_utils

    names = {name.upper(): name for name in calendar_utils.get_calendar_names()}
    if asked in names:
        return str(calendar_utils.resolve_alias(names[asked]))
    near = difflib.get_close_matches(asked, names, n=3, cutoff=0.5)
    options = ", ".join(names[name] for name in near) or f"{US}, XLON, XTKS, {ALWAYS}, {WEEKDAYS}"
    raise SettingsError(
        f"{parameter('calendar')} is {code!r}; it must be the code of an exchange's calendar."
        f" {'The nearest are' if near else 'Some are'}: {options}. Use one of them."
    )


def made_with(code: str) -> str:
    """The version of the library that makes a calendar; empty where none does. Loads nothing."""
    return "" if code in (ALWAYS, WEEKDAYS) else installed("exchange_calendars") or ""


def schedule(code: str, first: np.datetime64, last: np.datetime64) -> Schedule:
    """Sessions of a calendar in a range of days, as far as the library knows it.

    Where its knowledge begins later or ends earlier (India, Shanghai and Singapore are published
    year by year), ``known_from`` and ``known_until`` say so.

    Args:
        code: as :func:`calendar_of` or :func:`checked_calendar` returns it.
        first: first day.
        last: last day, not before ``first``.

    Raises:
        CalendarUnavailable: the library cannot build it, or knows none of these days.
    """
    first, last = first.astype("datetime64[D]"), last.astype("datetime64[D]")
    if last < first:
        raise ValueError(f"the range of days ends on {last}, before it begins on {first}")
    if code in (ALWAYS, WEEKDAYS):
        return _around_the_clock(code, first, last)
    low, high = _bounds(code)
    known_from, known_until = max(first, low), min(last, high)
    if known_until < known_from:
        raise CalendarUnavailable(
            f"calendar {code} is known from {low} to {high}; {first} to {last} was asked for."
            " Sessions outside it can only be estimated."
        )
    sessions, closes = _built(
        code, max(known_from - _PADDING, low), min(known_until + _PADDING, high)
    )
    asked = (sessions >= known_from) & (sessions <= known_until)
    return Schedule(code, sessions[asked], closes[asked], known_from, known_until)


def _around_the_clock(code: str, first: np.datetime64, last: np.datetime64) -> Schedule:
    """Days that close at the next midnight UTC, as in sources' daily bars.

    Currencies rest from Friday 22:00 UTC (21:00 in summer), but sources cut their days at midnight
    in London: at midnight UTC a bar is complete all year.
    """
    days = np.arange(first, last + 1)
    if code == WEEKDAYS:
        days = days[np.is_busday(days)]
    return Schedule(code, days, (days + 1).astype("datetime64[s]"), first, last)


def _bounds(code: str) -> tuple[np.datetime64, np.datetime64]:
    """First and last day that the library allows for a calendar.

    Raises:
        CalendarUnavailable: it has no such calendar.
    """
    from exchange_calendars import calendar_utils

    if code not in calendar_utils.get_calendar_names(include_aliases=False):
        raise CalendarUnavailable(
            f"there is no calendar {code!r} in this version of exchange_calendars."
            " Name one by its code, such as XNYS."
        )
    # a class per calendar; the one that is named otherwise (us_futures) has no bounds
    made_by = getattr(calendar_utils, f"{code}ExchangeCalendar", calendar_utils.ExchangeCalendar)
    low, high = made_by.bound_min(), made_by.bound_max()
    return (
        np.datetime64("1800-01-01") if low is None else low.to_datetime64().astype("datetime64[D]"),
        _CHECKED_UNTIL.get(code, np.datetime64("2200-12-31"))
        if high is None
        else high.to_datetime64().astype("datetime64[D]"),
    )


@lru_cache(maxsize=32)  # the library holds but the last range of each calendar
def _built(code: str, first: np.datetime64, last: np.datetime64) -> tuple[Days, Moments]:
    """Sessions and their closes from the library, in a range inside its bounds.

    Raises:
        CalendarUnavailable: it fails, as it does for some calendars with some versions of pandas.
    """
    from exchange_calendars import calendar_utils
    from exchange_calendars.errors import NoSessionsError

    holiday = _CONTROL_HOLIDAYS.get(code)
    if holiday is not None:
        first, last = min(first, holiday), max(last, holiday)
    try:
        calendar = calendar_utils.get_calendar(code, start=str(first), end=str(last))
    except NoSessionsError:  # a range within a long holiday
        return np.empty(0, dtype="datetime64[D]"), np.empty(0, dtype="datetime64[s]")
    except (NotImplementedError, ValueError) as problem:
        # movable holidays of these calendars are date offsets that pandas 3 refuses
        raise _cannot_be_built(code) from problem
    sessions = calendar.sessions.to_numpy().astype("datetime64[D]")
    if holiday is not None and holiday in sessions:
        raise _cannot_be_built(code)
    closes = calendar.closes.dt.tz_convert(None).to_numpy().astype("datetime64[s]")
    sessions.flags.writeable = closes.flags.writeable = False
    return sessions, closes


def _cannot_be_built(code: str) -> CalendarUnavailable:
    return CalendarUnavailable(
        f"calendar {code} cannot be built with the versions of pandas and exchange_calendars that"
        " are installed. Sessions can only be estimated, or name another with"
        f" {parameter('calendar')}."
    )
