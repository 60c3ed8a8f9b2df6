"""Whether stored bars are up to date, and fetching for those that are not.

Nothing is asked where no session can have closed since the last answer, so that most forecasts
touch neither the network nor the libraries that do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from forecaster.errors import (
    DataError,
    ForecastError,
    LockHeld,
    SourceError,
    SourceUnavailable,
    UnknownTicker,
)
from forecaster.market.calendars import Schedule, last_closed
from forecaster.market.fetch_options import Fetching
from forecaster.market.providers.base import Provider
from forecaster.market.store import Store
from forecaster.market.store import bars as histories
from forecaster.market.store import calendars as schedules
from forecaster.market.store.bars import Stored
from forecaster.market.symbols import hint
from forecaster.market.update import UpdateResult, refresh

IMPORTED = "import"
"""Source of bars that a user brought: no provider is asked for what follows them."""

_ASK_AGAIN = timedelta(minutes=15)
"""An answer without the session that closed last is not asked for again sooner."""

_SILENT = 3
"""Tickers in a row without an answer, after which a source is taken to be down."""

_ASK_AGAIN_UNSCHEDULED = timedelta(hours=1)
"""Likewise where no calendar tells when sessions close."""


@dataclass(frozen=True)
class TickerUpdate:
    """What was done for one ticker.

    Attributes:
        ticker: the symbol.
        refreshed: what a provider's answer changed; None where none was asked for, or it failed.
        problem: why it failed; stored bars are as they were.
        imported: whether its bars came from a file, so that no provider was asked.
    """

    ticker: str
    refreshed: UpdateResult | None
    problem: ForecastError | None
    imported: bool = False


def freshen(
    store: Store,
    tickers: Sequence[str],
    fetching: Fetching,
    *,
    now: datetime,
    provider: Callable[[], Provider],
    always: bool = False,
    on_ticker: Callable[[str], None] | None = None,
) -> list[TickerUpdate]:
    """Fetch what is missing of each ticker, one after the other.

    Args:
        store: open.
        tickers: checked symbols, each once.
        fetching: options.
        now: with a time zone.
        provider: makes the provider when the first ticker needs it.
        always: ask even where nothing new can be expected, and of imported bars too.
        on_ticker: called before each ticker.

    Raises:
        SettingsError: the provider's name is not known.
    """
    stored = _stored(store, tickers)
    timetables = _timetables(store, stored)
    asked: Provider | None = None
    done = []
    silent = 0
    for ticker in tickers:
        if on_ticker:
            on_ticker(ticker)
        have = stored.get(ticker)
        if not always and (fetching.offline or _current(have, timetables, fetching, now)):
            imported = have is not None and have.known.source == IMPORTED
            done.append(TickerUpdate(ticker, None, None, imported))
            continue
        if store.frozen:
            done.append(TickerUpdate(ticker, None, store.refusal()))
            continue
        if silent >= _SILENT:
            done.append(TickerUpdate(ticker, None, _not_asked(ticker, silent)))
            continue
        asked = asked or provider()
        try:
            made = refresh(
                store,
                asked,
                ticker,
                now=now,
                since=fetching.since,
                calendar=fetching.calendar,
            )
        except (SourceError, DataError, LockHeld) as problem:
            silent = silent + 1 if isinstance(problem, SourceUnavailable) else 0
            done.append(TickerUpdate(ticker, None, _with_hint(ticker, problem)))
        else:
            silent = 0
            done.append(TickerUpdate(ticker, made, None))
    return done


def _not_asked(ticker: str, silent: int) -> SourceUnavailable:
    return SourceUnavailable(
        f"{ticker} was not asked for: the source did not answer {silent} times in a row. Try again"
        " later."
    )


def _with_hint(ticker: str, problem: ForecastError) -> ForecastError:
    """The failure, with what the user may have meant where a source knows no such ticker."""
    meant = hint(ticker) if isinstance(problem, UnknownTicker) else None
    return problem if meant is None else UnknownTicker(f"{problem} {meant}")


def sessions_behind(cutoff: np.datetime64, schedule: Schedule | None, now: datetime) -> int | None:
    """How many sessions have closed since the cutoff; None where no calendar tells."""
    if schedule is None:
        return None
    moment = np.datetime64(int(now.timestamp()), "s")
    closed = schedule.closes <= moment
    return int(np.sum(closed & (schedule.sessions > cutoff)))


def _stored(store: Store, tickers: Sequence[str]) -> Mapping[str, Stored]:
    with store.reading() as tx:
        return histories.ends(tx, tickers)


def _timetables(store: Store, stored: Mapping[str, Stored]) -> Mapping[str, Schedule]:
    """The stored schedules of the tickers' calendars; none is made here."""
    codes = {have.known.calendar for have in stored.values()} - {None}
    with store.reading() as tx:
        found = {code: schedules.read(tx, code) for code in codes if code is not None}
    return {code: schedule for code, schedule in found.items() if schedule is not None}


def _current(
    have: Stored | None,
    timetables: Mapping[str, Schedule],
    fetching: Fetching,
    now: datetime,
) -> bool:
    """Whether there can be nothing to ask for."""
    if have is None:
        return False
    if have.known.source == IMPORTED:
        return True
    if fetching.answered_since is not None and have.known.answered >= fetching.answered_since:
        return True
    asked = have.known.since
    if fetching.since is not None and asked is not None and fetching.since < asked:
        return False
    waited = now - have.known.answered
    schedule = timetables.get(have.known.calendar or "")
    closed = None if schedule is None else last_closed(schedule, now)
    if closed is None:
        return waited < _ASK_AGAIN_UNSCHEDULED
    return bool(have.cutoff >= closed) or timedelta(0) <= waited < _ASK_AGAIN
