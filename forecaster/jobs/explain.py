"""Explanation of a forecast: its last sessions, how far back it looks, which inputs matter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecaster.errors import SettingsError, parameter
from forecaster.jobs.importance import Importance, importance
from forecaster.jobs.predict import in_hindsight, usable
from forecaster.jobs.rolling_forecast import Day, ends_of, forecast_of, interval_of, unroll
from forecaster.market.bars import History
from forecaster.market.calendars import NO_CALENDARS, Calendars
from forecaster.market.notes import Note
from forecaster.model.artifact import Model
from forecaster.wording import counted

LOOKBACKS = (1, 2, 5, 10, 20, 60, 120, 250)
"""k: counts of sessions that stay when older bars are withheld."""

NEGLIGIBLE = 1.0
"""Percent of the interval's width; smaller changes do not count."""

MOST_SESSIONS = 250


@dataclass(frozen=True)
class Withheld:
    """Change of the last forecast without older bars.

    Attributes:
        sessions: k, the sessions that stay, with the close before them.
        median_change: of the median, in percent of the price.
        width_change: of the interval's width, in percent; None for a model with one level alone.
    """

    sessions: int
    median_change: float
    width_change: float | None


@dataclass(frozen=True)
class Explanation:
    """The last forecasts of a history, how far back they look, and which inputs matter.

    Attributes:
        history: the bars.
        step: h.
        levels: the interval's two quantile levels; None for a model with one level alone.
        days: oldest first; the last one is the forecast of ``predict``.
        withheld: changes without older bars, for each k below the history's length.
        looks_back: smallest k from which on no change counts; None if there is none.
        importance: of the inputs; None where too few sessions can be scored.
        seed: of the shuffling.
        notes: for the reader.
    """

    history: History
    step: int
    levels: tuple[float, float] | None
    days: tuple[Day, ...]
    withheld: tuple[Withheld, ...]
    looks_back: int | None
    importance: Importance | None
    seed: int
    notes: tuple[Note, ...]


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
        as_of: as if this date were the last session; later bars are not read.
        seed: of the shuffling of inputs.
        one_by_one: shuffle single inputs too.
        calendars: sessions of the calendar that the history names.

    Raises:
        SettingsError: ``last`` or ``step`` is out of range.
        DataError: the history is too short for a forecast.
        ModelError: the network gives no finite price.
    """
    if not 1 <= last <= MOST_SESSIONS:
        raise SettingsError(
            f"{parameter('last')} is {last}; it must be 1 to {MOST_SESSIONS} sessions. Change"
            f" {parameter('last')}."
        )
    model.require_steps([step], parameter("step"))
    usable(history, as_of)
    seen = history if as_of is None else history.up_to(as_of)
    days = unroll(model, seen, last, step, calendars)
    withheld = _withhold(model, seen, step, calendars)
    weighed = importance(model, seen, step=step, seed=seed, one_by_one=one_by_one)
    return Explanation(
        history=seen,
        step=step,
        levels=interval_of(model),
        days=days,
        withheld=withheld,
        looks_back=_looks_back(withheld),
        importance=weighed,
        seed=seed,
        notes=_notes(model, seen, last, days, withheld, weighed),
    )


def _withhold(model: Model, seen: History, step: int, calendars: Calendars) -> tuple[Withheld, ...]:
    """Changes of the last forecast from the last k sessions and the close before them."""
    n, close = len(seen), float(seen.close[-1])
    median, low, high = ends_of(model, forecast_of(model, seen, step, calendars)[1])
    withheld = []
    for k in LOOKBACKS:
        if k + 1 >= n:
            break
        part = seen.slice(n - k - 1, n)
        less, lower, higher = ends_of(model, forecast_of(model, part, step, calendars)[1])
        width = None
        if low is not None and high is not None and lower is not None and higher is not None:
            width = 100.0 * ((higher - lower) / (high - low) - 1.0)
        withheld.append(Withheld(k, 100.0 * (less - median) / close, width))
    return tuple(withheld)


def _looks_back(withheld: tuple[Withheld, ...]) -> int | None:
    """Smallest k from which on no change counts, of the width or else of the median."""
    lookback = None
    for part in reversed(withheld):
        change = part.median_change if part.width_change is None else part.width_change
        if not abs(change) < NEGLIGIBLE:
            break
        lookback = part.sessions
    return lookback


def _notes(
    model: Model,
    seen: History,
    last: int,
    days: tuple[Day, ...],
    withheld: tuple[Withheld, ...],
    weighed: Importance | None,
) -> tuple[Note, ...]:
    notes = []
    if len(days) < last:
        shown = "1 session is" if len(days) == 1 else f"{len(days)} sessions are"
        notes.append(
            f"{seen.ticker} has {counted(len(seen), 'bar')}, so {shown} shown instead of {last}."
        )
    if len(withheld) < len(LOOKBACKS):
        missing = ", ".join(str(k) for k in LOOKBACKS[len(withheld) :])
        notes.append(f"The history is too short to withhold what is older than {missing} sessions.")
    first, stop = model.representation.market_state_columns
    if stop > first:
        notes.append(
            "Other tickers are not known, since one history is read by itself; the network was"
            " trained to do without them too."
            if model.representation.market_state
            else "Other tickers are not known; the model was trained without them."
        )
    if in_hindsight(model, days[-1].session):
        notes.append(
            f"Model {model.name} was trained to {model.card.trained_to}: it has seen what came"
            f" after {days[-1].session}."
        )
    if model.settings.bidirectional:
        notes.append(
            "The model reads each window both ways: its backward state ends at the window's first"
            " session."
        )
    if weighed is None:
        notes.append("Too few sessions have a later one to tell which inputs matter.")
    return tuple(Note(message) for message in notes)
