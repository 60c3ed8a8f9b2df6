"""Marginal distributions of log returns: quantile forecasts as functions of a probability.

Between two quantile levels a distribution is a straight line over the normal quantile of the
probability; beyond the outermost levels it goes on as a Student tail that is fitted to the three
outermost quantiles, so that no draw is cut off.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecaster.arrays import Floats

_FREEDOMS = (2.1, 50.0)
"""Fewest and most degrees of freedom of a tail: its variance exists, and it is nearly normal."""
_USUAL_FREEDOM = 5.0
"""Of daily returns, where a forecast has too few levels on a side to tell."""
_TAIL_LEVELS = 3
_NODES = 512
"""Equally likely probabilities over which a mean is taken."""


@dataclass(frozen=True)
class Marginals:
    """The distributions of N tickers at one step.

    Attributes:
        levels: of the quantiles, ``(Q,)``, rising, Q at least 2.
        quantiles: log returns, ``(N, Q)``, rising along the levels.
    """

    levels: Floats
    quantiles: Floats

    @cached_property
    def lower_freedom(self) -> float:
        """Degrees of freedom of the tails below the lowest level, the same for all tickers."""
        return _tail_freedom(self.levels, self.quantiles)

    @cached_property
    def upper_freedom(self) -> float:
        """Degrees of freedom of the tails above the highest level."""
        return _tail_freedom(1.0 - self.levels[::-1], -self.quantiles[:, ::-1])

    def at(self, below: Floats, above: Floats) -> Floats:
        """Log returns of all tickers at the same probabilities.

        Args:
            below: probabilities p of a lower value, ``(K,)``, rising.
            above: 1 - p, which has digits where p is nearly 1.

        Returns:
            ``(N, K)``.
        """
        from scipy.special import ndtri

        knots = ndtri(self.levels)
        first = int(np.searchsorted(below, self.levels[0]))
        last = len(above) - int(np.searchsorted(above[::-1], 1.0 - self.levels[-1]))
        scores = ndtri(below[first:last])
        place = np.clip(np.searchsorted(knots, scores) - 1, 0, len(knots) - 2)
        weight = (scores - knots[place]) / (knots[place + 1] - knots[place])
        between = self.quantiles[:, place] * (1.0 - weight) + self.quantiles[:, place + 1] * weight
        lower = _tail(self.levels[:2], self.quantiles[:, :2], below[:first], self.lower_freedom)
        ends, mirrored = 1.0 - self.levels[:-3:-1], -self.quantiles[:, :-3:-1]
        upper = -_tail(ends, mirrored, above[last:], self.upper_freedom)
        return np.concatenate([lower, between, upper], axis=1)

    def centred(self) -> Marginals:
        """The distributions shifted to a mean of 0: what is left is spread and shape."""
        return Marginals(self.levels, self.quantiles - self.means[:, None])

    @cached_property
    def means(self) -> Floats:
        """Mean log returns, ``(N,)``."""
        below = (np.arange(_NODES) + 0.5) / _NODES
        return np.asarray(self.at(below, below[::-1]).mean(axis=1))


def _tail(levels: Floats, quantiles: Floats, probabilities: Floats, freedom: float) -> Floats:
    """Log returns below the lowest quantile: a Student quantile through the two lowest ones.

    ``x(p) = x₁ + (x₂ − x₁) (t(p) − t(p₁)) / (t(p₂) − t(p₁))`` with t Student's quantile function.
    """
    from scipy.special import stdtrit

    first, second = stdtrit(freedom, levels)
    slope = (quantiles[:, 1] - quantiles[:, 0]) / (second - first)
    beyond = stdtrit(freedom, probabilities) - first
    return np.asarray(quantiles[:, :1] + slope[:, None] * beyond)


def _tail_freedom(levels: Floats, quantiles: Floats) -> float:
    """Degrees of freedom whose quantiles are as far apart as the three lowest ones.

    The ratio of the two distances falls as the degrees of freedom rise. Its median over tickers
    counts: the shape of a network's forecast is one for all of them.
    """
    from scipy.special import stdtrit

    lowest = levels[:_TAIL_LEVELS]
    if len(levels) < 2 * _TAIL_LEVELS or lowest[-1] > 0.25:
        return _USUAL_FREEDOM
    gaps = np.diff(quantiles[:, :_TAIL_LEVELS], axis=1)
    known = (gaps > 0).all(axis=1)
    if not bool(known.any()):
        return _USUAL_FREEDOM
    ratio = float(np.median(gaps[known, 0] / gaps[known, 1]))
    freedoms = np.geomspace(*_FREEDOMS, 200)
    steps = np.diff(stdtrit(freedoms[:, None], lowest), axis=1)
    ratios = steps[:, 0] / steps[:, 1]
    return float(np.interp(ratio, ratios[::-1], freedoms[::-1]))
