"""Returns, volatility and ranges of bars; each value depends on its session and earlier ones.

All functions work on one history. Arrays have shape ``(n,)``, one value a session; returns are log
returns, variances are squared log returns for one session.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from forecaster.arrays import Floats, Mask
from forecaster.market.bars import History

DECAY = 0.94
"""Decay of the daily volatility estimate, as in RiskMetrics (J.P. Morgan, 1996)."""

PRIOR_SESSIONS = 10.0
"""Weight of the prior variance at the start of a history, in sessions."""

DAMPING = 5.0
"""A return larger than this many times the volatility before it counts as this many."""

_FLOOR = 1e-5
"""Smallest volatility (0.001% a session), the unit of a price that does not move."""

_LEAST_VARIANCE = 1e-9
"""Added to a variance before its log is taken."""


def log_returns(history: History) -> Floats:
    """``r_t = ln(P_t / P_{t-1})`` on adjusted closes, with ``r_0 = 0``."""
    logs = np.log(history.adjusted_close)
    returns = np.zeros(len(logs))
    np.subtract(logs[1:], logs[:-1], out=returns[1:])
    return returns


def decaying_mean(values: Floats, decay: float, prior: float, prior_sessions: float) -> Floats:
    """Exponentially weighted mean of ``values[0..t]`` that starts from a prior.

    ``m_t = (Σ_i λ^(t-i) x_i + n₀ λ^(t+1) p) / (Σ_i λ^(t-i) + n₀ λ^(t+1))``, so the prior weighs as
    much as ``n₀`` sessions before the first one and fades at their rate. Computed in blocks, and
    every value depends on earlier ones alone, to the bit.

    Args:
        values: shape ``(n,)``, no NaN.
        decay: λ in (0, 1).
        prior: p, in the units of ``values``.
        prior_sessions: n₀, at least 0.

    Returns:
        Shape ``(n,)``.
    """
    n = len(values)
    block = max(1, min(n, int(12.0 / -np.log(decay))))
    blocks = -(-n // block)
    padded = np.zeros((blocks, block))
    padded.ravel()[:n] = values
    powers, fade, weights = _weights(decay, block, blocks, prior_sessions)
    padded /= powers
    sums = np.add.accumulate(padded, axis=1, out=padded)
    sums *= powers
    carried = _carried(sums[:, -1].tolist(), prior_sessions * prior, float(fade[-1]))
    sums += carried[:, None] * fade
    sums /= weights
    return np.asarray(sums.ravel()[:n])


@lru_cache(maxsize=64)
def _weights(
    decay: float, block: int, blocks: int, prior_sessions: float
) -> tuple[Floats, Floats, Floats]:
    """λ^i and λ^(i+1) for i = 0..block - 1, and the weight of all that a mean has seen.

    Returns:
        Shapes ``(block,)``, ``(block,)`` and ``(blocks, block)``.
    """
    powers = np.asarray(decay ** np.arange(block), dtype=np.float64)
    inside, fade = np.cumsum(1.0 / powers) * powers, powers * decay
    before = _carried([float(inside[-1])] * blocks, prior_sessions, float(fade[-1]))
    weights = inside + before[:, None] * fade
    for array in (powers, fade, weights):
        array.flags.writeable = False  # shared by all callers
    return powers, fade, weights


def _carried(ends: list[float], start: float, fade: float) -> Floats:
    """Sums carried into each block from the blocks before it.

    In plain numbers, which are many times as fast one by one as an array's.
    """
    carried, carry = [], start
    for end in ends:
        carried.append(carry)
        carry = end + carry * fade
    return np.asarray(carried, dtype=np.float64)


def decay_of(half_life: float) -> float:
    """The decay λ whose weights halve every ``half_life`` sessions."""
    return float(0.5 ** (1.0 / half_life))


def damped_squares(returns: Floats, prior: float) -> Floats:
    """Squared returns, each at most ``DAMPING²`` times the variance known before it."""
    squares = returns**2
    known = np.concatenate([[prior], decaying_mean(squares, DECAY, prior, PRIOR_SESSIONS)[:-1]])
    limit = DAMPING**2 * np.maximum(known, _FLOOR**2)
    return np.asarray(np.minimum(squares, limit))


def body_and_spread(history: History) -> tuple[Floats, Floats, Mask]:
    """``ln(C/O)``, ``ln(H/L)``, and whether both are known."""
    body = np.log(history.close) - np.log(history.open)
    spread = np.log(history.high) - np.log(history.low)
    return body, spread, np.isfinite(body) & (spread >= 0)


def range_variance(history: History, returns: Floats) -> Floats:
    """Variance of one session from its range and its gap, about five times less noisy than ``r²``.

    Garman and Klass (1980), equation for known opening jump: the squared overnight gap plus
    ``½ ln(H/L)² − (2 ln 2 − 1) ln(C/O)²``. Sessions without a range fall back to ``r²``.
    """
    body, spread, known = body_and_spread(history)
    gap = returns - body
    gap[0] = 0.0
    inside = np.maximum(0.5 * spread**2 - (2.0 * np.log(2.0) - 1.0) * body**2, 0.0)
    return np.where(known, gap**2 + inside, returns**2)


def log_root(variance: Floats) -> Floats:
    """``ln √variance``, finite where nothing moved."""
    return np.asarray(0.5 * np.log(np.maximum(variance, 0.0) + _LEAST_VARIANCE))


def future_log_ranges(variance: Floats, horizon: int) -> Floats:
    """Log of the root mean range-based variance of the next h sessions, h = 1..H.

    Args:
        variance: of each session, ``(n,)``.
        horizon: H.

    Returns:
        ``(n, H)``; NaN where the history ends before t + h.
    """
    n = len(variance)
    sums = np.concatenate([[0.0], np.cumsum(variance)])
    out = np.full((n, horizon), np.nan)
    for h in range(1, min(horizon, n - 1) + 1):
        out[: n - h, h - 1] = log_root((sums[h + 1 :] - sums[1 : n - h + 1]) / h)
    return out


def overnight_gaps(history: History, returns: Floats) -> Floats:
    """Log return from each close to the next open, dividends included; NaN where not known."""
    body, _, known = body_and_spread(history)
    gap = np.where(known, returns - body, np.nan)
    gap[0] = np.nan
    return np.asarray(gap)


@dataclass(frozen=True)
class Measures:
    """Returns and volatilities of one history; every array has shape ``(n,)``.

    Attributes:
        returns: log returns, the first one 0.
        volatility: σ_t, known at the close of t; in log return per session.
        volatility_before: σ_{t-1}, for the first session the prior.
        session_variance: range-based variance of session t alone, at most ``DAMPING²`` σ²_{t-1}.
    """

    returns: Floats
    volatility: Floats
    volatility_before: Floats
    session_variance: Floats

    @property
    def surprise(self) -> Floats:
        """Log ratio of the session's range-based volatility to σ_{t-1}."""
        return np.asarray(0.5 * np.log(self.session_variance / self.volatility_before**2 + 1e-2))


