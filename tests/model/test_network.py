from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from synthetic import random_network

from forecaster.features.sequences import Batch
from forecaster.model import network as keras_network
from forecaster.model.optimisation import Trainer
from forecaster.model.settings import Settings

SETTINGS = Settings(
    cell="rnn", units=3, horizon=2, quantiles=(0.1, 0.5, 0.9), dropout=0.0, learning_rate=1e-3
)


@pytest.mark.network
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_weights_start_from_the_seed_alone(cell, bidirectional):
    """Other threads of a process may draw from its common generator at any time."""
    settings = replace(
        SETTINGS, cell=cell, layers=2, supervise="last", bidirectional=bidirectional, seed=5
    )

    def start(common: int) -> list[bytes]:
        random.seed(common)
        model = keras_network.build(settings, 4, whole_sequence=False)
        layers = [model.get_layer(f"recurrent_{number}") for number in range(2)]
        return [weights.tobytes() for layer in layers for weights in layer.get_weights()]

    first = start(1)
    assert first == start(2)
    assert len(set(first)) >= 2 * 2 * (1 + bidirectional)  # no two kernels begin alike


@pytest.mark.network
class TestRidge:
    """Returns in units of volatility have a centre that is hardly forecastable: it is held back."""

    def step(self, scale, quantiles=(0.1, 0.5, 0.9), *, learning_rate=1e-3):
        """Loss of a step without targets, and the head's kernel and bias before and after it."""
        settings = replace(SETTINGS, scale=scale, quantiles=quantiles, learning_rate=learning_rate)
        network = random_network(settings, 2)
        model = keras_network.to_keras(network, settings, 2, whole_sequence=False)
        nothing = np.zeros((1, 2), np.float32)
        batch = Batch(np.zeros((1, 3, 2), np.float32), *[nothing] * 3)
        loss = Trainer(model, settings).step(batch)
        return loss, network.head, keras_network.to_network(model, settings).head

    @pytest.mark.parametrize("quantiles", [(0.1, 0.5, 0.9), (0.5,)])
    def test_is_the_sum_of_the_centres_squared_weights(self, quantiles):
        loss, head, _ = self.step("volatility", quantiles)
        squares = float(np.sum(head.kernel[:, :2].astype(float) ** 2))
        assert loss == pytest.approx(keras_network.CENTRE_RIDGE * squares, rel=1e-5)

    def test_pulls_the_centre_towards_zero_and_nothing_else(self):
        _, before, after = self.step("volatility")
        moved = np.abs(after.kernel) < np.abs(before.kernel)
        assert moved[:, :2].all()
        assert np.array_equal(after.kernel[:, 2:], before.kernel[:, 2:])
        assert np.array_equal(after.bias, before.bias)
        assert np.array_equal(after.gaps, before.gaps)

    @pytest.mark.parametrize("scale", ["minmax", "standard"])
    def test_is_not_there_for_price_levels(self, scale):
        # tomorrow's level is today's, nearly: a centre that is held back could not say so
        loss, before, after = self.step(scale)
        assert loss == 0.0
        assert np.array_equal(after.kernel, before.kernel)

    def test_is_not_in_the_file_that_is_exported(self):
        model = keras_network.build(SETTINGS, 2, whole_sequence=True)
        kinds = {type(layer).__module__.split(".")[0] for layer in model.layers}
        assert kinds == {"keras"}


@pytest.mark.network
class TestStart:
    def start(self, targets, quantiles=(0.1, 0.5, 0.9)):
        settings = Settings(
            cell="rnn", units=3, horizon=targets.shape[1], quantiles=quantiles, dropout=0.0
        )
        model = keras_network.build(settings, 2, whole_sequence=False)
        keras_network.start_head(model, settings, targets)
        return np.asarray(model(np.zeros((1, 2, 2), np.float32)))[0]

    def test_is_at_the_targets_own_quantiles(self):
        targets = np.random.default_rng(0).normal(0.5, [1.0, 3.0], (500, 2))
        expected = np.quantile(targets, (0.1, 0.5, 0.9), axis=0).T
        assert self.start(targets) == pytest.approx(expected, abs=1e-5)

    def test_leaves_unknown_targets_out(self):
        targets = np.array([[1.0, np.nan], [2.0, np.nan], [3.0, np.nan]])
        found = self.start(targets)
        assert found[:, 1] == pytest.approx([2.0, 2.0], abs=1e-6)

    def test_one_level(self):
        targets = np.array([[1.0], [2.0], [9.0]])
        assert self.start(targets, (0.5,)) == pytest.approx(np.array([[2.0]]), abs=1e-6)

    def test_enormous_targets_are_still_numbers(self):
        # a price that did not move for a year and then jumped, in units of almost no volatility
        targets = np.zeros((100, 1))
        targets[90:] = 26_000.0
        found = self.start(targets)
        assert np.all(np.isfinite(found))
        assert found[0, 2] == pytest.approx(np.quantile(targets, 0.9), rel=1e-3)
