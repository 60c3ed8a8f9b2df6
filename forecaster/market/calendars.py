"""When a ticker trades: the sessions of its exchange, and estimates where they are not known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import overload

import numpy as np

from forecaster.arrays import Days, Integers, Mask, Moments
from forecaster.market.bars import History

_RECENT = 60
"""Sessions whose weekdays and spacing tell when a ticker trades."""

_WEEK = 5
"""Sessions of a calendar between two bars that are a week apart."""

_REGULAR = 8
"""Times that a weekday must have been open without a bar to say that a ticker rests on it."""


@dataclass(frozen=True, eq=False)
class Schedule:
    """The sessions of one calendar over a range of days, without gaps in knowledge.

    Attributes:
        code: of the calendar: ``XNYS``, ``24/7``.
        sessions: ``datetime64[D]``, ``(n,)``, strictly rising, all of ``known_from`` to
            ``known_until``.
        closes: ``datetime64[s]`` in UTC, ``(n,)``: when each session closes, half days early.
        known_from: first day of the range; it need not be a session.
        known_until: last day of the range; what comes later is not known here.
    """

    code: str
    sessions: Days
    closes: Moments
    known_from: np.datetime64
    known_until: np.datetime64

    def __post_init__(self) -> None:
        if self.sessions.shape != self.closes.shape or self.sessions.ndim != 1:
            raise ValueError(
                f"{self.code}: sessions have shape {self.sessions.shape}, closes"
                f" {self.closes.shape}; both must be (n,)"
            )
        if not bool(np.all(self.sessions[1:] > self.sessions[:-1])):
            raise ValueError(f"{self.code}: sessions must be strictly rising")
        if len(self) and not self.known_from <= self.sessions[0] <= self.sessions[-1] <= (
            self.known_until
        ):
            raise ValueError(f"{self.code}: sessions must lie in the range that is known")

    def __len__(self) -> int:
        return len(self.sessions)

    def covers(self, days: Days) -> Mask:
        """Which days lie in the range that is known, same shape."""
        return np.asarray((days >= self.known_from) & (days <= self.known_until))


class Calendars(Mapping[str, Schedule]):
    """Schedules by the code of their calendar; read-only."""

    def __init__(self, schedules: Mapping[str, Schedule]) -> None:
        self._schedules = dict(schedules)

    def __getitem__(self, code: str) -> Schedule:
        return self._schedules[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._schedules)

    def __len__(self) -> int:
        return len(self._schedules)

    def next_sessions(self, history: History, horizon: int) -> tuple[Days, Mask]:
        """The next sessions after the cutoff, by the calendar that the history names.

        Args:
            history: at least 1 bar.
            horizon: H.

        Returns:
            Sessions and which of them are estimated, as :func:`next_sessions` returns them.
        """
        return next_sessions(history, horizon, self.of(history))

    def of(self, history: History) -> Schedule | None:
        """The schedule of the calendar that a history names, if it is here."""
        return None if history.calendar is None else self.get(history.calendar)

    def close_of(self, history: History, session: np.datetime64) -> np.datetime64:
        """When a session of a history closed, UTC; without a calendar, the end of its day."""
        return np.datetime64(self.closing_times(history, np.array([session]))[0], "s")

    def closing_times(self, history: History, sessions: Days) -> Moments:
        """When sessions of a history closed, ``(n,)``, UTC; without a calendar, as a day ends."""
        closes = day_ends(sessions)
        known = self.of(history)
        if known is not None and len(known):
            place = np.minimum(np.searchsorted(known.sessions, sessions), len(known) - 1)
            there = known.sessions[place] == sessions
            closes[there] = known.closes[place[there]]
        return closes


NO_CALENDARS = Calendars({})
"""Every session is estimated."""


def next_sessions(history: History, horizon: int, known: Schedule | None) -> tuple[Days, Mask]:
    """The next sessions after the cutoff, from the calendar as far as it is known.

    After the calendar's end the weekdays go on, as estimates. Everything is estimated where there
    is no calendar, where the cutoff is outside it, and where the history is not that calendar's:
    more than a tenth of the recent bars on days without a session, bars a week or more apart, or
    a weekday that never has one.

    Args:
        history: at least 1 bar.
        horizon: H.
        known: sessions of the history's calendar; for a check against recent bars it should
            begin some months before the cutoff.

    Returns:
        Sessions, ``datetime64[D]``, ``(H,)``, rising, all after the cutoff; and which of them are
        estimated, ``(H,)``.
    """
    if known is None or not _fits(_bytes(history.sessions[-_RECENT:]), known):
        return estimate_sessions(history, horizon), np.ones(horizon, dtype=bool)
    first = int(np.searchsorted(known.sessions, history.cutoff, side="right"))
    ahead = known.sessions[first : first + horizon]
    lacking = horizon - len(ahead)
    estimated = np.arange(horizon) >= len(ahead)
    if lacking:
        # a calendar that fits says more about weekdays than a few bars
        recent = np.union1d(known.sessions, history.sessions[-_RECENT:])[-_RECENT:]
        ahead = np.concatenate([ahead, _by_weekday(recent, known.known_until, lacking)])
    return ahead, estimated


def _bytes(days: Days) -> bytes:
    return days.astype("datetime64[D]").tobytes()


@lru_cache(maxsize=64)
def _fits(sessions: bytes, known: Schedule) -> bool:
    """Whether the recent sessions of a history could come from a calendar.

    Args:
        sessions: the bytes of their dates: most tickers of an exchange have the same ones.
        known: the calendar.
    """
    every = np.frombuffer(sessions, dtype="datetime64[D]")
    recent = every[known.covers(every)]
    if not len(recent) or recent[-1] != every[-1]:
        return False
    start, stop = np.searchsorted(known.sessions, [recent[0], recent[-1] + 1])
    open_days = known.sessions[start:stop]
    if np.array_equal(open_days, recent):
        return True
    places = np.searchsorted(open_days, recent)
    on = places < len(open_days)
    on[on] = open_days[places[on]] == recent[on]
    if 10 * int(np.count_nonzero(~on)) > len(recent):
        return False
    places = places[on]
    if len(places) > 1 and np.median(np.diff(places)) >= _WEEK:
        return False
    opened = np.bincount(weekday(open_days), minlength=7)
    traded = np.bincount(weekday(recent), minlength=7)
    return not bool(np.any((opened >= _REGULAR) & (traded == 0)))


def closes_of(sessions: Days, known: Schedule) -> Moments | None:
    """When sessions close, UTC; those that the calendar lacks at the hour of its next one.

    Args:
        sessions: ``(n,)``.
        known: the calendar; None is returned where it has no session.
    """
    if not len(known):
        return None
    place = np.minimum(np.searchsorted(known.sessions, sessions), len(known) - 1)
    hour = known.closes[place] - known.sessions[place].astype("datetime64[s]")
    return np.asarray(sessions.astype("datetime64[s]") + hour)


def missing_sessions(sessions: Days, known: Schedule) -> Days:
    """Sessions of a calendar without a bar, as far as the calendar is known.

    They are for a report: nothing is ever filled in.

    Args:
        sessions: those with a bar, ``(n,)``, n ≥ 1, rising.
        known: the calendar.

    Returns:
        Those from the first to the last of ``sessions`` that are not among them.
    """
    inside = known.sessions[(known.sessions >= sessions[0]) & (known.sessions <= sessions[-1])]
    return np.setdiff1d(inside, sessions, assume_unique=True)


def stray_sessions(history: History, known: Schedule) -> Days:
    """Days with a bar that are no sessions of the calendar, as far as it is known."""
    bars = history.sessions[known.covers(history.sessions)]
    return np.setdiff1d(bars, known.sessions, assume_unique=True)


def last_closed(known: Schedule, now: datetime) -> np.datetime64 | None:
    """The last session that is over at ``now``: the one whose bar a source should have.

    Args:
        known: sessions around ``now``.
        now: with a time zone.

    Returns:
        Its date, or None where the calendar does not tell: no session in it has closed, or it
        ended before ``now`` (UTC).
    """
    moment = _moment(now)
    if moment > day_ends(known.known_until):  # a later one may have closed
        return None
    closed = int(np.searchsorted(known.closes, moment, side="right"))
    return np.datetime64(known.sessions[closed - 1], "D") if closed else None


def first_running(known: Schedule | None, now: datetime) -> np.datetime64:
    """The first session that is not over at ``now``: a bar of it is of what has passed of it.

    Args:
        known: sessions around ``now``, or None.
        now: with a time zone.

    Returns:
        Its date; NaT, than which no date is later, where no calendar tells.
    """
    closed = 0 if known is None else int(np.searchsorted(known.closes, _moment(now), side="right"))
    if known is None or closed == len(known):
        return np.datetime64("NaT", "D")
    return np.datetime64(known.sessions[closed], "D")


@dataclass(frozen=True, eq=False)
class Missed:
    """The sessions of a ticker that are over and came after its last bar.

    Attributes:
        sessions: ``datetime64[D]``, ``(n,)``, rising.
        closes: ``datetime64[s]`` in UTC, ``(n,)``; of an estimated one, the end of its day.
        estimated: which follow weekdays, not a calendar, ``(n,)``.
    """

    sessions: Days
    closes: Moments
    estimated: Mask

    def __len__(self) -> int:
        return len(self.sessions)


def missed_sessions(history: History, known: Schedule | None, now: datetime) -> Missed:
    """The sessions after the last bar that have closed.

    They are those of :func:`next_sessions`: where no calendar tells, the weekdays seen go on, and
    a holiday among them is not known to be one.

    Args:
        history: at least 1 bar.
        known: sessions of its calendar, or None.
        now: with a time zone.
    """
    moment = _moment(now)
    days = int((moment.astype("datetime64[D]") - history.cutoff).astype(np.int64)) + 1
    sessions, estimated = next_sessions(history, max(days, 1), known)
    closes = (sessions + np.timedelta64(1, "D")).astype("datetime64[s]")
    if known is not None and not estimated.all():
        places = np.searchsorted(known.sessions, sessions[~estimated])
        closes[~estimated] = known.closes[places]
    over = closes <= moment
    return Missed(sessions[over], closes[over], estimated[over])


def _moment(now: datetime) -> np.datetime64:
    """A time with a zone as ``datetime64[s]``, UTC."""
    if now.tzinfo is None:
        raise ValueError("now must have a time zone")
    return np.datetime64(int(now.timestamp() // 1), "s")


@overload
def day_ends(day: np.datetime64) -> np.datetime64: ...
@overload
def day_ends(day: Days) -> Moments: ...
def day_ends(day: np.datetime64 | Days) -> np.datetime64 | Moments:
    """Midnight UTC after a date, or after each of several."""
    return (day.astype("datetime64[D]") + 1).astype("datetime64[s]")


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
    return _by_weekday(recent, cutoff, horizon)


def _by_weekday(recent: Days, after: np.datetime64, count: int) -> Days:
    """The next ``count`` days after a day that are of a weekday seen in ``recent``."""
    counts = np.bincount(weekday(recent), minlength=7)
    if len(recent) < 10:  # too few to have seen a whole week: weekends only if one was seen
        weekdays = np.arange(7) if counts[5:].any() else np.arange(5)
    else:  # a special session on one Saturday does not open every Saturday
        weekdays = np.flatnonzero(4 * counts > counts.max())
    days = after + np.arange(1, 7 * count + 8)
    return np.asarray(days[np.isin(weekday(days), weekdays)][:count])


def weekday(days: Days) -> Integers:
    """Monday 0 to Sunday 6; 1970-01-01 was a Thursday."""
    return (days.astype("datetime64[D]").astype(np.int64) + 3) % 7
