"""Gradients of a loss at the input k sessions back, and the effect of clipping on a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from forecaster.arrays import Floats
from forecaster.errors import DataError, SettingsError, parameter
from forecaster.features.sequences import Batch, TrainingSet, gather_windows
from forecaster.market.bars import History
from forecaster.market.notes import Note
from forecaster.model.artifact import Model
from forecaster.model.gradients import (
    ClippedStep,
    Clipping,
    input_gradients,
    linear_unit_gradients,
    training_step,
)
from forecaster.model.numpy_rnn import GATES, Network
from forecaster.model.settings import Cell, Settings
from forecaster.model.training import batches, fit
from forecaster.wording import counted

Word = Literal["vanishes", "steady", "explodes"]
Weights = Literal["trained", "initial", "trained here", "textbook"]

CELLS: tuple[Cell, ...] = tuple(GATES)

REFERENCE_STEPS = 50
"""Steps for judging a factor: about the context of a network."""

NEGLIGIBLE = 0.01
"""Share of a gradient under which its step is lost in the noise of others."""

TEXTBOOK = (2.0, 0.5)
"""Recurrent weights of the textbook's linear unit."""

MOST_LAGS = 1000
_FEWEST_LAGS = 2
_NOTHING = 1e-45
"""A number that float32 rounds to 0."""
_WINDOWS = 64


@dataclass(frozen=True)
class Reach:
    """A gradient on its way back through one network.

    Attributes:
        name: the cell, or the textbook unit.
        weights: trained, as training starts them, or the textbook's.
        norms: of the gradient at the input k = 0..K sessions back, ``(K + 1,)``.
        factor: by which it changes with each step; not finite where it overflows.
        word: for the factor.
    """

    name: str
    weights: Weights
    norms: Floats
    factor: float
    word: Word


@dataclass(frozen=True)
class Gradients:
    """Gradients of several networks by lag, and a training step under clipping.

    Attributes:
        ticker: of the history.
        lags: K.
        windows: count of sequences in the means.
        rows: of networks, then of the textbook.
        stepped: network of the training step.
        usual: an ordinary step, under each kind of clipping.
        burst: a step with a gradient ``BURST`` times as large.
        notes: for the reader.
    """

    ticker: str
    lags: int
    windows: int
    rows: tuple[Reach, ...]
    stepped: str
    usual: tuple[ClippedStep, ...]
    burst: tuple[ClippedStep, ...]
    notes: tuple[Note, ...]


def measure_gradients(
    model: Model,
    history: History,
    *,
    cells: Sequence[Cell] = CELLS,
    lags: int = 50,
    epochs: int = 0,
    clip_norm: float | None = None,
    clip_value: float | None = None,
) -> Gradients:
    """Differentiate a loss at the last session by the inputs before it.

    Args:
        model: its settings are those of all cells; its cell is shown trained and as training starts
            it, other cells as training starts them.
        history: at least ``lags + 2`` bars.
        cells: to show.
        lags: K, sessions back.
        epochs: of training for the other cells, which are then shown trained as well.
        clip_norm: limit of a training step's norm to show; None: the model's own.
        clip_value: limit of each of its numbers to show; None: the model's own.

    Raises:
        DataError: the history is shorter than the lags.
        SettingsError: ``lags`` is out of range.
        TrainingDiverged: with ``epochs``, a loss was not finite.
    """
    if not _FEWEST_LAGS <= lags <= MOST_LAGS:
        raise SettingsError(
            f"{parameter('lags')} is {lags}; it must be {_FEWEST_LAGS} to {MOST_LAGS}."
            f" Change {parameter('lags')}."
        )
    settings = model.settings
    features = len(model.representation.features)
    encoded = [model.representation.encode(history)]
    data = TrainingSet.of(encoded, [len(history)], settings.horizon)
    windows = _windows(data, history, lags)
    rows = [row for cell in cells for row in _rows(model, cell, history, windows, epochs)]
    rows += [_reach(f"unit × {w:g}", "textbook", linear_unit_gradients(w, lags)) for w in TEXTBOOK]
    trained = settings.cell in cells
    stepping = settings if trained else settings.with_cell(cells[0])
    batch = batches(stepping, data, np.random.default_rng(settings.seed))[0]
    usual, burst = training_step(
        model.network if trained else None,
        stepping,
        features,
        batch,
        _limits(settings, clip_norm, clip_value),
    )
    return Gradients(
        ticker=history.ticker,
        lags=lags,
        windows=len(windows.inputs),
        rows=tuple(rows),
        stepped=f"{stepping.cell}, {'trained' if trained else 'initial'}",
        usual=tuple(usual),
        burst=tuple(burst),
        notes=_notes(model, lags),
    )


