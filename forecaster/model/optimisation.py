"""Steps of training: the loss, the optimiser, and the average of the weights on their way.

Shapes: B sequences, T sessions, F inputs, H steps, Q levels. Keras is imported inside functions.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from forecaster.arrays import Floats32
from forecaster.features.sequences import Batch
from forecaster.model.devices import gpu_count
from forecaster.model.network import distances, to_network
from forecaster.model.numpy_rnn import SPREAD_LIMIT, Network, middle_level
from forecaster.model.settings import Settings

RANGE_WEIGHT = 0.1
"""Weight in the training loss of the distance between forecast spreads and later ranges.
A session's range tells its volatility about five times less noisily than its return does."""

PARTS, SEQUENCES_OF_A_PART = 2, 32
"""Parts of a batch that a CPU computes side by side, each on a thread of its own, and the fewest
sequences that pay for one: a part takes a third of a second to trace. Parts belong to what a seed
stands for: sums of two round differently than one sum. A GPU has one."""


def step_weights(horizon: int) -> Floats32:
    """Weights of the steps in the training loss: 1/h, with mean 1.

    Targets h sessions ahead overlap, so n of them hold about n/h independent ones and would be
    learned by heart first.
    """
    weights = 1.0 / np.arange(1, horizon + 1)
    return np.asarray(weights / weights.mean(), dtype=np.float32)


def stack_targets(batch: Batch) -> Floats32:
    """Targets, ranges and weights of a batch side by side, for the loss: ``(B, ..., H, 3)``."""
    return np.stack([batch.targets, batch.ranges, batch.weights], axis=-1)


def outputs_of(model: Any) -> Any:
    """A Keras model of the same layers that answers with what the loss reads.

    Centre ``(B, ..., H)``, and where there is more than one level log spread ``(B, ..., H)`` and
    gaps ``(1, ..., H, Q − 1)``: quantiles themselves would be Q times as many numbers.
    """
    import keras

    found = {layer.name: layer.output for layer in model.layers}
    names = ("centre", "spread", "gaps_by_step")
    return keras.Model(model.inputs[0], [found[name] for name in names if name in found])


def training_loss(settings: Settings) -> Callable[[Sequence[tuple[Any, Sequence[Any]]]], Any]:
    """The training loss of a batch in parts: pinball, and distance from ranges.

    The weighted mean, over the targets that count, of the pinball loss, a mean over levels, and of
    ``RANGE_WEIGHT`` times the squared difference between log spreads and log ranges, less its mean
    by step: the pinball loss alone decides how wide a distribution is in units of a range; both
    decide which distributions are wider than others. All of it comes from sums over sessions, so
    the parts of a batch are read one beside another.

    Returns:
        A function of stacked targets and outputs, a pair for each part.
    """
    from keras import ops

    sums = _loss_sums(settings)

    def loss(parts: Sequence[tuple[Any, Sequence[Any]]]) -> Any:
        pinball, weights, *ranges = map(sum, zip(*(sums(*part) for part in parts), strict=True))
        total = ops.sum(pinball)
        if ranges:
            difference, square = ranges
            variation = square - ops.square(difference) / ops.maximum(weights, 1e-6)
            total += RANGE_WEIGHT * ops.sum(variation)
        return total / ops.maximum(ops.sum(weights), 1.0)

    return loss


def _loss_sums(settings: Settings) -> Callable[[Any, Sequence[Any]], list[Any]]:
    """Sums over the sessions of one part, ``(H,)`` each: of weighted losses and of the weights.

    In units of the spread, with z = (y − centre) / spread and d a level's distance, the pinball
    loss is ``τ(z − d) + max(d − z, 0)``: one pass over all levels. Behind the two come the sums of
    differences from ranges and of their squares, where a spread has ranges to learn from.
    """
    from keras import ops

    levels = np.asarray(settings.quantiles, dtype=np.float32)
    mean_level, middle = float(levels.mean()), middle_level(settings.quantiles)
    by_step = step_weights(settings.horizon)

    def sums(stacked: Any, outputs: Sequence[Any]) -> list[Any]:
        weights = stacked[..., 2] * by_step

        def weighted(values: Any) -> Any:
            return ops.sum(values * weights, axis=tuple(range(len(weights.shape) - 1)))

        error = stacked[..., 0] - outputs[0]
        if len(levels) == 1:
            return [weighted(error * mean_level + ops.relu(-error)), weighted(1.0)]
        log_spread = ops.clip(outputs[1], -SPREAD_LIMIT, SPREAD_LIMIT)
        spread, distance = ops.exp(log_spread), distances(outputs[2], middle)
        z = error / spread
        below = ops.mean(ops.relu(distance - ops.expand_dims(z, axis=-1)), axis=-1)
        losses = spread * (z * mean_level - ops.mean(distance * levels, axis=-1) + below)
        found = [weighted(losses), weighted(1.0)]
        if settings.scale == "volatility":
            difference = stacked[..., 1] - log_spread
            found += [weighted(difference), weighted(ops.square(difference))]
        return found

    return sums


