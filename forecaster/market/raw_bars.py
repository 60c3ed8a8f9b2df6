"""Rows of one ticker as files have them, from one file or several, and one row a date of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecaster.arrays import Days, Floats, Integers, Mask
from forecaster.errors import DataError, parameter
from forecaster.wording import plural, were

CONFLICT_SHARE = 0.01
CONFLICT_RATIO = 1.25  # two rows of one date and one stock have closes nearer than this
SMALLEST_PRICE, LARGEST_PRICE = 1e-15, 1e15

Texts = NDArray[np.object_]


@dataclass(frozen=True)
class RawBars:
    """The rows of one ticker, file by file in file order.

    Attributes:
        sources: the files, for messages, in the order in which they were given.
        ticker: the symbol.
        files: place in ``sources`` of the file of each row, shape ``(n,)``.
        days: ``datetime64[D]``, shape ``(n,)``; NaT where the date is unusable.
        rows: line in its file, shape ``(n,)``.
        values: the fields that the files have, each ``(n,)``, NaN where blank or no number.
        blank: whether the close cell is blank, shape ``(n,)``.
        cells: for each file, line -> close cell where that is neither blank nor a price.
        stamps: codes of the date cells with any time of day, to tell intraday bars; empty where
            there is no time of day.
        keys: header -> cells of other columns of text, which may tell rows of a date apart.
        currency: ISO code, or None.
        gaps_expected: whether a blank close says nothing (a wide panel before a listing).
        has_ticker_column: whether the rows were cut out of a table by a column of tickers.
    """

    sources: tuple[str, ...]
    ticker: str
    files: Integers
    days: Days
    rows: Integers
    values: Mapping[str, Floats]
    blank: Mask
    cells: tuple[Mapping[int, str], ...] = ()
    stamps: Integers = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    keys: Mapping[str, Texts] = field(default_factory=dict)
    currency: str | None = None
    gaps_expected: bool = False
    has_ticker_column: bool = False

    def take(self, places: Integers) -> RawBars:
        """The rows at ``places``, in that order."""
        return replace(
            self,
            files=self.files[places],
            days=self.days[places],
            rows=self.rows[places],
            values={name: values[places] for name, values in self.values.items()},
            blank=self.blank[places],
            stamps=self.stamps[places] if len(self.stamps) else self.stamps,
            keys={header: texts[places] for header, texts in self.keys.items()},
        )

    @property
    def usable(self) -> Mask:
        """Which rows have a date and a close, ``(n,)``."""
        return ~np.isnat(self.days) & is_price(self.values["close"])

    @property
    def name(self) -> str:
        """What a message calls all of it: the file, and the ticker where the file has several."""
        if len(self.sources) > 1:
            return f"{self.ticker} ({len(self.sources)} files)"
        several = self.is_of_several and self.ticker != self.sources[0]
        return f"{self.sources[0]}: {self.ticker}" if several else self.sources[0]

    @property
    def is_of_several(self) -> bool:
        """Whether the table may hold other tickers too."""
        return self.has_ticker_column or self.gaps_expected

    def row(self, place: int) -> str:
        """What a note calls a row."""
        line = f"row {int(self.rows[place])}"
        return line if len(self.sources) == 1 else f"{line} of {self.source(place)}"

    def source(self, place: int) -> str:
        """The file of a row."""
        return self.sources[int(self.files[place])]

    def close_cell(self, place: int) -> str:
        """The close of a row as its file has it, for messages."""
        cells = self.cells[int(self.files[place])] if self.cells else {}
        cell = cells.get(int(self.rows[place]), "")
        return f'close is "{cell[:40]}"' if cell else "close is blank"

    def differ(self, one: Integers, other: Integers) -> Mask:
        """Whether the values of two rows differ, for each pair of places."""
        differ = np.zeros(len(one), dtype=bool)
        for values in self.values.values():
            first, second = values[one], values[other]
            differ |= (first != second) & ~(np.isnan(first) & np.isnan(second))
        return differ


def joined_rows(ticker: str, parts: Sequence[tuple[RawBars, Integers]]) -> RawBars:
    """The rows of one ticker that stand in several tables.

    Args:
        ticker: the symbol.
        parts: tables of one file each, and the places of the ticker's rows in them.
    """
    first = parts[0][0]
    counts = [len(places) for _, places in parts]

    def together(name: str, missing: Any, tables: Sequence[Mapping[str, Any]]) -> Any:
        return np.concatenate(
            [
                table[name][places] if name in table else np.full(len(places), missing)
                for table, (_, places) in zip(tables, parts, strict=True)
            ]
        )

    fields = dict.fromkeys(name for bars, _ in parts for name in bars.values)
    headers = dict.fromkeys(header for bars, _ in parts for header in bars.keys)
    values, keys = [bars.values for bars, _ in parts], [bars.keys for bars, _ in parts]
    stamped = all(len(bars.stamps) for bars, _ in parts)
    return replace(
        first,
        sources=tuple(bars.sources[0] for bars, _ in parts),
        ticker=ticker,
        files=np.repeat(np.arange(len(parts)), counts),
        days=np.concatenate([bars.days[places] for bars, places in parts]),
        rows=np.concatenate([bars.rows[places] for bars, places in parts]),
        values={name: together(name, np.nan, values) for name in fields},
        blank=np.concatenate([bars.blank[places] for bars, places in parts]),
        cells=tuple(bars.cells[0] if bars.cells else {} for bars, _ in parts),
        stamps=np.concatenate([bars.stamps[places] for bars, places in parts])
        if stamped
        else np.empty(0, dtype=np.int64),
        keys={header: together(header, "", keys) for header in headers},
        gaps_expected=any(bars.gaps_expected for bars, _ in parts),
    )


def is_price(values: Floats) -> Mask:
    """Finite, above zero and of a size that any market has seen, so that ratios stay finite."""
    return (values >= SMALLEST_PRICE) & (values <= LARGEST_PRICE)


def one_row_a_date(bars: RawBars, notes: list[str]) -> RawBars:
    """The rows with a date and a close, oldest first, each date once.

    Raises:
        DataError: more than half of the rows from the first close to the last one have none that
            is usable, or rows of a date disagree.
    """
    return _one_per_date(_in_order(_with_usable_closes(bars, notes), notes), notes)


def _with_usable_closes(bars: RawBars, notes: list[str]) -> RawBars:
    close = bars.values["close"]
    dated = ~np.isnat(bars.days)
    footers = ~dated & np.isnan(close)
    usable = bars.usable
    counted = ~footers & ~(bars.blank & bars.gaps_expected)
    bad = counted & ~usable
    count, outside = int(bad.sum()), _outside(bars, usable)
    if np.sum(bad & ~outside) * 2 > np.sum(counted & ~outside) or not usable.any():
        raise DataError(_unusable(bars, bad, dated))
    if count:
        first = int(np.argmax(bad))
        what = "usable close" if np.all(dated[bad]) else "usable date or close"
        found = bars.close_cell(first) if dated[first] else "no date"
        notes.append(
            f"{count} {plural('row', count)} with no {what} {were(count)} left out, first"
            f" {bars.row(first)} ({found})"
        )
    return bars if usable.all() else bars.take(np.flatnonzero(usable))


def _outside(bars: RawBars, usable: Mask) -> Mask:
    """Which rows say nothing at all before the first close or after the last one.

    A frame of many tickers that is cut apart has them for each that was listed late or left early.
    """
    outside = bars.blank & ~np.isnat(bars.days)
    for values in bars.values.values():
        outside &= np.isnan(values)
    if usable.any():
        days = bars.days[usable]
        outside &= (bars.days < days.min()) | (bars.days > days.max())
    return outside


def _unusable(bars: RawBars, bad: Mask, dated: Mask) -> str:
    if bars.is_of_several and bool(np.all(bars.blank)):
        return (
            f"{bars.name} has a blank close in each of {len(bad)} {plural('row', len(bad))}; prices"
            f" are needed. Leave {bars.ticker} out."
        )
    place = int(np.argmax(bad)) if bad.any() else 0
    if bad.any() and not dated[place]:
        text = "no date"
        needed = f"a date is needed. Name the column with {parameter('columns')} date=NAME"
    else:
        text = bars.close_cell(place)
        needed = (
            "a number above zero is needed. Correct the row or name the column with"
            f" {parameter('columns')} close=NAME"
        )
    share = f" ({int(bad.sum())} rows of {len(bad)} cannot be used)" if bad.sum() > 1 else ""
    return f"{bars.source(place)}, row {int(bars.rows[place])}: {text}; {needed}{share}."


def _in_order(bars: RawBars, notes: list[str]) -> RawBars:
    """Sort by date; a file that is neither oldest nor newest first is worth a note."""
    steps = np.diff(bars.days.astype(np.int64))
    inside = bars.files[1:] == bars.files[:-1]
    rises = np.bincount(bars.files[1:][inside & (steps > 0)], minlength=len(bars.sources))
    falls = np.bincount(bars.files[1:][inside & (steps < 0)], minlength=len(bars.sources))
    mixed = np.flatnonzero((rises > 0) & (falls > 0))
    if len(mixed):
        file = int(mixed[0])
        against = steps > 0 if falls[file] > rises[file] else steps < 0
        wrong = int(np.argmax(inside & against & (bars.files[1:] == file))) + 1
        notes.append(
            f"rows were not in order of date and were sorted, first out of order"
            f" {bars.row(wrong)} ({bars.days[wrong]})"
        )
    return bars if np.all(steps >= 0) else bars.take(np.argsort(bars.days, kind="stable"))


def _one_per_date(bars: RawBars, notes: list[str]) -> RawBars:
    """Keep the last row of each date; refuse rows of a date that may be of two stocks."""
    same = bars.days[1:] == bars.days[:-1]
    if not same.any():
        return bars
    places = np.arange(len(bars.days))
    alike = same & ~bars.differ(places[1:], places[:-1])
    conflicts = np.flatnonzero(same & ~alike)
    if len(conflicts):
        _require_corrections(bars, conflicts)
    repeats = int(np.sum(alike))
    if repeats:
        first = int(np.argmax(alike)) + 1
        notes.append(
            f"{repeats} repeated {plural('row', repeats)} {were(repeats)} left out, first on"
            f" {bars.days[first]} ({bars.row(first)})"
        )
    dates = np.unique(bars.days[conflicts])
    if len(dates):
        notes.append(
            f"{len(dates)} {'date has' if len(dates) == 1 else 'dates have'} several rows"
            f" with different values, first {dates[0]}; the last row in the file was kept"
        )
    return bars.take(np.flatnonzero(np.append(~same, True)))


def _require_corrections(bars: RawBars, conflicts: Integers) -> None:
    """Refuse rows of one date with other values, unless they can only be corrections.

    A correction is rare, one date of a hundred or one of the file, and its close is near.

    Raises:
        DataError: there are too many, they are too far apart, or the bars are intraday.
    """
    dates, total = np.unique(bars.days[conflicts]), len(np.unique(bars.days))
    close = bars.values["close"]
    ratios = np.abs(np.log(close[conflicts + 1] / close[conflicts]))
    often = len(dates) > max(1, CONFLICT_SHARE * total) or (total < 3 and len(dates) > 0)
    first = int(np.flatnonzero(bars.days == dates[0])[0])
    of_first = bars.stamps[bars.days == dates[0]] if len(bars.stamps) else []
    intraday = len(np.unique(of_first)) > 1
    is_intraday = intraday and (often or len(bars.days) > 1.5 * total)
    if often or is_intraday or bool(np.any(ratios > np.log(CONFLICT_RATIO))):
        share = f"{len(dates)} of {total} {plural('date', total)}"
        raise DataError(_conflict(bars, first, share, is_intraday))


def _conflict(bars: RawBars, first: int, share: str, intraday: bool) -> str:
    start = (
        f"{bars.source(first)}, row {int(bars.rows[first + 1])}: {bars.days[first]} was already"
        f" seen in {bars.row(first)} with other prices ({share}); "
    )
    if intraday:
        return start + "these are intraday bars, and daily bars are needed. Give one row a day."
    needed = "one row a date is needed. "
    if bars.has_ticker_column:
        return f"{start}{needed}Leave the wrong rows of {bars.ticker} out of the file."
    return (
        f"{start}{needed}If the file holds several tickers, name their column with"
        f" {parameter('columns')} ticker=NAME; else leave the wrong rows out."
    )
