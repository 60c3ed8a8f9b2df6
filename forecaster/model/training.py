"""Training of one network: representation, sequences, epochs, early stopping.

The validation loss is measured by the numpy engine, the one that will make the forecasts.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.arrays import Floats, Rows
from forecaster.errors import DataError, TrainingDiverged, parameter
from forecaster.features.partial_bars import count_copies
from forecaster.features.representation import Encoding, Representation
from forecaster.features.sequences import (
    Batches,
    TrainingSet,
    prefix_batches,
    prefix_shape,
    window_batches,
)
from forecaster.machine import trim_memory
from forecaster.market.bars import History
from forecaster.model.devices import import_keras
from forecaster.model.inference import outputs_at
from forecaster.model.network import started, to_network
from forecaster.model.numpy_rnn import Network
from forecaster.model.optimisation import Trainer, WeightAverage, trainer_of
from forecaster.model.settings import BATCHES, Settings
from forecaster.wording import counted

AVERAGED_EPOCHS = 4.0
"""Epochs over which weights are averaged: the average of a noisy path is nearer to its goal."""

LEAST_EPOCHS, LEAST_STEPS = 8, 300
"""Epochs, or training steps of the smallest batches if they come first, before early stopping: the
validation loss covers the last months of the training range alone, and where these were unlike the
years before them it prefers a network that has hardly begun to learn."""

EPOCH_STEPS = 128
"""Training steps of an epoch, about, where a pass over the panel has more."""

MOST_WATCHED = 50_000
"""Sessions of a validation part that an epoch is judged by; a part with more has fewer tickers."""

TARGETS_TO_START = 200_000
"""Sessions, about, whose targets' quantiles the head starts at."""

EPOCHS_UNWATCHED = 12
"""Most epochs where the panel is too short for a validation part."""


@dataclass(frozen=True)
class Epoch:
    """Progress after one epoch.

    Attributes:
        number: from 1.
        of: the most epochs there will be.
        loss: mean training loss of the epoch, in units of the scaled targets.
        validation: validation loss, or None.
        seconds: since training began.
    """

    number: int
    of: int
    loss: float
    validation: float | None
    seconds: float


OnEpoch = Callable[[Epoch], None]
Represent = Callable[[Settings, Sequence[History], Sequence[History] | None], Representation]


def represented(
    settings: Settings, histories: Sequence[History], market: Sequence[History] | None
) -> Representation:
    """The representation of a network with these settings, fitted on its training histories."""
    return Representation.fit(settings.scale, histories, market, partial=settings.partial_bars)


def targets_by_step(lengths: Sequence[int], horizon: int) -> tuple[int, ...]:
    """How many targets each step has to learn from.

    Args:
        lengths: of the training histories.
        horizon: H.

    Raises:
        DataError: the last step has none, and its weights would stay as they were drawn.
    """
    counts = tuple(sum(max(n - h, 0) for n in lengths) for h in range(1, horizon + 1))
    if counts[-1]:
        return counts
    longest = sum(count > 0 for count in counts)
    if not longest:
        raise DataError(
            "no session of these histories has a later one to learn from; add sessions."
        )
    raise DataError(
        f"{parameter('horizon')} is {horizon}, and nothing teaches the steps after {longest}: the"
        f" longest training history has {counted(max(lengths), 'session')}, and more than"
        f" {horizon} are needed. Give longer histories, or {parameter('horizon')} {longest}."
    )


@dataclass(frozen=True)
class Validation:
    """Histories of the validation, its first origin, and those that make the market state."""

    histories: Sequence[History]
    first: np.datetime64
    market: Sequence[History] | None = None


@dataclass(frozen=True)
class FitResult:
    """A fitted network.

    Attributes:
        representation: fitted on the training histories.
        network: the weights of the best epoch.
        epochs: epochs up to those weights.
        validation: their validation loss, or None.
        targets: sessions with a target, each counted once an epoch.
        targets_by_step: how many of them taught each step.
        seconds: of all epochs, validation included.
        targets_per_second: of training steps alone.
        history: every epoch, also those after the best one.
    """

    representation: Representation
    network: Network
    epochs: int
    validation: float | None
    targets: int
    targets_by_step: tuple[int, ...]
    seconds: float
    targets_per_second: float
    history: tuple[Epoch, ...] = ()


