"""Training sequences of variable length, cut from histories.

``prefixes`` cuts each history into pieces and puts a target on every step: a piece of T sessions
holds T sequences, of lengths 1..T, and a recurrent network reads all of them in one pass.
``last`` cuts classic windows with a target on the last step alone, of one length or of many.

Inputs stay in one flat array and each batch gathers its rows, so memory grows with the panel and
not with panel × context. Weights are zero on padding, which is always on the right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import overload

import numpy as np

from forecaster.arrays import Floats32, Integers32, Mask, Rows
from forecaster.features.large_arrays import large_array
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
        age: ``(R,)``, count of earlier sessions in the row's history.
        left: ``(R,)``, count of later ones; step h has a target where there are h or more.
        starts: first row of each history, and R at the end: ``(S + 1,)``.
        market_state: first and last-plus-one input column of the market state.
    """

    inputs: Floats32
    targets: Floats32
    ranges: Floats32
    age: Integers32
    left: Integers32
    starts: Rows
    market_state: tuple[int, int] = (0, 0)

    @classmethod
    def of(
        cls,
        encoded: Iterable[Encoding],
        lengths: Sequence[int],
        horizon: int,
        market_state: tuple[int, int] = (0, 0),
    ) -> TrainingSet:
        """Join encoded histories; a target counts where its session is inside the history.

        Args:
            encoded: of each history, S in all; each is read once and let go.
            lengths: of each.
            horizon: H.
            market_state: columns of the market state.
        """
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.intp)
        targets, ranges = (large_array((int(starts[-1]), horizon)) for _ in range(2))
        inputs = np.empty((0, 0), dtype=np.float32)
        for e, start, stop in zip(encoded, starts[:-1], starts[1:], strict=True):
            if not len(inputs):
                inputs = large_array((int(starts[-1]), e.inputs.shape[1]))
            inputs[start:stop] = e.inputs
            for into, values in (
                (targets, e.scale.targets(horizon)),
                (ranges, e.scale.ranges(horizon)),
            ):
                into[start:stop] = np.where(np.isfinite(values), values, 0.0)
        age = np.concatenate([np.arange(n, dtype=np.int32) for n in lengths])
        left = np.concatenate([np.arange(n, dtype=np.int32)[::-1] for n in lengths])
        return cls(inputs, targets, ranges, age, left, starts, market_state)

    @property
    def target_count(self) -> int:
        """Count of sessions with at least one target."""
        return int(np.count_nonzero(self.left))

    def known(self, rows: Rows) -> Mask:
        """Whether each step of some sessions ``(...,)`` has a target: ``(..., H)``."""
        return np.asarray(self.left[rows][..., None] >= np.arange(1, self.targets.shape[1] + 1))

    def known_targets(self, most: int) -> Floats32:
        """Targets of about so many sessions, evenly spread: ``(n, H)``, NaN where unknown."""
        rows = np.arange(0, len(self.left), max(1, len(self.left) // most))
        return np.where(self.known(rows), self.targets[rows], np.float32(np.nan))


class Batches(Sequence[Batch]):
    """The batches of a pass over the panel, each of which is gathered when it is asked for."""

    def __init__(self, chosen: Sequence[Rows], gather: Callable[[Rows], Batch]) -> None:
        self._chosen, self._gather = chosen, gather

    def __len__(self) -> int:
        return len(self._chosen)

    @overload
    def __getitem__(self, at: int) -> Batch: ...
    @overload
    def __getitem__(self, at: slice) -> Batches: ...
    def __getitem__(self, at: int | slice) -> Batch | Batches:
        if isinstance(at, slice):
            return Batches(self._chosen[at], self._gather)
        return self._gather(self._chosen[at])

    def parts(self, size: int) -> list[Batches]:
        """Equal parts of about so many batches."""
        count = max(1, round(len(self) / size))
        ends = np.linspace(0, len(self), count + 1).round().astype(int)
        return [self[first:stop] for first, stop in pairwise(ends)]


def prefix_batches(
    data: TrainingSet, context: int, batch_size: int, rng: np.random.Generator
) -> Batches:
    """One pass of pieces of at most ``context`` steps, cut at a new random offset each time.

    All batches of all passes have the shape ``prefix_shape``, because a backend compiles its step
    again for each new one: the last batch is filled up with pieces of weight 0.
    """
    warm_up = min(WARM_UP, context - 1)
    pieces = _cut_pieces(data, context, warm_up, rng)
    rng.shuffle(pieces)
    count, length = prefix_shape(data, context, batch_size)

    def gather(chosen: Rows) -> Batch:
        filling = np.full((count - len(chosen), 2), pieces[0, 0])  # no rows inside
        chosen = np.concatenate([chosen, filling])
        steps = np.arange(length)  # (T,)
        rows = chosen[:, :1] + steps  # (B, 1) + (T,) -> (B, T)
        inside = rows < chosen[:, 1:]
        rows = np.where(inside, rows, chosen[:, :1])
        cut = data.age[chosen[:, 0]] > 0  # (B,)
        counts = inside & ((steps >= warm_up) | ~cut[:, None])  # (B, T)
        inputs = np.where(inside[:, :, None], data.inputs[rows], np.float32(0))  # (B, T, F)
        return _batch(data, rows, inputs, data.known(rows) & counts[:, :, None], rng)

    firsts = range(0, len(pieces), count)
    return Batches([pieces[first : first + count] for first in firsts], gather)


def prefix_shape(data: TrainingSet, context: int, batch_size: int) -> tuple[int, int]:
    """How many pieces each batch has, and of how many steps, wherever the histories are cut.

    Args:
        data: the panel.
        context: steps of a piece, at most.
        batch_size: pieces, at most.
    """
    warm_up = min(WARM_UP, context - 1)
    stride, lengths = context - warm_up, np.diff(data.starts)  # (S,)
    # the offset stride - 1 cuts most pieces
    most = np.where(lengths > context, -(-(lengths - 2 - warm_up + stride) // stride), 1)
    return min(batch_size, int(most.sum())), min(context, int(lengths.max()))


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
) -> Batches:
    """One pass of windows, one for each session with a target; a batch holds one length.

    Args:
        data: the panel.
        context: length of a window, in sessions; shorter where the history is.
        batch_size: windows in a batch.
        rng: order of the windows, and their lengths.
        vary: give each window a random length up to ``context``.
    """
    origins = np.flatnonzero(data.left)
    length = np.minimum(data.age[origins] + 1, context)
    if vary:
        # one length a batch-sized group keeps the number of lengths, and so of batches, small
        choices = rng.integers(min(SHORTEST_WINDOW, context), context + 1, size=8)
        length = np.minimum(length, rng.choice(choices, size=len(origins)))
    batches: list[Rows] = []
    for size in np.unique(length):
        group = rng.permutation(origins[length == size])
        batches += [group[i : i + batch_size] for i in range(0, len(group), batch_size)]
    length_at = np.zeros(len(data.age), dtype=np.intp)
    length_at[origins] = length

    def gather(rows: Rows) -> Batch:
        inputs = gather_windows(data.inputs, rows, int(length_at[rows[0]]))
        return _batch(data, rows, inputs, data.known(rows), rng)

    return Batches([batches[i] for i in rng.permutation(len(batches))], gather)


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
