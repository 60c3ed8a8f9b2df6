"""A table with known columns becomes the rows of its tickers: one, or many of a long or wide one.

Rows become histories in ``joining``, as the rows of a ticker may stand in several files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from forecaster.arrays import Days, Floats, Integers
from forecaster.errors import DataError, SettingsError, parameter
from forecaster.market.files.candidates import Series
from forecaster.market.files.cells.currencies import (
    currencies_of_rows,
    currency_of,
    currency_of_header,
)
from forecaster.market.files.cells.number_columns import Clues, read_numbers
from forecaster.market.files.cells.parse_dates import DateCells, read_dates
from forecaster.market.files.cells.parse_numbers import Column, is_blank, looks_numeric
from forecaster.market.files.cells.stray_dates import refuse_strays
from forecaster.market.files.columns import Layout
from forecaster.market.files.header import Table
from forecaster.market.files.ticker_cells import (
    dates_filled_down,
    filled_down,
    require_tickers,
    ticker_names,
)
from forecaster.market.raw_bars import RawBars, Texts, is_price
from forecaster.patterns import compiled
from forecaster.wording import plural, were

_NAME = compiled(r"[^\d]{1,40}")
_CODE = compiled("[A-Z]{2}[A-Za-z]")
MOST_KEYS = 100  # different cells of a column that tells rows of one date apart
SAMPLED_CELLS = 50


@dataclass(frozen=True)
class CellStyle:
    """How cells are written, where the user says so.

    Attributes:
        date_format: a ``strptime`` format that overrules the rules, or None.
        decimal: the sign in front of decimals, ``.`` or ``,``; None where cells are to show it.
        currency: of prices whose file names none, or None.
    """

    date_format: str | None = None
    decimal: str | None = None
    currency: str | None = None


def check_currency(currency: str | None) -> None:
    """Raise a SettingsError where something is given that is no code of a currency."""
    if currency is not None and not _CODE.fullmatch(currency):
        raise SettingsError(
            f'{parameter("currency")} is "{currency}"; a code of three letters is needed, such as'
            f" EUR, or GBp for pence. Write for example {parameter('currency')} "
            + (currency.upper() if _CODE.fullmatch(currency.upper()) else "EUR")
        )


class TickerRows(NamedTuple):
    """The rows of one ticker in one table.

    Attributes:
        ticker: the symbol.
        table: all rows of the table, with the ticker's own close.
        places: which of them are the ticker's.
        currency: ISO code, or None.
        is_named: whether the table or the name of its file names the ticker.
    """

    ticker: str
    table: RawBars
    places: Integers
    currency: str | None
    is_named: bool


def read_histories(
    table: Table, layout: Layout, name: str, style: CellStyle, *, is_named: bool = True
) -> tuple[list[TickerRows], list[str]]:
    """The rows of all tickers of a table, and a sentence for each thing supposed about them.

    Args:
        table: the columns.
        layout: which column is what.
        name: the ticker where neither a column nor the header has one.
        style: how dates and numbers are written, as far as the user says so.
        is_named: whether ``name`` is a ticker, not what any file could be called.

    Raises:
        DataError: the dates or numbers of the file cannot be read, or it is open whose rows some
            are.
    """
    notes: list[str] = []
    numbers = _numbers(table, layout, style.decimal, notes)
    if len(layout.series) == 1:
        numbers, quoted = _without_quote_marks(table, layout.series[0], numbers)
        notes += quoted
    cells = _date_cells(table, layout, numbers)
    dates = read_dates(cells, style.date_format)
    if style.date_format is None:
        refuse_strays(dates.days, cells)
    notes += dates.notes
    notes += _unread(table, layout, numbers)
    if layout.ticker is None:
        _refuse_groups(table, layout, dates.days)
    whole = _without_prices(table, layout, dates.days, name)
    series = layout.series
    if layout.ticker is not None:
        bars = _with_prices(whole, table, series[0], numbers)
        return _by_ticker(bars, table, layout, notes, style.currency, is_named=is_named), notes
    every = np.arange(len(dates.days))
    named = [_with_prices(whole, table, one, numbers) for one in series]
    found = []
    for bars, one in zip(named, series, strict=True):
        said = _currencies(table, layout, one)
        currency = currency_of(said, _by_header(table, one), style.currency, bars.ticker, notes)
        known = is_named or one.ticker is not None
        found.append(TickerRows(bars.ticker, bars, every, currency, known))
    return found, notes


def _refuse_groups(table: Table, layout: Layout, days: Days) -> None:
    """Raise a DataError if names stand alone above the rows and again between them."""
    cells = table.columns[layout.date]
    if not np.isnat(days[0]) or isinstance(cells, np.ndarray):
        return
    dated = np.flatnonzero(~np.isnat(days))
    if not len(dated):
        return
    undated = np.flatnonzero(np.isnat(days[: dated[-1]])).tolist()
    others = [column for place, column in enumerate(table.columns) if place != layout.date]
    names = [
        (int(table.rows[place]), cells[place].strip())
        for place in undated
        if _NAME.fullmatch(cells[place].strip())
        and not any(str(column[place]).strip() for column in others)
    ]
    if len({text for _, text in names}) > 1 and names[-1][0] > table.rows[dated[0]]:
        raise DataError(
            f'{table.source}, row {names[-1][0]}: rows stand in groups below "{names[0][1]}",'
            f' "{names[-1][1]}"; a column of tickers is needed. Write the name of the group into'
            " each row, or give each group a file of its own."
        )


def _without_prices(table: Table, layout: Layout, days: Days, name: str) -> RawBars:
    """What the rows have in common, whatever series of prices they are read for."""
    return RawBars(
        sources=(table.source,),
        ticker=name,
        files=np.zeros(len(days), dtype=np.int64),
        days=days,
        rows=table.rows,
        values={},
        blank=np.zeros(len(days), dtype=bool),
        stamps=_stamps(table, layout),
        keys={} if layout.wide else _keys(table, layout),
        gaps_expected=layout.wide,
        has_ticker_column=layout.ticker is not None,
    )


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


def _without_quote_marks(
    table: Table, series: Series, numbers: dict[int, Floats]
) -> tuple[dict[int, Floats], list[str]]:
    """Prices of CRSP without the minus in front of those that are quotes, and a sentence on them.

    Where a day has no trade, ``PRC`` is minus the mean of bid and ask.
    """
    close = series.fields["close"]
    quotes = int(np.sum(numbers[close] < 0))
    if table.headers[close].key != "prc" or not quotes:
        return numbers, []
    what = f"{quotes} {plural('close', quotes)} below zero {were(quotes)}"
    note = f"{what} taken for means of bid and ask, as CRSP writes them"
    prices = {place for field, place in series.fields.items() if field != "volume"}
    return {p: np.abs(v) if p in prices else v for p, v in numbers.items()}, [note]


def _unread(table: Table, layout: Layout, numbers: Mapping[int, Floats]) -> list[str]:
    """A sentence for each field beside the close with cells that are neither blank nor numbers."""
    notes = []
    for series in layout.series:
        known = ~np.isnan(numbers[series.fields["close"]])
        for field, place in series.fields.items():
            column = table.columns[place]
            if isinstance(column, np.ndarray) or field == "close":
                continue
            rows = np.flatnonzero(known & np.isnan(numbers[place])).tolist()
            bad = [row for row in rows if not is_blank(column[row])]
            if bad:
                notes.append(
                    f'{len(bad)} {plural("cell", len(bad))} of "{table.headers[place].text}"'
                    f" {were(len(bad))} no number and taken as unknown, first row"
                    f' {int(table.rows[bad[0]])} ("{column[bad[0]].strip()[:40]}")'
                )
    return notes


def _date_cells(table: Table, layout: Layout, numbers: Mapping[int, Floats]) -> DateCells:
    priced = np.zeros(len(table.rows), dtype=bool)
    for series in layout.series:
        priced |= ~np.isnan(numbers[series.fields["close"]])
    times: Column = [] if layout.time in {None, layout.date} else table.columns[layout.time or 0]
    groups = None if layout.ticker is None else ticker_names(table.columns[layout.ticker])[1]
    return DateCells(table.columns[layout.date], table.source, table.rows, times, priced, groups)


def _stamps(table: Table, layout: Layout) -> Integers:
    """A code for each date cell with its time of day; empty where there is none."""
    dates = table.columns[layout.date]
    times: Column = [] if layout.time is None else table.columns[layout.time]
    if isinstance(dates, np.ndarray):
        return np.empty(0, dtype=np.int64)
    if layout.time in {None, layout.date} or isinstance(times, np.ndarray):
        if dates[0][4:5] in ("-", "/", ".") and max(map(len, dates)) <= len("2020-01-02"):
            return np.empty(0, dtype=np.int64)
        return np.fromiter(map(hash, dates), np.int64, len(dates))
    return np.fromiter(map(hash, zip(dates, times, strict=True)), np.int64, len(dates))


def _keys(table: Table, layout: Layout) -> dict[str, Texts]:
    """The columns of a few words that have no role, which may be part of the rows' key."""
    taken = {layout.date, layout.ticker, layout.time, layout.currency}
    taken.update(*(series.fields.values() for series in layout.series))
    keys = {}
    for place, column in enumerate(table.columns):
        if place in taken or isinstance(column, np.ndarray) or _is_numeric(column):
            continue
        distinct = set(column)
        if len(distinct) <= MOST_KEYS:
            known = {cell: cell.strip() for cell in distinct}
            texts = np.array([known[cell] for cell in column], dtype=object)
            keys[table.headers[place].text] = texts
    return keys


