"""Bars that a user brought are given up for nothing that may be of another stock, or is shorter."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fake_provider import FakeProvider, evening
from synthetic import garch_history
from updates import fetch, stored

from forecaster.jobs import data
from forecaster.market.bars import History
from forecaster.market.store import Store

WHOLE = replace(garch_history("ABC", 60, seed=3), currency="USD")
DAYS = WHOLE.sessions


def bring(store: Store, history: History) -> None:
    data.bring_in(store, [history], now=evening(history.cutoff))


def test_from_a_later_date_on_what_is_stored_is_asked_for_too(store):
    bring(store, WHOLE.slice(2, 30))
    source = FakeProvider({"ABC": WHOLE})
    made = fetch(store, source, DAYS[-1], since=DAYS[20])
    assert source.asked == [("ABC", str(DAYS[2]))]
    assert (made.outcome, made.added) == ("reloaded", 30)
    assert (stored(store).first, stored(store).cutoff) == (DAYS[2], DAYS[-1])


def test_an_answer_that_begins_later_is_not_taken(store):
    bring(store, WHOLE.slice(0, 30))
    made = fetch(store, FakeProvider({"ABC": WHOLE.slice(20, 60)}), DAYS[-1], since=DAYS[20])
    assert made.outcome == "kept"
    assert "has bars from" in made.notes[-1]
    assert stored(store).fingerprint == WHOLE.slice(0, 30).fingerprint


@pytest.mark.parametrize(
    ("mine", "said"),
    [
        (replace(WHOLE, currency="EUR"), "is in USD, and the stored bars are in EUR"),
        (replace(garch_history("ABC", 60, seed=77), currency="USD"), "moves otherwise than"),
    ],
    ids=["another currency", "another stock"],
)
def test_another_stock_is_not_taken(store, mine, said):
    bring(store, mine)
    made = fetch(store, FakeProvider({"ABC": WHOLE}), DAYS[-1])
    assert made.outcome == "kept"
    assert f"what yahoo gives {said}" in made.notes[-1]
    assert "forecast data prune ABC" in made.notes[-1]
    assert stored(store).fingerprint == mine.fingerprint
