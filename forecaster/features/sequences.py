"""Training sequences of variable length, cut from histories.

``prefixes`` cuts each history into pieces and puts a target on every step: a piece of T sessions
holds T sequences, of lengths 1..T, and a recurrent network reads all of them in one pass.
``last`` cuts classic windows with a target on the last step alone, of one length or of many.

Inputs stay in one flat array and each batch gathers its rows, so memory grows with the panel and
not with panel × context. Weights are zero on padding, which is always on the right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.arrays import Floats32, Mask, Rows
from forecaster.features.representation import Encoding

WARM_UP = 8
"""Steps without a loss at the start of a piece that was cut from the middle of a history; a
shorter context leaves its last step a loss."""

MARKET_STATE_DROPOUT = 0.2
"""Share of sequences trained without the market state, for forecasts of a single ticker."""

SHORTEST_WINDOW = 4
"""Shortest window when window lengths vary, in sessions."""


@dataclass(frozen=True)
class Batch:
    """Inputs, targets, ranges and weights of one training step.

    Attributes:
        inputs: ``(B, T, F)`` float32.
        targets: ``(B, T, H)`` float32 for prefixes, ``(B, H)`` for windows; 0 where unknown.
        ranges: log ranges of the sessions that a target spans, in the shape of ``targets``.
        weights: 1 where a target counts, else 0, in the shape of ``targets``.
    """

    inputs: Floats32
    targets: Floats32
    ranges: Floats32
    weights: Floats32


@dataclass(frozen=True)
class TrainingSet:
    """All histories of a panel, end to end.

    Attributes:
        inputs: ``(R, F)`` float32, R bars in all.
        targets: ``(R, H)`` float32, 0 where unknown.
        ranges: ``(R, H)`` float32, log ranges of the sessions that a target spans; 0 where unknown.
        known: ``(R, H)`` bool.
        starts: first row of each history, and R at the end: ``(S + 1,)``.
        age: ``(R,)``, count of earlier sessions in the row's history.
        market_state: first and last-plus-one input column of the market state.
    """

    inputs: Floats32
    targets: Floats32
    ranges: Floats32
    known: Mask
    starts: Rows
    age: Rows
    market_state: tuple[int, int] = (0, 0)

    @classmethod
    def of(
        cls, encoded: Sequence[Encoding], horizon: int, market_state: tuple[int, int] = (0, 0)
    ) -> TrainingSet:
        """Join encoded histories; a target counts where its session is inside the history."""
        targets = np.concatenate([e.scale.targets(horizon) for e in encoded])
        ranges = np.concatenate([e.scale.ranges(horizon) for e in encoded])
        known = np.isfinite(targets)
        lengths = [len(e.inputs) for e in encoded]
        return cls(
            inputs=np.concatenate([e.inputs for e in encoded]),
            targets=np.where(known, targets, 0.0).astype(np.float32),
            ranges=np.where(np.isfinite(ranges), ranges, 0.0).astype(np.float32),
            known=known,
            starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.intp),
            age=np.concatenate([np.arange(n) for n in lengths]).astype(np.intp),
            market_state=market_state,
        )

    @property
    def target_count(self) -> int:
        """Count of sessions with at least one target."""
        return int(np.count_nonzero(self.known[:, 0]))


def prefix_batches(
    data: TrainingSet, context: int, batch_size: int, rng: np.random.Generator
) -> Iterator[Batch]:
    """One epoch of pieces of at most ``context`` steps, cut at a new random offset each time.

    Several batches have one shape, because a backend compiles its step again for each new shape:
    the last batch is filled up with pieces of weight 0.
    """
    warm_up = min(WARM_UP, context - 1)
    pieces = _cut_pieces(data, context, warm_up, rng)
    rng.shuffle(pieces)
    for first in range(0, len(pieces), batch_size):
        chosen = pieces[first : first + batch_size]
        filling = batch_size - len(chosen) if len(pieces) > batch_size else 0
        chosen = np.concatenate([chosen, np.full((filling, 2), pieces[0, 0])])  # no rows inside
        length = context if len(pieces) > batch_size else int(np.diff(pieces, axis=1).max())
        steps = np.arange(length)  # (T,)
        rows = chosen[:, :1] + steps  # (B, 1) + (T,) -> (B, T)
        inside = rows < chosen[:, 1:]
        rows = np.where(inside, rows, chosen[:, :1])
        cut = data.age[chosen[:, 0]] > 0  # (B,)
        counts = inside & ((steps >= warm_up) | ~cut[:, None])  # (B, T)
        inputs = np.where(inside[:, :, None], data.inputs[rows], np.float32(0))  # (B, T, F)
        yield _batch(data, rows, inputs, data.known[rows] & counts[:, :, None], rng)


def _cut_pieces(data: TrainingSet, context: int, warm_up: int, rng: np.random.Generator) -> Rows:
    """First and last-plus-one rows of each piece, shape ``(P, 2)``.

    Pieces overlap by the warm-up, so that every session's target counts once an epoch.
    """
    stride = context - warm_up
    pieces = []
    for start, stop in zip(data.starts[:-1], data.starts[1:], strict=True):
        begin = start - int(rng.integers(stride)) if stop - start > context else start
        while begin <= start or begin + warm_up < stop - 1:  # later ones would hold no target
            pieces.append((max(begin, start), min(begin + context, stop)))
            begin += stride
    return np.asarray(pieces, dtype=np.intp).reshape(-1, 2)


def window_batches(
    data: TrainingSet, context: int, batch_size: int, rng: np.random.Generator, *, vary: bool
) -> Iterator[Batch]:
    """One epoch of windows, one for each session with a target; a batch holds one length.

    Args:
        data: the panel.
        context: length of a window, in sessions; shorter where the history is.
        batch_size: windows in a batch.
        rng: order of the windows, and their lengths.
        vary: give each window a random length up to ``context``.
    """
    origins = np.flatnonzero(data.known[:, 0])
    length = np.minimum(data.age[origins] + 1, context)
    if vary:
        # one length a batch-sized group keeps the number of lengths, and so of batches, small
        choices = rng.integers(min(SHORTEST_WINDOW, context), context + 1, size=8)
        length = np.minimum(length, rng.choice(choices, size=len(origins)))
    batches = []
    for size in np.unique(length):
        group = rng.permutation(origins[length == size])
        batches += [
            (int(size), group[i : i + batch_size]) for i in range(0, len(group), batch_size)
        ]
    for index in rng.permutation(len(batches)):
        size, rows = batches[index]
        yield _batch(data, rows, gather_windows(data.inputs, rows, size), data.known[rows], rng)


def _batch(
    data: TrainingSet, rows: Rows, inputs: Floats32, counts: Mask, rng: np.random.Generator
) -> Batch:
    """Inputs and the targets of some rows; the market state is 0 in a random share of them."""
    first, stop = data.market_state
    if stop > first:
        inputs[rng.random(len(inputs)) < MARKET_STATE_DROPOUT, :, first:stop] = 0.0
    return Batch(inputs, data.targets[rows], data.ranges[rows], counts.astype(np.float32))


def gather_windows(inputs: Floats32, rows: Rows, length: int) -> Floats32:
    """The ``length`` input rows that end at each of ``rows``: ``(m, length, F)``."""
    return np.asarray(inputs[rows[:, None] + np.arange(1 - length, 1)])  # (R, F) -> (m, T, F)