def fit(
    settings: Settings,
    histories: Sequence[History],
    validation: Validation | None,
    *,
    market: Sequence[History] | None = None,
    epochs: int | None = None,
    on_epoch: OnEpoch | None = None,
    represent: Represent = represented,
    start: Network | None = None,
) -> FitResult:
    """Train on all targets inside the histories, which end with the training range.

    Args:
        settings: the network and its training.
        histories: training sessions only.
        validation: what early stopping watches; None: train for a fixed number of epochs.
        market: those that make the market state, up to the end of the training range; None:
            ``histories`` themselves.
        epochs: that number; None: ``settings.epochs``, and at most ``EPOCHS_UNWATCHED`` where
            nothing can be watched.
        on_epoch: called after each epoch.
        represent: how to fit the representation.
        start: weights to train on from, of a network with these settings; None: new ones.

    Raises:
        TrainingDiverged: a loss was not finite.
        DataError: no session has a target, or none has one for the last step.
        SettingsError: the median lies outside of the quantile levels.
    """
    settings.require_median()
    lengths = [len(history) for history in histories]
    settings = settings.for_panel(lengths)
    targets = targets_by_step(lengths, settings.horizon)
    keras = import_keras()
    keras.utils.set_random_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    representation = represent(settings, histories, market)
    trim_memory()  # of an earlier fit and its test
    data = TrainingSet.of(
        representation.encode_copies(histories, market, partial=settings.partial_bars),
        lengths * count_copies(settings.partial_bars),
        settings.horizon,
        representation.market_state_columns,
    )
    watch = _Watch(settings, representation, validation) if validation else None
    total = epochs or (settings.epochs if watch else min(settings.epochs, EPOCHS_UNWATCHED))
    features, whole = len(representation.features), settings.supervise == "prefixes"
    known = data.known_targets(TARGETS_TO_START)
    model = started(start, settings, features, known, whole_sequence=whole)
    shape = prefix_shape(data, settings.context_length, settings.sequences) if whole else None
    passes = _epochs(settings, data, rng)
    with trainer_of(model, settings, shape) as trainer:
        return _run(trainer, settings, representation, passes, targets, watch, total, on_epoch)


def _run(
    trainer: Trainer,
    settings: Settings,
    representation: Representation,
    passes: Iterator[Batches],
    targets: tuple[int, ...],
    watch: _Watch | None,
    total: int,
    on_epoch: OnEpoch | None,
) -> FitResult:
    """Epochs until the validation loss has not improved for ``patience`` of them.

    The best epoch comes after ``LEAST_EPOCHS``; without a validation part it is the last one.
    """
    least = min(LEAST_EPOCHS, total)
    least_steps = LEAST_STEPS / math.sqrt(settings.sequences / BATCHES[0])
    began, stepping, trained = time.perf_counter(), 0.0, 0
    best, best_loss, best_epoch = to_network(trainer.model, settings), math.inf, 0
    average = WeightAverage(trainer.model)
    history: list[Epoch] = []
    for number in range(1, total + 1):
        start = time.perf_counter()
        loss, count = _one_epoch(trainer, next(passes), average)
        stepping += time.perf_counter() - start
        trained += count
        current = average.network(settings)
        seen = watch.loss(current) if watch else None
        _check_finite(settings, number, loss, seen, current)
        settled = number >= least or average.steps >= least_steps
        if seen is None or (settled and seen < best_loss):
            best, best_loss, best_epoch = current, math.inf if seen is None else seen, number
        history.append(Epoch(number, total, loss, seen, time.perf_counter() - began))
        if on_epoch:
            on_epoch(history[-1])
        if watch and settled and number - best_epoch >= settings.patience:
            break
    return FitResult(
        representation=representation,
        network=best,
        epochs=best_epoch,
        validation=None if math.isinf(best_loss) else best_loss,
        targets=targets[0],
        targets_by_step=targets,
        seconds=time.perf_counter() - began,
        targets_per_second=trained / stepping,
        history=tuple(history),
    )


