"""How tickers move together: correlations of standardised returns, and what is common to a day.

Returns are divided by the volatility known before them, so that a correlation is not one turbulent
month's. Its estimate is a decaying mean of products, drawn towards the mean correlation by as much
as it is noise; the strength of the first principal component follows the last weeks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.arrays import Days, Floats, Mask
from forecaster.features.representation import REACH
from forecaster.features.volatility import decay_of, measure, pooled_variance
from forecaster.joint.copula import Copula
from forecaster.joint.freedom import composite_freedom
from forecaster.market.bars import History

HALF_LIFE = 250.0
"""Sessions after which a product of two returns weighs half."""

TOGETHER = 3
"""Sessions whose returns are added up: exchanges that close hours apart move on other dates."""

LEVEL_HALF_LIFE = 80.0
"""Half-life of the strength of the first principal component, in sessions."""

_PRIOR_SESSIONS = 10.0
"""Sessions at the usual strength that the estimate of the strength starts from."""

_FAT_TAILS = 2.0
"""Variance of a correlation of daily returns, over that of normal ones as many."""

_LIMIT = 5.0
_LEAST_SPREAD = 1e-4
_LEAST_EIGENVALUE = 1e-3
_HIGHEST = 0.999


@dataclass(frozen=True)
class Dependence:
    """The copula of N tickers.

    Attributes:
        correlation: R, ``(N, N)``, positive definite, 1 on its diagonal.
        copula: what is common to all tickers in a session.
    """

    correlation: Floats
    copula: Copula

    @classmethod
    def of(cls, returns: Floats, copula: Copula | None = None) -> Dependence:
        """The dependence after the last of some sessions.

        Args:
            returns: standardised, ``(T, N)``, NaN where a ticker has none; the last ``REACH`` rows
                are read.
            copula: None: its degrees of freedom are fitted.
        """
        recent = returns[-REACH:]
        if copula is None:
            copula = Copula(composite_freedom(recent))
        estimate, evidence = decayed_correlations(added_up(recent, TOGETHER))
        usual = positive_definite(shrunk(estimate, evidence))
        return cls(at_strength(usual, recent), copula)


def standardised_returns(
    histories: Sequence[History], prior: float | None = None
) -> tuple[Days, Floats]:
    """Returns over the volatility known before them, on the sessions of all histories together.

    Args:
        histories: N, of any lengths and calendars.
        prior: variance of a session that volatilities start from; None: pooled over the histories.

    Returns:
        Sessions ``(T,)`` and returns ``(T, N)``; NaN where a ticker has no bar, and at its first.
    """
    start = pooled_variance(list(histories)) if prior is None else prior
    sessions = np.unique(np.concatenate([history.sessions for history in histories]))
    out = np.full((len(sessions), len(histories)), np.nan)
    for column, history in enumerate(histories):
        measures = measure(history, start)
        standard = np.clip(measures.returns / measures.volatility_before, -_LIMIT, _LIMIT)
        out[np.searchsorted(sessions, history.sessions[1:]), column] = standard[1:]
    return sessions, out


def added_up(returns: Floats, count: int) -> Floats:
    """Sums of each ``count`` successive rows, ``(T - count + 1, N)``, no bar counting as no move.

    A row is known from a ticker's first bar to its last.
    """
    if len(returns) < count:
        return np.empty((0, returns.shape[1]))
    known = np.isfinite(returns)
    sums = np.cumsum(np.where(known, returns, 0.0), axis=0)
    added = sums[count - 1 :].copy()
    added[1:] -= sums[:-count]
    begun = np.maximum.accumulate(known, axis=0)[: len(added)]
    going = np.maximum.accumulate(known[::-1], axis=0)[::-1][count - 1 :]
    return np.where(begun & going, added, np.nan)


def decayed_correlations(sums: Floats) -> tuple[Floats, Floats]:
    """Correlations with decaying weights over the rows that two tickers share.

    Args:
        sums: of ``TOGETHER`` successive standardised returns, ``(T, N)``; their mean is taken as 0.

    Returns:
        ``(N, N)`` each: correlations (0 without a shared row), and how many independent normal
        rows they are worth: ``(Σw)² / Σw²``, less for what rows overlap and for fat tails.
    """
    weight = decay_of(HALF_LIFE) ** np.arange(len(sums) - 1, -1, -1.0)
    known = np.isfinite(sums).astype(np.float64)
    values = np.nan_to_num(sums)
    weighted = values * weight[:, None]
    products = weighted.T @ values
    variances = (weighted * values).T @ known
    scale = np.sqrt(variances * variances.T)
    correlation = np.divide(products, scale, out=np.zeros_like(products), where=scale > 0)
    total = (known * weight[:, None]).T @ known
    squares = (known * (weight**2)[:, None]).T @ known
    rows = np.divide(total**2, squares, out=np.zeros_like(total), where=squares > 0)
    overlap = (2.0 * TOGETHER**2 + 1.0) / (3.0 * TOGETHER)
    return np.clip(correlation, -1.0, 1.0), rows / (overlap * _FAT_TAILS)


def shrunk(correlation: Floats, evidence: Floats) -> Floats:
    """Correlations drawn towards their mean by as much as they are noise.

    Empirical Bayes on Fisher's ``z = artanh r``, whose variance is 1 / (n − 3) whatever r is: the
    spread of z beyond that noise, τ², tells how different pairs are, and a pair keeps
    ``τ² / (τ² + 1 / (n − 3))`` of its distance from the mean (Efron and Morris 1975). Pairs of a
    young ticker have the mean; duplicates stay duplicates.

    Args:
        correlation: ``(N, N)``.
        evidence: n of each pair, ``(N, N)``.
    """
    count = len(correlation)
    if count < 2:
        return np.ones((count, count))
    pairs = np.triu_indices(count, 1)
    z = np.arctanh(np.clip(correlation[pairs], -_HIGHEST, _HIGHEST))
    noise = 1.0 / np.maximum(evidence[pairs] - 3.0, 0.5)
    known = evidence[pairs] > 3.0
    weight = np.where(known, 1.0 / (noise + 0.02), 0.0)
    if not bool(known.any()):
        return np.eye(count)
    mean = float(np.average(z, weights=weight))
    spread = float(np.average((z - mean) ** 2 - noise, weights=weight))
    kept = np.where(known, 1.0, 0.0) / (1.0 + noise / max(spread, _LEAST_SPREAD))
    out = np.eye(count)
    out[pairs] = np.tanh(mean + kept * (z - mean))
    out.T[pairs] = out[pairs]
    return out


def positive_definite(correlation: Floats) -> Floats:
    """The correlations with their lowest eigenvalues raised, and a diagonal of 1 again.

    Pairs that were estimated on other sessions need not fit together.
    """
    values, vectors = np.linalg.eigh(correlation)
    if values[0] >= _LEAST_EIGENVALUE:
        return correlation
    raised = (vectors * np.maximum(values, _LEAST_EIGENVALUE)) @ vectors.T
    return _with_unit_diagonal(raised)


def at_strength(correlation: Floats, returns: Floats) -> Floats:
    """The correlations with the first principal component as strong as it was of late.

    ``R + (κ − 1) λ₁ v₁ v₁'``, with its diagonal made 1 again, where κ is the decaying mean of the
    component's squared score over the mean squared return, and 1 if it is as strong as usual: in a
    turbulent month everything falls together.

    Args:
        correlation: R, ``(N, N)``.
        returns: standardised, ``(T, N)``; NaN where unknown.
    """
    if len(correlation) < 2 or not len(returns):
        return correlation
    values, vectors = np.linalg.eigh(correlation)
    vector, variance = vectors[:, -1], float(values[-1])
    known = np.isfinite(returns)
    scores = np.nan_to_num(returns) @ vector
    expected = _score_variances(correlation, vector, known)
    weight = decay_of(LEVEL_HALF_LIFE) ** np.arange(len(returns) - 1, -1, -1.0)
    used = expected > 0
    size = np.sum(np.nan_to_num(returns) ** 2, axis=1) / np.maximum(known.sum(axis=1), 1)
    common = float(weight[used] @ (scores[used] ** 2 / expected[used])) + _PRIOR_SESSIONS
    usual = float(weight[used] @ size[used]) + _PRIOR_SESSIONS
    changed = correlation + (common / usual - 1.0) * variance * np.outer(vector, vector)
    return _with_unit_diagonal(changed)


def _score_variances(correlation: Floats, vector: Floats, known: Mask) -> Floats:
    """Variance of the component's score in each row, of the tickers that have a bar: ``(T,)``."""
    part = known * vector
    return np.asarray(np.sum((part @ correlation) * part, axis=1))


def _with_unit_diagonal(matrix: Floats) -> Floats:
    """A covariance as a correlation."""
    deviation = np.sqrt(np.diag(matrix))
    out = matrix / np.outer(deviation, deviation)
    np.fill_diagonal(out, 1.0)
    return np.asarray((out + out.T) / 2.0)
