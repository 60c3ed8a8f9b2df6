"""Intervals of a forecast between any two quantile levels that the model's own levels hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from forecaster.errors import SettingsError, parameter
from forecaster.evaluation.metrics import at_level
from forecaster.jobs.predict import Step, TickerForecast
from forecaster.model.artifact import Model

_SAME = 1e-9


def checked_shares(model: Model, wanted: Iterable[float]) -> tuple[float, ...]:
    """Intervals that a model can give, in percent, each once and rising.

    Raises:
        SettingsError: one of them is none, or reaches beyond the outer levels of the model.
    """
    levels = model.settings.quantiles
    shares = tuple(sorted(set(map(float, wanted))))
    widest = 100 * (1 - 2 * max(levels[0], 1 - levels[-1]))
    for share in shares:
        if not 1 <= share < 100:
            raise SettingsError(
                f"{parameter('level')} is {share:g}; an interval holds 1 to 99 prices of a hundred,"
                f" as in {parameter('level')} 80."
            )
        if share > widest + 100 * _SAME:
            raise SettingsError(_beyond(model, share, widest))
    return shares


def _beyond(model: Model, share: float, widest: float) -> str:
    levels = ", ".join(f"{100 * level:g}%" for level in model.settings.quantiles)
    ends = " and ".join(f"{100 * end:.12g}%" for end in ends_of(share))
    advice = f"Ask for at most {_below(widest):g}" if widest >= 1 else "Leave it out"
    return (
        f"{parameter('level')} is {share:g}, from {ends}; model {model.name} has the quantile"
        f" levels {levels} and says nothing outside of them. {advice}, or train a model with wider"
        f" {parameter('quantiles')}."
    )


def _below(share: float) -> float:
    """A share in percent that is not above it, in few digits."""
    return int(share * 1e6 + _SAME) / 1e6


def ends_of(share: float) -> tuple[float, float]:
    """The quantile levels of the central interval with that share, in percent."""
    return round((100 - share) / 200, 12), round((100 + share) / 200, 12)


def with_intervals(
    forecasts: Iterable[TickerForecast], shares: Sequence[float]
) -> tuple[TickerForecast, ...]:
    """Forecasts whose steps have intervals, low and high price by share in percent."""
    if not shares:
        return tuple(forecasts)
    return tuple(
        replace(forecast, steps=tuple(_with_intervals(step, shares) for step in forecast.steps))
        for forecast in forecasts
    )


def _with_intervals(step: Step, shares: Sequence[float]) -> Step:
    return replace(step, intervals={share: interval(step.quantiles, share) for share in shares})


def interval(quantiles: Mapping[float, float], share: float) -> tuple[float, float]:
    """The ends of the central interval with that share, in percent."""
    low, high = ends_of(share)
    return quantile(quantiles, low), quantile(quantiles, high)


def quantile(quantiles: Mapping[float, float], level: float) -> float:
    """The price at a level between the outer ones; its logarithm is linear between two levels."""
    levels = sorted(quantiles)
    prices = np.array([quantiles[q] for q in levels])
    exact = next((q for q in levels if abs(q - level) <= _SAME), None)
    return quantiles[exact] if exact else float(np.exp(at_level(np.log(prices), levels, level)))


def share_below(quantiles: Mapping[float, float], price: float) -> float:
    """The level at which a price lies, at most the outer ones: the inverse of ``quantile``."""
    levels = sorted(quantiles)
    return float(np.interp(np.log(price), np.log([quantiles[q] for q in levels]), levels))
