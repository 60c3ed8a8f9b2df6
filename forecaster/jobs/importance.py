"""Permutation importance: growth of the loss when inputs are shuffled over time.

An input in random order of sessions keeps its values and loses its meaning, so the growth of the
loss measures its worth (Breiman 2001, section 10; Fisher, Rudin and Dominici 2019). Inputs of
nearly equal meaning stand in for each other and each alone looks needless, so they are shuffled in
groups, and one by one only on request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from forecaster.arrays import Floats, Floats32, Rows
from forecaster.evaluation import metrics
from forecaster.features.representation import REACH, Encoding
from forecaster.features.scaling import future_log_returns
from forecaster.market.bars import History
from forecaster.model.artifact import Model
from forecaster.model.inference import outputs_at

Part = Literal["unseen", "held out", "seen"]

REPEATS = 5
"""Random orders of each group of inputs."""

REPEATS_ALONE = 3
"""Random orders of each single input, of which there are many."""

FEWEST = 20
"""Fewest sessions for a loss."""

USUAL = 250
"""Sessions to score where no part was held out: a year."""

_MOST = 500
"""Most sessions to score, the newest ones."""

_MOST_WINDOWS = 40
"""Most sessions to score, evenly spread, where each needs a window."""

_SEQUENCES_AT_ONCE = 80
"""So few that no threads are started for one step's product: on a busy machine they only wait."""

GROUPS: Mapping[str, tuple[str, ...]] = {
    "returns": ("return", "body", "gap", "return_2", "return_5", "return_22"),
    "ranges and volatility": (
        "return_size", "range", "range_known", "volatility_", "variance_", "log_range_",
        "overnight_",
    ),
    "volume": ("volume_",),
    "weekday and month": ("tuesday", "wednesday", "thursday", "friday", "month_", "year_"),
    "news rhythm": ("event_", "since_"),
    "other tickers": ("companions_",),
    "price": ("price",),
}  # fmt: skip
"""Inputs of each group, by name, or by prefix where that ends with ``_``."""


@dataclass(frozen=True)
class Gain:
    """Growth of the loss through shuffling of some inputs.

    Attributes:
        name: of the group or the input.
        inputs: the columns shuffled together.
        loss_percent: growth of the loss, mean over the repeats; None where the inputs never change,
            so that their order does not matter.
        spread_points: standard deviation over the repeats.
    """

    name: str
    inputs: tuple[str, ...]
    loss_percent: float | None
    spread_points: float | None


@dataclass(frozen=True)
class Importance:
    """Importance of the inputs for a model on some sessions.

    Attributes:
        part: whether the sessions came after all training (``unseen``), were held out when the
            model was measured and trained on in its last fit (``held out``), or ``seen``.
        first: first session forecast from.
        last: last session forecast from.
        sessions: their count.
        pinball: loss of log returns h sessions ahead, without shuffling.
        groups: of inputs, the most important first.
        inputs: single inputs, the most important first; empty unless asked for.
    """

    part: Part
    first: np.datetime64
    last: np.datetime64
    sessions: int
    pinball: float
    groups: tuple[Gain, ...]
    inputs: tuple[Gain, ...]


def group_of(feature: str) -> str:
    """The group of an input column.

    Raises:
        ValueError: it is in none.
    """
    for group, names in GROUPS.items():
        if any(feature == n or (n.endswith("_") and feature.startswith(n)) for n in names):
            return group
    raise ValueError(f"{feature} is in no group of inputs")


def importance(
    model: Model, history: History, *, step: int, seed: int, one_by_one: bool
) -> Importance | None:
    """Shuffle groups of inputs over the sessions of a history and measure the loss.

    All groups share the random orders, which run over all sessions that the scored forecasts read.

    Args:
        model: a trained model.
        history: bars that may be seen.
        step: h.
        seed: of the random orders.
        one_by_one: shuffle single inputs too.

    Returns:
        None where under ``FEWEST`` sessions have a later one to be scored with.
    """
    part, rows = scored_rows(model, history, step)
    if len(rows) < FEWEST:
        return None
    first = max(int(rows[0]) - model.settings.context_length - REACH, 0)
    seen = history.slice(first, len(history))
    bench = _Bench.of(model, model.representation.encode(seen), rows - first, step)
    groups: dict[str, tuple[str, ...]] = {}
    for feature in model.representation.features:
        groups[group_of(feature)] = (*groups.get(group_of(feature), ()), feature)
    singles = {name: (name,) for name in model.representation.features} if one_by_one else {}
    orders = np.random.default_rng(seed).permuted(
        np.tile(np.arange(len(bench.inputs)), (REPEATS, 1)), axis=1
    )
    return Importance(
        part=part,
        first=history.sessions[rows[0]],
        last=history.sessions[rows[-1]],
        sessions=len(rows),
        pinball=bench.loss,
        groups=bench.gains(groups, orders),
        inputs=bench.gains(singles, orders[:REPEATS_ALONE]),
    )


