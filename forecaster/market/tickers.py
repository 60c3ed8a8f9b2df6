"""Tickers become histories: from the store, after fetching what is missing.

A source that is down, a ticker that it no longer knows and a read-only store leave stored bars
usable; whoever gets them is told how old they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from forecaster.arrays import Days
from forecaster.errors import (
    DataError,
    ForecastError,
    Message,
    SourceError,
    UnknownTicker,
    parameter,
)
from forecaster.market.bars import History
from forecaster.market.calendars import Calendars, Schedule, missing_sessions
from forecaster.market.fetch_options import USUAL, Fetching, at_hand
from forecaster.market.providers.base import Provider
from forecaster.market.session_cache import missing_note, timetable
from forecaster.market.store import Store
from forecaster.market.store import bars as histories
from forecaster.market.symbols import checked_ticker
from forecaster.market.update import UpdateResult
from forecaster.market.update_many import TickerUpdate, freshen, sessions_behind

_LONG_AGO = 10
"""Days since the last bar from which a ticker has probably stopped trading."""

_CLOCK_OFF = timedelta(hours=1)
"""A clock may be so far behind the last answer before it is doubted."""


@dataclass(frozen=True)
class Remark:
    """One sentence on one ticker."""

    ticker: str
    message: str


@dataclass(frozen=True)
class LoadedTickers:
    """What tickers became.

    Attributes:
        histories: in the order asked for, without those that failed.
        calendars: the schedules of their exchanges.
        remarks: what a user should know.
        failures: words without a history, and why.
        stale: tickers whose stored bars are used because they could not be fetched.
    """

    histories: tuple[History, ...]
    calendars: Calendars
    remarks: tuple[Remark, ...]
    failures: tuple[tuple[str, ForecastError], ...]
    stale: tuple[str, ...] = ()


def checked_tickers(
    words: Sequence[str],
) -> tuple[dict[str, str], list[tuple[str, ForecastError]]]:
    """Each ticker once, with the word it was written as; and the words that cannot be one."""
    tickers: dict[str, str] = {}
    failures: list[tuple[str, ForecastError]] = []
    for word in words:
        try:
            tickers.setdefault(checked_ticker(word), word)
        except UnknownTicker as problem:
            failures.append((word, problem))
    return tickers, failures


def load_tickers(
    words: Sequence[str],
    fetching: Fetching = USUAL,
    *,
    store: Store | None = None,
    provider: Callable[[], Provider] | None = None,
    now: datetime | None = None,
    last: int | None = None,
    on_ticker: Callable[[str], None] | None = None,
) -> LoadedTickers:
    """Histories of tickers, as fresh as they can be had.

    Args:
        words: tickers as a user wrote them.
        fetching: options.
        store: open; None: the usual one.
        provider: makes the provider if one is needed; None: the one that ``fetching`` names.
        now: with a time zone; None: by the clock.
        last: only so many bars of each, the newest; None: all.
        on_ticker: called before each ticker.

    Raises:
        StoreError: the store cannot be used.
        SettingsError: it cannot be made, or there is no such provider.
    """
    tickers, failures = checked_tickers(words)
    moment = now or datetime.now(UTC)
    with at_hand(fetching, store, provider) as (opened, make):
        remarks = _doubts(opened, list(tickers), moment)
        done = freshen(
            opened, list(tickers), fetching, now=moment, provider=make, on_ticker=on_ticker
        )
        found, damaged = _read(opened, list(tickers), fetching, last)
        calendars, more = calendars_of(opened, list(found.values()), moment)
    remarks += more
    for one in done:
        history = found.get(one.ticker)
        if history is None:
            problem = damaged.get(one.ticker) or one.problem or _nothing_stored(one.ticker)
            failures.append((tickers[one.ticker], problem))
            continue
        schedule = calendars.get(history.calendar or "")
        messages = [
            *_on_fetching(one, history, schedule),
            *_on_age(one, history, schedule, fetching, moment),
        ]
        remarks += [Remark(one.ticker, message) for message in messages]
    stale = tuple(one.ticker for one in done if one.problem is not None and one.ticker in found)
    return LoadedTickers(tuple(found.values()), calendars, tuple(remarks), tuple(failures), stale)


def calendars_of(
    store: Store, found: Sequence[History], now: datetime
) -> tuple[Calendars, list[Remark]]:
    """The schedules of the histories' calendars, made and stored where they are not yet."""
    firsts: dict[str, np.datetime64] = {}
    for history in found:
        if history.calendar is not None:
            first = firsts.get(history.calendar, history.first)
            firsts[history.calendar] = min(first, history.first)
    schedules, remarks = {}, []
    for code, first in firsts.items():
        schedule, problem = timetable(store, code, first, now)
        if schedule is not None:
            schedules[code] = schedule
        if problem is not None:
            remarks.append(Remark(code, problem))
    return Calendars(schedules), remarks