def factor_per_step(norms: Floats) -> float:
    """The factor of a gradient with each step back.

    exp of the median slope between all pairs of ``ln norms[k]``, k = 1..K (Theil 1950; Sen 1968),
    so that a bend at either end decides nothing. k = 0 is left out: the head reads that input.

    Args:
        norms: ``(K + 1,)``, K at least 2.

    Returns:
        Infinity where a norm has overflowed. Where the last ones are nothing at all, at most the
        factor that takes the first one to nothing so fast.
    """
    if not bool(np.all(np.isfinite(norms))):
        return float("inf")
    lags = np.flatnonzero(norms > 0)
    lags = lags[lags > 0]
    if len(lags) < 2:
        return 0.0
    logs = np.log(norms[lags])
    near, far = np.triu_indices(len(lags), k=1)
    slope = float(np.median((logs[far] - logs[near]) / (lags[far] - lags[near])))
    if lags[-1] < len(norms) - 1:
        slope = min(slope, float((np.log(_NOTHING) - logs[0]) / (lags[-1] + 1 - lags[0])))
    return float(np.exp(slope))


def word_for(factor: float) -> Word:
    """The word for a gradient that is multiplied by ``factor`` with each step.

    Any factor other than 1 vanishes or explodes in the end (Pascanu, Mikolov and Bengio 2013,
    section 2.1: below or above 1 is the whole theory for a linear unit). What matters is whether it
    does within the sessions that a network reads. It *vanishes* if ``REFERENCE_STEPS`` steps leave
    less than ``NEGLIGIBLE`` of it, so that the far past is learned too slowly beside the near one
    (Bengio, Simard and Frasconi 1994), which is a factor under 0.912; it *explodes* if they make
    it that many times larger, a factor over 1.096; else it is *steady*.
    """
    over_all = factor**REFERENCE_STEPS if factor < 1e6 else float("inf")
    if over_all < NEGLIGIBLE:
        return "vanishes"
    return "explodes" if over_all > 1.0 / NEGLIGIBLE else "steady"


def _reach(name: str, weights: Weights, norms: Floats) -> Reach:
    factor = factor_per_step(norms)
    return Reach(name, weights, norms, factor, word_for(factor))


def _rows(model: Model, cell: Cell, history: History, windows: Batch, epochs: int) -> list[Reach]:
    """Gradients of a cell as training starts it and, where there are such weights, trained."""
    chosen = model.settings.with_cell(cell)
    features = len(model.representation.features)
    networks: dict[Weights, Network | None] = {"initial": None}
    if cell == model.settings.cell:
        networks["trained"] = model.network
    elif epochs:
        inputs = model.representation
        fitted = fit(chosen, [history], None, epochs=epochs, represent=lambda *_: inputs)
        networks["trained here"] = fitted.network
    return [
        _reach(cell, weights, input_gradients(network, chosen, features, windows))
        for weights, network in networks.items()
    ]


def _windows(data: TrainingSet, history: History, lags: int) -> Batch:
    """Windows of ``lags + 1`` sessions with a target, evenly spread over the history.

    Raises:
        DataError: there are none.
    """
    rows = np.flatnonzero((data.age >= lags) & (data.left > 0))
    if len(rows) == 0:
        n = len(history)
        fewer = max(n - 2, _FEWEST_LAGS)
        other = "" if n >= fewer + 2 else f"one of {fewer + 2} bars and "
        advice = f", or {other}{parameter('lags')} {fewer}" if fewer < lags else ""
        raise DataError(
            f"{history.ticker} has {counted(n, 'bar')}; to look {lags} sessions back, {lags + 2}"
            f" are needed. Give a longer history{advice}."
        )
    places = np.linspace(0, len(rows) - 1, min(_WINDOWS, len(rows))).round().astype(np.intp)
    rows = rows[places]
    return Batch(
        inputs=gather_windows(data.inputs, rows, lags + 1),
        targets=data.targets[rows],
        ranges=data.ranges[rows],
        weights=data.known(rows).astype(np.float32),
    )


def _limits(
    settings: Settings, norm: float | None, value: float | None
) -> list[tuple[Clipping, float | None]]:
    """No clipping, and the limits asked for, or by default the model's."""
    if norm is None and value is None:
        norm, value = settings.norm_limit, settings.clip_value
    limits: list[tuple[Clipping, float | None]] = [("none", None)]
    if norm:
        limits.append(("norm", norm))
    if value:
        limits.append(("value", value))
    return limits


def _notes(model: Model, lags: int) -> tuple[Note, ...]:
    notes = []
    steps = model.settings.context_length
    if lags >= steps:
        notes.append(
            f"Model {model.name} reads {steps} sessions; what lies further back than {steps - 1} is"
            " what a longer window would give."
        )
    if model.settings.bidirectional:
        notes.append(
            "The networks read each window both ways: the backward half starts at the last session"
            " and carries the gradient of old inputs over few steps."
        )
    return tuple(Note(message) for message in notes)
