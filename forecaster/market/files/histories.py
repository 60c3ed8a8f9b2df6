"""A table with known columns becomes histories: one, or one per ticker of a long or wide table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from forecaster.arrays import Floats, Integers
from forecaster.errors import DataError
from forecaster.market.bars import History
from forecaster.market.cleaning import RawBars, checked_history
from forecaster.market.files.columns import Layout, Series
from forecaster.market.files.header import Table
from forecaster.market.files.number_columns import Clues, read_numbers
from forecaster.market.files.parse_dates import DateCells, read_dates
from forecaster.market.files.parse_numbers import Column, is_blank


@dataclass(frozen=True)
class CellStyle:
    """How cells are written, where the user says so.

    Attributes:
        date_format: a ``strptime`` format that overrules the rules, or None.
        decimal: the sign in front of decimals, ``.`` or ``,``; None where cells are to show it.
    """

    date_format: str | None = None
    decimal: str | None = None


@dataclass(frozen=True)
class ReadHistory:
    """One ticker of a file: its history and what was repaired, or the reason why there is none."""

    ticker: str
    history: History | None
    notes: tuple[str, ...] = ()
    error: DataError | None = None


def read_histories(
    table: Table,
    layout: Layout,
    name: str,
    style: CellStyle,
    today: np.datetime64,
    notes: list[str],
) -> list[ReadHistory]:
    """All histories of a table.

    Args:
        table: the columns.
        layout: which column is what.
        name: the ticker where neither a column nor the header has one.
        style: how dates and numbers are written, as far as the user says so.
        today: the date to which "in the future" refers.
        notes: a sentence is added for what was assumed about all dates or numbers.

    Raises:
        DataError: the dates or numbers of the file cannot be read; one ticker's trouble is returned
            instead.
    """
    numbers = _numbers(table, layout, style.decimal, notes)
    dates = read_dates(_date_cells(table, layout, numbers), style.date_format)
    notes += dates.notes
    stamps = _stamps(table, layout)
    whole = RawBars(
        table.source, name, dates.days, table.rows, {}, (), stamps, gaps_expected=layout.wide
    )
    return [
        _checked(bars, today)
        for series in layout.series
        for bars in _by_ticker(_with_prices(whole, table, series, numbers), table, layout)
    ]


def _checked(bars: RawBars, today: np.datetime64) -> ReadHistory:
    try:
        history, notes = checked_history(bars, today)
    except DataError as error:
        return ReadHistory(bars.ticker, None, error=error)
    return ReadHistory(bars.ticker, history, tuple(notes))


def _numbers(
    table: Table, layout: Layout, decimal: str | None, notes: list[str]
) -> dict[int, Floats]:
    fields = {place: role for series in layout.series for role, place in series.fields.items()}
    others = set(range(len(table.columns))).difference(fields, {layout.date, layout.time})
    clues = Clues(
        decimal=decimal,
        source=table.source,
        names=[table.headers[place].text for place in sorted(fields)],
        counts=[fields[place] == "volume" for place in sorted(fields)],
        headers=table.headers,
        beside=[table.columns[place] for place in sorted(others)],
        delimiter=table.delimiter,
    )
    columns = [table.columns[place] for place in sorted(fields)]
    return dict(zip(sorted(fields), read_numbers(columns, clues, notes), strict=True))


def _date_cells(table: Table, layout: Layout, numbers: Mapping[int, Floats]) -> DateCells:
    priced = np.zeros(len(table.rows), dtype=bool)
    for series in layout.series:
        priced |= ~np.isnan(numbers[series.fields["close"]])
    times: Column = [] if layout.time in {None, layout.date} else table.columns[layout.time or 0]
    return DateCells(table.columns[layout.date], table.source, table.rows, times, priced)


def _stamps(table: Table, layout: Layout) -> list[str]:
    """The date cells with their times of day, as text; empty for typed dates."""
    dates = table.columns[layout.date]
    if isinstance(dates, np.ndarray):
        return []
    times: Column = [] if layout.time is None else table.columns[layout.time]
    if layout.time in {None, layout.date} or isinstance(times, np.ndarray):
        return list(dates)
    return [f"{day} {time}" for day, time in zip(dates, times, strict=True)]


def _with_prices(
    bars: RawBars, table: Table, series: Series, numbers: Mapping[int, Floats]
) -> RawBars:
    close = table.columns[series.fields["close"]]
    closes: Sequence[str]
    if isinstance(close, np.ndarray):
        closes = ["" if text == "nan" else text for text in map(str, close.tolist())]
    elif bars.gaps_expected:
        closes = ["" if is_blank(cell) else cell for cell in close]
    else:
        closes = close
    values = {field: numbers[place] for field, place in series.fields.items()}
    return replace(bars, ticker=series.ticker or bars.ticker, values=values, closes=closes)


def _by_ticker(bars: RawBars, table: Table, layout: Layout) -> Iterator[RawBars]:
    """Cut rows by the ticker column, if there is one, in the order in which tickers appear."""
    currencies = _texts(table, layout.currency)
    tickers = _texts(table, layout.ticker)
    if not tickers:
        yield replace(bars, currency=_currency(currencies))
        return
    numbers: dict[str, int] = {}
    codes = np.fromiter(
        (numbers.setdefault(ticker, len(numbers)) for ticker in tickers), np.int64, len(tickers)
    )
    places = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(numbers)))
    for ticker, group in zip(numbers, np.split(places, ends[:-1]), strict=True):
        name = ticker.strip()
        if _is_stray(bars, name, group):
            continue
        part = replace(bars.take(group), ticker=name or bars.ticker)
        codes_here = [currencies[place] for place in group.tolist()] if currencies else []
        yield replace(part, currency=_currency(codes_here))


def _is_stray(bars: RawBars, ticker: str, group: Integers) -> bool:
    """Whether rows without a ticker, or below the table, hold no bars at all."""
    no_dates = bool(np.all(np.isnat(bars.days[group])))
    no_closes = bool(np.all(np.isnan(bars.values["close"][group])))
    return no_dates and (no_closes or not ticker)


def _texts(table: Table, place: int | None) -> list[str]:
    if place is None:
        return []
    column = table.columns[place]
    return [] if isinstance(column, np.ndarray) else list(column)


def _currency(cells: Sequence[str]) -> str | None:
    """The currency, if the cells name exactly one."""
    codes = {cell.strip() for cell in dict.fromkeys(cells) if not is_blank(cell)}
    code = codes.pop() if len(codes) == 1 else ""
    return code if len(code) == 3 and code.isalpha() else None
