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

A forecast made at session t sees the forecasts made from t − h − WINDOW + 1 to t − h, and nothing
else: causal to the bit. No coverage is promised for the next session; where errors go on as they
were, it tends to its level. Adaptive conformal inference (Gibbs and Candès 2021; Zaffran et al.
2022) keeps the long-run coverage whatever happens, by spreads that follow each miss; that costs
loss where the network is right, and is not done here.

Shapes: n sessions in a row, w of them in the window, G steps, Q quantile levels, P intervals.
Everything is float64, in units of ``σ_t √h``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from forecaster.arrays import Floats, Rows

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

_NARROWEST = 1e-12
"""Of a distribution, in units of volatility: one of constant prices has no width."""

_LARGEST_WIDENING = 0.5
"""Of the log width of an interval, by its past coverage."""


def calibrated_steps(horizon: int) -> Rows:
    """The steps at which corrections are measured, the last one included: ``(G,)``."""
    return np.array([h for h in _SERIES if h < horizon] + [horizon], dtype=np.intp)


@dataclass(frozen=True)
class Forecasts:
    """Forecasts of one history at n sessions, each step's a shape that moves and stretches.

    Attributes:
        centre: ``(n, G)``.
        spread: ``(n, G)``, above 0.
        shape: distances of the levels from the centre, in spreads: ``(G, Q)``.
    """

    centre: Floats
    spread: Floats
    shape: Floats

    def quantiles(self) -> Floats:
        """Quantiles ``(n, G, Q)``."""
        return np.asarray(self.centre[..., None] + self.spread[..., None] * self.shape)


@dataclass(frozen=True)
class Correction:
    """What past forecasts say about the one at a session.

    Attributes:
        steps: ``(G,)``.
        spread: factor on the network's spread, ``(G,)``.
        ruler_spread: factor on the regression's, ``(G,)``.
        weight: of the regression, ``(G,)``.
        widths: factors on the distances of the levels from the middle one, ``(G, Q)``.
        evidence: how many past forecasts of step 1 were used.
    """

    steps: Rows
    spread: Floats
    ruler_spread: Floats
    weight: Floats
    widths: Floats
    evidence: int

    def up_to(self, horizon: int) -> Correction:
        """The correction of every step up to a horizon: G = H."""
        if len(self.steps) == horizon:
            return self
        steps = np.arange(1, horizon + 1)
        unit = np.eye(len(self.steps))
        between = np.stack([np.interp(np.log(steps), np.log(self.steps), row) for row in unit])
        return Correction(
            steps=steps,
            spread=np.exp(np.log(self.spread) @ between),
            ruler_spread=np.exp(np.log(self.ruler_spread) @ between),
            weight=self.weight @ between,
            widths=np.exp(between.T @ np.log(self.widths)),
            evidence=self.evidence,
        )

    def apply(self, network: Floats, ruler: Floats, middle: int) -> Floats:
        """Corrected quantiles ``(m, G, Q)`` of the network's and the regression's.

        Sorting mends what crosses (Chernozhukov, Fernández-Val and Galichon 2010).

        Args:
            network: ``(m, G, Q)``.
            ruler: ``(m, G, Q)``.
            middle: index of the level that is the centre.
        """
        own = _widened(network, self.spread[:, None], middle)
        other = _widened(ruler, self.ruler_spread[:, None], middle)
        weight = self.weight[:, None]
        mixed = (1.0 - weight) * own + weight * other
        return np.sort(_widened(mixed, self.widths, middle), axis=-1)


