"""Documents of ``explain`` and ``gradients``."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from forecaster.documents import Count, Size, Whole
from forecaster.jobs.gradients import Weights, Word
from forecaster.jobs.importance import Part
from forecaster.model.gradients import Clipping
from forecaster.output.documents.parts import Date, MeasuredModel


class DayBar(TypedDict):
    """A session's bar in plain units; None where a value is not known.

    Attributes:
        return_percent: return on the session before.
        range_percent: how far the high is above the low.
        gap_percent: from the close before to the open.
        volume_times_usual: as a multiple of its mean over the 20 sessions before.
        volatility_percent_a_year: at the close.
    """

    return_percent: float | None
    range_percent: float | None
    gap_percent: float | None
    volume_times_usual: float | None
    volatility_percent_a_year: float | None


class CellState(TypedDict):
    """Sizes of one cell's states at a forecast.

    Attributes:
        layer: from 1, the bottom one.
        backward: whether it read backwards.
        size: Euclidean norm of the hidden state.
        memory: norm of the cell state of lstm; None for other cells.
    """

    layer: Count
    backward: bool
    size: Size
    memory: Size | None


class DayState(TypedDict):
    """What the network remembered at a forecast.

    Attributes:
        size: Euclidean norm of the hidden states of all cells together.
        cells: each by itself.
    """

    size: Size
    cells: list[CellState]


class ExplainedDay(TypedDict):
    """A session, and the forecast at its close.

    Attributes:
        session: its date.
        close: price, as traded.
        inputs: standardised, by name; None for what is not known of a single ticker.
        target: session that is forecast.
        target_estimated: whether its date was estimated from the weekdays seen.
        quantiles: price by level.
        median: price; between the two levels around it where the model has no level 0.5.
        low: price at the lower end of the interval; None where the model has one level alone.
        high: price at the upper end of the interval; None likewise.
        drift_percent: median above the close, in percent of it.
        drift_change_points: since the session before, in percentage points.
        width_percent: of the interval, in percent of the close.
        width_change_percent: growth of the width since the session before.
        moved_most: whether no other session shown changed the forecast more.
    """

    session: Date
    close: float
    bar: DayBar
    inputs: dict[str, float | None]
    state: DayState
    target: Date
    target_estimated: bool
    quantiles: dict[str, float]
    median: float
    low: float | None
    high: float | None
    drift_percent: float
    drift_change_points: float | None
    width_percent: float | None
    width_change_percent: float | None
    moved_most: bool


class WithheldBars(TypedDict):
    """Change of the last forecast without older bars.

    Attributes:
        sessions: that stay, with the close before them.
        median_change: of the median, in percent of the price.
        width_change: of the interval's width, in percent; None for a model with one level alone.
    """

    sessions: Count
    median_change: float
    width_change: float | None


class InputGain(TypedDict):
    """Growth of the loss through shuffling of some inputs.

    Attributes:
        name: of the group or the input.
        inputs: the columns shuffled together.
        loss_percent: growth of the loss, mean over the repeats; None where the inputs never change.
        spread_points: standard deviation over the repeats, in percentage points.
    """

    name: str
    inputs: list[str]
    loss_percent: float | None
    spread_points: float | None


class InputImportance(TypedDict):
    """Importance of the inputs on some sessions.

    Attributes:
        part: whether training has seen the sessions.
        first: first session forecast from.
        last: last session forecast from.
        sessions: their count.
        pinball: loss of log returns, without shuffling.
        groups: of inputs, the most important first.
        inputs: single inputs, the most important first; empty unless asked for.
    """

    part: Part
    first: Date
    last: Date
    sessions: Count
    pinball: Size
    groups: list[InputGain]
    inputs: list[InputGain]


class ExplainDocument(TypedDict):
    """Why a forecast is what it is, as written by forecast explain.

    Attributes:
        ticker: symbol.
        cutoff: last session that the forecast saw.
        currency: of all prices; None where it is not known.
        step: sessions ahead.
        interval: its two quantile levels; None for a model with one level alone.
        days: oldest first; the last one is the forecast of forecast predict.
        withheld: changes without older bars.
        looks_back: fewest sessions from which on no change counts; None if there are none.
        importance: of the inputs; None where too few sessions can be scored.
        seed: of the shuffling.
        notes: sentences for the reader.
    """

    schema: Literal["explain/1"]
    model: MeasuredModel
    ticker: str
    cutoff: Date
    currency: str | None
    step: Count
    interval: tuple[float, float] | None
    days: list[ExplainedDay]
    withheld: list[WithheldBars]
    looks_back: Whole | None
    importance: InputImportance | None
    seed: Whole
    notes: list[str]


class ReachRow(TypedDict):
    """A gradient on its way back through one network.

    Attributes:
        network: the cell, or the textbook unit.
        weights: trained, as training starts them, or the textbook's.
        factor: by which it changes with each step; None where it overflows.
        word: for the factor.
        norms: of the gradient at the input 0, 1, 2, ... sessions back; None where it overflows.
    """

    network: str
    weights: Weights
    factor: float | None
    word: Word
    norms: list[float | None]


class ClippedRow(TypedDict):
    """One training step under one kind of clipping.

    Attributes:
        clipping: its kind.
        limit: of the gradient's norm or of each of its numbers; None for none.
        before: norm of the gradient of all weights together; None where it overflows.
        after: norm of the clipped gradient; None where it overflows.
        plain: length of the step of plain gradient descent; None where it overflows.
        adam: length of Adam's step after some ordinary ones; None where it overflows.
    """

    clipping: Clipping
    limit: float | None
    before: float | None
    after: float | None
    plain: float | None
    adam: float | None


class ClippedSteps(TypedDict):
    """A training step of one network, under each kind of clipping.

    Attributes:
        network: its cell.
        usual: an ordinary step.
        burst: a step with a gradient a hundred times as large.
    """

    network: str
    usual: list[ClippedRow]
    burst: list[ClippedRow]


class GradientsDocument(TypedDict):
    """Gradients of networks by lag, as written by forecast gradients.

    Attributes:
        ticker: symbol.
        lags: sessions back that were measured.
        windows: count of sequences in the means.
        rows: of networks, then of the textbook.
        step: how clipping changes one training step.
        notes: sentences for the reader.
    """

    schema: Literal["gradients/1"]
    model: MeasuredModel
    ticker: str
    lags: Count
    windows: Count
    rows: list[ReachRow]
    step: ClippedSteps
    notes: list[str]
