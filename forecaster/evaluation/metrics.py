"""Metrics of forecasts: pinball loss, skill, errors of a point forecast, coverage.

Shapes: m forecasts, Q quantile levels. Pinball losses come back one a forecast, so that callers can
average them over tickers, sessions or both; NaN where the actual value is not known.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecaster.arrays import Floats


def pinball(actual: Floats, quantiles: Floats, levels: Sequence[float]) -> Floats:
    """Pinball loss averaged over levels (Koenker and Bassett 1978).

    ``max(q·e, (q − 1)·e)`` for error e = actual − quantile at level q.

    Args:
        actual: ``(m,)``.
        quantiles: ``(m, Q)``, in the unit of ``actual``.
        levels: Q numbers in (0, 1).

    Returns:
        ``(m,)``, in the unit of ``actual``.
    """
    q = np.asarray(levels, dtype=np.float64)
    error = actual[:, None] - quantiles
    return np.asarray(np.mean(np.maximum(q * error, (q - 1.0) * error), axis=1))


def skill(loss: float, baseline_loss: float) -> float:
    """``1 − loss / baseline loss``; positive is better than the baseline, NaN without one."""
    return 1.0 - loss / baseline_loss if baseline_loss > 0 else float("nan")


def mae(actual: Floats, forecast: Floats) -> float:
    """Mean absolute error, in the unit of ``actual``."""
    return float(np.mean(np.abs(actual - forecast)))


def rmse(actual: Floats, forecast: Floats) -> float:
    """Root of the mean squared error, in the unit of ``actual``."""
    return float(np.sqrt(np.mean((actual - forecast) ** 2)))


def mape(actual: Floats, forecast: Floats) -> float:
    """Mean absolute percentage error, in percent of the actual value (which is never 0)."""
    return float(np.mean(np.abs((actual - forecast) / actual)) * 100.0)


def direction(actual_return: Floats, forecast_return: Floats) -> float:
    """Share of moves whose sign was forecast, among those where both moved; NaN if none did.

    A forecast of no change takes no side and is not counted.
    """
    moved = (actual_return != 0) & (forecast_return != 0)
    if not bool(np.any(moved)):
        return float("nan")
    return float(np.mean(np.sign(actual_return[moved]) == np.sign(forecast_return[moved])))


def coverage(actual: Floats, low: Floats, high: Floats) -> float:
    """Share of actuals inside ``[low, high]``."""
    return float(np.mean((actual >= low) & (actual <= high)))


def interval_levels(levels: Sequence[float], share: float) -> tuple[int, int] | None:
    """Indices of the two levels that bound the central interval of ``share``, if both exist."""
    low, high = (level_place(levels, 0.5 + end * share / 2.0) for end in (-1, 1))
    return None if low is None or high is None else (low, high)


def level_place(levels: Sequence[float], level: float) -> int | None:
    """Index of a level, if it exists."""
    return next((i for i, q in enumerate(levels) if abs(q - level) < 1e-6), None)


def at_level(quantiles: Floats, levels: Sequence[float], level: float) -> Floats:
    """Quantiles ``(..., Q)`` at one level, linear between its neighbours: ``(...)``."""
    q = np.asarray(levels, dtype=np.float64)
    right = int(np.clip(np.searchsorted(q, level), 1, len(q) - 1)) if len(q) > 1 else 0
    if right == 0:
        return np.asarray(quantiles[..., 0])
    share = float(np.clip((level - q[right - 1]) / (q[right] - q[right - 1]), 0.0, 1.0))
    return np.asarray((1.0 - share) * quantiles[..., right - 1] + share * quantiles[..., right])
