"""The document in a model's file, and the card in it: data, training, errors on held-out sessions.

Every field is checked when a file is read, by itself and against the others: what a network's
weights do not decide, no other code need doubt.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, model_validator

from forecaster.documents import (
    Count,
    Day,
    Flag,
    Moment,
    Number,
    PanelFacts,
    Part,
    Positive,
    Scores,
    Size,
    Text,
    Whole,
    needed,
    needing,
    wrong,
)
from forecaster.errors import SettingsError
from forecaster.model.settings import UsedDevice

_LONGEST_NAME = 250
_LARGEST_MEAN, _LEAST_DEVIATION = 1e9, 1e-6
_LARGEST_VARIANCE = 1e6
"""Of a log return from one session to the next: prices have no more than 300 digits."""


def check_name(name: str) -> None:
    """Check that a model can be called so, and a file after it.

    Raises:
        SettingsError: it cannot.
    """
    if not _can_be_name(name):
        raise SettingsError(
            f"{name!a} cannot be a model's name; printable characters without / and \\ are"
            f" needed, {_LONGEST_NAME} at most, and no dot as the first. Choose another name."
        )


def _can_be_name(name: str) -> bool:
    plain = name.isprintable() and not name.startswith(".") and not {"/", "\\"} & set(name)
    return plain and 0 < len(name) <= _LONGEST_NAME


def _name(name: str) -> str:
    if not _can_be_name(name):
        raise needed("a name without / and control characters")
    return name


class SplitDates(Part):
    """Dates of training, validation and test; None where the panel was too short for a part.

    Attributes:
        fit_end: last session whose price a training target used.
        valid_from: first session that a validation forecast was made from.
        train_end: last session that any choice in training used.
        test_from: first session that a test forecast was made from.
        last: last session of the panel.
    """

    fit_end: Day
    valid_from: Day | None
    train_end: Day
    test_from: Day | None
    last: Day

    @model_validator(mode="after")
    def _in_order(self) -> SplitDates:
        dates = (self.fit_end, self.valid_from, self.train_end, self.test_from, self.last)
        if any(a > b for a, b in pairwise(day for day in dates if day is not None)):
            raise wrong("has dates that do not follow each other")
        return self


class Retraining(Part):
    """Origin of a model that was trained on from another one.

    Attributes:
        origin: id of the other model.
        held_out_from: last session that the candidate had seen when both were compared.
        epochs: of the training on.
        tickers: of all trainings before this one.
    """

    origin: Text = Field(alias="from")
    held_out_from: Day
    epochs: Count
    tickers: tuple[Text, ...] = ()


class EpochLosses(Part):
    """Losses of one epoch of training.

    Attributes:
        training: mean over its batches, in units of the scaled targets.
        validation: pinball loss after it; None without a validation part.
    """

    training: Size
    validation: Size | None


class Card(Part):
    """Data, training and errors of a model.

    Attributes:
        data: the panel that it was trained on.
        market: tickers of the set that made its market state; None: those of the panel.
        trained_to: last session that its weights have seen.
        split: dates of its training, or None.
        epochs: passes over the data with the best validation loss.
        targets: sessions with a target, in one pass over the data.
        targets_by_step: how many targets taught each step; None in files of before they were
            counted.
        weights: count of trained numbers.
        device: ``cpu`` or ``gpu``, for training.
        packages: package to version.
        scores: errors on the test part; None where they were not measured.
        retrained: of a model that was trained on from another one.
        history: losses of every epoch of the fit that chose their number; None in files of before
            they were kept, and in a model that was trained on.
    """

    data: PanelFacts
    market: tuple[Text, ...] | None = None
    trained_to: Day
    split: SplitDates | None = None
    epochs: Whole
    targets: Whole | None = None
    targets_by_step: tuple[Whole, ...] | None = None
    weights: Count
    device: UsedDevice
    packages: dict[Text, Text]
    scores: Scores | None
    retrained: Retraining | None = None
    history: tuple[EpochLosses, ...] | None = None

    @property
    def learned(self) -> frozenset[str]:
        """Every ticker that its weights have learned from, in this training or an earlier one."""
        earlier = self.retrained.tickers if self.retrained else ()
        return frozenset((*self.data.tickers, *earlier))

    @model_validator(mode="after")
    def _in_its_data(self) -> Card:
        if not self.data.first <= self.trained_to <= self.data.last:
            raise wrong("has a trained_to outside of its data")
        return self


class VolatilityUnit(Part):
    """Targets in units of volatility.

    Attributes:
        prior: variance of one session's log return, before any bar is seen.
    """

    name: Literal["volatility"]
    prior: Annotated[
        float,
        Field(strict=True, gt=0, le=_LARGEST_VARIANCE),
        needing(f"a number above 0 and up to {_LARGEST_VARIANCE:g}"),
    ]


class LevelUnit(Part):
    """Targets as scaled prices.

    Attributes:
        fitted: offset and width of the prices of each training ticker.
    """

    name: Literal["minmax", "standard"]
    fitted: dict[Text, tuple[Number, Positive]]


Mean = Annotated[
    float,
    Field(strict=True, ge=-_LARGEST_MEAN, le=_LARGEST_MEAN),
    needing(f"a number from {-_LARGEST_MEAN:g} to {_LARGEST_MEAN:g}"),
]
Deviation = Annotated[
    float,
    Field(strict=True, ge=_LEAST_DEVIATION, le=_LARGEST_MEAN),
    needing(f"a number from {_LEAST_DEVIATION:g} to {_LARGEST_MEAN:g}"),
]


class RepresentationState(Part):
    """A fitted representation of inputs and targets.

    Attributes:
        scaling: unit of the targets.
        features: names of the inputs.
        mean: of each input in training.
        deviation: standard deviation of each input in training.
        companions: whether inputs of the market state are among them.
    """

    scaling: Annotated[VolatilityUnit | LevelUnit, Discriminator("name")]
    features: tuple[Text, ...]
    mean: tuple[Mean, ...]
    deviation: tuple[Deviation, ...]
    companions: Flag


class ModelDocument(Part):
    """``model.json``.

    Attributes:
        name: chosen by the user.
        id: the first digits of the digest that the model had when it was written.
        created: ISO 8601, with a time zone.
        settings: checked by :class:`forecaster.model.settings.Settings`.
        representation: of inputs and targets.
        weights_sha256: of the other member of the file.
        card: a :class:`Card`.
    """

    name: Annotated[Text, AfterValidator(_name)]
    id: Text
    created: Moment
    settings: dict[str, Any]
    representation: RepresentationState
    weights_sha256: Text
    card: dict[str, Any]
