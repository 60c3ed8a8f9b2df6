"""How tickers are fetched: what a user says about it, the defaults, and whether to ask at all."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from forecaster.errors import DataError, SettingsError, parameter
from forecaster.market.bars import FIRST_SESSION, LAST_SESSION
from forecaster.market.calendars import last_closed

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from forecaster.market.bars import History
    from forecaster.market.memory import Shelf
    from forecaster.market.providers.base import Provider
    from forecaster.market.store import Store
    from forecaster.market.store.calendars import StoredCalendar
    from forecaster.market.store.tickers import StoredTicker, TickerInfo

DEFAULT_PAUSE, DEFAULT_DEADLINE = 0.5, 60.0
"""Seconds between two requests at least, and for one ticker at most."""

_ASK_AGAIN = timedelta(minutes=15)
"""An answer without the session that closed last is not asked for again sooner."""

_ASK_AGAIN_UNSCHEDULED = timedelta(hours=1)
"""An answer is not asked for again sooner where no calendar tells when sessions close."""


_NIGHT = timedelta(hours=12)
"""Within it a run that was cut off goes on with its answers where no calendar tells."""


@dataclass(frozen=True)
class FetchOptions:
    """How tickers are fetched.

    Attributes:
        offline: never ask a provider.
        provider: its name; None: ``FORECASTER_PROVIDER``, or Yahoo.
        since: first session wanted; None: everything.
        calendar: code of the calendar of all tickers; None: of each one's exchange.
        answered_since: a ticker that a source answered at that time or later is not asked for
            until another of its sessions has closed.

    Raises:
        SettingsError: no bar can be of the first session wanted.
    """

    offline: bool = False
    provider: str | None = None
    since: np.datetime64 | None = None
    calendar: str | None = None
    answered_since: datetime | None = None

    def __post_init__(self) -> None:
        if self.since is not None and not FIRST_SESSION <= self.since <= LAST_SESSION:
            raise SettingsError(
                f"{parameter('since')} is {self.since}; a date from 1600 to 2200 is needed. Correct"
                " it."
            )


DEFAULT_FETCH_OPTIONS = FetchOptions()

BarsReader: TypeAlias = (
    "Callable[[Connection, Sequence[TickerInfo], int | None],"
    " Iterable[tuple[str, History | DataError]]]"
)


@dataclass(frozen=True)
class StoredBars:
    """What is read of stored tickers, how, and where it goes.

    Attributes:
        last: only so many bars of each ticker, the newest; None: all.
        shelf: where they are put; None: they stay in memory.
        reader: of many tickers; None: this process reads them, in one transaction.
    """

    last: int | None = None
    shelf: Shelf | None = None
    reader: BarsReader | None = None


ALL_BARS = StoredBars()


@contextlib.contextmanager
def store_and_provider(
    fetching: FetchOptions, store: Store | None, provider: Callable[[], Provider] | None
) -> Iterator[tuple[Store, Callable[[], Provider]]]:
    """A store and what makes a provider: those given, and the default ones where none is.

    A store that was opened here is closed at the end. No provider is made here.

    Raises:
        StoreError: the default store cannot be used.
    """
    from forecaster.market.store import Store

    make = provider or (lambda: default_provider(fetching.provider))
    with contextlib.ExitStack() as stack:
        yield store or stack.enter_context(Store()), make


def default_provider(name: str | None) -> Provider:
    """The provider of that name, with pauses, retries and a deadline for each ticker.

    ``FORECASTER_PROVIDER`` names it where nothing else does. ``FORECASTER_PAUSE`` is the least
    number of seconds between two requests, and ``FORECASTER_DEADLINE`` the most for one ticker.

    Raises:
        SettingsError: there is none of that name, or one of those is no number of seconds.
    """
    from forecaster.market.providers import DEFAULT_PROVIDER, provider
    from forecaster.market.providers.throttle import ThrottledProvider

    chosen = provider(name or os.environ.get("FORECASTER_PROVIDER") or DEFAULT_PROVIDER)
    pause, deadline = pause_and_deadline()
    return ThrottledProvider(chosen, pause=pause, deadline=deadline)


def pause_and_deadline() -> tuple[float, float]:
    """Seconds between two requests at least, and for one ticker at most, from the environment.

    Raises:
        SettingsError: one of them is no number of seconds, or there is no time for any answer.
    """
    pause = _seconds("FORECASTER_PAUSE", DEFAULT_PAUSE)
    deadline = _seconds("FORECASTER_DEADLINE", DEFAULT_DEADLINE)
    if deadline == 0:
        raise _no_seconds("FORECASTER_DEADLINE", "a number of seconds above 0", DEFAULT_DEADLINE)
    return pause, deadline


def _seconds(variable: str, default: float) -> float:
    """A number of seconds from the environment."""
    text = os.environ.get(variable)
    if not text:
        return default
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise _no_seconds(variable, "a number of seconds", default)
    return seconds


def _no_seconds(variable: str, needed: str, default: float) -> SettingsError:
    return SettingsError(
        f"{variable} is {os.environ[variable]!r}; {needed} is needed, as in {default:g}. Correct it"
        " or unset it."
    )


def is_current(
    stored: StoredTicker | None,
    calendars: Mapping[str, StoredCalendar],
    fetching: FetchOptions,
    now: datetime,
) -> bool:
    """Whether there can be nothing to ask a provider for.

    Nothing is asked where no session can have closed since the last answer, so that most forecasts
    touch neither the network nor the libraries that do.

    Args:
        stored: the end of what is stored; None: nothing.
        calendars: stored calendars by code.
        fetching: options.
        now: with a time zone.
    """
    if stored is None:
        return False
    info = stored.info
    if info.imported:
        return True
    calendar = calendars.get(fetching.calendar or info.calendar or "")
    schedule = None if calendar is None else calendar.schedule
    closed = None if schedule is None else last_closed(schedule, now)
    waited = now - info.answered  # below 0: a clock was ahead, and nobody waits for it to come
    if fetching.answered_since is not None and info.answered >= fetching.answered_since:
        known = None if schedule is None else last_closed(schedule, info.answered)
        stands = timedelta(0) <= waited < _NIGHT if closed is None else closed == known
        if stands:
            return True
    if not info.reaches_back_to(fetching.since):
        return False
    if closed is None:
        return timedelta(0) <= waited < _ASK_AGAIN_UNSCHEDULED
    return bool(stored.cutoff >= closed) or timedelta(0) <= waited < _ASK_AGAIN
