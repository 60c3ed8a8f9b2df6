"""Exchange sessions in the store, so that a forecast's dates need no calendar library.

Holidays are announced, weeks are changed and years are published: what a newer version of the
library says takes the place of what an older one said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, delete, insert, select

from forecaster.errors import CalendarUnavailable, StoreError
from forecaster.market import exchanges
from forecaster.market.calendars import Schedule
from forecaster.market.store import schema
from forecaster.market.store.damage import checked
from forecaster.market.store.day_numbers import to_day, to_days, to_number, to_numbers
from forecaster.market.store.engine import Store

EPOCH = "datetime64[s]"

_NOTE = "calendar:"
"""What the key begins with under which the library's version is noted."""

_NEEDED = np.timedelta64(120, "D")
"""How far ahead a stored schedule must reach: 60 sessions and some holidays."""

_ASKED = np.timedelta64(400, "D")
"""How far ahead the library is asked, so that it is asked about once a year."""


@dataclass(frozen=True)
class StoredCalendar:
    """The stored sessions of a calendar.

    Some calendars begin later or end earlier than asked for, and asking the same library again
    gives no more.

    Attributes:
        code: of the calendar.
        schedule: the sessions; None: they are damaged.
        asked_from: first day that the library was asked for.
        asked_until: last one.
        made_with: the version of the library; None: it was not noted.
    """

    code: str
    schedule: Schedule | None
    asked_from: np.datetime64
    asked_until: np.datetime64
    made_with: str | None = None

    def reaches(self, first: np.datetime64, last: np.datetime64) -> bool:
        """Whether the library that is installed knows no more from one day to another."""
        newer = _release(exchanges.made_with(self.code)) > _release(self.made_with)
        return bool(self.asked_from <= first and self.asked_until >= last and not newer)


def _release(version: str | None) -> list[int]:
    """A version as numbers that compare."""
    return [int(part) for part in re.findall("[0-9]{1,9}", str(version or ""))]


def read(connection: Connection, codes: Iterable[str]) -> dict[str, StoredCalendar]:
    """Some calendars by their codes; those that are not stored, or damaged, are left out."""
    wanted = set(codes)
    if not wanted:
        return {}
    table = schema.exchange_sessions.c
    calendars = {}
    code, info = schema.calendars.c.calendar, schema.store_info
    query = (
        select(schema.calendars, info.c.value.label("made_with"))
        .outerjoin_from(schema.calendars, info, info.c.key == _NOTE + code)
        .where(code.in_(wanted))
    )
    for row in connection.execute(query).fetchall():
        if not _readable(row):
            continue
        sessions = connection.execute(
            select(table.session, table.closes)
            .where(table.calendar == row.calendar)
            .order_by(table.session)
        ).fetchall()
        try:
            schedule = Schedule(
                code=row.calendar,
                sessions=to_days([session for session, _ in sessions]),
                closes=np.array([close for _, close in sessions], dtype=np.int64).astype(EPOCH),
                known_from=to_day(row.known_from),
                known_until=to_day(row.known_until),
            )
        except (ValueError, TypeError, OverflowError):
            schedule = None
        calendars[row.calendar] = StoredCalendar(
            row.calendar, schedule, to_day(row.asked_from), to_day(row.asked_until),
            row.made_with,
        )  # fmt: skip
    return calendars


def _readable(row: Row[Any]) -> bool:
    """Whether a row is as it was written; if not, the calendar is made again."""
    try:
        checked(row, schema.calendars)
    except StoreError:
        return False
    return True


def schedules_from(
    store: Store,
    firsts: Mapping[str, np.datetime64],
    now: datetime,
    stored: Mapping[str, StoredCalendar] | None = None,
) -> tuple[dict[str, Schedule], dict[str, str]]:
    """Schedules that reach some months ahead, of the library where the stored ones end too soon.

    So are those that an older version of the library made, unless this one cannot make them.

    Some end sooner even so, where a year's holidays are not known yet.

    Args:
        store: where they are kept; what the library says is stored.
        firsts: the first date wanted of each calendar, by its code as
            :func:`forecaster.market.exchanges.checked_calendar` returns it.
        now: with a time zone.
        stored: those of the calendars that were read before; None: none was.

    Returns:
        Schedules by code, and why the library cannot make the others; a reason is given once,
        as the calendar is stored without sessions then.
    """
    stored = stored or {}
    unread = firsts.keys() - stored.keys()
    if unread:
        with store.reading() as tx:
            stored = {**stored, **read(tx, unread)}
    schedules, reasons = {}, {}
    today = np.datetime64(now.date(), "D")
    for code, first in firsts.items():
        old = stored.get(code)
        schedule = None if old is None else old.schedule
        reaches = old is not None and old.reaches(first, today + _NEEDED)
        if schedule is None or not (reaches or store.read_only):
            start = first if old is None else min(first, old.asked_from)
            until = max(today, first) + _ASKED  # bars after today, or a clock that is wrong
            schedule, reason = _from_library(code, start, until)
            if old is not None and old.schedule and not len(schedule):
                schedule = old.schedule  # that an older library made, and this one cannot
            elif reason is not None:
                reasons[code] = reason
            if not store.read_only:
                with store.writing() as tx:
                    write(tx, schedule, start, until)
        if len(schedule):
            schedules[code] = schedule
    return schedules, reasons


def _from_library(
    code: str, first: np.datetime64, last: np.datetime64
) -> tuple[Schedule, str | None]:
    """A schedule of the calendar library; one without sessions and the reason if it has none."""
    try:
        return exchanges.schedule(code, first, last), None
    except CalendarUnavailable as problem:
        # kept as an empty one, or every forecast would load the library to hear this again
        days = np.array([], dtype="datetime64[D]")
        empty = Schedule(code, days, days.astype(EPOCH), known_from=first, known_until=first)
        return empty, str(problem)


def write(
    connection: Connection, schedule: Schedule, first: np.datetime64, last: np.datetime64
) -> None:
    """Store a calendar in place of what was there.

    Args:
        connection: a writing transaction.
        schedule: the sessions.
        first: first day that the library was asked for.
        last: last one.
    """
    forget(connection, schedule.code)
    connection.execute(
        insert(schema.calendars).values(
            calendar=schedule.code,
            known_from=to_number(schedule.known_from),
            known_until=to_number(schedule.known_until),
            asked_from=to_number(first),
            asked_until=to_number(last),
        )
    )
    note = {"key": _NOTE + schedule.code, "value": exchanges.made_with(schedule.code)}
    connection.execute(insert(schema.store_info).values(note))
    numbers = to_numbers(schedule.sessions).tolist()
    closes = schedule.closes.astype(EPOCH).astype(np.int64).tolist()
    rows = [
        {"calendar": schedule.code, "session": number, "closes": close}
        for number, close in zip(numbers, closes, strict=True)
    ]
    if rows:
        connection.execute(insert(schema.exchange_sessions), rows)


def forget(connection: Connection, code: str) -> None:
    """Delete a calendar."""
    for table in (schema.exchange_sessions, schema.calendars):
        connection.execute(delete(table).where(table.c.calendar == code))
    connection.execute(delete(schema.store_info).where(schema.store_info.c.key == _NOTE + code))
