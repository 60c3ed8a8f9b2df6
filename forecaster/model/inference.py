"""Network outputs at chosen sessions of encoded histories, by the numpy engine.

A forecast made at session t reads at most ``context`` sessions up to t. A causal network reads a
whole stretch of sessions in one pass, each origin with between half and all of its context; a
network trained on windows reads exactly its window.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.arrays import Floats, Floats32, Reals, Rows
from forecaster.features.representation import Encoding
from forecaster.features.sequences import gather_windows
from forecaster.model.numpy_rnn import (
    GATES,
    Network,
    forward_last,
    last_state,
    read,
    traces,
)

Answer = Callable[[Reals, Reals], Reals]
"""What the head makes of states ``(m, U)`` and inputs ``(m, F)``: ``(m, ...)``."""


@dataclass(frozen=True)
class Cut:
    """How the origins of a history are cut into pieces, each read in one pass.

    Attributes:
        lead_in: sessions read before the first origin of a piece.
        stride: origins of a piece.
        at_once: pieces.
        one_shape: whether every product has the same shape, whatever is read: in float32 the order
            of its sums, and so the seventh digit, depends on the shape.
    """

    lead_in: int
    stride: int
    at_once: int
    one_shape: bool = False


_WINDOWS_AT_ONCE = 2048
_PIECES_AT_ONCE = 512
_HISTORIES_AT_ONCE = 64
"""Products of a step's size are too small to share between threads; larger ones would be."""
_LARGEST_PRODUCT = 2**26
"""Numbers of one product, all steps of the windows read at once: some hundred MB."""
_ONE_SHAPE = 2_000_000
"""Those of a product of one shape, which a single history takes as long as many histories."""


