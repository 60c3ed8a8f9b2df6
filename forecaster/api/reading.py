"""Whatever holds prices becomes a panel: frames, series, files, tickers, histories."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

import numpy as np

from forecaster.api.arguments import checked, in_python
from forecaster.api.ready import under, with_ready
from forecaster.errors import ForecastError, ForecastWarning, SettingsError, parameter
from forecaster.market.bars import History, Panel
from forecaster.market.frames import NAME, is_frame, table_of_frame
from forecaster.wording import visible

if TYPE_CHECKING:
    import pandas as pd

    from forecaster.market.fetch_options import FetchOptions
    from forecaster.market.files.header import Table
    from forecaster.market.files.read import LoadResult, ReadOptions
    from forecaster.market.notes import Failure, Note


class ArrowStream(Protocol):
    """A table that hands its columns over: a frame of polars, a table of Arrow."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The columns as an Arrow stream."""


Frame: TypeAlias = "pd.DataFrame | pd.Series[Any] | ArrowStream"
Source: TypeAlias = "str | os.PathLike[str] | Frame | History | Panel"
Named: TypeAlias = "Mapping[str, Frame | History | Panel]"
Data: TypeAlias = "Source | Named | Iterable[Source | Named]"
"""Prices: a ticker, a path, a frame, a history or a panel; several of them; frames by ticker."""

Day: TypeAlias = "str | date | np.datetime64"
"""A date, as in ``"2024-05-31"``."""


@checked
def read(
    data: Data,
    *,
    ticker: str | None = None,
    id_col: str | None = None,
    time_col: str | None = None,
    target_col: str | None = None,
    columns: Mapping[str, str] | None = None,
    date_format: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    currency: str | None = None,
    calendar: str | None = None,
    since: Day | None = None,
    provider: str | None = None,
    offline: bool = False,
    skip_unreadable: bool = False,
) -> Panel:
    """Read prices into a panel; what was repaired on the way is a `ForecastWarning`.

    Args:
        data: a ticker such as ``"AAPL"``, a path to a file or folder, a DataFrame or Series (bars
            with a date index or column, long frames with a column of tickers, frames with a column
            for each ticker, what ``yfinance.download`` returns; of pandas, polars or Arrow), a
            `History`, a `Panel`; a mapping of tickers to frames, whose own names do not count
            then; or several of these.
        ticker: the name of the single history.
        id_col: the column of tickers.
        time_col: the column of dates.
        target_col: the column of closes; in columns of two levels, the field of each ticker.
        columns: other columns by what they hold, as in ``{"volume": "Umsatz"}``.
        date_format: how dates are written, as ``strptime`` takes it.
        decimal: the decimal sign of text, ``"."`` or ``","``.
        encoding: of text files.
        currency: of prices whose source names none, as in ``"EUR"``.
        calendar: of histories without one, as in ``"XNYS"``; dates of forecasts follow it.
        since: first session of tickers that are fetched.
        provider: where tickers are fetched: ``"yahoo"`` or ``"tiingo"``; None:
            ``FORECASTER_PROVIDER``, or Yahoo.
        offline: take tickers from the store alone.
        skip_unreadable: leave out what cannot be read, with a warning, instead of raising.

    Returns:
        Histories that were one already, then those of frames and files, then of tickers, each in
        the order given, with the calendars that they name.

    Raises:
        DataError: something cannot be read, or nothing is left.
        SettingsError: an argument cannot work.
        SourceError: a ticker's source is down and nothing usable is stored.
    """
    loaded = load_result(
        data,
        _read_options(
            ticker,
            _roles(columns, {"ticker": id_col, "date": time_col, "close": target_col}),
            date_format,
            decimal,
            encoding,
            currency,
        ),
        fetch_options(calendar, since, provider, offline=offline),
    )
    failures = loaded.failures
    if failures and not (skip_unreadable and len(loaded.panel)):
        raise _with_a_way_on(failures[0].error) if len(loaded.panel) else failures[0].error
    warn_failures(failures, "was left out", loaded.panel.tickers)
    return panel_of(loaded)


