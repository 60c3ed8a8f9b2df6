from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecaster.evaluation import metrics


def a(*values):
    return np.array(values, dtype=float)


class TestPinball:
    def test_by_hand(self):
        # errors 1 and −½ at levels 0.1 and 0.9 cost 0.1 and 0.05; errors −2 and −4 cost 1.8 and 0.4
        found = metrics.pinball(a(1.0, 0.0), np.array([[0.0, 1.5], [2.0, 4.0]]), (0.1, 0.9))
        assert found == pytest.approx([0.075, 1.1], abs=1e-15)

    def test_at_the_median_is_half_the_absolute_error(self):
        assert metrics.pinball(a(3.0), np.array([[5.0]]), (0.5,)) == pytest.approx([1.0], abs=0)

    def test_an_unknown_actual_is_unknown(self):
        assert math.isnan(metrics.pinball(a(np.nan), np.array([[1.0]]), (0.5,))[0])

    @given(
        st.lists(st.floats(-100, 100), min_size=1, max_size=8),
        st.lists(st.floats(0.01, 0.99), min_size=1, max_size=5, unique=True),
    )
    def test_equals_a_slow_loop(self, actuals, levels):
        quantiles = np.arange(len(actuals) * len(levels), dtype=float)
        quantiles = quantiles.reshape(len(actuals), len(levels)) - 3.0
        found = metrics.pinball(np.array(actuals), quantiles, levels)
        for i, actual in enumerate(actuals):
            total = 0.0
            for j, level in enumerate(levels):
                e = actual - quantiles[i, j]
                total += level * e if e >= 0 else (level - 1) * e
            assert found[i] == pytest.approx(total / len(levels), rel=1e-12, abs=1e-12)

    def test_is_least_at_the_true_quantiles(self):
        sample = np.random.default_rng(0).normal(size=20_000)
        levels = (0.1, 0.5, 0.9)
        true = np.quantile(sample, levels)
        best = metrics.pinball(sample, np.broadcast_to(true, (20_000, 3)), levels).mean()
        for shift in (-0.1, 0.1):
            worse = metrics.pinball(sample, np.broadcast_to(true + shift, (20_000, 3)), levels)
            assert worse.mean() > best


class TestPointScores:
    actual, forecast = a(100.0, 200.0, 50.0), a(110.0, 190.0, 50.0)

    def test_mae(self):
        assert metrics.mae(self.actual, self.forecast) == pytest.approx(20 / 3, rel=1e-15)

    def test_rmse(self):
        assert metrics.rmse(self.actual, self.forecast) == pytest.approx(
            math.sqrt(200 / 3), rel=1e-15
        )

    def test_mape_is_in_percent_of_the_actual(self):
        assert metrics.mape(self.actual, self.forecast) == pytest.approx(5.0, rel=1e-14)

    def test_skill(self):
        assert metrics.skill(0.9, 1.0) == pytest.approx(0.1, rel=1e-14)
        assert metrics.skill(2.0, 1.0) == -1.0
        assert math.isnan(metrics.skill(1.0, 0.0))


class TestDirection:
    def test_by_hand(self):
        # right, wrong, right, and two where one side did not move
        assert metrics.direction(a(1, 2, -1, 0, 3), a(0.1, -0.1, -5, 1, 0)) == pytest.approx(2 / 3)

    def test_without_a_side_there_is_no_share(self):
        assert math.isnan(metrics.direction(a(1, -1), a(0, 0)))
        assert math.isnan(metrics.direction(a(0.0), a(1.0)))


class TestCoverage:
    def test_counts_the_bounds_as_inside(self):
        assert metrics.coverage(a(1, 2, 3, 4), a(1, 0, 4, 0), a(5, 2, 9, 3)) == 0.5

    @pytest.mark.parametrize(
        ("share", "found"), [(0.5, (2, 4)), (0.8, (1, 5)), (0.9, (0, 6)), (0.98, None)]
    )
    def test_levels_of_central_intervals(self, share, found):
        levels = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
        assert metrics.interval_levels(levels, share) == found

    def test_one_bound_alone_makes_no_interval(self):
        assert metrics.interval_levels((0.05, 0.5), 0.9) is None
        assert metrics.interval_levels((0.5, 0.95), 0.9) is None


class TestAtLevel:
    levels = (0.1, 0.5, 0.8)
    quantiles = np.array([[1.0, 2.0, 8.0], [0.0, 4.0, 5.0]])

    @pytest.mark.parametrize(
        ("level", "expected"),
        [
            (0.5, [2.0, 4.0]),
            (0.1, [1.0, 0.0]),
            (0.8, [8.0, 5.0]),
            (0.3, [1.5, 2.0]),
            (0.65, [5.0, 4.5]),
            (0.01, [1.0, 0.0]),
            (0.99, [8.0, 5.0]),
        ],
    )
    def test_by_hand(self, level, expected):
        assert metrics.at_level(self.quantiles, self.levels, level) == pytest.approx(
            expected, abs=1e-14
        )

    def test_a_single_level_stands_for_all(self):
        assert metrics.at_level(np.array([[3.0]]), (0.9,), 0.5) == pytest.approx([3.0], abs=0)

    def test_keeps_the_leading_axes(self):
        assert metrics.at_level(np.zeros((2, 5, 3)), self.levels, 0.5).shape == (2, 5)
