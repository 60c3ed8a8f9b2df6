"""Keras and numpy compute one network: two engines, one set of weights."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import random_network, same_weights

from forecaster.model import network as keras_network
from forecaster.model.numpy_rnn import forward, forward_last
from forecaster.model.settings import LEVELS, Settings

pytestmark = pytest.mark.network

CELLS = [("rnn", "tanh"), ("rnn", "relu"), ("lstm", "tanh"), ("gru", "tanh")]
FEATURES = 3


def settings_of(cell, activation, layers, **more) -> Settings:
    chosen = {"units": 4, "horizon": 2, "quantiles": (0.1, 0.4, 0.8), "dropout": 0.2}
    return Settings(cell=cell, activation=activation, layers=layers, **{**chosen, **more})


def inputs_of(steps: int, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(3, steps, FEATURES)).astype(np.float32)


def keras_answer(model, inputs: np.ndarray) -> np.ndarray:
    return np.asarray(model(inputs, training=False))


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(("cell", "activation"), CELLS)
def test_the_engines_agree_after_every_step_and_after_the_last(cell, activation, layers):
    settings = settings_of(cell, activation, layers)
    network = random_network(settings, FEATURES, seed=layers)
    every = keras_network.to_keras(network, settings, FEATURES, whole_sequence=True)
    last = keras_network.to_keras(network, settings, FEATURES, whole_sequence=False)
    assert same_weights(keras_network.to_network(every, settings), network)
    assert same_weights(keras_network.to_network(last, settings), network)
    for steps in (1, 2, 9):
        inputs = inputs_of(steps)
        whole = forward(network, inputs)
        assert whole.shape == (3, steps, 2, 3)
        assert keras_answer(every, inputs) == pytest.approx(whole, abs=1e-5)
        assert keras_answer(last, inputs) == pytest.approx(whole[:, -1], abs=1e-5)
        assert forward_last(network, inputs) == pytest.approx(whole[:, -1], abs=1e-6)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(("cell", "activation"), CELLS)
def test_the_engines_agree_when_reading_both_ways(cell, activation, layers):
    settings = settings_of(cell, activation, layers, bidirectional=True, supervise="last")
    network = random_network(settings, FEATURES, seed=layers)
    model = keras_network.to_keras(network, settings, FEATURES, whole_sequence=False)
    assert same_weights(keras_network.to_network(model, settings), network)
    for steps in (1, 2, 9):
        inputs = inputs_of(steps)
        assert keras_answer(model, inputs) == pytest.approx(forward_last(network, inputs), abs=1e-5)


@pytest.mark.parametrize(
    "levels", [(0.5,), (0.9,), (0.1, 0.9), (0.6, 0.7, 0.8), (0.01, 0.2, 0.3), LEVELS]
)
def test_the_engines_agree_on_any_levels(levels):
    settings = settings_of("gru", "tanh", 1, quantiles=levels, horizon=3)
    network = random_network(settings, FEATURES, size=2.0)
    model = keras_network.to_keras(network, settings, FEATURES, whole_sequence=True)
    found = keras_answer(model, inputs_of(4))
    expected = forward(network, inputs_of(4))
    assert found.shape == (3, 4, 3, len(levels))
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-5)
    assert np.all(np.diff(found, axis=-1) >= 0)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_padding_on_the_right_changes_no_earlier_answer_in_keras(cell):
    settings = settings_of(cell, "tanh", 2)
    network = random_network(settings, FEATURES)
    model = keras_network.to_keras(network, settings, FEATURES, whole_sequence=True)
    inputs = inputs_of(9)
    padded = inputs.copy()
    padded[:, 5:] = 0.0
    one, other = keras_answer(model, inputs), keras_answer(model, padded)
    assert np.array_equal(one[:, :5], other[:, :5])
    assert not np.array_equal(one[:, 5:], other[:, 5:])


def test_dropout_is_for_training_alone():
    settings = settings_of("gru", "tanh", 1, dropout=0.5)
    network = random_network(settings, FEATURES)
    model = keras_network.to_keras(network, settings, FEATURES, whole_sequence=True)
    inputs = inputs_of(6)
    assert np.array_equal(keras_answer(model, inputs), keras_answer(model, inputs))
    assert not np.array_equal(np.asarray(model(inputs, training=True)), keras_answer(model, inputs))
