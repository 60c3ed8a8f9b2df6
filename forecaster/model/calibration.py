"""Calibration on the spot: how a network's own past forecasts of a history fared corrects the next.

Three corrections for each step h, each from the last ``WINDOW`` forecasts whose target is known,
shrunk by how much evidence there is, so that a network that is right is left alone:

1. *Spread.* With ``x = |y − centre| / (its mean under the forecast)`` the factor on the spread is
   ``exp(d · max(0, 1 − s²/d²))`` with d the log of the mean of x and s its standard error under a
   normal distribution (James and Stein 1961): a factor within its own noise is 1.
2. *Combination.* The network's quantiles and those of a range regression (HAR, corrected likewise)
   are averaged with the weight w that minimises the past pinball loss, a parabola through the
   losses at w = 0, ½ and 1, plus a prior parabola whose minimum is at the network.
3. *Shape.* Each interval is widened or narrowed by how often past targets fell into it, to first
   order in the logit of its coverage (recalibration as in Kuleshov, Fenner and Ermon 2018, for
   intervals).

A forecast made at session t sees the forecasts made at t − h and before: causal to the bit. Nothing
is promised for the next session; where errors go on as they were, coverage tends to its level. (Of
adaptive conformal inference, Gibbs and Candès 2021 and Zaffran et al. 2022, whose long-run coverage
holds whatever happens, this keeps the idea, not the guarantee: spreads that follow each miss cost
loss where the network is right.)

Shapes: n sessions in a row, G steps, Q quantile levels, P intervals. Everything is float64, in
units of ``σ_t √h``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from forecaster.arrays import Floats, Rows
from forecaster.model.numpy_rnn import middle_level

WINDOW = 750
"""Past forecasts that correct the next one: three years."""

_SERIES = (1, 5, 20, 60, 120)
"""Steps at which corrections are measured; between them they are interpolated in ln h."""

_PRIOR = 60.0
"""Sessions of evidence for a factor of 1, times √h."""

_NOISE = np.pi / 2 - 1.0
"""Variance of |x| over its mean, of a normal x."""

_CUT = 6.0
"""An error of more than so many mean errors counts as so many."""

_WEIGHT_PRIOR = 500.0
"""Sessions of evidence for the network alone, times √h."""

_WORSE = 0.02
"""What the regression alone costs in that evidence, as a share of the loss."""

_SHAPE_PRIOR = 600.0
"""Sessions of evidence for the shape as it is, times √h."""

_LARGEST_WIDENING = 0.5
"""Of the log width of an interval, by its past coverage."""


def calibrated_steps(horizon: int) -> Rows:
    """The steps at which corrections are measured, the last one included: ``(G,)``."""
    return np.array([h for h in _SERIES if h < horizon] + [horizon], dtype=np.intp)


@dataclass(frozen=True)
class PastForecasts:
    """Forecasts of one history at n sessions in a row.

    Attributes:
        centre: ``(n, G)``.
        spread: ``(n, G)``, above 0.
        shape: distances of the levels from the centre, in spreads: ``(G, Q)``.
    """

    centre: Floats
    spread: Floats
    shape: Floats

    def quantiles(self, factor: Floats) -> Floats:
        """Quantiles ``(n, G, Q)`` with the spread times a factor ``(n, G)``."""
        spread = (self.spread * factor)[..., None]
        return np.asarray(self.centre[..., None] + spread * self.shape)


@dataclass(frozen=True)
class Corrections:
    """What past forecasts say at each of n sessions.

    Attributes:
        steps: ``(G,)``.
        spread: factor on the network's spread, ``(n, G)``.
        ruler_spread: factor on the regression's, ``(n, G)``.
        weight: of the regression, ``(n, G)``.
        widths: factors on the distances of the levels from the middle one, ``(n, G, Q)``.
        evidence: how many past forecasts of step 1 were used, ``(n,)``.
        quantiles: corrected, of step 1, ``(n, Q)``.
    """

    steps: Rows
    spread: Floats
    ruler_spread: Floats
    weight: Floats
    widths: Floats
    evidence: Rows
    quantiles: Floats

    def at(self, rows: Rows, horizon: int) -> StepCorrections:
        """The corrections at some of the sessions, ``(m,)``, for every step up to a horizon."""
        between = _interpolation(self.steps, horizon)
        return StepCorrections(
            spread=np.exp(np.log(self.spread[rows]) @ between),
            ruler_spread=np.exp(np.log(self.ruler_spread[rows]) @ between),
            weight=self.weight[rows] @ between,
            widths=np.exp(np.einsum("mgq,gh->mhq", np.log(self.widths[rows]), between)),
        )


@dataclass(frozen=True)
class StepCorrections:
    """Corrections of m forecasts at H steps.

    Attributes:
        spread: factor on the network's spread, ``(m, H)``.
        ruler_spread: factor on the regression's, ``(m, H)``.
        weight: of the regression, ``(m, H)``.
        widths: factors on the distances of the levels from the middle one, ``(m, H, Q)``.
    """

    spread: Floats
    ruler_spread: Floats
    weight: Floats
    widths: Floats

    def apply(self, network: Floats, ruler: Floats, middle: int) -> Floats:
        """Corrected quantiles ``(m, H, Q)`` of the network's and the regression's.

        Args:
            network: ``(m, H, Q)``.
            ruler: ``(m, H, Q)``.
            middle: index of the level that is the centre.
        """
        own = _widened(network, self.spread[..., None], middle)
        other = _widened(ruler, self.ruler_spread[..., None], middle)
        weight = self.weight[..., None]
        return _reshaped((1.0 - weight) * own + weight * other, self.widths, middle)


def corrections(
    network: PastForecasts,
    ruler: PastForecasts,
    targets: Floats,
    steps: Rows,
    levels: Sequence[float],
) -> Corrections:
    """What the forecasts of one history up to each session say about the forecast there.

    Args:
        network: the network's.
        ruler: those of the regression.
        targets: ``(n, G)``; NaN where they are not known or must not count.
        steps: ``(G,)``.
        levels: Q, rising.
    """
    own = _factors(network, targets, steps, levels)
    other = _factors(ruler, targets, steps, levels)
    a, b = network.quantiles(own), ruler.quantiles(other)
    weight = _weights(a, b, targets, steps, levels)
    mixed = a + weight[..., None] * (b - a)
    widths = _widths(mixed, targets, steps, levels)
    middle = middle_level(tuple(levels))
    _, evidence = _past_sums(targets[:, :1], targets[:, :1], steps[:1])
    return Corrections(
        steps=steps,
        spread=own,
        ruler_spread=other,
        weight=weight,
        widths=widths,
        evidence=evidence[:, 0].astype(np.intp),
        quantiles=_reshaped(mixed[:, 0], widths[:, 0], middle),
    )


def pinball(targets: Floats, quantiles: Floats, levels: Sequence[float]) -> Floats:
    """Mean pinball loss over the levels, ``(...,)`` against ``(..., Q)``; NaN where unknown."""
    taus = np.asarray(levels)
    below = np.maximum(quantiles - targets[..., None], 0.0).mean(axis=-1)
    return np.asarray(taus.mean() * targets - quantiles @ (taus / len(taus)) + below)


def _past_sums(values: Floats, targets: Floats, steps: Rows) -> tuple[Floats, Floats]:
    """Sums and counts of what was known at each session of the last ``WINDOW`` forecasts.

    A forecast of step h made at session t − h or before is known at session t.

    Args:
        values: ``(n, G, ...)``; those of unknown targets do not count.
        targets: ``(n, G)``.
        steps: ``(G,)``.

    Returns:
        Shapes ``(n, G, ...)`` and ``(n, G)``.
    """
    known = np.isfinite(targets)
    kept = np.where(known[(...,) + (None,) * (values.ndim - 2)], values, 0.0)
    return _windowed(kept, steps), _windowed(known.astype(np.float64), steps)


def _windowed(values: Floats, steps: Rows) -> Floats:
    """Sums over sessions t − h − WINDOW + 1 to t − h: ``(n, G, ...)``."""
    n, pad = len(values), WINDOW + int(steps[-1])
    sums = np.zeros((pad + n + 1, *values.shape[1:]))
    np.cumsum(values, axis=0, out=sums[pad + 1 :])
    out = np.empty(values.shape)
    for column, h in enumerate(steps.tolist()):
        stop = pad + 1 - h
        out[:, column] = sums[stop : stop + n, column]
        out[:, column] -= sums[stop - WINDOW : stop - WINDOW + n, column]
    return out


def _factors(past: PastForecasts, targets: Floats, steps: Rows, levels: Sequence[float]) -> Floats:
    """Factor on the spread at each session and step, ``(n, G)``."""
    usual = past.spread * (np.abs(past.shape) @ _masses(levels))
    errors = np.minimum(np.abs(targets - past.centre) / usual, _CUT)
    total, count = _past_sums(errors, targets, steps)
    prior = _PRIOR * np.sqrt(steps)
    log_mean = np.log((prior + total) / (prior + count))
    # errors over h sessions overlap: their mean is as noisy as one of 3h/(2h² + 1) times as many
    noise = _NOISE * (2.0 * steps + 1.0 / steps) / 3.0 / np.maximum(count, 1.0)
    kept = np.maximum(0.0, 1.0 - noise / np.maximum(log_mean**2, 1e-12))
    return np.asarray(np.exp(log_mean * kept))


def _masses(levels: Sequence[float]) -> Floats:
    """The probability that each level stands for: up to halfway to its neighbours, ``(Q,)``."""
    inner = [(a + b) / 2 for a, b in pairwise(levels)]
    return np.diff([0.0, *inner, 1.0])


def _weights(a: Floats, b: Floats, targets: Floats, steps: Rows, levels: Sequence[float]) -> Floats:
    """The weight of quantiles b beside a with the least past loss, ``(n, G)``."""
    first, middle, last = (pinball(targets, q, levels) for q in (a, (a + b) / 2, b))
    moments = np.stack([(first + last) / 2, middle - first, last - first], axis=-1)
    sums, count = _past_sums(moments, targets, steps)
    usual, half, whole = np.moveaxis(sums, -1, 0)
    unit = np.maximum(np.where(count > 0, usual / np.maximum(count, 1.0), 1.0), 1e-12)
    # the loss with weight w is L(0) + slope w + curve w²
    curve = np.maximum(2.0 * whole - 4.0 * half, 0.0) / unit
    slope = (whole - (2.0 * whole - 4.0 * half)) / unit
    curve += _WORSE * _WEIGHT_PRIOR * np.sqrt(steps)
    return np.asarray(np.clip(-slope / (2.0 * curve), 0.0, 1.0))


def _widths(quantiles: Floats, targets: Floats, steps: Rows, levels: Sequence[float]) -> Floats:
    """Factors on the levels' distances from the middle one by past coverage, ``(n, G, Q)``."""
    factors = np.ones(quantiles.shape)
    pairs = _mirrored(levels)
    if len(pairs) < 2:
        return factors
    low, high = pairs.T
    shares = np.asarray(levels)[high] - np.asarray(levels)[low]  # (P,)
    half = (quantiles[..., high] - quantiles[..., low]) / 2
    middle = middle_level(tuple(levels))
    hits = np.abs(targets - quantiles[..., middle])[..., None] < half
    total, count = _past_sums(hits.astype(np.float64), targets, steps)
    prior = (_SHAPE_PRIOR * np.sqrt(steps))[:, None]
    coverage = (total + prior * shares) / (count[..., None] + prior)
    logits = np.log(shares / (1.0 - shares))
    off = np.log(coverage / (1.0 - coverage)) - logits
    slope = np.gradient(np.log(half), logits, axis=-1)
    change = np.exp(np.clip(-slope * off, -_LARGEST_WIDENING, _LARGEST_WIDENING))
    factors[..., low], factors[..., high] = change, change
    return factors