@dataclass(frozen=True)
class Evidence:
    """Past forecasts of one history and what came, row t holding what is known at session t.

    Attributes:
        network: the network's forecasts of step h made at t − h, ``(n, G)``.
        ruler: the regression's.
        targets: ``(n, G)``; NaN where none was made, or where it must not count.
        steps: ``(G,)``.
        levels: Q, rising.
        trust: how many times as much evidence each correction needs; more where a network was
            trained on these very histories.
    """

    network: Forecasts
    ruler: Forecasts
    targets: Floats
    steps: Rows
    levels: tuple[float, ...]
    trust: float = 1.0

    @classmethod
    def of(
        cls,
        network: Forecasts,
        ruler: Forecasts,
        targets: Floats,
        steps: Rows,
        levels: tuple[float, ...],
        trust: float = 1.0,
    ) -> Evidence:
        """From forecasts and targets in the rows of the sessions that they were made at."""

        def known(forecasts: Forecasts) -> Forecasts:
            centre, spread = forecasts.centre, forecasts.spread
            return Forecasts(
                _later(centre, steps, 0.0), _later(spread, steps, 1.0), forecasts.shape
            )

        later = _later(targets, steps, np.nan)
        return cls(known(network), known(ruler), later, steps, levels, trust)

    def first_step(self) -> Evidence:
        """That on step 1 alone."""
        network, ruler = (
            Forecasts(each.centre[:, :1], each.spread[:, :1], each.shape[:1])
            for each in (self.network, self.ruler)
        )
        first = self.targets[:, :1]
        return Evidence(network, ruler, first, self.steps[:1], self.levels, self.trust)

    def correction(self, row: int) -> Correction:
        """What is known at a session about the forecast made there."""
        rows = slice(max(row + 1 - WINDOW, 0), row + 1)
        targets = self.targets[rows]
        known = np.isfinite(targets).astype(np.float64)
        targets = np.where(known > 0.0, targets, 0.0)
        network, ruler = (
            Forecasts(each.centre[rows], each.spread[rows], each.shape)
            for each in (self.network, self.ruler)
        )
        count = known.sum(axis=0)
        own = self._factor(network, targets, known, count)
        other = self._factor(ruler, targets, known, count)
        columns = (network.spread, ruler.spread, network.centre - targets, ruler.centre - targets)
        past = _Past(
            np.ascontiguousarray(np.stack(columns, axis=-1).transpose(1, 0, 2)),
            own[:, None] * network.shape,
            other[:, None] * ruler.shape,
            known.T[:, None, :],
            count,
        )
        weight = self._weight(past)
        return Correction(self.steps, own, other, weight, self._widths(past, weight), int(count[0]))

    def _factor(self, past: Forecasts, targets: Floats, known: Floats, count: Floats) -> Floats:
        """Factor on the spread, ``(G,)``."""
        usual = past.spread * (np.abs(past.shape) @ _masses(self.levels))
        apart = np.abs(targets - past.centre) / np.maximum(usual, _NARROWEST)
        errors = np.minimum(apart, _CUT)
        prior = self.trust * _PRIOR * np.sqrt(self.steps)
        total = (known * errors).sum(axis=0)
        log_mean = np.log((prior + total) / (prior + count))
        # errors over h sessions overlap: n of them tell as much as 3h/(2h² + 1) times as many
        overlap = (2.0 * self.steps + 1.0 / self.steps) / 3.0
        noise = self.trust * _NOISE * overlap / np.maximum(count, 1.0)
        kept = np.maximum(0.0, 1.0 - noise / np.maximum(log_mean**2, 1e-12))
        return np.asarray(np.exp(log_mean * kept))

    def _weight(self, past: _Past) -> Floats:
        """The weight of the regression beside the network with the least past loss, ``(G,)``."""
        first, middle, last = past.losses((0.0, 0.5, 1.0), self.levels)
        unit = np.maximum((first + last) / 2 / np.maximum(past.count, 1.0), 1e-12)
        # the loss with weight w is L(0) + slope w + curve w²
        curve = 2.0 * (last + first - 2.0 * middle)
        slope = (last - first - curve) / unit
        curve = np.maximum(curve, 0.0) / unit
        curve += self.trust * _WORSE * _WEIGHT_PRIOR * np.sqrt(self.steps)
        return np.asarray(np.clip(-slope / (2.0 * curve), 0.0, 1.0))

    def _widths(self, past: _Past, weight: Floats) -> Floats:
        """Factors on the levels' distances from the middle one by past coverage, ``(G, Q)``."""
        factors = np.ones(past.own.shape)
        pairs = _mirrored(self.levels)
        if len(pairs) < 2:
            return factors
        low, high = pairs.T
        shares = np.asarray(self.levels)[high] - np.asarray(self.levels)[low]  # (P,)
        total, width = past.coverage(weight, low, high)  # (G, P)
        prior = (self.trust * _SHAPE_PRIOR * np.sqrt(self.steps))[:, None]
        coverage = (total + prior * shares) / (past.count[:, None] + prior)
        logits = np.log(shares / (1.0 - shares))
        off = np.log(coverage / (1.0 - coverage)) - logits
        slope = np.gradient(np.log(np.maximum(width, _NARROWEST)), logits, axis=-1)
        change = np.exp(np.clip(-slope * off, -_LARGEST_WIDENING, _LARGEST_WIDENING))
        factors[:, low], factors[:, high] = change, change
        return factors


