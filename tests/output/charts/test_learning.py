"""The learning curve: where training stopped, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest
from synthetic import garch_history, random_model

from forecaster.market.bars import Panel
from forecaster.model.artifact import Model
from forecaster.model.card import EpochLosses
from forecaster.model.settings import Settings
from forecaster.output.charts.figure import settled
from forecaster.output.charts.learning import learning_figure, stop_sentence
from forecaster.output.charts.theme import LIGHT
from forecaster.output.report.drawings import learning

PANEL = Panel((garch_history("A", 60, seed=1),))


def taught(epochs: int, best: int, *, most: int, validation: bool = True) -> Model:
    """A model whose training had so many epochs."""
    model = random_model(Settings(units=3, horizon=2, epochs=most, patience=2), PANEL)
    history = tuple(
        EpochLosses(training=1.0 / n, validation=0.5 / n if validation else None)
        for n in range(1, epochs + 1)
    )
    card = model.card.model_copy(update={"history": history, "epochs": best})
    return replace(model, card=card)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (
            taught(6, 4, most=60),
            "Stopped after 6 epochs, the last 2 of them without a better validation loss: the"
            " validation loss was lowest after epoch 4, whose weights were kept.",
        ),
        (
            taught(6, 6, most=6),
            "All 6 epochs were used: the validation loss was lowest after epoch 6, whose weights"
            " were kept.",
        ),
        (
            taught(3, 3, most=60, validation=False),
            "Trained for 3 epochs: its data left no validation part to watch.",
        ),
    ],
)
def test_it_says_why_training_stopped(model, said):
    assert stop_sentence(model) == said
    drawn = learning(model)
    assert drawn is not None
    assert drawn.sentence == said


def test_each_loss_is_a_line_from_one():
    with settled():
        (axes,) = learning_figure(taught(5, 3, most=9), LIGHT).axes
    training, validation, best = axes.lines
    assert list(training.get_ydata()) == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4, 1 / 5])
    assert list(validation.get_ydata()) == pytest.approx(list(training.get_ydata()))
    assert list(best.get_xdata()) == [3, 3]


def test_a_model_from_before_has_no_curve():
    model = random_model(Settings(units=3, horizon=2), PANEL)
    assert model.card.history is None
    assert learning(model) is None
    assert stop_sentence(model) == ""
