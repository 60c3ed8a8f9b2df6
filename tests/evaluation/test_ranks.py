from __future__ import annotations

import numpy as np
import pytest

from forecaster.evaluation.ranks import (
    actual_groups,
    group_probabilities,
    groups_of_ranks,
    ranked_probability_score,
    uniform_probabilities,
)


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(100, [20] * 5), (31, [7, 6, 6, 6, 6]), (5, [1] * 5), (7, [2, 1, 2, 1, 1])],
)
def test_groups_differ_by_one_at_most(count, sizes):
    assert np.bincount(groups_of_ranks(count, 5)).tolist() == sizes
    assert uniform_probabilities(count, 5) == pytest.approx(np.array(sizes) / count)


def uniform_score(count):
    groups = groups_of_ranks(count, 5)
    uniform = np.tile(uniform_probabilities(count, 5), (count, 1))
    return ranked_probability_score(uniform, groups).mean()


def test_the_uniform_forecast_scores_what_the_m6_competition_says():
    assert uniform_score(100) == pytest.approx(0.16)
    assert uniform_score(31) == pytest.approx(0.16233, abs=5e-6)


def test_the_score_by_hand():
    forecast = np.array([[0.5, 0.3, 0.2], [0.0, 0.0, 1.0]])
    expected = [(0.25 + 0.64) / 3 - 0.0, 0.0]
    scores = ranked_probability_score(forecast, np.array([1, 2]))
    assert scores == pytest.approx([(0.5**2 + 0.2**2) / 3, expected[1]])


def test_equal_returns_are_in_the_order_given():
    assert actual_groups(np.array([0.1, 0.1, -0.2, 0.3]), 2).tolist() == [0, 1, 0, 1]


class TestProbabilities:
    def test_add_up_and_leave_the_middle_rank(self):
        returns = np.random.default_rng(1).standard_normal((10, 5000)) * np.arange(1, 11)[:, None]
        groups, ranks = group_probabilities(returns, 5)
        assert groups.sum(axis=1) == pytest.approx(1.0)
        assert groups.sum(axis=0) == pytest.approx(2.0)
        assert ranks.mean() == pytest.approx(5.5)
        assert groups[-1, 0] > 0.3  # what moves most is at both ends
        assert groups[0, 2] > 0.3

    def test_are_those_of_an_own_count(self):
        returns = np.random.default_rng(2).standard_normal((4, 300))
        groups, ranks = group_probabilities(returns, 2)
        order = returns.argsort(axis=0).argsort(axis=0)
        assert groups[:, 1] == pytest.approx((order >= 2).mean(axis=1))
        assert ranks == pytest.approx(order.mean(axis=1) + 1)
