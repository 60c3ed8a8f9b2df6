"""Stamps that are instants elsewhere: midnight of one zone written in the hours of another.

Midnight in Berlin is 22:00 or 23:00 UTC of the day before, midnight in Tokyo 15:00. Cut off at the
date, a whole history would lie a day early, Sunday to Thursday instead of Monday to Friday. Bars of
every day have no such weekdays; of them the hours of summer time tell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from zoneinfo import ZoneInfo

import numpy as np

from forecaster.arrays import Days, Floats, Integers, Mask
from forecaster.patterns import compiled

GREENWICH, LOCAL, UNKNOWN = "UTC", "local", "unknown"

_STRAY_SHARE = 0.02
_FEWEST_TO_NOTE = 5
_HOUR = 3_600.0
_MOST_TIMES = 24
_EARLIEST = {GREENWICH: 13 * _HOUR, LOCAL: 16 * _HOUR, UNKNOWN: 16 * _HOUR}
"""From this time on a constant one is midnight elsewhere, and no market's close."""
_EARLIEST_OF_TWO = 10 * _HOUR
_PARTS_OF_HOURS = (18.25, 18.5)  # midnight in Kathmandu and Delhi
_US_CLOSES = (20 * _HOUR, 21 * _HOUR)
_EASTERN = (
    "Europe/London", "Europe/Berlin", "Europe/Athens", "Asia/Jerusalem", "Australia/Sydney",
    "Pacific/Auckland",
)  # fmt: skip
"""Zones of each summer time east of Greenwich, whose midnight is of the day before in UTC."""
_WESTERN = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
"""Zones in whose hours midnight UTC is of the day before."""
_FIRST, _LAST = np.datetime64("1900-01-01", "D"), np.datetime64("2200-01-01", "D")
_NAMES = {5: "Saturdays", 6: "Sundays"}
_CLOCK = compiled(
    r"(?<![\d.])(\d{1,2})[:h](\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*([ap]\.?m\b)?\.?"
    r"\s*(z|utc|gmt|[+-]\d{2}:?\d{2}|[+-]\d{2}$)?",
    re.I,
)
_COMPACT_CLOCK = compiled(r"^(?:\d{8}[T ]?|[\d./-]{8,10} )(\d{2})(\d{2})(\d{2})?()(Z)?$")
_ZERO_OFFSET = compiled(r"z|utc|gmt|[+-]00:?(00)?", re.I)


@dataclass(frozen=True)
class Times:
    """Times of day in seconds, shape ``(n,)``, NaN where unknown, and whose they are."""

    seconds: Floats
    zone: str = UNKNOWN


@dataclass(frozen=True)
class _Pattern:
    """Days that are what a day early makes of usual ones.

    Attributes:
        words: what is unusual about them, behind "bars are".
        is_a_market_s: whether there are markets that trade on just these days.
    """

    words: str
    is_a_market_s: bool


def on_local_dates(days: Days, times: Callable[[], Times]) -> tuple[Days, list[str]]:
    """Dates where they were written, moved by a day where all were written elsewhere.

    Args:
        days: ``datetime64[D]``, NaT where unknown.
        times: looks up the times of day, which few columns need.

    Returns:
        The dates, and a sentence if they were moved or may have to be.
    """
    if _are_of_every_day(days):
        return _on_local_days(days, times())
    if not in_doubt(days):
        return days, []
    known = times()
    early = _rows_from_elsewhere(days, known)
    pattern = _early_pattern(days[early] if early.any() else days)
    hours = np.unique(known.seconds[early if early.any() else ~np.isnan(known.seconds)])
    if pattern is None:
        return days, _short_note(hours, known.zone) if _are_too_few_to_tell(days) else []
    if early.any():
        return np.where(early, days + np.timedelta64(1, "D"), days), [
            f"dates were moved a day later: stamps are {_clock(hours, known.zone)}, and bars are"
            f" {pattern.words}, so midnight of the next day was meant"
        ]
    if not pattern.is_a_market_s or np.sum(~np.isnat(days)) < _FEWEST_TO_NOTE:
        return days, []
    at = f" at {_clock(hours, known.zone)}" if 0 < len(hours) <= 2 and hours.any() else ""
    return days, [
        f"bars are {pattern.words}{at}; dates were kept, as of a market that trades on these days,"
        " and are a day early if it does not; write the exchange's own dates then"
    ]


def in_doubt(days: Days) -> bool:
    """Whether the days leave open if they are those of the exchange."""
    counts = _weekdays(days)
    sundays_alone = counts[6] > 0 and counts[5] <= _STRAY_SHARE * counts.sum()
    return bool(sundays_alone) or _early_pattern(days) is not None or _are_too_few_to_tell(days)


def _are_of_every_day(days: Days) -> bool:
    counts = _weekdays(days)
    return bool(counts.min() * 2 > counts.max())


