"""The steps that training answers, and the way from them to every step up to the horizon.

A trained steps of H: h = 1, 2, 5, 10, 20, ... and H.
"""

from __future__ import annotations

import numpy as np

from forecaster.arrays import Floats, Floats32


def trained_steps(horizon: int) -> tuple[int, ...]:
    """The steps that training answers: 1, 2, 5, 10, 20, 50, ... up to the horizon, and the horizon.

    Returns of neighbouring far steps are nearly the same, so that a target for each of them costs
    time and teaches nothing new. The head's weights of the steps between are interpolated.
    """
    series = (digit * 10**power for power in range(3) for digit in (1, 2, 5))
    return (*(step for step in series if step < horizon), horizon)


def interpolation(horizon: int) -> Floats:
    """Weights of the trained steps in every step, linear in ln h: ``(H, A)``, rows sum to 1."""
    trained = np.log(trained_steps(horizon))
    steps = np.log(np.arange(1, horizon + 1))
    return np.column_stack([np.interp(steps, trained, unit) for unit in np.eye(len(trained))])


def step_weights(horizon: int) -> Floats32:
    """Weights of the trained steps in the training loss, with mean 1: ``(A,)``.

    Each step h weighs 1/h: targets h sessions ahead overlap, so n of them hold about n/h
    independent ones and would be learned by heart first. A step that is not trained gives its
    weight to its neighbours.
    """
    weights = (1.0 / np.arange(1, horizon + 1)) @ interpolation(horizon)
    return np.asarray(weights / weights.mean(), dtype=np.float32)
