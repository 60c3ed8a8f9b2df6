from __future__ import annotations

import numpy as np
import pytest

from forecaster.model import averaging, network
from forecaster.model.averaging import WeightAverage
from forecaster.model.settings import Settings

SETTINGS = Settings(units=4, horizon=2, quantiles=(0.1, 0.5, 0.9))


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
        monkeypatch.setattr(averaging, "to_network", lambda model, _: model.get_weights())

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
