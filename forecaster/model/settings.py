"""What can be chosen about a network and its training; nobody needs to change a default."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from forecaster.errors import Message, SettingsError, parameter
from forecaster.features import ScaleName

Cell = Literal["rnn", "lstm", "gru"]
Activation = Literal["tanh", "relu"]
Supervise = Literal["prefixes", "last"]
Windows = Literal["fixed", "vary"]
UsedDevice = Literal["cpu", "gpu"]
Device = Literal["auto", "cpu", "gpu"]

LEVELS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99)
"""Quantile levels: the median and the 50, 80, 90, 95 and 98% intervals."""

PREFIX_CONTEXT = 64
WINDOW_CONTEXT = 60

UNITS, LARGE_UNITS = 32, 64
"""Default units of a layer, and on a large panel: it feeds a larger network. An lstm, which holds a
cell state beside as many units, gained nothing from more there."""

LARGE_PANEL = 60_000
"""Sessions of a large panel, about: 25 histories of ten years."""

BATCHES = (32, 64, 128)
"""Default batch sizes; a larger one is faster, and needs enough steps in an epoch to learn."""

STEPS_WANTED = 10
"""Training steps in an epoch that a larger batch must leave, about."""

RATE = 3e-3
"""Default learning rate for the smallest batch. Adam's grows with the root of the batch size
(Malladi et al. 2022)."""

_ON_WINDOWS = f"with {parameter('supervise')} last"


@dataclass(frozen=True)
class About:
    """What is said of a setting.

    Attributes:
        label: what a page calls it.
        help: what it is; the command line shows this.
        low: the smallest number that it can be; a whole one if it must be whole.
        high: the largest number that it can be; None where it is no number.
        bounds: both in words, if the numbers themselves do not read well.
    """

    label: str
    help: str
    low: float = 0
    high: float | None = None
    bounds: str = ""


@dataclass(frozen=True)
class Settings:
    """One network and how it is trained: each setting with its default and what is said of it.

    ``context``, ``clip_norm`` and ``learning_rate`` are None where their default depends on other
    settings, ``units`` and ``batch_size`` where it depends on the panel: ``context_length``,
    ``norm_limit``, ``rate`` and ``for_panel`` fill it in.
    """

    cell: Annotated[Cell, About("Cell", "Recurrent cell.")] = "gru"
    layers: Annotated[int, About("Layers", "Recurrent layers.", 1, 8)] = 1
    units: Annotated[
        int | None,
        About(
            "Units in each layer",
            f"Units in each layer. (default: {UNITS}; {LARGE_UNITS} in a gru or rnn of"
            f" {LARGE_PANEL:,} sessions or more)",
            low=1,
            high=1024,
        ),
    ] = None
    dropout: Annotated[
        float, About("Dropout", "Share of outputs left out in training.", 0.0, 0.9)
    ] = 0.1
    bidirectional: Annotated[
        bool,
        About("Reads windows both ways", Message(f"Read windows both ways ({_ON_WINDOWS}).")),
    ] = False
    activation: Annotated[Activation, About("Activation", "Activation of rnn.")] = "tanh"
    supervise: Annotated[
        Supervise, About("Targets", "A target on every step, or on the last of a window.")
    ] = "prefixes"
    windows: Annotated[
        Windows, About("Window lengths", Message(f"Window lengths {_ON_WINDOWS}."))
    ] = "fixed"
    scale: Annotated[ScaleName, About("Unit of the targets", "Unit of the targets.")] = "volatility"
    partial_bars: Annotated[
        bool,
        About(
            "Trained on bars without ranges or volumes as well",
            "Train on bars without ranges or volumes as well, to forecast from sources that lack"
            " them; takes about four times as long.",
        ),
    ] = False
    horizon: Annotated[int, About("Sessions forecast", "Sessions to forecast.", 1, 250)] = 20
    context: Annotated[
        int | None,
        About(
            "Sessions that the network reads",
            Message(
                f"Sessions that a forecast reads. (default: {PREFIX_CONTEXT}, or"
                f" {WINDOW_CONTEXT} {_ON_WINDOWS})"
            ),
            low=1,
            high=4096,
        ),
    ] = None
    quantiles: Annotated[
        tuple[float, ...],
        About(
            "Quantile levels",
            f"Levels, as in 0.05,0.5,0.95. (default: {len(LEVELS)} from {LEVELS[0]} to"
            f" {LEVELS[-1]})",
        ),
    ] = LEVELS
    epochs: Annotated[int, About("Epochs at most", "Passes over the data at most.", 1, 10_000)] = 60
    patience: Annotated[
        int,
        About(
            "Epochs without progress before it stops",
            "Epochs without improvement before stopping.",
            low=1,
            high=10_000,
        ),
    ] = 8
    batch_size: Annotated[
        int | None,
        About(
            "Sequences in a training step",
            f"Sequences in a training step. (default: {BATCHES[0]} to {BATCHES[-1]}, by how many"
            " there are)",
            low=1,
            high=65_536,
        ),
    ] = None
    learning_rate: Annotated[
        float | None,
        About(
            "Learning rate",
            f"Step size of Adam. (default: {RATE:g}, times the root of batch size / {BATCHES[0]})",
            low=1e-7,
            high=10.0,
        ),
    ] = None
    clip_norm: Annotated[
        float | None,
        About(
            "Largest norm of the gradients",
            "Largest norm of the gradient; 0 for none. (default: 1)",
            low=0.0,
            high=1e6,
            bounds="0 to 1e6",
        ),
    ] = None
    clip_value: Annotated[
        float,
        About("Largest single gradient", "Largest size of one gradient; 0 for none.", 0.0, 1e6),
    ] = 0.0
    seed: Annotated[int, About("Seed", "Seed of everything random.", 0, 2**32 - 1)] = 0

    def __post_init__(self) -> None:
        for name in TYPES:
            object.__setattr__(self, name, _plain(getattr(self, name)))
            _check(name, getattr(self, name))
        _check_levels(self.quantiles)
        self._check_together()

    def _check_together(self) -> None:
        if self.bidirectional and self.supervise != "last":
            raise SettingsError(
                f"{parameter('bidirectional')} was given with {parameter('supervise')} prefixes;"
                " reading backwards needs whole windows, or the network would see its target. Add"
                f" {parameter('supervise')} last."
            )
        if self.partial_bars and self.scale != "volatility":
            raise SettingsError(
                f"{parameter('partial_bars')} was given with {parameter('scale')} {self.scale}; a"
                " network of price levels reads closes alone, and bars lack nothing that it needs."
                f" Leave {parameter('partial_bars')} out."
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
    def layer_units(self) -> int:
        """The units of a layer with their default filled in, for a panel that is not large."""
        return self.units or UNITS

    @property
    def context_length(self) -> int:
        """The context in sessions, with its default filled in."""
        if self.context is not None:
            return self.context
        return PREFIX_CONTEXT if self.supervise == "prefixes" else WINDOW_CONTEXT

    @property
    def sequences(self) -> int:
        """Sequences in a training step, with the default filled in."""
        return self.batch_size or BATCHES[0]

    @property
    def rate(self) -> float:
        """The learning rate with its default filled in."""
        if self.learning_rate is not None:
            return self.learning_rate
        return RATE * math.sqrt(self.sequences / BATCHES[0])

    @property
    def clipping_advice(self) -> str:
        """The limit of gradients to lower where training diverges, or to give if there is none."""
        if self.clip_value:
            return parameter("clip_value")
        return f"give {parameter('clip_norm')} 1" if self.clip_norm == 0 else parameter("clip_norm")

    def for_panel(self, lengths: Sequence[int]) -> Settings:
        """These settings with units, batch size and learning rate filled in.

        Args:
            lengths: of the histories to train on, in sessions.
        """
        sessions, units, size = sum(lengths), self.units, self.batch_size
        if units is None:
            large = sessions >= LARGE_PANEL and self.cell != "lstm"
            units = LARGE_UNITS if large else UNITS
        if size is None and self.supervise == "last":
            size = BATCHES[0]
        elif size is None:
            wanted = sessions / self.context_length / STEPS_WANTED
            size = max((b for b in BATCHES if b <= wanted * math.sqrt(2.0)), default=BATCHES[0])
        filled = replace(self, units=units, batch_size=size)
        return replace(filled, learning_rate=filled.rate)

    def require_median(self) -> None:
        """Refuse to train a network that could not say what tables and pictures show.

        Raises:
            SettingsError: no level is 0.5, and none lies on one of its sides.
        """
        if not self.quantiles[0] <= 0.5 <= self.quantiles[-1]:
            levels = ",".join(f"{level:g}" for level in self.quantiles)
            more = (f"{levels},0.5", f"0.5,{levels}")[self.quantiles[0] > 0.5]
            raise SettingsError(
                f"{parameter('quantiles')} is {levels}, which the median lies outside of; errors"
                f" are measured on it. Give for example {parameter('quantiles')} {more}."
            )

    def with_cell(self, cell: Cell) -> Settings:
        """These settings for a cell; only an rnn has a choice of activation."""
        activation = self.activation if cell == "rnn" else "tanh"
        return replace(self, cell=cell, activation=activation)

    def state(self) -> dict[str, Any]:
        """Plain values for the model file, whose id covers them.

        A setting that came after the first files is left out at its default, so that ids stay.
        """
        values = {**asdict(self), "quantiles": list(self.quantiles)}
        if not self.partial_bars:
            del values["partial_bars"]
        return values

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Settings:
        """The inverse of ``state``; unknown names are an error."""
        unknown = sorted(set(state) - set(TYPES))
        if unknown:
            raise SettingsError(
                f"unknown setting {unknown[0]!r}; known are {', '.join(sorted(TYPES))}."
                " Correct the name."
            )
        return cls(**{**state, "quantiles": tuple(state.get("quantiles", LEVELS))})


def any_cell(cells: Sequence[Cell]) -> Cell:
    """A cell of several for the settings that they share: an rnn, which allows all of them."""
    return "rnn" if "rnn" in cells else cells[0]


TYPES: Mapping[str, Any] = get_type_hints(Settings)
ABOUT: Mapping[str, About] = {
    name: hint.__metadata__[0]
    for name, hint in get_type_hints(Settings, include_extras=True).items()
}


def _plain(value: Any) -> Any:
    """A value as Python has it, of one of numpy; levels as a tuple."""
    value = value.tolist() if hasattr(value, "tolist") else value
    return tuple(value) if isinstance(value, list) else value


def _check(name: str, value: Any) -> None:
    """Raise SettingsError unless a setting can have the value."""
    kind, about, named = TYPES[name], ABOUT[name], parameter(name)
    fits, needed = True, ""
    if kind is bool or get_origin(kind) is Literal:
        choices = (False, True) if kind is bool else get_args(kind)
        fits = isinstance(value, bool | str) and value in choices  # 1 is equal to True
        needed = ", ".join(map(str, choices))
    elif about.high is not None and not (value is None and type(None) in get_args(kind)):
        number = isinstance(value, int if isinstance(about.low, int) else int | float)
        fits = number and not isinstance(value, bool) and about.low <= value <= about.high
        needed = about.bounds or f"{about.low} to {about.high}"
    if not fits:
        raise SettingsError(f"{named} is {value}; it must be {needed}. Change {named}.")


def _check_levels(found: object) -> None:
    levels = found if isinstance(found, tuple) else (found,)
    inside = levels is found and all(isinstance(q, float) and 0.0 < q < 1.0 for q in levels)
    if not levels or not inside or not all(a < b for a, b in pairwise(levels)):
        raise SettingsError(
            f"{parameter('quantiles')} is {', '.join(map(str, levels))}; levels must rise and lie"
            f" between 0 and 1. Give for example {parameter('quantiles')} 0.05,0.25,0.5,0.75,0.95."
        )
