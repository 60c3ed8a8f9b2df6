"""Sources in, notes and failures out: what every command that reads prices does alike."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

from forecaster.cli.flags import in_flags, refuse_idle, typed
from forecaster.cli.options import OF_FILES, Reading
from forecaster.cli.parsing import parse_columns
from forecaster.errors import SettingsError, SomeTickersFailed, parameter
from forecaster.wording import counted, listed, plural

if TYPE_CHECKING:
    import numpy as np

    from forecaster.joint.holdings import Holdings
    from forecaster.market.bars import History
    from forecaster.market.fetch_options import FetchOptions
    from forecaster.market.files.read import LoadResult, ReadOptions
    from forecaster.market.notes import Failure, Note
    from forecaster.market.watchlist import BatchSources
    from forecaster.model.artifact import Model

_NOTES_SHOWN = 6
"""Notes printed one by one; a folder of hundreds of files must not bury its result."""


def fetching_of(reading: Reading, since: np.datetime64 | None = None) -> FetchOptions:
    """How tickers are fetched.

    Raises:
        SettingsError: there is no such calendar.
    """
    from forecaster.market.exchanges import checked_calendar
    from forecaster.market.fetch_options import FetchOptions

    code = None if reading.calendar is None else checked_calendar(reading.calendar)
    return FetchOptions(
        offline=reading.offline, provider=reading.provider, since=since, calendar=code
    )


def file_options(reading: Reading) -> ReadOptions:
    """How files are read.

    Raises:
        SettingsError: a column is named and its header is not.
    """
    from forecaster.market.files.read import ReadOptions

    return ReadOptions(
        parse_columns(reading.column),
        reading.date_format,
        reading.ticker,
        reading.decimal,
        reading.encoding,
        reading.currency,
    )


def refuse_idle_of_files(ctx: Any, sources: Sequence[str] | None = None) -> None:
    """Raise a SettingsError if an option of price files was typed and every source is a ticker.

    Args:
        ctx: of the command.
        sources: of prices, tickers and watchlists among them; None: what the command calls so.
    """
    named = (ctx.params.get(name) for name in ("sources", "source", "watchlist"))
    given = sources or next(filter(None, named), ())
    words = [given] if isinstance(given, str) else given
    if not words or not typed(ctx, OF_FILES) or ctx.params.get("market"):
        return
    from forecaster.market.files.file_names import is_file_source
    from forecaster.market.watchlist import kind_of

    if not any(is_file_source(word) and kind_of(word) != "tickers" for word in words):
        none = "is no price file or folder" if len(words) == 1 else "are no price files or folders"
        refuse_idle(ctx, OF_FILES, f"{listed(words, 'and')} {none} here. Give a price file")


def chosen_model(name: str | None, *, calibrate: bool = True) -> Model:
    """The model asked for, whose forecasts are calibrated or not.

    A line on stderr says so where it is the one in the box by default.

    Raises:
        ModelError: there is none, or it is damaged.
    """
    from forecaster.model.artifact import load
    from forecaster.model.registry import BOXED, find

    path = find(name)
    trained = load(path)
    if name is None and path == BOXED:
        from forecaster.output.console import note

        note(
            "no model has been trained yet; this is the one in the box, trained on five stocks to"
            f" {trained.card.trained_to}. Train your own with: forecast train FILES"
        )
    return trained if calibrate else trained.uncalibrated()


def standard_input(words: Sequence[str], what: str) -> BinaryIO:
    """Standard input as bytes; a person at a terminal is told what it waits for.

    Args:
        words: sources, of which ``-`` is standard input.
        what: that is read there.
    """
    if "-" in words and sys.stdin.isatty():
        from forecaster.output.console import note

        note(f"reading {what} from standard input; end with Ctrl-D on a line of its own")
    return sys.stdin.buffer


def read(sources: list[str], reading: Reading, as_of: np.datetime64 | None = None) -> LoadResult:
    """Read the sources and print what was repaired on stderr, and what ends before a date.

    Args:
        sources: files, folders and tickers.
        reading: how they are read.
        as_of: the date from which a forecast was asked for; None: the end of each history.
    """
    from forecaster.jobs.bulk_reading import reader
    from forecaster.market.age import as_of_notes
    from forecaster.market.load import read_sources
    from forecaster.output.live.spinners import reading_sources

    options = fetching_of(reading)
    stdin = standard_input(sources, "prices or tickers")
    files = file_options(reading)
    with reading_sources() as (on_files, on_ticker):
        loaded = read_sources(
            sources, files, options, stdin=stdin, reader=reader(on_files), on_ticker=on_ticker
        )
    show_notes((*loaded.notes, *as_of_notes(loaded.panel, loaded.calendars, as_of)))
    return loaded


def read_price_files(files: list[str], reading: Reading) -> LoadResult:
    """Read sources that are files, whatever they are called."""
    from forecaster.jobs.bulk_reading import reader
    from forecaster.market.files.read import read_files
    from forecaster.output.live.spinners import reading_sources

    stdin = standard_input(files, "prices")
    with reading_sources() as (on_files, _):
        loaded = read_files(files, file_options(reading), stdin=stdin, reader=reader(on_files))
    show_notes(loaded.notes)
    return loaded


def read_market(words: list[str] | None, reading: Reading) -> tuple[History, ...] | None:
    """The histories that make the market state; None where none were named.

    A note names those that cannot be read.

    Raises:
        ForecastError: none of them can be read.
    """
    sources = market_sources(words)
    if sources is None:
        return None
    from forecaster.jobs.market_set import read_market_set

    members, notes = read_market_set(sources, file_options(reading), fetching_of(reading))
    show_notes(notes)
    return members


def prices_of(
    holdings: Holdings,
    sources: list[str],
    base: str | None,
    reading: Reading,
    as_of: np.datetime64 | None = None,
) -> LoadResult:
    """The histories of holdings, and of the pairs of currencies where tickers are fetched.

    Args:
        holdings: their positions.
        sources: of prices; where there are none, what is held is fetched.
        base: currency of the result; None: the first holding's.
        reading: how sources are read.
        as_of: the date from which a forecast was asked for; None: the end of each history.

    Raises:
        ForecastError: one of them cannot be read.
    """
    from forecaster.joint.portfolio import base_currency, missing_pairs, unknown_currencies
    from forecaster.market.bars import Panel

    loaded = read(sources or list(dict.fromkeys(holdings.tickers)), reading, as_of)
    refuse_failures(loaded)
    histories = loaded.panel.histories
    currency = base_currency(holdings, histories, base)
    show_notes(unknown_currencies(holdings, histories, currency))
    pairs = missing_pairs(holdings, histories, currency)
    if sources or not pairs:
        return loaded
    converted = read(pairs, reading)
    refuse_failures(converted)
    calendars = type(loaded.calendars)({**loaded.calendars, **converted.calendars})
    panel = Panel((*histories, *converted.panel.histories))
    return replace(loaded, panel=panel, calendars=calendars)


def market_sources(words: list[str] | None) -> BatchSources | None:
    """The sources whose bars make the market state; None where none were named.

    Raises:
        DataError: a file of them is not there.
        SettingsError: there is none.
    """
    if words is None:
        return None
    from forecaster.market.watchlist import read_set_sources

    sources = read_set_sources(words)
    if not (sources.tickers or sources.files):
        raise SettingsError("--market names no ticker; one is needed, as in --market SPY.")
    return sources


def show_notes(notes: Sequence[Note]) -> None:
    """Print notes on stderr: a source and a sentence each, the first few of many."""
    from forecaster.output import console

    for note in notes[:_NOTES_SHOWN]:
        console.note(f"{note.source or note.ticker}: {in_flags(note.message)}")
    more = notes[_NOTES_SHOWN:]
    if more:
        count = len({note.source or note.ticker for note in more})
        console.note(
            f"{counted(len(more), 'more note')} on {counted(count, 'source')}; read one of them"
            " alone to see its own."
        )


def show_failures(failures: Sequence[Failure]) -> None:
    """Print failures on stderr; of many tickers of one source the first few."""
    from forecaster.output.console import error

    counts: Counter[str] = Counter()
    for failure in failures:
        source = failure.source or failure.ticker or ""
        counts[source] += 1
        if counts[source] <= _NOTES_SHOWN:
            error(in_flags(failure.error))
    for source, count in counts.items():
        if count > _NOTES_SHOWN:
            more = count - _NOTES_SHOWN
            error(f"{source}: {more} more {plural('ticker', more)} failed.")


def refuse_failures(loaded: LoadResult) -> None:
    """Nothing is trained or scored on less than was asked for.

    Raises:
        ForecastError: a source failed.
    """
    report_failures(loaded.failures, succeeded=0)


def refuse_or_skip(loaded: LoadResult, *, skip_unreadable: bool) -> None:
    """Refuse sources that failed, or name them on stderr where the user goes on without them.

    Raises:
        ForecastError: a source failed and may not be skipped, or no history is left.
    """
    usable, failures = len(loaded.panel), loaded.failures
    if not failures or not usable:
        refuse_failures(loaded)
        return
    show_failures(failures if skip_unreadable else failures[:-1])
    if not skip_unreadable:
        last = failures[-1].error
        others = plural("history", usable)
        raise type(last)(
            f"{last.message.marked} To use the other {usable} {others}, add"
            f" {parameter('skip_unreadable')}."
        )


def report_skipped(loaded: LoadResult) -> None:
    """Fail with 3 where sources were skipped, after the result of the others.

    Raises:
        SomeTickersFailed: some were.
    """
    if loaded.failures:
        raise _some_failed(len(loaded.failures), len(loaded.panel))


def _some_failed(failed: int, succeeded: int) -> SomeTickersFailed:
    return SomeTickersFailed(f"{failed} of {failed + succeeded} failed; the others are done.")


def only_history(loaded: LoadResult, command: str) -> History:
    """The one history of a source.

    Raises:
        ForecastError: the source failed.
        SettingsError: it holds several.
    """
    refuse_failures(loaded)
    histories = loaded.panel.histories
    if len(histories) != 1:
        named = ", ".join(loaded.panel.tickers[:3]) + (", …" if len(histories) > 3 else "")
        raise SettingsError(
            f"{len(histories)} histories were given ({named}); {command} looks into one. Give one"
            " file that holds one ticker, or one ticker."
        )
    return histories[0]


def exit_code_of(failures: Sequence[Failure], *, succeeded: int) -> int:
    """The exit code that :func:`report_failures` ends a command with."""
    if not failures:
        return 0
    return SomeTickersFailed.exit_code if succeeded else failures[-1].error.exit_code


def report_failures(failures: Sequence[Failure], *, succeeded: int) -> None:
    """Say on stderr what failed, and fail with 3 if the rest is done.

    Raises:
        ForecastError: the last failure itself, if nothing succeeded.
        SomeTickersFailed: if something did.
    """
    if not failures:
        return
    show_failures(failures if succeeded else failures[:-1])
    if not succeeded:
        raise failures[-1].error
    raise _some_failed(len(failures), succeeded)
