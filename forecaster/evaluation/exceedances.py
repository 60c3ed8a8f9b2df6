"""Value at risk and expected shortfall: what they are of draws, and whether a series of them held.

Here a return is a profit, so that values at risk and shortfalls are negative numbers; a session
whose return is at or below the value at risk exceeds it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecaster.arrays import Floats, Mask
from forecaster.evaluation.significance import kupiec

_RESAMPLES = 10_000


@dataclass(frozen=True)
class Tail:
    """The lower tail of a distribution at one level.

    Attributes:
        value_at_risk: its quantile at the level.
        shortfall: the mean of what lies at or below that quantile.
    """

    value_at_risk: float
    shortfall: float


def tail_of(returns: NDArray[np.floating], level: float) -> Tail:
    """The tail of equally likely returns ``(M,)``: the worst ``level`` of them, at least one."""
    worst = max(1, math.floor(level * len(returns) + 1e-9))
    lowest = np.partition(returns, worst - 1)[:worst].astype(np.float64)
    return Tail(float(lowest.max()), float(lowest.mean()))


def fissler_ziegel(
    actual: Floats, value_at_risk: Floats, shortfall: Floats, level: float
) -> Floats:
    """The loss FZ0 of value at risk and shortfall together, ``(n,)``; lower is better.

    ``−1{y ≤ v} (v − y) / (α e) + v / e + ln(−e) − 1`` (Patton, Ziegel and Chen, "Dynamic
    semiparametric models for expected shortfall (and value-at-risk)", Journal of Econometrics 211,
    2019): of all losses under which the true pair is best (Fissler and Ziegel 2016), the one whose
    differences do not depend on the unit.

    Args:
        actual: y, returns.
        value_at_risk: v.
        shortfall: e, below 0.
        level: α.
    """
    below = np.where(actual <= value_at_risk, value_at_risk - actual, 0.0)
    return np.asarray(
        -below / (level * shortfall) + value_at_risk / shortfall + np.log(-shortfall) - 1.0
    )


def christoffersen(exceeded: Mask, *, seed: int = 0) -> float:
    """p-value that exceedances do not come one after another (Christoffersen 1998).

    The likelihood ratio of a first-order Markov chain against independence. Its χ² distribution is
    far off where a handful of exceedances is all there is, so p is the share of random orders of
    the same exceedances with a ratio as large (a Monte Carlo test: Dufour 2006, as Christoffersen
    and Pelletier 2004 recommend). 1.0 with fewer than two exceedances.

    Args:
        exceeded: whether each session exceeded, ``(n,)``, in time order.
        seed: of the orders.
    """
    count = int(np.count_nonzero(exceeded))
    if count < 2 or count == len(exceeded):
        return 1.0
    observed = _independence_ratio(exceeded[None])[0]
    generator = np.random.default_rng(seed)
    orders = generator.permuted(np.tile(exceeded, (_orders(len(exceeded)), 1)), axis=1)
    as_large = np.count_nonzero(_independence_ratio(orders) >= observed - 1e-9)
    return float((as_large + 1) / (len(orders) + 1))


def _orders(sessions: int) -> int:
    """How many random orders are drawn: fewer of a long series, to bound the memory."""
    return max(999, min(_RESAMPLES - 1, 20_000_000 // sessions))


def _independence_ratio(exceeded: Mask) -> Floats:
    """Likelihood ratios of series ``(B, n)``: ``(B,)``."""
    before, after = exceeded[:, :-1], exceeded[:, 1:]
    n11 = np.count_nonzero(before & after, axis=1).astype(np.float64)
    n01 = np.count_nonzero(~before & after, axis=1).astype(np.float64)
    n10 = np.count_nonzero(before & ~after, axis=1).astype(np.float64)
    n00 = before.shape[1] - n11 - n01 - n10
    alone = _log_likelihood(n01 + n11, n00 + n10)
    return np.asarray(2.0 * (_log_likelihood(n01, n00) + _log_likelihood(n11, n10) - alone))


def _log_likelihood(hits: Floats, misses: Floats) -> Floats:
    """Of a share of hits at its own estimate, with 0 ln 0 = 0."""
    from scipy.special import xlogy

    total = np.maximum(hits + misses, 1.0)
    return np.asarray(xlogy(hits, hits / total) + xlogy(misses, misses / total))


def acerbi_szekely(actual: Floats, value_at_risk: Floats, shortfall: Floats, level: float) -> float:
    """The statistic Z₂ of a shortfall test: 0 expected, negative where shortfalls were too small.

    ``Z₂ = 1 − Σ_t y_t 1{y_t ≤ v_t} / (n α e_t)`` (Acerbi and Szekely, "Backtesting expected
    shortfall", Risk, 2014).
    """
    exceeded = actual <= value_at_risk
    ratio = np.where(exceeded, actual / shortfall, 0.0)
    return float(1.0 - ratio.sum() / (len(actual) * level))


def acerbi_szekely_p(statistic: float, ratios: NDArray[np.floating], *, seed: int = 0) -> float:
    """p-value of Z₂ against shortfalls that are too small, by simulation.

    Args:
        statistic: Z₂ of what happened.
        ratios: what Z₂ would count in each session were the forecasts right: draws of
            ``x 1{x ≤ v} / (α e)``, ``(n, D)``.
        seed: of the choice among the draws.
    """
    generator = np.random.default_rng(seed)
    sessions, draws = ratios.shape
    total = np.zeros(_RESAMPLES - 1)
    for row in ratios:
        total += row[generator.integers(0, draws, len(total))]
    simulated = 1.0 - total / sessions
    return float((np.count_nonzero(simulated <= statistic + 1e-12) + 1) / (len(simulated) + 1))


@dataclass(frozen=True)
class Coverage:
    """Exceedances of a value at risk and their tests.

    Attributes:
        expected: sessions times the level.
        exceeded: how many sessions exceeded it.
        kupiec: p-value that it is exceeded as often as it says.
        christoffersen: p-value that exceedances do not follow each other.
    """

    expected: float
    exceeded: int
    kupiec: float
    christoffersen: float


def coverage_of(exceeded: Mask, level: float) -> Coverage:
    """The tests of sessions ``(n,)`` that do not overlap."""
    count = int(np.count_nonzero(exceeded))
    return Coverage(
        expected=level * len(exceeded),
        exceeded=count,
        kupiec=kupiec(count, len(exceeded), level),
        christoffersen=christoffersen(exceeded),
    )
