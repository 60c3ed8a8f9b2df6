"""What a source says of a stored ticker besides its bars, what it lacks, and whose it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fake_provider import FakeProvider, split
from synthetic import garch_history
from updates import fetch, stored

from forecaster.market.bars import PRICE_FIELDS, History
from forecaster.market.providers.base import Quotes
from forecaster.market.store.tickers import stored_tickers

WHOLE = garch_history("ABC", 60, seed=3)


class Source(FakeProvider):
    """One that may change what it says of a ticker."""

    facts: dict[str, str | None]

    def fetch(self, ticker: str, since: np.datetime64 | None) -> Quotes:
        return replace(super().fetch(ticker, since), **self.facts)


@pytest.fixture
def source(store) -> Source:
    source = Source({"ABC": WHOLE.slice(0, 40)})
    source.facts = {"currency": "GBp", "exchange": "LSE", "timezone": "Europe/London"}
    fetch(store, source, WHOLE.sessions[39])
    source.truth["ABC"] = WHOLE.slice(0, 43)
    return source


def info_of(store):
    with store.reading() as tx:
        return stored_tickers(tx, ["ABC"])["ABC"].info


def without(made: History, *rows: int) -> History:
    keep = np.delete(np.arange(len(made)), rows)
    parts = {name: getattr(made, name)[keep] for name in PRICE_FIELDS}
    return replace(made, sessions=made.sessions[keep], **parts)


@pytest.mark.parametrize("restated", [False, True])
def test_bars_in_other_money_are_not_taken(store, source, restated):
    """Two pounds are not two pence, whether the numbers are the same or not."""
    source.facts["currency"] = "GBP"
    if restated:
        source.truth["ABC"] = split(source.truth["ABC"], WHOLE.sessions[41], 100.0)
    made = fetch(store, source, WHOLE.sessions[42])
    assert made.outcome == "kept"
    assert "is in GBP, and the stored bars are in GBp" in made.notes[-1]
    assert "forecast data prune ABC" in made.notes[-1]
    assert (stored(store).currency, len(stored(store))) == ("GBp", 40)


@pytest.mark.parametrize("reloaded", [False, True])
def test_what_an_answer_does_not_say_stays_known(store, source, reloaded):
    before = info_of(store)
    source.facts = dict.fromkeys(source.facts)
    if reloaded:
        source.truth["ABC"] = split(source.truth["ABC"], WHOLE.sessions[41], 2.0)
    made = fetch(store, source, WHOLE.sessions[42])
    assert made.outcome == ("reloaded" if reloaded else "updated")
    after = info_of(store)
    for name in ("currency", "exchange", "calendar", "timezone"):
        assert getattr(after, name) == getattr(before, name) is not None


def test_sessions_that_a_whole_answer_lacks_are_named(store, source):
    later = split(source.truth["ABC"], WHOLE.sessions[41], 2.0)
    source.truth["ABC"] = without(later, 11, 12)
    made = fetch(store, source, WHOLE.sessions[42])
    assert made.outcome == "reloaded"
    assert made.notes[-1] == (
        f"the answer has no bar of 2 stored sessions, the first {WHOLE.sessions[11]}, which are"
        " gone here too"
    )
    assert len(stored(store)) == 41


def test_a_whole_answer_that_has_all_of_them_says_nothing(store, source):
    source.truth["ABC"] = split(source.truth["ABC"], WHOLE.sessions[41], 2.0)
    made = fetch(store, source, WHOLE.sessions[42])
    assert made.outcome == "reloaded"
    assert not any("stored session" in note for note in made.notes)


@pytest.mark.parametrize("earlier", [0, 20])
def test_bars_of_another_company_that_has_the_ticker_now_are_not_taken(store, source, earlier):
    """As META was a fund's ticker for some months, and then that of a company of ten years."""
    before = stored(store)
    other = garch_history("ABC", 60, seed=77)
    days = np.busday_offset(WHOLE.sessions[0], np.arange(-earlier, 60 - earlier), roll="forward")
    source.truth["ABC"] = replace(other, sessions=days)
    made = fetch(store, source, days[-1])
    assert made.outcome == "kept"
    assert "moves otherwise than the stored bars" in made.notes[-1]
    assert "forecast data rename ABC NAME" in made.notes[-1]
    assert stored(store).fingerprint == before.fingerprint


def test_a_bar_that_is_corrected_is_no_other_company(store, source):
    later = source.truth["ABC"]
    close = later.close * np.where(np.arange(43) == 38, 1.003, 1.0)
    source.truth["ABC"] = replace(later, close=close, adjusted_close=close)
    made = fetch(store, source, WHOLE.sessions[42])
    assert (made.outcome, made.added) == ("reloaded", 3)
