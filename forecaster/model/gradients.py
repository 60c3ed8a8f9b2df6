"""Gradients of the loss by lag, and the effect of clipping on a step, measured by Keras.

A recurrent network passes the gradient back one step at a time, through the same weights, so over
k steps it shrinks or grows about as a number to the power k (Bengio, Simard and Frasconi 1994;
Pascanu, Mikolov and Bengio 2013). Keras differentiates here; nothing is derived by hand.

Shapes: B windows, T = K + 1 sessions, F inputs. Keras is imported inside functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from forecaster.arrays import Floats, Floats32
from forecaster.errors import SettingsError
from forecaster.features.sequences import Batch
from forecaster.model.devices import import_keras
from forecaster.model.network import started
from forecaster.model.numpy_rnn import Network
from forecaster.model.optimisation import outputs_of, stack_targets, training_loss
from forecaster.model.settings import Settings

Clipping = Literal["none", "norm", "value"]

WARM_UP = 10
"""Ordinary steps of Adam before the measured one."""

BURST = 100.0
"""Size of an exploding gradient, in multiples of an ordinary one."""


@dataclass(frozen=True)
class ClippedStep:
    """One training step under one kind of clipping.

    Attributes:
        clipping: its kind.
        limit: of the gradient's norm or of each of its numbers; None for none.
        before: norm of the gradient of all weights together.
        after: norm of the clipped gradient.
        plain: length of the step of plain gradient descent.
        adam: length of Adam's step, after ``WARM_UP`` ordinary ones.
    """

    clipping: Clipping
    limit: float | None
    before: float
    after: float
    plain: float
    adam: float


def input_gradients(
    network: Network | None, settings: Settings, features: int, batch: Batch
) -> Floats:
    """Norm of the loss gradient at the input k sessions before the last, a mean over windows.

    ``‖∂L_b / ∂x_{b,T−1−k}‖``, where L_b is a window's own part of the training loss. At k = 0 the
    head reads the input as well as the state; from k = 1 on, all comes through the recurrence.

    Args:
        network: trained weights; None: as training would start them, by ``settings.seed``.
        settings: of the network.
        features: F.
        batch: windows ``(B, T, F)`` with targets ``(B, H)``.

    Returns:
        ``(T,)``, k = 0 first; not finite where float32 overflows.

    Raises:
        SettingsError: the backend is not TensorFlow.
    """
    keras = _start()
    model = _started(network, settings, features, batch, whole_sequence=False)
    inputs, targets = keras.ops.convert_to_tensor(batch.inputs), stack_targets(batch)
    answer, loss = outputs_of(model), training_loss(settings)
    (gradient,) = _differentiate(
        lambda: loss([(targets, answer(inputs, training=False))]), [inputs]
    )
    windows = np.asarray(gradient, dtype=np.float64) * len(batch.inputs)  # the loss is their mean
    outputs = np.asarray(model(inputs, training=False)).reshape(len(windows), -1)
    windows[~np.isfinite(outputs).all(axis=1)] = np.nan  # a maximum would make a 0 of it
    return _norms_by_lag(windows)


def linear_unit_gradients(weight: float, lags: int) -> Floats:
    """Gradient norms of a linear unit, the textbook case.

    ``h_t = w h_{t−1} + x_t`` with h_T as the loss: the gradient k steps back is exactly ``w^k``.

    Args:
        weight: w.
        lags: K.

    Returns:
        ``(K + 1,)``, computed in float64.
    """
    keras = _start()
    unit = keras.layers.SimpleRNN(1, activation="linear", use_bias=False, dtype="float64")
    unit.build((None, lags + 1, 1))
    unit.set_weights([np.ones((1, 1)), np.full((1, 1), weight)])
    inputs = keras.ops.convert_to_tensor(np.ones((1, lags + 1, 1)), dtype="float64")
    (gradient,) = _differentiate(lambda: keras.ops.sum(unit(inputs)), [inputs])
    return _norms_by_lag(np.asarray(gradient, dtype=np.float64))


def training_step(
    network: Network | None,
    settings: Settings,
    features: int,
    batch: Batch,
    limits: Sequence[tuple[Clipping, float | None]],
) -> tuple[list[ClippedStep], list[ClippedStep]]:
    """One training step under several kinds of clipping.

    Args:
        network: trained weights; None: as training would start them.
        settings: of the network; ``batch`` is cut as its supervision says.
        features: F.
        batch: of the step, with its targets.
        limits: kinds of clipping, each with its limit.

    Returns:
        A row for each limit: with the gradient as it is, and with one ``BURST`` times as large.

    Raises:
        SettingsError: the backend is not TensorFlow.
    """
    _start()
    whole = settings.supervise == "prefixes"
    model = _started(network, settings, features, batch, whole_sequence=whole)
    loss = _loss(model, settings, batch)
    gradients = _differentiate(
        lambda: loss(batch.inputs) + sum(model.losses),
        [variable.value for variable in model.trainable_variables],
    )
    gradient = np.concatenate([np.ravel(g) for g in gradients])
    rate = settings.rate
    usual, burst = (
        [_clipped_step(gradient, times, rate, kind, limit) for kind, limit in limits]
        for times in (1.0, BURST)
    )
    return usual, burst


def _clipped_step(
    gradient: Floats32, times: float, rate: float, kind: Clipping, limit: float | None
) -> ClippedStep:
    """A step of Keras's optimisers, with their clipping; all weights are one vector to them."""
    import keras

    options: dict[str, float] = {}
    if limit is not None:
        options["clipvalue" if kind == "value" else "global_clipnorm"] = limit
    large = times * gradient
    plain = _step_length(keras.optimizers.SGD(rate, **options), [large])
    adam = _step_length(keras.optimizers.Adam(rate, **options), [gradient] * WARM_UP + [large])
    return ClippedStep(kind, limit, _length(large), plain / rate, plain, adam)