def _check_finite(
    settings: Settings, number: int, loss: float, validation: float | None, network: Network
) -> None:
    """Check that the losses of an epoch and the weights after it are finite."""
    if not math.isfinite(loss):
        what = f"the loss was {loss}"
    elif validation is not None and not math.isfinite(validation):
        what = f"the validation loss was {validation}"
    elif not all(bool(np.all(np.isfinite(w))) for w in network.weights.values()):
        what = "a weight was no number"
    else:
        return
    raise TrainingDiverged(
        f"training diverged: {what} in epoch {number}; it must stay finite. Lower"
        f" {parameter('learning_rate')} (it is {settings.rate:g}) or {settings.clipping_advice}."
    )


def _one_epoch(trainer: Trainer, epoch: Batches, average: WeightAverage) -> tuple[float, int]:
    """Mean loss over the batches, and the number of their targets."""
    losses, weights, count = list[float](), list[float](), 0
    for batch in epoch:
        losses.append(trainer.step(batch))
        average.add(AVERAGED_EPOCHS)
        weights.append(float(batch.weights.sum()))
        count += int(np.count_nonzero(batch.weights.any(axis=-1)))
        if not math.isfinite(losses[-1]):
            return losses[-1], count
    return float(np.average(losses, weights=np.maximum(weights, 1e-9))), count


def _epochs(settings: Settings, data: TrainingSet, rng: np.random.Generator) -> Iterator[Batches]:
    """The batches of each epoch: a pass over the panel, or an equal part of one over a large one.

    Patience and averages count epochs, so that a large panel is not passed many times to learn what
    one pass teaches.
    """
    while True:
        yield from batches(settings, data, rng).parts(EPOCH_STEPS)


def batches(settings: Settings, data: TrainingSet, rng: np.random.Generator) -> Batches:
    """A pass over the panel, cut as the settings' supervision says."""
    context, size = settings.context_length, settings.sequences
    if settings.supervise == "prefixes":
        return prefix_batches(data, context, size, rng)
    return window_batches(data, context, size, rng, vary=settings.windows == "vary")


class _Watch:
    """Pinball loss of scaled targets at the validation origins."""

    def __init__(
        self, settings: Settings, representation: Representation, validation: Validation
    ) -> None:
        self._settings = settings
        self._encoded: list[Encoding] = []
        self._rows: list[Rows] = []
        self._targets: list[Floats] = []
        copies = count_copies(settings.partial_bars)
        watched = _watched(validation, copies)
        market = validation.histories if validation.market is None else validation.market
        last = settings.context_length + max(len(rows) for _, rows in watched)
        encodings = representation.encode_copies(
            [h for h, _ in watched], market, partial=settings.partial_bars, last=last
        )
        for encoded, (history, rows) in zip(encodings, watched * copies, strict=True):
            self._encoded.append(encoded)
            self._rows.append(rows - (len(history) - len(encoded.inputs)))
            self._targets.append(encoded.scale.targets(settings.horizon)[rows])

    def loss(self, network: Network) -> float:
        """Mean over levels, steps and origins whose target is known."""
        outputs = outputs_at(
            network,
            self._encoded,
            self._rows,
            self._settings.context_length,
            pieces=self._settings.supervise == "prefixes",
        )
        levels, total = np.asarray(self._settings.quantiles), 0.0
        for targets, quantiles in zip(self._targets, outputs, strict=True):
            known = np.isfinite(targets)
            error = targets[known][:, None] - quantiles[known]
            total += float(np.sum(np.maximum(levels * error, (levels - 1.0) * error)))
        return total / (len(levels) * sum(int(np.isfinite(t).sum()) for t in self._targets))


def _watched(validation: Validation, copies: int) -> list[tuple[History, Rows]]:
    """Histories with sessions of the validation, and their rows: about ``MOST_WATCHED`` at most.

    Each session counts ``copies`` times.
    """
    every = [(h, np.flatnonzero(h.sessions >= validation.first)) for h in validation.histories]
    usable = [(history, rows) for history, rows in every if len(rows) > 1]
    stride = max(1, copies * sum(len(rows) for _, rows in usable) // MOST_WATCHED)
    return usable[::stride]
