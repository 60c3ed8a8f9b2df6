"""The network in Keras: build it, train it, take its weights out.

Keras is imported inside functions, because importing TensorFlow takes seconds. Only ``keras.ops``
is used, no ``tf.``, so ``KERAS_BACKEND`` may choose another backend.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np

from forecaster.arrays import Floats32
from forecaster.features.sequences import Batch
from forecaster.model.devices import import_keras
from forecaster.model.numpy_rnn import SPREAD_LIMIT, CellWeights, Head, Layer, Network, middle_level
from forecaster.model.settings import Settings

CENTRE_RIDGE = 0.05
"""Pull of the centre's weights towards zero, where targets are returns in units of volatility: a
direction can hardly be forecast, and a network that is free to try learns the noise."""

RANGE_WEIGHT = 0.1
"""Weight in the training loss of the distance between forecast spreads and later ranges.
A session's range tells its volatility about five times less noisily than its return does."""


def build(settings: Settings, features: int, *, whole_sequence: bool) -> Any:
    """The Keras model: cells, dropout, a dense head, quantiles that cannot cross.

    Args:
        settings: cell, layers, units, and so on.
        features: F.
        whole_sequence: answer after every session, ``(B, T, H, Q)``, or after the last one,
            ``(B, H, Q)``.
    """
    keras = import_keras()
    inputs = keras.Input(shape=(None, features), dtype="float32")
    draw, x = Random(settings.seed), inputs
    for number in range(settings.layers):
        every = whole_sequence or number < settings.layers - 1
        x = _recurrent_layer(settings, number, every, draw)(x)
        if settings.dropout:
            x = keras.layers.Dropout(settings.dropout, seed=settings.seed + number)(x)
    latest = inputs if whole_sequence else inputs[:, -1, :]
    seen = keras.layers.Concatenate(name="seen")([x, latest])
    return keras.Model(inputs, _quantiles(seen, settings, whole_sequence=whole_sequence))


