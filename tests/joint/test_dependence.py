from __future__ import annotations

import numpy as np
import pytest
from synthetic import garch_history

from forecaster.joint.dependence import (
    TOGETHER,
    Dependence,
    added_up,
    at_strength,
    decayed_correlations,
    positive_definite,
    shrunk,
    standardised_returns,
)
from forecaster.joint.freedom import composite_freedom


def normal(correlation, rows, seed=0):
    root = np.linalg.cholesky(np.asarray(correlation))
    return np.random.default_rng(seed).standard_normal((rows, len(root))) @ root.T


def equal(count, rho):
    return np.full((count, count), rho) + (1 - rho) * np.eye(count)


def is_correlation(matrix):
    return (
        np.allclose(np.diag(matrix), 1.0)
        and np.array_equal(matrix, matrix.T)
        and np.linalg.eigvalsh(matrix)[0] > 0
    )


def test_returns_stand_on_the_sessions_of_all():
    a, b = garch_history("A", 300, 1), garch_history("B", 100, 2, first="2016-01-04")
    sessions, returns = standardised_returns([a, b])
    assert np.array_equal(sessions, np.union1d(a.sessions, b.sessions))
    assert np.count_nonzero(np.isfinite(returns), axis=0).tolist() == [299, 99]
    assert np.nanstd(returns[:, 0]) == pytest.approx(1.0, abs=0.15)


def test_rows_are_added_up_from_the_first_bar_to_the_last():
    nan = np.nan
    returns = np.array([[1.0, nan], [2.0, 1.0], [nan, 4.0], [3.0, 5.0], [4.0, nan]])
    assert added_up(returns, 3) == pytest.approx(
        np.array([[3.0, nan], [5.0, 10.0], [7.0, nan]]), nan_ok=True
    )
    assert added_up(returns[:2], 3).shape == (0, 2)


def test_correlations_are_weighted_means_of_products():
    rows = normal([[1.0, 0.6], [0.6, 1.0]], 50, seed=3)
    correlation, evidence = decayed_correlations(rows)
    weight = 0.5 ** (np.arange(49, -1, -1) / 250.0)
    x, y = rows.T
    by_hand = np.sum(weight * x * y) / np.sqrt(np.sum(weight * x * x) * np.sum(weight * y * y))
    assert correlation[0, 1] == pytest.approx(by_hand)
    count = weight.sum() ** 2 / (weight**2).sum()
    lags = range(1 - TOGETHER, TOGETHER)
    overlap = sum((1 - abs(lag) / TOGETHER) ** 2 for lag in lags)
    assert evidence[0, 1] == pytest.approx(count / (overlap * 2.0))


def test_one_after_another_moves_are_seen():
    """An exchange that closes first moves a day later: returns of one day hardly correlate."""
    moves = np.random.default_rng(5).standard_normal(2000)
    late = np.column_stack([moves[1:], moves[:-1]])
    alone, _ = decayed_correlations(late)
    together, _ = decayed_correlations(added_up(late, TOGETHER))
    assert abs(alone[0, 1]) < 0.1
    assert together[0, 1] == pytest.approx(2 / 3, abs=0.08)


class TestShrinkage:
    def test_a_pair_without_evidence_has_the_mean(self):
        correlation = equal(4, 0.5)
        correlation[0, 3] = correlation[3, 0] = -0.9
        evidence = np.full((4, 4), 500.0)
        evidence[3, :3] = evidence[:3, 3] = 0.0
        out = shrunk(correlation, evidence)
        assert out[3, :3] == pytest.approx(0.5, abs=0.01)
        assert is_correlation(out)

    def test_duplicates_stay_duplicates(self):
        correlation = equal(6, 0.1)
        correlation[0, 1] = correlation[1, 0] = 0.97
        out = shrunk(correlation, np.full((6, 6), 400.0))
        assert out[0, 1] > 0.95

    def test_noise_alone_is_taken_out(self):
        rows = normal(equal(10, 0.3), 120, seed=2)
        correlation, evidence = decayed_correlations(rows)
        off = ~np.eye(10, dtype=bool)
        out = shrunk(correlation, evidence)
        assert np.std(out[off]) < 0.5 * np.std(correlation[off])
        assert np.mean(out[off]) == pytest.approx(0.3, abs=0.1)

    def test_one_ticker_and_strangers(self):
        assert shrunk(np.eye(1), np.ones((1, 1))).tolist() == [[1.0]]
        assert shrunk(equal(3, 0.4), np.zeros((3, 3))).tolist() == np.eye(3).tolist()


def test_pairs_that_do_not_fit_together_are_mended():
    impossible = np.array([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]])
    assert np.linalg.eigvalsh(impossible)[0] < 0
    assert is_correlation(positive_definite(impossible))
    assert positive_definite(equal(3, 0.5)) is not None


class TestStrength:
    usual = equal(8, 0.3)

    def test_as_strong_as_usual_changes_little(self):
        rows = normal(self.usual, 4000, seed=1)
        assert at_strength(self.usual, rows) == pytest.approx(self.usual, abs=0.06)

    def test_a_common_crash_raises_correlations(self):
        calm = normal(self.usual, 300, seed=1)
        crash = normal(equal(8, 0.9), 40, seed=2) * 2.0
        rose = at_strength(self.usual, np.vstack([calm, crash]))
        assert rose[0, 1] > 0.4
        assert is_correlation(rose)

    def test_quiet_together_lowers_them_and_stays_positive_definite(self):
        apart = normal(np.eye(8), 600, seed=3)
        fell = at_strength(self.usual, apart)
        assert fell[0, 1] < 0.25
        assert is_correlation(fell)


class TestFreedom:
    @pytest.mark.parametrize(("freedom", "near"), [(4.0, (3.0, 5.0)), (10.0, (8.0, 13.0))])
    def test_is_found_again(self, freedom, near):
        rng = np.random.default_rng(7)
        mixing = np.sqrt(freedom / rng.chisquare(freedom, 3000))[:, None]
        rows = normal(equal(12, 0.4), 3000, seed=8) * mixing
        assert near[0] <= composite_freedom(rows) <= near[1]

    def test_normal_returns_have_many(self):
        assert composite_freedom(normal(equal(12, 0.4), 3000, seed=8)) >= 17.0

    def test_nothing_to_fit_to_has_the_usual_ones(self):
        assert composite_freedom(np.full((10, 3), np.nan)) == 8.0
        assert composite_freedom(np.zeros((1000, 1))) == 8.0


@pytest.mark.parametrize("length", [1, 2, 10, 400])
def test_any_lengths_give_a_correlation(length):
    histories = [garch_history(f"T{i}", 600, i) for i in range(5)]
    young = histories[0].slice(600 - length, 600)
    dependence = Dependence.of(standardised_returns([*histories[1:], young])[1])
    assert is_correlation(dependence.correlation)
    others = dependence.correlation[:-1, :-1][~np.eye(4, dtype=bool)]
    if length <= 10:
        assert dependence.correlation[-1, :-1] == pytest.approx(others.mean(), abs=0.1)
