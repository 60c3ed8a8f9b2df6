"""Averaging of weights over the last epochs of training."""

from __future__ import annotations

from typing import Any

import numpy as np

from forecaster.arrays import Floats32
from forecaster.model.network import to_network
from forecaster.model.numpy_rnn import Network
from forecaster.model.settings import Settings


class WeightAverage:
    """Decaying mean of a model's weights over the last epochs of its training.

    (Polyak and Juditsky 1992; the exponential form is common practice.)

    Attributes:
        steps: count of training steps so far.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._mean: list[Floats32] = model.get_weights()
        self.steps = 0
        self._before_epoch = 0
        self._epoch_steps = 1

    def add(self, epochs: float) -> None:
        """Add the weights after a training step.

        Args:
            epochs: length of the average.
        """
        self.steps += 1
        share = max(1.0 / (epochs * self._epoch_steps), 1.0 / (1.0 + self.steps / 2.0))
        current = self._model.get_weights()
        self._mean = [
            m + np.float32(share) * (w - m) for m, w in zip(self._mean, current, strict=True)
        ]

    def network(self, settings: Settings) -> Network:
        """The averaged weights for the numpy engine, after an epoch."""
        self._epoch_steps = max(self.steps - self._before_epoch, 1)
        self._before_epoch = self.steps
        weights = self._model.get_weights()
        self._model.set_weights(self._mean)
        averaged = to_network(self._model, settings)
        self._model.set_weights(weights)
        return averaged
