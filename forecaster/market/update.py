"""Bring stored bars of tickers up to date, asking for no more than is missing.

Where a stored price or action changed (a split, a dividend, a correction), everything before it
changed too, and the whole history is fetched again. Stored bars are not given up for an answer that
has clearly fewer or is in other money; a few that a whole answer lacks go, and a note says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import numpy as np

from forecaster.arrays import Days
from forecaster.errors import (
    DataError,
    ForecastError,
    LockHeld,
    SourceError,
    SourceUnavailable,
    UnknownTicker,
)
from forecaster.market.bars import History
from forecaster.market.exchanges import calendar_of
from forecaster.market.fetch_options import FetchOptions
from forecaster.market.providers.base import CompletedQuotes, Provider, completed
from forecaster.market.store import Store, bars
from forecaster.market.store.log import record_fetch
from forecaster.market.store.tickers import (
    Extent,
    StoredTicker,
    TickerInfo,
    extents,
    stored_tickers,
)
from forecaster.market.store_diff import (
    corrected_volumes,
    difference,
    missing_from_answer,
    unlike,
)
from forecaster.market.symbols import hint
from forecaster.wording import counted

if TYPE_CHECKING:
    from sqlalchemy import Connection

OVERLAP = 15
"""Stored bars that an update asks for again."""

_SILENT = 3
"""Tickers in a row without an answer, after which a source is taken to be down."""

Outcome = Literal["new", "updated", "reloaded", "current", "kept"]


@dataclass(frozen=True)
class UpdateResult:
    """What a provider's answer changed of one ticker.

    Attributes:
        outcome: ``new``; ``updated`` with new sessions; ``reloaded`` because stored bars had
            changed; ``current``, as there was nothing new; ``kept``, as the answer had less.
        extent: what is stored now.
        added: how many of the bars are new.
        new_sessions: those of the new bars, and the one before them; empty where there are none.
        notes: what a user should know, one sentence each.
    """

    outcome: Outcome
    extent: Extent
    added: int
    new_sessions: Days
    notes: tuple[str, ...]

    @property
    def ticker(self) -> str:
        """The symbol."""
        return self.extent.info.ticker


@dataclass(frozen=True)
class TickerUpdate:
    """What was done for one ticker.

    Attributes:
        ticker: the symbol.
        before: what was stored of it; None: nothing.
        result: what a provider's answer changed; None where none was asked for, or it failed.
        problem: why it failed; stored bars are as they were.
    """

    ticker: str
    before: StoredTicker | None
    result: UpdateResult | None = None
    problem: ForecastError | None = None

    @property
    def info(self) -> TickerInfo | None:
        """What is known of the ticker now; None where nothing is stored."""
        if self.result is not None:
            return self.result.extent.info
        return None if self.before is None else self.before.info


def update_tickers(
    store: Store,
    tickers: Sequence[str],
    stored: Mapping[str, StoredTicker],
    outdated: Collection[str],
    fetching: FetchOptions,
    *,
    now: datetime,
    provider: Callable[[], Provider],
    on_ticker: Callable[[str], None] | None = None,
) -> list[TickerUpdate]:
    """Fetch what is missing of some tickers, one after the other.

    Args:
        store: open.
        tickers: checked symbols, each once.
        stored: what is stored of them, with tails of ``OVERLAP`` bars.
        outdated: those to ask for.
        fetching: options.
        now: with a time zone.
        provider: makes the provider when the first ticker needs it.
        on_ticker: called before each ticker, outdated or not.

    Raises:
        SettingsError: the provider's name is not known.
    """
    asked: Provider | None = None
    updates = []
    silent = 0
    for ticker in tickers:
        if on_ticker:
            on_ticker(ticker)
        before = stored.get(ticker)
        result: UpdateResult | None = None
        problem: ForecastError | None = None
        if ticker in outdated and store.read_only:
            problem = store.read_only_error()
        elif ticker in outdated and silent >= _SILENT:
            problem = SourceUnavailable(
                f"{ticker} was not asked for: the source did not answer {silent} times in a row."
                " Try again later."
            )
        elif ticker in outdated:
            asked = asked or provider()
            try:
                result = update_ticker(store, asked, ticker, before, now=now, since=fetching.since)
                silent = 0
            except (SourceError, DataError, LockHeld) as error:
                silent = silent + 1 if isinstance(error, SourceUnavailable) else 0
                problem = _with_hint(ticker, error)
        updates.append(TickerUpdate(ticker, before, result, problem))
    return updates


def _with_hint(ticker: str, problem: ForecastError) -> ForecastError:
    """The failure, with what the user may have meant where a source knows no such ticker."""
    meant = hint(ticker) if isinstance(problem, UnknownTicker) else None
    return problem if meant is None else UnknownTicker(f"{problem} {meant}")


def update_ticker(
    store: Store,
    provider: Provider,
    ticker: str,
    before: StoredTicker | None,
    *,
    now: datetime,
    since: np.datetime64 | None = None,
) -> UpdateResult:
    """Fetch what is missing of one ticker and store it, all or nothing.

    Args:
        store: open.
        provider: who is asked.
        ticker: a checked symbol.
        before: what is stored of it, with a tail of ``OVERLAP`` bars; None: nothing.
        now: with a time zone.
        since: first session wanted; None: as stored, or everything for a new ticker.

    Raises:
        UnknownTicker: the source has no such ticker.
        SourceError: the source cannot be used; the store is as it was.
        DataError: no bar of the answer can be used.
        LockHeld: another writer does not finish.
        SettingsError: the store can only be read.
    """
    update = _Update(store, provider, ticker, now)
    try:
        return update.run(before, since)
    except ForecastError as failure:
        if not store.read_only:
            with store.writing() as tx:
                update.record(tx, "failed", str(failure))
        raise


@dataclass(frozen=True)
class _Update:
    """One ticker's update."""

    store: Store
    provider: Provider
    ticker: str
    now: datetime

    def run(self, before: StoredTicker | None, since: np.datetime64 | None) -> UpdateResult:
        if before is not None and before.info.source != self.provider.name:
            return self._replace(self._reaching(since), reason=None)
        if before is None or not before.info.reaches_back_to(since):
            return self._replace(since, reason=None)
        answer = self._ask(before.tail_from)
        with self.store.writing() as tx:
            reason = None
            for extent in extents(tx, self.ticker):  # another run may have been here since
                tail, paid = bars.read_tail(tx, extent.info, OVERLAP)
                reason = difference(tail, paid, answer.history, answer.dividends)
                if reason is None:
                    return self._extend(tx, extent, tail, answer)
        return self._replace(before.info.since, reason=reason)

    def _reaching(self, since: np.datetime64 | None) -> np.datetime64 | None:
        """The session to ask from, so that an answer has all that is stored."""
        if since is None:
            return None
        with self.store.reading() as tx:
            return min([since, *(extent.first for extent in extents(tx, self.ticker))])

    def _ask(self, since: np.datetime64 | None) -> CompletedQuotes:
        return completed(self.provider.fetch(self.ticker, since), self.ticker, self.now)

    def _extend(
        self, tx: Connection, extent: Extent, tail: History, answer: CompletedQuotes
    ) -> UpdateResult:
        """Add the sessions after the last one stored."""
        fresh, cutoff = answer.history, tail.cutoff
        start = int(np.searchsorted(fresh.sessions, cutoff, side="right"))
        added = len(fresh) - start
        newer = fresh.slice(start, len(fresh)) if added else None
        info = self._info(answer, extent.info.since, extent.info)
        bars.extend(
            tx,
            newer,
            [a for a in fresh.splits if a.session > cutoff],
            [a for a in answer.dividends if a.session > cutoff],
            info,
        )
        corrected = corrected_volumes(tail, fresh)
        if corrected is not None:
            bars.set_volumes(tx, corrected)
        last = cutoff if newer is None else newer.cutoff
        stored = Extent(info, extent.first, last, extent.bars + added)
        new_sessions = fresh.sessions[start:]
        if added:
            new_sessions = np.concatenate([[cutoff], new_sessions])
        outcome: Outcome = "updated" if added else "current"
        return self._result(tx, outcome, stored, added, new_sessions, answer.notes)

    def _replace(self, since: np.datetime64 | None, *, reason: str | None) -> UpdateResult:
        """Ask for everything and store it, unless what is stored has more."""
        answer = self._ask(since)
        fresh, notes = answer.history, answer.notes
        with self.store.writing() as tx:
            old = bars.sessions(tx, self.ticker)
            before = stored_tickers(tx, [self.ticker])[self.ticker].info if len(old) else None
            worse = None if before is None else self._worse(tx, before, fresh)
            if worse is not None:
                note = (
                    f"what {self.provider.name} gives {worse}; the stored bars were kept. To take"
                    f" it anyway, run forecast data prune {self.ticker} and fetch again; if they"
                    f" have another name now, run forecast data rename {self.ticker} NAME."
                )
                (stored,) = extents(tx, self.ticker)
                return self._result(tx, "kept", stored, 0, old[:0], (*notes, note))
            info = self._info(answer, since, before)
            bars.replace(tx, fresh, answer.dividends, info)
            if len(old) and reason is not None:
                notes = (*notes, f"all bars were fetched again, because {reason}")
            gone = np.setdiff1d(old, fresh.sessions)
            if len(gone):
                has = f"has no bar of {counted(len(gone), 'stored session')}"
                notes = (*notes, f"the answer {has}, the first {gone[0]}, which are gone here too")
            added = int(np.sum(fresh.sessions > old[-1])) if len(old) else len(fresh)
            new_sessions = fresh.sessions[max(len(fresh) - added - 1, 0) if added else len(fresh) :]
            stored = Extent(info, fresh.first, fresh.cutoff, len(fresh))
            outcome: Outcome = "reloaded" if len(old) else "new"
            return self._result(tx, outcome, stored, added, new_sessions, notes)

    def _worse(self, tx: Connection, before: TickerInfo, fresh: History) -> str | None:
        """Why an answer may not take the place of the stored bars; None where it may.

        It may be in other money, or of another company that has the ticker now.
        """
        missing = missing_from_answer(bars.sessions(tx, self.ticker), fresh.sessions)
        if missing is not None:
            return missing
        if before.source == self.provider.name:  # what it does not say is as it was
            fresh = fresh.having(currency=fresh.currency or before.currency)
        stored = bars.read(tx, self.ticker)
        return None if stored is None else unlike(stored, fresh)

    def _info(
        self, answer: CompletedQuotes, since: np.datetime64 | None, before: TickerInfo | None
    ) -> TickerInfo:
        """What is known of the ticker after an answer; what that does not say was known before."""
        quotes = answer.quotes
        if before is not None and before.source == self.provider.name:
            facts = ("currency", "exchange", "timezone")
            known = {name: getattr(quotes, name) or getattr(before, name) for name in facts}
            quotes = replace(quotes, **known)
        return TickerInfo(
            ticker=self.ticker,
            source=self.provider.name,
            currency=quotes.currency,
            exchange=quotes.exchange,
            calendar=calendar_of(self.ticker, quotes.exchange),
            timezone=quotes.timezone,
            adjusted=answer.history.adjusted,
            since=since,
            answered=self.now,
        )

    def _result(
        self,
        tx: Connection,
        outcome: Outcome,
        stored: Extent,
        added: int,
        new_sessions: Days,
        notes: tuple[str, ...],
    ) -> UpdateResult:
        bars = (
            f"{counted(added, 'bar')} added, {stored.bars} from {stored.first} to {stored.cutoff}."
        )
        self.record(tx, outcome, " ".join((bars, *notes)))
        return UpdateResult(outcome, stored, added, new_sessions, notes)

    def record(self, tx: Connection, outcome: str, detail: str) -> None:
        """Note what was asked for and what became of it."""
        record_fetch(
            tx, ticker=self.ticker, source=self.provider.name, at=self.now, outcome=outcome,
            detail=detail,
        )  # fmt: skip
