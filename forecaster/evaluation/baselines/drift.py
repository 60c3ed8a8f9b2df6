"""The drift baseline: the last price moved by the mean past return, with the naive spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.arrays import Floats, Rows
from forecaster.evaluation.baselines.naive import ENOUGH, Naive, PastQuantiles
from forecaster.features.volatility import log_returns
from forecaster.market.bars import History


@dataclass(frozen=True)
class Drift:
    """The last price moved by h times the mean past return, with the naive baseline's spread."""

    quantiles: PastQuantiles
    mean: dict[str, float]
    panel_mean: float
    name: str = "drift"

    def forecast(self, history: History, rows: Rows) -> Floats:
        """Cumulative log-return quantiles from sessions ``rows`` ``(m,)``: ``(m, H, Q)``."""
        quantiles = self.quantiles.for_ticker(history.ticker)
        steps = np.arange(1, quantiles.shape[0] + 1)[:, None]
        moved = quantiles + self.mean.get(history.ticker, self.panel_mean) * steps
        return np.broadcast_to(moved, (len(rows), *quantiles.shape))


def fit_drift(histories: Sequence[History], naive: Naive) -> Drift:
    """Mean returns of each history and of the panel."""
    returns = {h.ticker: log_returns(h)[1:] for h in histories}
    means = {t: float(np.mean(r)) for t, r in returns.items() if len(r) >= ENOUGH}
    everything = np.concatenate(list(returns.values()))
    return Drift(naive.quantiles, means, float(everything.mean()) if everything.size else 0.0)
