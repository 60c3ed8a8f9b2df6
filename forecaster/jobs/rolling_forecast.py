"""Forecasts after each of the last sessions of a history, with the inputs and states of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from forecaster.evaluation import metrics
from forecaster.features.representation import Encoding
from forecaster.features.scaling import VolatilityScale
from forecaster.features.volatility import log_returns, measure, overnight_gaps, pooled_variance
from forecaster.jobs.intervals import quantile
from forecaster.jobs.predict import SHORTEST_HISTORY, Step, dated, usable
from forecaster.market.bars import History
from forecaster.market.calendars import Calendars
from forecaster.model.artifact import Model
from forecaster.model.numpy_rnn import Trace, answer, traces

_VOLUME_SESSIONS = 20
_SHARE = 0.9


@dataclass(frozen=True)
class Bar:
    """A session's bar in plain units; None where a value is not known.

    Attributes:
        return_percent: return on the session before.
        range_percent: how far the high is above the low.
        gap_percent: from the close before to the open.
        volume_times_usual: as a multiple of its mean over the 20 sessions before.
        volatility_percent_a_year: σ at the close.
    """

    return_percent: float | None
    range_percent: float | None
    gap_percent: float | None
    volume_times_usual: float | None
    volatility_percent_a_year: float


@dataclass(frozen=True)
class State:
    """Sizes of one cell's states at a forecast.

    Attributes:
        layer: from 1, the bottom one.
        backward: whether it read backwards.
        size: Euclidean norm of the hidden state.
        memory: norm of the cell state of ``lstm``; None for other cells.
    """

    layer: int
    backward: bool
    size: float
    memory: float | None


@dataclass(frozen=True)
class Day:
    """A session, and the forecast at its close.

    Attributes:
        session: its date.
        close: as traded.
        target: the forecast step.
        median: price.
        low: lower end of the interval; None where the model has one level alone.
        high: upper end of that interval.
        drift: median over close, in percent above it.
        width: of the interval, in percent of the close.
        width_change: growth of ``width`` since the session before, in percent.
        drift_change: of ``drift`` since the session before, in percentage points.
        moved_most: whether no other session shown changed the forecast more.
        bar: its bar.
        inputs: standardised, by name; None for what is not known of a single ticker.
        states: of every cell.
    """

    session: np.datetime64
    close: float
    target: Step
    median: float
    low: float | None
    high: float | None
    drift: float
    width: float | None
    width_change: float | None
    drift_change: float | None
    moved_most: bool
    bar: Bar
    inputs: dict[str, float | None]
    states: tuple[State, ...]

    @property
    def state_size(self) -> float:
        """Norm of the hidden states of all cells together."""
        return float(np.sqrt(sum(s.size**2 for s in self.states)))


def unroll(
    model: Model, seen: History, last: int, step: int, calendars: Calendars
) -> tuple[Day, ...]:
    """Forecasts after each of the last sessions, oldest first."""
    first = max(len(seen) - last, SHORTEST_HISTORY - 1)
    before = max(first - 1, SHORTEST_HISTORY - 1)  # so that the first one shown has a change
    days = [_day(model, seen.slice(0, n + 1), step, calendars) for n in range(before, len(seen))]
    changed = days[:1] + [_changed(a, b) for a, b in pairwise(days)]
    shown = changed[first - before :]
    moves = [abs(_move(day)) for day in shown]
    most = int(np.argmax(moves)) if max(moves) > 0 else -1
    return tuple(replace(day, moved_most=i == most) for i, day in enumerate(shown))


def _day(model: Model, seen: History, step: int, calendars: Calendars) -> Day:
    """The last session of a history and the forecast from it."""
    encoded, target, traced = forecast_of(model, seen, step, calendars)
    close = float(encoded.history.close[-1])
    median, low, high = ends_of(model, target)
    return Day(
        session=encoded.history.cutoff,
        close=close,
        target=target,
        median=median,
        low=low,
        high=high,
        drift=100.0 * (median / close - 1.0),
        width=None if low is None or high is None else 100.0 * (high - low) / close,
        width_change=None,
        drift_change=None,
        moved_most=False,
        bar=_bar(encoded),
        inputs=_inputs(model, encoded),
        states=_states(traced),
    )


def forecast_of(
    model: Model, seen: History, step: int, calendars: Calendars
) -> tuple[Encoding, Step, list[Trace]]:
    """Inputs, forecast at one step and states of one history.

    It is encoded by itself: histories of one ticker side by side would be each other's market.
    """
    history = usable(seen, None)
    forecaster = model.forecaster
    encoded = model.representation.encode_all([history], last=forecaster.sessions_read)[0]
    network = model.network.in_double()
    window = encoded.inputs[-model.settings.context_length :][None].astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # an unstable relu network overflows
        traced = traces(network, window)
        outputs = np.asarray(answer(network, traced, window), dtype=np.float64)
    ((output, _),) = forecaster.calibrated([encoded], list(outputs))
    forecast = dated(model, history, encoded.from_end(output), step, calendars)
    return encoded, forecast.steps[-1], traced


def interval_of(model: Model) -> tuple[float, float] | None:
    """The levels of the 90% interval, or the outermost where the model has no such interval."""
    levels = model.settings.quantiles
    if len(levels) == 1:
        return None
    low, high = metrics.interval_levels(levels, _SHARE) or (0, len(levels) - 1)
    return levels[low], levels[high]


def ends_of(model: Model, target: Step) -> tuple[float, float | None, float | None]:
    """Median, and the interval's ends."""
    ends = interval_of(model)
    median = quantile(target.quantiles, 0.5)
    if ends is None:
        return median, None, None
    return median, target.quantiles[ends[0]], target.quantiles[ends[1]]


