"""The baselines that a model carries: fitted with it, for histories that it was not trained on.

A range regression (HAR) takes part in forecasts where it did better than the network, and EWMA is
what past forecasts are measured against. Both forecast in the network's unit, ``σ_t √h``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.arrays import Floats, Rows
from forecaster.features.range_regression import (
    LOG_VOLATILITY,
    REGRESSORS,
    RangeRegression,
    column_quantiles,
    evenly,
)
from forecaster.features.scaling import Scaling, VolatilityScaling
from forecaster.market.bars import History

_MOST_SESSIONS = 200_000
"""Sessions to fit on: coefficients of a dozen numbers need no more."""

_FURTHEST = 100.0
"""The regression's deviations are cut at so many times the volatility, and at one part in so many:
far from what it was fitted on it gives any number."""


@dataclass(frozen=True)
class Rulers:
    """A range regression and EWMA for H steps and Q quantile levels.

    Attributes:
        regression: of ranges on past ones.
        ewma: quantiles of returns in units of ``σ_t √h``, ``(H, Q)``.
    """

    regression: RangeRegression
    ewma: Floats

    @classmethod
    def fit(
        cls,
        scaling: Scaling,
        histories: Sequence[History],
        horizon: int,
        levels: Sequence[float],
    ) -> Rulers | None:
        """Fit on training sessions: of every n-th history where they are very many.

        Returns:
            None where targets are no volatilities, or one level gives no distribution.
        """
        if not isinstance(scaling, VolatilityScaling) or len(levels) == 1:
            return None
        some = evenly(histories, _MOST_SESSIONS)
        past = np.concatenate([scaling.scale(history).targets(horizon) for history in some])
        return cls(
            RangeRegression.fit(some, scaling, horizon, levels),
            column_quantiles(past, levels, past, grows=False),
        )

    def deviations(self, regressors: Floats, steps: Rows | slice = slice(None)) -> Floats:
        """The regression's deviations in units of ``σ_t √h``, ``(m, G)``.

        Args:
            regressors: of its ``design`` at some sessions, ``(m, 8)``.
            steps: places of G of the H steps.
        """
        coefficients = self.regression.coefficients[:, steps].copy()
        coefficients[LOG_VOLATILITY] -= 1.0  # divides by σ; the √h of deviation and unit cancel
        with np.errstate(over="ignore"):
            deviations = np.exp(regressors @ coefficients)
        return np.clip(deviations, 1.0 / _FURTHEST, _FURTHEST)

    def arrays(self) -> dict[str, Floats]:
        """Every fitted number, by name, for the model file."""
        return {
            "rulers/coefficients": self.regression.coefficients,
            "rulers/shape": self.regression.shape,
            "rulers/ewma": self.ewma,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Floats], horizon: int, levels: int) -> Rulers | None:
        """The inverse of ``arrays``; None for files of before models carried them.

        Raises:
            ValueError: a shape does not fit, or a number is not finite or of no rising quantiles.
            KeyError: one of the arrays is missing.
        """
        if not any(name.startswith("rulers/") for name in arrays):
            return None
        names = ("rulers/coefficients", "rulers/shape", "rulers/ewma")
        coefficients, shape, ewma = (np.asarray(arrays[name]) for name in names)
        for name, array, rows in (
            (names[0], coefficients, (REGRESSORS, horizon)),
            (names[1], shape, (horizon, levels)),
            (names[2], ewma, (horizon, levels)),
        ):
            if array.shape != rows or array.dtype != np.float64 or not np.isfinite(array).all():
                raise ValueError(f"{name} is no array of finite 64-bit numbers of the shape {rows}")
        if bool(np.any(np.diff(shape) < 0) or np.any(np.diff(ewma) < 0)):
            raise ValueError("the quantiles of its rulers do not rise")
        return cls(RangeRegression(coefficients, shape), ewma)
