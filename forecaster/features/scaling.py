"""Scalings of targets, and the way back from network outputs to log returns.

A *scaling* is fitted once on training sessions. Applied to one history it gives a *scale*: the unit
at each session, which turns future prices into targets and network outputs into log returns.

    volatility   y = ln(P_{t+h} / P_t) / (σ_t √h)      the default
    minmax       y = (P_{t+h} − low) / (high − low)    price levels, as tutorials do
    standard     y = (P_{t+h} − mean) / deviation

Prices are adjusted closes. Targets and outputs have a last axis of steps h = 1..H (and quantiles).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecaster.arrays import Floats, Rows
from forecaster.features import ScaleName
from forecaster.features.volatility import Measures, future_log_ranges, measure, pooled_variance
from forecaster.market.bars import History

_LARGEST_TARGET = 30.0
"""A return beyond this many volatilities (a still price that jumped) counts as this many."""

_LARGEST_LOG_RANGE = 2.5
"""A range more than e to this power away from the usual one (a still price) counts as this far."""

_SMALLEST_PRICE = 1e-3
"""A level forecast below this share of the last price is read as this share: logs need a price."""


def future_log_returns(history: History, horizon: int) -> Floats:
    """``ln(P_{t+h} / P_t)``, shape ``(n, H)``; NaN where the history ends before t + h."""
    logs = np.log(history.adjusted_close)
    n = len(logs)
    out = np.full((n, horizon), np.nan)
    for h in range(1, min(horizon, n - 1) + 1):
        out[: n - h, h - 1] = logs[h:] - logs[:-h]
    return out


@dataclass(frozen=True)
class VolatilityScale:
    """Cumulative returns in units of ``σ_t √h``."""

    history: History
    measures: Measures

    def targets(self, horizon: int) -> Floats:
        """Returns of the next h sessions over ``σ_t √h``: ``(n, H)``, NaN where unknown."""
        unit = self.measures.volatility[:, None] * np.sqrt(np.arange(1, horizon + 1))
        returns = future_log_returns(self.history, horizon)
        return np.asarray(np.clip(returns / unit, -_LARGEST_TARGET, _LARGEST_TARGET))

    def targets_at(self, rows: slice, steps: Rows) -> Floats:
        """Those targets at some sessions and steps h alone: ``(m, G)``, NaN where unknown."""
        logs = np.log(self.history.adjusted_close)
        start, stop, _ = rows.indices(len(logs))
        out = np.full((stop - start, len(steps)), np.nan)
        for column, h in enumerate(steps.tolist()):
            ends = logs[start + h : stop + h]
            out[: len(ends), column] = ends - logs[start : start + len(ends)]
        unit = self.measures.volatility[rows, None] * np.sqrt(steps)
        return np.asarray(np.clip(out / unit, -_LARGEST_TARGET, _LARGEST_TARGET))

    def ranges(self, horizon: int) -> Floats:
        """Log of the range-based deviation of the next h sessions, in units of ``σ_t √h``."""
        logs = future_log_ranges(self.measures.session_variance, horizon)
        now = np.log(self.measures.volatility)[:, None]
        return np.asarray(np.clip(logs - now, -_LARGEST_LOG_RANGE, _LARGEST_LOG_RANGE))

    def log_returns(self, outputs: NDArray[np.floating[Any]], rows: Rows) -> Floats:
        """Network outputs ``(m, H, Q)`` at ``rows`` ``(m,)`` as cumulative log returns."""
        steps = np.sqrt(np.arange(1, outputs.shape[1] + 1))
        unit = self.measures.volatility[rows, None] * steps
        return np.asarray(outputs, dtype=np.float64) * unit[:, :, None]


@dataclass(frozen=True)
class LevelScale:
    """Prices less an offset, over a width; both ``(n,)``, since an unknown ticker's widen."""

    history: History
    offset: Floats
    width: Floats

    def targets(self, horizon: int) -> Floats:
        """Scaled prices h sessions later: ``(n, H)``, NaN where unknown."""
        future = self.history.adjusted_close[:, None] * np.exp(
            future_log_returns(self.history, horizon)
        )
        return (future - self.offset[:, None]) / self.width[:, None]

    def ranges(self, horizon: int) -> Floats:
        """NaN: ranges are not known in units of price levels."""
        return np.full((len(self.history), horizon), np.nan)

    def levels(self) -> Floats:
        """The scaled price at each session, the network's input: ``(n,)``."""
        return (self.history.adjusted_close - self.offset) / self.width

    def log_returns(self, outputs: NDArray[np.floating[Any]], rows: Rows) -> Floats:
        """Network outputs ``(m, H, Q)`` at ``rows`` ``(m,)`` as cumulative log returns."""
        width, offset = self.width[rows, None, None], self.offset[rows, None, None]
        last = self.history.adjusted_close[rows, None, None]
        ratio = (np.asarray(outputs, dtype=np.float64) * width + offset) / last
        return np.log(np.maximum(ratio, _SMALLEST_PRICE))


