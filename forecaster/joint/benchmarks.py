"""What others make of past profits: historical simulation and RiskMetrics."""

from __future__ import annotations

import math

import numpy as np

from forecaster.arrays import Floats
from forecaster.evaluation.exceedances import Tail, tail_of
from forecaster.features.volatility import DECAY

HISTORICAL_SESSIONS = 500
"""Sessions that historical simulation looks back."""

NAMES = ("historical", "riskmetrics")


def historical_simulation(profits: Floats, level: float) -> Tail:
    """The tail of the last ``HISTORICAL_SESSIONS`` profits, each as likely as any other.

    Args:
        profits: of today's positions over past stretches of as many sessions, ``(n,)``.
        level: such as 0.05.
    """
    return tail_of(profits[-HISTORICAL_SESSIONS:], level)


def riskmetrics(profits: Floats, level: float, step: int) -> Tail:
    """The normal tail whose variance is the decaying mean of squared profits of one session.

    It is what the RiskMetrics covariance matrix gives for today's positions (J.P. Morgan 1996, λ =
    0.94, mean 0, variance h times that of one session).

    Args:
        profits: of today's positions over single past sessions, ``(n,)``.
        level: such as 0.05.
        step: h.
    """
    from scipy.special import ndtri

    weight = DECAY ** np.arange(len(profits) - 1, -1, -1.0)
    variance = float(weight @ profits**2 / weight.sum())
    deviation = math.sqrt(step * variance)
    z = float(ndtri(level))
    density = math.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    return Tail(z * deviation, 0.0 - density / level * deviation)


def tails(one_session: Floats, over_step: Floats, level: float, step: int) -> dict[str, Tail]:
    """Both of them, by their names."""
    return {
        "historical": historical_simulation(over_step, level),
        "riskmetrics": riskmetrics(one_session, level, step),
    }
