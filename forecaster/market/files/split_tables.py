"""What stands in a file: one table, or several side by side; dates in one column, or in three."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from forecaster.errors import DataError
from forecaster.market.files.cells.parse_numbers import Column, is_blank
from forecaster.market.files.column_names import Header, header_of, without_number, word_of
from forecaster.market.files.contents import holds_dates, holds_numbers, is_any_date, share_of
from forecaster.market.files.header import Table
from forecaster.market.files.panel_headers import may_be_pair, names_date
from forecaster.patterns import compiled

DATE_PARTS = ("year", "month", "day")
_BLOOMBERG = compiled(r"\s+(index|equity|curncy|comdty|govt|corp|pfd|mtge|muni)\b.*$", re.I)
"""The yellow key behind a ticker, and what follows it."""


def tables_in(table: Table) -> Iterator[Table]:
    """The tables of a file, each with its own column of dates.

    Raises:
        DataError: tables stand side by side and nothing names them.
    """
    for part in _side_by_side(table):
        yield _with_whole_dates(part)


def _side_by_side(table: Table) -> list[Table]:
    """Cut a table before each further column of dates that has prices of its own behind it."""
    starts = _date_columns(table)
    if len(starts) < 2 or any(table.tickers):
        return [table]
    starts = [0, *starts[1:]]
    ends = [*starts[1:], len(table.headers)]
    return [_part(table, start, end) for start, end in zip(starts, ends, strict=True)]


def _date_columns(table: Table) -> list[int]:
    """Columns of dates with prices behind each of them.

    Under the word of the first one any numbers are prices. Under another word, or none, they are
    those of tickers: dates of dividends or of the end of a bar stand in the same table.
    """
    dates = [place for place in range(len(table.headers)) if _is_date_column(table, place)]
    word = _date_word(table.headers[dates[0]]) if dates else ""
    ends = [*dates[1:], len(table.headers)] if dates else []
    kept, are_tickers = [], False
    for start, end in zip(dates, ends, strict=True):
        places = [place for place in range(start + 1, end) if holds_numbers(table.columns[place])]
        named = any(_is_of_a_ticker(table.headers[place]) for place in places)
        are_tickers |= named and start == dates[0]
        if _date_word(table.headers[start]) == word:
            if not places:
                return []
            kept.append(start)
        elif named and are_tickers:
            kept.append(start)
    return kept


def _is_date_column(table: Table, place: int) -> bool:
    """Whether a column holds dates, and its header says so or says nothing."""
    header, column = header_of(without_number(table.headers[place].text)), table.columns[place]
    if header.role == "date":
        return share_of(column, is_any_date) > 0.8
    says_so = header.is_unnamed or header.role == "time" or names_date(header)
    return says_so and holds_dates(column)


def _date_word(header: Header) -> str:
    return "" if names_date(header) else word_of(header)


def _is_of_a_ticker(header: Header) -> bool:
    return header.is_symbol or may_be_pair(header)


def _part(table: Table, start: int, end: int) -> Table:
    headers = [header_of(without_number(header.text)) for header in table.headers[start:end]]
    headers[0] = header_of("date")
    columns = table.columns[start:end]
    titles = _titles(table.titles[start:end])
    numbers = [head for head, cells in zip(headers, columns, strict=True) if holds_numbers(cells)]
    unnamed = not any(map(_is_of_a_ticker, numbers))
    if not titles and unnamed:
        raise DataError(
            f"{table.source} has several tables side by side, and nothing names the one of columns"
            f" {start + 1} to {end}; a ticker is needed. Write the tickers in a line above the"
            " header, or give each table a file of its own."
        )
    title = titles[0] if titles and unnamed else None
    return replace(
        table, headers=tuple(headers), columns=columns, tickers=(), titles=(), title=title
    )


def _titles(cells: Sequence[str]) -> list[str]:
    """Tickers in the line above a table, without the words that say so: ``Security``."""
    found = [header_of(cell.strip().rstrip(":")) for cell in cells if cell.strip()]
    found = [header for header in found if header.role not in {"ticker", "name"}]
    if any(header.role is not None and not header.is_role_or_symbol for header in found):
        return []  # a line on another subject: ``Currency``, ``Start date``
    return [_BLOOMBERG.sub("", header.text) for header in found]


def _with_whole_dates(table: Table) -> Table:
    """Join a year, a month and a day that stand in columns of their own."""
    places = [_only_part(table, part) for part in DATE_PARTS]
    if None in places or any(holds_dates(column) for column in table.columns):
        return table
    parts = [table.columns[place] for place in places if place is not None]
    whole = [_joined(*cells) for cells in zip(*map(_texts, parts), strict=True)]
    headers = [
        header_of("") if place in places else header for place, header in enumerate(table.headers)
    ]
    return replace(
        table,
        headers=(header_of("date"), *headers),
        columns=(whole, *table.columns),
        tickers=("", *table.tickers) if table.tickers else (),
    )


def _only_part(table: Table, part: str) -> int | None:
    """The one column of years, months or days."""
    named = [place for place, header in enumerate(table.headers) if header.is_part_of_date(part)]
    return named[0] if len(named) == 1 else None


def _texts(column: Column) -> list[str]:
    if isinstance(column, np.ndarray):
        return ["" if np.isnan(value) else f"{value:.0f}" for value in column.astype(float)]
    return [cell.strip().removesuffix(".0") for cell in column]


def _joined(year: str, month: str, day: str) -> str:
    if any(is_blank(cell) for cell in (year, month, day)):
        return ""
    if month.isdecimal():
        return f"{year}-{month.zfill(2)}-{day.zfill(2)}"
    return f"{day} {month} {year}"
