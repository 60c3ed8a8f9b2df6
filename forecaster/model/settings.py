"""What can be chosen about a model, with defaults that nobody needs to change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Any, Literal, get_args

from forecaster.errors import SettingsError, parameter
from forecaster.features.scaling import ScaleName
from forecaster.model.numpy_rnn import Activation, Cell

Supervise = Literal["prefixes", "last"]
Windows = Literal["fixed", "vary"]
Device = Literal["auto", "cpu", "gpu"]

LEVELS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99)
"""Quantile levels: the median and the 50, 80, 90, 95 and 98% intervals."""

PREFIX_CONTEXT = 64
WINDOW_CONTEXT = 60


@dataclass(frozen=True)
class Settings:
    """One network and how it is trained.

    Attributes:
        cell: the recurrent cell.
        layers: recurrent layers, stacked.
        units: units in each layer.
        dropout: share of each layer's outputs that training leaves out.
        bidirectional: read windows both ways (with ``supervise='last'``).
        activation: of ``rnn``; the gated cells use tanh.
        supervise: a target on every step, or on the last step of a window.
        windows: with ``supervise='last'``: one window length or many.
        scale: the unit of targets.
        horizon: H, forecast steps in sessions.
        context: sessions that a forecast reads; None: 64 for prefixes, 60 for windows.
        quantiles: levels, rising.
        epochs: passes over the training sessions at most.
        patience: epochs without a better validation loss before training stops.
        batch_size: sequences in a training step.
        learning_rate: of Adam.
        clip_norm: largest norm of all gradients together; 0 switches it off; None: 1, unless
            ``clip_value`` is given.
        clip_value: largest size of one gradient; 0 leaves it to ``clip_norm``.
        seed: of weights, order and dropout.
    """

    cell: Cell = "gru"
    layers: int = 1
    units: int = 32
    dropout: float = 0.1
    bidirectional: bool = False
    activation: Activation = "tanh"
    supervise: Supervise = "prefixes"
    windows: Windows = "fixed"
    scale: ScaleName = "volatility"
    horizon: int = 20
    context: int | None = None
    quantiles: tuple[float, ...] = LEVELS
    epochs: int = 60
    patience: int = 8
    batch_size: int = 32
    learning_rate: float = 3e-3
    clip_norm: float | None = None
    clip_value: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            _require(getattr(self, name) in allowed, name, getattr(self, name), _listed(allowed))
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            whole = isinstance(value, int) or isinstance(low, float)
            inside = whole and low <= value <= high  # NaN is not
            _require(inside, name, value, f"{low} to {high}")
        if self.clip_norm is not None:
            _require(0.0 <= self.clip_norm <= 1e6, "clip_norm", self.clip_norm, "0 to 1e6")
        if self.context is not None:
            whole = isinstance(self.context, int)
            _require(whole and 1 <= self.context <= 4096, "context", self.context, "1 to 4096")
        _check_levels(self.quantiles)
        self._check_together()

    def _check_together(self) -> None:
        if self.bidirectional and self.supervise != "last":
            raise SettingsError(
                f"{parameter('bidirectional')} was given with {parameter('supervise')} prefixes;"
                " reading backwards needs whole windows, or the network would see its target. Add"
                f" {parameter('supervise')} last."
            )
        if self.activation != "tanh" and self.cell != "rnn":
            raise SettingsError(
                f"{parameter('activation')} {self.activation} was given with {parameter('cell')}"
                f" {self.cell}; only rnn has a choice of activation. Use {parameter('cell')} rnn or"
                f" leave {parameter('activation')} out."
            )

        if self.clip_value and self.clip_norm:
            raise SettingsError(
                f"{parameter('clip_norm')} {self.clip_norm} and {parameter('clip_value')}"
                f" {self.clip_value} were both given; gradients are clipped one way. Leave one of"
                " them out."
            )

    @property
    def norm_limit(self) -> float:
        """The limit on the gradients' norm with its default filled in; 0 for none."""
        if self.clip_norm is None:
            return 0.0 if self.clip_value else 1.0
        return self.clip_norm

    @property
    def context_length(self) -> int:
        """The context in sessions, with its default filled in."""
        if self.context is not None:
            return self.context
        return PREFIX_CONTEXT if self.supervise == "prefixes" else WINDOW_CONTEXT

    def state(self) -> dict[str, Any]:
        """Plain values for the model file."""
        return {**asdict(self), "quantiles": list(self.quantiles)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Settings:
        """The inverse of ``state``; unknown names are an error."""
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(state) - known)
        if unknown:
            raise SettingsError(
                f"unknown setting {unknown[0]!r}; known are {_listed(tuple(sorted(known)))}."
                " Correct the name."
            )
        values = dict(state)
        if "quantiles" in values:
            values["quantiles"] = tuple(float(q) for q in values["quantiles"])
        return cls(**values)


_CHOICES: dict[str, tuple[Any, ...]] = {
    "cell": get_args(Cell),
    "activation": get_args(Activation),
    "supervise": get_args(Supervise),
    "windows": get_args(Windows),
    "scale": get_args(ScaleName),
    "bidirectional": (False, True),
}
_RANGES: dict[str, tuple[float, float]] = {
    "layers": (1, 8),
    "units": (1, 1024),
    "dropout": (0.0, 0.9),
    "horizon": (1, 250),
    "epochs": (1, 10_000),
    "patience": (1, 10_000),
    "batch_size": (1, 65_536),
    "learning_rate": (1e-7, 10.0),
    "clip_value": (0.0, 1e6),
    "seed": (0, 2**32 - 1),
}


def _require(condition: bool, name: str, value: object, needed: str) -> None:
    if not condition:
        named = parameter(name)
        raise SettingsError(f"{named} is {value}; it must be {needed}. Change {named}.")


def _listed(values: tuple[Any, ...]) -> str:
    return ", ".join(str(v) for v in values)


def _check_levels(levels: tuple[float, ...]) -> None:
    rising = all(a < b for a, b in pairwise(levels))
    if not levels or not rising or not all(0.0 < q < 1.0 for q in levels):
        raise SettingsError(
            f"{parameter('quantiles')} is {_listed(levels)}; levels must rise and lie between 0 and"
            f" 1. Give for example {parameter('quantiles')} 0.05,0.25,0.5,0.75,0.95."
        )
