"""Sources become one panel: price files, folders, standard input, and tickers.

A source that is down, a ticker that it no longer knows and a read-only store leave stored bars
usable. What reads tickers (SQL, and the network behind it) is loaded only where a source is one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

import numpy as np

from forecaster.errors import DataError, SourceError, UnknownTicker, parameter
from forecaster.market.age import age_note, age_of
from forecaster.market.bars import History, Panel
from forecaster.market.calendars import Calendars, closes_of
from forecaster.market.fetch_options import (
    ALL_BARS,
    DEFAULT_FETCH_OPTIONS,
    FetchOptions,
    StoredBars,
    is_current,
    store_and_provider,
)
from forecaster.market.files.file_names import is_file_source
from forecaster.market.files.header import Table
from forecaster.market.files.joining import given_twice
from forecaster.market.files.read import (
    DEFAULT_READ_OPTIONS,
    LoadResult,
    Reader,
    ReadOptions,
    read_files,
)
from forecaster.market.notes import (
    Failure,
    Note,
    clock_note,
    named_calendar_notes,
    update_notes,
)
from forecaster.market.placeholders import NEIGHBOURS, with_known_ranges
from forecaster.market.symbols import checked_tickers
from forecaster.market.watchlist import tickers_in

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from forecaster.market.memory import Shelf
    from forecaster.market.providers.base import Provider
    from forecaster.market.store import Store
    from forecaster.market.store.calendars import StoredCalendar
    from forecaster.market.update import TickerUpdate

_Found: TypeAlias = "tuple[History, list[str]] | DataError"
"""A history and a sentence on what was taken as unknown in it, or what is wrong with its bars."""


def read_sources(
    sources: Sequence[str | Table],
    options: ReadOptions = DEFAULT_READ_OPTIONS,
    fetching: FetchOptions = DEFAULT_FETCH_OPTIONS,
    *,
    stdin: BinaryIO | None = None,
    reader: Reader | None = None,
    on_ticker: Callable[[str], None] | None = None,
) -> LoadResult:
    """Read files and fetch tickers into one panel.

    Args:
        sources: paths of price files and of watchlists, ``-``, tables in memory, and tickers: words
            that are no path and name no file.
        options: how files are read.
        fetching: how tickers are fetched; its calendar holds for files too.
        stdin: where ``-`` reads; the process's standard input if None.
        reader: of many files; None: this process reads them, one by one.
        on_ticker: called before each ticker is fetched.

    Returns:
        Histories of files, then of tickers, each in the order given; notes; failures, which raise
        nothing here; the calendars of the histories.

    Raises:
        SettingsError: an option cannot work.
        StoreError: the price store cannot be used.
    """
    files: list[str | Table] = []
    words: list[str] = []
    listed: list[str] = []
    refused: list[Failure] = []
    for source in sources:
        if not isinstance(source, Table) and source.strip() and not is_file_source(source):
            words.append(source)
            continue
        try:
            tickers = None if isinstance(source, Table) else tickers_in(source, stdin)
        except DataError as problem:
            refused.append(Failure(problem, source=str(source)))
            continue
        if tickers is None:
            files.append(source)
        else:
            listed += tickers
    loaded = read_sorted(
        files, [*words, *listed], options, fetching,
        stdin=stdin, reader=reader, on_ticker=on_ticker,
    )  # fmt: skip
    failures = (_perhaps_a_file(failure, words) for failure in loaded.failures)
    return replace(loaded, failures=(*failures, *refused))


def read_sorted(
    files: Sequence[str | Table],
    tickers: Sequence[str],
    options: ReadOptions = DEFAULT_READ_OPTIONS,
    fetching: FetchOptions = DEFAULT_FETCH_OPTIONS,
    *,
    stdin: BinaryIO | None = None,
    reader: Reader | None = None,
    store: Store | None = None,
    provider: Callable[[], Provider] | None = None,
    now: datetime | None = None,
    stored: StoredBars = ALL_BARS,
    on_ticker: Callable[[str], None] | None = None,
) -> LoadResult:
    """Read sources of which it is known whether they are files or tickers.

    Args:
        files: paths, ``-``, or tables in memory.
        tickers: as a user wrote them.
        options: how files are read.
        fetching: how tickers are fetched; its calendar holds for files too.
        stdin: where ``-`` reads; the process's standard input if None.
        reader: of many files; None: this process reads them, one by one.
        store: open; None: the default one.
        provider: makes the provider if one is needed; None: the one that ``fetching`` names.
        now: with a time zone; None: by the clock.
        stored: what is read of stored tickers, how, and where it goes.
        on_ticker: called before each ticker is fetched.

    Returns:
        What :func:`read_sources` returns.
    """
    loaded = read_files(files, options, stdin=stdin, reader=reader)
    named = fetching.calendar is not None and len(loaded.panel) > 0
    if not tickers and not named:
        return loaded
    moment = now or datetime.now(UTC)
    with store_and_provider(fetching, store, provider) as (opened, make):
        if named:
            loaded = on_calendar(loaded, str(fetching.calendar), opened, moment)
        if not tickers:
            return loaded
        fetched = _fetched(tickers, fetching, opened, make, moment, stored, on_ticker)
    return _joined(loaded, fetched)


def _fetched(
    words: Sequence[str],
    fetching: FetchOptions,
    store: Store,
    provider: Callable[[], Provider],
    now: datetime,
    wanted: StoredBars,
    on_ticker: Callable[[str], None] | None,
) -> LoadResult:
    """Histories of tickers, as fresh as they can be had."""
    tickers, failures = checked_tickers(words)
    updates, histories, stored = _updated(
        store, list(tickers), fetching, now, provider, wanted, on_ticker
    )
    usable = [found[0] for found in histories.values() if not isinstance(found, DataError)]
    calendars, notes = _calendars(store, usable, now, stored)
    panel, stale, ages = [], [], {}
    notes = [*clock_note(updates, now), *notes]
    for update in updates:
        found = histories.get(update.ticker)
        if found is None or isinstance(found, DataError):
            error = found or update.problem or _nothing_stored(update.ticker)
            failures.append(Failure(error, tickers[update.ticker]))
            continue
        history, filled = found
        panel.append(_with_closes(history, calendars, wanted.shelf))
        notes += [Note(f"{note}.", update.ticker) for note in filled]
        schedule = calendars.of(history)
        notes += update_notes(update, schedule, history.first)
        info = update.info
        age = age_of(history, schedule, now, None if info is None else info.source)
        ages[update.ticker] = age
        remark = age_note(update, age, fetching)
        notes += [] if remark is None else [remark]
        stale += [update.ticker] if update.problem is not None or age.overdue else []
    return LoadResult(
        Panel(tuple(panel)), tuple(notes), tuple(failures), calendars, tuple(stale), ages=ages
    )


def _updated(
    store: Store,
    tickers: Sequence[str],
    fetching: FetchOptions,
    now: datetime,
    provider: Callable[[], Provider],
    wanted: StoredBars,
    on_ticker: Callable[[str], None] | None,
) -> tuple[list[TickerUpdate], dict[str, _Found], dict[str, StoredCalendar]]:
    """Fetch what is missing; then what is stored of each ticker, all of one moment.

    Where nothing is asked for, all of it is read in one transaction.
    """
    from forecaster.market.store.calendars import read as read_calendars
    from forecaster.market.store.tickers import stored_tickers
    from forecaster.market.update import OVERLAP, update_tickers

    with contextlib.ExitStack() as reading:
        tx = reading.enter_context(store.reading())
        stored = stored_tickers(tx, tickers, OVERLAP)
        codes = [fetching.calendar, *(one.info.calendar for one in stored.values())]
        calendars = read_calendars(tx, [code for code in codes if code is not None])
        current = {t for t in tickers if is_current(stored.get(t), calendars, fetching, now)}
        outdated = set() if fetching.offline else {*tickers} - current
        if outdated:
            reading.close()  # answers may take minutes
        updates = update_tickers(
            store, tickers, stored, outdated, fetching,
            now=now, provider=provider, on_ticker=on_ticker,
        )  # fmt: skip
        if outdated:
            tx = reading.enter_context(store.reading())
        histories = _histories(tx, updates, fetching, wanted)
    return updates, histories, calendars


def _histories(
    tx: Connection,
    updates: Sequence[TickerUpdate],
    fetching: FetchOptions,
    wanted: StoredBars,
) -> dict[str, _Found]:
    """The bars that are wanted of each ticker, or what is wrong with those that are stored."""
    from forecaster.market.store.bars import read_all
    from forecaster.market.store.tickers import stored_tickers

    infos = {update.ticker: update.info for update in updates if update.info is not None}
    failed = [update.ticker for update in updates if update.problem is not None]
    for ticker, stored in stored_tickers(tx, failed).items():
        infos[ticker] = stored.info  # another run may have had an answer
    histories: dict[str, _Found] = {}
    last, read = wanted.last, wanted.reader or read_all
    for ticker, history in read(tx, list(infos.values()), last and last + NEIGHBOURS):
        if isinstance(history, DataError):
            histories[ticker] = history
            continue
        since = history.first if fetching.since is None else fetching.since
        start = int(np.searchsorted(history.sessions, since))
        if start < len(history):
            bars, filled = with_known_ranges(history.slice(start, len(history)))
            bars = bars.slice(max(0, len(bars) - (last or len(bars))), len(bars))
            if fetching.calendar is not None:
                bars = replace(bars, calendar=fetching.calendar)
            histories[ticker] = (wanted.shelf.put(bars) if wanted.shelf else bars), filled
        elif ticker not in failed:
            histories[ticker] = DataError(
                f"{ticker} is stored to {history.cutoff}, and bars from {since} on are"
                f" wanted. Ask for {parameter('since')} {history.cutoff} or earlier."
            )
    return histories


def _calendars(
    store: Store,
    histories: Iterable[History],
    now: datetime,
    stored: Mapping[str, StoredCalendar] | None = None,
) -> tuple[Calendars, list[Note]]:
    """The schedules of the histories' calendars, made and stored where they are not yet."""
    from forecaster.market.store.calendars import schedules_from

    firsts: dict[str, np.datetime64] = {}
    for history in histories:
        if history.calendar is not None:
            first = firsts.get(history.calendar, history.first)
            firsts[history.calendar] = min(first, history.first)
    schedules, reasons = schedules_from(store, firsts, now, stored)
    return Calendars(schedules), [Note(why, source=code) for code, why in reasons.items()]