def _is_numeric(column: Sequence[str]) -> bool:
    """Whether the cells at the head of a column are numbers, percentages or blank."""
    cells = [cell.strip().rstrip("%") for cell in column[:SAMPLED_CELLS]]
    return all(is_blank(cell) or looks_numeric(cell) for cell in cells)


def _with_prices(
    bars: RawBars, table: Table, series: Series, numbers: Mapping[int, Floats]
) -> RawBars:
    column = table.columns[series.fields["close"]]
    values = {field: numbers[place] for field, place in series.fields.items()}
    bad = np.flatnonzero(~is_price(values["close"]))
    blank = np.zeros(len(bars.days), dtype=bool)
    cells: dict[int, str] = {}
    for place in bad.tolist():
        cell = str(column[place]).strip()
        if cell in ("", "nan") or (bars.gaps_expected and is_blank(cell)):
            blank[place] = True
        else:
            cells[int(bars.rows[place])] = cell
    return replace(
        bars, ticker=series.ticker or bars.ticker, values=values, blank=blank, cells=(cells,)
    )


def _by_ticker(
    bars: RawBars,
    table: Table,
    layout: Layout,
    notes: list[str],
    given: str | None,
    *,
    is_named: bool,
) -> list[TickerRows]:
    """Cut rows by the ticker column, in the order in which tickers appear."""
    currencies = _currencies(table, layout, layout.series[0])
    header = _by_header(table, layout.series[0])
    names, codes = ticker_names(table.columns[layout.ticker or 0])
    require_tickers(table, table.headers[layout.ticker or 0].text, names)
    bars = replace(bars, days=dates_filled_down(bars, codes, table, layout, notes))
    codes = filled_down(bars, names, codes, notes)
    is_stray = _strays(bars, names, codes)
    places = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(names)))
    found = []
    for name, group, stray in zip(names, np.split(places, ends[:-1]), is_stray, strict=True):
        if not stray:
            said = [currencies[place] for place in group.tolist()] if currencies else []
            ticker, known = (name, True) if name else (bars.ticker, is_named)
            currency = currency_of(said, header, given, ticker, notes)
            found.append(TickerRows(ticker, bars, group, currency, known))
    return found


def _strays(bars: RawBars, names: list[str], codes: Integers) -> list[bool]:
    """Whether the rows of each ticker hold no bars: rows below the table, or without a ticker."""
    dates = np.bincount(codes, ~np.isnat(bars.days), len(names))
    closes = np.bincount(codes, ~np.isnan(bars.values["close"]), len(names))
    nameless = np.array([not name for name in names])
    stray: list[bool] = ((dates == 0) & ((closes == 0) | nameless)).tolist()
    return stray


def _currencies(table: Table, layout: Layout, series: Series) -> list[str]:
    """What each row's close is in; empty if neither a column nor the cells say it."""
    codes = None if layout.currency is None else table.columns[layout.currency]
    return currencies_of_rows(table.columns[series.fields["close"]], codes)


def _by_header(table: Table, series: Series) -> str:
    """The currency that the header of a close names, where it does not name the ticker."""
    return "" if series.ticker else currency_of_header(table.headers[series.fields["close"]].text)
