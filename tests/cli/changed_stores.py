"""Stores whose cells somebody changed."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

CELLS = (
    "NULL", "''", "'abc'", "CAST(x'ff80' AS TEXT)", "CAST(x'c3' AS TEXT)", "x'00ff'", "zeroblob(8)",
    "9223372036854775807", "-9223372036854775808", "1e300", "9e999", "-9e999", "-1", "0", "1.5",
    "20151399", "10101", "99991231", "123456789012", "'2026-01-01'", "'\x1b[31m\u202e'",
    "printf('%.20000c', '9')", "'[]'", "'{}'", "'[{}]'", "printf('%.2000c', '[')",
)  # fmt: skip
"""What SQLite keeps in a cell, whatever its column says."""


def without_limits(path: Path) -> bytes:
    """A store whose columns take NULL, as one file without anything beside it."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute(
            "UPDATE sqlite_master SET sql=replace(sql, ' NOT NULL', '') WHERE type='table'"
        )
    connection.close()
    return path.read_bytes()


def change(path: Path, rng: random.Random, *only: str) -> None:
    """Put something else into a cell, of a row or of all rows of a table."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall()
    table = rng.choice([name for (name,) in rows if not only or name in only])
    names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    where = ""
    if rng.random() < 0.7 and count:
        keys, place = ", ".join(names[:2]), rng.choice((0, count - 1, rng.randrange(count)))
        where = f" WHERE ({keys}) = (SELECT {keys} FROM {table} LIMIT 1 OFFSET {place})"
    try:
        cell = rng.choice(CELLS)
        connection.execute(f"UPDATE OR REPLACE {table} SET {rng.choice(names)} = {cell}{where}")
        connection.commit()
    except sqlite3.Error:  # a key takes no NULL
        pass
    connection.close()
