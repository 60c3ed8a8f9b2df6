from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from forecaster.joint.copula import Copula
from forecaster.joint.dependence import Dependence
from forecaster.joint.marginals import Marginals
from forecaster.joint.simulation import simulate

LEVELS = np.array([0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99])
CORRELATION = np.array([[1.0, 0.6, 0.0], [0.6, 1.0, -0.3], [0.0, -0.3, 1.0]])
SCALES = np.array([0.01, 0.02, 0.03])
COPULA = Copula(6.0)


def marginals(step):
    scale = SCALES[:, None] * np.sqrt(step)
    return Marginals(LEVELS, scale * stats.t.ppf(LEVELS, 5.0) + 0.001 * step)


def draw(steps=(1, 4), draws=40_000, seed=3, copula=COPULA):
    made = simulate(
        Dependence(CORRELATION, copula), {h: marginals(h) for h in steps}, draws=draws, seed=seed
    )
    return {drawn.step: drawn.log_returns for drawn in made}


def test_each_ticker_keeps_its_own_quantiles():
    for step, returns in draw().items():
        assert returns.shape == (3, 40_000)
        shares = (returns[:, :, None] <= marginals(step).quantiles[:, None, :]).mean(axis=1)
        assert shares == pytest.approx(np.tile(LEVELS, (3, 1)), abs=0.006)


def test_tails_go_beyond_the_outer_quantiles():
    returns = draw(draws=200_000)[1]
    far = marginals(1).at(np.array([1e-3]), np.array([1 - 1e-3]))[:, 0]
    assert (returns <= far[:, None]).mean(axis=1) == pytest.approx(1e-3, rel=0.25)


def test_ranks_correlate_as_the_copula_says():
    returns = draw(draws=100_000, copula=Copula(50.0, 0.0))[4]
    found = stats.spearmanr(returns.T).statistic
    assert found == pytest.approx(6 / np.pi * np.arcsin(CORRELATION / 2), abs=0.02)


def test_large_moves_come_together_and_falls_more_than_rises():
    def both(returns, end):
        marks = np.quantile(returns[[0, 2]], [end], axis=1)[0][:, None]
        beyond = returns[[0, 2]] < marks if end < 0.5 else returns[[0, 2]] > marks
        return beyond.all(axis=0).mean()

    common = draw(draws=200_000, copula=Copula(4.0, -0.3))[1]
    plain = draw(draws=200_000, copula=Copula(200.0, 0.0))[1]
    assert both(common, 0.02) > 2 * both(plain, 0.02)  # uncorrelated tickers
    assert both(common, 0.02) > 1.3 * both(common, 0.98)


def test_a_draw_is_a_path():
    returns = draw(steps=(1, 4, 16), draws=100_000)
    near, far = stats.rankdata(returns[4], axis=1), stats.rankdata(returns[16], axis=1)
    assert np.corrcoef(near[0], far[0])[0, 1] == pytest.approx(0.5, abs=0.04)


def test_the_same_seed_gives_the_same_bits_and_another_one_does_not():
    first, again, other = draw(), draw(), draw(seed=4)
    assert all(np.array_equal(first[step], again[step]) for step in first)
    assert not np.array_equal(first[1], other[1])


def test_a_further_step_does_not_change_a_nearer_one():
    assert np.array_equal(draw(steps=(1,))[1], draw(steps=(1, 4))[1])
