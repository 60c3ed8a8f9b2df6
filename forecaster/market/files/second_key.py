"""A second key: rows of one ticker and date that another column tells apart (SERIES, Exchange)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from forecaster.arrays import Integers
from forecaster.errors import DataError, parameter
from forecaster.market.raw_bars import RawBars, Texts
from forecaster.patterns import compiled
from forecaster.wording import plural, were

_TIME_OF_DAY = compiled(r"\d{1,2}:\d{2}")


class KeyChoice(NamedTuple):
    """Which rows of a ticker were kept.

    Attributes:
        header: of the column that tells them apart.
        value: the cell that stands on every date.
        left_out: how many rows.
        first: the first of them, for a note.
    """

    header: str
    value: str
    left_out: int
    first: str


def with_one_key(bars: RawBars) -> tuple[RawBars, KeyChoice | None]:
    """The rows whose key is on every date, where rows of a date differ by another column's cells.

    Raises:
        DataError: a column tells the rows apart, and it is open which ones are meant.
    """
    if not bars.keys:
        return bars, None
    usable = np.flatnonzero(bars.usable)
    if not _disagree(bars, usable, np.zeros(len(usable), dtype=np.int64)):
        return bars, None
    telling = [
        (header, texts)
        for header, texts in bars.keys.items()
        if not _disagree(bars, usable, np.unique(texts[usable], return_inverse=True)[1])
    ]
    if not telling:
        return bars, None
    kept = [
        _kept(bars, usable, header, lasting[0])
        for header, texts in telling
        if len(lasting := _on_every_date(bars, usable, texts)) == 1
    ]
    if kept and all(np.array_equal(kept[0][0].rows, rows.rows) for rows, _ in kept):
        return kept[0]
    fewest = min(telling, key=lambda column: len(set(column[1].tolist())))
    raise DataError(_undecided(bars, usable, *fewest))


def _disagree(bars: RawBars, usable: Integers, codes: Integers) -> bool:
    """Whether rows of one date and one code have different values."""
    rows = usable[np.lexsort((codes, bars.days[usable]))]
    codes = codes[np.lexsort((codes, bars.days[usable]))]
    same = (bars.days[rows][1:] == bars.days[rows][:-1]) & (codes[1:] == codes[:-1])
    places = np.flatnonzero(same)
    return bool(np.any(bars.differ(rows[places], rows[places + 1])))


def _on_every_date(bars: RawBars, usable: Integers, texts: Texts) -> list[str]:
    days = bars.days[usable]
    count = len(np.unique(days))
    values = np.unique(texts[usable])
    return [v for v in values.tolist() if len(np.unique(days[texts[usable] == v])) == count]


def _kept(bars: RawBars, usable: Integers, header: str, value: str) -> tuple[RawBars, KeyChoice]:
    other = np.zeros(len(bars.days), dtype=bool)
    other[usable] = bars.keys[header][usable] != value
    first = int(np.argmax(other))
    choice = KeyChoice(header, value, int(other.sum()), f"{bars.row(first)} ({bars.days[first]})")
    return bars.take(np.flatnonzero(~other)), choice


def _undecided(bars: RawBars, usable: Integers, header: str, texts: Texts) -> str:
    values = list(dict.fromkeys(texts[usable].tolist()))
    if all(map(_TIME_OF_DAY.match, values)):
        return (
            f'{bars.name}: rows of one date differ by "{header}" ({values[0]}, …); these are'
            " intraday bars, and daily bars are needed. Give one row a day."
        )
    named = ", ".join(values[:4]) + (", …" if len(values) > 4 else "")
    ways = len(_on_every_date(bars, usable, texts))
    found = "several are" if ways else "none is"
    remedy = f'Leave the rows of all but one "{header}" out.'
    if not bars.has_ticker_column:
        remedy = (
            f"Read each as a ticker of its own with {parameter('columns')} ticker={header}, or"
            " leave the wrong rows out."
        )
    return (
        f'{bars.name}: rows of one date differ by "{header}" ({named}), and {found} on every date;'
        f" one row a date is needed. {remedy}"
    )


def key_notes(choices: dict[str, KeyChoice]) -> dict[str, str]:
    """A note for each ticker of a few, or one for many, by the ticker that it is shown with."""
    if len(choices) <= 3:
        return {
            ticker: f'{one.left_out} {plural("row", one.left_out)} with another "{one.header}" than'
            f" {one.value or 'blank'}, which is on every date, {were(one.left_out)} left out,"
            f" first {one.first}"
            for ticker, one in choices.items()
        }
    ticker, first = next(iter(choices.items()))
    values = list(dict.fromkeys(one.value or "blank" for one in choices.values()))
    total = sum(one.left_out for one in choices.values())
    return {
        ticker: f"{total} rows of this and {len(choices) - 1} more tickers with another"
        f' "{first.header}" than the one on every date ({", ".join(values[:4])}) were left out,'
        f" first {first.first}"
    }
