"""Explain: the forecast unrolled over its last sessions, how far back it looks, what matters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from forecaster.errors import SettingsError
from forecaster.evaluation import metrics
from forecaster.features.representation import Encoded
from forecaster.features.scaling import VolatilityScale
from forecaster.features.volatility import log_returns, measure, overnight_gaps, pooled_variance
from forecaster.jobs.importance import Importance, importance
from forecaster.jobs.predict import SHORTEST_HISTORY, Step, dated, usable
from forecaster.market.bars import History
from forecaster.market.calendars import NO_CALENDARS, Calendars
from forecaster.model.artifact import Model
from forecaster.model.inference import outputs_now
from forecaster.model.recurrence import middle_level, traces

LOOKBACKS = (1, 2, 5, 10, 20, 60, 120, 250)
"""k: sessions that are kept while older bars are withheld."""

NEGLIGIBLE = 1.0
"""A change of the interval's width by less than so many percent does not count."""

MOST_SESSIONS = 250

_VOLUME_SESSIONS = 20
_SHARE = 0.9


@dataclass(frozen=True)
class Bar:
    """One session's bar in plain units; None where the history does not tell.

    Attributes:
        change: return on the session before, in percent.
        range: how far the high is above the low, in percent.
        gap: from the close before to the open, in percent.
        volume: as a multiple of its mean over the 20 sessions before.
        volatility: σ at the close, a year's, in percent.
    """

    change: float | None
    range: float | None
    gap: float | None
    volume: float | None
    volatility: float


@dataclass(frozen=True)
class State:
    """How much one cell held when a forecast was made.

    Attributes:
        layer: from 1, the bottom one.
        backward: whether it read backwards.
        size: Euclidean norm of the state.
        memory: norm of what ``lstm`` keeps inside; None for other cells.
    """

    layer: int
    backward: bool
    size: float
    memory: float | None


@dataclass(frozen=True)
class Day:
    """A session, and the forecast as it stood at its close.

    Attributes:
        session: its date.
        close: as traded.
        target: the session that the forecast is for.
        median: price.
        low: lower end of the interval; None where the model has one level alone.
        high: upper end, likewise.
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
        """Norm of all cells' states together."""
        return float(np.sqrt(sum(s.size**2 for s in self.states)))


@dataclass(frozen=True)
class Withheld:
    """What the last forecast becomes without older bars.

    Attributes:
        sessions: k that are kept, with the close before them.
        median_change: of the median, in percent of the price.
        width_change: of the interval's width, in percent; None for a model with one level alone.
    """

    sessions: int
    median_change: float
    width_change: float | None


@dataclass(frozen=True)
class Explanation:
    """A forecast and where it comes from.

    Attributes:
        history: the bars seen.
        step: h, the step shown.
        levels: the interval's two quantile levels; None for a model with one level alone.
        days: oldest first; the last one is the forecast of ``predict``.
        withheld: for each k that the history is longer than.
        looks_back: smallest k from which on no change counts; None if there is none.
        importance: or None where too few sessions can be scored.
        seed: of the shuffling.
        notes: what the reader should know.
    """

    history: History
    step: int
    levels: tuple[float, float] | None
    days: tuple[Day, ...]
    withheld: tuple[Withheld, ...]
    looks_back: int | None
    importance: Importance | None
    seed: int
    notes: tuple[str, ...]


def explain(
    model: Model,
    history: History,
    *,
    last: int = 10,
    step: int = 1,
    as_of: np.datetime64 | None = None,
    seed: int = 0,
    one_by_one: bool = False,
    calendars: Calendars = NO_CALENDARS,
) -> Explanation:
    """Unroll a forecast.

    Args:
        model: a trained model.
        history: at least 2 bars.
        last: sessions to show; fewer where the history is shorter.
        step: h, at most the model's horizon.
        as_of: as if this date were the last session; nothing after it is read.
        seed: of the shuffling that tells which inputs matter.
        one_by_one: shuffle every input by itself too.
        calendars: sessions of the calendar that the history names.

    Raises:
        SettingsError: ``last`` or ``step`` is out of range.
        DataError: the history is too short for a forecast.
        ModelError: the network gives no finite price.
    """
    if not 1 <= last <= MOST_SESSIONS:
        raise SettingsError(
            f"--last is {last}; it must be 1 to {MOST_SESSIONS} sessions. Change --last."
        )
    if not 1 <= step <= model.settings.horizon:
        raise SettingsError(
            f"--step is {step}; model {model.name} was trained for 1 to {model.settings.horizon}"
            " sessions. Ask for one of those."
        )
    usable(history, as_of)
    seen = history if as_of is None else history.up_to(as_of)
    days = _unroll(model, seen, last, step, calendars)
    withheld = _withhold(model, seen, step, calendars)
    weighed = importance(model, seen, step=step, seed=seed, one_by_one=one_by_one)
    return Explanation(
        history=seen,
        step=step,
        levels=_levels(model),
        days=days,
        withheld=withheld,
        looks_back=_looks_back(withheld),
        importance=weighed,
        seed=seed,
        notes=_notes(model, seen, last, days, withheld, weighed),
    )


def _unroll(
    model: Model, seen: History, last: int, step: int, calendars: Calendars
) -> tuple[Day, ...]:
    """The last sessions, oldest first, each forecast from what was known then."""
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
    encoded, target = _forecast(model, seen, step, calendars)
    close = float(encoded.history.close[-1])
    median, low, high = _ends(model, target)
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
        states=_states(model, encoded),
    )


