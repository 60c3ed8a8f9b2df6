"""Bars become network inputs: one row of numbers a session, known at that session's close.

With ``volatility`` scaling a row holds returns, ranges and volumes in units of the volatility
before them, and variance estimates of several half-lives over the volatility now; the columns are
standardised by training sessions. With ``minmax`` and ``standard`` a row is the scaled price.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecaster.features.scaling import (
    LevelScale,
    Scale,
    ScaleName,
    Scaling,
    VolatilityScale,
    VolatilityScaling,
    fit_scaling,
    scaling_from_state,
)
from forecaster.features.volatility import PRIOR_SESSIONS, decay_of, decaying_mean
from forecaster.market.bars import History

Floats = NDArray[np.float64]
Inputs = NDArray[np.float32]

HALF_LIVES = (1.0, 2.5, 5.0, 11.0, 22.0, 60.0, 250.0)
"""Half-lives, in sessions, of the range-based variance estimates."""

VOLATILITY_FEATURES = (
    "return",
    "return_size",
    "body",
    "gap",
    "range",
    "volume",
    "volume_slow",
    "volatility_level",
    "return_22",
    *(f"variance_{half_life:g}" for half_life in HALF_LIVES),
)
LEVEL_FEATURES = ("price",)

_LIMIT = 6.0
"""Inputs are cut at this many standard deviations."""


def _squash(values: Floats) -> Floats:
    """``asinh``: linear near zero and logarithmic far out, so that a crash stays comparable."""
    return np.arcsinh(values)


def _volume_ratio(volume: Floats, half_life: float) -> Floats:
    """Log volume over its own decaying mean; 0 where volume is missing or nil."""
    known = np.isfinite(volume) & (volume > 0)
    if not bool(np.any(known)):
        return np.zeros_like(volume)
    logs = np.log(np.where(known, volume, 1.0))
    weights = decaying_mean(known.astype(np.float64), decay_of(half_life), 0.0, 0.0)
    sums = decaying_mean(np.where(known, logs, 0.0), decay_of(half_life), 0.0, 0.0)
    mean = np.divide(sums, weights, out=np.zeros_like(sums), where=weights > 1e-9)
    return np.where(known, logs - mean, 0.0)


def volatility_features(scale: VolatilityScale, prior: float) -> Floats:
    """The columns of ``VOLATILITY_FEATURES`` before standardising.

    Args:
        scale: one history with its measures.
        prior: the variance that a history starts from.

    Returns:
        Shape ``(n, F)``; no NaN.
    """
    history, m = scale.history, scale.measures
    before = m.volatility_before
    body = np.log(history.close) - np.log(history.open)
    spread = np.log(history.high) - np.log(history.low)
    known = np.isfinite(body) & (spread >= 0)  # False where either is not known
    gap = np.where(known, m.returns - body, 0.0)
    gap[0] = 0.0
    columns = [
        _squash(m.returns / before),
        np.log(np.abs(m.returns) / before + 0.1),
        _squash(np.where(known, body, m.returns) / before),
        _squash(gap / before),
        np.log(np.where(known, spread, np.abs(m.returns)) / before + 0.1),
        _volume_ratio(history.volume, 22.0),
        _volume_ratio(history.volume, 120.0),
        np.log(m.volatility / np.sqrt(prior)),
        _squash(decaying_mean(m.returns / before, decay_of(22.0), 0.0, 1.0) * np.sqrt(30.0)),
    ]
    for half_life in HALF_LIVES:
        start = min(PRIOR_SESSIONS, 2.0 * half_life)
        mean = decaying_mean(m.session_variance, decay_of(half_life), prior, start)
        columns.append(0.5 * np.log(mean / m.volatility**2 + 1e-4))
    return np.column_stack(columns)


@dataclass(frozen=True)
class Encoded:
    """One history as the network sees it.

    Attributes:
        history: the bars.
        inputs: ``(n, F)`` float32.
        scale: the unit at each session.
    """

    history: History
    inputs: Inputs
    scale: Scale


@dataclass(frozen=True)
class Representation:
    """A fitted scaling and the inputs' means and deviations, all from training sessions.

    Attributes:
        scaling: the unit of targets.
        mean: ``(F,)``.
        deviation: ``(F,)``, positive.
    """

    scaling: Scaling
    mean: Floats
    deviation: Floats

    @classmethod
    def fit(cls, name: ScaleName, histories: list[History]) -> Representation:
        """Fit scaling and standardisation on histories that end with the training range."""
        scaling = fit_scaling(name, histories)
        if not isinstance(scaling, VolatilityScaling):
            return cls(scaling, np.zeros(1), np.ones(1))
        rows = np.concatenate(
            [volatility_features(scaling.scale(h), scaling.prior) for h in histories]
        )
        deviation = rows.std(axis=0)
        return cls(scaling, rows.mean(axis=0), np.where(deviation > 1e-6, deviation, 1.0))

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the input columns."""
        return VOLATILITY_FEATURES if self.scaling.name == "volatility" else LEVEL_FEATURES

    def encode(self, history: History) -> Encoded:
        """Inputs and scale of one history; row t uses bars 0..t alone."""
        scale = self.scaling.scale(history)
        if isinstance(scale, LevelScale):
            rows = scale.levels()[:, None]
        else:
            assert isinstance(self.scaling, VolatilityScaling)
            rows = volatility_features(scale, self.scaling.prior)
        standard = (rows - self.mean) / self.deviation
        if self.scaling.name == "volatility":
            standard = np.clip(standard, -_LIMIT, _LIMIT)
        return Encoded(history, standard.astype(np.float32), scale)

    def state(self) -> dict[str, Any]:
        """Plain values for the model file."""
        return {
            "scaling": self.scaling.state(),
            "features": list(self.features),
            "mean": self.mean.tolist(),
            "deviation": self.deviation.tolist(),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Representation:
        """The inverse of ``state``.

        Raises:
            ValueError: the features are not the ones that this version computes.
        """
        made = cls(
            scaling_from_state(state["scaling"]),
            np.asarray(state["mean"], dtype=np.float64),
            np.asarray(state["deviation"], dtype=np.float64),
        )
        width = (len(made.features),)
        other = list(state["features"]) != list(made.features)
        if other or made.mean.shape != width or made.deviation.shape != width:
            raise ValueError("the model was trained on other input features")
        return made
