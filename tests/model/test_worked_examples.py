"""Small cases whose answers are known beforehand, through the program's own building blocks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forecaster.features.sequences import Batch
from forecaster.model import devices
from forecaster.model import network as keras_network
from forecaster.model.numpy_rnn import CellWeights, Head, Layer, Network, forward_last, states
from forecaster.model.optimisation import Trainer
from forecaster.model.settings import Settings

LOW, MEDIUM, HIGH = 0.0, 0.5, 1.0


def windows(rows) -> np.ndarray:
    return np.array(rows, dtype=np.float32)[:, :, None]


def taught(settings: Settings, inputs, targets, steps: int):
    """A network trained on one batch of windows for a number of steps."""
    keras = devices.import_keras("cpu")
    keras.utils.set_random_seed(settings.seed)
    targets = np.array(targets, dtype=np.float32)[:, None]
    model = keras_network.build(settings, 1, whole_sequence=False)
    keras_network.start_head(model, settings, targets)
    batch = Batch(windows(inputs), targets, np.zeros_like(targets), np.ones_like(targets))
    trainer = Trainer(model, settings)
    for _ in range(steps):
        trainer.step(batch)
    return model


def small(**changes) -> Settings:
    """A network for one step and one number: the median."""
    chosen = {
        "cell": "rnn",
        "supervise": "last",
        "horizon": 1,
        "quantiles": (0.5,),
        "dropout": 0.0,
    }
    return Settings(**{**chosen, **changes})


class TestTwoSessionsByHand:
    """W_x = [[0.5, 0.2], [0.3, 0.8]] and W_h = [[0.1, 0.4], [0.6, 0.7]] with b = [0.1, 0.2].

    The stated answers, h₁ = (0.537, 0.462) and h₂ = (0.492, 0.928), come from columns,
    h = tanh(W_x x + W_h h + b). Keras and ``recurrence`` multiply rows, h = tanh(x K + h R + b), so
    their kernels are the transposes, K = W_xᵀ and R = W_hᵀ.

    h₁ = tanh(0.5 + 0.1, 0.3 + 0.2) = tanh(0.6, 0.5)
    h₂ = tanh(0.2 + 0.1·0.53705 + 0.4·0.46212 + 0.1, 0.8 + 0.6·0.53705 + 0.7·0.46212 + 0.2)
       = tanh(0.53855, 1.64571)
    """

    W_x = np.array([[0.5, 0.2], [0.3, 0.8]], dtype=np.float32)
    W_h = np.array([[0.1, 0.4], [0.6, 0.7]], dtype=np.float32)
    b = np.array([0.1, 0.2], dtype=np.float32)
    x = np.array([[[1.0, 0.0], [0.0, 1.0]]], dtype=np.float32)
    expected = ((0.537, 0.462), (0.492, 0.928))

    def test_on_paper(self):
        h1 = np.tanh([0.6, 0.5])
        h2 = np.tanh([0.53855, 1.64571])
        assert h1 == pytest.approx(self.expected[0], abs=5e-4)
        assert h2 == pytest.approx(self.expected[1], abs=5e-4)

    def test_in_numpy(self):
        weights = CellWeights(self.W_x.T, self.W_h.T, self.b)
        found = states("rnn", "tanh", weights, self.x)[0]
        assert found == pytest.approx(np.array(self.expected), abs=5e-4)
        assert found[1] == pytest.approx(np.tanh([0.53855, 1.64571]), abs=1e-5)

    def test_the_other_orientation_gives_other_numbers(self):
        found = states("rnn", "tanh", CellWeights(self.W_x, self.W_h, self.b), self.x)[0, 0]
        assert found == pytest.approx(np.tanh([0.6, 0.4]), abs=1e-6)
        assert abs(found[1] - self.expected[0][1]) > 0.05

    @pytest.mark.network
    @pytest.mark.parametrize("whole", [True, False])
    def test_in_keras(self, whole):
        # the head hands the two states through: each is the centre of one forecast step; it looks
        # away from the last input, which stands in its rows 2 and 3
        kernel = np.zeros((4, 4), dtype=np.float32)
        kernel[0, 0] = kernel[1, 1] = 1.0
        network = Network(
            cell="rnn",
            activation="tanh",
            layers=(Layer(CellWeights(self.W_x.T, self.W_h.T, self.b)),),
            head=Head(kernel, np.zeros(4, dtype=np.float32), np.zeros((2, 0), dtype=np.float32)),
            horizon=2,
            levels=(0.5,),
        )
        model = keras_network.to_keras(network, small(units=2, horizon=2), 2, whole_sequence=whole)
        found = np.asarray(model(self.x))[0, ..., 0]
        expected = np.array(self.expected)
        assert found == pytest.approx(expected if whole else expected[1], abs=5e-4)


def answers(model, settings: Settings, inputs) -> np.ndarray:
    """What the trained network says of each window, by the numpy engine; Keras says the same."""
    network = keras_network.to_network(model, settings)
    found = forward_last(network, windows(inputs))[:, 0, 0]
    assert np.asarray(model(windows(inputs)))[:, 0, 0] == pytest.approx(found, abs=1e-5)
    return found


def without_memory(model, settings: Settings, inputs) -> np.ndarray:
    """The same network with its recurrent weights set to 0: each session is read by itself."""
    network = keras_network.to_network(model, settings)
    (layer,) = network.layers
    cell = replace(layer.forward, recurrent=np.zeros_like(layer.forward.recurrent))
    return forward_last(replace(network, layers=(Layer(cell),)), windows(inputs))[:, 0, 0]


@pytest.mark.network
class TestFourRules:
    """low, low → low; low, medium → high; high, medium → low; high, high → high.

    The head sees the last session beside the state, and the last session alone cannot tell the
    second rule from the third.
    """

    inputs = ((LOW, LOW), (LOW, MEDIUM), (HIGH, MEDIUM), (HIGH, HIGH))
    targets = (LOW, HIGH, LOW, HIGH)
    # targets are levels, so that the centre is free of the ridge for returns
    settings = small(units=4, learning_rate=0.02, scale="minmax")

    def test_are_learnt_by_a_small_rnn(self):
        model = taught(self.settings, self.inputs, self.targets, 400)
        found = answers(model, self.settings, self.inputs)
        assert found == pytest.approx(np.array(self.targets), abs=0.1)
        # what tells low, medium from high, medium is the recurrence
        forgetful = without_memory(model, self.settings, self.inputs)
        assert forgetful[1] == forgetful[2]

    def test_need_memory(self):
        # medium alone leads to high or to low: only the session before it can tell
        model = taught(self.settings, [row[1:] for row in self.inputs], self.targets, 400)
        found = answers(model, self.settings, [row[1:] for row in self.inputs])
        assert found[1] == found[2]
        assert max(abs(found - np.array(self.targets))) >= 0.5

    def test_twenty_sessions_take_as_many_weights_as_two(self):
        model = keras_network.build(self.settings, 1, whole_sequence=False)
        # rnn: 1·4 + 4·4 + 4 = 24; centre: the last state and the last input, (4 + 1) + 1 = 6
        assert model.count_params() == 30
        for sessions in (2, 20):
            assert model(np.zeros((3, sessions, 1), np.float32)).shape == (3, 1, 1)
        assert model.count_params() == 30


@pytest.mark.network
class TestCounting:
    """1, 2, 3 → 4; 2, 3, 4 → 5; 3, 4, 5 → 6, with 50 units in 200 epochs."""

    inputs = ((1, 2, 3), (2, 3, 4), (3, 4, 5))
    settings = small(units=50, learning_rate=3e-3, scale="minmax")

    def test_is_learnt(self):
        model = taught(self.settings, self.inputs, (4, 5, 6), 200)
        found = answers(model, self.settings, self.inputs)
        assert found == pytest.approx(np.array([4.0, 5.0, 6.0]), abs=0.3)

    def test_cannot_be_told_from_the_last_number_alone_where_steps_differ(self):
        # up by one, up by two, down by one: all end in 5, so that the answer lies before the end
        inputs, targets = ((3, 4, 5), (1, 3, 5), (7, 6, 5)), (6, 7, 4)
        model = taught(self.settings, inputs, targets, 200)
        found = answers(model, self.settings, inputs)
        assert found == pytest.approx(np.array(targets, float), abs=0.3)
        forgetful = without_memory(model, self.settings, inputs)
        assert forgetful[0] == forgetful[1] == forgetful[2]
