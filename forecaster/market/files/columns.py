"""Which column is what: one history a file, a long table with a ticker column, or a wide panel."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np

from forecaster.errors import DataError, SettingsError, parameter
from forecaster.market.bars import BAR_FIELDS
from forecaster.market.files.column_names import ROLES, Header, split_pair
from forecaster.market.files.header import Table
from forecaster.market.files.parse_dates import looks_like_date
from forecaster.market.files.parse_numbers import Column, is_blank, looks_numeric

SAMPLED_CELLS = 50
SYMBOL_LIKE_CLOSES = frozenset({"c", "nav"})
_ADJUSTED_OHL = {"open": "adjusted_open", "high": "adjusted_high", "low": "adjusted_low"}

_Pairs = list[tuple[int, Header, str]]
"""Column, field and ticker of headers that name both."""


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
class Layout:
    """Column numbers of a table.

    Attributes:
        date: the column of dates.
        series: one, or in a wide table several.
        ticker: the column of tickers of a long table.
        time: a column with a time of day.
        currency: the column of currency codes.
        wide: whether tickers stand in the header.
    """

    date: int
    series: tuple[Series, ...]
    ticker: int | None = None
    time: int | None = None
    currency: int | None = None
    wide: bool = False


def check_column_options(columns: Mapping[str, str]) -> None:
    """Raise a SettingsError for a role that does not exist."""
    for role in columns:
        if role not in ROLES:
            raise SettingsError(
                f"{parameter('columns')} {role}=... names no known column; one of"
                f" {', '.join(ROLES)} is needed. Write for example {parameter('columns')}"
                " close=NAME."
            )


def recognise(table: Table, chosen: Mapping[str, str]) -> Layout:
    """Find the role of each column.

    Args:
        table: the columns.
        chosen: role -> header, as the user named them; these overrule the rules.

    Raises:
        DataError: a named header is not there, or no column has dates or prices.
    """
    fixed = {role: _column_named(table, role, header) for role, header in chosen.items()}
    ranked = _ranked_roles(table, set(fixed.values()))
    date = fixed.get("date", _date_column(table, ranked))
    if date is None:
        raise _missing(table, "date", "dates", "Date")
    best = {role: places[0] for role, places in ranked.items() if places[0] != date}
    best.update(fixed)
    loose_volumes = [place for place, header in enumerate(table.headers) if header.is_volume_of]
    if loose_volumes:
        best.setdefault("volume", loose_volumes[0])
    series, wide = _series(table, best, fixed, date)
    return Layout(
        date=date,
        series=series,
        ticker=None if wide else fixed.get("ticker", _ticker_column(table, ranked, date)),
        time=best.get("time"),
        currency=None if wide else best.get("currency"),
        wide=wide,
    )


def _column_named(table: Table, role: str, header: str) -> int:
    wanted = header.strip()
    texts = [header.text for header in table.headers]
    for names in (texts, [text.lower() for text in texts]):
        if wanted in names:
            return names.index(wanted)
        wanted = wanted.lower()
    raise DataError(
        f'{table.source} has no column "{header}" for {role}; its columns are'
        f" {table.named_headers()}. Correct {parameter('columns')} {role}=NAME."
    )


def _missing(table: Table, role: str, what: str, example: str) -> DataError:
    return DataError(
        f"{table.source}: no column with {what} was recognised among {table.named_headers()}; one"
        f" is needed. Name it with {parameter('columns')} {role}=NAME, for example"
        f" {parameter('columns')} {role}={example}."
    )


def _ranked_roles(table: Table, taken: set[int]) -> dict[str, list[int]]:
    """Role -> columns that could have it, the best name first; blank columns come last."""
    ranked: dict[str, list[tuple[bool, int, int]]] = {}
    for place, header in enumerate(table.headers):
        if header.role is not None and place not in taken:
            order = (_is_useless(table.columns[place]), header.rank, place)
            ranked.setdefault(header.role, []).append(order)
    return {role: [place for _, _, place in sorted(order)] for role, order in ranked.items()}


def _is_useless(column: Column) -> bool:
    """Whether a column is blank, or all zeros (MetaTrader's ``<VOL>`` beside a ``<TICKVOL>``)."""
    if isinstance(column, np.ndarray):
        return bool(np.all(np.isnan(column) | (column == 0))) if column.dtype.kind == "f" else False
    return all(is_blank(cell) or not cell.strip("0. ") for cell in column)


def _date_column(table: Table, ranked: Mapping[str, list[int]]) -> int | None:
    named = ranked.get("date", []) + ranked.get("time", [])
    for place in named:
        if _share(table.columns[place], _is_any_date) > 0.5:
            return place
    for place, header in enumerate(table.headers):
        if header.is_unnamed and _share(table.columns[place], _is_long_date) > 0.5:
            return place
    plain = [
        place
        for place, column in enumerate(table.columns)
        if table.headers[place].role is None and _share(column, looks_like_date) > 0.8
    ]
    if len(plain) == 1:
        return plain[0]
    return named[0] if named else None


_is_any_date = functools.partial(looks_like_date, numbers=True)


def _is_long_date(cell: str) -> bool:
    return looks_like_date(cell, numbers=len(cell.strip()) >= 8)


def _share(column: Column, test: Callable[[str], bool]) -> float:
    """The share of the first filled cells that pass a test; typed dates count as dates."""
    if isinstance(column, np.ndarray):
        if column.dtype.kind == "M":
            return 1.0
        known = column[:SAMPLED_CELLS][~np.isnan(column[:SAMPLED_CELLS])]
        cells = [f"{value:.0f}" for value in known.tolist()]
    else:
        filled = (str(cell) for cell in column if not is_blank(str(cell)))
        cells = list(islice(filled, SAMPLED_CELLS))
    if not cells:
        return 0.0
    return sum(1 for cell in cells if test(cell)) / len(cells)


def _is_numeric(column: Column) -> bool:
    if isinstance(column, np.ndarray):
        return column.dtype.kind == "f"
    return _share(column, looks_numeric) > 0.5


def _ticker_column(table: Table, ranked: Mapping[str, list[int]], date: int) -> int | None:
    places = [place for place in ranked.get("ticker", []) if place != date]
    return next((p for p in places if not isinstance(table.columns[p], np.ndarray)), None)


def _series(
    table: Table, best: Mapping[str, int], fixed: Mapping[str, int], date: int
) -> tuple[tuple[Series, ...], bool]:
    if any(table.tickers):
        places = [place for place in range(len(table.headers)) if place != date]
        pairs = [(place, table.headers[place], table.tickers[place]) for place in places]
        return _by_ticker(table, pairs), True
    if not _has_plain_close(table, best, fixed, date):
        pairs = _flat_pairs(table, date)
        wide = _wide_closes(table, date, pairs) or _wide_fields(table, pairs)
        if wide:
            return wide, True
    return (_one_series(table, None, best),), False


def _has_plain_close(
    table: Table, best: Mapping[str, int], fixed: Mapping[str, int], date: int
) -> bool:
    """Whether a close column is surely one, not the ticker C of a wide panel."""
    close = best.get("close", best.get("adjusted_close"))
    if close is None:
        return False
    if "close" in fixed or table.headers[close].key not in SYMBOL_LIKE_CLOSES:
        return True
    symbols = len(_symbol_columns(table, date))
    prices = [role for role in ("open", "high", "low", "close") if role in best]
    return symbols == 0 or (len(prices) == 4 and symbols <= len(prices))


def _symbol_columns(table: Table, date: int) -> list[int]:
    """Columns of numbers whose header is written like a symbol and is no other known word."""
    return [
        place
        for place, header in enumerate(table.headers)
        if place != date and header.is_symbol and _is_numeric(table.columns[place])
    ]


def _flat_pairs(table: Table, date: int) -> _Pairs:
    """Headers of one line that name a field and a ticker."""
    return [
        (place, *pair)
        for place, header in enumerate(table.headers)
        if place != date and (pair := split_pair(header.text)) is not None
    ]


def _wide_closes(table: Table, date: int, pairs: _Pairs) -> tuple[Series, ...]:
    """One column of closes a ticker; none where most symbols are a field and a ticker."""
    symbols = _symbol_columns(table, date)
    paired = {place for place, _, _ in pairs}.intersection(symbols)
    if not symbols or 2 * len(paired) > len(symbols):
        return ()
    like_roles = [
        place
        for place, header in enumerate(table.headers)
        if place != date and header.is_role_or_symbol and _is_numeric(table.columns[place])
    ]
    return tuple(
        Series(table.headers[place].text, {"close": place})
        for place in sorted(symbols + like_roles)
    )


def _wide_fields(table: Table, pairs: _Pairs) -> tuple[Series, ...]:
    """Several columns a ticker, where at least one is a close."""
    if not any(field.role in {"close", "adjusted_close"} for _, field, _ in pairs):
        return ()
    return _by_ticker(table, pairs)


def _by_ticker(table: Table, pairs: _Pairs) -> tuple[Series, ...]:
    """Group columns by the ticker in their header; tickers without any price are left out."""
    groups: dict[str, dict[str, tuple[int, int]]] = {}
    for place, field, ticker in pairs:
        if field.role is not None and ticker:
            group = groups.setdefault(ticker, {})
            if field.role not in group or field.rank < group[field.role][0]:
                group[field.role] = (field.rank, place)
    series = []
    for ticker, group in groups.items():
        best = {role: place for role, (_, place) in group.items()}
        if "close" in best or "adjusted_close" in best:
            series.append(_one_series(table, ticker, best))
    if not series:
        raise _missing(table, "close", "closes", "Close")
    return tuple(series)


def _one_series(table: Table, ticker: str | None, best: Mapping[str, int]) -> Series:
    fields = {role: best[role] for role in BAR_FIELDS if role in best}
    if "close" in fields:
        return Series(ticker, fields)
    if "adjusted_close" not in fields:
        raise _missing(table, "close", "prices", "Close")
    own = {role: best[name] for role, name in _ADJUSTED_OHL.items() if name in best}
    return Series(ticker, {**fields, "close": fields["adjusted_close"], **own})
