"""Sessions after the cutoff."""

from __future__ import annotations

import numpy as np

from forecaster.market.bars import Days, History

_RECENT = 60
"""Sessions whose weekdays and spacing tell when a ticker trades."""


def estimate_sessions(history: History, horizon: int) -> Days:
    """The next sessions, following the weekdays seen in the last months of the history.

    Holidays are not known here, so the dates are estimates. Where bars are a week or more apart,
    their usual distance is continued.

    Args:
        history: at least 1 bar.
        horizon: H.

    Returns:
        ``datetime64[D]``, shape ``(H,)``, rising, all after the cutoff.
    """
    recent = history.sessions[-_RECENT:]
    cutoff = history.cutoff
    spacing = int(np.median(np.diff(recent).astype(int))) if len(recent) > 1 else 1
    if spacing >= (5 if len(recent) > 2 else 7):  # two bars may stand around a holiday
        return np.asarray(cutoff + spacing * np.arange(1, horizon + 1))
    counts = np.bincount(_weekday(recent), minlength=7)
    if len(recent) < 10:  # too few to have seen a whole week: weekends only if one was seen
        weekdays = np.arange(7) if counts[5:].any() else np.arange(5)
    else:  # a special session on one Saturday does not open every Saturday
        weekdays = np.flatnonzero(4 * counts > counts.max())
    days = cutoff + np.arange(1, 7 * horizon + 8)
    return np.asarray(days[np.isin(_weekday(days), weekdays)][:horizon])


def _weekday(days: Days) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Monday 0 to Sunday 6; 1970-01-01 was a Thursday."""
    return (days.astype("datetime64[D]").astype(np.int64) + 3) % 7
