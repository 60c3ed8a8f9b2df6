"""Small cases whose answers are known beforehand, through the program's own building blocks."""

from __future__ import annotations

import numpy as np
import pytest

from forecaster.features.sequences import Batch
from forecaster.model import network as keras_network
from forecaster.model.recurrence import CellWeights, Layer, Network, forward_last, states
from forecaster.model.settings import Settings

LOW, MEDIUM, HIGH = 0.0, 0.5, 1.0


def windows(rows) -> np.ndarray:
    return np.array(rows, dtype=np.float32)[:, :, None]


def taught(settings: Settings, inputs, targets, steps: int):
    """A network trained on one batch of windows for a number of steps."""
    keras = keras_network.import_keras("cpu")
    keras.utils.set_random_seed(settings.seed)
    targets = np.array(targets, dtype=np.float32)[:, None]
    model = keras_network.build(settings, 1, whole_sequence=False)
    keras_network.compile_model(model, settings)
    keras_network.start_head(model, settings, targets)
    batch = Batch(windows(inputs), targets, np.ones_like(targets))
    for _ in range(steps):
        keras_network.train_step(model, batch)
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
        # the head hands the two states through: each is the centre of one forecast step
        head = np.zeros((2, 4), dtype=np.float32)
        head[0, 0] = head[1, 2] = 1.0
        network = Network(
            cell="rnn",
            activation="tanh",
            layers=(Layer(CellWeights(self.W_x.T, self.W_h.T, self.b)),),
            head_kernel=head,
            head_bias=np.zeros(4, dtype=np.float32),
            horizon=2,
            levels=(0.5,),
        )
        model = keras_network.to_keras(network, small(units=2, horizon=2), 2, whole_sequence=whole)
        found = np.asarray(model(self.x))[0, ..., 0]
        expected = np.array(self.expected)
        assert found == pytest.approx(expected if whole else expected[1], abs=5e-4)


@pytest.mark.network
class TestFourRules:
    """low, low → low; low, medium → high; high, medium → low; high, high → high."""

    inputs = ((LOW, LOW), (LOW, MEDIUM), (HIGH, MEDIUM), (HIGH, HIGH))
    targets = (LOW, HIGH, LOW, HIGH)
    settings = small(units=4, learning_rate=0.02)

    def test_are_learnt_by_a_small_rnn(self):
        model = taught(self.settings, self.inputs, self.targets, 400)
        network = keras_network.to_network(model, self.settings)
        found = forward_last(network, windows(self.inputs))[:, 0, 0]
        assert found == pytest.approx(np.array(self.targets), abs=0.1)
        keras = np.asarray(model(windows(self.inputs)))[:, 0, 0]
        assert keras == pytest.approx(found, abs=1e-5)

    def test_need_memory(self):
        # medium alone leads to high or to low: only the session before it can tell
        model = taught(self.settings, [row[1:] for row in self.inputs], self.targets, 400)
        network = keras_network.to_network(model, self.settings)
        low, high = forward_last(network, windows([[MEDIUM], [MEDIUM]]))[:, 0, 0]
        assert low == high

    def test_twenty_sessions_take_as_many_weights_as_two(self):
        model = keras_network.build(self.settings, 1, whole_sequence=False)
        # rnn: 1·4 + 4·4 + 4 = 24; head: 4·2 + 2 = 10
        assert model.count_params() == 34
        assert keras_network.to_network(model, self.settings).weight_count == 34
        for sessions in (2, 20):
            assert model(np.zeros((3, sessions, 1), np.float32)).shape == (3, 1, 1)
        assert model.count_params() == 34


@pytest.mark.network
def test_counting_is_learnt_in_200_epochs():
    settings = small(units=50, learning_rate=3e-3)
    inputs = ((1, 2, 3), (2, 3, 4), (3, 4, 5))
    model = taught(settings, inputs, (4, 5, 6), 200)
    network = keras_network.to_network(model, settings)
    found = forward_last(network, windows(inputs))[:, 0, 0]
    assert found == pytest.approx(np.array([4.0, 5.0, 6.0]), abs=0.3)
