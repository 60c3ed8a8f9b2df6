"""Whether bars are daily: weekly, monthly or quarterly bars are refused, rare trading is noted.

Bars of a longer period are regular: nearly all gaps between them are alike. Days on which a rarely
traded stock has a bar are not. One gap says nothing: it may be a holiday or a halt.

Weekends that only repeat the bar before are those of a table that was filled forward to every day,
as of stocks beside coins. They make volatility too small and put sessions on Saturdays.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from forecaster.arrays import Days, Integers, Mask
from forecaster.errors import DataError
from forecaster.market.calendars import weekday
from forecaster.market.raw_bars import RawBars
from forecaster.wording import were

LONG_GAP = 5  # days; four span a weekend with holidays
STRETCH = 20  # gaps of one stretch, fewer in a short history
ALIKE_SHARE, ALIKE_DAYS, ALIKE_PART = 0.8, 1, 0.25
FEWEST_AT_AN_END = 3  # gaps of a week, a month or so each, before or behind daily bars
FEWEST_INSIDE = 5  # between daily bars
MOST_LONG_GAPS = 0.05  # of a stock that trades so often that the above is not its habit
FEWEST_SHORT_GAPS = 8  # before bars every few days are told from holidays
NEIGHBOURS_SHARE = 0.02  # daily bars stand on neighbouring days far more often
LONGEST_HOLIDAY = 12
_SATURDAY, _SUNDAY = 5, 6
_COPIED = ("open", "high", "low")  # or the close, where a vendor fills
_PERIODS = {"a week": (5, 9), "a month": (26, 36), "a quarter": (85, 98), "a year": (350, 380)}


class _Stretch(NamedTuple):
    """Bars of a longer period: the places of its first and last gap, and their median in days."""

    first: int
    last: int
    median: int


def require_daily(sessions: Days, name: str) -> list[str]:
    """Refuse bars that are no daily bars; a sentence on bars that are far apart and may be daily.

    Args:
        sessions: ``datetime64[D]``, ``(n,)``, strictly rising.
        name: what a message calls the history.

    Raises:
        DataError: the bars, or those of a long stretch, are a week, a month or so apart.
    """
    gaps = np.diff(sessions).astype(np.int64)
    stretch = _longer_period(gaps)
    if stretch is not None:
        raise DataError(_refusal(sessions, gaps, stretch, name))
    median = int(np.median(gaps)) if len(gaps) else 0
    if median >= LONG_GAP and (len(gaps) > 1 or median > LONGEST_HOLIDAY):
        return [
            f"sessions are {median} days apart in the median; each was taken as the one that"
            " follows the one before"
        ]
    return []


def _longer_period(gaps: Integers) -> _Stretch | None:
    """The bars that are a regular long time apart, if there are any."""
    is_live = len(gaps) > 2 and gaps[-1] < LONG_GAP  # a live bar behind the last whole period
    whole = gaps[:-1] if is_live else gaps
    return _longer_period_of(whole) or _amid_daily(whole) or _every_few_days(gaps)


def _longer_period_of(gaps: Integers) -> _Stretch | None:
    long = gaps >= LONG_GAP
    width = min(STRETCH, len(gaps))
    if width < 2 or int(long.sum()) < ALIKE_SHARE * width:
        return None
    counts = np.convolve(long, np.ones(width, dtype=np.int64), "valid")
    starts = np.flatnonzero(counts >= ALIKE_SHARE * width)
    if not len(starts):
        return None
    windows = np.lib.stride_tricks.sliding_window_view(gaps, width)[starts]
    starts = starts[_are_alike(windows, np.median(windows, axis=1, keepdims=True))]
    if not len(starts):
        return None
    inside = np.zeros(len(gaps), dtype=bool)
    for start in starts.tolist():
        inside[start : start + width] = True
    places = np.flatnonzero(inside & long)
    return _Stretch(int(places[0]), int(places[-1]), int(np.median(gaps[places])))


def _are_alike(gaps: Integers, median: Integers) -> Mask:
    """Whether nearly all gaps of each row are about its median."""
    near = np.abs(gaps - median) <= np.maximum(ALIKE_DAYS, ALIKE_PART * median)
    return np.asarray(near.mean(axis=1) >= ALIKE_SHARE)


def _amid_daily(gaps: Integers) -> _Stretch | None:
    """Bars of one longer period among daily ones, where two sources were joined."""
    if np.sum(gaps >= LONG_GAP) < FEWEST_AT_AN_END:
        return None
    for least, most in _PERIODS.values():
        within = np.concatenate([[False], (gaps >= least) & (gaps <= most), [False]])
        for first, end in np.flatnonzero(np.diff(within)).reshape(-1, 2).tolist():
            rest = np.delete(gaps, np.s_[first:end])
            is_daily = len(rest) and np.mean(rest >= LONG_GAP) <= MOST_LONG_GAPS
            fewest = FEWEST_AT_AN_END if first == 0 or end == len(gaps) else FEWEST_INSIDE
            if end - first >= fewest and is_daily and _is_regular(gaps[first:end], least):
                return _Stretch(first, end - 1, int(np.median(gaps[first:end])))
    return None


def _is_regular(gaps: Integers, least: int) -> bool:
    """Whether gaps are of one period: of whole weeks, where weeks are meant."""
    weekdays = np.cumsum(np.append(0, gaps)) % 7
    astray = len(weekdays) - int(np.bincount(weekdays).max())  # a holiday moves a bar by a day
    return least > LONG_GAP or astray <= (1 if len(gaps) > FEWEST_AT_AN_END else 0)


def _every_few_days(gaps: Integers) -> _Stretch | None:
    """Bars of every second day, or of fixed days of the week."""
    if len(gaps) < FEWEST_SHORT_GAPS or np.mean(gaps == 1) > NEIGHBOURS_SHARE:
        return None
    if np.mean(gaps < LONG_GAP) < ALIKE_SHARE:
        return None
    return _Stretch(0, len(gaps) - 1, int(np.median(gaps)))


def _refusal(sessions: Days, gaps: Integers, stretch: _Stretch, name: str) -> str:
    period = _period(stretch.median)
    first, last = sessions[stretch.first], sessions[stretch.last + 1]
    needed = f"(median {stretch.median} days); one bar a session is needed."
    rest = len(gaps) - (stretch.last - stretch.first + 1)
    if rest <= 1:
        return f"{name}: bars are {period} apart {needed} Give daily bars."
    found = f"{name}: bars from {first} to {last} are {period} apart, others are not {needed}"
    if stretch.first == 0:
        return f"{found} Leave the rows before {last} out, or give daily bars."
    if stretch.last == len(gaps) - 1:
        return f"{found} Leave the rows after {first} out, or give daily bars."
    return f"{found} Give daily bars."


def _period(days: int) -> str:
    names = [name for name, (least, most) in _PERIODS.items() if least <= days <= most]
    return names[0] if names else f"{days} days"


def without_filled_weekends(bars: RawBars, notes: list[str]) -> RawBars:
    """The bars without Saturdays and Sundays that were filled, and a sentence on them if any were.

    Only bars up to a bar decide about it, so that a forecast from there never depends on what came
    later: both days of two weekends have repeated the bar before by then, no weekend has moved, and
    most other days have. So those before the second Sunday stay.

    Args:
        bars: oldest first, each date once.
        notes: a sentence is added.
    """
    days, repeats = weekday(bars.days), _repeats(bars)
    is_weekend, follows = days >= _SATURDAY, np.diff(bars.days) == np.timedelta64(1, "D")
    whole = np.zeros(len(days), dtype=bool)
    whole[1:] = (days[1:] == _SUNDAY) & follows & repeats[1:] & repeats[:-1]
    moved = ~repeats
    moved[:1] = repeats[:1]  # it is not known of the first one
    others = np.where(is_weekend, 0, moved.astype(np.int64) - repeats)
    filled = is_weekend & repeats & (np.cumsum(whole) > 1) & (np.cumsum(others) > 0)
    filled &= ~np.logical_or.accumulate(is_weekend & moved)
    count = int(filled.sum())
    if not count:
        return bars
    first = int(np.argmax(filled))
    what = "bar of a weekend repeats" if count == 1 else "bars of weekends repeat"
    notes.append(
        f"{count} {what} the bar before, as filling forward does, and {were(count)} left out,"
        f" first {bars.row(first)} ({bars.days[first]})"
    )
    return bars.take(np.flatnonzero(~filled))


def _repeats(bars: RawBars) -> Mask:
    """Whether each bar has the prices of the one before, and its volume or none, ``(n,)``."""
    same = np.ones(len(bars.days), dtype=bool)
    same[:1] = False
    close = bars.values["close"][1:]
    for field, values in bars.values.items():
        now, before = values[1:], values[:-1]
        again = (now == before) | (np.isnan(now) & np.isnan(before))
        if field == "volume":
            again |= ~(now > 0)
        elif field in _COPIED:
            again |= (now == close) | np.isnan(now)
        same[1:] &= again
    return same