def _read(
    store: Store, tickers: Sequence[str], fetching: Fetching, last: int | None
) -> tuple[dict[str, History], dict[str, DataError]]:
    """What is stored of each ticker, all of one moment; and those whose bars are damaged."""
    found: dict[str, History] = {}
    damaged: dict[str, DataError] = {}
    with store.reading() as tx:
        for ticker in tickers:
            try:
                history = histories.read(tx, ticker, last=last)
            except DataError as problem:
                damaged[ticker] = problem
                continue
            if history is not None and fetching.since is not None:
                history = _since(history, fetching.since)
            if history is not None:
                code = fetching.calendar or history.calendar
                found[ticker] = replace(history, calendar=code)
    return found, damaged


def _since(history: History, first: np.datetime64) -> History | None:
    """The bars from a date on; None where there are none."""
    start = int(np.searchsorted(history.sessions, first))
    return history.slice(start, len(history)) if start < len(history) else None


def gaps(store: Store, refreshed: UpdateResult, now: datetime) -> list[Remark]:
    """Sessions of the exchange that an answer should have had among its new bars."""
    if not refreshed.added:
        return []
    with store.reading() as tx:
        history = histories.read(tx, refreshed.ticker)
    if history is None or history.calendar is None:
        return []
    schedule, problem = timetable(store, history.calendar, history.first, now)
    if schedule is None:
        return [] if problem is None else [Remark(refreshed.ticker, problem)]
    note = missing_note(schedule.code, _missing(history, schedule, refreshed.added))
    return [] if note is None else [Remark(refreshed.ticker, note)]


def _missing(history: History, schedule: Schedule, added: int) -> Days:
    """The sessions without a bar among the newest bars and since the one before them."""
    missing = missing_sessions(history, schedule)
    before = max(len(history) - added - 1, 0)
    return np.asarray(missing[missing >= history.sessions[before]])


def _on_fetching(one: TickerUpdate, history: History, schedule: Schedule | None) -> list[str]:
    """What an answer changed that a user should know."""
    if one.refreshed is None:
        return []
    remarks = list(one.refreshed.notes)
    if schedule is not None and one.refreshed.added:
        note = missing_note(schedule.code, _missing(history, schedule, one.refreshed.added))
        remarks += [] if note is None else [note]
    return remarks


def _on_age(
    one: TickerUpdate,
    history: History,
    schedule: Schedule | None,
    fetching: Fetching,
    now: datetime,
) -> list[str]:
    """Why stored bars are used, and how old they are."""
    behind = sessions_behind(history.cutoff, schedule, now)
    days = int((np.datetime64(now.date(), "D") - history.cutoff).astype(int))
    age = f"{days} days old" if behind is None else f"{behind} sessions behind"
    age = age.removesuffix("s behind") + " behind" if behind == 1 else age
    used = f"stored bars to {history.cutoff} are used, {age}"
    if one.problem is not None:
        return [f"{one.problem} Meanwhile {used}."]
    if behind == 0:
        return []
    if one.imported:
        return [f"{used}; they came from a file. For newer ones: forecast fetch {one.ticker}"]
    if fetching.offline:
        return [Message(f"{used} ({parameter('offline')}).")]
    if days > _LONG_AGO:
        return [f"its last bar is of {history.cutoff}, {age}, and the source has no newer one"]
    return []


def _doubts(store: Store, tickers: Sequence[str], now: datetime) -> list[Remark]:
    """A remark where the clock stands before the last answer."""
    with store.reading() as tx:
        stored = histories.ends(tx, tickers)
    for ticker, have in stored.items():
        if now < have.known.answered - _CLOCK_OFF:
            return [
                Remark(
                    ticker,
                    f"this machine's clock says {now:%Y-%m-%d %H:%M} UTC, and its bars were fetched"
                    f" at {have.known.answered:%Y-%m-%d %H:%M}: one of them is wrong. Check the"
                    " clock.",
                )
            ]
    return []


def _nothing_stored(ticker: str) -> SourceError:
    return SourceError(
        f"nothing is stored of {ticker}, and {parameter('offline')} asks no source; a forecast"
        f" needs at least 2 bars. Run it without {parameter('offline')}, or give a file."
    )
