"""Dates that stand far from their place in a column that is in order otherwise: slips of the pen.

A wrong year, or day and month exchanged, moves a price away from its session and may make it the
last one. Where rows are in order but for a few, their neighbours tell.
"""

from __future__ import annotations

import contextlib
from bisect import bisect_right
from datetime import datetime
from itertools import pairwise

import numpy as np

from forecaster.arrays import Days, Integers
from forecaster.errors import DataError, parameter
from forecaster.market.files.cells.date_order import exchanged, places_by_group
from forecaster.market.files.cells.parse_dates import DateCells

_FAR = 10
"""Usual steps from row to row: further from its place a date is no matter of order alone."""
_MOST, _IN_A_RUN = 0.05, 2
"""The share of a column, and how many rows one after the other, that slips of the pen may be."""
_AT_AN_END = 9
"""Sessions up to the 12th of a month, whose day and month can be exchanged."""
_YEAR, _NEXT = 365.2425, 5
"""Days of a year; and to the next session at most, over a long weekend."""
_FORMATS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y",
    "%m-%d-%Y", "%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d-%m-%y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y",
    "%b %d %Y", "%b %d, %Y", "%d %B %Y", "%B %d %Y", "%B %d, %Y",
)  # fmt: skip
"""How dates may be written that a format is advised for."""


def refuse_strays(days: Days, cells: DateCells) -> None:
    """Refuse dates of which a few stand far from their place, unless they were read by a format.

    Args:
        days: ``datetime64[D]``, ``(n,)``, NaT where unknown.
        cells: the column they were read from, and what is beside it.

    Raises:
        DataError: the rows of a ticker are in order but for a few, each far from the dates that it
            stands between; or the first or last of them follow the others only in another year, or
            with day and month exchanged.
    """
    known = np.flatnonzero(~np.isnat(days) & (True if cells.priced is None else cells.priced))
    groups = None if cells.groups is None else cells.groups[known]
    for members in places_by_group(groups, len(known)):
        places = known[members]
        stray = _stray(days[places])
        if stray is not None:
            raise DataError(_message(days[places], stray, cells, places))


def _stray(days: Days) -> int | None:
    """The place of a date that is far from where it belongs, if few of a column are."""
    if len(days) * _MOST < 1:
        return None
    numbers, others = days.astype(np.int64), exchanged(days).astype(np.int64)
    steps = np.diff(numbers)
    sign = -1 if np.sum(steps < 0) > np.sum(steps > 0) else 1
    numbers, others = sign * numbers, sign * others
    place = _inside(numbers, others) if np.any(np.diff(numbers) < 0) else None
    if place is None:
        place = _at_the_end(numbers, others, sign)
    if place is None:
        before = _at_the_end(-numbers[::-1], -others[::-1], -sign)
        place = None if before is None else len(days) - 1 - before
    return place


def _inside(numbers: Integers, others: Integers) -> int | None:
    """The first of a few rows that is far from the two rising dates it stands between.

    Args:
        numbers: days since 1970, most of them rising.
        others: the same with day and month exchanged.
    """
    kept = _longest_rise(numbers.tolist())
    if len(numbers) - len(kept) > _MOST * len(numbers):
        return None
    far = _far(numbers[kept])
    for before, after in pairwise(kept):
        run, other = numbers[before + 1 : after], others[before + 1 : after]
        if not len(run):
            continue
        least, most = numbers[before], numbers[after]
        if np.any((run >= least - far) & (run <= most + far)):
            continue
        if len(run) <= _IN_A_RUN or np.all((other >= least) & (other <= most)):
            return before + 1
    return None


def _at_the_end(numbers: Integers, others: Integers, sign: int) -> int | None:
    """The first of the last rows that do not follow those before them, and would if mended.

    They would with day and month exchanged, or in another year, unless they fell on a weekend
    there, on which no other row is.

    Args:
        numbers: days since 1970, or those with the other sign, most of them rising.
        others: the same with day and month exchanged.
        sign: 1, or -1 where the numbers are negative days.
    """
    far = _far(numbers)
    gaps = np.abs(np.diff(numbers[-_AT_AN_END - 1 :])) > far
    goes_around = 0 < numbers[0] - numbers[-1] <= far  # the oldest rows are at the end
    if goes_around or not np.any(gaps):
        return None
    place = len(numbers) - len(gaps) + int(np.argmax(gaps))
    last = numbers[place - 1]
    years = np.rint((last - numbers[place:]) / _YEAR) * _YEAR
    in_that_year = np.rint(numbers[place:] + years)
    for mended, most in ((others[place:], far), (in_that_year, _NEXT)):
        steps = np.diff(mended, prepend=last)
        on_weekends = _on_weekends(sign * mended) and not _on_weekends(sign * numbers[:place])
        if np.all((steps > 0) & (steps <= most)) and not on_weekends:
            return place
    return None


def _on_weekends(numbers: Integers) -> bool:
    """Whether any day, of those since 1970, is a Saturday or a Sunday."""
    return bool(np.any((numbers + 3) % 7 > 4))


def _far(numbers: Integers) -> int:
    """How many days from its place a date is far away, by the usual step from row to row."""
    return _FAR * max(1, int(np.median(np.abs(np.diff(numbers)))))


def _longest_rise(numbers: list[int]) -> list[int]:
    """The places of the longest sequence of numbers of which none is less than the one before."""
    ends: list[int] = []  # the least number that a sequence of each length can end with
    at: list[int] = []
    before: list[int] = []
    for place, number in enumerate(numbers):
        length = bisect_right(ends, number)
        before.append(at[length - 1] if length else -1)
        ends[length : length + 1], at[length : length + 1] = [number], [place]
    kept, place = [], at[-1]
    while place >= 0:
        kept.append(place)
        place = before[place]
    return kept[::-1]


def _message(days: Days, stray: int, cells: DateCells, places: Integers) -> str:
    beside = days[[place for place in (stray - 1, stray + 1) if 0 <= place < len(days)]]
    between = "between " + " and ".join(map(str, beside)) if len(beside) > 1 else f"by {beside[0]}"
    turned = exchanged(days[stray : stray + 1])[0]
    is_near = np.min(np.abs(turned - beside)) <= np.timedelta64(_FAR, "D")
    fits = is_near and turned != days[stray]
    guess = f", and may be {turned} with day and month exchanged" if fits else ""
    written = _format_of(cells, places, days)
    way_out = f"say how dates are written: {parameter('date_format')} {written}"
    iso = f"write all dates as in 2020-09-01, and add {parameter('date_format')} {_FORMATS[0]}"
    return (
        f"{cells.source}, row {int(cells.rows[places[stray]])}: date is {days[stray]}, {between}"
        f"{guess}; the other rows are in order of date. Correct it; if it is right,"
        f" {way_out if written else iso}."
    )


def _format_of(cells: DateCells, places: Integers, days: Days) -> str | None:
    """The format that reads all dates as they were read; None where none does."""
    column = cells.column
    if isinstance(column, np.ndarray):
        return _FORMATS[0] if column.dtype.kind == "M" else None
    for written in _FORMATS:
        with contextlib.suppress(ValueError):
            if all(
                datetime.strptime(column[place].strip(), written).date() == day
                for place, day in zip(places.tolist(), days.tolist(), strict=True)
            ):
                return f'"{written}"' if " " in written else written
    return None
