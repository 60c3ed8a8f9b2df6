"""Forecasts of several tickers together: their distributions at common dates, and dependence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecaster.arrays import Days, Floats, Mask
from forecaster.errors import DataError, SettingsError, parameter
from forecaster.jobs.predict import (
    Predictions,
    first_cutoff,
    hindsight_notes,
    predict,
    usable,
)
from forecaster.joint.dependence import Dependence, standardised_returns
from forecaster.joint.marginals import Marginals
from forecaster.market.bars import History
from forecaster.market.calendars import Calendars
from forecaster.market.notes import Note
from forecaster.model.artifact import Model
from forecaster.wording import counted, few, listed

_LONGEST = 60
"""Sessions ahead whose dates are looked up: more than any horizon on another calendar takes."""
_FEWEST_LEVELS = 3
_OLDEST = 31
"""Days by which a history may end before the last one: its price is not known after that."""
_NOTED_BEHIND, _NOTED_WEEKDAYS = 2, 5
"""Sessions from which on it is said: in Tokyo a day may be over that has not begun in New York. Of
weekdays, which no calendar knows to be sessions, holidays make some."""


@dataclass(frozen=True)
class JointForecast:
    """N tickers forecast together.

    Attributes:
        histories: up to the cutoff, in the order asked for.
        predictions: of each of them.
        cutoff: the last session of any of them.
        sessions: dates of the steps of the leading ticker after ``cutoff``, ``(S,)``.
        estimated: which of them follow weekdays, ``(S,)``.
        own_steps: sessions of each ticker from its own cutoff to those dates, ``(S, N)``.
        behind: sessions of each ticker from its own cutoff to the common one, ``(N,)``.
        behind_estimated: where these are weekdays, as no calendar tells, ``(N,)``.
        levels: of the quantiles, ``(Q,)``.
        quantiles: log returns by ticker and own step, ``(N, H, Q)``.
    """

    histories: tuple[History, ...]
    predictions: Predictions
    cutoff: np.datetime64
    sessions: Days
    estimated: Mask
    own_steps: Floats
    behind: Floats
    behind_estimated: Mask
    levels: Floats
    quantiles: Floats

    @cached_property
    def dependence(self) -> Dependence:
        """How the tickers move together at the cutoff."""
        return Dependence.of(standardised_returns(self.histories)[1])

    def marginals(self, place: int) -> Marginals:
        """The distributions of all tickers at one of the dates."""
        return marginals_at(self.levels, self.quantiles, self.own_steps[place])


def marginals_at(levels: Floats, quantiles: Floats, steps: Floats) -> Marginals:
    """Distributions at each ticker's own step.

    A step beyond the last one forecast has its quantiles, wider by the root of the time; at step 0,
    where a ticker has no session before the date, nothing moves.

    Args:
        levels: ``(Q,)``.
        quantiles: log returns, ``(N, H, Q)``.
        steps: of each ticker, ``(N,)``.
    """
    horizon = quantiles.shape[1]
    row = np.clip(steps, 1, horizon).astype(np.intp)
    factor = np.sqrt(np.maximum(steps / row, 0.0))
    factor = np.where(steps >= 1, np.where(steps > horizon, factor, 1.0), 0.0)
    chosen = quantiles[np.arange(len(quantiles)), row - 1]
    return Marginals(levels, chosen * factor[:, None])


def joint_forecast(
    model: Model,
    histories: Sequence[History],
    steps: Sequence[int],
    *,
    leader: int = 0,
    market: Sequence[History] | None = None,
    as_of: np.datetime64 | None = None,
    calendars: Calendars,
) -> JointForecast:
    """Forecast histories together, without TensorFlow.

    Args:
        model: with quantile levels.
        histories: N, each ticker once.
        steps: h, by the sessions of the leading ticker after the last cutoff of all.
        leader: place of the ticker whose sessions count.
        market: those that make the market state; None: ``histories`` themselves.
        as_of: forecast as if this date were the last session.
        calendars: sessions of the calendars that histories name.

    Raises:
        ForecastError: a ticker cannot be forecast, or the model has too few quantile levels.
    """
    levels = np.array(model.settings.quantiles)
    if len(levels) < _FEWEST_LEVELS:
        raise SettingsError(
            f"model {model.name} forecasts {listed([f'{q:g}' for q in levels])} alone; at least"
            f" {_FEWEST_LEVELS} quantile levels are needed for a distribution. Train one with more"
            f" {parameter('quantiles')}."
        )
    require_bars(histories, as_of)
    result = predict(
        model, histories, market=market, horizon=model.settings.horizon, as_of=as_of,
        calendars=calendars,
    )  # fmt: skip
    if result.failures:
        raise result.failures[0].error
    seen = tuple(usable(history, as_of) for history in histories)
    cutoff = max(history.cutoff for history in seen)
    _check_ends(seen, cutoff)
    sessions, estimated = _after(seen[leader], cutoff, max(steps), calendars)
    places = np.array(steps) - 1
    return JointForecast(
        histories=seen,
        predictions=result,
        cutoff=cutoff,
        sessions=sessions[places],
        estimated=estimated[places],
        own_steps=_own_steps(seen, sessions[places], calendars),
        behind=_own_steps(seen, np.array([cutoff]), calendars)[0],
        behind_estimated=np.array([calendars.of(history) is None for history in seen]),
        levels=levels,
        quantiles=_log_quantiles(result, levels),
    )


def notes_on(model: Model, forecast: JointForecast, as_of: np.datetime64 | None) -> list[Note]:
    """What a user should know of a forecast: where it knew what came next, and old prices in it.

    Args:
        model: whose it is.
        forecast: of several tickers.
        as_of: the date that was asked for, beside which each older history has a note already.
    """
    notes = hindsight_notes(model, forecast.predictions.forecasts)
    return notes if as_of is not None else [*notes, *lag_notes(forecast)]


def lag_notes(forecast: JointForecast) -> list[Note]:
    """A loud remark on histories that end before the last session of the others."""
    least = np.where(forecast.behind_estimated, _NOTED_WEEKDAYS, _NOTED_BEHIND)
    late = np.flatnonzero(forecast.behind >= least).tolist()
    if not late:
        return []
    first = max(late, key=lambda place: forecast.behind[place])
    history, others = forecast.histories[first], [p for p in late if p != first]
    behind = counted(int(forecast.behind[first]), "session")
    about = f"about {behind} by weekdays" if forecast.behind_estimated[first] else behind
    message = (
        f"its last bar is of {history.cutoff}, {about} behind {forecast.cutoff}: that price is"
        " taken for today's, and what the sessions since may have moved is part of the forecast"
    )
    if others:
        named = few([forecast.histories[place].ticker for place in others])
        message += f"; so it is with {named}, which end earlier, too"
    return [Note(message, history.ticker, loud=True)]


def require_bars(histories: Sequence[History], as_of: np.datetime64 | None) -> None:
    """Raise a DataError where histories are too short, or begin too late for a date.

    It names a date from which on all of them can be forecast.
    """
    for history in sorted(histories, key=first_cutoff, reverse=True):
        usable(history, as_of)


def _check_ends(histories: Sequence[History], cutoff: np.datetime64) -> None:
    """Refuse a history that ended long before the others, whose price of today is not known."""
    oldest = min(histories, key=lambda history: history.cutoff)
    if (cutoff - oldest.cutoff) / np.timedelta64(1, "D") > _OLDEST:
        raise DataError(
            f"{oldest.ticker} ends on {oldest.cutoff} and others on {cutoff}; histories that end"
            f" within {_OLDEST} days of each other are needed. Leave it out, or forecast from its"
            f" end: {parameter('as_of')} {oldest.cutoff}"
        )


def _after(
    history: History, cutoff: np.datetime64, count: int, calendars: Calendars
) -> tuple[Days, Mask]:
    """The sessions of a history's calendar after a date, and which are estimated."""
    days, estimated = calendars.next_sessions(history, count + _LONGEST)
    later = days > cutoff
    return days[later][:count], estimated[later][:count]


def _own_steps(histories: Sequence[History], dates: Days, calendars: Calendars) -> Floats:
    """How many sessions each history has after its cutoff up to each date, ``(S, N)``."""
    span = int((dates[-1] - min(h.cutoff for h in histories)) / np.timedelta64(1, "D"))
    out = np.empty((len(dates), len(histories)))
    for column, history in enumerate(histories):
        days, _ = calendars.next_sessions(history, max(span, 1))
        out[:, column] = np.searchsorted(days, dates, side="right")
    return out


def _log_quantiles(result: Predictions, levels: Floats) -> Floats:
    """Quantiles of all forecasts as log returns, ``(N, H, Q)``."""
    prices = np.array(
        [
            [[step.quantiles[q] for q in levels.tolist()] for step in forecast.steps]
            for forecast in result.forecasts
        ]
    )
    last = np.array([forecast.last_close for forecast in result.forecasts])
    return np.asarray(np.log(prices / last[:, None, None]))
