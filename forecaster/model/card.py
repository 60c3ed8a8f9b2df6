"""The card of a trained model: where it comes from, and what its errors were on held-out sessions.

Every field is checked when a model's file is read.
"""

from __future__ import annotations

from pydantic import Field

from forecaster.documents import Count, Day, PanelFacts, Part, Scores, Text, Whole


class SplitDates(Part):
    """Which sessions were for what; None where the panel was too short for a part.

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
    """What a model that was trained on came from.

    Attributes:
        origin: id of the model before.
        held_out_from: last session that the candidate had seen when both were compared.
        epochs: of training on.
    """

    origin: Text = Field(alias="from")
    held_out_from: Day
    epochs: Count


class Card(Part):
    """Where a model comes from.

    Attributes:
        data: the panel that it was trained on.
        trained_to: last session that its weights have seen.
        split: dates of its training; None for a model that was made otherwise.
        epochs: passes over the data that were best.
        targets: network outputs in one pass.
        weights: how many numbers were trained.
        device: where Keras computed.
        packages: package to version.
        scores: errors on the test part; None where they were not measured.
        retrained: where it was trained on from another model.
    """

    data: PanelFacts
    trained_to: Day
    split: SplitDates | None = None
    epochs: Whole
    targets: Whole | None = None
    weights: Count
    device: Text
    packages: dict[str, Text]
    scores: Scores | None
    retrained: Retraining | None = None
