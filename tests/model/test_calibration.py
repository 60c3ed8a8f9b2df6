"""Past forecasts correct the next one: causally, where there is evidence, and no further."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm, t

from forecaster.evaluation import metrics
from forecaster.model.calibration import (
    WINDOW,
    Correction,
    Evidence,
    Forecasts,
    calibrated_steps,
    pinball,
)
from forecaster.model.settings import LEVELS

STEPS = np.array([1, 5])
SHAPE = np.tile(norm.ppf(LEVELS), (2, 1))


def forecasts(n: int, spread: float = 1.0, centre: float = 0.0, shape=SHAPE) -> Forecasts:
    size = (n, len(shape))
    return Forecasts(np.full(size, centre), np.full(size, spread), shape)


def normal(n: int, seed: int = 0, deviation: float = 1.0) -> np.ndarray:
    """Independent targets ``(n, 2)``."""
    return np.random.default_rng(seed).normal(0.0, deviation, (n, 2))


def evidence(targets, network=None, ruler=None, levels=LEVELS) -> Evidence:
    n = len(targets)
    network = forecasts(n) if network is None else network
    ruler = forecasts(n, spread=3.0) if ruler is None else ruler
    return Evidence.of(network, ruler, targets, STEPS, levels)


def corrected(targets, *more, row: int = -1, **options) -> Correction:
    return evidence(targets, *more, **options).correction(row % len(targets))


def same(one: Correction, two: Correction) -> bool:
    return all(
        np.array_equal(a, b) for a, b in zip(vars(one).values(), vars(two).values(), strict=True)
    )


def test_without_a_known_target_nothing_is_corrected():
    found = corrected(np.full((40, 2), np.nan))
    assert np.all(found.spread == 1.0)
    assert np.all(found.weight == 0.0)
    assert found.widths == pytest.approx(np.ones((2, len(LEVELS))), rel=1e-12)
    assert found.evidence == 0


@pytest.mark.parametrize("row", [0, 1, 3, 4, 5, 300, 850])
def test_a_correction_sees_no_target_that_is_not_over(row):
    targets = normal(900)
    one = corrected(targets, row=row)
    for column, h in enumerate(STEPS):
        targets[row - h + 1 if row >= h - 1 else 0 :, column] = 50.0
    assert same(one, corrected(targets, row=row))


@pytest.mark.parametrize("column", [0, 1])
def test_the_newest_known_target_counts(column):
    targets = normal(300, deviation=3.0)
    one = corrected(targets, row=200)
    targets[200 - STEPS[column], column] *= 1.5
    assert not same(one, corrected(targets, row=200))


def test_targets_from_before_the_window_count_no_more():
    targets = normal(WINDOW + 200)
    row = WINDOW + 150
    one = corrected(targets, row=row)
    for column, h in enumerate(STEPS):
        targets[: row - h - WINDOW + 1, column] = 9.0
    assert same(one, corrected(targets, row=row))
    targets[row - 1 - WINDOW + 1, 0] = 9.0
    assert not same(one, corrected(targets, row=row))


def test_more_history_before_the_window_changes_nothing():
    """What a forecast from the last bars says is what a backtest over all of them says."""
    targets = normal(WINDOW + 300)
    short = targets[-WINDOW - 10 :]
    assert same(corrected(targets), corrected(short))


@pytest.mark.parametrize("wrong", [0.5, 0.8, 1.3, 2.0])
def test_a_wrong_spread_is_put_right(wrong):
    found = corrected(normal(800), forecasts(800, spread=wrong))
    assert found.spread[0] * wrong == pytest.approx(1.0, abs=0.09)


def test_a_right_spread_is_left_alone():
    left = np.array([corrected(normal(800, seed)).spread for seed in range(60)])
    assert np.mean(left == 1.0) > 0.5
    assert np.max(np.abs(np.log(left))) < 0.2


def test_more_evidence_shrinks_less():
    found = evidence(normal(800), forecasts(800, spread=1.4))
    factors = [found.correction(row).spread[0] for row in (9, 99, 799)]
    assert factors[0] > factors[1] > factors[2]


def test_overlapping_errors_are_less_evidence():
    noise = np.random.default_rng(3).normal(0, 1.0, 1200)
    sums = np.convolve(noise, np.ones(5), "valid")[:800] / np.sqrt(5)
    found = corrected(np.column_stack([noise[:800], sums]), forecasts(800, spread=1.15))
    assert abs(np.log(found.spread[1])) < abs(np.log(found.spread[0]))


def test_the_weight_goes_to_who_was_right():
    rng = np.random.default_rng(1)
    spread = np.exp(rng.normal(0.0, 0.6, (800, 1))) * np.ones((1, 2))
    targets = rng.normal(size=(800, 2)) * spread
    knowing, blind = Forecasts(np.zeros((800, 2)), spread, SHAPE), forecasts(800)
    assert corrected(targets, knowing, blind).weight[0] < 0.15
    assert corrected(targets, blind, knowing).weight[0] > 0.5
    assert corrected(targets, knowing, knowing).weight == pytest.approx([0.0, 0.0], abs=1e-12)


def test_the_mean_has_a_lower_past_loss_than_either():
    rng = np.random.default_rng(4)
    a, b = (np.exp(rng.normal(0.0, 0.5, (800, 2))) for _ in range(2))
    targets = rng.normal(size=(800, 2)) * np.sqrt(a * b)
    one, two = (Forecasts(np.zeros((800, 2)), s, SHAPE) for s in (a, b))
    found = corrected(targets, one, two)
    assert 0.1 < found.weight[0] < 0.9
    alone = [each.quantiles() for each in (one, two)]
    after = found.apply(*alone, 5)
    losses = [np.mean(pinball(targets, q, LEVELS)[:, 0]) for q in (after, *alone)]
    assert losses[0] < min(losses[1:])


def test_coverage_comes_nearer_to_its_levels():
    draws = t(2.5).rvs((WINDOW, 2), random_state=2)
    found = corrected(draws)
    even = forecasts(WINDOW)
    plain = replace(even, spread=even.spread * found.spread).quantiles()
    shaped = found.apply(forecasts(WINDOW).quantiles(), forecasts(WINDOW).quantiles(), 5)
    off = [
        abs(np.mean((draws >= q[..., 4]) & (draws <= q[..., 6]), axis=0)[0] - 0.5)
        for q in (plain, shaped)
    ]
    assert off[0] > 0.04
    assert off[1] < 0.75 * off[0]


def test_quantiles_never_cross():
    rng = np.random.default_rng(5)
    targets = t(1.2).rvs((1000, 2), random_state=6)
    network = Forecasts(rng.normal(0, 1, (1000, 2)), np.exp(rng.normal(0, 2, (1000, 2))), SHAPE)
    found = corrected(targets, network)
    made = found.apply(network.quantiles(), forecasts(1000, centre=2.0).quantiles(), 5)
    assert np.all(np.diff(made, axis=-1) >= 0)


@pytest.mark.parametrize("levels", [(0.1, 0.5), (0.2, 0.5, 0.7), (0.05, 0.95), (0.3, 0.5, 0.8)])
def test_levels_without_mirrors_keep_their_shape(levels):
    shape = np.tile(norm.ppf(levels), (2, 1))
    shape -= shape[:, [min(range(len(levels)), key=lambda i: abs(levels[i] - 0.5))]]
    made = forecasts(700, spread=9.0, shape=shape)
    found = corrected(normal(700), made, made, levels=levels)
    assert np.all(found.widths == 1.0)
    assert found.spread[0] < 0.9


def test_steps_between_are_interpolated():
    found = corrected(normal(800) * [2.0, 0.5])
    every = found.up_to(5)
    assert every.spread[[0, 4]] == pytest.approx(found.spread)
    assert np.all(np.diff(every.spread) < 0)
    assert every.widths.shape == (5, len(LEVELS))
    assert np.all((every.widths[2] - found.widths[0]) * (every.widths[2] - found.widths[1]) <= 0)


@pytest.mark.parametrize("horizon", [1, 2, 5, 6, 20, 250])
def test_the_first_and_last_step_are_always_measured(horizon):
    steps = calibrated_steps(horizon)
    assert steps[0] == 1
    assert steps[-1] == horizon
    assert np.all(np.diff(steps) > 0)


def test_no_correction_leaves_quantiles_as_they_are():
    found = corrected(np.full((9, 2), np.nan)).up_to(5)
    quantiles = np.sort(np.random.default_rng(0).normal(size=(1, 5, len(LEVELS))), axis=-1)
    assert found.apply(quantiles, 3.0 * quantiles, 5) == pytest.approx(quantiles, rel=1e-12)


def test_the_loss_is_that_of_the_metrics():
    targets = normal(30)
    quantiles = np.sort(np.random.default_rng(1).normal(size=(30, 2, len(LEVELS))), axis=-1)
    found = pinball(targets, quantiles, LEVELS)
    for column in (0, 1):
        expected = metrics.pinball(targets[:, column], quantiles[:, column], LEVELS)
        assert found[:, column] == pytest.approx(expected)
    targets[3, 1] = np.nan
    assert np.isnan(pinball(targets, quantiles, LEVELS)[3, 1])
