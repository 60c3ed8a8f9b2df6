"""Fan charts as data: recent closes, the fan of quantiles, and the last price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.arrays import Days, Floats
from forecaster.errors import SettingsError, parameter
from forecaster.evaluation.metrics import interval_levels, level_place
from forecaster.jobs.predict import TickerForecast, predict
from forecaster.market.bars import History
from forecaster.market.calendars import NO_CALENDARS, Calendars
from forecaster.market.notes import Failure
from forecaster.model.artifact import Model

_SHARES = (0.9, 0.5)
"""Intervals of the fan where the model has their levels, the widest first."""


@dataclass(frozen=True, eq=False)
class Band:
    """One interval of a fan.

    Attributes:
        low_level: quantile level of the lower end.
        high_level: of the upper end.
        low: prices at the cutoff and each step, ``(H + 1,)``.
        high: prices of the upper end, ``(H + 1,)``.
    """

    low_level: float
    high_level: float
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class Fan:
    """One ticker's recent closes and its forecast. Every path begins at the last close.

    Attributes:
        ticker: the symbol.
        currency: or None.
        cutoff: the last session seen.
        last_close: price at the cutoff, as traded.
        sessions: of ``closes``, ``(n,)``; the last one is the cutoff.
        closes: without splits and dividends, so that a split is no crash; the last one is the
            price at the cutoff, ``(n,)``.
        adjusted: whether some closes differ from the traded prices.
        ahead: dates of the steps, ``(H,)``.
        estimated: whether one of those dates follows weekdays, not a calendar.
        median: at the cutoff and each step, ``(H + 1,)``; None where no level is 0.5.
        bands: the widest first.
    """

    ticker: str
    currency: str | None
    cutoff: np.datetime64
    last_close: float
    sessions: Days
    closes: Floats
    adjusted: bool
    ahead: Days
    estimated: bool
    median: Floats | None
    bands: tuple[Band, ...]


@dataclass(frozen=True)
class Fans:
    """Fans in the order of the histories, their forecasts, and failures."""

    fans: tuple[Fan, ...]
    forecasts: tuple[TickerForecast, ...]
    failures: tuple[Failure, ...]


def check_sessions(shown: int) -> None:
    """Raise SettingsError unless so many sessions of history can be shown."""
    if shown < 2:
        raise SettingsError(
            f"{parameter('shown')} is {shown}; a line needs at least 2 sessions. Give 2 or more."
        )


def fans(
    model: Model,
    histories: Sequence[History],
    *,
    market: Sequence[History] | None = None,
    shown: int,
    horizon: int | None = None,
    as_of: np.datetime64 | None = None,
    calendars: Calendars = NO_CALENDARS,
) -> Fans:
    """Forecast every history, and give the fan chart of each forecast.

    Args:
        model: a trained model.
        histories: at least 2 bars each; a shorter history is a failure.
        market: those that make the market state; None: ``histories`` themselves.
        shown: most sessions of history.
        horizon: steps, at most the model's; None: all of them, since a fan of a few steps beside
            months of history is hard to see.
        as_of: forecast as if this date were the last session.
        calendars: sessions of the calendars that histories name.

    Raises:
        SettingsError: the model was not trained for that many steps.
    """
    check_sessions(shown)
    steps = model.settings.horizon if horizon is None else horizon
    result = predict(
        model, histories, market=market, horizon=steps, as_of=as_of, calendars=calendars
    )
    known = {history.ticker: history for history in histories}
    charts = []
    for forecast in result.forecasts:
        seen = known[forecast.ticker].up_to(forecast.cutoff)
        charts.append(fan_of(forecast, seen.slice(max(len(seen) - shown, 0), len(seen))))
    return Fans(tuple(charts), result.forecasts, result.failures)


def fan_of(forecast: TickerForecast, recent: History) -> Fan:
    """The fan of a forecast and of the bars up to its cutoff."""
    levels = sorted(forecast.steps[0].quantiles)
    last = forecast.last_close
    paths = np.array(
        [[last] * len(levels), *([s.quantiles[q] for q in levels] for s in forecast.steps)]
    )
    middle = level_place(levels, 0.5)
    closes = recent.adjusted_close * (last / recent.adjusted_close[-1])
    return Fan(
        ticker=forecast.ticker,
        currency=forecast.currency,
        cutoff=forecast.cutoff,
        last_close=last,
        sessions=recent.sessions,
        closes=closes,
        adjusted=not np.allclose(closes, recent.close, rtol=1e-6, atol=0.0),
        ahead=np.array([s.session for s in forecast.steps], dtype="datetime64[D]"),
        estimated=any(s.session_estimated for s in forecast.steps),
        median=None if middle is None else paths[:, middle],
        bands=tuple(_bands(levels, paths)),
    )


def _bands(levels: Sequence[float], paths: Floats) -> list[Band]:
    """The 90% and the 50% interval, or all that the levels span where they have neither."""
    places = [p for p in (interval_levels(levels, share) for share in _SHARES) if p is not None]
    if not places and len(levels) > 1:
        places = [(0, len(levels) - 1)]
    return [Band(levels[low], levels[high], paths[:, low], paths[:, high]) for low, high in places]
