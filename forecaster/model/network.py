"""The network in Keras: build it, start it, take its weights out.

Keras is imported inside functions, because importing TensorFlow takes seconds. Only ``keras.ops``
is used, no ``tf.``, so ``KERAS_BACKEND`` may choose another backend.
"""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np

from forecaster.arrays import Floats32
from forecaster.model.devices import import_keras
from forecaster.model.numpy_rnn import SPREAD_LIMIT, CellWeights, Head, Layer, Network, middle_level
from forecaster.model.settings import Settings

CENTRE_RIDGE = 0.05
"""Pull of the centre's weights towards zero, where targets are returns in units of volatility: a
direction can hardly be forecast, and a network that is free to try learns the noise."""


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
            settings.layer_units,
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
    by_step = (-1, horizon, q - 1) if whole_sequence else (horizon, q - 1)
    gaps = keras.layers.Reshape(by_step, name="gaps_by_step")(gaps)
    return centre + ops.expand_dims(spread, axis=-1) * distances(gaps, middle)


def distances(gaps: Any, middle: int) -> Any:
    """Distances of the levels from the middle one, from what ``gaps`` learned of their neighbours.

    ``(..., Q - 1)`` to ``(..., Q)``; those below the middle are negative.
    """
    from keras import ops

    widths = ops.softplus(gaps)
    parts = [ops.zeros_like(widths[..., :1])]
    if middle:
        down = ops.cumsum(ops.flip(widths[..., :middle], axis=-1), axis=-1)
        parts.insert(0, -ops.flip(down, axis=-1))
    if middle < widths.shape[-1]:
        parts.append(ops.cumsum(widths[..., middle:], axis=-1))
    return ops.concatenate(parts, axis=-1)


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
