"""Source arguments become one panel: price files, folders, standard input, and tickers.

What reads tickers (SQL, and the network behind it) is loaded only where a source is one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from forecaster.errors import UnknownTicker
from forecaster.market.bars import History, Panel
from forecaster.market.calendars import Calendars
from forecaster.market.fetch_options import USUAL, Fetching, at_hand
from forecaster.market.files.read import (
    AS_THEY_ARE,
    LoadResult,
    ReadOptions,
    given_twice,
    is_file_source,
    read_files,
)
from forecaster.market.notes import Failure

if TYPE_CHECKING:
    from forecaster.market.providers.base import Provider
    from forecaster.market.store import Store
    from forecaster.market.tickers import LoadedTickers


def read_sources(
    sources: Sequence[str],
    options: ReadOptions = AS_THEY_ARE,
    fetching: Fetching = USUAL,
    *,
    stdin: BinaryIO | None = None,
    on_ticker: Callable[[str], None] | None = None,
) -> LoadResult:
    """Read files and fetch tickers into one panel.

    Args:
        sources: paths, ``-``, and tickers: words that are no path and name no file.
        options: how files are read.
        fetching: how tickers are fetched; its calendar holds for files too.
        stdin: where ``-`` reads; the process's standard input if None.
        on_ticker: called before each ticker is fetched.

    Returns:
        Histories of files, then of tickers, each in the order given; notes; failures, which raise
        nothing here; the calendars of the histories.

    Raises:
        SettingsError: an option cannot work.
        StoreError: the price store cannot be used.
    """
    files = [source for source in sources if is_file_source(source) or not source.strip()]
    tickers = [source for source in sources if source not in files]
    loaded = read_sorted(files, tickers, options, fetching, stdin=stdin, on_ticker=on_ticker)
    return replace(loaded, failures=tuple(_perhaps_a_file(f, tickers) for f in loaded.failures))


def read_sorted(
    files: Sequence[str],
    tickers: Sequence[str],
    options: ReadOptions = AS_THEY_ARE,
    fetching: Fetching = USUAL,
    *,
    stdin: BinaryIO | None = None,
    store: Store | None = None,
    provider: Callable[[], Provider] | None = None,
    now: datetime | None = None,
    last: int | None = None,
    on_ticker: Callable[[str], None] | None = None,
) -> LoadResult:
    """As :func:`read_sources`, where it is known which sources are files and which are tickers.

    Args:
        files: paths, or ``-``.
        tickers: as a user wrote them.
        options: how files are read.
        fetching: how tickers are fetched; its calendar holds for files too.
        stdin: where ``-`` reads; the process's standard input if None.
        store: open; None: the usual one.
        provider: makes the provider if one is needed; None: the one that ``fetching`` names.
        now: with a time zone; None: by the clock.
        last: only so many bars of each ticker, the newest; None: all.
        on_ticker: called before each ticker is fetched.
    """
    loaded = read_files(files, options, stdin=stdin)
    on_calendar = fetching.calendar is not None and len(loaded.panel) > 0
    if not tickers and not on_calendar:
        return loaded
    from forecaster.market.tickers import load_tickers

    moment = now or datetime.now(UTC)
    with at_hand(fetching, store, provider) as (opened, make):
        if on_calendar:
            loaded = _on_calendar(loaded, str(fetching.calendar), opened, moment)
        if not tickers:
            return loaded
        given = load_tickers(
            tickers, fetching, store=opened, provider=make, now=moment, last=last,
            on_ticker=on_ticker,
        )  # fmt: skip
    return _joined(loaded, given)


def _joined(loaded: LoadResult, given: LoadedTickers) -> LoadResult:
    """Files and tickers together; a ticker that a file gave already is a failure."""
    read = set(loaded.panel.tickers)
    fetched: list[History] = []
    failures = list(given.failures)
    for history in given.histories:
        ticker = history.ticker
        if ticker in read:
            failures.append(Failure(given_twice(ticker, "a file", "the store"), ticker))
        else:
            fetched.append(history)
    return LoadResult(
        panel=Panel((*loaded.panel.histories, *fetched)),
        notes=(*loaded.notes, *given.notes),
        failures=(*loaded.failures, *failures),
        calendars=Calendars({**loaded.calendars, **given.calendars}),
        stale=given.stale,
        files=loaded.files,
    )


def _on_calendar(loaded: LoadResult, code: str, store: Store, now: datetime) -> LoadResult:
    """The histories of files on a calendar that the user named."""
    from forecaster.market.tickers import calendars_of

    histories = tuple(replace(history, calendar=code) for history in loaded.panel)
    calendars, notes = calendars_of(store, histories, now)
    return replace(
        loaded, panel=Panel(histories), notes=(*loaded.notes, *notes), calendars=calendars
    )


def _perhaps_a_file(failure: Failure, words: Sequence[str]) -> Failure:
    """Whoever mistypes a folder's name hears of tickers; say that files were looked for too."""
    word, problem = failure.ticker, failure.error
    if (
        word is None
        or word not in words
        or Path(word).suffix
        or not isinstance(problem, UnknownTicker)
    ):
        return failure
    looked_for = UnknownTicker(f"{problem} There is no file or folder {word} here either.")
    return replace(failure, error=looked_for)