def measure(history: History, prior: float) -> Measures:
    """Returns and volatilities of one history; with the prior, five sessions are enough.

    Args:
        history: at least 1 bar.
        prior: variance of a session's log return to start from.
    """
    returns = log_returns(history)
    variance = (
        decaying_mean(damped_squares(returns[1:], prior), DECAY, prior, PRIOR_SESSIONS)
        if len(returns) > 1
        else np.empty(0)
    )
    volatility = np.sqrt(np.maximum(np.concatenate([[prior], variance]), _FLOOR**2))
    before = np.concatenate([volatility[:1], volatility[:-1]])
    day = np.minimum(range_variance(history, returns), (DAMPING * before) ** 2)
    return Measures(returns, volatility, before, day)


def pooled_variance(histories: list[History]) -> float:
    """Median of the histories' mean squared returns: the prior for a new history.

    Histories count by their length, so that a short one does not decide. Falls back to 2% a
    session squared where no history has two bars.
    """
    variances, weights = [], []
    for history in histories:
        if len(history) > 1:
            returns = log_returns(history)[1:]
            variances.append(float(np.mean(returns**2)))
            weights.append(len(returns))
    if not variances:
        return 0.02**2
    order = np.argsort(variances)
    cumulative = np.cumsum(np.asarray(weights)[order])
    middle = int(np.searchsorted(cumulative, cumulative[-1] / 2.0))
    return max(float(np.asarray(variances)[order][middle]), _FLOOR**2)
