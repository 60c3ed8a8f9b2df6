from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from forecaster.evaluation.exceedances import (
    acerbi_szekely,
    acerbi_szekely_p,
    christoffersen,
    coverage_of,
    fissler_ziegel,
    tail_of,
)


def test_the_tail_of_draws_by_hand():
    tail = tail_of(np.arange(-10.0, 10.0), 0.1)
    assert (tail.value_at_risk, tail.shortfall) == (-9.0, -9.5)
    assert tail_of(np.array([3.0, 1.0, 2.0]), 0.01).shortfall == 1.0


def test_the_tail_of_a_normal():
    draws = stats.norm.ppf((np.arange(100_000) + 0.5) / 100_000)
    tail = tail_of(draws, 0.05)
    assert tail.value_at_risk == pytest.approx(stats.norm.ppf(0.05), abs=1e-3)
    assert tail.shortfall == pytest.approx(-stats.norm.pdf(stats.norm.ppf(0.05)) / 0.05, abs=1e-3)


class TestFisslerZiegel:
    def test_by_hand(self):
        loss = fissler_ziegel(np.array([-3.0, 1.0]), np.full(2, -2.0), np.full(2, -2.5), 0.05)
        above = -2.0 / -2.5 + math.log(2.5) - 1.0
        assert loss == pytest.approx([above + 1.0 / (0.05 * 2.5), above])

    def test_the_true_pair_is_best(self):
        y = np.random.default_rng(1).standard_normal(400_000)
        v, e = stats.norm.ppf(0.05), -stats.norm.pdf(stats.norm.ppf(0.05)) / 0.05

        def mean(scale_v, scale_e):
            full = np.ones_like(y)
            return fissler_ziegel(y, scale_v * v * full, scale_e * e * full, 0.05).mean()

        best = mean(1.0, 1.0)
        assert all(
            best < mean(a, b) for a, b in [(0.8, 1), (1.2, 1), (1, 0.85), (1, 1.2), (0.9, 0.9)]
        )

    def test_differences_do_not_depend_on_the_unit(self):
        y, v, e = np.array([-3.0, 1.0]), np.full(2, -2.0), np.full(2, -2.5)
        difference = fissler_ziegel(y, v, e, 0.05) - fissler_ziegel(y, 0.9 * v, e, 0.05)
        scaled = fissler_ziegel(9 * y, 9 * v, 9 * e, 0.05) - fissler_ziegel(
            9 * y, 0.9 * 9 * v, 9 * e, 0.05
        )
        assert difference == pytest.approx(scaled)


class TestChristoffersen:
    def ratio(self, exceeded):
        """The likelihood ratio straight from the paper."""
        pairs = list(pairwise(exceeded))
        n = {(i, j): pairs.count((i, j)) for i in (False, True) for j in (False, True)}

        def likelihood(p, hits, misses):
            return (p**hits if hits else 1.0) * ((1 - p) ** misses if misses else 1.0)

        p01 = n[False, True] / (n[False, True] + n[False, False])
        p11 = n[True, True] / (n[True, True] + n[True, False])
        p = (n[False, True] + n[True, True]) / len(pairs)
        alone = likelihood(p, n[False, True] + n[True, True], n[False, False] + n[True, False])
        chain = likelihood(p01, n[False, True], n[False, False])
        chain *= likelihood(p11, n[True, True], n[True, False])
        return -2 * math.log(alone / chain)

    def test_many_exceedances_give_the_p_value_of_chi_squared(self):
        rng = np.random.default_rng(2)
        exceeded = rng.random(600) < 0.2
        exceeded[1:] |= (rng.random(599) < 0.05) & exceeded[:-1]
        expected = stats.chi2.sf(self.ratio(exceeded.tolist()), 1)
        assert christoffersen(exceeded) == pytest.approx(expected, abs=0.03)

    def test_three_in_a_row_among_ten_are_no_chance(self):
        exceeded = np.zeros(700, dtype=bool)
        exceeded[[20, 150, 151, 152, 260, 300, 410, 480, 560, 640]] = True
        assert christoffersen(exceeded) < 0.01

    def test_two_far_apart_are(self):
        exceeded = np.zeros(700, dtype=bool)
        exceeded[[20, 150]] = True
        assert christoffersen(exceeded) > 0.9

    @pytest.mark.parametrize("count", [0, 1])
    def test_too_few_reject_nothing(self, count):
        exceeded = np.zeros(100, dtype=bool)
        exceeded[:count] = True
        assert christoffersen(exceeded) == 1.0

    def test_rejects_as_often_as_it_says(self):
        rng = np.random.default_rng(3)
        p = [christoffersen(rng.random(250) < 0.05, seed=i) for i in range(60)]
        assert np.mean(np.array(p) < 0.05) < 0.15


class TestAcerbiSzekely:
    def series(self, scale, seed=4, n=4000):
        y = scale * np.random.default_rng(seed).standard_normal(n)
        v, e = stats.norm.ppf(0.05), -stats.norm.pdf(stats.norm.ppf(0.05)) / 0.05
        return y, np.full(n, v), np.full(n, e)

    def test_by_hand(self):
        y, v, e = np.array([-3.0, -1.0, 1.0, 2.0]), np.full(4, -2.0), np.full(4, -2.5)
        assert acerbi_szekely(y, v, e, 0.25) == pytest.approx(1.0 - 3.0 / 2.5 / (4 * 0.25))

    def test_right_forecasts_give_zero_and_small_ones_less(self):
        assert acerbi_szekely(*self.series(1.0), 0.05) == pytest.approx(0.0, abs=0.12)
        assert acerbi_szekely(*self.series(1.4), 0.05) < -0.7

    def test_the_p_value_by_simulation(self):
        rng = np.random.default_rng(5)
        ratios = []
        for _ in range(500):
            x = rng.standard_normal(2000)
            ratios.append(np.where(x <= -1.6449, x, 0.0) / (0.05 * -2.0627))
        ratios = np.array(ratios)
        good = acerbi_szekely(*self.series(1.0, n=500), 0.05)
        bad = acerbi_szekely(*self.series(1.3, n=500), 0.05)
        assert acerbi_szekely_p(good, ratios) > 0.05
        assert acerbi_szekely_p(bad, ratios) < 0.01


def test_coverage_puts_the_tests_together():
    exceeded = np.zeros(200, dtype=bool)
    exceeded[::20] = True
    coverage = coverage_of(exceeded, 0.05)
    assert (coverage.exceeded, coverage.expected) == (10, 10.0)
    assert coverage.kupiec == pytest.approx(1.0)
    assert coverage.christoffersen > 0.3
