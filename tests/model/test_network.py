from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from synthetic import random_network

from forecaster.evaluation.metrics import pinball
from forecaster.features.sequences import Batch
from forecaster.model import network as keras_network
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
class TestLoss:
    settings = replace(SETTINGS, scale="minmax")

    def loss(self, targets, weights, inputs, *, whole):
        network = random_network(self.settings, 2)
        model = keras_network.to_keras(network, self.settings, 2, whole_sequence=whole)
        keras_network.compile_model(model, self.settings)
        answers = np.asarray(model(inputs)).reshape(-1, 3).astype(float)
        cost = pinball(targets.ravel().astype(float), answers, SETTINGS.quantiles)
        found = keras_network.train_step(
            model, Batch(inputs, targets, np.zeros_like(targets), weights)
        )
        share = (weights * keras_network.step_weights(2)).ravel()
        return found, np.average(cost, weights=share) if share.any() else 0.0

    @pytest.mark.parametrize("whole", [True, False])
    def test_is_the_weighted_pinball_loss_of_the_targets_that_count(self, whole):
        rng = np.random.default_rng(0)
        shape = (4, 5, 2) if whole else (4, 2)
        targets = rng.normal(size=shape).astype(np.float32)
        weights = (rng.uniform(size=shape) < 0.6).astype(np.float32)
        inputs = rng.normal(size=(4, 5, 2)).astype(np.float32)
        found, expected = self.loss(targets, weights, inputs, whole=whole)
        assert found == pytest.approx(expected, rel=1e-5)

    def test_far_steps_count_less(self):
        # 1, 1/2, 1/3 and 1/4 have the mean 25/48
        expected = np.array([48, 24, 16, 12]) / 25
        assert keras_network.step_weights(4) == pytest.approx(expected, rel=1e-6)
        assert keras_network.step_weights(20).mean() == pytest.approx(1.0, rel=1e-6)
        assert keras_network.step_weights(1).tolist() == [1.0]

    def test_targets_that_do_not_count_may_be_anything(self):
        inputs = np.zeros((1, 3, 2), np.float32)
        weights = np.array([[[1, 1], [0, 0], [0, 0]]], np.float32)
        one = self.loss(np.zeros((1, 3, 2), np.float32), weights, inputs, whole=True)[0]
        targets = np.full((1, 3, 2), 1e6, np.float32)
        targets[:, 0] = 0.0
        assert self.loss(targets, weights, inputs, whole=True)[0] == one

    def test_the_first_step_is_traced_once(self, monkeypatch):
        traced = []
        distance = keras_network._range_distance
        monkeypatch.setattr(
            keras_network,
            "_range_distance",
            lambda *given: traced.append(given) or distance(*given),
        )
        settings = replace(SETTINGS, scale="volatility")
        model = keras_network.build(settings, 2, whole_sequence=True)
        keras_network.compile_model(model, settings)
        batch = Batch(np.zeros((1, 3, 2), np.float32), *[np.zeros((1, 3, 2), np.float32)] * 3)
        for _ in range(2):
            keras_network.train_step(model, batch)
        assert len(traced) == 1

    def test_without_any_target_it_is_zero(self):
        inputs, zeros = np.zeros((1, 3, 2), np.float32), np.zeros((1, 3, 2), np.float32)
        assert self.loss(zeros, zeros, inputs, whole=True)[0] == 0.0


def slow_distance(ranges, quantiles, weights):
    """Squared distances from the mean difference of each step, from the definition."""
    difference = ranges - np.log(quantiles[..., -1] - quantiles[..., 0])
    out = np.zeros_like(difference)
    for h in range(ranges.shape[-1]):
        counted = weights[..., h] > 0
        out[..., h] = (difference[..., h] - difference[..., h][counted].mean()) ** 2
    return out


@pytest.mark.network
class TestRanges:
    """Returns in units of volatility are wide where the ranges that follow are."""

    def losses(self, ranges, weights, *, scale="volatility", whole=True):
        """The loss of a step, and the mean distance that it should hold."""
        settings = replace(SETTINGS, scale=scale)
        network = random_network(settings, 2)
        model = keras_network.to_keras(network, settings, 2, whole_sequence=whole)
        keras_network.compile_model(model, settings)
        inputs = np.random.default_rng(3).normal(size=(4, 5, 2)).astype(np.float32)
        answers = np.asarray(model(inputs)).astype(float)
        batch = Batch(inputs, np.zeros_like(ranges), ranges, weights)
        distance = slow_distance(ranges.astype(float), answers, weights)
        share = weights * keras_network.step_weights(2)
        return keras_network.train_step(model, batch), np.average(distance, weights=share)

    @pytest.mark.parametrize("whole", [True, False])
    def test_their_distance_is_part_of_the_loss(self, whole):
        rng = np.random.default_rng(0)
        shape = (4, 5, 2) if whole else (4, 2)
        weights = (rng.uniform(size=shape) < 0.7).astype(np.float32)
        near, far = (rng.normal(0.0, s, shape).astype(np.float32) for s in (0.1, 2.0))
        low, low_distance = self.losses(near, weights, whole=whole)
        high, high_distance = self.losses(far, weights, whole=whole)
        expected = keras_network.RANGE_WEIGHT * (high_distance - low_distance)
        assert expected > 0.1
        assert high - low == pytest.approx(expected, rel=1e-4)

    def test_their_level_by_step_does_not_matter(self):
        rng = np.random.default_rng(1)
        ranges = rng.normal(size=(4, 5, 2)).astype(np.float32)
        weights = np.ones_like(ranges)
        one = self.losses(ranges, weights)[0]
        other = self.losses(ranges + np.float32([5.0, -3.0]), weights)[0]
        assert other == pytest.approx(one, rel=1e-5)

    def test_price_levels_have_none(self):
        ranges = np.random.default_rng(2).normal(size=(4, 5, 2)).astype(np.float32)
        weights = np.ones_like(ranges)
        one = self.losses(ranges, weights, scale="minmax")[0]
        assert self.losses(9.0 * ranges, weights, scale="minmax")[0] == one


@pytest.mark.network
class TestRidge:
    """Returns in units of volatility have a centre that is hardly forecastable: it is held back."""

    def step(self, scale, quantiles=(0.1, 0.5, 0.9), *, learning_rate=1e-3):
        """Loss of a step without targets, and the head's kernel and bias before and after it."""
        settings = replace(SETTINGS, scale=scale, quantiles=quantiles, learning_rate=learning_rate)
        network = random_network(settings, 2)
        model = keras_network.to_keras(network, settings, 2, whole_sequence=False)
        keras_network.compile_model(model, settings)
        nothing = np.zeros((1, 2), np.float32)
        loss = keras_network.train_step(
            model, Batch(np.zeros((1, 3, 2), np.float32), *[nothing] * 3)
        )
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
class TestClipping:
    def moved(self, **clip):
        """The optimiser's limits, as the model was compiled."""
        settings = Settings(cell="rnn", units=2, **clip)
        model = keras_network.build(settings, 2, whole_sequence=True)
        keras_network.compile_model(model, settings)
        return model.optimizer.global_clipnorm, model.optimizer.clipvalue

    def test_is_by_the_norm_of_all_gradients_together(self):
        assert self.moved() == (1.0, None)
        assert self.moved(clip_norm=2.5) == (2.5, None)

    def test_or_by_value(self):
        assert self.moved(clip_value=0.5) == (None, 0.5)

    def test_or_off(self):
        assert self.moved(clip_norm=0.0) == (None, None)


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
