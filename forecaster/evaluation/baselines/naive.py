"""The naive baseline: the last price, with the spread of the ticker's past h-session returns.

The panel's past returns stand in where a history is short.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.arrays import Floats, Rows
from forecaster.evaluation.baselines.ewma import MOST_POOLED
from forecaster.features.range_regression import column_quantiles, evenly
from forecaster.features.scaling import future_log_returns
from forecaster.market.bars import History

ENOUGH = 100
"""Fewest past returns of a history for quantiles of that history alone."""


@dataclass(frozen=True)
class PastQuantiles:
    """Quantiles of past returns by ticker, and of the whole panel for tickers with too few.

    Attributes:
        by_ticker: ticker to ``(H, Q)``; the others use the panel's.
        panel: ``(H, Q)``.
    """

    by_ticker: dict[str, Floats]
    panel: Floats

    @classmethod
    def of(
        cls, samples: Iterable[tuple[str, Floats]], pooled: Floats, levels: Sequence[float]
    ) -> PastQuantiles:
        """From past values, NaN where the target lies after the cutoff.

        Args:
            samples: tickers and their values ``(n, H)``, of which one is held at a time.
            pooled: those of the panel, ``(m, H)``.
            levels: Q levels.
        """
        by_ticker = {
            ticker: column_quantiles(values, levels, pooled, grows=True)
            for ticker, values in samples
            if np.count_nonzero(np.isfinite(values[:, -1])) >= ENOUGH
        }
        return cls(by_ticker, column_quantiles(pooled, levels, pooled, grows=True))

    def for_ticker(self, ticker: str) -> Floats:
        """Quantiles of one ticker, ``(H, Q)``."""
        return self.by_ticker.get(ticker, self.panel)


@dataclass(frozen=True)
class Naive:
    """The last price, with quantiles of past h-session returns around their median."""

    quantiles: PastQuantiles
    name: str = "naive"

    def forecast(self, history: History, rows: Rows) -> Floats:
        """Cumulative log-return quantiles from sessions ``rows`` ``(m,)``: ``(m, H, Q)``."""
        quantiles = self.quantiles.for_ticker(history.ticker)
        return np.broadcast_to(quantiles, (len(rows), *quantiles.shape))


def fit_naive(histories: Sequence[History], horizon: int, levels: Sequence[float]) -> Naive:
    """Quantiles of each history's past returns about their median.

    Of very many histories, every n-th speaks for the panel.
    """
    pooled = np.concatenate([_centred(h, horizon) for h in evenly(histories, MOST_POOLED)])
    samples = ((h.ticker, _centred(h, horizon)) for h in histories)
    return Naive(PastQuantiles.of(samples, pooled, levels))


def _centred(history: History, horizon: int) -> Floats:
    """Returns over 1 to H sessions, each column less the median of its known values: ``(n, H)``."""
    values = future_log_returns(history, horizon)
    for h in range(horizon):
        known = np.isfinite(values[:, h])
        if bool(np.any(known)):
            values[:, h] -= np.median(values[known, h])
    return values
