"""Bring a ticker's stored bars up to date, asking for no more than is missing.

An update asks for the sessions after the last one stored and for some before it. Where those few
are as they were stored, the new ones are added. Where a price, an adjusted close or an action
among them changed (a split, a dividend, a correction), everything before them changed too, and the
whole history is fetched again. Stored bars are never given up for an answer that has fewer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import numpy as np

from forecaster.errors import ForecastError
from forecaster.market.bars import Action, History
from forecaster.market.exchanges import calendar_of
from forecaster.market.providers.base import CompletedQuotes, Provider, Quotes, completed
from forecaster.market.store import Store, fetches
from forecaster.market.store import bars as histories
from forecaster.market.store.bars import TickerInfo
from forecaster.market.store.fetches import Fetch
from forecaster.market.store_diff import corrected_volumes, difference, loss

if TYPE_CHECKING:
    from sqlalchemy import Connection

OVERLAP = 15
"""Stored bars that an update asks for again."""

Outcome = Literal["new", "updated", "reloaded", "current", "kept"]


@dataclass(frozen=True)
class UpdateResult:
    """What became of one ticker.

    Attributes:
        ticker: the symbol.
        outcome: ``new``; ``updated`` with new sessions; ``reloaded`` because stored bars had
            changed; ``current``, as there was nothing new; ``kept``, as the answer had less.
        first: first stored session.
        cutoff: last stored session.
        bars: how many are stored.
        added: how many of them are new.
        notes: what a user should know, one sentence each.
    """

    ticker: str
    outcome: Outcome
    first: np.datetime64
    cutoff: np.datetime64
    bars: int
    added: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Answer:
    """What a source said of a ticker, tidied."""

    quotes: Quotes
    made: CompletedQuotes
    since: np.datetime64 | None

    @property
    def history(self) -> History:
        return self.made.history


@dataclass(frozen=True)
class _Stored:
    """The end of what is stored of a ticker."""

    known: TickerInfo
    tail: History
    dividends: tuple[Action, ...]

    @classmethod
    def of(cls, connection: Connection, ticker: str) -> _Stored | None:
        known = histories.known(connection, ticker)
        tail = histories.read(connection, ticker, last=OVERLAP)
        if known is None or tail is None:
            return None
        return cls(known, tail, histories.dividends(connection, ticker))


def refresh(
    store: Store,
    provider: Provider,
    ticker: str,
    *,
    now: datetime,
    since: np.datetime64 | None = None,
    calendar: str | None = None,
) -> UpdateResult:
    """Fetch what is missing of one ticker and store it, all or nothing.

    Args:
        store: open.
        provider: who is asked.
        ticker: a checked symbol.
        now: with a time zone.
        since: first session wanted; None: as stored, or everything for a new ticker.
        calendar: code of its calendar; None: that of the exchange which the source names.

    Raises:
        UnknownTicker: the source has no such ticker.
        SourceError: the source cannot be used; the store is as it was.
        DataError: no bar of the answer can be used.
        LockHeld: another writer does not finish.
        SettingsError: the store can only be read.
    """
    try:
        made = _refresh(store, provider, ticker, now, since, calendar)
    except ForecastError as failure:
        if not store.frozen:
            with store.writing() as tx:
                fetches.record(tx, Fetch(ticker, provider.name, now, "failed", str(failure)))
        raise
    return made


def _refresh(
    store: Store,
    provider: Provider,
    ticker: str,
    now: datetime,
    since: np.datetime64 | None,
    calendar: str | None,
) -> UpdateResult:
    with store.reading() as tx:
        before = _Stored.of(tx, ticker)
    if before is None or before.known.source != provider.name or _reaches_back(since, before):
        answer = _ask(provider, ticker, since, now)
        return _replace(store, provider, answer, now, calendar, reason=None)
    answer = _ask(provider, ticker, before.tail.first, now)
    with store.writing() as tx:
        stored = _Stored.of(tx, ticker)  # another run may have been here since
        reason = None if stored is None else _difference(stored, answer.made)
        if stored is not None and reason is None:
            return _extend(tx, provider, stored, answer, now, calendar)
    answer = _ask(provider, ticker, before.known.since, now)
    return _replace(store, provider, answer, now, calendar, reason=reason)


def _reaches_back(since: np.datetime64 | None, stored: _Stored) -> bool:
    """Whether older sessions are wanted than were asked for before."""
    asked = stored.known.since
    return since is not None and asked is not None and bool(since < asked)


def _ask(provider: Provider, ticker: str, since: np.datetime64 | None, now: datetime) -> _Answer:
    quotes = provider.fetch(ticker, since)
    return _Answer(quotes, completed(quotes, ticker, now), since)


def _difference(stored: _Stored, made: CompletedQuotes) -> str | None:
    return difference(stored.tail, stored.dividends, made.history, made.dividends)


def _extend(
    tx: Connection,
    provider: Provider,
    stored: _Stored,
    answer: _Answer,
    now: datetime,
    calendar: str | None,
) -> UpdateResult:
    """Add the sessions after the last one stored."""
    fresh, cutoff, ticker = answer.history, stored.tail.cutoff, stored.known.ticker
    start = int(np.searchsorted(fresh.sessions, cutoff, side="right"))
    newer = fresh.slice(start, len(fresh)) if start < len(fresh) else None
    facts = _facts(provider, answer, stored.known.since, now, calendar)
    histories.extend(
        tx,
        newer,
        [a for a in fresh.splits if a.session > cutoff],
        [a for a in answer.made.dividends if a.session > cutoff],
        facts,
    )
    corrected = corrected_volumes(stored.tail, fresh)
    if corrected is not None:
        histories.set_volumes(tx, corrected)
    added = len(fresh) - start
    outcome: Outcome = "updated" if added else "current"
    return _recorded(tx, provider, ticker, now, outcome, added, answer.made.notes)


def _replace(
    store: Store,
    provider: Provider,
    answer: _Answer,
    now: datetime,
    calendar: str | None,
    *,
    reason: str | None,
) -> UpdateResult:
    """Store a whole answer, unless what is stored has more."""
    fresh, ticker = answer.history, answer.history.ticker
    facts = _facts(provider, answer, answer.since, now, calendar)
    with store.writing() as tx:
        old = histories.read(tx, ticker)
        lost = None if old is None else loss(old.sessions, fresh.sessions, answer.since)
        if lost is not None:
            note = (
                f"{provider.name} {lost}; the stored bars were kept. To take its answer anyway, run"
                f" forecast data prune {ticker} and fetch again."
            )
            return _recorded(tx, provider, ticker, now, "kept", 0, (*answer.made.notes, note))
        histories.replace(tx, fresh, answer.made.dividends, facts)
        notes = answer.made.notes
        if old is not None and reason is not None:
            notes = (*notes, f"all bars were fetched again, because {reason}")
        added = len(fresh) if old is None else int(np.sum(fresh.sessions > old.cutoff))
        outcome: Outcome = "new" if old is None else "reloaded"
        return _recorded(tx, provider, ticker, now, outcome, added, notes)


def _facts(
    provider: Provider,
    answer: _Answer,
    since: np.datetime64 | None,
    now: datetime,
    calendar: str | None,
) -> TickerInfo:
    """What is known of a ticker after an answer."""
    quotes, history = answer.quotes, answer.history
    return TickerInfo(
        ticker=history.ticker,
        source=provider.name,
        currency=quotes.currency,
        exchange=quotes.exchange,
        calendar=calendar or calendar_of(history.ticker, quotes.exchange),
        timezone=quotes.timezone,
        adjusted=history.adjusted,
        since=since,
        answered=now,
    )


def _recorded(
    tx: Connection,
    provider: Provider,
    ticker: str,
    now: datetime,
    outcome: Outcome,
    added: int,
    notes: tuple[str, ...],
) -> UpdateResult:
    """What is stored now; the fetch itself goes into the record."""
    (extent,) = histories.extents(tx, ticker)
    detail = " ".join(
        (f"{added} bars added, {extent.bars} from {extent.first} to {extent.cutoff}.", *notes)
    )
    fetches.record(tx, Fetch(ticker, provider.name, now, outcome, detail))
    return UpdateResult(ticker, outcome, extent.first, extent.cutoff, extent.bars, added, notes)
