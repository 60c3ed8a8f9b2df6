"""Intervals between any two levels that the model's own levels hold."""

from __future__ import annotations

import math

import pytest

from forecaster.errors import SettingsError
from forecaster.jobs.intervals import checked_shares, interval, quantile, share_below
from forecaster.model.artifact import load
from forecaster.model.registry import BOXED

MODEL = load(BOXED)
PRICES = {0.05: 81.0, 0.25: 90.0, 0.5: 100.0, 0.75: 110.0, 0.95: 121.0}


def test_the_ends_at_levels_of_the_model_are_its_own():
    assert interval(PRICES, 50) == (90.0, 110.0)
    assert interval(PRICES, 90) == (81.0, 121.0)


def test_between_two_levels_the_logarithm_of_the_price_is_linear():
    low, high = interval(PRICES, 70)  # 15% lies half-way between 5% and 25%
    assert low == pytest.approx(math.sqrt(81 * 90))
    assert high == pytest.approx(math.sqrt(110 * 121))


@pytest.mark.parametrize("share", [1, 10, 33.3, 50, 60, 80, 89.999])
def test_wider_intervals_hold_narrower_ones(share):
    low, high = interval(PRICES, share)
    lower, higher = interval(PRICES, min(share + 0.5, 90))
    assert lower <= low <= 100 <= high <= higher


@pytest.mark.parametrize("level", [0.05, 0.1, 0.25, 0.4, 0.5, 0.9, 0.95])
def test_a_price_lies_at_the_level_that_gives_it(level):
    assert share_below(PRICES, quantile(PRICES, level)) == pytest.approx(level)


def test_a_price_outside_of_all_levels_lies_at_the_outer_one():
    assert (share_below(PRICES, 1.0), share_below(PRICES, 1e6)) == (0.05, 0.95)


def test_shares_come_once_and_rising():
    assert checked_shares(MODEL, [95, 80, 80.0, 98]) == (80.0, 95.0, 98.0)


@pytest.mark.parametrize("share", [98.1, 99, 99.99])
def test_what_reaches_beyond_the_outer_levels_is_refused_with_those_that_there_are(share):
    with pytest.raises(SettingsError, match=r"1%, 2\.5%, 5%, .* 99% and says nothing") as refused:
        checked_shares(MODEL, [80, share])
    assert "Ask for at most 98" in str(refused.value)
    assert checked_shares(MODEL, [98]) == (98.0,)


@pytest.mark.parametrize("share", [0, -5, 0.8, 100, math.nan, math.inf])
def test_what_is_no_percentage_of_an_interval_is_refused(share):
    with pytest.raises(SettingsError, match="level is"):
        checked_shares(MODEL, [share])
