"""Bars become network inputs: one row of numbers a session, known at that session's close.

With ``volatility`` scaling a row holds returns, ranges and volumes in units of the volatility
before them, variance estimates of several half-lives over the volatility now, the rhythm of events,
and the state of the panel's other tickers; columns are standardised by training sessions. With
``minmax`` and ``standard`` a row is the scaled price.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecaster.features.companions import COMPANION_FEATURES, Companions
from forecaster.features.rhythm import RHYTHM_FEATURES, event_scores, next_days, rhythm_features
from forecaster.features.scaling import (
    LevelScale,
    LevelScaling,
    Scale,
    ScaleName,
    Scaling,
    VolatilityScale,
    VolatilityScaling,
    fit_scaling,
    scaling_from_state,
)
from forecaster.features.volatility import PRIOR_SESSIONS, decay_of, decaying_mean
from forecaster.market.bars import Days, History

Floats = NDArray[np.float64]
Inputs = NDArray[np.float32]

HALF_LIVES = (1.0, 2.5, 5.0, 11.0, 22.0, 60.0, 250.0)
"""Half-lives, in sessions, of the range-based variance estimates."""

OWN_FEATURES = (
    "return",
    "return_size",
    "body",
    "gap",
    "range",
    "volume_5",
    "volume_22",
    "volume_120",
    "volatility_level",
    "return_2",
    "return_5",
    "return_22",
    *(f"variance_{half_life:g}" for half_life in HALF_LIVES),
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
)
VOLATILITY_FEATURES = (*OWN_FEATURES, *RHYTHM_FEATURES, *COMPANION_FEATURES)
LEVEL_FEATURES = ("price",)

_LIMIT = 6.0
"""Inputs are cut at this many standard deviations."""


def _squash(values: Floats) -> Floats:
    """``asinh``: linear near zero and logarithmic far out, so that a crash stays comparable."""
    return np.arcsinh(values)


def volume_ratio(volume: Floats, half_life: float) -> Floats:
    """Log volume over its own decaying mean; 0 where volume is missing or nil."""
    known = np.isfinite(volume) & (volume > 0)
    if not bool(np.any(known)):
        return np.zeros_like(volume)
    logs = np.log(np.where(known, volume, 1.0))
    weights = decaying_mean(known.astype(np.float64), decay_of(half_life), 0.0, 0.0)
    sums = decaying_mean(np.where(known, logs, 0.0), decay_of(half_life), 0.0, 0.0)
    mean = np.divide(sums, weights, out=np.zeros_like(sums), where=weights > 1e-9)
    return np.where(known, logs - mean, 0.0)


def own_features(scale: VolatilityScale, prior: float) -> Floats:
    """The columns of ``OWN_FEATURES`` and ``RHYTHM_FEATURES`` before standardising.

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
    volumes = [volume_ratio(history.volume, half_life) for half_life in (5.0, 22.0, 120.0)]
    columns = [
        _squash(m.returns / before),
        np.log(np.abs(m.returns) / before + 0.1),
        _squash(np.where(known, body, m.returns) / before),
        _squash(gap / before),
        np.log(np.where(known, spread, np.abs(m.returns)) / before + 0.1),
        *volumes,
        np.log(m.volatility / np.sqrt(prior)),
        *(_trend(m.returns / before, half_life) for half_life in (2.0, 5.0, 22.0)),
    ]
    for half_life in HALF_LIVES:
        start = min(PRIOR_SESSIONS, 2.0 * half_life)
        mean = decaying_mean(m.session_variance, decay_of(half_life), prior, start)
        columns.append(0.5 * np.log(mean / m.volatility**2 + 1e-4))
    columns += _weekdays(history.sessions)
    rhythm = rhythm_features(history.sessions, event_scores(m, volumes[1]))
    return np.column_stack([*columns, rhythm])


def _trend(standardised: Floats, half_life: float) -> Floats:
    """Decaying mean of standardised returns, in units of its own deviation."""
    decay = decay_of(half_life)
    deviation = np.sqrt((1.0 - decay) / (1.0 + decay))
    return _squash(decaying_mean(standardised, decay, 0.0, 1.0) / deviation)


