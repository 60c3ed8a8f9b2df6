from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from forecaster.evaluation.significance import (
    FEWEST_SESSIONS,
    diebold_mariano,
    fixed_smoothing,
    kupiec,
    session_means,
    skill_interval,
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


def smoothed(losses, baseline, step):
    """Coroneo and Iacone (2020): the variance from the lowest frequencies, straight from paper."""
    d = [x - y for x, y in zip(losses, baseline, strict=True)]
    n = len(d)
    mean = sum(d) / n
    m = max(1, min(math.floor(n ** (1 / 3)), n // (5 * step)))
    variance = 0.0
    for j in range(1, m + 1):
        angle = 2.0 * math.pi * j / n
        real = sum((x - mean) * math.cos(angle * t) for t, x in enumerate(d, 1))
        imaginary = sum((x - mean) * math.sin(angle * t) for t, x in enumerate(d, 1))
        variance += (real**2 + imaginary**2) / n / m
    return 2.0 * stats.t.cdf(-abs(mean) / math.sqrt(variance / n), df=2 * m)


class TestDieboldMariano:
    @pytest.mark.parametrize("step", [1, 2, 5, 10])
    @pytest.mark.parametrize("n", [50, 64, 250])
    def test_is_the_larger_of_two_tests(self, n, step):
        rng = np.random.default_rng(n + step)
        common = rng.exponential(1.0, n)
        losses = common + 0.1 * np.convolve(rng.normal(size=n + 4), np.ones(5) / 5, "valid")
        baseline = common + 0.02
        both = direct(losses, baseline, step), smoothed(losses, baseline, step)
        assert diebold_mariano(losses, baseline, step) == pytest.approx(max(both), rel=1e-9)

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

    @pytest.mark.parametrize(("n", "step"), [(60, 5), (250, 20), (735, 20)])
    def test_overlapping_noise_is_called_a_difference_no_oftener_than_it_says(self, n, step):
        """The corrected test alone does so in 10 to 13% of cases."""
        rng = np.random.default_rng(2)
        sums = [np.convolve(rng.normal(size=n + step - 1), np.ones(step), "valid")
                for _ in range(400)]  # fmt: skip
        rejected = [diebold_mariano(100.0 + d, np.full(n, 100.0), step) < 0.05 for d in sums]
        assert np.mean(rejected) < 0.085
        found = [diebold_mariano(100.0 + d + step, np.full(n, 100.0), step) < 0.05 for d in sums]
        assert np.mean(found) > 0.2 + 0.7 * (n == 735)

    def test_a_constant_difference_has_no_variance(self):
        assert fixed_smoothing(np.full(40, 0.5), 1) == 0.0
        assert fixed_smoothing(np.zeros(40), 1) == 1.0

    def test_equal_losses_are_a_tie(self):
        losses = np.random.default_rng(0).exponential(1e-3, 50)
        assert diebold_mariano(losses, losses.copy(), 1) == 1.0
        assert diebold_mariano(np.zeros(50), np.zeros(50), 5) == 1.0

    @pytest.mark.parametrize(
        ("n", "step", "known"),
        [(FEWEST_SESSIONS - 1, 1, False), (FEWEST_SESSIONS, 1, True), (20, 4, True),
         (24, 5, False), (25, 5, True), (99, 20, False), (100, 20, True)],
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


class TestSkillInterval:
    @pytest.mark.parametrize("skill", [0.03, -0.03])
    def test_by_hand(self, skill):
        low, high = skill_interval(skill, 0.0455003)  # two standard errors away
        assert (low + high) / 2 == pytest.approx(skill)
        assert (high - low) / 2 == pytest.approx(1.959964 * 0.015, rel=1e-4)

    @pytest.mark.parametrize("p", [1e-300, 1e-9, 0.01, 0.0499, 0.0501, 0.3, 0.9])
    def test_it_holds_zero_where_the_test_finds_nothing(self, p):
        low, high = skill_interval(0.02, p)
        assert (low <= 0) == (p >= 0.05)
        assert low <= 0.02 <= high

    @pytest.mark.parametrize("p", [None, math.nan, 0.0, 1.0])
    def test_nothing_is_said_without_a_test(self, p):
        assert skill_interval(0.02, p) is None
