"""A column of plain numbers as dates: compact dates, spreadsheet days, seconds since 1970.

One reading holds for the whole column. It is found from the values and from the steps between
them: bars are days apart, so a step says whether seconds, milliseconds or smaller units are meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TypeGuard

import numpy as np

from forecaster.arrays import Days, Floats
from forecaster.market.bars import FIRST_SESSION
from forecaster.market.files.cells.written_dates import MINGUO_AHEAD, MINGUO_YEARS, compose
from forecaster.patterns import compiled

DAY_SECONDS = 86_400
UNITS = (1.0, 1e3, 1e6, 1e9)
"""Parts of a second that stamps are counted in."""
YEARS_AHEAD = 10
"""A last date later than this many years from now is no cutoff."""
NEARLY_ALL = 0.9
SMALLEST_ALONE = 1e8
"""Seconds that stand for a date though no step says so: from 1973 on."""
_FIRST_DAY = int(FIRST_SESSION.astype(np.int64))
_EXCEL_EPOCH, _EXCEL_EPOCH_OF_1904 = -25_569, -24_107
_FIRST_SERIAL, _FIRST_SURE_SERIAL, _LAST_SERIAL = 3_650, 25_000, 70_000

_NUMBER = compiled(r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d{1,2})?")
_ALONE = compiled(r"-?\d{9,19}(?:\.\d*)?(?:[eE]\+?\d+)?|[2-6]\d{4}(?:\.\d*)?|\d\.\d+[eE]\+?\d\d")
_BEGINS_WITH_ZERO = compiled(r"0\d")
_EXPONENT = compiled(r"\d(?:\.(\d+))?[eE]\+?(\d+)")


def is_number(text: object) -> TypeGuard[str]:
    """Whether a cell is a plain number, perhaps in scientific notation."""
    return isinstance(text, str) and _NUMBER.fullmatch(text) is not None


def is_stamp(text: str) -> bool:
    """Whether a number alone is probably a stamp or a spreadsheet's day."""
    return _ALONE.fullmatch(text) is not None


def last_day() -> np.datetime64:
    """The last day that can be a cutoff."""
    today = date.today()
    return np.datetime64(f"{today.year + YEARS_AHEAD}-12-31", "D")


def days_of_numbers(texts: Sequence[str]) -> tuple[Days, Floats] | None:
    """Dates of numbers that stand in one column, and the second of the day that each has.

    Args:
        texts: plain numbers.

    Returns:
        Days, NaT where a number fits none, and seconds, NaN where there is no time of day; None
        where no reading fits nearly all.
    """
    values = np.array([float(text) for text in texts])
    if any(_BEGINS_WITH_ZERO.match(text) for text in texts):
        return None  # a date of six figures, perhaps, and no count
    days = _calendar_days(values)
    if days is not None:
        return days, np.full(len(values), np.nan)
    serials = _serial_days(values)
    if serials is not None:
        return serials, np.full(len(values), np.nan)
    unit, coarse = _unit(values), _coarseness(texts)
    if unit is None or coarse > unit * DAY_SECONDS / 4:
        return None
    values = values + coarse / 2  # midnight that was rounded down is not the day before
    return _days(np.floor(values / (DAY_SECONDS * unit))), values / unit % DAY_SECONDS


def _days(numbers: Floats) -> Days:
    """Days since 1970 as dates; NaT where no market could have been open."""
    last = float(last_day().astype(np.int64))
    fine = (numbers >= _FIRST_DAY) & (numbers <= last)
    whole = np.where(fine, numbers, 0).astype(np.int64).astype("datetime64[D]")
    return np.where(fine, whole, np.datetime64("NaT", "D"))


def _fits(days: Days) -> bool:
    return bool(np.mean(~np.isnat(days)) >= NEARLY_ALL)


