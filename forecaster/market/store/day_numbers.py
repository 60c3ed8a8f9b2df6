"""Dates as the store keeps them: whole numbers such as 20150102."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from forecaster.arrays import Days, Integers

_FIRST_DAY, _LAST_DAY = 16000101, 22001231


def to_days(numbers: Sequence[int] | Integers) -> Days:
    """``20150102`` -> ``2015-01-02``, shape kept.

    Raises:
        ValueError: one of them is no date from 1600 to 2200.
    """
    n = np.asarray(numbers)
    if not n.size:
        return np.empty(n.shape, dtype="datetime64[D]")
    if n.dtype.kind != "i" or n.min() < _FIRST_DAY or n.max() > _LAST_DAY:
        raise ValueError("a session is no date such as 20150102")
    months = (n // 10000 - 1970) * 12 + n // 100 % 100 - 1
    first = months.astype("datetime64[M]").astype("datetime64[D]")
    days = np.asarray(first + (n % 100 - 1).astype("timedelta64[D]"))
    if not np.array_equal(to_numbers(days), n):
        raise ValueError("a session is a date that no month has")
    return days


def can_be_day(value: object) -> bool:
    """Whether a cell holds a date such as 20150102."""
    try:
        to_days([value])  # type: ignore[list-item]
    except (ValueError, OverflowError):
        return False
    return True


def to_numbers(days: Days) -> Integers:
    """``2015-01-02`` -> ``20150102``, shape kept."""
    whole = days.astype("datetime64[D]")
    months = whole.astype("datetime64[M]")
    month = months.astype(np.int64)
    day = (whole - months.astype("datetime64[D]")).astype(np.int64) + 1
    return np.asarray((month // 12 + 1970) * 10000 + (month % 12 + 1) * 100 + day)


@lru_cache(maxsize=1024, typed=True)  # most tickers begin and end in the same sessions
def to_day(number: int) -> np.datetime64:
    """``20150102`` -> ``2015-01-02``.

    Raises:
        ValueError: it is no date from 1600 to 2200.
    """
    return np.datetime64(to_days([number])[0], "D")


@lru_cache(maxsize=1024)
def to_number(day: np.datetime64) -> int:
    """``2015-01-02`` -> ``20150102``."""
    return int(to_numbers(np.asarray([day], dtype="datetime64[D]"))[0])
