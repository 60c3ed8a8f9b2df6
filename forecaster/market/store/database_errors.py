"""Failures of the database in the words of the program."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy.exc import DatabaseError, OperationalError, ProgrammingError

from forecaster.errors import LockHeld, SettingsError, StoreError

WAIT_SECONDS = 60
"""How long a writer waits for the others."""
_FORBIDDEN, _ONLY_READ = "42501", "25006"
"""What PostgreSQL calls a statement that its user may not make, and one that only reads."""


def unwritable(path: Path, reason: str) -> SettingsError:
    """A store whose folder cannot be written."""
    return SettingsError(
        f"{path.parent} cannot be written ({reason}); the price store {path.name} is kept there."
        " Set FORECASTER_HOME to a folder that can be, or FORECASTER_STORE to another database."
    )


def busy(name: str) -> LockHeld:
    """A store that another process does not let go of."""
    return LockHeld(
        f"another run has been writing {name} for {WAIT_SECONDS} seconds; only one may at a time."
        " Wait for it."
    )


def translated(
    name: str, problem: DatabaseError | sqlite3.DatabaseError
) -> StoreError | LockHeld | SettingsError:
    """What a failure of the database means to a user."""
    original = problem.orig if isinstance(problem, DatabaseError) else problem
    reason = str(original).strip().splitlines()[0]
    if isinstance(problem, OperationalError):
        return _operational(name, reason)
    if getattr(original, "sqlstate", None) == _ONLY_READ:
        return only_read(name)
    if _is_of_the_address(problem):
        return SettingsError(
            f"FORECASTER_STORE cannot be used ({reason}); options as PostgreSQL has them are needed"
            " after the ?, as in postgresql://user@host/name?connect_timeout=10. Correct it."
        )
    if is_forbidden(problem):
        return SettingsError(
            f"{name} refuses what is to be done ({reason}); a user of the database who may is"
            " needed. Give this one the right to do it, or set FORECASTER_STORE to another store."
        )
    return damaged(name, reason)


def _is_of_the_address(problem: DatabaseError | sqlite3.DatabaseError) -> bool:
    """Whether PostgreSQL's driver could not connect, and had not asked the server yet."""
    if not isinstance(problem, ProgrammingError) or problem.statement is not None:
        return False
    return getattr(problem.orig, "sqlstate", "none of PostgreSQL") is None


def is_forbidden(problem: Exception) -> bool:
    """Whether a server refused what its user may not do."""
    return getattr(getattr(problem, "orig", problem), "sqlstate", None) == _FORBIDDEN


def only_read(name: str) -> SettingsError:
    """A store on a server that lets its user write nothing."""
    return SettingsError(
        f"{name} cannot be written with this user of the database, and what is fetched is kept"
        " there. Give the user the right to write, or set FORECASTER_STORE to another store."
    )


def not_owner(name: str, problem: DatabaseError) -> SettingsError:
    """A store of an older program, which its user may not bring up to date."""
    reason = str(problem.orig).strip().splitlines()[0]
    return SettingsError(
        f"{name} has no tables of this version yet, and they cannot be made with this user of the"
        f" database ({reason}). Run forecast data verify once as the owner of the tables."
    )


def damaged(name: str, reason: str) -> StoreError:
    """A database that is none, or is damaged."""
    return StoreError(
        f"{name} is not a price store that can be read ({reason}). Restore a copy of it: the"
        " journal of forecasts is in it too. Or move it away and fetch again."
    )


def disk_full(name: str, reason: str) -> StoreError:
    """A store for which the disk has no room."""
    return StoreError(
        f"{name} could not be written ({reason}); nothing of this update was stored, and what was"
        " there before is whole. Make room on the disk."
    )


def no_room(reason: str) -> bool:
    """Whether SQLite's reason is that the disk is full."""
    return "full" in reason or "disk I/O" in reason


def _operational(name: str, reason: str) -> StoreError | LockHeld | SettingsError:
    """What an operational failure means to a user."""
    if "locked" in reason or "lock timeout" in reason:
        return busy(name)
    if "readonly" in reason or "unable to open" in reason:
        return unwritable(Path(name), reason)
    if no_room(reason):
        return disk_full(name, reason)
    if "no such table" in reason or "no such column" in reason:
        return damaged(name, reason)
    return StoreError(
        f"the price store {name} does not answer ({reason}). Check FORECASTER_STORE and the"
        " database."
    )