def _calendar_days(values: Floats) -> Days | None:
    """``20240102``, with a time of day ``20240102160000``, or ``1130102`` with a Minguo year."""
    if np.any(values != np.floor(values)) or values.min() < 1_000_000:
        return None
    whole = np.where(values < 1e15, values, 0).astype(np.int64)
    if np.all((whole % 10_000 >= 1900) & (whole % 10_000 < 2100) & (whole < 10**8)):
        return None  # the year stands last, and which of the others is the month is open
    for digits in (8, 12, 14, 7):
        numbers = whole // 10 ** max(0, digits - 8)
        year = numbers // 10_000
        if digits == 7:
            year = np.where(np.isin(year, MINGUO_YEARS), year + MINGUO_AHEAD, 0)
        days = compose(year, numbers // 100 % 100, numbers % 100)
        if _fits(days):
            return days
    return None


def _serial_days(values: Floats) -> Days | None:
    """Days as spreadsheets count them from 1900, or as R and others do from 1970.

    Where both are possible the reading without weekends is right; None if neither has any less.
    """
    if np.mean((values >= _FIRST_SERIAL) & (values < _LAST_SERIAL)) < NEARLY_ALL:
        return None
    numbers = np.floor(values)
    if _are_months_and_days(numbers):
        return None
    readings = [_days(numbers + _EXCEL_EPOCH), _days(numbers)]
    if values.max() >= _FIRST_SURE_SERIAL:
        is_late = _are_tuesdays_to_saturdays(readings[0])
        return _days(numbers + _EXCEL_EPOCH_OF_1904) if is_late else readings[0]
    closed = [int(np.sum(~np.is_busday(days[~np.isnat(days)]))) for days in readings]
    if closed[0] == closed[1] or min(closed) > (1 - NEARLY_ALL) * len(values):
        return None
    return readings[int(np.argmin(closed))]


def _are_months_and_days(numbers: Floats) -> bool:
    """Whether the last four figures are always a month and a day, as in ``30102`` for 2003."""
    months, days = numbers // 100, numbers % 100
    fine = (months % 100 >= 1) & (months % 100 <= 12) & (days >= 1) & (days <= 31)
    return bool(np.all(fine)) and len(np.unique(months)) > 1


def _are_tuesdays_to_saturdays(days: Days) -> bool:
    """Whether days are a day late: those that old Macs count from 1904 are, when read from 1900."""
    weekdays = np.bincount((days[~np.isnat(days)].astype(np.int64) + 3) % 7, minlength=7)
    return bool(weekdays[1:6].min() >= 2 and weekdays[0] == weekdays[6] == 0)


def _unit(values: Floats) -> float | None:
    """The part of a second that is counted, from the steps or else from the size of the values."""
    last = float((last_day() + 1).astype(np.int64)) * DAY_SECONDS
    first = float(_FIRST_DAY) * DAY_SECONDS
    possible = [
        unit
        for unit in UNITS
        if np.mean((values >= first * unit) & (values <= last * unit)) >= NEARLY_ALL
    ]
    large = [unit for unit in possible if np.abs(values).max() >= SMALLEST_ALONE * unit]
    steps = np.diff(np.unique(values)) / DAY_SECONDS
    for step in (np.median(steps), steps.min()) if len(steps) else ():
        for unit in possible:
            if 0.4 <= step / unit < 400 and (unit in large or _are_days(steps / unit)):
                return unit
    return next(iter(large), None)


def _are_days(steps: Floats) -> bool:
    """Whether nearly all steps are whole days, give or take an hour of summer time."""
    return bool(np.mean(np.abs(steps - np.round(steps)) < 0.05) >= NEARLY_ALL)


def _coarseness(texts: Sequence[str]) -> float:
    """What the last figure counts of numbers in scientific notation; 0 for others."""
    matches = [_EXPONENT.fullmatch(text.lstrip("-+")) for text in texts if "e" in text.lower()]
    return min((10.0 ** (int(m[2]) - len(m[1] or "")) for m in matches if m), default=0.0)
