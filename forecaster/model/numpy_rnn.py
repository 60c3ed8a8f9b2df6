"""Forward pass of the recurrent network in numpy, without TensorFlow.

The equations are Keras's, gate order included, so that weights trained there run here. For a step
with input x and state h (and cell state c):

    rnn    h' = φ(x W + h U + b)                                       φ = tanh or relu
    lstm   i, f, o = σ(·), g = tanh(·);  c' = f∘c + i∘g;  h' = o∘tanh(c')
    gru    z, r = σ(·);  n = tanh(x W_n + b_n + r∘(h U_n + c_n));  h' = z∘h + (1 − z)∘n

(Elman 1990; Hochreiter and Schmidhuber 1997; Cho et al. 2014, the variant whose reset gate comes
after the product, ``reset_after=True`` in Keras and the one that cuDNN computes.)

Shapes: N sequences, T steps, F inputs, U units, H forecast steps, Q quantile levels. Everything is
float32, as in training, unless the network is :meth:`Network.in_double` and reads float64.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from forecaster.arrays import Floats32, Reals, Rows
from forecaster.model.settings import Activation, Cell

GATES: dict[Cell, int] = {"rnn": 1, "lstm": 4, "gru": 3}
SPREAD_LIMIT = 4.0
"""The network's log spread is cut to ±this, so that no input can make a quantile infinite."""


@dataclass(frozen=True)
class CellWeights:
    """One recurrent cell reading in one direction.

    Attributes:
        kernel: ``(F, G·U)``, G gates.
        recurrent: ``(U, G·U)``.
        bias: ``(G·U,)``; for ``gru`` ``(2, 3·U)``, of the input and of the recurrent part.
    """

    kernel: Floats32
    recurrent: Floats32
    bias: Floats32

    @property
    def units(self) -> int:
        """U, the size of the hidden state."""
        return int(self.recurrent.shape[0])


@dataclass(frozen=True)
class Layer:
    """One recurrent layer: forward in time and, if bidirectional, backward as well."""

    forward: CellWeights
    backward: CellWeights | None = None


@dataclass(frozen=True)
class Head:
    """The dense head: it reads the last state beside the last input.

    For each step it answers a centre and a log spread. The shape of the distribution, the gaps
    between neighbouring levels, is learned for each step and does not depend on the input.

    Attributes:
        kernel: ``(W, 2H)``, W = U + F (2U + F if bidirectional); H centres, then H log spreads.
        bias: ``(2H,)``.
        gaps: ``(H, Q - 1)``, before softplus.
    """

    kernel: Floats32
    bias: Floats32
    gaps: Floats32

    def quantiles(self, states: Reals, inputs: Reals, levels: tuple[float, ...]) -> Reals:
        """States ``(..., U)`` and inputs ``(..., F)`` of a step to ``(..., H, Q)``, which rises.

        The level nearest to 0.5 is the centre; each next level outwards is further by
        ``softplus(gap) · exp(log spread)``, which is positive, so that quantiles cannot cross.
        """
        centre, spread = self.centre_and_spread(states, inputs)
        return np.asarray(centre[..., None] + spread[..., None] * self.shape(levels))

    def centre_and_spread(self, states: Reals, inputs: Reals) -> tuple[Reals, Reals]:
        """States ``(..., U)`` and inputs ``(..., F)`` of a step to two arrays ``(..., H)``."""
        of_states, of_inputs = np.split(self.kernel, [states.shape[-1]])
        raw = states @ of_states + inputs @ of_inputs + self.bias
        horizon = len(self.gaps)
        spread = np.exp(np.clip(raw[..., horizon:], -SPREAD_LIMIT, SPREAD_LIMIT))
        return raw[..., :horizon], np.asarray(spread)

    def shape(self, levels: tuple[float, ...]) -> Reals:
        """Distances of the levels from the centre, in spreads: ``(H, Q)``."""
        horizon, middle = len(self.gaps), middle_level(levels)
        widths = np.logaddexp(np.float32(0), self.gaps)
        below = -np.flip(np.cumsum(np.flip(widths[:, :middle], -1), axis=-1), -1)
        above = np.cumsum(widths[:, middle:], axis=-1)
        return np.concatenate([below, np.zeros((horizon, 1), dtype=widths.dtype), above], axis=-1)

    def at(self, steps: Rows) -> Head:
        """The part of the head that answers for some steps h, ``(G,)``."""
        horizon = len(self.gaps)
        columns = np.concatenate([steps - 1, horizon + steps - 1])
        return Head(self.kernel[:, columns], self.bias[columns], self.gaps[steps - 1])


