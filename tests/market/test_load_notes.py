"""Notes on bars that files and the store hold: closed days, and ranges that repeat closes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fake_provider import FakeProvider, evening
from synthetic import garch_history, weekdays

from forecaster.market import exchanges
from forecaster.market.fetch_options import FetchOptions, StoredBars
from forecaster.market.load import read_sorted
from forecaster.market.store import Store, bars

FRIDAY = np.datetime64("2026-03-06")


@pytest.fixture
def store(tmp_path):
    with Store(f"sqlite:///{tmp_path}/prices.db") as opened:
        yield opened


def files(tmp_path, store, names, days):
    for name in names:
        lines = [f"{day},{10 + place % 7}\n" for place, day in enumerate(days)]
        (tmp_path / f"{name}.csv").write_text("Date,Close\n" + "".join(lines))
    paths = [str(tmp_path / f"{name}.csv") for name in names]
    return read_sorted(
        paths, [], fetching=FetchOptions(calendar="XNYS"), store=store, now=evening(FRIDAY)
    )


def test_bars_of_closed_days_are_counted(tmp_path, store):
    days = weekdays("2025-11-03", 80)  # with five holidays
    loaded = files(tmp_path, store, ["A"], days)
    (note,) = loaded.notes
    assert note.ticker == "A"
    assert note.message.startswith(
        "5 of 80 bars are of days on which XNYS is closed, first 2025-11-27; check the calendar"
    )


def test_bars_of_sessions_are_not(tmp_path, store):
    days = exchanges.schedule("XNYS", np.datetime64("2025-11-03"), FRIDAY).sessions
    assert files(tmp_path, store, ["A"], days).notes == ()


def test_many_tickers_share_a_note(tmp_path, store):
    loaded = files(tmp_path, store, list("ABCDE"), weekdays("2025-11-03", 80) - 1)
    closed, missing = (str(note.message) for note in loaded.notes if note.source == "XNYS")
    assert "bars of 5 tickers are of days on which XNYS is closed, the first of A" in closed
    assert "sessions of 5 tickers without a bar by XNYS, the first of A on " in missing


def test_sessions_without_a_bar_are_counted(tmp_path, store):
    days = exchanges.schedule("XNYS", np.datetime64("2025-11-03"), FRIDAY).sessions
    (note,) = files(tmp_path, store, ["A"], np.delete(days, [5, 6, 20])).notes
    assert (note.ticker, note.loud) == ("A", False)
    assert note.message.startswith(f"3 sessions without a bar by XNYS, first {days[5]}; ")


def test_the_newest_bars_alone_are_as_they_are_in_the_whole(store):
    known = exchanges.schedule("XNYS", FRIDAY - 1000, FRIDAY)
    made = garch_history("ABC", 600, seed=1)
    flat = np.random.default_rng(4).random(600) < np.linspace(0.5, 0, 600)
    prices = {
        name: np.where(flat, made.close, getattr(made, name)) for name in ("open", "high", "low")
    }
    some = replace(made, sessions=known.sessions[-600:], adjusted_close=made.close.copy(), **prices)
    source = FakeProvider({"ABC": some})

    def read(last):
        loaded = read_sorted(
            [],
            ["ABC"],
            store=store,
            provider=lambda: source,
            now=evening(FRIDAY),
            stored=StoredBars(last),
        )
        return loaded.panel.histories[0]

    whole = read(None)
    assert 0 < np.isnan(whole.high).sum() < flat.sum()
    for last in (50, 200, 300, 400):
        assert len(read(last)) == last
        assert read(last).fingerprint == whole.slice(600 - last, 600).fingerprint


def test_stored_ranges_that_repeat_closes_are_unknown_when_read(store):
    known = exchanges.schedule("XNYS", FRIDAY - 200, FRIDAY)
    made = garch_history("ABC", 60, seed=1)
    flat = replace(
        made, sessions=known.sessions[-60:], open=made.close, high=made.close, low=made.close,
        adjusted_close=made.close.copy(),
    )  # fmt: skip
    source = FakeProvider({"ABC": flat})
    loaded = read_sorted([], ["ABC"], store=store, provider=lambda: source, now=evening(FRIDAY))
    assert np.isnan(loaded.panel.histories[0].high[2:]).all()
    assert any("58 bars of 60 (97%) have no range" in note.message for note in loaded.notes)
    with store.reading() as tx:
        stored = bars.read(tx, "ABC")
    assert stored is not None
    assert np.isfinite(stored.high).all()  # as they came, to be compared with the next answer
