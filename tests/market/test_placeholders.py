"""Ranges that only repeat closes are unknown; halts and single trades stay as they are."""

from dataclasses import replace

import numpy as np
import pytest
from synthetic import garch_history

from forecaster.market.bars import History
from forecaster.market.placeholders import NEIGHBOURS, with_known_ranges

RANGES = ("open", "high", "low")


def one_price(history: History) -> dict[str, np.ndarray]:
    return dict.fromkeys(RANGES, history.close)


def no_open(history: History) -> dict[str, np.ndarray]:
    return {**one_price(history), "open": np.full(len(history), np.nan)}


def last_close(history: History) -> np.ndarray:
    return np.concatenate([history.close[:1], history.close[:-1]])


def open_before(history: History) -> dict[str, np.ndarray]:
    return {**one_price(history), "open": last_close(history)}


def all_before(history: History) -> dict[str, np.ndarray]:
    return dict.fromkeys(RANGES, last_close(history))


def bodies(history: History) -> dict[str, np.ndarray]:
    before = last_close(history)
    return {
        "open": before,
        "high": np.maximum(before, history.close),
        "low": np.minimum(before, history.close),
    }


def rounded(history: History) -> dict[str, np.ndarray]:
    return dict.fromkeys(RANGES, history.close * (1 + 2e-07))


def filled(history: History, places: np.ndarray, values: dict[str, np.ndarray]) -> History:
    return replace(history, **{n: np.where(places, values[n], getattr(history, n)) for n in RANGES})


def chosen(sessions: int, share: float) -> np.ndarray:
    return np.random.default_rng(1).random(sessions) < share


@pytest.mark.parametrize("form", [one_price, no_open, open_before, all_before, rounded])
@pytest.mark.parametrize("share", [1.0, 0.69, 0.3])
def test_many_bars_without_a_range_have_none(form, share):
    history = garch_history("A", 1000, 3)
    places = chosen(1000, share)
    known, (note,) = with_known_ranges(filled(history, places, form(history)))
    seen = np.isnan(known.high)
    for name in RANGES:
        assert np.isnan(getattr(known, name)[seen]).all()
    assert np.isfinite(known.low[~seen]).all()
    assert np.array_equal(seen[60:], places[60:])
    assert not np.any(seen & ~places)
    assert np.array_equal(known.close, history.close)
    assert note.startswith(f"{seen.sum()} bars of 1000 ({seen.mean():.0%}) have no range")
    assert f"first {history.sessions[seen][0]}" in note


def two_trades(history: History) -> dict[str, np.ndarray]:
    return {
        "open": history.open,
        "high": np.maximum(history.open, history.close),
        "low": np.minimum(history.open, history.close),
    }


@pytest.mark.parametrize("form", [bodies, two_trades])
def test_many_bars_of_open_and_close_alone_have_no_range(form):
    history = garch_history("A", 1000, 3)
    places = chosen(1000, 0.8)
    known, (note,) = with_known_ranges(filled(history, places, form(history)))
    assert np.array_equal(np.isnan(known.high)[60:], places[60:])
    assert "bars of 1000" in note


@pytest.mark.parametrize(("first", "late"), [(0, 2), (700, 11)])
def test_a_stretch_of_a_long_history_is_seen_soon(first, late):
    history = garch_history("A", 2500, 3)
    places = np.arange(2500) // 60 == first // 60
    known, _ = with_known_ranges(filled(history, places, one_price(history)))
    start = int(np.argmax(places))
    assert np.isnan(known.high).sum() == 60 - late
    assert np.isnan(known.high[start + late : start + 60]).all()


@pytest.mark.parametrize("form", [one_price, no_open, open_before, bodies])
@pytest.mark.parametrize("share", [1.0, 0.69, 0.4, 0.2])
def test_what_comes_later_decides_nothing(form, share):
    history = garch_history("A", 700, 3)
    places = chosen(700, share) & (np.arange(700) // 150 % 2 == 0)
    history = filled(history, places, form(history))
    known, _ = with_known_ranges(history)
    for cut in range(1, 700, 7):
        seen, _ = with_known_ranges(history.slice(0, cut))
        assert seen.fingerprint == known.slice(0, cut).fingerprint
    last, _ = with_known_ranges(history.slice(500 - NEIGHBOURS, 700))
    assert last.slice(NEIGHBOURS, len(last)).fingerprint == known.slice(500, 700).fingerprint


@pytest.mark.parametrize("count", [3, 12])
def test_short_histories_of_closes_are_seen_too(count):
    history = garch_history("A", count, 3)
    known, _ = with_known_ranges(filled(history, np.full(count, True), one_price(history)))
    assert np.isnan(known.high[2:]).all()


def test_halted_sessions_stay():
    history = garch_history("A", 1000, 3)
    close = history.close.copy()
    close[400:500] = close[399]
    halted = replace(history, close=close, adjusted_close=close)
    places = (np.arange(1000) >= 400) & (np.arange(1000) < 500)
    halted = filled(halted, places, one_price(halted))
    known, notes = with_known_ranges(halted)
    assert notes == []
    assert np.array_equal(known.high, halted.high)


def test_placeholders_that_repeat_a_price_are_halts():
    history = garch_history("A", 400, 3)
    close = np.repeat(history.close[::2], 2)
    doubled = replace(history, close=close, adjusted_close=close)
    doubled = filled(doubled, np.full(400, True), one_price(doubled))
    known, _ = with_known_ranges(doubled)
    assert np.isnan(known.high[60::2]).all()
    assert np.isfinite(known.high[1::2]).all()


@pytest.mark.parametrize("share", [0.0, 0.01, 0.05])
def test_rare_single_trades_stay(share):
    history = garch_history("A", 2000, 3)
    traded_once = filled(history, chosen(2000, share), one_price(history))
    known, notes = with_known_ranges(traded_once)
    assert notes == []
    assert known is traded_once


@pytest.mark.parametrize("form", [bodies, two_trades])
def test_coarse_prices_make_such_bars_by_chance(form):
    history = garch_history("A", 1000, 3)
    known, notes = with_known_ranges(filled(history, chosen(1000, 0.3), form(history)))
    assert notes == []
    assert np.isfinite(known.high).all()