def scored_rows(model: Model, history: History, step: int) -> tuple[Part, Rows]:
    """Sessions to score, and whether training has seen them.

    The newest sessions after training; else the held-out sessions of training; else the last year.
    """
    rows = np.arange(1, len(history) - step)
    days = history.sessions[rows]
    split = model.card.split
    unseen = days > model.trained_to
    part: Part = "seen"
    chosen = rows[-USUAL:]
    if np.count_nonzero(unseen) >= FEWEST:
        part, chosen = "unseen", rows[unseen]
    elif split is not None and split.test_from is not None:
        held_out = days >= np.datetime64(split.test_from, "D")
        if np.count_nonzero(held_out) >= FEWEST:
            part, chosen = "held out", rows[held_out]
    chosen = chosen[-_MOST:]
    if model.settings.supervise == "last" and len(chosen) > _MOST_WINDOWS:
        places = np.linspace(0, len(chosen) - 1, _MOST_WINDOWS).round().astype(np.intp)
        chosen = chosen[places]
    return part, chosen


@dataclass(frozen=True)
class _Bench:
    """Forecasts of one history from changed inputs, for m sessions and their log returns."""

    model: Model
    encoded: Encoding
    rows: Rows
    step: int
    actual: Floats
    inputs: Floats32
    loss: float

    @classmethod
    def of(cls, model: Model, encoded: Encoding, rows: Rows, step: int) -> _Bench:
        actual = future_log_returns(encoded.history, step)[rows, step - 1]
        start = max(int(rows[0]) - model.settings.context_length + 1, 0)
        read = encoded.inputs[start : int(rows[-1]) + 1]
        bench = cls(model, encoded, rows, step, actual, read, float("nan"))
        return replace(bench, loss=float(bench.losses([read])[0]))

    @property
    def _sequences(self) -> int:
        """Count of stretches or windows in one copy of the inputs."""
        settings = self.model.settings
        if settings.supervise == "last":
            return len(self.rows)
        return -(-len(self.inputs) // max(settings.context_length // 2, 1))

    def losses(self, copies: Sequence[Floats32]) -> Floats:
        """Mean pinball loss with each of several copies of the inputs, all in one pass."""
        model, step = self.model, self.step
        outputs = outputs_at(
            model.network,
            [replace(self.encoded, inputs=inputs) for inputs in copies],
            [self.rows - (int(self.rows[-1]) + 1 - len(self.inputs))] * len(copies),
            model.settings.context_length,
            pieces=model.settings.supervise == "prefixes",
        )
        levels = model.settings.quantiles
        losses = []
        for output in outputs:
            returns = self.encoded.scale.log_returns(output, self.rows)[:, step - 1]
            losses.append(metrics.pinball(self.actual, returns, levels).mean())
        return np.asarray(losses)

    def gains(self, groups: Mapping[str, tuple[str, ...]], orders: Rows) -> tuple[Gain, ...]:
        """Gains of each group, the largest first and the unknown last."""
        features = self.model.representation.features
        varies = np.ptp(self.inputs, axis=0) > 0
        columns = {
            name: [i for i, f in enumerate(features) if f in inputs and varies[i]]
            for name, inputs in groups.items()
        }
        tasks = [(name, order) for name, places in columns.items() if places for order in orders]
        losses: dict[str, list[float]] = {}
        at_once = max(_SEQUENCES_AT_ONCE // self._sequences, 1)
        for first in range(0, len(tasks), at_once):
            part = tasks[first : first + at_once]
            copies = [self._shuffled(columns[name], order) for name, order in part]
            for (name, _), loss in zip(part, self.losses(copies), strict=True):
                losses.setdefault(name, []).append(100.0 * (float(loss) / self.loss - 1.0))
        gains = [
            Gain(name, inputs, float(np.mean(losses[name])), float(np.std(losses[name])))
            if name in losses
            else Gain(name, inputs, None, None)
            for name, inputs in groups.items()
        ]
        return tuple(
            sorted(gains, key=lambda g: -np.inf if g.loss_percent is None else g.loss_percent)
        )[::-1]

    def _shuffled(self, columns: Sequence[int], order: Rows) -> Floats32:
        """The inputs with some columns in another order of sessions."""
        inputs = self.inputs.copy()
        inputs[:, columns] = inputs[order][:, columns]
        return inputs
