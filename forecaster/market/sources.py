"""Source arguments become one panel: price files, folders, standard input, and tickers.

What reads tickers (SQL, and the network behind it) is loaded only where a source is one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from forecaster.errors import ForecastError, UnknownTicker
from forecaster.market.bars import History, Panel
from forecaster.market.calendars import Calendars
from forecaster.market.fetching import USUAL, Fetching
from forecaster.market.files import (
    AS_THEY_ARE,
    Failure,
    Loaded,
    Note,
    ReadOptions,
    given_twice,
    is_file_source,
    read_files,
)


def read_sources(
    sources: Sequence[str],
    options: ReadOptions = AS_THEY_ARE,
    fetching: Fetching = USUAL,
    *,
    stdin: BinaryIO | None = None,
    on_ticker: Callable[[str], None] | None = None,
) -> Loaded:
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
    loaded = read_files(files, options, stdin=stdin)
    if fetching.calendar is not None:
        loaded = with_calendar(loaded, fetching.calendar)
    return _joined(loaded, tickers, fetching, on_ticker) if tickers else loaded


def with_calendar(loaded: Loaded, code: str) -> Loaded:
    """The histories of files on a calendar that the user named."""
    from forecaster.market.store import Store
    from forecaster.market.tickers import calendars_of

    histories = tuple(replace(history, calendar=code) for history in loaded.panel)
    with Store() as store:
        calendars, remarks = calendars_of(store, histories, datetime.now(UTC))
    notes = (*loaded.notes, *(Note(r.ticker, None, r.message) for r in remarks))
    return replace(loaded, panel=Panel(histories), notes=notes, calendars=calendars)


def _joined(
    loaded: Loaded,
    words: Sequence[str],
    fetching: Fetching,
    on_ticker: Callable[[str], None] | None,
) -> Loaded:
    """Files and tickers together; a ticker that a file gave already is a failure."""
    from forecaster.market.tickers import load_tickers

    given = load_tickers(words, fetching, on_ticker=on_ticker)
    read = set(loaded.panel.tickers)
    fetched: list[History] = []
    failures = [Failure(word, word, _perhaps_a_file(word, e)) for word, e in given.failures]
    for history in given.histories:
        ticker = history.ticker
        if ticker in read:
            failures.append(Failure(ticker, ticker, given_twice(ticker, "a file", "the store")))
        else:
            fetched.append(history)
    return Loaded(
        panel=Panel((*loaded.panel.histories, *fetched)),
        notes=(*loaded.notes, *(Note(r.ticker, r.ticker, r.message) for r in given.remarks)),
        failures=(*loaded.failures, *failures),
        calendars=Calendars({**loaded.calendars, **given.calendars}),
    )


def _perhaps_a_file(word: str, problem: ForecastError) -> ForecastError:
    """Whoever mistypes a folder's name hears of tickers; say that files were looked for too."""
    if isinstance(problem, UnknownTicker) and not Path(word).suffix:
        return UnknownTicker(f"{problem} There is no file or folder {word} here either.")
    return problem
