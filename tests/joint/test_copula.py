from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from forecaster.joint.copula import Copula

VALUES = np.array([-40.0, -8.0, -3.0, -1.0, 0.0, 0.7, 3.0, 8.0, 40.0])


@pytest.mark.parametrize("freedom", [3.0, 5.0, 8.0, 25.0])
def test_without_skew_it_is_students(freedom):
    below, above = Copula(freedom, 0.0).probabilities(VALUES)
    assert below == pytest.approx(stats.t.cdf(VALUES, freedom), rel=1e-4)
    assert above == pytest.approx(stats.t.sf(VALUES, freedom), rel=1e-4)


@pytest.mark.parametrize("skew", [-0.5, -0.1, 0.3])
def test_with_skew_it_is_what_draws_say(skew):
    rng = np.random.default_rng(1)
    mixing = 8.0 / rng.chisquare(8.0, 400_000)
    draws = np.sqrt(mixing) * rng.standard_normal(400_000) + skew * (mixing - 8.0 / 6.0)
    below, above = Copula(8.0, skew).probabilities(VALUES)
    assert below == pytest.approx((draws[:, None] <= VALUES).mean(axis=0), abs=3e-3)
    assert below + above == pytest.approx(1.0, abs=1e-9)
