"""Fetch: bring the store up to date for some tickers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from forecaster.market.fetch_options import DEFAULT_FETCH_OPTIONS, FetchOptions, store_and_provider
from forecaster.market.notes import Failure, Note, update_notes
from forecaster.market.providers.base import Provider
from forecaster.market.store import Store
from forecaster.market.store.calendars import schedules_from
from forecaster.market.store.tickers import stored_tickers
from forecaster.market.symbols import checked_tickers
from forecaster.market.update import OVERLAP, TickerUpdate, UpdateResult, update_tickers


@dataclass(frozen=True)
class FetchResult:
    """What became of each ticker.

    Attributes:
        updated: what is stored now, in the order asked for.
        notes: what a user should know.
        failures: words that could not be fetched, and why; stored bars are as they were.
    """

    updated: tuple[UpdateResult, ...]
    notes: tuple[Note, ...]
    failures: tuple[Failure, ...]


def fetch(
    words: Sequence[str],
    fetching: FetchOptions = DEFAULT_FETCH_OPTIONS,
    *,
    store: Store | None = None,
    provider: Callable[[], Provider] | None = None,
    now: datetime | None = None,
    on_ticker: Callable[[str], None] | None = None,
) -> FetchResult:
    """Ask a provider for what is missing of each ticker, one after the other, and store it.

    Args:
        words: tickers as a user wrote them.
        fetching: options.
        store: open; None: the default one.
        provider: makes the provider; None: the one that ``fetching`` names.
        now: with a time zone; None: by the clock.
        on_ticker: called before each ticker.

    Raises:
        StoreError: the store cannot be used.
        SettingsError: it cannot be written, or there is no such provider.
    """
    tickers, failures = checked_tickers(words)
    moment = now or datetime.now(UTC)
    with store_and_provider(fetching, store, provider) as (opened, make):
        with opened.reading() as tx:
            stored = stored_tickers(tx, list(tickers), OVERLAP)
        updates = update_tickers(
            opened, list(tickers), stored, tickers, fetching,
            now=moment, provider=make, on_ticker=on_ticker,
        )  # fmt: skip
        notes = _notes(opened, updates, fetching.calendar, moment)
    failures += [Failure(u.problem, tickers[u.ticker]) for u in updates if u.problem is not None]
    results = tuple(update.result for update in updates if update.result is not None)
    return FetchResult(results, tuple(notes), tuple(failures))


def _notes(
    store: Store, updates: Sequence[TickerUpdate], calendar: str | None, now: datetime
) -> list[Note]:
    """What the answers changed, with the sessions that they should have had among their new bars.

    Those are of the calendar given, or of each ticker's own. One that cannot be made is said of its
    first ticker.
    """
    firsts: dict[str, np.datetime64] = {}
    first_tickers: dict[str, str] = {}
    for update in updates:
        code = calendar or (update.info.calendar if update.info else None)
        if code is not None and update.result is not None and update.result.added:
            first = update.result.extent.first
            firsts[code] = min(firsts.get(code, first), first)
            first_tickers.setdefault(code, update.ticker)
    schedules, reasons = schedules_from(store, firsts, now)
    notes: list[Note] = []
    for update in updates:
        code = calendar or (update.info and update.info.calendar) or ""
        notes += update_notes(update, schedules.get(code))
        if code in reasons and first_tickers[code] == update.ticker:
            notes.append(Note(reasons[code], update.ticker))
    return notes
