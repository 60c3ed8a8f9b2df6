"""The HAR baseline: ``features.range_regression``, fitted up to a cutoff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.arrays import Floats, Rows
from forecaster.features.range_regression import RangeRegression
from forecaster.features.scaling import VolatilityScaling
from forecaster.market.bars import History


@dataclass(frozen=True)
class Har:
    """A fitted regression, and the scaling of its regressors.

    Attributes:
        scaling: of returns to standardised ones.
        regression: of ranges on past ones.
    """

    scaling: VolatilityScaling
    regression: RangeRegression
    name: str = "har"

    @classmethod
    def fit(
        cls,
        histories: Sequence[History],
        scaling: VolatilityScaling,
        horizon: int,
        levels: Sequence[float],
    ) -> Har:
        """Least squares over all sessions whose next h are in the histories."""
        return cls(scaling, RangeRegression.fit(histories, scaling, horizon, levels))

    def forecast(self, history: History, rows: Rows) -> Floats:
        """Cumulative log-return quantiles from sessions ``rows`` ``(m,)``: ``(m, H, Q)``."""
        measures = self.scaling.scale(history).measures
        deviations = self.regression.deviations(measures, rows)
        return np.asarray(deviations[:, :, None] * self.regression.shape)