@dataclass(frozen=True)
class VolatilityScaling:
    """The prior variance of returns in units of volatility.

    Attributes:
        prior: variance of one session's log return.
    """

    prior: float
    name: ScaleName = "volatility"

    @classmethod
    def fit(cls, histories: list[History]) -> VolatilityScaling:
        """Fit on training sessions."""
        return cls(pooled_variance(histories))

    def scale(self, history: History) -> VolatilityScale:
        """The scale of one history."""
        return VolatilityScale(history, measure(history, self.prior))

    def state(self) -> dict[str, Any]:
        """Plain values for the model file."""
        return {"name": self.name, "prior": self.prior}


@dataclass(frozen=True)
class LevelScaling:
    """Offset and width of each training ticker's prices.

    Tickers outside training are scaled by their prices up to each session.

    Attributes:
        name: ``minmax`` or ``standard``.
        fitted: ticker to ``(offset, width)``.
    """

    name: ScaleName
    fitted: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def fit(cls, name: ScaleName, histories: list[History]) -> LevelScaling:
        """Fit on training sessions."""
        fitted = {}
        for history in histories:
            offsets, widths = _running_levels(name, history.adjusted_close)
            fitted[history.ticker] = (float(offsets[-1]), float(widths[-1]))
        return cls(name, fitted)

    def scale(self, history: History) -> LevelScale:
        """The scale of one history."""
        known = self.fitted.get(history.ticker)
        if known is None:
            offsets, widths = _running_levels(self.name, history.adjusted_close)
            return LevelScale(history, offsets, widths)
        return LevelScale(history, *(np.full(len(history), number) for number in known))

    def state(self) -> dict[str, Any]:
        """Plain values for the model file."""
        return {"name": self.name, "fitted": {k: list(v) for k, v in self.fitted.items()}}


Scale = VolatilityScale | LevelScale
Scaling = VolatilityScaling | LevelScaling


def fit_scaling(name: ScaleName, histories: list[History]) -> Scaling:
    """Fit the scaling called ``name`` on training sessions."""
    if name == "volatility":
        return VolatilityScaling.fit(histories)
    return LevelScaling.fit(name, histories)


def scaling_from_state(state: Mapping[str, Any]) -> Scaling:
    """The inverse of ``Scaling.state``."""
    if state["name"] == "volatility":
        return VolatilityScaling(float(state["prior"]))
    fitted = {str(k): (float(v[0]), float(v[1])) for k, v in state["fitted"].items()}
    return LevelScaling(state["name"], fitted)


def _running_levels(name: ScaleName, prices: Floats) -> tuple[Floats, Floats]:
    """Offset and width of the prices up to each session, shapes ``(n,)``; never a zero width."""
    if name == "minmax":
        offset = np.minimum.accumulate(prices)
        width = np.maximum.accumulate(prices) - offset
    else:
        count = np.arange(1, len(prices) + 1)
        start = prices[0]  # deviations from the first price keep the squares small
        offset = start + np.cumsum(prices - start) / count
        squares = np.cumsum((prices - start) ** 2) / count - (offset - start) ** 2
        width = np.sqrt(np.maximum(squares, 0.0))
    return offset, np.where(width > 1e-6 * prices, width, prices)