class Trainer:
    """Steps of Adam on the weights of a Keras model.

    The first step of each shape is traced, which takes as long as some fifty others.

    Attributes:
        model: whose weights are trained.
        optimiser: Keras's.
    """

    def __init__(self, model: Any, settings: Settings) -> None:
        import keras

        clipping: dict[str, float] = {}
        if settings.norm_limit:
            clipping["global_clipnorm"] = settings.norm_limit
        elif settings.clip_value:
            clipping["clipvalue"] = settings.clip_value
        self.model = model
        self.optimiser = keras.optimizers.Adam(settings.rate, **clipping)
        self._parts = _parts_of(settings)
        self._losses = _loss_model(model, settings, self._parts)
        # or the first step is traced twice: it makes them
        self.optimiser.build(self._losses.trainable_variables)
        self._losses.compile(self.optimiser, loss=lambda _, loss: loss, jit_compile=False)

    def start_over(self, model: Any, rate: float) -> None:
        """Go back to before the first step, with what was traced.

        Args:
            model: of the same layers; its weights, and the state of its dropout, are taken over.
            rate: of learning.
        """
        for own, new in zip(self.model.variables, model.variables, strict=True):
            own.assign(new)
        for state in self.optimiser.variables:
            state.assign(np.zeros(state.shape, state.dtype))
        self.optimiser.learning_rate.assign(rate)

    def step(self, batch: Batch) -> float:
        """One step of the optimiser; the loss of this batch."""
        self._losses.reset_metrics()
        inputs, stacked = (
            _split(array, self._parts) for array in (batch.inputs, stack_targets(batch))
        )
        return float(self._losses.train_on_batch([*inputs, *stacked], _UNUSED))


_idle: dict[tuple[Settings, tuple[Any, ...]], Trainer] = {}
"""Trainers of this process that are not at work, the latest last."""

_MOST_IDLE = 4


@contextlib.contextmanager
def trainer_of(model: Any, settings: Settings, shape: tuple[int, int] | None) -> Iterator[Trainer]:
    """A trainer that starts at a model's weights, for one fit.

    An earlier fit in this process of the same layers with batches of the same shape leaves what it
    traced to this one: folds, seeds, trials and refits are each two thirds of a second shorter. The
    bits are those of a trainer of its own, and fits in several threads never share one.

    Args:
        model: of Keras.
        settings: of the fit.
        shape: sequences and steps of every batch; None: they differ, and a step that was traced for
            several shapes at once rounds differently than one for one shape.
    """
    alike = replace(settings, seed=0, epochs=1, patience=1, learning_rate=1.0)
    key = alike, (shape, *(tensor.shape for tensor in (*model.inputs, *model.outputs)))
    trainer = _idle.pop(key, None)
    if trainer is None:
        trainer = Trainer(model, settings)
    else:
        trainer.start_over(model, settings.rate)
    yield trainer
    if shape is not None:  # and no step was broken off
        _idle[key] = trainer
    for earlier in list(_idle)[:-_MOST_IDLE]:
        _idle.pop(earlier, None)


_UNUSED = np.zeros(1, dtype=np.float32)
"""Keras wants a target of its own."""


def _loss_model(model: Any, settings: Settings, parts: int) -> Any:
    """A Keras model of the same layers, from the parts of a batch to its loss ``(1,)``.

    It takes the inputs of all parts, then their stacked targets.
    """
    import keras

    outputs = outputs_of(model)
    inputs = [keras.Input(model.inputs[0].shape[1:]) for _ in range(parts)]
    stacked = [keras.Input((*model.outputs[0].shape[1:-1], 3)) for _ in range(parts)]
    loss = training_loss(settings)([(y, outputs(x)) for x, y in zip(inputs, stacked, strict=True)])
    return keras.Model([*inputs, *stacked], keras.ops.reshape(loss, (1,)))


def _parts_of(settings: Settings) -> int:
    """Into how many parts a batch is cut."""
    return 1 if gpu_count() else max(1, min(PARTS, settings.sequences // SEQUENCES_OF_A_PART))


def _split(array: Floats32, parts: int) -> list[Floats32]:
    """Equal parts of a batch, none of them empty.

    Sequences of zeros, which weigh nothing, fill up a batch of too few.
    """
    missing = max(parts - len(array), 0)
    filled = np.pad(array, [(0, missing)] + [(0, 0)] * (array.ndim - 1)) if missing else array
    return np.array_split(filled, parts)


class WeightAverage:
    """Decaying mean of a model's weights over the last epochs of its training.

    (Polyak and Juditsky 1992; the exponential form is common practice.)

    Attributes:
        steps: count of training steps so far.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._mean: list[Floats32] = model.get_weights()
        self.steps = 0
        self._before_epoch = 0
        self._epoch_steps = 1

    def add(self, epochs: float) -> None:
        """Add the weights after a training step.

        Args:
            epochs: length of the average.
        """
        self.steps += 1
        share = max(1.0 / (epochs * self._epoch_steps), 1.0 / (1.0 + self.steps / 2.0))
        current = self._model.get_weights()
        self._mean = [
            m + np.float32(share) * (w - m) for m, w in zip(self._mean, current, strict=True)
        ]

    def network(self, settings: Settings) -> Network:
        """The averaged weights for the numpy engine, after an epoch."""
        self._epoch_steps = max(self.steps - self._before_epoch, 1)
        self._before_epoch = self.steps
        weights = self._model.get_weights()
        self._model.set_weights(self._mean)
        averaged = to_network(self._model, settings)
        self._model.set_weights(weights)
        return averaged