def _changed(before: Day, day: Day) -> Day:
    change = None
    if before.width and day.width is not None:
        change = 100.0 * (day.width / before.width - 1.0)
    return replace(day, width_change=change, drift_change=day.drift - before.drift)


def _move(day: Day) -> float:
    """Move of the forecast by a session: of its width, or of its median without a width."""
    if day.width is not None:
        return float(np.log1p((day.width_change or 0.0) / 100.0))
    return day.drift_change or 0.0


def _bar(encoded: Encoding) -> Bar:
    history = encoded.history
    returns = log_returns(history)
    gap = overnight_gaps(history, returns)[-1]
    volume = history.volume[-1 - _VOLUME_SESSIONS :]
    before = volume[:-1][np.isfinite(volume[:-1])]
    usual = float(before.mean()) if len(before) else 0.0
    if isinstance(encoded.scale, VolatilityScale):
        volatility = encoded.scale.measures.volatility[-1]
    else:
        volatility = measure(history, pooled_variance([history])).volatility[-1]
    sessions_a_year = 252 if np.all(np.is_busday(history.sessions)) else 365  # or with weekends
    return Bar(
        return_percent=_known(100.0 * np.expm1(returns[-1])),
        range_percent=_known(100.0 * (history.high[-1] / history.low[-1] - 1.0)),
        gap_percent=_known(100.0 * np.expm1(gap)),
        volume_times_usual=_known(volume[-1] / usual) if usual > 0 else None,
        volatility_percent_a_year=float(100.0 * volatility * np.sqrt(sessions_a_year)),
    )


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _inputs(model: Model, encoded: Encoding) -> dict[str, float | None]:
    """The last row of inputs by name; None where the market state is not known."""
    first, stop = model.representation.market_state_columns
    named = zip(model.representation.features, encoded.inputs[-1].tolist(), strict=True)
    return {name: None if first <= i < stop else value for i, (name, value) in enumerate(named)}


def _states(traced: list[Trace]) -> tuple[State, ...]:
    """Sizes at the end of the window: backward cells end at its first session."""
    states = []
    for trace in traced:
        end = 0 if trace.backward else -1
        c = trace.cell_state
        memory = None if c is None else float(np.linalg.norm(c[0, end]))
        states.append(State(trace.layer + 1, trace.backward, float(trace.sizes[0, end]), memory))
    return tuple(states)
