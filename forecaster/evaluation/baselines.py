"""Forecasts that need no network, each a whole distribution for h = 1..H.

A baseline is fitted on the history up to the end of the training range and then forecasts from
every later session with all bars up to that session. Short histories borrow from the panel, and
the fitted object says so.

    naive   the last price; spread as its own past h-session returns
    drift   the last price moved by the mean past return; the same spread
    ewma    RiskMetrics volatility (λ = 0.94) times quantiles of past standardised returns
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from forecaster.features.scaling import VolatilityScaling, future_log_returns
from forecaster.market.bars import History

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

ENOUGH = 100
"""Past returns that a history needs before its own quantiles are used instead of the panel's."""

BASELINES = ("naive", "drift", "ewma")


class Baseline(Protocol):
    """A fitted baseline."""

    @property
    def name(self) -> str:
        """What tables and options call it."""
        ...

    def forecast(self, history: History, rows: Rows) -> Floats:
        """Cumulative log-return quantiles from sessions ``rows`` ``(m,)``: ``(m, H, Q)``."""
        ...


@dataclass(frozen=True)
class PastQuantiles:
    """Quantiles of past returns by ticker, and of the whole panel for tickers with too few.

    Attributes:
        own: ticker to ``(H, Q)``.
        panel: ``(H, Q)``.
        borrowed: tickers that use the panel's.
    """

    own: dict[str, Floats]
    panel: Floats
    borrowed: tuple[str, ...]

    @classmethod
    def of(cls, samples: dict[str, Floats], levels: Sequence[float]) -> PastQuantiles:
        """From past values ``(n, H)`` by ticker, NaN where the target lies after the cutoff."""
        everything = np.concatenate(list(samples.values()))
        panel = _column_quantiles(everything, levels, everything)
        own = {
            ticker: _column_quantiles(values, levels, everything)
            for ticker, values in samples.items()
            if np.count_nonzero(np.isfinite(values[:, -1])) >= ENOUGH
        }
        return cls(own, panel, tuple(t for t in samples if t not in own))

    def for_ticker(self, ticker: str) -> Floats:
        """``(H, Q)``."""
        return self.own.get(ticker, self.panel)


def _column_quantiles(values: Floats, levels: Sequence[float], spare: Floats) -> Floats:
    """Quantiles of each column's known values, ``(H, Q)``; of ``spare`` where it has none."""
    out = np.zeros((values.shape[1], len(levels)))
    for h in range(values.shape[1]):
        known = values[np.isfinite(values[:, h]), h]
        if known.size == 0:  # too short for h steps: one-step values grow with the root of h
            one = spare[np.isfinite(spare[:, 0]), 0]
            known = one * np.sqrt(h + 1) if one.size else np.zeros(1)
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
    """``σ_t √h`` times quantiles of past standardised returns, σ from squared returns, λ = 0.94."""

    quantiles: PastQuantiles
    scaling: VolatilityScaling
    name: str = "ewma"

    def forecast(self, history: History, rows: Rows) -> Floats:
        """See ``Baseline.forecast``."""
        own = self.quantiles.for_ticker(history.ticker)
        repeated = np.broadcast_to(own, (len(rows), *own.shape))
        return self.scaling.scale(history).log_returns(repeated, rows)


def fit_baselines(
    histories: Sequence[History], horizon: int, levels: Sequence[float]
) -> tuple[Baseline, ...]:
    """Fit naive, drift and ewma on histories that end with the training range.

    Args:
        histories: at least one with two bars.
        horizon: H.
        levels: Q quantile levels.
    """
    raw = {h.ticker: future_log_returns(h, horizon) for h in histories}
    centred = {ticker: _centred(values) for ticker, values in raw.items()}
    spread = PastQuantiles.of(centred, levels)
    means = {
        t: float(np.nanmean(v[:, 0]))
        for t, v in raw.items()
        if np.count_nonzero(np.isfinite(v[:, 0])) >= ENOUGH
    }
    ones = np.concatenate([v[:, 0] for v in raw.values()])
    known = ones[np.isfinite(ones)]
    scaling = VolatilityScaling.fit(list(histories))
    standardised = {h.ticker: scaling.scale(h).targets(horizon) for h in histories}
    return (
        Naive(spread),
        Drift(spread, means, float(known.mean()) if known.size else 0.0),
        Ewma(PastQuantiles.of(standardised, levels), scaling),
    )


def _centred(values: Floats) -> Floats:
    """Each column less the median of its known values."""
    out = values.copy()
    for h in range(values.shape[1]):
        known = np.isfinite(values[:, h])
        if bool(np.any(known)):
            out[:, h] -= np.median(values[known, h])
    return out
