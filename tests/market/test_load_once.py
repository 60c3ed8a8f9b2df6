"""How often the store is asked for the tickers of a command."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from fake_provider import FakeProvider, evening
from sqlalchemy import Engine, event
from test_load import FRIDAY, THURSDAY, load, on_xnys, source, store

from forecaster.market.store import Store

__all__ = ["source", "store"]


class TestOneRead:
    """A stored ticker is selected once, whatever becomes of it."""

    @pytest.fixture
    def twenty(self, store, source) -> list[str]:
        names = [f"T{number:02d}" for number in range(20)]
        one = on_xnys("T00", 50, 1).up_to(FRIDAY - 1)
        source.truth = {name: replace(one, ticker=name) for name in names}
        load(store, source, *names, now=THURSDAY)
        return names

    def statements(self, store: Store, source: FakeProvider, *words: str, now: datetime) -> int:
        """SQL statements of loading tickers."""
        made: list[str] = []

        def count(_connection, _cursor, statement, *_: object) -> None:
            made.append(statement)

        event.listen(Engine, "before_cursor_execute", count)
        try:
            loaded = load(store, source, *words, now=now)
        finally:
            event.remove(Engine, "before_cursor_execute", count)
        assert len(loaded.panel) == len(words)
        assert {history.cutoff for history in loaded.panel} == {self.cutoff(source)}
        assert "XNYS" in loaded.calendars
        return len(made)

    def cutoff(self, source: FakeProvider) -> np.datetime64:
        return source.truth["T00"].cutoff

    def test_of_a_ticker_that_is_up_to_date(self, store, source, twenty):
        assert self.statements(store, source, twenty[0], now=THURSDAY + timedelta(hours=1)) <= 6

    def test_of_twenty(self, store, source, twenty):
        now = THURSDAY + timedelta(hours=1)
        assert self.statements(store, source, *twenty, now=now) <= 6 + 19

    def test_of_a_ticker_that_is_updated(self, store, source, twenty):
        self.publish(source)
        assert self.statements(store, source, twenty[0], now=evening(FRIDAY)) <= 15

    def test_of_twenty_that_are_updated(self, store, source, twenty):
        self.publish(source)
        assert self.statements(store, source, *twenty, now=evening(FRIDAY)) <= 20 * 15

    def publish(self, source: FakeProvider) -> None:
        """Friday's bars, with Thursday's volume corrected."""
        whole = on_xnys("T00", 50, 1)
        volume = whole.volume.copy()
        volume[-2] += 1000.0
        source.truth = {name: replace(whole, ticker=name, volume=volume) for name in source.truth}