def _recurrent_layer(settings: Settings, number: int, every: bool, draw: Random) -> Any:
    """One recurrent layer, named ``recurrent_<number>``, whose weights start from seeds drawn here.

    Keras would draw the seeds from a generator of the whole process, which other threads disturb.
    """
    import keras

    kinds = {"rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}
    options: dict[str, Any] = {"return_sequences": every}
    if settings.cell == "rnn":
        options["activation"] = settings.activation
    name = f"recurrent_{number}"

    def layer(**more: Any) -> Any:
        # as many seeds as Keras would draw, in its order
        seeds = [draw.randint(1, 10**9) for _ in range(3)]
        first = 1 if settings.cell == "rnn" else 0
        return kinds[settings.cell](
            settings.units,
            kernel_initializer=keras.initializers.GlorotUniform(seeds[first]),
            recurrent_initializer=keras.initializers.Orthogonal(seed=seeds[first + 1]),
            **options,
            **more,
        )

    if not settings.bidirectional:
        return layer(name=name)
    _, forward, backward = layer(), layer(), layer(go_backwards=True)
    return keras.layers.Bidirectional(forward, "concat", backward_layer=backward, name=name)


def _quantiles(seen: Any, settings: Settings, *, whole_sequence: bool) -> Any:
    """Quantiles of the last state and input, by the formula of ``numpy_rnn.Head.quantiles``.

    Made of Keras's layers and operations, so that an exported model loads without this package.
    """
    import keras
    from keras import ops

    horizon, q = settings.horizon, len(settings.quantiles)
    middle = middle_level(settings.quantiles)
    ridge = keras.regularizers.L2(CENTRE_RIDGE) if settings.scale == "volatility" else None
    first, second = (
        keras.initializers.VarianceScaling(0.01, seed=settings.seed + part) for part in (0, 1)
    )
    centre = keras.layers.Dense(
        horizon, kernel_initializer=first, kernel_regularizer=ridge, name="centre"
    )(seen)
    spread = keras.layers.Dense(horizon, kernel_initializer=second, name="spread")(seen)
    centre = ops.expand_dims(centre, axis=-1)
    if q == 1:
        return centre
    spread = ops.exp(ops.clip(spread, -SPREAD_LIMIT, SPREAD_LIMIT))
    # a constant input makes a dense layer a vector of weights; one row of it is broadcast to all
    constant = ops.ones_like(seen[:1, :1, :1] if whole_sequence else seen[:1, :1])
    gaps = keras.layers.Dense(horizon * (q - 1), use_bias=False, name="gaps")(constant)
    shape = (horizon, q - 1)
    gaps = keras.layers.Reshape((-1, *shape) if whole_sequence else shape)(gaps)
    shape = _distances(ops.softplus(gaps), middle)
    return centre + ops.expand_dims(spread, axis=-1) * shape


def _distances(widths: Any, middle: int) -> Any:
    """Distances of the levels from the middle one, from the gaps between neighbours.

    ``(..., Q - 1)`` to ``(..., Q)``; those below the middle are negative.
    """
    from keras import ops

    parts = [ops.zeros_like(widths[..., :1])]
    if middle:
        down = ops.cumsum(ops.flip(widths[..., :middle], axis=-1), axis=-1)
        parts.insert(0, -ops.flip(down, axis=-1))
    if middle < widths.shape[-1]:
        parts.append(ops.cumsum(widths[..., middle:], axis=-1))
    return ops.concatenate(parts, axis=-1)


def step_weights(horizon: int) -> Floats32:
    """Weights of the steps in the training loss: 1/h, with mean 1.

    Targets h sessions ahead overlap, so n of them hold about n/h independent ones and would be
    learned by heart first.
    """
    weights = 1.0 / np.arange(1, horizon + 1)
    return np.asarray(weights / weights.mean(), dtype=np.float32)


def training_loss(settings: Settings) -> Callable[[Any, Any], Any]:
    """The training loss of stacked targets and quantiles: pinball, and distance from ranges.

    With e = y − q, ``max(τe, (τ − 1)e) = τe + max(−e, 0)``: the first part is a product of
    matrices, and one pass over all quantiles is left.
    """
    from keras import ops

    levels = np.asarray(settings.quantiles, dtype=np.float32)
    shares = (levels / len(levels))[:, None]
    by_step = step_weights(settings.horizon)
    spread_known = settings.scale == "volatility" and len(levels) > 1

    def loss(stacked: Any, quantiles: Any) -> Any:
        """Weighted mean over the targets that count."""
        target = stacked[..., 0]
        below = ops.mean(ops.relu(quantiles - stacked[..., :1]), axis=-1)
        losses = levels.mean() * target - ops.matmul(quantiles, shares)[..., 0] + below
        weights = stacked[..., 2] * by_step
        if spread_known:
            losses += RANGE_WEIGHT * _range_distance(stacked[..., 1], quantiles, weights)
        return ops.sum(losses * weights) / ops.maximum(ops.sum(weights), 1.0)

    return loss


def compile_model(model: Any, settings: Settings) -> None:
    """Give the model its optimiser and its loss."""
    import keras

    clipping: dict[str, float] = {}
    if settings.norm_limit:
        clipping["global_clipnorm"] = settings.norm_limit
    elif settings.clip_value:
        clipping["clipvalue"] = settings.clip_value
    optimiser = keras.optimizers.Adam(settings.rate, **clipping)
    optimiser.build(model.trainable_variables)  # or the first step is traced twice: it makes them
    model.compile(optimizer=optimiser, loss=training_loss(settings), jit_compile=False)


def _range_distance(ranges: Any, quantiles: Any, weights: Any) -> Any:
    """Squared distance between log widths of distributions and log ranges, less its mean by step.

    The pinball loss alone decides how wide a distribution is in units of a range; both decide which
    distributions are wider than others. So the mean difference of each step is taken off. Log
    ranges and weights ``(..., H)`` and quantiles ``(..., H, Q)`` give ``(..., H)``.
    """
    from keras import ops

    width = ops.log(quantiles[..., -1] - quantiles[..., 0] + 1e-6)
    axes = tuple(range(len(ranges.shape) - 1))
    count = ops.maximum(ops.sum(weights, axis=axes), 1e-6)
    difference = ranges - width
    return ops.square(difference - ops.sum(difference * weights, axis=axes) / count)


def train_step(model: Any, batch: Batch) -> float:
    """One step of the optimiser; the loss of this batch."""
    model.reset_metrics()
    return float(model.train_on_batch(batch.inputs, stack_targets(batch)))


def stack_targets(batch: Batch) -> Floats32:
    """Targets, ranges and weights of a batch side by side, for the loss: ``(B, ..., H, 3)``."""
    return np.stack([batch.targets, batch.ranges, batch.weights], axis=-1)


def start_head(model: Any, settings: Settings, targets: Floats32) -> None:
    """Start the head at the quantiles of the targets.

    Args:
        model: as built.
        settings: horizon and levels.
        targets: ``(n, H)``, NaN where unknown.
    """
    levels = np.asarray(settings.quantiles)
    q, middle = len(levels), middle_level(settings.quantiles)
    centres = np.zeros(settings.horizon, dtype=np.float32)
    gaps = np.zeros((settings.horizon, q - 1), dtype=np.float32)
    for h in range(settings.horizon):
        known = targets[np.isfinite(targets[:, h]), h]
        if known.size == 0:
            known = targets[np.isfinite(targets)]
        quantiles = np.quantile(known, levels)
        centres[h] = quantiles[middle]
        widths = np.maximum(np.diff(quantiles), 0.01)
        gaps[h] = widths + np.log(-np.expm1(-widths))  # softplus's inverse, for any width
    centre = model.get_layer("centre")
    centre.set_weights([centre.get_weights()[0], centres])
    if q > 1:
        model.get_layer("gaps").set_weights([gaps.reshape(1, -1)])


def to_network(model: Any, settings: Settings) -> Network:
    """The model's weights for the numpy engine."""
    layers = []
    for number in range(settings.layers):
        values = model.get_layer(f"recurrent_{number}").get_weights()
        backward = CellWeights(*values[3:6]) if settings.bidirectional else None
        layers.append(Layer(CellWeights(*values[:3]), backward))
    return Network(
        cell=settings.cell,
        activation=settings.activation,
        layers=tuple(layers),
        head=_head_of(model, settings),
        horizon=settings.horizon,
        levels=settings.quantiles,
    )


def _head_of(model: Any, settings: Settings) -> Head:
    """The head's weights; with one level there is no spread to learn."""
    q, horizon = len(settings.quantiles), settings.horizon
    kernel, bias = model.get_layer("centre").get_weights()
    spread_kernel, spread_bias = np.zeros_like(kernel), np.zeros_like(bias)
    gaps = np.zeros(0, dtype=np.float32)
    if q > 1:
        spread_kernel, spread_bias = model.get_layer("spread").get_weights()
        (gaps,) = model.get_layer("gaps").get_weights()
    return Head(
        np.concatenate([kernel, spread_kernel], axis=1),
        np.concatenate([bias, spread_bias]),
        gaps.reshape(horizon, q - 1),
    )


def started(
    network: Network | None,
    settings: Settings,
    features: int,
    targets: Floats32,
    *,
    whole_sequence: bool,
) -> Any:
    """A Keras model to train on from a network, or (None) whose head starts at the targets'."""
    if network is not None:
        return to_keras(network, settings, features, whole_sequence=whole_sequence)
    model = build(settings, features, whole_sequence=whole_sequence)
    start_head(model, settings, targets)
    return model


def to_keras(network: Network, settings: Settings, features: int, *, whole_sequence: bool) -> Any:
    """A Keras model with the network's weights: to export them, or to train on from them."""
    model = build(settings, features, whole_sequence=whole_sequence)
    for number, layer in enumerate(network.layers):
        cells = [layer.forward] + ([layer.backward] if layer.backward else [])
        values = [w for c in cells for w in (c.kernel, c.recurrent, c.bias)]
        model.get_layer(f"recurrent_{number}").set_weights(values)
    head, horizon = network.head, network.horizon
    model.get_layer("centre").set_weights([head.kernel[:, :horizon], head.bias[:horizon]])
    if len(network.levels) > 1:
        model.get_layer("spread").set_weights([head.kernel[:, horizon:], head.bias[horizon:]])
        model.get_layer("gaps").set_weights([head.gaps.reshape(1, -1)])
    return model
