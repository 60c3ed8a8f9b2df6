"""Data: list, verify, export, import and prune what the price store holds."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from forecaster.arrays import Days
from forecaster.errors import DataError, SettingsError, UnknownTicker, parameter
from forecaster.market.bars import BAR_FIELDS, Action, History
from forecaster.market.calendars import Schedule, missing_sessions, stray_sessions
from forecaster.market.exchanges import calendar_of
from forecaster.market.notes import Failure
from forecaster.market.store import Store, bars, calendars
from forecaster.market.store.engine import integrity_problems
from forecaster.market.store.tickers import (
    IMPORT,
    Extent,
    TickerInfo,
    extents,
    imported_names,
    stored_names,
    stored_tickers,
)
from forecaster.market.store_diff import missing_from_answer, unlike
from forecaster.market.symbols import checked_ticker
from forecaster.wording import listed, plural


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
        return extents(tx)


def verify(store: Store) -> Verification:
    """Read everything and check it: the database, each history, and its sessions.

    Raises:
        StoreError: the database cannot be read.
    """
    findings: dict[str, list[Finding]] = {}
    count = 0
    with store.reading() as tx:
        problems = [Finding(None, True, text) for text in integrity_problems(tx)]
        names = stored_names(tx)
        infos = [stored.info for stored in stored_tickers(tx, names).values()]
        known = calendars.read(tx, [info.calendar for info in infos if info.calendar is not None])
        for ticker, history in bars.read_all(tx, infos):
            if isinstance(history, DataError):
                findings[ticker] = [Finding(ticker, True, str(history))]
                continue
            count += len(history)
            calendar = known.get(history.calendar or "")
            findings[ticker] = _findings(history, calendar.schedule if calendar else None)
    for name in names:
        empty = Finding(name, True, "it has no bars; fetch it again")
        problems += findings.get(name, [empty])
    return Verification(len(names), count, tuple(problems))


def _findings(history: History, schedule: Schedule | None) -> list[Finding]:
    """Sessions that the calendar of a history has and it lacks, or the other way round."""
    ticker, findings = history.ticker, list[Finding]()
    if schedule is not None and len(schedule):
        missing = missing_sessions(history.sessions, schedule)
        strays = stray_sessions(history, schedule)
        findings += _counted(ticker, missing, f"of {schedule.code} without a bar")
        findings += _counted(ticker, strays, f"that {schedule.code} does not have")
    return findings


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
    return _exported(store, _named(store, wanted))


def _exported(store: Store, names: Sequence[str]) -> Iterator[TickerExport]:
    for name in names:
        with store.reading() as tx:
            history = bars.read(tx, name)
            paid = bars.dividends(tx, name)
        if history is not None:  # another run may have pruned it
            yield TickerExport(history, paid)


def storable(brought: Sequence[History]) -> tuple[list[History], list[Failure]]:
    """Histories of files under names by which they can be asked for, and what has no such name.

    Args:
        brought: the histories; ``msft`` becomes ``MSFT``, as it does where a command is asked.
    """
    found: dict[str, History] = {}
    failures = []
    for history in brought:
        name, known = history.ticker, ""
        with contextlib.suppress(UnknownTicker):
            known = checked_ticker(name)
        if not known or known in found:
            what = f"is {known}, as another is" if known else "is no ticker that can be asked for"
            problem = DataError(
                f"{name}: nothing was stored, for this name {what}; one has 1 to 24 letters A to Z,"
                " digits and . - = ^ &. Rename the file, or the ticker in it; or import the file"
                f" alone with {parameter('ticker')} NAME."
            )
            failures.append(Failure(problem, name))
        else:
            found[known] = dataclasses.replace(history, ticker=known)
    return list(found.values()), failures


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
    now = now or datetime.now(UTC)
    done = []
    for history in brought:
        info = TickerInfo(
            ticker=history.ticker,
            source=IMPORT,
            currency=history.currency,
            exchange=None,
            calendar=calendar or calendar_of(history.ticker, None),
            timezone=None,
            adjusted=history.adjusted,
            since=None,
            answered=now,
        )
        with store.writing() as tx:
            old = None if replace else bars.read(tx, history.ticker)
            if old is not None and history.currency is None:
                info = dataclasses.replace(info, currency=old.currency)
            lost = None if old is None else _lost(old, bars.dividends(tx, old.ticker), history)
            if lost is None:
                bars.replace(tx, history, (), info)
        done.append(ImportResult(history.ticker, len(history), lost))
    return done


def _lost(old: History, paid: Sequence[Action], new: History) -> str | None:
    """What the store would lose if the bars of a file took the place of stored ones."""
    actions = len(paid) + len(old.splits)
    if actions:
        return f"has no dividends and splits, and the store has them ({actions})"
    fields = [field for field in BAR_FIELDS if _has(old, field) and not _has(new, field)]
    if fields:
        names = listed([field.replace("_", " ") for field in fields])
        return f"has no {names}, and the store has them"
    return missing_from_answer(old.sessions, new.sessions) or unlike(old, new)


def _has(history: History, field: str) -> bool:
    """Whether a history knows a field of its bars."""
    if field == "adjusted_close":
        return history.adjusted
    return bool(np.any(np.isfinite(getattr(history, field))))


def imported(store: Store, wanted: Sequence[str]) -> list[str]:
    """Those of some stored tickers whose bars a user brought: no source need have them.

    Raises:
        DataError: one of those named is not stored.
    """
    if not wanted:
        return []
    names = _named(store, wanted)
    with store.reading() as tx:
        brought = imported_names(tx)
    return [name for name in names if name in brought]


def check_choice(
    wanted: Sequence[str], *, idle_days: int | None = None, everything: bool = False
) -> None:
    """Raise a SettingsError unless one of the ways to say what is deleted was chosen."""
    idle = [] if idle_days is None else [parameter("idle_days")]
    ways = [*([parameter("everything")] if everything else []), *idle, *wanted[:1]]
    if not ways:
        raise SettingsError(
            "nothing was named; prune deletes what it is told to. Give tickers,"
            f" {parameter('idle_days')} DAYS, or {parameter('everything')}."
        )
    if len(ways) > 1:  # of an age and a ticker the latter went, however lately it was fetched
        raise SettingsError(
            f"both {ways[0]} and {ways[1]} were given; one of them is needed. Leave the other out."
        )


def prune(
    store: Store,
    wanted: Sequence[str],
    *,
    idle_days: int | None = None,
    everything: bool = False,
    now: datetime | None = None,
) -> list[str]:
    """Delete stored tickers: either those named, those not fetched for some days, or all.

    Returns:
        The tickers deleted.

    Raises:
        DataError: one of those named is not stored.
        SettingsError: none of the three was chosen, or several were.
    """
    check_choice(wanted, idle_days=idle_days, everything=everything)
    names = list(_named(store, wanted)) if wanted or everything else []
    if idle_days is not None:
        limit = (now or datetime.now(UTC)) - timedelta(days=idle_days)
        fetched = (e.info for e in listing(store) if not e.info.imported)  # comes back if wanted
        names += [info.ticker for info in fetched if info.answered < limit]
    names = list(dict.fromkeys(names))
    with store.writing() as tx:
        for name in names:
            bars.forget(tx, name)
    store.vacuum()
    return names


def _named(store: Store, wanted: Sequence[str]) -> Sequence[str]:
    """The stored tickers that are meant; all where none is named."""
    with store.reading() as tx:
        stored = stored_names(tx)
    if not stored:
        raise DataError(
            f"{store.name} holds no bars yet; at least one ticker is needed. Fetch some, as in"
            " forecast fetch AAPL."
        )
    names = list(dict.fromkeys(word if word in stored else word.upper() for word in wanted))
    for name in names:
        if name not in stored:
            near = difflib.get_close_matches(name, stored, 3)
            hint = f" Did you mean {', '.join(near)}?" if near else " See forecast data list."
            raise DataError(f"{name} is not stored; a stored ticker is needed.{hint}")
    return names or stored


def _counted(ticker: str, days: Days, what: str) -> list[Finding]:
    """A finding on some sessions, if there are any."""
    if not len(days):
        return []
    count = f"{len(days)} {plural('session', len(days))}"
    return [Finding(ticker, False, f"{count} {what}, first {days[0]}")]