def _weekdays(sessions: Days) -> list[Floats]:
    """Whether the next session is likely a Tuesday, Wednesday, Thursday, Friday."""
    ahead = (next_days(sessions.astype("datetime64[D]").astype(np.int64)) + 3) % 7
    return [(ahead == weekday).astype(np.float64) for weekday in (1, 2, 3, 4)]


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
        companions: whether training knew the state of other tickers; if not it stays 0, because
            the network never learned what to make of it.
    """

    scaling: Scaling
    mean: Floats
    deviation: Floats
    companions: bool

    @classmethod
    def fit(cls, name: ScaleName, histories: Sequence[History]) -> Representation:
        """Fit scaling and standardisation on histories that end with the training range."""
        scaling = fit_scaling(name, list(histories))
        if isinstance(scaling, LevelScaling):
            return cls(scaling, np.zeros(1), np.ones(1), companions=False)
        own, others = _all_features(scaling, [scaling.scale(h) for h in histories])
        mean, deviation = _moments(np.concatenate(own))
        seen = np.concatenate(others)
        known = seen[seen[:, 0] > 0]
        other_mean, other_deviation = _moments(known if len(known) else seen)
        other_mean[0], other_deviation[0] = 0.0, 1.0  # the flag stays 0 or 1
        return cls(
            scaling,
            np.concatenate([mean, other_mean]),
            np.concatenate([deviation, other_deviation]),
            companions=len(known) > 0,
        )

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the input columns."""
        return VOLATILITY_FEATURES if self.scaling.name == "volatility" else LEVEL_FEATURES

    @property
    def companion_columns(self) -> tuple[int, int]:
        """First and last-plus-one input column about other tickers; 0 where they are not known."""
        if self.scaling.name != "volatility":
            return (0, 0)
        stop = len(VOLATILITY_FEATURES)
        return (stop - len(COMPANION_FEATURES), stop)

    def encode(self, history: History) -> Encoded:
        """Inputs and scale of one history by itself; row t uses bars 0..t alone."""
        return self.encode_all([history])[0]

    def encode_all(self, histories: Sequence[History]) -> list[Encoded]:
        """Inputs and scales of a panel: each history also sees the others' same session.

        Row t of a history uses bars of sessions up to its own session t, of any history.
        """
        if isinstance(self.scaling, LevelScaling):
            levels = [self.scaling.scale(h) for h in histories]
            return [Encoded(h, _level_inputs(s), s) for h, s in zip(histories, levels, strict=True)]
        scales = [self.scaling.scale(h) for h in histories]
        own, others = _all_features(self.scaling, scales)
        return [
            Encoded(
                h, self._standardise(np.column_stack([a, b]), self.companions & (b[:, 0] > 0)), s
            )
            for h, s, a, b in zip(histories, scales, own, others, strict=True)
        ]

    def _standardise(self, rows: Floats, known: NDArray[np.bool_]) -> Inputs:
        """Rows in standard deviations, cut at ``_LIMIT``; unknown companions are 0."""
        standard = np.clip((rows - self.mean) / self.deviation, -_LIMIT, _LIMIT)
        first, stop = self.companion_columns
        standard[~known, first:stop] = 0.0
        return standard.astype(np.float32)

    def state(self) -> dict[str, Any]:
        """Plain values for the model file."""
        return {
            "scaling": self.scaling.state(),
            "features": list(self.features),
            "mean": self.mean.tolist(),
            "deviation": self.deviation.tolist(),
            "companions": self.companions,
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
            companions=bool(state["companions"]),
        )
        width = (len(made.features),)
        other = list(state["features"]) != list(made.features)
        if other or made.mean.shape != width or made.deviation.shape != width:
            raise ValueError("the model was trained on other input features")
        return made


def _all_features(
    scaling: VolatilityScaling, scales: Sequence[VolatilityScale]
) -> tuple[list[Floats], list[Floats]]:
    """Own columns and companion columns of every history of a panel."""
    if not scales:
        return [], []
    companions = Companions.of([s.history.sessions for s in scales], [s.measures for s in scales])
    own = [own_features(s, scaling.prior) for s in scales]
    others = [companions.features(s.history.sessions, s.measures.volatility) for s in scales]
    return own, others


def _level_inputs(scale: LevelScale) -> Inputs:
    return scale.levels()[:, None].astype(np.float32)


def _moments(rows: Floats) -> tuple[Floats, Floats]:
    """Means and deviations of columns; a column that does not vary has deviation 1."""
    deviation = rows.std(axis=0)
    return rows.mean(axis=0), np.where(deviation > 1e-6, deviation, 1.0)
