"""Chances of a price above or below a mark, from the quantiles of a forecast."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from forecaster.errors import SettingsError, parameter
from forecaster.jobs.intervals import share_below
from forecaster.jobs.predict import Chance, Mark, Side, Step, TickerForecast

LAST = "last"
"""The mark that is the last price."""


def checked_marks(side: Side, marks: Iterable[str | float]) -> list[tuple[Side, Mark]]:
    """Marks of one side, each a price or ``last``, and each once.

    Raises:
        SettingsError: one of them is neither.
    """
    out: list[tuple[Side, Mark]] = []
    for mark in marks:
        if mark == LAST:
            out.append((side, "last"))
            continue
        try:
            price = float(mark)
        except (TypeError, ValueError):
            price = math.nan
        if not 0 < price < math.inf:
            raise SettingsError(
                f"{parameter(side)} is {mark!r}; a price above 0 or the word last is needed, as in"
                f" {parameter(side)} 450. Correct it."
            )
        out.append((side, price))
    return list(dict.fromkeys(out))


def with_chances(
    forecasts: Iterable[TickerForecast], marks: Sequence[tuple[Side, Mark]]
) -> tuple[TickerForecast, ...]:
    """Forecasts whose steps have a chance for each mark."""
    return tuple(
        replace(
            forecast,
            steps=tuple(
                replace(step, chances=tuple(_chance(step, side, mark) for side, mark in marks))
                for step in forecast.steps
            ),
        )
        for forecast in forecasts
    )


def _chance(step: Step, side: Side, mark: Mark) -> Chance:
    """The chance of one mark: the level at which it lies, in logs of prices between two levels.

    Beyond the outermost levels nothing but a bound is known.
    """
    price = step.naive if isinstance(mark, str) else mark
    levels = sorted(step.quantiles)
    below = share_below(step.quantiles, price)
    outside = not step.quantiles[levels[0]] <= price <= step.quantiles[levels[-1]]
    return Chance(side, mark, price, below if side == "below" else 1.0 - below, outside)