def _on_local_days(days: Days, times: Times) -> tuple[Days, list[str]]:
    """Dates of bars of every day whose stamps are one zone's midnight with summer time.

    They are moved where some are of the day itself, as London's in winter. Where all are of the day
    before they may as well be closes, and would move once a file spans a change of the clock.
    """
    known = (days > _FIRST) & (days < _LAST) & ~np.isnan(times.seconds)
    hours = np.unique(times.seconds[known])
    of_both_days = hours.tolist() == [0.0, 23 * _HOUR]
    if not of_both_days and not (_are_neighbours(hours) and hours[0] >= _EARLIEST_OF_TWO):
        return days, []
    stamps = days.astype("datetime64[s]") + np.where(known, times.seconds, 0).astype(np.int64)
    zone = _midnight_of(np.unique(stamps[known]).tolist(), times.zone)
    if zone is None:
        return days, []
    said = f"stamps are {_clock(hours, times.zone)} with summer time, which is midnight in {zone}"
    if not of_both_days:
        return days, [
            f"{said}; dates were kept, and are a day early if the days of {zone} are meant: write"
            " its dates then"
        ]
    late = known & (times.seconds > 0)
    note = f"dates were moved a day later: {said}, so the next day was meant"
    return np.where(late, days + np.timedelta64(1, "D"), days), [note]


def _midnight_of(stamps: Sequence[datetime], zone: str) -> str | None:
    """The zone in which all stamps are midnight, if they are hours of UTC, or UTC if of others."""
    utc = ZoneInfo("UTC")
    eastern = ((utc, ZoneInfo(name)) for name in _EASTERN if zone != LOCAL)
    western = ((ZoneInfo(name), utc) for name in _WESTERN if zone != GREENWICH)
    for written, meant in chain(eastern, western):
        moments = (stamp.replace(tzinfo=written).astimezone(meant) for stamp in stamps)
        if all((moment.hour, moment.minute) == (0, 0) for moment in moments):
            return meant.key
    return None


def _rows_from_elsewhere(days: Days, times: Times) -> Mask:
    """The rows whose stamps are midnight of the next day elsewhere.

    Each time of day is judged alone: midnight in London is 00:00 UTC in winter and 23:00 of the day
    before in summer, and a table may hold tickers of several zones. Two neighbouring hours that
    are all there is are one zone with summer time.
    """
    hours = np.unique(times.seconds[~np.isnan(times.seconds)])
    groups = [hours] if _are_neighbours(hours) else list(hours.reshape(-1, 1))
    rows = np.zeros(len(days), dtype=bool)
    for group in groups if len(groups) <= _MOST_TIMES else ():
        here = np.isin(times.seconds, group)
        if _is_midnight_elsewhere(group, times.zone) and _early_pattern(days[here]) is not None:
            rows |= here
    return rows


def _are_neighbours(hours: Floats) -> bool:
    return len(hours) == 2 and bool(hours[1] - hours[0] == _HOUR)


def _weekdays(days: Days) -> Integers:
    """How many bars fall on Monday to Sunday, shape ``(7,)``."""
    known = days[~np.isnat(days)].astype(np.int64)
    return np.bincount((known + 3) % 7, minlength=7)  # 1970-01-01 was a Thursday


def _early_pattern(days: Days) -> _Pattern | None:
    """Sunday to Thursday, or Saturday to Wednesday."""
    counts = _weekdays(days)
    if not counts[5:].any():
        return None
    for first, off in ((6, (4, 5)), (5, (3, 4))):
        strays = counts[off[0]] + counts[off[1]]
        if counts[first] > 0 and strays <= _STRAY_SHARE * counts.sum():
            words = f"on {_NAMES[first]} and none on Fridays"
            return _Pattern(words, is_a_market_s=int(np.sum(counts > 0)) > 1)
    return None


def _are_too_few_to_tell(days: Days) -> bool:
    counts = _weekdays(days)
    return 0 < counts.sum() < _FEWEST_TO_NOTE and not counts[4:].any()


def _is_midnight_elsewhere(hours: Floats, zone: str) -> bool:
    """Whether a time of day, or two with summer time, is a whole hour late in the day."""
    if not all(hour % _HOUR == 0 or hour / _HOUR in _PARTS_OF_HOURS for hour in hours):
        return False
    earliest = _EARLIEST_OF_TWO if _are_neighbours(hours) else _EARLIEST[zone]
    return bool(hours[0] >= earliest)


def _short_note(hours: Floats, zone: str) -> list[str]:
    late = len(hours) == 1 and _is_midnight_elsewhere(hours, GREENWICH)
    if not late or hours[0] in _US_CLOSES:
        return []
    return [
        f"stamps are {_clock(hours, zone)}, and too few to tell whether midnight of the next day"
        " is meant; dates were kept, and are a day early if it is: write the exchange's own then"
    ]


def _clock(hours: Floats, zone: str) -> str:
    texts = [f"{int(hour // _HOUR):02d}:{int(hour % _HOUR // 60):02d}" for hour in hours]
    return " or ".join(texts) + (" UTC" if zone == GREENWICH else "")


def times_of(stamps: Sequence[str]) -> Times:
    """The times of day in cells of text."""
    known: dict[str, tuple[float, str]] = {}
    for stamp in dict.fromkeys(stamps):
        known[stamp] = _time_of(stamp.strip())
    zones = {zone for _, zone in known.values()}
    zone = LOCAL if LOCAL in zones else GREENWICH if GREENWICH in zones else UNKNOWN
    return Times(np.array([known[stamp][0] for stamp in stamps]), zone)


def _time_of(stamp: str) -> tuple[float, str]:
    match = _CLOCK.search(stamp) or _COMPACT_CLOCK.search(stamp)
    if match is None:
        return np.nan, UNKNOWN
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if match[4]:
        hour = hour % 12 + (12 if match[4][0] in "pP" else 0)
    zone = UNKNOWN
    if match[5]:
        zone = GREENWICH if _ZERO_OFFSET.fullmatch(match[5]) else LOCAL
    return hour * _HOUR + minute * 60 + second, zone
