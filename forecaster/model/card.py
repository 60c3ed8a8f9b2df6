"""The card of a trained model: its data, its training and its errors on held-out sessions.

Every field is checked when a model's file is read.
"""

from __future__ import annotations

from pydantic import Field

from forecaster.documents import Count, Day, PanelFacts, Part, Scores, Size, Text, Whole


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


class Retraining(Part):
    """Origin of a model that was trained on from another one.

    Attributes:
        origin: id of the other model.
        held_out_from: last session that the candidate had seen when both were compared.
        epochs: of the training on.
    """

    origin: Text = Field(alias="from")
    held_out_from: Day
    epochs: Count


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
    device: Text
    packages: dict[str, Text]
    scores: Scores | None
    retrained: Retraining | None = None
    history: tuple[EpochLosses, ...] | None = None
