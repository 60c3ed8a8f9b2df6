"""A price store on each database, and bars to put into it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import postgres
import pytest

from forecaster.market.store import Store


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a running server; started once, if a test asks for it."""
    if postgres.binaries() is None and os.environ.get(postgres.REQUIRED) != "required":
        pytest.skip("PostgreSQL is not installed")
    with postgres.server() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The address of an empty store, which is also the usual one."""
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path}/prices.db"
        monkeypatch.setenv("FORECASTER_STORE", address)
        yield address
        return
    server = request.getfixturevalue("postgres_server")
    with postgres.database(server, f"t{abs(hash(request.node.nodeid))}") as address:
        monkeypatch.setenv("FORECASTER_STORE", address)
        yield address


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store."""
    with Store(store_url) as opened:
        yield opened
