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

from forecaster.arrays import Floats, Floats32
from forecaster.features import ScaleName
from forecaster.features.bar_features import OWN_FEATURES, own_features
from forecaster.features.cross_section import COMPANION_FEATURES, Companions
from forecaster.features.event_features import RHYTHM_FEATURES
from forecaster.features.scaling import (
    LevelScale,
    LevelScaling,
    Scale,
    Scaling,
    VolatilityScale,
    VolatilityScaling,
    fit_scaling,
    scaling_from_state,
)
from forecaster.market.bars import History

VOLATILITY_FEATURES = (*OWN_FEATURES, *RHYTHM_FEATURES, *COMPANION_FEATURES)
LEVEL_FEATURES = ("price",)

REACH = 1500
"""Bars that a forecast reads: what is older weighs under 2% in the slowest input."""

_LIMIT = 6.0
"""Inputs are cut at this many standard deviations."""


@dataclass(frozen=True)
class Encoding:
    """One history as the network sees it.

    Attributes:
        history: the bars.
        inputs: ``(n, F)`` float32, or the last rows of it where no more were asked for.
        scale: the unit at each session.
    """

    history: History
    inputs: Floats32
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

    def encode(self, history: History) -> Encoding:
        """Inputs and scale of one history by itself; row t uses bars 0..t alone."""
        return self.encode_all([history])[0]

    def encode_all(
        self, histories: Sequence[History], *, last: int | None = None
    ) -> list[Encoding]:
        """Inputs and scales of a panel: each history also sees the others' same session.

        Row t of a history uses bars of sessions up to its own session t, of any history.

        Args:
            histories: the panel.
            last: keep the inputs of so many sessions of each, the newest; None: of all.
        """
        if isinstance(self.scaling, LevelScaling):
            levels = [self.scaling.scale(h) for h in histories]
            return [
                Encoding(h, _level_inputs(s)[_newest(last)], s)
                for h, s in zip(histories, levels, strict=True)
            ]
        scales = [self.scaling.scale(h) for h in histories]
        own, others = _all_features(self.scaling, scales, last)
        return [
            Encoding(
                h, self._standardise(np.column_stack([a, b]), self.companions & (b[:, 0] > 0)), s
            )
            for h, s, a, b in zip(histories, scales, own, others, strict=True)
        ]

    def _standardise(self, rows: Floats, known: NDArray[np.bool_]) -> Floats32:
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


def _newest(last: int | None) -> slice:
    """The last rows, or all."""
    return slice(None) if last is None else slice(-last, None)


def _all_features(
    scaling: VolatilityScaling, scales: Sequence[VolatilityScale], last: int | None = None
) -> tuple[list[Floats], list[Floats]]:
    """Own columns and companion columns of every history of a panel, or the last rows of them."""
    if not scales:
        return [], []
    companions = Companions.of([s.history.sessions for s in scales], [s.measures for s in scales])
    rows = _newest(last)
    # copies, or views would keep every row of a large panel in memory
    own = [own_features(s, scaling.prior)[rows].copy() for s in scales]
    others = [
        companions.features(s.history.sessions[rows], s.measures.volatility[rows]) for s in scales
    ]
    return own, others


def _level_inputs(scale: LevelScale) -> Floats32:
    return scale.levels()[:, None].astype(np.float32)


def _moments(rows: Floats) -> tuple[Floats, Floats]:
    """Means and deviations of columns; a column that does not vary has deviation 1."""
    deviation = rows.std(axis=0)
    return rows.mean(axis=0), np.where(deviation > 1e-6, deviation, 1.0)