@dataclass(frozen=True)
class Network:
    """Recurrent layers and a dense head.

    Attributes:
        cell: which equations.
        activation: of ``rnn``.
        layers: bottom first.
        head: of the last state and the last input.
        horizon: H.
        levels: Q quantile levels, rising.
    """

    cell: Cell
    activation: Activation
    layers: tuple[Layer, ...]
    head: Head
    horizon: int
    levels: tuple[float, ...]

    @property
    def weights(self) -> dict[str, Floats32]:
        """Every array that was trained, by name: the head's, then those of the bottom layer on."""
        parts: dict[str, CellWeights | Head | None] = {"head": self.head}
        for number, layer in enumerate(self.layers):
            parts[f"layer{number}/forward"] = layer.forward
            parts[f"layer{number}/backward"] = layer.backward
        return {
            f"{at}/{name}": w
            for at, part in parts.items()
            if part
            for name, w in vars(part).items()
        }

    @property
    def weight_count(self) -> int:
        """Count of trained numbers."""
        return sum(w.size for w in self.weights.values())

    def at(self, steps: Rows) -> Network:
        """The same network, answering for some steps h alone, ``(G,)``."""
        return replace(self, head=self.head.at(steps), horizon=len(steps))

    def in_double(self) -> Network:
        """The same weights in float64, where the size of a batch changes no result.

        In float32 the order of sums, which depends on how many sequences are multiplied at once,
        shows in the seventh digit.
        """
        layers = tuple(
            Layer(_in_double(layer.forward), layer.backward and _in_double(layer.backward))
            for layer in self.layers
        )
        return replace(self, layers=layers, head=_in_double(self.head))

    @property
    def causal(self) -> bool:
        """Whether an output depends on its own and earlier steps alone."""
        return all(layer.backward is None for layer in self.layers)


_Part = TypeVar("_Part", CellWeights, Head)


def _in_double(part: _Part) -> _Part:
    return replace(part, **{name: w.astype(np.float64) for name, w in vars(part).items()})


def middle_level(levels: tuple[float, ...]) -> int:
    """Index of the level nearest to 0.5."""
    return min(range(len(levels)), key=lambda i: abs(levels[i] - 0.5))


@dataclass(frozen=True)
class Trace:
    """Hidden and cell states of one cell after every session of its windows.

    Attributes:
        layer: from 0, the bottom one.
        backward: whether the cell read from the last session to the first.
        state: the hidden state h, ``(N, T, U)``, in the order of sessions either way.
        cell_state: c of ``lstm``, ``(N, T, U)`` in that order; None for other cells.
    """

    layer: int
    backward: bool
    state: Reals
    cell_state: Reals | None

    @property
    def sizes(self) -> Reals:
        """Euclidean norm of the hidden state after every session: ``(N, T)``."""
        return np.asarray(np.linalg.norm(self.state, axis=-1))


def states(
    cell: Cell,
    activation: Activation,
    weights: CellWeights,
    inputs: Reals,
    cell_states: Reals | None = None,
) -> Reals:
    """The state after every step, from a zero state: ``(N, T, F)`` to ``(N, T, U)``.

    Cell states of ``lstm`` go into ``cell_states``.
    """
    n, t, _ = inputs.shape
    units, U = weights.units, weights.recurrent
    b = weights.bias if cell != "gru" else weights.bias[0]
    projected = inputs @ weights.kernel  # (N, T, F) -> (N, T, G·U)
    projected += b
    h: Reals = np.zeros((n, units), dtype=projected.dtype)
    c: Reals = np.zeros((n, units), dtype=projected.dtype)
    out: Reals = np.empty((n, t, units), dtype=projected.dtype)
    for step in range(t):
        x = projected[:, step]  # (N, G·U)
        if cell == "rnn":
            h = _activate(x + h @ U, activation)
        elif cell == "lstm":
            h, c = _lstm_step(x + h @ U, c, units)
            if cell_states is not None:
                cell_states[:, step] = c
        else:
            h = _gru_step(x, h @ U + weights.bias[1], h, units)
        out[:, step] = h
    return out


