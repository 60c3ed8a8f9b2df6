from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from forecaster.evaluation.significance import (
    FEWEST_SESSIONS,
    diebold_mariano,
    kupiec,
    session_means,
)


def direct(losses, baseline, step):
    """Diebold and Mariano (1995), Newey-West weights, Harvey et al. (1997): straight from paper."""
    d = [x - y for x, y in zip(losses, baseline, strict=True)]
    n = len(d)
    mean = sum(d) / n
    lags = max(step - 1, math.ceil(n ** (1 / 3)))
    variance = sum((x - mean) ** 2 for x in d) / n
    for k in range(1, lags + 1):
        covariance = sum((d[t] - mean) * (d[t - k] - mean) for t in range(k, n)) / n
        variance += 2.0 * (1.0 - k / (lags + 1.0)) * covariance
    statistic = mean / math.sqrt(variance / n)
    statistic *= math.sqrt((n + 1 - 2 * step + step * (step - 1) / n) / n)
    return 2.0 * stats.t.cdf(-abs(statistic), df=n - 1)


class TestDieboldMariano:
    @pytest.mark.parametrize("step", [1, 2, 5, 10])
    @pytest.mark.parametrize("n", [20, 27, 64, 250])
    def test_equals_the_formula(self, n, step):
        rng = np.random.default_rng(n + step)
        common = rng.exponential(1.0, n)
        losses = common + 0.1 * np.convolve(rng.normal(size=n + 4), np.ones(5) / 5, "valid")
        baseline = common + 0.02
        assert diebold_mariano(losses, baseline, step) == pytest.approx(
            direct(losses, baseline, step), rel=1e-9
        )

    def test_by_hand(self):
        # differences ±1 in turn around a mean of 0 are no evidence at all
        d = np.tile([1.0, -1.0], 20)
        assert diebold_mariano(d + 2.0, np.full(40, 2.0), 1) == pytest.approx(1.0, abs=1e-12)

    def test_does_not_care_which_is_first_nor_for_the_unit(self):
        rng = np.random.default_rng(0)
        one, other = rng.exponential(1.0, 60), rng.exponential(1.1, 60)
        p = diebold_mariano(one, other, 5)
        assert diebold_mariano(other, one, 5) == pytest.approx(p, rel=1e-12)
        assert diebold_mariano(one * 1e-4, other * 1e-4, 5) == pytest.approx(p, rel=1e-9)

    def test_a_clear_difference_is_significant_and_noise_is_not(self):
        rng = np.random.default_rng(3)
        noise = rng.normal(0, 0.1, 200)
        assert diebold_mariano(1.0 + noise, np.full(200, 1.1), 1) < 1e-6
        assert diebold_mariano(1.0 + noise - noise.mean(), np.ones(200), 1) > 0.99

    def test_rejects_a_true_null_about_as_often_as_it_says(self):
        rng = np.random.default_rng(1)
        rejected = [
            diebold_mariano(rng.normal(size=100), rng.normal(size=100), 1) < 0.05
            for _ in range(400)
        ]
        assert 0.02 < np.mean(rejected) < 0.11

    def test_equal_losses_are_a_tie(self):
        losses = np.random.default_rng(0).exponential(1e-3, 50)
        assert diebold_mariano(losses, losses.copy(), 1) == 1.0
        assert diebold_mariano(np.zeros(50), np.zeros(50), 5) == 1.0

    @pytest.mark.parametrize(
        ("n", "step", "known"),
        [(FEWEST_SESSIONS - 1, 1, False), (FEWEST_SESSIONS, 1, True), (20, 10, True),
         (20, 11, False), (21, 11, False), (22, 11, True)],
    )  # fmt: skip
    def test_too_few_sessions_give_no_p(self, n, step, known):
        rng = np.random.default_rng(0)
        p = diebold_mariano(rng.normal(size=n), rng.normal(size=n), step)
        assert math.isfinite(p) == known


class TestSessionMeans:
    def test_by_hand(self):
        days = np.array(["2020-01-03", "2020-01-02", "2020-01-03", "2020-01-06"], "datetime64[D]")
        found = session_means(np.array([1.0, 5.0, 3.0, 7.0]), days)
        assert found.tolist() == [5.0, 2.0, 7.0]

    def test_many_tickers_on_one_day_are_one_observation(self):
        days = np.repeat(np.array(["2020-01-02", "2020-01-03"], "datetime64[D]"), 50)
        assert session_means(np.arange(100.0), days).tolist() == [24.5, 74.5]


class TestKupiec:
    def test_by_hand(self):
        # 10 exceedances of a 5% quantile in 100 returns:
        # LR = 2·(10 ln 0.1 + 90 ln 0.9 − 10 ln 0.05 − 90 ln 0.95)
        #    = 2·(−23.025851 − 9.482446 + 29.957323 + 4.616396) = 4.130844
        # and χ²(1) exceeds it with probability 2·(1 − Φ(2.032448)) = 0.042107
        assert kupiec(10, 100, 0.05) == pytest.approx(0.042107, abs=2e-6)

    def test_equals_the_formula_by_the_normal_distribution(self):
        # χ² with one degree of freedom is a squared normal: p = erfc(√(LR / 2))
        for hits, n, level in ((1, 50, 0.01), (7, 250, 0.05), (30, 250, 0.05), (5, 1000, 0.01)):
            share = hits / n
            ratio = 2 * hits * math.log(share / level)
            ratio += 2 * (n - hits) * math.log((1 - share) / (1 - level))
            expected = math.erfc(math.sqrt(ratio / 2))
            assert kupiec(hits, n, level) == pytest.approx(expected, rel=1e-9)

    def test_as_often_as_it_says_is_no_evidence(self):
        assert kupiec(5, 100, 0.05) == pytest.approx(1.0, abs=1e-7)

    def test_never_and_always(self):
        # never: LR = −2·100·ln 0.99 = 2.010067, p = erfc(√1.0050336) = 0.156258
        assert kupiec(0, 100, 0.01) == pytest.approx(0.156258, abs=1e-6)
        # always: LR = −2·2·ln 0.05 = 11.982929
        assert kupiec(2, 2, 0.05) == pytest.approx(math.erfc(math.sqrt(11.982929 / 2)), rel=1e-5)

    def test_rejects_too_few_as_well_as_too_many(self):
        assert kupiec(1, 250, 0.05) < 0.01
        assert kupiec(25, 250, 0.05) < 0.01
        assert kupiec(12, 250, 0.05) > 0.5
