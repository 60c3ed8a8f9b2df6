"""Predict: dated price quantiles for the sessions after each cutoff, without TensorFlow."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from forecaster.arrays import Floats
from forecaster.errors import DataError, ModelError, parameter
from forecaster.features.closing_order import ClosingOrder, nothing
from forecaster.features.cross_section import FEWEST
from forecaster.features.market_states import MarketStates
from forecaster.features.representation import REACH
from forecaster.market.age import Age
from forecaster.market.bars import History
from forecaster.market.calendars import NO_CALENDARS, Calendars
from forecaster.market.notes import Failure, Note
from forecaster.model.artifact import Model
from forecaster.model.forecaster import Newest
from forecaster.model.past_forecasts import Calibration

if TYPE_CHECKING:
    from forecaster.jobs.parallel import Pool

USUAL_STEPS = 5
"""Steps where none were asked for: a week of sessions."""

SHORTEST_HISTORY = 2
"""Fewest bars that a forecast can be made from."""


def in_hindsight(model: Model, cutoff: np.datetime64) -> bool:
    """Whether a model has seen what came after a cutoff: no forecast from there tests it fairly."""
    return bool(cutoff < model.trained_to)


def hindsight_notes(model: Model, forecasts: Sequence[TickerForecast]) -> list[Note]:
    """A note where a forecast is from before the end of the model's training."""
    early = [forecast for forecast in forecasts if in_hindsight(model, forecast.cutoff)]
    if not early:
        return []
    message = (
        f"it is forecast from {early[0].cutoff}, and model {model.name} was trained to"
        f" {model.card.trained_to}: it has seen what came next, so this is no fair test of it."
    )
    return [Note(message, early[0].ticker)]


Side = Literal["above", "below"]
Mark = float | Literal["last"]
"""A price, or the last one."""


@dataclass(frozen=True)
class Chance:
    """The probability of a price above or below a mark.

    Attributes:
        side: of the mark.
        mark: as it was asked for.
        price: of the mark.
        probability: at most, or at least, what the outermost levels say where it lies outside.
        outside: whether the mark lies outside the outermost quantiles, so that only that is known.
    """

    side: Side
    mark: Mark
    price: float
    probability: float
    outside: bool

    @property
    def name(self) -> str:
        """``above-450``, ``below-last``."""
        mark = self.mark if isinstance(self.mark, str) else f"{self.mark:.12g}"
        return f"{self.side}-{mark}"


@dataclass(frozen=True)
class Step:
    """The forecast for one session.

    Attributes:
        step: h.
        session: its date.
        session_estimated: whether the date follows weekdays, not a calendar.
        naive: the last price.
        quantiles: level to price, rising; as traded at the cutoff.
        intervals: low and high price by share in percent; none unless they were asked for.
        chances: of prices above and below marks; none unless they were asked for.
    """

    step: int
    session: np.datetime64
    session_estimated: bool
    naive: float
    quantiles: dict[float, float]
    intervals: dict[float, tuple[float, float]] = field(default_factory=dict)
    chances: tuple[Chance, ...] = ()


@dataclass(frozen=True)
class TickerForecast:
    """All steps of one ticker.

    Attributes:
        ticker: the symbol.
        cutoff: the last session seen.
        last_close: price at the cutoff, as traded.
        currency: or None.
        steps: from 1 on.
        fingerprint: SHA-256 of the bars seen: its own, and those that made the market state.
        market_tickers: how many tickers made the market state at the cutoff; 0: it was forecast
            alone.
        sessions_behind: how many sessions had closed since the cutoff when it was made: the first
            so many steps are for sessions that were over; None: no calendar tells, or nobody asked.
        calibration: what the model's past forecasts of the ticker made of this one; None: there are
            none, or it is the network's answer.
    """

    ticker: str
    cutoff: np.datetime64
    last_close: float
    currency: str | None
    steps: tuple[Step, ...]
    fingerprint: str
    market_tickers: int = 0
    sessions_behind: int | None = None
    calibration: Calibration | None = None

    def plain_steps(self) -> list[dict[str, Any]]:
        """The steps as JSON has them: dates as text, quantile levels as keys such as ``"0.05"``."""
        names = [f"{level:g}" for level in self.steps[0].quantiles]
        return [
            {
                "step": step.step,
                "session": str(step.session),
                "session_estimated": step.session_estimated,
                "naive": step.naive,
                "quantiles": dict(zip(names, step.quantiles.values(), strict=True)),
            }
            for step in self.steps
        ]


@dataclass(frozen=True)
class Predictions:
    """Forecasts in the order of the histories, and the tickers that failed.

    Attributes:
        forecasts: one a ticker.
        failures: tickers without one.
        dates_for_moments: whether a market state took bars of one date to have closed together,
            since no calendar tells when they did.
    """

    forecasts: tuple[TickerForecast, ...]
    failures: tuple[Failure, ...]
    dates_for_moments: bool = False