def _nothing_stored(ticker: str) -> SourceError:
    return SourceError(
        f"nothing is stored of {ticker}, and {parameter('offline')} asks no source; a forecast"
        f" needs at least 2 bars. Run it without {parameter('offline')}, or give a file."
    )


def _joined(loaded: LoadResult, fetched: LoadResult) -> LoadResult:
    """Files and tickers together; a ticker that a file gave already is a failure."""
    given = set(loaded.panel.tickers)
    twice = [ticker for ticker in fetched.panel.tickers if ticker in given]
    new = [history for history in fetched.panel if history.ticker not in given]
    again = [
        Failure(given_twice(ticker, "a file", "the store", "each a source of its own"), ticker)
        for ticker in twice
    ]
    return LoadResult(
        panel=Panel((*loaded.panel.histories, *new)),
        notes=(*loaded.notes, *fetched.notes),
        failures=(*loaded.failures, *fetched.failures, *again),
        calendars=Calendars({**loaded.calendars, **fetched.calendars}),
        stale=fetched.stale,
        files=loaded.files,
        ages=fetched.ages,
    )


def on_calendar(loaded: LoadResult, code: str, store: Store, now: datetime) -> LoadResult:
    """The histories of files on a calendar that the user named.

    Args:
        loaded: histories of files.
        code: of the calendar.
        store: where its sessions are kept.
        now: with a time zone.
    """
    histories = tuple(replace(history, calendar=code) for history in loaded.panel)
    calendars, notes = _calendars(store, histories, now)
    notes += named_calendar_notes(histories, calendars.get(code))
    panel = Panel(tuple(_with_closes(history, calendars) for history in histories))
    return replace(loaded, panel=panel, notes=(*loaded.notes, *notes), calendars=calendars)


def _with_closes(history: History, calendars: Calendars, shelf: Shelf | None = None) -> History:
    """The history with the moments at which its sessions closed, if its calendar is known."""
    known = calendars.of(history)
    if shelf is not None and known is not None:
        return shelf.with_closes(history, known)
    return history if known is None else history.having(closes=closes_of(history.sessions, known))


def _perhaps_a_file(failure: Failure, words: Sequence[str]) -> Failure:
    """Whoever mistypes a folder's name hears of tickers; say that files were looked for too."""
    word, problem = failure.ticker, failure.error
    if word not in words or Path(str(word)).suffix or not isinstance(problem, UnknownTicker):
        return failure
    looked_for = UnknownTicker(f"{problem} There is no file or folder {word} here either.")
    return replace(failure, error=looked_for)