def traces(network: Network, inputs: Reals) -> list[Trace]:
    """States of every cell after every session, bottom layer first, forward before backward.

    A forecast uses the top layer's last forward state and its first backward one.

    Args:
        network: the weights, causal or not.
        inputs: whole windows, ``(N, T, F)``.
    """
    traced = []
    sequence = inputs
    for number, layer in enumerate(network.layers):
        sides = [_trace(network, layer.forward, sequence, number, backward=False)]
        if layer.backward is not None:
            sides.append(_trace(network, layer.backward, sequence, number, backward=True))
        sequence = _side_by_side([side.state for side in sides])
        traced += sides
    return traced


def _side_by_side(parts: list[Reals]) -> Reals:
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)


def _trace(
    network: Network, weights: CellWeights, inputs: Reals, layer: int, *, backward: bool
) -> Trace:
    order = slice(None, None, -1 if backward else None)
    cell_states = None
    if network.cell == "lstm":
        cell_states = np.empty((*inputs.shape[:2], weights.units), dtype=inputs.dtype)
    state = states(network.cell, network.activation, weights, inputs[:, order], cell_states)
    in_order = None if cell_states is None else cell_states[:, order]
    return Trace(layer, backward, state[:, order], in_order)


def read(network: Network, inputs: Reals) -> Reals:
    """The top layer's state after every step, for a causal network: ``(N, T, F)`` to ``(N, T, U)``.

    Raises:
        ValueError: the network is bidirectional.
    """
    if not network.causal:
        raise ValueError("a bidirectional network answers at the end of a window only")
    sequence = inputs
    for layer in network.layers:
        sequence = states(network.cell, network.activation, layer.forward, sequence)
    return sequence


def forward(network: Network, inputs: Reals) -> Reals:
    """Quantiles after every step, for a causal network: ``(N, T, F)`` to ``(N, T, H, Q)``."""
    return network.head.quantiles(read(network, inputs), inputs, network.levels)


def forward_last(network: Network, inputs: Reals) -> Reals:
    """Quantiles at the end of whole windows: ``(N, T, F)`` to ``(N, H, Q)``.

    A bidirectional top layer gives its forward state after the last step beside its backward state
    after the first one, as Keras does.
    """
    return answer(network, traces(network, inputs), inputs)


def answer(network: Network, traced: list[Trace], inputs: Reals) -> Reals:
    """Quantiles at the end of whole windows that :func:`traces` has read: ``(N, H, Q)``."""
    return network.head.quantiles(last_state(traced), inputs[:, -1], network.levels)


def last_state(traced: list[Trace]) -> Reals:
    """What the head reads at the end of whole windows, ``(N, U)`` (2U if bidirectional)."""
    top = [trace for trace in traced if trace.layer == traced[-1].layer]
    return _side_by_side([t.state[:, 0 if t.backward else -1] for t in top])


def _activate(values: Reals, activation: Activation) -> Reals:
    return np.tanh(values) if activation == "tanh" else np.maximum(values, np.float32(0))


def _sigmoid(values: Reals) -> Reals:
    """Logistic function through tanh, which cannot overflow."""
    half = np.float32(0.5)
    return np.asarray(half * np.tanh(half * values) + half)


def _lstm_step(gates: Reals, c: Reals, units: int) -> tuple[Reals, Reals]:
    """One LSTM step: ``x W + h U + b``, in the order i, f, g, o, to the next h and c."""
    i_f = _sigmoid(gates[:, : 2 * units])  # both at once: tanh costs most of a step
    i, f = i_f[:, :units], i_f[:, units:]
    g = np.tanh(gates[:, 2 * units : 3 * units])
    o = _sigmoid(gates[:, 3 * units :])
    c = f * c + i * g
    return o * np.tanh(c), c


def _gru_step(x: Reals, u: Reals, h: Reals, units: int) -> Reals:
    """One GRU step: ``x W + b`` and ``h U + c``, in the order z, r, n, to the next h."""
    z_r = _sigmoid(x[:, : 2 * units] + u[:, : 2 * units])
    z, r = z_r[:, :units], z_r[:, units:]
    n = np.tanh(x[:, 2 * units :] + r * u[:, 2 * units :])
    return z * (h - n) + n
