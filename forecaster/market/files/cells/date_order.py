"""The order of day, month and year in a column of dates, decided by all of its rows or refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from forecaster.arrays import Days, Integers
from forecaster.errors import DataError, parameter
from forecaster.market.files.cells.written_dates import MINGUO_AHEAD, Triple, compose, full_year

_ORDERS = {"%d/%m/%Y": (2, 1, 0), "%m/%d/%Y": (2, 0, 1), "%y/%m/%d": (0, 1, 2)}
"""Where year, month and day stand."""
_MOST_SLIPS, _SLIPS_SHARE, _MOST_PART = 2, 0.01, 0.25
"""Rows of the other order that may be slips of the pen: so many, or that share of a long column,
and no more than that part of a short one."""
_MONTHS = 12
_FEWEST_WEEKENDS, _WEEKENDS_SHARE = 3, 0.05
"""Dates on weekends that show an exchange: of seven days that were moved, two lie there."""
_FEWEST_LATER = 10
"""Dates after the 12th without a weekend that show that none is a session."""
_MOST_SEAMS = 0.01
"""Steps back of a column in order, for each of its rows: where one ticker follows another."""


def could_be_ordered(triple: Triple) -> bool:
    """Whether three numbers are a date in some order."""
    return any(not np.isnat(days[0]) for days in _readings([triple]).values())


def decide(group: Sequence[Triple], source: str) -> Days:
    """The one reading of a group of open dates that its own rows allow.

    Raises:
        DataError: there are several.
    """
    readings = _readings(group)
    valid = {name: int(np.sum(~np.isnat(days))) for name, days in readings.items()}
    best = max(valid.values())
    leader = next(days for name, days in readings.items() if valid[name] == best)
    others_only = np.any([~np.isnat(days) for days in readings.values()], axis=0) & np.isnat(leader)
    slips = min(max(_MOST_SLIPS, _SLIPS_SHARE * len(group)), _MOST_PART * len(group))
    if others_only.sum() > slips:
        raise DataError(
            f"{source}: dates are written in several orders of day and month, as"
            f" {_written(group[int(np.argmin(others_only))])} and"
            f" {_written(group[int(np.argmax(others_only))])}; one is needed. Write them as in"
            " 2020-09-01."
        )
    readings = {name: days for name, days in readings.items() if valid[name] == best}
    readings = _best_ordered(_without_weekends(readings))
    first, *others = readings.values()
    if all(np.array_equal(first, other, equal_nan=True) for other in others):
        return first
    if group[0].separator == "." and "%d/%m/%Y" in readings:
        return readings["%d/%m/%Y"]  # a date with dots is written day first
    raise DataError(_ambiguous(group[0], readings, source))


def unswapped(
    days: Days, source: str, rows: Sequence[int] | Integers, groups: Integers | None = None
) -> tuple[Days, list[str]]:
    """Dates with day and month exchanged back, where they were exchanged up to the 12th.

    Spreadsheets and parsers of the other order leave such a column behind: they exchange what they
    can, and read the days after the 12th as they are. Either only the exchange puts the rows in
    order, or weekends show it: dates up to the 12th are on some, and later ones on none.

    Args:
        days: ``datetime64[D]``, ``(n,)``, NaT where unknown.
        source: the file, for messages.
        rows: the line in the file of each date.
        groups: the number of each row's ticker, ``(n,)``; None: all are of one.

    Returns:
        The dates, and a note if they were exchanged.

    Raises:
        DataError: weekends show that some were exchanged, and others of the same ticker were not.
    """
    try:
        found, note = _put_back(days, source, rows)
    except DataError:
        if groups is None or groups.max() == 0:
            raise
        note = None
    if note is not None:
        return found, [note]
    if groups is None or groups.max() == 0:
        return days, []
    found, lines, notes = days.copy(), np.asarray(rows), []
    for places in places_by_group(groups, len(days)):
        found[places], note = _put_back(days[places], source, lines[places])
        notes += [] if note is None else [note]
    return found, [f"{len(notes)} of {groups.max() + 1} tickers: {notes[0]}"] if notes else []


def _put_back(days: Days, source: str, rows: Sequence[int] | Integers) -> tuple[Days, str | None]:
    """The dates of one ticker, or of several whose dates are alike, and a note if exchanged."""
    turned, known = exchanged(days), ~np.isnat(days)
    moved = np.flatnonzero(known & (turned != days))
    later = np.unique(days[known & (_in_month(days) > _MONTHS)])
    if not len(moved):
        return days, None
    first = int(moved[0])
    note = (
        f"day and month of dates up to the 12th were exchanged, and were put back ({days[first]} is"
        f" {turned[first]}): only so "
    )
    on_weekdays = not _on_weekends(turned) or _on_weekends(later) > 0
    if on_weekdays and _are_ordered_by(turned, days):
        return turned, note + "are the rows in order"
    odd = moved[~np.is_busday(days[moved])]
    weekends, dates = len(np.unique(days[odd])), len(np.unique(days[moved]))
    if weekends < max(_FEWEST_WEEKENDS, _WEEKENDS_SHARE * dates):
        return days, None
    if len(later) < _FEWEST_LATER or _on_weekends(later):
        return days, None
    if not _on_weekends(turned):
        return turned, note + "is none of them on a weekend"
    raise DataError(
        f"{source}, row {int(rows[odd[0]])}: date is {days[odd[0]]}, a weekend, as are {weekends}"
        " dates up to the 12th of a month and none after it: day and month of some were exchanged,"
        " as spreadsheets do. Write all dates as in 2020-09-01; if they are right, say how they are"
        f" written, as with {parameter('date_format')} %Y-%m-%d."
    )


def _are_ordered_by(exchanged: Days, days: Days) -> bool:
    """Whether an exchange puts rows in order, but for the seams of a few tables."""
    before, after = _backward_steps(days), _backward_steps(exchanged)
    in_order = before > 3 * after and after <= _MOST_SEAMS * len(days)
    return in_order and _distance(days) > 2 * _distance(exchanged)


def exchanged(days: Days) -> Days:
    """Dates with day and month exchanged, up to the 12th of a month; others as they are."""
    turned, day = days.copy(), _in_month(days)
    moves = np.flatnonzero(~np.isnat(days) & (day <= _MONTHS))
    month = days[moves].astype("datetime64[M]").astype(np.int64) % 12 + 1
    year = days[moves].astype("datetime64[Y]").astype(np.int64) + 1970
    turned[moves] = compose(year, day[moves], month)
    return turned


def _in_month(days: Days) -> Integers:
    """The day of the month of each date, from 1; any number where there is no date."""
    return np.asarray((days - days.astype("datetime64[M]")).astype(np.int64) + 1)


def places_by_group(groups: Integers | None, count: int) -> Iterator[Integers]:
    """The places of the rows of each group in turn; None: all rows are of one."""
    if groups is None:
        yield np.arange(count)
        return
    order = np.argsort(groups, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)


def minguo(group: Sequence[Triple]) -> Days:
    """Dates of the years before 100 of the Minguo calendar."""
    year, month, day = _numbers(group).T
    return compose(year + MINGUO_AHEAD, month, day)


def _numbers(group: Sequence[Triple]) -> Integers:
    return np.array([triple.numbers for triple in group], dtype=np.int64)


def _readings(group: Sequence[Triple]) -> dict[str, Days]:
    numbers = _numbers(group)
    return {
        name: _ordered(numbers, order)
        for name, order in _ORDERS.items()
        if order[0] == 2 or not group[0].kind[0]
    }


def _ordered(numbers: Integers, order: tuple[int, int, int]) -> Days:
    year = numbers[:, order[0]]
    year = np.where(year < 100, full_year(year), year)
    return compose(year, numbers[:, order[1]], numbers[:, order[2]])


def _best_ordered(readings: dict[str, Days]) -> dict[str, Days]:
    """Drop the readings under which the rows go back and forth clearly more than under another."""
    steps = {name: _backward_steps(days) for name, days in readings.items()}
    least = min(steps.values())
    return {name: days for name, days in readings.items() if steps[name] <= 3 * least}


def _backward_steps(days: Days) -> int:
    """Steps against the direction of the rows, whichever direction that is."""
    steps = np.diff(days[~np.isnat(days)].astype(np.int64))
    return int(min(np.sum(steps < 0), np.sum(steps > 0)))


def _on_weekends(days: Days) -> int:
    """How many dates are a Saturday or a Sunday."""
    return int(np.sum(~np.is_busday(days[~np.isnat(days)])))


def _distance(days: Days) -> int:
    """Days from row to row, back and forth, in sum."""
    return int(np.sum(np.abs(np.diff(days[~np.isnat(days)]).astype(np.int64))))


def _without_weekends(readings: dict[str, Days]) -> dict[str, Days]:
    """Drop the readings with several weekend dates, where another reading has none at all."""
    counts = {name: _on_weekends(days) for name, days in readings.items()}
    if min(counts.values()) > 0:
        return readings
    return {name: days for name, days in readings.items() if counts[name] < 2}


def _written(triple: Triple) -> str:
    return triple.separator.join(f"{number:02d}" for number in triple.numbers)


def _ambiguous(first: Triple, readings: dict[str, Days], source: str) -> str:
    year = "%Y" if first.kind[0] else "%y"
    offered = [
        f"{parameter('date_format')} " + name.replace("/", first.separator).replace("%Y", year)
        for name in readings
    ]
    example = _written(first)
    meanings = " or ".join(str(days[0]) for days in readings.values())
    return (
        f"{source}: the dates can be read in {len(readings)} ways ({example} is {meanings}), and"
        f" neither the values nor their order decides; one is needed. Add {' or '.join(offered)}."
    )
