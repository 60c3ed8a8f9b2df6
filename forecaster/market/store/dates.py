"""Dates as the store keeps them: integers such as 20150102."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from forecaster.arrays import Days


def to_days(numbers: Sequence[int] | NDArray[np.int64]) -> Days:
    """``20150102`` -> ``2015-01-02``, shape kept."""
    n = np.asarray(numbers, dtype=np.int64)
    months = (n // 10000 - 1970) * 12 + n // 100 % 100 - 1
    first = months.astype("datetime64[M]").astype("datetime64[D]")
    return np.asarray(first + (n % 100 - 1).astype("timedelta64[D]"))


def to_numbers(days: Days) -> NDArray[np.int64]:
    """``2015-01-02`` -> ``20150102``, shape kept."""
    whole = days.astype("datetime64[D]")
    months = whole.astype("datetime64[M]")
    month = months.astype(np.int64)
    day = (whole - months.astype("datetime64[D]")).astype(np.int64) + 1
    return np.asarray((month // 12 + 1970) * 10000 + (month % 12 + 1) * 100 + day)


def to_day(number: int) -> np.datetime64:
    """One date."""
    return np.datetime64(to_days([number])[0], "D")


def to_number(day: np.datetime64) -> int:
    """One date."""
    return int(to_numbers(np.asarray([day], dtype="datetime64[D]"))[0])
