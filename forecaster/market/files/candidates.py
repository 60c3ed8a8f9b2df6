"""The columns that a table's words name for each role, before its cells decide between them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecaster.errors import DataError, parameter
from forecaster.market.files.cells.currencies import currency_of_header
from forecaster.market.files.cells.parse_dates import looks_like_date
from forecaster.market.files.cells.parse_numbers import Column, looks_numeric
from forecaster.market.files.column_names import Header
from forecaster.market.files.contents import (
    counts_rows,
    holds_nothing,
    holds_numbers,
    is_any_date,
    jumps_like_a_volume,
    numbers_from_first,
    share_of,
)
from forecaster.market.files.header import Table
from forecaster.wording import listed, quoted

CLOSES = ("close", "adjusted_close")
RANGE = ("open", "high", "low")


@dataclass(frozen=True)
class Series:
    """The columns of one history, or of all histories of a long table.

    Attributes:
        ticker: from the header of a wide table, else None.
        fields: role -> column number; always has ``close``.
    """

    ticker: str | None
    fields: Mapping[str, int]


@dataclass(frozen=True)
class Candidates:
    """What each column of a table could be.

    Attributes:
        table: the columns.
        ranked: role -> columns with a word for it, the best first; without the dates.
        fixed: role -> column, as the user named them.
        date: the column of dates.
    """

    table: Table
    ranked: Mapping[str, tuple[int, ...]]
    fixed: Mapping[str, int]
    date: int

    def header(self, place: int) -> Header:
        """The header of a column."""
        return self.table.headers[place]

    def best(self, role: str) -> int | None:
        """The column that the user or the best word names for a role."""
        return self.fixed.get(role, next(iter(self.ranked.get(role, ())), None))

    @cached_property
    def ticker(self) -> int | None:
        """The column of tickers of a long table.

        A column of names counts where there is none of tickers. Numbers are no names, nor are
        numbers with a fraction tickers, nor those that differ from date to date.
        """
        if "ticker" in self.fixed:
            return self.fixed["ticker"]
        columns, dates = self.table.columns, self.table.columns[self.date]
        tickers = (p for p in self.ranked.get("ticker", ()) if _may_be_tickers(columns[p], dates))
        names = (p for p in self.ranked.get("name", ()) if not holds_numbers(columns[p]))
        return next(tickers, next(names, None))

    @cached_property
    def volume(self) -> int | None:
        """The column of volumes; one that only begins like it (``Volume BTC``) where none is."""
        loose = (place for place, header in enumerate(self.table.headers) if header.is_volume_of)
        named = self.best("volume")
        return next(loose, None) if named is None else named

    @cached_property
    def numbers(self) -> tuple[int, ...]:
        """Columns of numbers, whatever their words, without the dates."""
        used = {self.date, *self.fixed.values()}
        return tuple(
            place
            for place, column in enumerate(self.table.columns)
            if place not in used and holds_numbers(column)
        )

    @cached_property
    def unknown(self) -> tuple[int, ...]:
        """Columns of numbers under words that say nothing."""
        return tuple(
            place
            for place in self.numbers
            if self.header(place).role is None
            and not self.header(place).is_noise
            and not self.header(place).is_unnamed
            and place != self.volume
        )

    def may_be_prices(self, place: int) -> bool:
        """Whether a column of numbers is neither row numbers nor volumes."""
        values = numbers_from_first(self.table.columns[place], self.table.delimiter)
        return not counts_rows(values) and not jumps_like_a_volume(values)


def missing(table: Table, role: str, what: str, example: str | None) -> DataError:
    """The failure of a table in which no column has a role that is needed.

    Args:
        table: the columns.
        role: that is needed.
        what: a column of it holds.
        example: the header of a column that could have the role; None: there is none.
    """
    option = parameter("columns")
    remedy = f"Give a file with {what}, or name their column with {option} {role}=NAME."
    if example is not None:
        remedy = (
            f"Name it with {option} {role}=NAME, for example {option} {assigned(role, example)}."
        )
    return DataError(
        f"{table.source}: no column with {what} was recognised among {table.named_headers()}; one"
        f" is needed. {remedy}"
    )


def several_closes(table: Table, places: Sequence[int]) -> DataError:
    """The failure of a table in which several columns are closes of one history."""
    texts = [table.headers[place].text for place in places]
    differ = "in different currencies" if are_same(table, places) else "with different numbers"
    remedy = "Rename one of them."
    if len(set(texts)) == len(texts):
        remedy = f"Name it with {parameter('columns')} {assigned('close', texts[0])}."
    return DataError(
        f"{table.source} has {len(texts)} columns of closes {differ},"
        f" {listed(map(quoted, texts))}; one is needed. {remedy}"
    )


def are_one(table: Table, places: Sequence[int]) -> bool:
    """Whether columns of closes are one: the same cells, and no two currencies above them."""
    codes = {currency_of_header(table.headers[place].text) for place in places}
    return len(codes - {""}) < 2 and are_same(table, places)


def are_same(table: Table, places: Sequence[int]) -> bool:
    """Whether columns hold the same cells; an unknown number is the same as another one."""
    columns = (table.columns[place] for place in places)
    first, *others = (c.tobytes() if isinstance(c, np.ndarray) else c for c in columns)
    return all(other == first for other in others)


def assigned(role: str, header: str) -> str:
    """A role and a header as they are typed: ``close=PX``, ``"close=Real Price"``."""
    text = f"{role}={header}"
    return (
        text if re.fullmatch(r"[\w=.,+-]+", text) else f"'{text}'" if '"' in text else f'"{text}"'
    )


def ranked_roles(table: Table, taken: set[int]) -> dict[str, list[int]]:
    """Role -> columns that could have it, the best name first; blank columns come last."""
    ranked: dict[str, list[tuple[bool, int, int]]] = {}
    for place, header in enumerate(table.headers):
        if header.role is not None and place not in taken:
            order = (holds_nothing(table.columns[place]), header.rank, place)
            ranked.setdefault(header.role, []).append(order)
    return {role: [place for _, _, place in sorted(order)] for role, order in ranked.items()}


def date_column(table: Table, ranked: Mapping[str, list[int]]) -> int | None:
    """The column of dates, or None."""
    named = ranked.get("date", []) + ranked.get("time", [])
    for place in named:
        if share_of(table.columns[place], is_any_date) > 0.5:
            return place
    for place, header in enumerate(table.headers):
        if header.is_unnamed and share_of(table.columns[place], _is_long_date) > 0.5:
            return place
    for test in (looks_like_date, _is_compact_date):
        places = [
            place
            for place, column in enumerate(table.columns)
            if table.headers[place].role is None and share_of(column, test) > 0.8
        ]
        if len(places) == 1:
            return places[0]
    return named[0] if named else None


def _is_compact_date(cell: str) -> bool:
    return len(cell.strip()) == 8 and looks_like_date(cell, numbers=True)


def _is_long_date(cell: str) -> bool:
    return looks_like_date(cell, numbers=len(cell.strip()) >= 8)


def _may_be_tickers(column: Column, dates: Column) -> bool:
    if isinstance(column, np.ndarray):
        if not holds_numbers(column):
            return False
        return bool(np.all(np.isnan(column) | (column == np.floor(column))))
    if holds_numbers(column) and len(dates) > 1 and _all_differ(column) and _all_differ(dates):
        return False
    return share_of(column, _has_fraction) < 0.5


def _all_differ(column: Column) -> bool:
    return len(set(column)) == len(column)


def _has_fraction(cell: str) -> bool:
    """Whether a cell is a number with decimals; ``7203.T`` is none, but a ticker of Tokyo."""
    text = cell.strip().rstrip("0").rstrip(".")
    return ("." in text or "," in text) and text[-1:].isdigit() and looks_numeric(text)
