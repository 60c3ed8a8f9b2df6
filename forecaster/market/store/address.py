"""The address of the price store, as it is set."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from forecaster.errors import SettingsError
from forecaster.packages import to_install
from forecaster.paths import STORE, home


def store_address(url: str | None) -> URL:
    """The database's address.

    Raises:
        SettingsError: it cannot be read, or its driver is not installed.
    """
    if url is None:
        return URL.create("sqlite", database=str(home() / STORE))
    if "://" not in url:
        raise _unusable(ValueError("it has no ://, as every address has"))
    try:
        address = _with_driver(make_url(url))
        address.get_dialect().import_dbapi()
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as problem:
        raise _unusable(problem) from None
    except ValueError:
        raise SettingsError(
            "FORECASTER_STORE has a port that is no number; one is needed, as in"
            " postgresql://user@host:5432/name. Correct it."
        ) from None
    if is_file(address) and (address.database or ":memory:").startswith((":memory:", "file:")):
        raise SettingsError(
            "FORECASTER_STORE is sqlite without the path of a file; what is fetched is kept in one."
            " Give it as in sqlite:////data/prices.db."
        )
    if "@" in (address.host or ""):
        raise SettingsError(
            "FORECASTER_STORE has more than one @; the one before the host is the only one that may"
            " stand there. Write %40 for an @ in the user's name or the password."
        )
    return address


def engine_of(address: URL, **options: Any) -> Engine:
    """What connects to the database; it does not yet.

    Args:
        address: from :func:`store_address`.
        options: as ``create_engine`` takes them.

    Raises:
        SettingsError: the address names none, or has an option that cannot be used.
    """
    try:
        return create_engine(address, **options)
    except (ArgumentError, NoSuchModuleError, ValueError, TypeError) as problem:
        raise _unusable(problem) from None


def _unusable(problem: Exception) -> SettingsError:
    """What is said of an address that names no database."""
    lacks = isinstance(problem, ModuleNotFoundError | NoSuchModuleError)
    driver = f"PostgreSQL's driver comes with: {to_install('postgres')}"
    return SettingsError(
        f"FORECASTER_STORE cannot be used ({str(problem).splitlines()[0]}); an address such as"
        f" sqlite:////data/prices.db or postgresql://user@host/name is needed."
        f" {driver if lacks else 'Correct it or unset it.'}"
    )


def _with_driver(address: URL) -> URL:
    """An address of PostgreSQL, under any of its names, with the driver that our extra brings."""
    backend, _, driver = address.drivername.lower().partition("+")
    if backend not in ("postgres", "postgresql"):
        return address
    return address.set(drivername=f"postgresql+{driver or 'psycopg'}")


def is_file(address: URL) -> bool:
    """Whether the store is a file, and not on a server."""
    return address.get_backend_name() == "sqlite"