def outputs_at(
    network: Network,
    encoded: Sequence[Encoding],
    rows: Sequence[Rows],
    context: int,
    *,
    pieces: bool,
) -> list[Floats32]:
    """Outputs for every origin of every history.

    Args:
        network: the weights.
        encoded: S histories.
        rows: for each history its origins, shape ``(m,)``, rising.
        context: sessions that a forecast may read.
        pieces: read stretches in one pass (needs a causal network), or a window an origin.

    Returns:
        S arrays ``(m, H, Q)``, in the network's own unit; not finite where an unstable network
        overflows, which callers must look for.
    """
    shape = (network.horizon, len(network.levels))
    out = [np.empty((len(r), *shape), dtype=np.float32) for r in rows]

    def quantiles(states: Reals, inputs: Reals) -> Reals:
        return network.head.quantiles(states, inputs, network.levels)

    half = max(context // 2, 1)
    cut = Cut(context - half, half, _PIECES_AT_ONCE) if pieces else context
    _fill(network, quantiles, encoded, rows, cut, out)
    return out


def centres_and_spreads_at(
    network: Network,
    encoded: Sequence[Encoding],
    rows: Sequence[Rows],
    context: int,
    *,
    stride: int | None,
) -> list[tuple[Floats, Floats]]:
    """Centres and spreads ``(m, H)`` for every origin of every history.

    Those of one history do not depend on which others are read with it. Stretches are long ones
    here: what a network remembers from before its context is next to nothing, and one pass over
    many sessions is the cheapest.

    Args:
        network: the weights.
        encoded: S histories.
        rows: for each history its origins, shape ``(m,)``, rising.
        context: sessions that a forecast may read.
        stride: origins that are read in one pass (needs a causal network), with half a context
            before the first of them; None: a window an origin.
    """
    head = network.in_double().head
    out = [np.empty((len(r), 2, network.horizon)) for r in rows]

    def both(states: Reals, inputs: Reals) -> Reals:
        double = states.astype(np.float64), inputs.astype(np.float64)
        return np.stack(head.centre_and_spread(*double), axis=-2)

    if stride is not None:
        cut = Cut(context // 2, stride, _HISTORIES_AT_ONCE, one_shape=True)
        _fill(network, both, encoded, rows, cut, out)
    else:
        _fill(network.in_double(), both, encoded, rows, context, out)
    return [(each[:, 0], each[:, 1]) for each in out]


def _fill(
    network: Network,
    answer: Answer,
    encoded: Sequence[Encoding],
    rows: Sequence[Rows],
    cut: Cut | int,
    out: Sequence[Reals],
) -> None:
    """Fill an array for each history with what the head answers at its origins.

    Stretches are read as they are cut, or windows of so many sessions.
    """
    lengths = [len(e.inputs) for e in encoded]
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.intp)
    # products of two precisions are many times as slow
    inputs = np.concatenate([e.inputs for e in encoded]).astype(
        network.head.kernel.dtype, copy=False
    )
    with np.errstate(over="ignore", invalid="ignore"):  # an unstable relu network overflows
        if isinstance(cut, Cut):
            _by_pieces(network, answer, inputs, starts, rows, cut, out)
        else:
            _by_windows(network, answer, inputs, starts, rows, cut, out)


def outputs_now(network: Network, encoded: Sequence[Encoding], context: int) -> list[Floats]:
    """Outputs at the last session of each history: S arrays ``(H, Q)``.

    They are computed in float64, so that the answer for one history does not depend on which others
    are read with it.
    """
    double = network.in_double()
    sizes = [min(len(e.inputs), context) for e in encoded]
    out: list[Floats] = [np.empty(0)] * len(encoded)
    with np.errstate(over="ignore", invalid="ignore"):  # an unstable relu network overflows
        for size in sorted(set(sizes)):
            group = [i for i, own in enumerate(sizes) if own == size]
            count = _at_once(network, size, _HISTORIES_AT_ONCE)
            for first in range(0, len(group), count):
                part = group[first : first + count]
                windows = np.stack([encoded[i].inputs[-size:] for i in part]).astype(np.float64)
                if len(part) == 1:  # a product of one row rounds otherwise than one of several
                    windows = np.repeat(windows, 2, axis=0)
                answers = forward_last(double, windows)[: len(part)]
                for i, answer in zip(part, answers, strict=True):
                    out[i] = np.asarray(answer, dtype=np.float64)
    return out


def _at_once(network: Network, steps: int, most: int, largest: int = _LARGEST_PRODUCT) -> int:
    """How many windows of so many steps are read at once: fewer of a large network."""
    gated = GATES[network.cell] * network.layers[0].forward.units
    return max(1, min(most, largest // (steps * gated)))


def _by_windows(
    network: Network,
    answer: Answer,
    inputs: Reals,
    starts: Rows,
    rows: Sequence[Rows],
    context: int,
    out: Sequence[Reals],
) -> None:
    series = np.concatenate([np.full(len(r), i) for i, r in enumerate(rows)]).astype(np.intp)
    place = np.concatenate([np.arange(len(r)) for r in rows]).astype(np.intp)
    origin = np.concatenate(list(rows)).astype(np.intp)
    length = np.minimum(origin + 1, context)
    for size in np.unique(length):
        group = np.flatnonzero(length == size)
        count = _at_once(network, int(size), _WINDOWS_AT_ONCE)
        for first in range(0, len(group), count):
            chunk = group[first : first + count]
            ends = starts[series[chunk]] + origin[chunk]
            windows = gather_windows(inputs, ends, int(size))  # (R, F) -> (N, T, F)
            answers = answer(last_state(traces(network, windows)), windows[:, -1])  # (N, ...)
            for one, s, p in zip(answers, series[chunk], place[chunk], strict=True):
                out[s][p] = one


def _by_pieces(
    network: Network,
    answer: Answer,
    inputs: Reals,
    starts: Rows,
    rows: Sequence[Rows],
    cut: Cut,
    out: Sequence[Reals],
) -> None:
    """Cut each history's origins into pieces with a lead-in, and read many pieces at once.

    The head answers at the origins alone, not in the lead-in, unless products have one shape.
    """
    jobs: list[tuple[int, int, int, int]] = []  # history, first row, first origin, last origin + 1
    for s, r in enumerate(rows):
        if len(r) == 0:
            continue
        for begin in range(int(r[0]), int(r[-1]) + 1, cut.stride):
            jobs.append((s, max(begin - cut.lead_in, 0), begin, begin + cut.stride))
    largest = _ONE_SHAPE if cut.one_shape else _LARGEST_PRODUCT
    count = _at_once(network, cut.lead_in + cut.stride, cut.at_once, largest)
    for first in range(0, len(jobs), count):
        part = jobs[first : first + count]
        width, base = max(stop - lead for _, lead, _, stop in part), np.zeros(len(part), np.intp)
        if cut.one_shape:
            width, base = cut.lead_in + cut.stride, np.zeros(count, np.intp)
        base[: len(part)] = [starts[s] + lead for s, lead, _, _ in part]
        index = np.minimum(base[:, None] + np.arange(width), len(inputs) - 1)  # (N, T)
        windows = inputs[index]  # (R, F) -> (N, T, F)
        states = read(network, windows)  # (N, T, F) -> (N, T, U)
        places = [np.searchsorted(rows[s], [begin, stop]) for s, _, begin, stop in part]
        # the m origins of all pieces, each by its piece and its step in it
        piece = np.repeat(np.arange(len(part)), [b - a for a, b in places])
        step = np.concatenate(
            [rows[s][a:b] - lead for (s, lead, _, _), (a, b) in zip(part, places, strict=True)]
        )
        at = (piece, step)
        if cut.one_shape:  # one piece at a time, which a processor's cache holds
            pairs = zip(states[: len(part)], windows[: len(part)], strict=True)
            answers = np.stack([answer(*pair) for pair in pairs])[at]  # (m, ...)
        else:
            answers = answer(states[at], windows[at])
        ends = np.cumsum([b - a for a, b in places])[:-1]
        for (s, _, _, _), (a, b), some in zip(part, places, np.split(answers, ends), strict=True):
            out[s][a:b] = some
