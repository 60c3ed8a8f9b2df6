"""Exchange sessions in the store, so that a forecast's dates need no calendar library."""

from __future__ import annotations

import numpy as np
from sqlalchemy import Connection, delete, insert, select

from forecaster.market.calendars import Schedule
from forecaster.market.store import schema
from forecaster.market.store.dates import to_day, to_days, to_number, to_numbers

EPOCH = "datetime64[s]"


def read(connection: Connection, code: str) -> Schedule | None:
    """The stored sessions of a calendar, or None."""
    facts = connection.execute(
        select(schema.calendars).where(schema.calendars.c.calendar == code)
    ).one_or_none()
    if facts is None:
        return None
    table = schema.exchange_sessions
    rows = connection.execute(
        select(table.c.session, table.c.closes)
        .where(table.c.calendar == code)
        .order_by(table.c.session)
    ).fetchall()
    try:
        return Schedule(
            code=code,
            sessions=to_days([row[0] for row in rows]),
            closes=np.array([row[1] for row in rows], dtype=np.int64).astype(EPOCH),
            known_from=to_day(facts.known_from),
            known_until=to_day(facts.known_until),
        )
    except ValueError:  # damaged: the library makes it again
        return None


def asked(connection: Connection, code: str) -> tuple[np.datetime64, np.datetime64] | None:
    """The first and last day that the library was asked for; None where nothing is stored.

    Some calendars begin later or end earlier, and asking again gives no more.
    """
    table = schema.calendars
    found = connection.execute(
        select(table.c.asked_from, table.c.asked_until).where(table.c.calendar == code)
    ).one_or_none()
    return None if found is None else (to_day(found[0]), to_day(found[1]))


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