def _with_a_way_on(error: ForecastError) -> ForecastError:
    """The failure of one source, with what reads the others."""
    advice = " To go on without it: forecaster.read(..., skip_unreadable=True)."
    return type(error)(error.message + advice)


def panel_for(data: Data, market: Data | None = None) -> Panel:
    """Prices as a panel, with a market set where one is named.

    Raises:
        ForecastError: a source cannot be read.
    """
    panel = read(data)
    return panel if market is None else replace(panel, market=read(market).histories)


def panel_of(loaded: LoadResult) -> Panel:
    """The histories of what was loaded with their calendars; its notes become warnings."""
    warn_notes(loaded.notes)
    return replace(loaded.panel, calendars=loaded.calendars)


def load_result(
    data: Data, options: ReadOptions | None = None, fetching: FetchOptions | None = None
) -> LoadResult:
    """Read prices; failures raise nothing here.

    Raises:
        SettingsError: an argument cannot work, or ``data`` holds no prices at all.
    """
    from forecaster.market.fetch_options import DEFAULT_FETCH_OPTIONS
    from forecaster.market.files.read import DEFAULT_READ_OPTIONS
    from forecaster.market.load import read_sources

    options, fetching = options or DEFAULT_READ_OPTIONS, fetching or DEFAULT_FETCH_OPTIONS
    sources, ready = _sorted(data)
    loaded = read_sources(sources, options, fetching)
    return with_ready(loaded, ready, options, fetching) if ready else loaded


def _sorted(data: Data) -> tuple[list[str | Table], list[Panel]]:
    """What is to be read, and what is there already."""
    from forecaster.market.files.file_names import is_file_source

    sources: list[str | Table] = []
    ready: list[Panel] = []
    parts = _parts(data)
    several = sum(is_frame(part) for _, part in parts) > 1
    for number, (name, part) in enumerate(parts, start=1):
        if isinstance(part, Panel | History):
            ready.append(under(name, part if isinstance(part, Panel) else Panel((part,))))
        elif is_frame(part):
            table = table_of_frame(part, name or (f"{NAME} {number}" if several else NAME))
            sources.append(replace(table, title=name))
        elif name is not None and isinstance(part, str | os.PathLike):
            raise _no_frame(name, part)
        elif isinstance(part, str):
            sources.append(part)
        elif isinstance(part, os.PathLike):
            path = os.fsdecode(part)
            sources.append(path if is_file_source(path) else f".{os.sep}{path}")  # no ticker
        else:
            raise _no_prices(part)
    return sources, ready


def _parts(data: Data) -> list[tuple[str | None, Any]]:
    """The single sources, frames with the tickers that a mapping gives them."""
    single = isinstance(data, str | os.PathLike | History | Panel | Mapping) or is_frame(data)
    if not single and not isinstance(data, Iterable):
        raise _no_prices(data)
    parts: list[tuple[str | None, Any]] = []
    for part in cast("Iterable[Any]", [data] if single else data):
        named = isinstance(part, Mapping)
        parts += [(_key(name), one) for name, one in part.items()] if named else [(None, part)]
    if not parts:
        raise SettingsError(
            f"{parameter('data')} is empty; a ticker, a file or a DataFrame is needed."
        )
    return parts


def _key(name: object) -> str:
    """The ticker of a mapping; ``groupby(["ticker"])`` has a tuple of it.

    Raises:
        SettingsError: it is none.
    """
    from forecaster.market.files.ticker_cells import NO_NAMES

    text = str(name[0] if isinstance(name, tuple) and len(name) == 1 else name).strip()
    if text in {"", "NaT", *NO_NAMES}:
        raise SettingsError(
            f"{parameter('data')} has prices under {name!r}; each ticker has its frame, as in"
            ' {"AAPL": frame}. Name it, or leave it out.'
        )
    return text