def predict(
    model: Model,
    histories: Sequence[History],
    *,
    market: Sequence[History] | None = None,
    horizon: int | None = None,
    as_of: np.datetime64 | None = None,
    calendars: Calendars = NO_CALENDARS,
    ages: Mapping[str, Age] = MappingProxyType({}),
    rest: Callable[[], None] = nothing,
    record: bool = False,
    pool: Pool | None = None,
) -> Predictions:
    """Forecast every history from its last bar, all in one pass of the network.

    The last ``REACH`` bars of each are read.

    Args:
        model: a trained model.
        histories: at least 2 bars each; a shorter one is a failure of its own.
        market: those that make the market state; None: ``histories`` themselves.
        horizon: steps, at most the model's; None: ``USUAL_STEPS``, or the model's if fewer.
        as_of: forecast as if this date were the last session.
        calendars: sessions of the calendars that histories name; without them, and past their
            ends, sessions are estimated.
        ages: how old the last bars are, by ticker, where somebody asked.
        rest: called now and then, when bars that were read are not needed for a while.
        record: measure the losses of past forecasts, where these calibrate new ones.
        pool: processes that forecast many histories; None: this one alone.

    Raises:
        SettingsError: the model was not trained for that many steps.
    """
    steps = checked_horizon(model, horizon)
    ready: list[History] = []
    failures = []
    for history in histories:
        try:
            ready.append(usable(history, as_of))
        except DataError as error:
            failures.append(Failure(error, history.ticker))
    members = ready if market is None else _members(market, as_of)
    states = model.representation.market_states(members, rest)
    order = states.order
    has_state = model.representation.market_state and len(order.members) >= FEWEST
    forecasts = []
    newest = _newest(model, ready, states, rest, pool, record=record)
    for history, (returns, calibration) in zip(ready, newest, strict=True):
        try:
            forecast = dated(model, history, returns, steps, calendars)
        except ModelError as error:
            failures.append(Failure(error, history.ticker))
            continue
        age = ages.get(history.ticker)
        known = None if age is None or age.unknown else age.behind
        forecast = replace(forecast, calibration=calibration, sessions_behind=known)
        forecasts.append(_with_market(forecast, history, order) if has_state else forecast)
    return Predictions(tuple(forecasts), tuple(failures), has_state and order.is_assumed(ready))


def _newest(
    model: Model,
    histories: Sequence[History],
    states: MarketStates,
    rest: Callable[[], None],
    pool: Pool | None,
    *,
    record: bool,
) -> Iterator[Newest]:
    """The forecast from the end of each history, made here or in a pool."""
    if pool is None or pool.processes == 1:
        return model.forecaster.newest(histories, states, rest, record=record)
    from forecaster.jobs.bulk_forecasts import newest_of_many

    return newest_of_many(pool, model.forecaster, histories, states, rest, record=record)


def _members(market: Sequence[History], as_of: np.datetime64 | None) -> list[History]:
    """The last ``REACH`` bars of a market set up to a date; one too short is left out."""
    members = []
    for history in market:
        with contextlib.suppress(DataError):
            members.append(usable(history, as_of))
    return members


def _with_market(forecast: TickerForecast, history: History, order: ClosingOrder) -> TickerForecast:
    """A forecast that says which bars of others were its inputs, and of how many tickers."""
    count = order.count(history)
    return replace(
        forecast,
        fingerprint=order.fingerprint(history),
        market_tickers=count if count >= FEWEST else 0,
    )


def checked_horizon(model: Model, horizon: int | None) -> int:
    """How many steps a model forecasts where so many were asked for; None: as usual.

    Raises:
        SettingsError: the model was not trained for that many.
    """
    if horizon is None:
        return min(model.settings.horizon, USUAL_STEPS)
    model.require_steps([horizon], parameter("horizon"))
    return horizon


def first_cutoff(history: History) -> np.datetime64:
    """The session from which on a history can be forecast; its last one where it is too short."""
    return np.datetime64(history.sessions[:SHORTEST_HISTORY][-1], "D")


def usable(history: History, as_of: np.datetime64 | None) -> History:
    """The last ``REACH`` bars up to a date: all that a forecast reads.

    Raises:
        DataError: they are too few for a forecast.
    """
    if len(history) < SHORTEST_HISTORY:
        raise DataError(
            f"{history.ticker} has {len(history)} bar ({history.cutoff}); a forecast needs at least"
            f" {SHORTEST_HISTORY}. Add more sessions to the file."
        )
    if as_of is not None and as_of < first_cutoff(history):
        raise DataError(
            f"{history.ticker} begins on {history.first} and {as_of} was asked for; a forecast"
            f" needs at least {SHORTEST_HISTORY} bars up to its date. Ask for"
            f" {first_cutoff(history)} or later."
        )
    seen = history if as_of is None else history.up_to(as_of)
    return seen.slice(max(len(seen) - REACH, 0), len(seen))


def dated(
    model: Model,
    history: History,
    returns: Floats,
    steps: int,
    calendars: Calendars,
) -> TickerForecast:
    """Log returns ``(H, Q)`` from the end of a history as dated prices.

    Raises:
        ModelError: a price is not finite, or is 0.
    """
    last = float(history.close[-1])
    with np.errstate(over="ignore"):
        prices = last * np.exp(returns)
    if not bool(np.all(np.isfinite(prices) & (prices > 0))):
        raise ModelError(
            f"{history.ticker}: model {model.name} gives no finite price; its network is unstable."
            f" Train it again with a lower {parameter('learning_rate')} or"
            f" {parameter('activation')} tanh."
        )
    sessions, estimated = calendars.next_sessions(history, steps)
    dated_steps = tuple(
        Step(
            step=h + 1,
            session=sessions[h],
            session_estimated=bool(estimated[h]),
            naive=last,
            quantiles=dict(zip(model.settings.quantiles, prices[h].tolist(), strict=True)),
        )
        for h in range(steps)
    )
    return TickerForecast(
        ticker=history.ticker,
        cutoff=history.cutoff,
        last_close=last,
        currency=history.currency,
        steps=dated_steps,
        fingerprint=history.fingerprint,
    )
