"""Splits are named where closes are not adjusted; crashes and ordinary days are not."""

from dataclasses import replace

import numpy as np
import pytest
from synthetic import garch_history

from forecaster.market.bars import History, history_from_closes
from forecaster.market.splits import split_notes


def unadjusted(seed: int, sessions: int = 300) -> History:
    history = garch_history("AAPL", sessions, seed)
    return replace(history, adjusted=False, adjusted_close=history.close)


def split(history: History, place: int, ratio: float) -> History:
    """The history as a vendor without adjustments has it: ``ratio`` new shares from a bar on."""
    factor = np.where(np.arange(len(history)) < place, ratio, 1.0)
    prices = {
        name: getattr(history, name) * factor
        for name in ("open", "high", "low", "close", "adjusted_close")
    }
    return replace(history, volume=history.volume / factor, **prices)


def closes_of(history: History) -> History:
    return history_from_closes(history.ticker, history.sessions, history.close)


def crash(history: History, place: int, size: float) -> History:
    """A loss of ``size`` during a session, on news: the open half way, all day at ten volumes."""
    after = np.arange(len(history)) >= place
    factor = np.where(after, 1.0 - size, 1.0)
    values = {name: getattr(history, name) * factor for name in ("open", "high", "low", "close")}
    values["open"][place] /= np.sqrt(1.0 - size)
    values["high"][place] = values["open"][place] * 1.02
    volume = history.volume * np.where(np.arange(len(history)) == place, 20.0, 1.0)
    return replace(history, **values, adjusted_close=values["close"], volume=volume)


@pytest.mark.parametrize("ratio", [2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 1 / 2, 1 / 5, 1 / 10, 1 / 20])
def test_splits_are_named_on_any_day(ratio):
    places = np.random.default_rng(5).integers(1, 299, 25).tolist()
    for seed, place in enumerate(places):
        history = split(unadjusted(seed), place, ratio)
        name = f"{ratio}:1 split" if ratio > 1 else f"1:{round(1 / ratio)} reverse split"
        for told in (history, closes_of(history)):
            (note,) = split_notes(told)
            assert f" on {history.sessions[place]}, as a {name}" in note, (seed, place)


def test_splits_of_three_for_two_are_named_where_open_range_and_volume_fit():
    named = [split_notes(split(unadjusted(seed), 150, 1.5)) for seed in range(20)]
    assert sum(bool(notes) for notes in named) >= 15
    assert "3:2 split" in next(filter(None, named))[0]
    assert split_notes(closes_of(split(unadjusted(0), 150, 1.5))) == []


def test_histories_without_splits_have_no_notes():
    for seed in range(40):
        history = unadjusted(seed, 1000)
        assert split_notes(history) == split_notes(closes_of(history)) == []


@pytest.mark.parametrize("size", [0.33, 0.5, 0.52])
def test_a_crash_is_no_split(size):
    for seed in range(10):
        assert split_notes(crash(unadjusted(seed), 150, size)) == []


def test_volume_alone_tells_a_crash_from_a_split():
    history = split(unadjusted(3), 150, 2)
    assert split_notes(history)
    volume = history.volume.copy()
    volume[150] *= 200
    assert split_notes(replace(history, volume=volume)) == []


def test_the_range_alone_tells_a_crash_from_a_split():
    history = split(unadjusted(3), 150, 2)
    low = history.low.copy()
    low[150] *= 0.6
    assert split_notes(replace(history, low=low)) == []


def test_wild_neighbours_tell_a_crisis_from_a_split():
    history = split(unadjusted(3), 150, 2)
    calm = split_notes(history)
    factor = np.where(np.arange(300) > 150, 1.5, 1.0)
    wild = {
        name: getattr(history, name) * factor
        for name in ("open", "high", "low", "close", "adjusted_close")
    }
    assert calm
    assert split_notes(replace(history, **wild)) == []


def test_several_splits_are_counted_and_the_first_is_shown():
    history = split(split(unadjusted(3), 100, 2), 200, 7)
    (note,) = split_notes(history)
    assert f"on {history.sessions[100]}, as a 2:1 split would make it, and 1 more such jump" in note


def jump(before, after, days=("2014-06-06", "2014-06-09")):
    return split_notes(history_from_closes("AAPL", list(days), [before, after]))


def test_two_bars_are_enough_where_the_ratio_is_exact():
    (note,) = jump(700, 100.1)
    assert note.startswith("close fell from 700.0 to 100.1 on 2014-06-09, as a 7:1 split would")
    assert "adjusted closes" in note
    assert "1:10 reverse split" in jump(1, 10.2)[0]


@pytest.mark.parametrize(("before", "after"), [(100, 60), (100, 45), (100, 99), (100, 150)])
def test_other_jumps_are_news(before, after):
    assert jump(before, after) == []


def test_a_gap_of_years_is_no_split():
    assert jump(700, 100, ("2007-06-06", "2014-06-09")) == []


def test_adjusted_histories_have_no_split_notes():
    history = unadjusted(3)
    adjusted = replace(split(history, 150, 2), adjusted=True, adjusted_close=history.close)
    assert split_notes(adjusted) == []


@pytest.mark.parametrize("dividends", [1.0, np.linspace(0.8, 1, 300)])
def test_adjusted_closes_that_are_not_adjusted_for_splits_are_named(dividends):
    history = split(unadjusted(3), 150, 2)
    closes = history.close * dividends
    (note,) = split_notes(replace(history, adjusted=True, adjusted_close=closes))
    assert note.startswith("adjusted close fell from")
    assert "2:1 split would make it; they are not adjusted for it, so returns there are" in note
