"""Degrees of freedom of a Student copula, by composite likelihood over pairs of tickers."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from forecaster.arrays import Floats, Rows

_FREEDOMS = np.array([3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 13.0, 17.0, 25.0, 40.0])
_USUAL = 8.0
"""Of daily returns of shares, where there is nothing to fit to."""
_PAIRS = 60
_FEWEST = 250
"""Sessions that a pair needs to be counted."""
_PRIOR_DEVIATION = 0.3
"""Of the logarithm of the degrees of freedom: how far from the usual ones they are expected."""


def composite_freedom(returns: Floats) -> float:
    """Degrees of freedom under which pairs of returns are likeliest.

    Each ticker's returns are replaced by their ranks, which become Student quantiles; the sum over
    pairs of neighbouring tickers of the log density of their Student copula is largest at the
    estimate (a composite likelihood, Varin, Reid and Firth 2011). A pair counts like
    one, whatever its length, so that few sessions leave it near 8.

    Args:
        returns: standardised, ``(T, N)``; NaN where unknown.
    """
    pairs = _pairs(returns)
    if not pairs:
        return _USUAL
    likelihood = np.zeros(len(_FREEDOMS))
    for first, second in pairs:
        rho = _correlation(first, second)
        for place, freedom in enumerate(_FREEDOMS):
            scores = _student_scores(float(freedom), len(first))
            density = _log_density(scores[first], scores[second], rho, float(freedom))
            likelihood[place] += float(np.sum(density))
    per_pair = likelihood / len(pairs)
    prior = -0.5 * (np.log(_FREEDOMS / _USUAL) / _PRIOR_DEVIATION) ** 2
    return float(_FREEDOMS[np.argmax(per_pair + prior)])


def _pairs(returns: Floats) -> list[tuple[Rows, Rows]]:
    """Ranks, from 0, of the returns that neighbouring tickers have in the same sessions."""
    out = []
    count = returns.shape[1]
    for place in range(0, count - 1, max(1, (count - 1) // _PAIRS)):
        both = returns[:, place : place + 2]
        both = both[np.isfinite(both).all(axis=1)]
        if len(both) >= _FEWEST:
            out.append((_ranks(both[:, 0]), _ranks(both[:, 1])))
    return out


def _ranks(values: Floats) -> Rows:
    ranks = np.empty(len(values), dtype=np.intp)
    ranks[np.argsort(values, kind="stable")] = np.arange(len(values))
    return ranks


@lru_cache(maxsize=64)
def _student_scores(freedom: float, count: int) -> Floats:
    """Student quantiles of the ranks of ``count`` values."""
    from scipy.special import stdtrit

    return np.asarray(stdtrit(freedom, np.arange(1, count + 1) / (count + 1.0)))


def _correlation(first: Rows, second: Rows) -> float:
    """Correlation of normal scores, which the Student copula's is close to."""
    scores = _student_scores(1e6, len(first))
    return float(np.clip(np.corrcoef(scores[first], scores[second])[0, 1], -0.99, 0.99))


def _log_density(x: Floats, y: Floats, rho: float, freedom: float) -> Floats:
    """Log density of the Student copula at Student quantiles x and y."""
    from scipy.special import gammaln

    rest = 1.0 - rho**2
    square = (x**2 - 2.0 * rho * x * y + y**2) / rest
    constant = (
        gammaln(freedom / 2.0 + 1.0)
        + gammaln(freedom / 2.0)
        - 2.0 * gammaln((freedom + 1.0) / 2.0)
        - 0.5 * np.log(rest)
    )
    margins = np.log1p(x**2 / freedom) + np.log1p(y**2 / freedom)
    joint = np.log1p(square / freedom)
    return np.asarray(constant - (freedom + 2.0) / 2.0 * joint + (freedom + 1.0) / 2.0 * margins)
