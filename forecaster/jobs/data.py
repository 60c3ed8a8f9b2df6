"""Data: list, verify, export, import and prune what the price store holds."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from forecaster.arrays import Days
from forecaster.errors import DataError, SettingsError, parameter
from forecaster.market.bars import Action, History
from forecaster.market.calendars import missing_sessions, stray_sessions
from forecaster.market.exchanges import calendar_of
from forecaster.market.store import Store, integrity
from forecaster.market.store import bars as histories
from forecaster.market.store import calendars as schedules
from forecaster.market.store.bars import Extent, TickerInfo
from forecaster.market.store_diff import loss
from forecaster.market.update_many import IMPORTED


@dataclass(frozen=True)
class Finding:
    """Something about stored bars that a user should know.

    Attributes:
        ticker: the symbol; None where it concerns the whole store.
        damaged: whether bars are wrong or unreadable, not only incomplete.
        message: one sentence.
    """

    ticker: str | None
    damaged: bool
    message: str


@dataclass(frozen=True)
class Verification:
    """How many histories and bars were read, and what was found."""

    tickers: int
    bars: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class ImportResult:
    """What became of one history of a file.

    Attributes:
        ticker: the symbol.
        bars: how many it has.
        refused: why it was not stored; None where it was.
    """

    ticker: str
    bars: int
    refused: str | None


def listing(store: Store) -> list[Extent]:
    """What is stored, ticker by ticker in alphabetical order."""
    with store.reading() as tx:
        return histories.extents(tx)


def verify(store: Store) -> Verification:
    """Read everything and check it: the database, each history, and its sessions.

    Raises:
        StoreError: the database cannot be read.
    """
    findings = []
    bars = 0
    with store.reading() as tx:
        findings += [Finding(None, True, text) for text in integrity.problems(tx)]
        names = histories.tickers(tx)
        for ticker in names:
            try:
                history = histories.read(tx, ticker)
            except DataError as problem:
                findings.append(Finding(ticker, True, str(problem)))
                continue
            if history is None:
                findings.append(Finding(ticker, True, "it has no bars; fetch it again"))
                continue
            bars += len(history)
            known = None if history.calendar is None else schedules.read(tx, history.calendar)
            findings += [Finding(ticker, True, text) for text in _contradictions(history)]
            if known is not None and len(known.sessions):
                missing = missing_sessions(history, known)
                strays = stray_sessions(history, known)
                findings += _counted(ticker, missing, f"of {known.code} without a bar")
                findings += _counted(ticker, strays, f"that {known.code} does not have")
    return Verification(len(names), bars, tuple(findings))


@dataclass(frozen=True)
class TickerExport:
    """One stored ticker with its actions."""

    history: History
    dividends: tuple[Action, ...]


def export(store: Store, wanted: Sequence[str] = ()) -> Iterator[TickerExport]:
    """Stored tickers one by one, those named or all.

    Raises:
        DataError: one of them is not stored, or nothing is.
    """
    names = _named(store, wanted)
    return _exported(store, names)


def _exported(store: Store, names: Sequence[str]) -> Iterator[TickerExport]:
    for name in names:
        with store.reading() as tx:
            history = histories.read(tx, name)
            paid = histories.dividends(tx, name)
        if history is not None:  # another run may have pruned it
            yield TickerExport(history, paid)


def bring_in(
    store: Store,
    brought: Sequence[History],
    *,
    calendar: str | None = None,
    replace: bool = False,
    now: datetime | None = None,
) -> list[ImportResult]:
    """Store histories that were read from files.

    Args:
        store: open.
        brought: the histories.
        calendar: code of their calendar; None: by the ticker's suffix or kind, where it has one.
        replace: even where stored bars would be lost.
        now: with a time zone; None: by the clock.
    """
    moment = now or datetime.now(UTC)
    done = []
    for history in brought:
        code = calendar or calendar_of(history.ticker, None)
        with store.writing() as tx:
            old = histories.sessions(tx, history.ticker)
            lost = loss(old, history.sessions, None) if len(old) and not replace else None
            if lost is None:
                histories.replace(tx, history, (), _facts(history, code, moment))
        done.append(ImportResult(history.ticker, len(history), lost))
    return done


def _facts(history: History, code: str | None, now: datetime) -> TickerInfo:
    return TickerInfo(
        ticker=history.ticker,
        source=IMPORTED,
        currency=history.currency,
        exchange=None,
        calendar=code,
        timezone=None,
        adjusted=history.adjusted,
        since=None,
        answered=now,
    )


def prune(
    store: Store,
    wanted: Sequence[str],
    *,
    idle_days: int | None = None,
    everything: bool = False,
    now: datetime | None = None,
) -> list[str]:
    """Delete stored tickers: those named, those not fetched for some days, or all.

    Returns:
        The tickers deleted.

    Raises:
        DataError: one of those named is not stored.
        SettingsError: nothing was named.
    """
    if not wanted and idle_days is None and not everything:
        raise SettingsError(
            "nothing was named; prune deletes what it is told to. Give tickers,"
            f" {parameter('idle_days')} DAYS, or {parameter('everything')}."
        )
    if wanted and everything:
        raise SettingsError(
            f"both {parameter('everything')} and {wanted[0]} were given; one of them is needed."
            " Leave the other out."
        )
    names = list(_named(store, wanted)) if wanted or everything else []
    if idle_days is not None:
        limit = (now or datetime.now(UTC)) - timedelta(days=idle_days)
        names += [e.known.ticker for e in listing(store) if e.known.answered < limit]
    names = list(dict.fromkeys(names))
    with store.writing() as tx:
        for name in names:
            histories.forget(tx, name)
    store.vacuum()
    return names


def _named(store: Store, wanted: Sequence[str]) -> Sequence[str]:
    """The stored tickers that are meant; all where none is named."""
    with store.reading() as tx:
        stored = histories.tickers(tx)
    if not stored:
        raise DataError(
            f"{store.name} holds no bars yet; at least one ticker is needed. Fetch some, as in"
            " forecast fetch AAPL."
        )
    names = [word if word in stored else word.upper() for word in wanted]
    for name in names:
        if name not in stored:
            near = difflib.get_close_matches(name, stored, 3)
            hint = f" Did you mean {', '.join(near)}?" if near else " See forecast data list."
            raise DataError(f"{name} is not stored; a stored ticker is needed.{hint}")
    return names or stored


def _contradictions(history: History) -> list[str]:
    """Bars that cannot be."""
    high, low = history.high, history.low
    found = []
    upside_down = high < low
    if upside_down.any():
        first = history.sessions[int(np.argmax(upside_down))]
        count = int(upside_down.sum())
        what = "bar has its" if count == 1 else "bars have their"
        found.append(f"{count} {what} high below the low, first {first}")
    return found


def _counted(ticker: str, days: Days, what: str) -> list[Finding]:
    """A finding on some sessions, if there are any."""
    if not len(days):
        return []
    count = f"{len(days)} session" + ("s" if len(days) != 1 else "")
    return [Finding(ticker, False, f"{count} {what}, first {days[0]}")]