def _no_frame(name: str, part: object) -> SettingsError:
    text = os.fsdecode(part) if isinstance(part, os.PathLike) else part
    return SettingsError(
        f"{parameter('data')} gives {name} {text!r}, which holds no prices by itself; in a mapping"
        f" each ticker has its frame. Give forecaster.read({text!r}) in its place."
    )


def _no_prices(part: object) -> SettingsError:
    return SettingsError(
        f"{parameter('data')} holds a value of type {type(part).__name__}; prices come as a ticker"
        ' in quotes ("AAPL"), a path, a DataFrame or a Series with dates, a History or a Panel. For'
        " closes alone: forecaster.history_from_closes(ticker, dates, closes)."
    )


def _roles(columns: object, own: Mapping[str, str | None]) -> dict[str, str]:
    """Columns by what they hold, those with an argument of their own among them.

    Raises:
        SettingsError: ``columns`` is no mapping, or says otherwise than such an argument.
    """
    if not isinstance(columns, Mapping | None):
        raise SettingsError(
            f"{parameter('columns')} is {columns!r}; a mapping is needed, as in"
            f' {parameter("columns")}={{"close": "Settle"}}.'
        )
    given = {role: header for role, header in own.items() if header is not None}
    for role, header in given.items():
        if (other := (columns or {}).get(role, header)) != header:
            raise SettingsError(
                f"the column of {role} is {header!r} by its own argument and {other!r} by"
                f" {parameter('columns')}. Leave one out."
            )
    labels = (columns or {}).items()  # which may be numbers
    named = {role: str(label) for role, label in labels if label is not None}
    return {**named, **given}


def _read_options(
    ticker: str | None,
    named: Mapping[str, str],
    date_format: str | None,
    decimal: str | None,
    encoding: str | None,
    currency: str | None,
) -> ReadOptions:
    from forecaster.market.files.read import ReadOptions

    return ReadOptions(named, date_format, ticker, decimal, encoding, currency)


def fetch_options(
    calendar: str | None, since: Day | None, provider: str | None, *, offline: bool
) -> FetchOptions:
    """How tickers are fetched.

    Raises:
        SettingsError: there is no such calendar.
    """
    from forecaster.market.exchanges import checked_calendar
    from forecaster.market.fetch_options import FetchOptions

    code = None if calendar is None else checked_calendar(calendar)
    first = day_of(since, "since")
    return FetchOptions(offline=offline, provider=provider, since=first, calendar=code)


def day_of(value: Day | None, name: str) -> np.datetime64 | None:
    """A date, or None where none was given.

    Args:
        value: ISO text, a date, or a date with a time, whose own date counts; None: none.
        name: of the argument, for messages.

    Raises:
        SettingsError: it is no date.
    """
    if value is None:
        return None
    text = str(value.astype("datetime64[D]") if isinstance(value, np.datetime64) else value)
    try:
        return np.datetime64(datetime.fromisoformat(text).date(), "D")
    except ValueError:
        raise SettingsError(
            f"{parameter(name)} is {text!r}; a date is needed, as in {parameter(name)}"
            ' "2024-05-31".'
        ) from None


def warn_notes(notes: Iterable[Note]) -> None:
    """A warning for each note."""
    for note in notes:
        named, said = note.source or note.ticker, in_python(note.message)
        warn(f"{named}: {said}" if named else said)


def warn_failures(failures: Iterable[Failure], fate: str, used: Container[str]) -> None:
    """A warning for each source or ticker that the others went on without.

    Of the tickers in ``used`` there is another history.
    """
    for failure in failures:
        what = f"{failure.name} {fate}"
        if failure.ticker in used:
            what = f"another {failure.ticker} was left out"
        warn(f"{what}: {in_python(failure.error.message)}")


def warn(message: str) -> None:
    """A `ForecastWarning` where the user's own code called."""
    depth, frame = 1, sys._getframe()
    while frame.f_back is not None and _is_ours(frame.f_globals.get("__name__", "")):
        depth, frame = depth + 1, frame.f_back
    warnings.warn(visible(message), ForecastWarning, stacklevel=depth)


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == __name__.partition(".")[0]
