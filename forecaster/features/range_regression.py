"""HAR: a linear regression of the next log range on past ones, and its forecasts of returns.

    ln s(t,h) = b₀ + b₁ v₁ + b₂ v₅ + b₃ v₂₂ + b₄ v₁₂₀ + b₅ ln σ + b₆ z + b₇ |z|

all at session t: v with k is the log of the root mean range-based variance of the last k sessions,
σ the EWMA volatility, z the last standardised return, and s(t,h) the root mean range-based variance
of the next h sessions. One regression for each h, over all histories together (after Corsi 2009;
sign and size of the last return as in Corsi and Renò 2012). Quantiles of past returns standardised
by the fitted values give the distribution its shape.
"""

from __future__ import annotations

from collections.abc import Sequence, Sized
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from forecaster.arrays import Floats, Rows
from forecaster.features.scaling import VolatilityScaling, future_log_returns
from forecaster.features.volatility import Measures, future_log_ranges, log_root
from forecaster.market.bars import History

S = TypeVar("S", bound=Sized)

SPANS = (1, 5, 22, 120)
"""Sessions over which past ranges are averaged: a day, a week, a month, half a year."""

REGRESSORS = 4 + len(SPANS)

LOG_VOLATILITY = 1 + len(SPANS)
"""Which regressor ln σ is."""

_LIMIT = 6.0


def design(measures: Measures) -> Floats:
    """The regressors at each session, ``(n, 8)``."""
    z = np.clip(measures.returns / measures.volatility_before, -_LIMIT, _LIMIT)
    columns = [np.ones(len(z))]
    sums = np.concatenate([[0.0], np.cumsum(measures.session_variance)])
    columns += [log_root(_trailing_mean(sums, span)) for span in SPANS]
    columns += [np.log(measures.volatility), z, np.abs(z)]
    return np.column_stack(columns)


def _trailing_mean(sums: Floats, span: int) -> Floats:
    """Mean of the last ``span`` values, or of all values up to there, by sums from nothing on."""
    means = sums[1:] / np.minimum(np.arange(1, len(sums)), span)
    means[span:] = (sums[span + 1 :] - sums[1:-span]) / span
    return means


@dataclass(frozen=True)
class RangeRegression:
    """Fitted coefficients, and the shape of returns that are standardised by the fitted deviations.

    Attributes:
        coefficients: ``(8, H)``.
        shape: quantiles of returns over their fitted deviation, ``(H, Q)``.
    """

    coefficients: Floats
    shape: Floats

    @classmethod
    def fit(
        cls,
        histories: Sequence[History],
        scaling: VolatilityScaling,
        horizon: int,
        levels: Sequence[float],
    ) -> RangeRegression:
        """Least squares over all sessions whose next h are in the histories."""
        measures = [scaling.scale(h).measures for h in histories]
        x = np.concatenate([design(m) for m in measures])
        y = np.concatenate([future_log_ranges(m.session_variance, horizon) for m in measures])
        returns = np.concatenate([future_log_returns(h, horizon) for h in histories])
        coefficients = np.zeros((x.shape[1], horizon))
        for h in range(horizon):
            known = np.isfinite(y[:, h])
            if bool(np.any(known)):
                coefficients[:, h] = np.linalg.lstsq(x[known], y[known, h], rcond=None)[0]
            elif h:  # every history is too short for h steps
                coefficients[:, h] = coefficients[:, h - 1]
        past = returns / _deviations(x, coefficients)
        return cls(coefficients, column_quantiles(past, levels, past, grows=False))

    def deviations(self, measures: Measures, rows: Rows | slice = slice(None)) -> Floats:
        """Deviation of the h-session return at some sessions, ``(m, H)``."""
        return _deviations(design(measures)[rows], self.coefficients)


def _deviations(x: Floats, coefficients: Floats) -> Floats:
    """Fitted deviation of the h-session return, ``(n, H)``."""
    steps = np.sqrt(np.arange(1, coefficients.shape[1] + 1))
    return np.asarray(np.exp(x @ coefficients) * steps)


def evenly(each: Sequence[S], most: int) -> Sequence[S]:
    """Every n-th of some histories, or of their samples, that have n times ``most`` sessions."""
    return each[:: max(1, sum(map(len, each)) // most)]


def column_quantiles(
    values: Floats, levels: Sequence[float], spare: Floats, *, grows: bool
) -> Floats:
    """Quantiles of each column's known values, ``(H, Q)``.

    Args:
        values: ``(n, H)``, NaN where unknown.
        levels: Q levels.
        spare: ``(m, H)``, whose first column stands in where a column has no known value.
        grows: whether values grow with the root of h, as returns do; standardised ones do not.
    """
    out = np.zeros((values.shape[1], len(levels)))
    for h in range(values.shape[1]):
        known = values[np.isfinite(values[:, h]), h]
        if known.size == 0:  # every history is too short for h steps
            first = spare[np.isfinite(spare[:, 0]), 0]
            known = first * (np.sqrt(h + 1) if grows else 1.0) if first.size else np.zeros(1)
        out[h] = np.quantile(known, levels)
    return out
