"""The EWMA baseline: RiskMetrics volatility (λ = 0.94) times quantiles of past returns.

Standardised returns are alike across tickers, so they are pooled: with more of them the outer
quantiles are better known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.arrays import Floats, Rows
from forecaster.features.range_regression import column_quantiles, evenly
from forecaster.features.scaling import VolatilityScaling
from forecaster.market.bars import History

MOST_POOLED = 2_000_000
"""Sessions to take quantiles of: those of five thousand tickers would fill the memory."""


@dataclass(frozen=True)
class Ewma:
    """``σ_t √h`` times quantiles of the panel's past standardised returns.

    Attributes:
        scaling: of returns to standardised ones.
        shape: quantiles of standardised returns, ``(H, Q)``.
    """

    scaling: VolatilityScaling
    shape: Floats
    name: str = "ewma"

    @classmethod
    def fit(cls, histories: Sequence[History], horizon: int, levels: Sequence[float]) -> Ewma:
        """Fit on all sessions of the histories whose target lies in them.

        Of very many histories, quantiles are those of every n-th.
        """
        scaling = VolatilityScaling.fit(list(histories))
        some = evenly(histories, MOST_POOLED)
        past = np.concatenate([scaling.scale(h).targets(horizon) for h in some])
        return cls(scaling, column_quantiles(past, levels, past, grows=False))

    def forecast(self, history: History, rows: Rows) -> Floats:
        """Cumulative log-return quantiles from sessions ``rows`` ``(m,)``: ``(m, H, Q)``."""
        repeated = np.broadcast_to(self.shape, (len(rows), *self.shape.shape))
        return self.scaling.scale(history).log_returns(repeated, rows)