def _step_length(optimiser: Any, gradients: Sequence[Floats32]) -> float:
    """Distance that the last of several steps moves the weights.

    Neither optimiser looks at the weights themselves, so they start from zero.
    """
    import keras

    weights = keras.Variable(np.zeros_like(gradients[0]))
    optimiser.build([weights])
    start = end = weights.numpy()
    for gradient in gradients:
        optimiser.apply([keras.ops.convert_to_tensor(gradient)], [weights])
        start, end = end, weights.numpy().copy()
    return _length(end - start)


def _started(
    network: Network | None,
    settings: Settings,
    features: int,
    batch: Batch,
    *,
    whole_sequence: bool,
) -> Any:
    """A Keras model of the network's weights, or (None) of those that training would start with."""
    known = np.where(batch.weights > 0, batch.targets, np.nan).reshape(-1, settings.horizon)
    return started(network, settings, features, known, whole_sequence=whole_sequence)


def _loss(model: Any, settings: Settings, batch: Batch) -> Callable[[Any], Any]:
    """The training loss of a batch as a function of its inputs, without dropout."""
    targets, answer, loss = stack_targets(batch), outputs_of(model), training_loss(settings)
    return lambda inputs: loss([(targets, answer(inputs, training=False))])


def _start() -> Any:
    """Keras on a processor, where float32 is float32, and with TensorFlow's tape."""
    keras = import_keras("cpu")
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise SettingsError(
            f"KERAS_BACKEND is {backend}; gradients are measured with TensorFlow's tape."
            " Unset KERAS_BACKEND for this command."
        )
    return keras


def _differentiate(loss: Callable[[], Any], point: list[Any]) -> list[Any]:
    """The gradient of a loss with respect to tensors or variables that it reads.

    Keras has no backend-free way to ask for a gradient, so this is TensorFlow's tape.
    """
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        for variable in point:
            tape.watch(variable)
        value = loss()
    return list(tape.gradient(value, point))


def _norms_by_lag(gradient: Floats) -> Floats:
    """Gradients ``(B, T, F)`` as mean norms, the last session first: ``(T,)``.

    Measured in a power of two near the largest number, which rounds nothing: the square of 2^1000
    would overflow, and that of 2^-1000 be nothing.
    """
    largest = np.abs(gradient).max(axis=-1, initial=0.0)
    unit = np.where(np.isfinite(largest), np.ldexp(1.0, np.frexp(largest)[1] - 1), 1.0)
    norms = unit * np.linalg.norm(gradient / unit[..., None], axis=-1)
    return np.asarray(norms.mean(axis=0)[::-1])


def _length(vector: Floats32) -> float:
    """Euclidean norm, in float64."""
    return float(np.sqrt(np.sum(np.square(vector, dtype=np.float64))))