@dataclass(frozen=True)
class _Past:
    """Forecasts of the window and what came, step by step, as matrices to be multiplied.

    What a mixture of both forecasts makes of them is a product: thousands of numbers in one call.

    Attributes:
        parts: spreads of the network and of the regression, and their centres less the targets:
            ``(G, w, 4)``.
        own: distances of the network's levels from its centre, in its spreads: ``(G, Q)``.
        other: the regression's.
        known: 1 where a target is known, else 0: ``(G, 1, w)``.
        count: of them, ``(G,)``.
    """

    parts: Floats
    own: Floats
    other: Floats
    known: Floats
    count: Floats

    def losses(self, weights: Sequence[float], levels: Sequence[float]) -> Floats:
        """Sums over the window of pinball losses with weights of the regression: ``(W, G)``."""
        ones = np.ones_like(self.own)
        mixture = np.concatenate(
            [
                np.stack([(1.0 - w) * self.own, w * self.other, (1.0 - w) * ones, w * ones], axis=1)
                for w in weights
            ],
            axis=-1,
        )  # (G, 4, W · Q)
        above = self.parts @ mixture  # quantiles less targets, (G, w, W · Q)
        sums = self.known @ self.parts @ mixture
        np.maximum(above, 0.0, out=above)
        # with e = y − q, max(τe, (τ − 1)e) = max(−e, 0) + τe
        by_level = self.known @ above - np.tile(levels, len(weights)) * sums
        return np.asarray(by_level.reshape(len(self.own), len(weights), -1).mean(axis=-1).T)

    def coverage(self, weight: Floats, low: Rows, high: Rows) -> tuple[Floats, Floats]:
        """How many targets were inside each interval, and its mean half width, ``(G, P)`` each.

        Intervals count as lying around the middle level.
        """
        both = np.stack([1.0 - weight, weight], axis=-1)[..., None]  # (G, 2, 1)
        widths = np.stack([each[:, high] - each[:, low] for each in (self.own, self.other)], axis=1)
        spreads, errors, halves = self.parts[..., :2], self.parts[..., 2:], both * widths / 2
        inside = np.abs(errors @ both) < spreads @ halves  # (G, w, P)
        width = spreads.mean(axis=1, keepdims=True) @ halves
        return (self.known @ inside.astype(np.float64))[:, 0], width[:, 0]


def pinball(targets: Floats, quantiles: Floats, levels: Sequence[float]) -> Floats:
    """Mean pinball loss over the levels, ``(...,)`` against ``(..., Q)``; NaN where unknown."""
    taus = np.asarray(levels)
    below = np.maximum(quantiles - targets[..., None], 0.0) @ np.full(len(taus), 1.0 / len(taus))
    return np.asarray(taus.mean() * targets - quantiles @ (taus / len(taus)) + below)


def _later(values: Floats, steps: Rows, before: float) -> Floats:
    """Values ``(n, G)`` of each step h sessions later, and what stands before the first."""
    out = np.full(values.shape, before)
    for column, h in enumerate(steps.tolist()):
        out[h:, column] = values[: max(len(values) - h, 0), column]
    return out


def _masses(levels: Sequence[float]) -> Floats:
    """The probability that each level stands for: up to halfway to its neighbours, ``(Q,)``."""
    inner = [(a + b) / 2 for a, b in pairwise(levels)]
    return np.diff([0.0, *inner, 1.0])


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
