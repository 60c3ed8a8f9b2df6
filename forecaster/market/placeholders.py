"""Bars whose range only repeats their open and close: open, high and low are unknown.

A vendor that has closes only fills the rest with them, and a listing that hardly trades has one or
two trades a day; either way the range says that nothing moves. One such bar is nothing unusual;
many of them in one stretch tell nothing of volatility. A halted session, whose close did not move
either, is left as it is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from forecaster.arrays import Floats, Mask
from forecaster.market.bars import History
from forecaster.wording import plural

SAME = 1e-6
"""Relative difference below which two prices are one (files round adjusted prices)."""

STRETCHES = ((126, 0.2, 13), (30, 0.4, 8), (30, 0.8, 3))
"""Sessions up to a bar, the share of moving bars without a range, and the fewest of them.

Of 142 development histories four reach them: a German stock whose vendor fills four of ten bars
(94% of a quarter), a crypto exchange's first years (all), a stock after its collapse (67%) and a
young listing that hardly traded (38%). American stocks that were small in 2001 reach 18% of half a
year and 24% of a quarter, large ones 0."""

STRETCHES_OF_BODIES = ((126, 0.6, 20),)
"""The same for bars of open and close alone, which prices of few digits show by chance (54% of half
a year at most in American stocks, 69% of all bars of that German stock)."""

NEIGHBOURS = 126
"""Bars before one that decide about it: a cut that keeps so many decides alike."""


def with_known_ranges(history: History) -> tuple[History, list[str]]:
    """The history without ranges that only repeat closes, and a sentence on them if there are any.

    Recognised are bars whose high and low are one price, and bars whose high and low are the larger
    and the smaller one of open and close; where many were of late, and the close moved. Only bars
    up to a bar decide about it, so that a forecast from there never depends on what came later; the
    first few of a stretch keep their ranges.
    """
    flat, bodies, moved = _without_range(history)
    filled = _in_stretches(flat, moved, STRETCHES)
    filled |= _in_stretches(bodies, moved, STRETCHES_OF_BODIES)
    count = int(filled.sum())
    if not count:
        return history, []
    first = history.sessions[int(np.argmax(filled))]
    note = (
        f"{count} {plural('bar', count)} of {len(history)} ({count / len(history):.0%})"
        f" {'has' if count == 1 else 'have'} no range of {'its' if count == 1 else 'their'} own"
        f" although the close moved, first {first}; open, high and low were taken as unknown there"
    )
    known = replace(
        history,
        open=np.where(filled, np.nan, history.open),
        high=np.where(filled, np.nan, history.high),
        low=np.where(filled, np.nan, history.low),
    )
    return known, [note]


def _without_range(history: History) -> tuple[Mask, Mask, Mask]:
    """Bars without a range, bars of open and close alone, and bars with a range; all moved."""
    high, low, close = history.high, history.low, history.close
    before = np.concatenate([close[:1], close[:-1]])
    least = SAME * close
    moved = np.abs(close - before) > least
    moved[0] = True
    flat = moved & (np.abs(high - low) <= least)
    bodies = np.abs(high - np.maximum(close, history.open)) <= least
    bodies &= np.abs(low - np.minimum(close, history.open)) <= least
    return flat, flat | (moved & bodies), moved & np.isfinite(high) & np.isfinite(low)


def _in_stretches(found: Mask, among: Mask, stretches: tuple[tuple[int, float, int], ...]) -> Mask:
    """The bars found up to which many of the others were of their kind."""
    result = np.zeros(len(found), dtype=bool)
    if not found.any():
        return result
    for sessions, share, least in stretches:
        count = _moving_sum(found, sessions)
        result |= found & (count >= least) & (count >= share * _moving_sum(among, sessions))
    return result


def _moving_sum(values: Mask, sessions: int) -> Floats:
    """Sums over the last ``sessions`` bars up to each, fewer at the start."""
    sums = np.concatenate([np.zeros(sessions), np.cumsum(values)])
    return np.asarray(sums[sessions:] - sums[: len(values)])
