from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import random_network

from forecaster.evaluation.metrics import pinball
from forecaster.features.sequences import Batch
from forecaster.model import network, optimisation
from forecaster.model.optimisation import RANGE_WEIGHT, Trainer, WeightAverage, step_weights
from forecaster.model.settings import Settings

SETTINGS = Settings(
    cell="rnn", units=3, horizon=2, quantiles=(0.1, 0.5, 0.9), dropout=0.0, learning_rate=1e-3
)


def trainer_of(model, settings, *, traced=False) -> Trainer:
    """A trainer of few steps: what a step computes takes less time than its tracing."""
    trainer = Trainer(model, settings)
    trainer._losses.run_eagerly = not traced
    return trainer


@pytest.mark.network
class TestLoss:
    settings = replace(SETTINGS, scale="minmax")

    def loss(self, targets, weights, inputs, *, whole, traced=False):
        start = random_network(self.settings, 2)
        model = network.to_keras(start, self.settings, 2, whole_sequence=whole)
        trainer = trainer_of(model, self.settings, traced=traced)
        answers = np.asarray(model(inputs)).reshape(-1, 3).astype(float)
        cost = pinball(targets.ravel().astype(float), answers, SETTINGS.quantiles)
        found = trainer.step(Batch(inputs, targets, np.zeros_like(targets), weights))
        share = (weights * step_weights(2)).ravel()
        return found, np.average(cost, weights=share) if share.any() else 0.0

    @pytest.mark.parametrize("whole", [True, False])
    def test_is_the_weighted_pinball_loss_of_the_targets_that_count(self, whole):
        rng = np.random.default_rng(0)
        shape = (4, 5, 2) if whole else (4, 2)
        targets = rng.normal(size=shape).astype(np.float32)
        weights = (rng.uniform(size=shape) < 0.6).astype(np.float32)
        inputs = rng.normal(size=(4, 5, 2)).astype(np.float32)
        found, expected = self.loss(targets, weights, inputs, whole=whole, traced=True)
        assert found == pytest.approx(expected, rel=1e-5)

    def test_far_steps_count_less(self):
        # 1, 1/2, 1/3 and 1/4 have the mean 25/48
        expected = np.array([48, 24, 16, 12]) / 25
        assert step_weights(4) == pytest.approx(expected, rel=1e-6)
        assert step_weights(20).mean() == pytest.approx(1.0, rel=1e-6)
        assert step_weights(1).tolist() == [1.0]

    def test_targets_that_do_not_count_may_be_anything(self):
        inputs = np.zeros((1, 3, 2), np.float32)
        weights = np.array([[[1, 1], [0, 0], [0, 0]]], np.float32)
        one = self.loss(np.zeros((1, 3, 2), np.float32), weights, inputs, whole=True)[0]
        targets = np.full((1, 3, 2), 1e6, np.float32)
        targets[:, 0] = 0.0
        assert self.loss(targets, weights, inputs, whole=True)[0] == one

    def test_the_first_step_is_traced_once(self, monkeypatch):
        model = network.build(SETTINGS, 2, whole_sequence=True)
        trainer = Trainer(model, SETTINGS)
        traced, loss = [], trainer._losses.compute_loss
        monkeypatch.setattr(
            trainer._losses, "compute_loss", lambda *a, **k: traced.append(a) or loss(*a, **k)
        )
        batch = Batch(np.zeros((2, 3, 2), np.float32), *[np.zeros((2, 3, 2), np.float32)] * 3)
        for _ in range(2):
            trainer.step(batch)
        assert len(traced) == 1

    @pytest.mark.parametrize("whole", [True, False])
    @pytest.mark.parametrize(("count", "gpus"), [(1, 0), (2, 0), (3, 0), (5, 0), (1, 1), (5, 1)])
    def test_comes_from_parts_of_any_size(self, monkeypatch, count, gpus, whole):
        monkeypatch.setattr(optimisation, "gpu_count", lambda: gpus)
        monkeypatch.setattr(self, "settings", replace(self.settings, batch_size=64))
        rng = np.random.default_rng(count)
        shape = (count, 5, 2) if whole else (count, 2)
        targets, weights = rng.normal(size=shape).astype(np.float32), np.ones(shape, np.float32)
        inputs = rng.normal(size=(count, 5, 2)).astype(np.float32)
        traced = (count, gpus) == (3, 0)  # two parts, of two sequences and of one
        found, expected = self.loss(targets, weights, inputs, whole=whole, traced=traced)
        assert found == pytest.approx(expected, rel=1e-5)

    @pytest.mark.parametrize(("size", "gpus", "parts"), [(8, 0, 1), (64, 0, 2), (64, 1, 1)])
    def test_a_large_batch_has_two_parts_on_a_cpu(self, monkeypatch, size, gpus, parts):
        monkeypatch.setattr(optimisation, "gpu_count", lambda: gpus)
        model = network.build(SETTINGS, 2, whole_sequence=True)
        trainer = Trainer(model, replace(SETTINGS, batch_size=size))
        assert len(trainer._losses.inputs) == 2 * parts

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

    def losses(self, ranges, weights, *, scale="volatility", whole=True, traced=False):
        """The loss of a step, and the mean distance that it should hold."""
        settings = replace(SETTINGS, scale=scale)
        start = random_network(settings, 2)
        model = network.to_keras(start, settings, 2, whole_sequence=whole)
        trainer = trainer_of(model, settings, traced=traced)
        inputs = np.random.default_rng(3).normal(size=(4, 5, 2)).astype(np.float32)
        answers = np.asarray(model(inputs)).astype(float)
        batch = Batch(inputs, np.zeros_like(ranges), ranges, weights)
        distance = slow_distance(ranges.astype(float), answers, weights)
        share = weights * step_weights(2)
        return trainer.step(batch), np.average(distance, weights=share)

    @pytest.mark.parametrize("whole", [True, False])
    def test_their_distance_is_part_of_the_loss(self, whole):
        rng = np.random.default_rng(0)
        shape = (4, 5, 2) if whole else (4, 2)
        weights = (rng.uniform(size=shape) < 0.7).astype(np.float32)
        near, far = (rng.normal(0.0, s, shape).astype(np.float32) for s in (0.1, 2.0))
        low, low_distance = self.losses(near, weights, whole=whole, traced=True)
        high, high_distance = self.losses(far, weights, whole=whole)
        expected = RANGE_WEIGHT * (high_distance - low_distance)
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
class TestClipping:
    def moved(self, **clip):
        """The optimiser's limits."""
        settings = Settings(cell="rnn", units=2, **clip)
        model = network.build(settings, 2, whole_sequence=True)
        trainer = Trainer(model, settings)
        return trainer.optimiser.global_clipnorm, trainer.optimiser.clipvalue

    def test_is_by_the_norm_of_all_gradients_together(self):
        assert self.moved() == (1.0, None)
        assert self.moved(clip_norm=2.5) == (2.5, None)

    def test_or_by_value(self):
        assert self.moved(clip_value=0.5) == (None, 0.5)

    def test_or_off(self):
        assert self.moved(clip_norm=0.0) == (None, None)


