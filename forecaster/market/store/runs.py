"""Batch runs in the store, so that one that was cut off can go on where it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select, update

from forecaster.market.store import schema


@dataclass(frozen=True)
class Run:
    """One batch.

    Attributes:
        run: its name.
        task: digest of what was to be done; the same work has the same digest.
        started: when, UTC.
    """

    run: str
    task: str
    started: datetime


def begin(connection: Connection, run: Run) -> None:
    """Note that a run has begun."""
    connection.execute(
        insert(schema.runs).values(
            run=run.run, task=run.task, started=int(run.started.timestamp()), finished=None
        )
    )


def finish(connection: Connection, run: Run, now: datetime) -> None:
    """Note that a run is done."""
    connection.execute(
        update(schema.runs)
        .where(schema.runs.c.run == run.run)
        .values(finished=int(now.timestamp()))
    )


def unfinished(connection: Connection, task: str) -> Run | None:
    """The newest run of a task, if it was cut off; None if it was finished or there is none."""
    table = schema.runs.c
    query = (
        select(schema.runs)
        .where(table.task == task)
        .order_by(table.started.desc(), table.run.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    if row is None or row.finished is not None:
        return None
    return Run(row.run, row.task, datetime.fromtimestamp(row.started, UTC))
