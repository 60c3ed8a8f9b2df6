"""The arrays of a model file, and the network that they make."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from forecaster.arrays import Floats32
from forecaster.model.numpy_rnn import GATES, CellWeights, Head, Layer, Network
from forecaster.model.settings import Settings


def check_weights(network: Network, settings: Settings, features: int) -> None:
    """Check that weights are finite and that their shapes fit the settings and the inputs."""
    shapes = _shapes(settings, features)
    for name, weights in network.weights.items():
        if weights.shape != shapes[name]:
            raise ValueError(
                f"{name} has the shape {weights.shape}, and its settings and inputs need"
                f" {shapes[name]}"
            )
        if weights.dtype != np.float32 or not bool(np.all(np.isfinite(weights))):
            raise ValueError(f"{name} holds something else than finite 32-bit numbers")


def _shapes(settings: Settings, features: int) -> dict[str, tuple[int, ...]]:
    """The shape of every array of a network, by name."""
    units, horizon = settings.layer_units, settings.horizon
    gated = GATES[settings.cell] * units
    bias = (2, gated) if settings.cell == "gru" else (gated,)
    sides = ("forward", "backward") if settings.bidirectional else ("forward",)
    shapes: dict[str, tuple[int, ...]] = {
        "head/kernel": (len(sides) * units + features, 2 * horizon),
        "head/bias": (2 * horizon,),
        "head/gaps": (horizon, len(settings.quantiles) - 1),
    }
    for number in range(settings.layers):
        width = len(sides) * units if number else features
        for side in sides:
            shapes[f"layer{number}/{side}/kernel"] = (width, gated)
            shapes[f"layer{number}/{side}/recurrent"] = (units, gated)
            shapes[f"layer{number}/{side}/bias"] = bias
    return shapes


def network_of(arrays: Mapping[str, Floats32], settings: Settings) -> Network:
    """The network of weights by name; a missing name is a KeyError, another one is not read."""

    def cell(stem: str) -> CellWeights:
        return CellWeights(*(arrays[stem + part] for part in ("kernel", "recurrent", "bias")))

    layers = []
    for number in range(settings.layers):
        backward = cell(f"layer{number}/backward/") if settings.bidirectional else None
        layers.append(Layer(cell(f"layer{number}/forward/"), backward))
    return Network(
        cell=settings.cell,
        activation=settings.activation,
        layers=tuple(layers),
        head=Head(arrays["head/kernel"], arrays["head/bias"], arrays["head/gaps"]),
        horizon=settings.horizon,
        levels=settings.quantiles,
    )