def _mirrored(levels: Sequence[float]) -> Rows:
    """Indices of the pairs τ and 1 − τ, the innermost first, ``(P, 2)``.

    There are none unless every level but the middle one has its mirror.
    """
    count = len(levels)
    pairs = [(i, count - 1 - i) for i in range(count // 2 - 1, -1, -1)]
    alike = all(abs(levels[i] + levels[j] - 1.0) < 1e-9 for i, j in pairs)
    return np.array(pairs if alike and count % 2 else [], dtype=np.intp).reshape(-1, 2)


def _widened(quantiles: Floats, factor: Floats, middle: int) -> Floats:
    """Quantiles ``(..., Q)`` with their distances from the middle one times a factor."""
    centre = quantiles[..., middle : middle + 1]
    return np.asarray(centre + (quantiles - centre) * factor)


def _reshaped(quantiles: Floats, widths: Floats, middle: int) -> Floats:
    """Quantiles whose distances from the middle one have factors of their own, in order.

    Sorting mends what crosses (Chernozhukov, Fernández-Val and Galichon 2010).
    """
    return np.sort(_widened(quantiles, widths, middle), axis=-1)


def _interpolation(steps: Rows, horizon: int) -> Floats:
    """Matrix from values at steps to values at 1..H, linear in ln h: ``(G, H)``."""
    every = np.log(np.arange(1, horizon + 1))
    unit = np.eye(len(steps))
    return np.stack([np.interp(every, np.log(steps), row) for row in unit])
