"""A real PostgreSQL server for tests, from the binaries of the operating system.

It lives in a temporary folder, listens on a free port of the loopback interface and is stopped when
the tests end. PostgreSQL refuses to run as root; root's tests run it as another user.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

REQUIRED = "FORECASTER_TEST_POSTGRES"
"""Set to ``required``, tests fail where there is no server, and are not skipped."""


def binaries() -> Path | None:
    """The folder with ``initdb`` and ``postgres``, or None."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name))
    found = shutil.which("initdb")
    folders += [Path(found).resolve().parent] if found else []
    usable = [folder for folder in folders if (folder / "postgres").exists()]
    return usable[-1] if usable else None


@contextlib.contextmanager
def server() -> Iterator[str]:
    """A running server; gives the address of its maintenance database without the name."""
    folder = binaries()
    assert folder is not None
    user = _unprivileged_user()
    with tempfile.TemporaryDirectory(prefix="forecast-pg-") as name:
        root = Path(name)
        if user is not None:
            os.chown(root, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
        data, port = root / "data", _free_port()
        run = {"user": user, "cwd": name} if user is not None else {"cwd": name}
        subprocess.run(
            [folder / "initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "-N"],
            check=True,
            capture_output=True,
            **run,
        )
        process = subprocess.Popen(
            [folder / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", name, "-F"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **run,
        )
        try:
            _wait(port)
            yield f"postgresql+psycopg://tester@127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def emptied(address: str) -> str:
    """The address of a running server's database, with nobody connected and nothing in it.

    It takes half of the time that making and dropping a database would.
    """
    with psycopg.connect(f"{address.replace('+psycopg', '')}/postgres", autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        admin.execute("DROP SCHEMA public CASCADE")
        admin.execute("CREATE SCHEMA public")
        admin.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")  # as in a new database
    return f"{address}/postgres"


@contextlib.contextmanager
def reader(address: str, rights: str = "SELECT", *, is_copy: bool = False) -> Iterator[str]:
    """A user with some rights on the tables of a database; gives its address for that user.

    Args:
        address: of the database.
        rights: as GRANT takes them.
        is_copy: whether the user's transactions only read, as on a copy of the database.
    """
    name = f"reader_{address.rpartition('/')[2]}"
    with psycopg.connect(address.replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {name} LOGIN {'SUPERUSER' if is_copy else ''}")
        try:
            admin.execute(f"GRANT {rights} ON ALL TABLES IN SCHEMA public TO {name}")
            if is_copy:
                admin.execute(f"ALTER ROLE {name} SET default_transaction_read_only = on")
            yield address.replace("tester@", f"{name}@")
        finally:
            admin.execute(f"DROP OWNED BY {name}")
            admin.execute(f"DROP ROLE {name}")


def _unprivileged_user() -> str | None:
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int) -> None:
    for _ in range(300):
        try:
            psycopg.connect(f"postgresql://tester@127.0.0.1:{port}/postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("PostgreSQL did not start")
