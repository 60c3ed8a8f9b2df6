"""The sessions of an exchange: from the store, or once from the calendar library."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from forecaster.arrays import Days
from forecaster.errors import CalendarUnavailable
from forecaster.market.calendars import Schedule
from forecaster.market.store import Store
from forecaster.market.store import calendars as schedules

_NEEDED = np.timedelta64(120, "D")
"""How far ahead a stored schedule must reach: 60 sessions and some holidays."""

_ASKED = np.timedelta64(400, "D")
"""How far ahead the library is asked, so that it is asked about once a year."""


def timetable(
    store: Store, code: str, first: np.datetime64, now: datetime
) -> tuple[Schedule | None, str | None]:
    """The sessions of a calendar from ``first`` to some months from now.

    Args:
        store: where they are kept; what the library says is stored.
        code: as :func:`forecaster.market.exchanges.checked_calendar` returns it.
        first: the first date wanted.
        now: with a time zone.

    Returns:
        The schedule, and a note where there is none: the library cannot make that calendar. Some
        schedules end sooner than wanted, where a year's holidays are not known yet.
    """
    today = np.datetime64(now.date(), "D")
    with store.reading() as tx:
        found = schedules.read(tx, code)
        asked = schedules.asked(tx, code)
    if found is not None and asked is not None:
        enough = asked[0] <= first and asked[1] >= today + _NEEDED
        if enough or store.frozen:
            return (found if len(found) else None), None
    from forecaster.market import exchanges

    start = first if asked is None else min(first, asked[0])
    last = today + _ASKED
    note = None
    try:
        made = exchanges.schedule(code, start, last)
    except CalendarUnavailable as problem:
        # kept as an empty one, or every forecast would load the library to hear this again
        made = _empty(code, start)
        note = str(problem)
    if not store.frozen:
        with store.writing() as tx:
            schedules.write(tx, made, start, last)
    return (made if len(made) else None), note


def missing_note(code: str, days: Days) -> str | None:
    """A sentence on sessions without a bar; None where there are none."""
    if not len(days):
        return None
    if len(days) == 1:
        return f"the session {days[0]} of {code} has no bar; it was not filled"
    return (
        f"{len(days)} sessions of {code} have no bar, the first {days[0]}, the last {days[-1]};"
        " they were not filled"
    )


def _empty(code: str, first: np.datetime64) -> Schedule:
    return Schedule(
        code=code,
        sessions=np.array([], dtype="datetime64[D]"),
        closes=np.array([], dtype="datetime64[s]"),
        known_from=first,
        known_until=first,
    )
