"""Is one forecast's loss lower than another's by more than chance?"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FEWEST_SESSIONS = 20
"""Below this many sessions no p-value is given."""


def session_means(losses: Floats, sessions: NDArray[np.datetime64]) -> Floats:
    """Losses averaged over tickers for each session, in order: tickers move together on a day.

    Args:
        losses: ``(m,)``, no NaN.
        sessions: the session of each forecast's cutoff, ``(m,)``.
    """
    _, place = np.unique(sessions, return_inverse=True)
    return np.asarray(np.bincount(place, weights=losses) / np.bincount(place))


def kupiec(exceedances: int, n: int, level: float) -> float:
    """p-value that a value-at-risk level is exceeded as often as it says (Kupiec 1995).

    Likelihood ratio of the observed share against the nominal one, χ² with one degree of freedom.

    Args:
        exceedances: returns at or below the quantile.
        n: returns in all.
        level: the quantile's level.
    """
    from scipy.stats import chi2

    observed = exceedances / n

    def log_likelihood(share: float) -> float:
        hit = exceedances * math.log(share) if exceedances else 0.0
        miss = (n - exceedances) * math.log1p(-share) if exceedances < n else 0.0
        return hit + miss

    ratio = 2.0 * (log_likelihood(observed) - log_likelihood(level))
    return float(chi2.sf(max(ratio, 0.0), 1))


def diebold_mariano(losses: Floats, baseline_losses: Floats, step: int) -> float:
    """Two-sided p-value that two loss series have the same mean.

    Diebold and Mariano (1995) with the small-sample correction of Harvey, Leybourne and Newbold
    (1997); Newey-West variance with at least ``step − 1`` lags, since h-step errors overlap.

    Args:
        losses: one value a session, in time order.
        baseline_losses: the same sessions.
        step: h.

    Returns:
        p; NaN with fewer than ``FEWEST_SESSIONS`` sessions, 1.0 if the losses are equal.
    """
    n = len(losses)
    if n < max(FEWEST_SESSIONS, 2 * step):
        return math.nan
    if np.allclose(losses, baseline_losses, rtol=1e-12, atol=0.0):
        return 1.0
    from statsmodels.tsa.stattools import diebold_mariano_test

    def given(_actual: Floats, loss: Floats) -> Floats:
        return loss

    result = diebold_mariano_test(
        np.zeros(n), losses, baseline_losses, criterion=given, harvey_adj=True, horizon=step
    )
    return float(result.pvalue)
