"""A price store on each database, and the real client of Yahoo before a stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from yahoo_server import YahooServer

from forecaster.market.providers.yahoo import STAND_IN, Yahoo
from forecaster.market.store import Store


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
    address = request.getfixturevalue("postgres_url")
    monkeypatch.setenv("FORECASTER_STORE", address)
    yield address


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store."""
    with Store(store_url) as opened:
        yield opened


@pytest.fixture
def server(monkeypatch):
    with YahooServer() as running:
        monkeypatch.setenv(STAND_IN, running.url)
        yield running


@pytest.fixture
def yahoo(server):
    return Yahoo(timeout=5.0)
