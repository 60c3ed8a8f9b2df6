"""The log of the store: what was asked of sources, batch runs, and tries to retrain a model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, select, update

from forecaster.market.store import schema
from forecaster.market.store.damage import checked

_LONGEST = 1000


def record_fetch(
    connection: Connection, *, ticker: str, source: str, at: datetime, outcome: str, detail: str
) -> None:
    """Add one question to a source to the log.

    Args:
        connection: a writing transaction.
        ticker: what was asked for.
        source: who was asked.
        at: when.
        outcome: ``new``, ``updated``, ``reloaded``, ``current``, ``kept`` or ``failed``.
        detail: one sentence.
    """
    connection.execute(
        insert(schema.fetches).values(
            ticker=ticker,
            source=source,
            at=int(at.timestamp()),
            outcome=outcome,
            detail=detail[:_LONGEST],
        )
    )


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


def begin_run(connection: Connection, run: Run) -> None:
    """Note that a run has begun."""
    connection.execute(
        insert(schema.runs).values(
            run=run.run, task=run.task, started=int(run.started.timestamp()), finished=None
        )
    )


def finish_run(connection: Connection, run: Run, now: datetime) -> None:
    """Note that a run is done."""
    connection.execute(
        update(schema.runs)
        .where(schema.runs.c.run == run.run)
        .values(finished=int(now.timestamp()))
    )


def unfinished_run(connection: Connection, task: str) -> Run | None:
    """The newest run of a task, if it was cut off; None if it was finished or there is none."""
    table = schema.runs.c
    query = (
        select(schema.runs)
        .where(table.task == task)
        .order_by(table.started.desc(), table.run.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    if row is None or checked(row, schema.runs).finished is not None:
        return None
    try:
        return Run(row.run, row.task, datetime.fromtimestamp(row.started, UTC))
    except (ValueError, OverflowError, OSError):  # no time that was: somebody changed it
        return None


def record_try(connection: Connection, model_id: str, now: datetime) -> None:
    """Note that a model was tried to be retrained, and kept."""
    info = schema.store_info
    connection.execute(delete(info).where(info.c.key == _try_of(model_id)))
    connection.execute(insert(info).values(key=_try_of(model_id), value=now.isoformat()))


def last_try(connection: Connection, model_id: str) -> datetime | None:
    """When a model was last tried to be retrained, and kept; None where it never was."""
    info = schema.store_info.c
    noted = connection.execute(select(info.value).where(info.key == _try_of(model_id))).scalar()
    try:
        return None if noted is None else datetime.fromisoformat(noted)
    except (ValueError, TypeError):  # somebody changed it
        return None


def _try_of(model_id: str) -> str:
    return f"retrain:{model_id}"
