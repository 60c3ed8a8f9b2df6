from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from forecaster.joint.marginals import Marginals

LEVELS = np.array([0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99])


def student(freedom, scale=0.02, centre=0.0):
    return Marginals(LEVELS, centre + scale * stats.t.ppf(LEVELS, freedom)[None])


def at(marginals, levels):
    levels = np.asarray(levels, dtype=np.float64)
    return marginals.at(levels, 1.0 - levels)


def test_the_levels_keep_their_quantiles():
    some = student(4.0)
    assert at(some, LEVELS)[0] == pytest.approx(some.quantiles[0], abs=1e-12)


def test_between_two_levels_it_is_a_straight_line_over_the_normal_quantile():
    some = student(4.0)
    middle = stats.norm.cdf((stats.norm.ppf(0.25) + stats.norm.ppf(0.5)) / 2)
    assert at(some, [middle])[0, 0] == pytest.approx(some.quantiles[0, 4:6].mean())


@pytest.mark.parametrize("freedom", [3.0, 4.0, 8.0, 20.0])
def test_tails_go_on_as_the_student_tail_that_the_outer_quantiles_have(freedom):
    some = student(freedom, centre=0.003)
    assert some.lower_freedom == pytest.approx(freedom, rel=0.01)
    assert some.upper_freedom == pytest.approx(freedom, rel=0.01)
    beyond = np.array([1e-9, 1e-6, 1e-4, 0.005])
    expected = 0.003 + 0.02 * stats.t.ppf(beyond, freedom)
    assert some.at(beyond, 1.0 - beyond)[0] == pytest.approx(expected, rel=5e-3)
    # far up, 1 - p alone has digits
    above = beyond[::-1]
    expected = 0.003 + 0.02 * stats.t.isf(above, freedom)
    assert some.at(1.0 - above, above)[0] == pytest.approx(expected, rel=5e-3)


def test_both_tails_are_fitted_apart():
    lower, upper = stats.t.ppf(LEVELS, 3.0), stats.t.ppf(LEVELS, 30.0)
    some = Marginals(LEVELS, np.where(LEVELS < 0.5, lower, upper)[None])
    assert some.lower_freedom == pytest.approx(3.0, rel=0.01)
    assert some.upper_freedom == pytest.approx(30.0, rel=0.05)


@pytest.mark.parametrize("levels", [[0.05, 0.5, 0.95], [0.1, 0.5, 0.9], [0.25, 0.75]])
def test_few_levels_have_a_usual_tail(levels):
    levels = np.array(levels)
    some = Marginals(levels, stats.t.ppf(levels, 4.0)[None])
    far = some.at(np.array([1e-4]), np.array([1 - 1e-4]))[0, 0]
    assert np.isfinite(far)
    assert far < 2 * some.quantiles[0, 0]


def test_centred_has_a_mean_of_zero_and_keeps_the_shape():
    skewed = student(4.0, centre=0.01).quantiles.copy()
    skewed[:, LEVELS < 0.5] *= 1.4
    some = Marginals(LEVELS, skewed)
    centred = some.centred()
    assert centred.means == pytest.approx(0.0, abs=1e-12)
    assert np.diff(centred.quantiles) == pytest.approx(np.diff(some.quantiles))
    assert centred.quantiles[0, 5] > 0  # a longer lower tail: the median lies above the mean


def test_a_price_that_stands_still_stays():
    still = Marginals(LEVELS, np.zeros((2, len(LEVELS))))
    assert not at(still, [0.001, 0.3, 0.999]).any()
