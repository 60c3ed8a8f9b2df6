"""Whether the database is whole."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from forecaster.market.store import schema


def problems(connection: Connection) -> list[str]:
    """What the database finds wrong with itself; empty where it is whole."""
    found = []
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
        found += [f"the database is damaged: {row}" for row in rows if row != "ok"]
    for table in (schema.bars, schema.actions):
        orphans = (
            select(func.count())
            .select_from(table.outerjoin(schema.histories))
            .where(schema.histories.c.id.is_(None))
        )
        count = connection.execute(orphans).scalar_one()
        if count:
            found.append(f"{count} rows of {table.name} belong to no ticker")
    return found
