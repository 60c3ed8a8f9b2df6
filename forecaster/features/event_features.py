"""Event features: traces of quarterly news in range and volume, and the calendar.

Earnings come every thirteen weeks, mostly on the same weekday, and their sessions move several
times as far as others. The dates are not in a price file, but their traces are: an *event score* is
high where range and volume jumped together. The scores 13, 26, 39 and 52 weeks before the next
session tell how likely it is to be such a day. Weeks count back from the likely date of the next
session, which is the next weekday (the next day where weekends were traded before).
"""

from __future__ import annotations

import numpy as np

from forecaster.arrays import Days, Floats, Integers
from forecaster.features.volatility import Measures

WEEKS_BACK = (13, 26, 39, 52)

RHYTHM_FEATURES = (
    "event_same_day",
    "event_near_day",
    "event_near_week",
    "event_in_week",
    "event_in_month",
    *(f"since_{size}_{name}" for size in ("event", "shock") for name in ("now", "due", "soon")),
)

_EVENT, _SHOCK = 1.3, 2.0
"""Event scores from which a session counts as an event and as a shock."""
_QUARTER = 91
_YEAR_ENDS = 19
"""Days of December before its quiet end."""
_NEVER = 100_000
_EDGE = 60
"""Empty days around the grid of dates, for windows that reach over its ends."""


def event_scores(measures: Measures, volume_ratio: Floats) -> Floats:
    """Event scores, ``(n,)``: high where range and volume jumped together, else about 0.

    Args:
        measures: of the history.
        volume_ratio: log volume over its recent mean, ``(n,)``.
    """
    return np.asarray(np.clip(measures.surprise, -1.0, 2.0) + np.clip(volume_ratio, -1.0, 2.0))


def rhythm_features(sessions: Days, scores: Floats, rows: slice = slice(None)) -> Floats:
    """The columns of ``RHYTHM_FEATURES``.

    Args:
        sessions: ``(n,)``.
        scores: event scores, ``(n,)``.
        rows: k of the sessions to answer for.

    Returns:
        ``(k, 11)``; 0 where the history does not reach back far enough.
    """
    days = sessions.astype("datetime64[D]").astype(np.int64)
    ahead = next_days(days)[rows]
    columns = _echoes(days, ahead, scores)
    for threshold in (_EVENT, _SHOCK):
        last = np.maximum.accumulate(np.where(scores > threshold, days, -_NEVER))[rows]
        columns += _since(ahead, last)
    return np.stack(columns).T


def next_days(days: Integers) -> Integers:
    """The likely date of the next session, as days since 1970.

    Fridays are followed by Mondays until a weekend session has been seen.
    """
    weekday = (days + 3) % 7
    weekends = np.maximum.accumulate(weekday >= 5)
    return np.where((weekday == 4) & ~weekends, days + 3, days + 1)


def month_and_year(sessions: Days, rows: slice = slice(None)) -> list[Floats]:
    """Whether the next session is likely the first of a month, or lies in the year's last days.

    Args:
        sessions: ``(n,)``.
        rows: k of the sessions to answer for.
    """
    days = sessions.astype("datetime64[D]")
    ahead = next_days(days.astype(np.int64)).astype("datetime64[D]")[rows]
    months = ahead.astype("datetime64[M]")
    last_days = (months.astype(np.int64) % 12 == 11) & (
        (ahead - months).astype(np.int64) >= _YEAR_ENDS
    )
    begins = months > days[rows].astype("datetime64[M]")
    return [begins.astype(np.float64), last_days.astype(np.float64)]


def _echoes(days: Integers, ahead: Integers, scores: Floats) -> list[Floats]:
    """Highest scores around the same day of earlier quarters, in windows from a day to a month."""
    # days that no window of these sessions reaches are left out
    first = max(days[0], ahead[0] - 7 * WEEKS_BACK[-1] - _EDGE)
    seen = np.searchsorted(days, first)
    grid = np.full(int(days[-1] - first) + 1 + 2 * _EDGE, -np.inf)
    grid[days[seen:] - first + _EDGE] = scores[seen:]
    near = _highest(grid, (-1, 0, 1))
    week = _highest(grid, tuple(range(7)))
    windows = [grid, near, _highest(near, (-7, 0, 7)), week, _highest(week, (0, 7, 14, 21))]
    return list(_echo(np.stack(windows), ahead - first + _EDGE))


def _highest(grid: Floats, offsets: tuple[int, ...]) -> Floats:
    """For each day the highest value of the days at some offsets from it, as far as they go."""
    highest = np.full_like(grid, -np.inf)
    for offset in offsets:
        here = slice(max(-offset, 0), len(grid) - max(offset, 0))
        there = slice(max(offset, 0), len(grid) - max(-offset, 0))
        np.maximum(highest[here], grid[there], out=highest[here])
    return highest


def _echo(highest: Floats, ahead: Integers) -> Floats:
    """Mean of the known values 13, 26, 39 and 52 weeks before each place: ``(w, G) -> (w, k)``."""
    known = np.isfinite(highest)
    values = np.where(known, highest, 0.0)
    total, count = np.zeros((len(highest), len(ahead))), np.zeros((len(highest), len(ahead)))
    for weeks in WEEKS_BACK:
        place = np.maximum(ahead - 7 * weeks, 0)  # nothing is known on the first day of the grid
        total += values.take(place, axis=1)
        count += known.take(place, axis=1)
    return np.asarray(np.divide(total, count, out=np.zeros_like(total), where=count > 0))


def _since(ahead: Integers, last: Integers) -> list[Floats]:
    """Three bumps of the days since the last event: just now, due today, due about now."""
    since = np.minimum(ahead - last, 2 * _QUARTER).astype(np.float64)
    return [
        np.exp(-since / 10.0),
        np.exp(-(((since - _QUARTER) / 2.0) ** 2)),
        np.exp(-(((since - _QUARTER) / 10.0) ** 2)),
    ]