class FakeModel:
    """Weights that move from step to step."""

    def __init__(self, *weights):
        self.weights = [np.array(w, np.float32) for w in weights]

    def get_weights(self):
        return [w.copy() for w in self.weights]

    def set_weights(self, weights):
        self.weights = [w.copy() for w in weights]


class TestWeightAverage:
    EPOCHS = 2.0

    @pytest.fixture(autouse=True)
    def _plain(self, monkeypatch):
        monkeypatch.setattr(optimisation, "to_network", lambda model, _: model.get_weights())

    def averages(self, path, ends, start=0.0):
        """The average after each epoch, when the weights follow a path."""
        model = FakeModel([start], [[start, 2.0 * start]])
        average, found = WeightAverage(model), []
        for step, value in enumerate(path, start=1):
            model.weights = FakeModel([value], [[value, 2.0 * value]]).weights
            average.add(self.EPOCHS)
            if step in ends:
                one, two = average.network(SETTINGS)
                assert two[0] == pytest.approx([one[0], 2.0 * one[0]], rel=1e-5)
                found.append(float(one[0]))
                assert model.weights[0][0] == np.float32(
                    value
                )  # training goes on from where it was
        return found

    def slow(self, path, ends, start=0.0):
        """Each step's share, and what is left of it after the later steps' shares."""
        shares, length, last = [], 1, 0
        for step in range(1, len(path) + 1):
            shares.append(max(1.0 / (self.EPOCHS * length), 2.0 / (2.0 + step)))
            if step in ends:
                length, last = step - last, step
        out = []
        for end in ends:
            left = [np.prod([1.0 - s for s in shares[i + 1 : end]]) for i in range(end)]
            parts = [s * k * w for s, k, w in zip(shares, left, path, strict=False)]
            out.append(sum(parts) + start * np.prod([1.0 - s for s in shares[:end]]))
        return out

    def test_equals_a_slow_sum(self):
        path = np.random.default_rng(0).normal(size=60).cumsum()
        ends = [10, 20, 33, 60]
        assert self.averages(path, ends, 3.0) == pytest.approx(
            self.slow(path, ends, 3.0), rel=1e-4, abs=1e-4
        )

    def test_by_hand(self):
        # one step an epoch: shares 2/3, then 1/2 and 1/2
        # 0 → 2/3·6 = 4 → (4 + 2)/2 = 3 → (3 + 9)/2 = 6
        assert self.averages([6.0, 2.0, 9.0], [1, 2, 3]) == pytest.approx([4.0, 3.0, 6.0], rel=1e-6)

    def test_weights_that_stand_still_are_their_own_average(self):
        assert self.averages([5.0] * 40, [10, 40], 5.0) == [5.0, 5.0]

    def test_forgets_the_start_and_smooths_what_comes_late(self):
        # a hundred steps an epoch around 1, with a noise that is three times smaller on average
        rng = np.random.default_rng(1)
        path = 1.0 + 0.5 * rng.normal(size=1000)
        found = self.averages(path, list(range(100, 1001, 100)), start=100.0)
        assert found[-1] == pytest.approx(1.0, abs=0.15)
        assert np.std(found[3:]) < 0.1


@pytest.mark.network
def test_averaged_weights_of_a_real_model_are_those_that_keras_holds():
    model = network.build(SETTINGS, 2, whole_sequence=True)
    average = WeightAverage(model)
    before = network.to_network(model, SETTINGS)
    model.set_weights([w + 1.0 for w in model.get_weights()])
    average.add(2.0)
    found = average.network(SETTINGS)
    for one, start in zip(found.weights.values(), before.weights.values(), strict=True):
        assert one == pytest.approx(start + 2.0 / 3.0, abs=1e-5)
    trained = network.to_network(model, SETTINGS).weights
    for one, start in zip(trained.values(), before.weights.values(), strict=True):
        assert one == pytest.approx(start + 1.0, abs=1e-6)
