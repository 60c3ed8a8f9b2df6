"""Baselines that a line or two can make: the last price, drift, and RiskMetrics volatility.

    naive   the last price; spread as its own past h-session returns
    drift   the last price moved by the mean past return; the same spread
    ewma    RiskMetrics volatility (λ = 0.94) times quantiles of past standardised returns

Naive and drift use the ticker's own past, or the panel's where it is short. Standardised returns
are alike across tickers, so ewma pools them: with more of them the outer quantiles are better
known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.arrays import Floats, Rows
from forecaster.features.scaling import VolatilityScaling, future_log_returns
from forecaster.features.volatility import log_returns
from forecaster.market.bars import History

ENOUGH = 100
"""Past returns that a history needs before its own quantiles are used instead of the panel's."""


@dataclass(frozen=True)
class PastQuantiles:
    """Quantiles of past returns by ticker, and of the whole panel for tickers with too few.

    Attributes:
        own: ticker to ``(H, Q)``; the others use the panel's.
        panel: ``(H, Q)``.
    """

    own: dict[str, Floats]
    panel: Floats

    @classmethod
    def of(cls, samples: dict[str, Floats], levels: Sequence[float]) -> PastQuantiles:
        """From past values ``(n, H)`` by ticker, NaN where the target lies after the cutoff."""
        everything = np.concatenate(list(samples.values()))
        panel = column_quantiles(everything, levels, everything, grows=True)
        own = {
            ticker: column_quantiles(values, levels, everything, grows=True)
            for ticker, values in samples.items()
            if np.count_nonzero(np.isfinite(values[:, -1])) >= ENOUGH
        }
        return cls(own, panel)

    def for_ticker(self, ticker: str) -> Floats:
        """``(H, Q)``."""
        return self.own.get(ticker, self.panel)


def column_quantiles(
    values: Floats, levels: Sequence[float], spare: Floats, *, grows: bool
) -> Floats:
    """Quantiles of each column's known values, ``(H, Q)``.

    Args:
        values: ``(n, H)``, NaN where unknown.
        levels: Q levels.
        spare: ``(m, H)``, whose first column stands in where a column has no known value.
        grows: whether values grow with the root of h, as returns do; standardised ones do not.
    """
    out = np.zeros((values.shape[1], len(levels)))
    for h in range(values.shape[1]):
        known = values[np.isfinite(values[:, h]), h]
        if known.size == 0:  # every history is too short for h steps
            one = spare[np.isfinite(spare[:, 0]), 0]
            known = one * (np.sqrt(h + 1) if grows else 1.0) if one.size else np.zeros(1)
        out[h] = np.quantile(known, levels)
    return out


@dataclass(frozen=True)
class Naive:
    """The last price, with the spread of past h-session returns around their median."""

    quantiles: PastQuantiles
    name: str = "naive"

    def forecast(self, history: History, rows: Rows) -> Floats:
        """See ``Baseline.forecast``."""
        own = self.quantiles.for_ticker(history.ticker)
        return np.broadcast_to(own, (len(rows), *own.shape))


@dataclass(frozen=True)
class Drift:
    """The last price moved by h times the mean past return, with the same spread."""

    quantiles: PastQuantiles
    mean: dict[str, float]
    panel_mean: float
    name: str = "drift"

    def forecast(self, history: History, rows: Rows) -> Floats:
        """See ``Baseline.forecast``."""
        own = self.quantiles.for_ticker(history.ticker)
        steps = np.arange(1, own.shape[0] + 1)[:, None]
        moved = own + self.mean.get(history.ticker, self.panel_mean) * steps
        return np.broadcast_to(moved, (len(rows), *own.shape))


@dataclass(frozen=True)
class Ewma:
    """``σ_t √h`` times quantiles of the panel's past standardised returns.

    Attributes:
        scaling: measures a history from its prior.
        shape: ``(H, Q)``.
    """

    scaling: VolatilityScaling
    shape: Floats
    name: str = "ewma"

    @classmethod
    def fit(cls, histories: Sequence[History], horizon: int, levels: Sequence[float]) -> Ewma:
        """From all sessions of the histories whose target lies in them."""
        scaling = VolatilityScaling.fit(list(histories))
        past = np.concatenate([scaling.scale(h).targets(horizon) for h in histories])
        return cls(scaling, column_quantiles(past, levels, past, grows=False))

    def forecast(self, history: History, rows: Rows) -> Floats:
        """See ``Baseline.forecast``."""
        repeated = np.broadcast_to(self.shape, (len(rows), *self.shape.shape))
        return self.scaling.scale(history).log_returns(repeated, rows)


def fit_naive(histories: Sequence[History], horizon: int, levels: Sequence[float]) -> Naive:
    """Quantiles of each history's past returns about their median."""
    centred = {h.ticker: _centred(future_log_returns(h, horizon)) for h in histories}
    return Naive(PastQuantiles.of(centred, levels))


def fit_drift(histories: Sequence[History], naive: Naive) -> Drift:
    """The naive spread, moved by each history's mean return."""
    ones = {h.ticker: log_returns(h)[1:] for h in histories}
    means = {t: float(np.mean(r)) for t, r in ones.items() if len(r) >= ENOUGH}
    everything = np.concatenate(list(ones.values()))
    return Drift(naive.quantiles, means, float(everything.mean()) if everything.size else 0.0)


def _centred(values: Floats) -> Floats:
    """Each column less the median of its known values."""
    out = values.copy()
    for h in range(values.shape[1]):
        known = np.isfinite(values[:, h])
        if bool(np.any(known)):
            out[:, h] -= np.median(values[known, h])
    return out