def _forecast(model: Model, seen: History, step: int, calendars: Calendars) -> tuple[Encoded, Step]:
    """What ``predict`` does for one history, and the inputs that it read.

    Encoded by itself: histories of one ticker side by side would be each other's companions.
    """
    history = usable(seen, None)
    encoded = model.representation.encode_all([history], last=model.settings.steps)[0]
    (output,) = outputs_now(model.network, [encoded], model.settings.steps)
    return encoded, dated(model, encoded, output, step, calendars).steps[-1]


def _levels(model: Model) -> tuple[float, float] | None:
    """The levels of the 90% interval, or the outermost where the model has no such interval."""
    levels = model.settings.quantiles
    if len(levels) == 1:
        return None
    low, high = metrics.interval_levels(levels, _SHARE) or (0, len(levels) - 1)
    return levels[low], levels[high]


def _ends(model: Model, target: Step) -> tuple[float, float | None, float | None]:
    """Median, and the interval's ends."""
    levels, ends = model.settings.quantiles, _levels(model)
    median = target.quantiles[levels[middle_level(levels)]]
    if ends is None:
        return median, None, None
    return median, target.quantiles[ends[0]], target.quantiles[ends[1]]


def _changed(before: Day, day: Day) -> Day:
    change = None
    if before.width and day.width is not None:
        change = 100.0 * (day.width / before.width - 1.0)
    return replace(day, width_change=change, drift_change=day.drift - before.drift)


def _move(day: Day) -> float:
    """How far a session moved the forecast: its width, or the median where there is no width."""
    if day.width is not None:
        return float(np.log1p((day.width_change or 0.0) / 100.0))
    return day.drift_change or 0.0


def _bar(encoded: Encoded) -> Bar:
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
    return Bar(
        change=_known(100.0 * np.expm1(returns[-1])),
        range=_known(100.0 * (history.high[-1] / history.low[-1] - 1.0)),
        gap=_known(100.0 * np.expm1(gap)),
        volume=_known(volume[-1] / usual) if usual > 0 else None,
        volatility=float(100.0 * volatility * np.sqrt(_sessions_a_year(history))),
    )


def _sessions_a_year(history: History) -> int:
    """365 where weekends are traded, else 252."""
    return 252 if bool(np.all(np.is_busday(history.sessions))) else 365


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _inputs(model: Model, encoded: Encoded) -> dict[str, float | None]:
    """The last row of inputs by name, without zeros that only stand for what is not known."""
    first, stop = model.representation.companion_columns
    named = zip(model.representation.features, encoded.inputs[-1].tolist(), strict=True)
    return {name: None if first <= i < stop else value for i, (name, value) in enumerate(named)}


def _states(model: Model, encoded: Encoded) -> tuple[State, ...]:
    """Sizes when the whole window had been read: backward cells end at its first session."""
    window: NDArray[np.float32] = encoded.inputs[-model.settings.steps :]
    found = []
    for trace in traces(model.network, window[None]):
        end = 0 if trace.backward else -1
        memory = None if trace.memory is None else float(np.linalg.norm(trace.memory[0, end]))
        found.append(State(trace.layer + 1, trace.backward, float(trace.sizes[0, end]), memory))
    return tuple(found)


def _withhold(model: Model, seen: History, step: int, calendars: Calendars) -> tuple[Withheld, ...]:
    """The last forecast again, from the last k sessions and the close before them."""
    n, close = len(seen), float(seen.close[-1])
    median, low, high = _ends(model, _forecast(model, seen, step, calendars)[1])
    found = []
    for k in LOOKBACKS:
        if k + 1 >= n:
            break
        part = seen.slice(n - k - 1, n)
        less, lower, higher = _ends(model, _forecast(model, part, step, calendars)[1])
        width = None
        if low is not None and high is not None and lower is not None and higher is not None:
            width = 100.0 * ((higher - lower) / (high - low) - 1.0)
        found.append(Withheld(k, 100.0 * (less - median) / close, width))
    return tuple(found)


def _looks_back(withheld: tuple[Withheld, ...]) -> int | None:
    """Smallest k from which on no change counts, of the width or else of the median."""
    found = None
    for one in reversed(withheld):
        change = one.median_change if one.width_change is None else one.width_change
        if not abs(change) < NEGLIGIBLE:
            break
        found = one.sessions
    return found


def _notes(
    model: Model,
    seen: History,
    last: int,
    days: tuple[Day, ...],
    withheld: tuple[Withheld, ...],
    weighed: Importance | None,
) -> tuple[str, ...]:
    notes = []
    if len(days) < last:
        notes.append(
            f"{seen.ticker} has {len(seen)} bars, so {len(days)} sessions are shown instead of"
            f" {last}."
        )
    if len(withheld) < len(LOOKBACKS):
        missing = ", ".join(str(k) for k in LOOKBACKS[len(withheld) :])
        notes.append(f"The history is too short to withhold what is older than {missing} sessions.")
    first, stop = model.representation.companion_columns
    if stop > first:
        notes.append(
            "Other tickers are not known, since one history is read by itself; the network was"
            " trained to do without them too."
            if model.representation.companions
            else "Other tickers are not known; the model was trained without them."
        )
    trained_to = str(model.card.get("trained_to", ""))
    if str(days[-1].session) < trained_to:
        notes.append(
            f"Model {model.name} was trained to {trained_to}: it has seen what came after"
            f" {days[-1].session}."
        )
    if model.settings.bidirectional:
        notes.append(
            "The model reads each window both ways: its backward state ends at the window's first"
            " session."
        )
    if weighed is None:
        notes.append("Too few sessions have a later one to tell which inputs matter.")
    return tuple(notes)
