from __future__ import annotations

from math import log

import numpy as np
import pytest
from synthetic import random_network

from forecaster.model import network as keras_network
from forecaster.model.settings import Settings
from forecaster.model.steps import interpolation, step_weights, trained_steps


@pytest.mark.parametrize(
    ("horizon", "steps"),
    [
        (1, (1,)),
        (2, (1, 2)),
        (4, (1, 2, 4)),
        (20, (1, 2, 5, 10, 20)),
        (250, (1, 2, 5, 10, 20, 50, 100, 200, 250)),
    ],
)
def test_steps_are_those_of_the_series_and_the_horizon(horizon, steps):
    assert trained_steps(horizon) == steps


class TestInterpolation:
    def test_of_trained_steps_is_exact(self):
        weights = interpolation(20)
        rows = weights[np.array(trained_steps(20)) - 1]
        assert np.array_equal(rows, np.eye(5))

    def test_is_linear_in_the_log_between_two_steps(self):
        share = log(3 / 2) / log(5 / 2)
        assert interpolation(20)[2] == pytest.approx([0, 1 - share, share, 0, 0])

    @pytest.mark.parametrize("horizon", [1, 3, 20, 250])
    def test_weights_sum_to_one(self, horizon):
        assert interpolation(horizon).sum(axis=1) == pytest.approx(np.ones(horizon))


class TestWeights:
    def test_of_trained_steps_alone_fall_with_the_step(self):
        assert step_weights(2) == pytest.approx([4 / 3, 2 / 3], rel=1e-6)
        assert step_weights(1).tolist() == [1.0]

    def test_hold_those_of_the_steps_between(self):
        share = log(3 / 2) / log(2)  # of step 3 to step 4, the rest to step 2
        whole = np.array([1.0, 1 / 2 + (1 - share) / 3, 1 / 4 + share / 3])
        assert step_weights(4) == pytest.approx(whole / whole.mean(), rel=1e-6)
        assert step_weights(20).mean() == pytest.approx(1.0, rel=1e-6)


@pytest.mark.network
class TestRoundTrip:
    """Weights of trained steps come back as they were, and others lie between them."""

    settings = Settings(cell="rnn", units=3, horizon=7, quantiles=(0.1, 0.5, 0.9), dropout=0.0)

    def trained(self, whole):
        network = random_network(self.settings, 2)
        steps = trained_steps(7)
        model = keras_network.to_keras(network, self.settings, 2, whole_sequence=whole, steps=steps)
        return network, model, keras_network.to_network(model, self.settings)

    @pytest.mark.parametrize("whole", [True, False])
    def test_trained_steps_answer_as_before(self, whole):
        network, model, back = self.trained(whole)
        inputs = np.random.default_rng(0).normal(size=(3, 4, 2)).astype(np.float32)
        column = np.array(trained_steps(7)) - 1
        for one in (network, back):
            head = np.concatenate([column, column + 7])
            assert np.array_equal(one.head.kernel[:, head], network.head.kernel[:, head])
            assert np.array_equal(one.head.gaps[column], network.head.gaps[column])
        assert model(inputs).shape[-2:] == (4, 3)

    def test_a_step_between_is_between(self):
        _, _, back = self.trained(whole=True)
        share = log(3 / 2) / log(5 / 2)
        for row in (back.head.gaps, back.head.bias[:7], back.head.kernel[:, 7:].T):
            assert row[2] == pytest.approx((1 - share) * row[1] + share * row[4], abs=1e-6)
