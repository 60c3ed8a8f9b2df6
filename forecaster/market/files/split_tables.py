"""What stands in a file: one table, or several side by side; dates in one column, or in three."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from forecaster.errors import DataError
from forecaster.market.files.cells.parse_numbers import Column, is_blank
from forecaster.market.files.column_names import header_of, without_number, word_of
from forecaster.market.files.contents import holds_dates, holds_numbers
from forecaster.market.files.header import Table

DATE_PARTS = ("year", "month", "day")
_BLOOMBERG = re.compile(r"\s+(index|equity|curncy|comdty|govt|corp|pfd|mtge|muni)\b.*$", re.I)
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
    """Columns of dates under one word, each with a column of numbers before the next one."""
    words = [word_of(header) for header in table.headers]
    again = [place for place, word in enumerate(words) if words.count(word) > 1]
    dates = [place for place in again if holds_dates(table.columns[place])]
    dates = [place for place in dates if words[place] == words[dates[0]]]
    ends = [*dates[1:], len(table.headers)] if dates else []
    filled = [
        any(holds_numbers(column) for column in table.columns[start + 1 : end])
        for start, end in zip(dates, ends, strict=True)
    ]
    return dates if all(filled) else []


def _part(table: Table, start: int, end: int) -> Table:
    headers = [header_of(without_number(header.text)) for header in table.headers[start:end]]
    columns = table.columns[start:end]
    titles = [cell.strip() for cell in table.titles[start:end] if cell.strip()]
    unnamed = not any(
        header.is_symbol for header, column in zip(headers, columns, strict=True)
        if holds_numbers(column)
    )  # fmt: skip
    if not titles and unnamed:
        raise DataError(
            f"{table.source} has several tables side by side, and nothing names the one of columns"
            f" {start + 1} to {end}; a ticker is needed. Write the tickers in a line above the"
            " header, or give each table a file of its own."
        )
    title = _BLOOMBERG.sub("", titles[0]) if titles and unnamed else None
    return replace(
        table, headers=tuple(headers), columns=columns, tickers=(), titles=(), title=title
    )


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
