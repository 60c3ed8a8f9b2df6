"""The learning curve of a model: losses by epoch, and where training stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecaster.model.artifact import Model
from forecaster.output.charts.figure import Frame, Label, Sheet, label_right
from forecaster.output.charts.theme import Theme
from forecaster.wording import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HEIGHT = 2.9
"""Inches."""


def learning_figure(model: Model, theme: Theme) -> Figure:
    """Training and validation loss by epoch, with nothing around them.

    The training loss has a part for ranges besides, so each line has its own scale: what counts is
    where one stops falling, not which is lower. A dotted line marks the epoch that was kept.

    Args:
        model: whose card has a history.
        theme: of colours.
    """
    from matplotlib.ticker import MaxNLocator

    history = model.card.history or ()
    sheet = Sheet(Frame("", "", ()), _HEIGHT, theme)
    axes = sheet.panel(0.95, sheet.top - 2.4, 9.4, 2.1)
    epochs = list(range(1, len(history) + 1))
    lines = {
        "training": [epoch.training for epoch in history],
        "validation": [epoch.validation for epoch in history if epoch.validation is not None],
    }
    labels = []
    for name, values in lines.items():
        if values:
            scaled = [value / values[0] for value in values]
            axes.plot(
                epochs, scaled, color=theme.ink if name == "validation" else theme.quiet,
                linewidth=2.0 if name == "validation" else 1.3, marker="o", markersize=3,
            )  # fmt: skip
            labels.append(Label(scaled[-1], f"{name}  {values[-1]:.4g}", name == "validation"))
    axes.axvline(model.card.epochs, color=theme.quiet, linewidth=1.0, linestyle=(0, (1, 2)))
    axes.set_xlim(0.5, len(history) + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=12))
    axes.set_xlabel("epoch", color=theme.quiet, fontsize=9)
    axes.set_ylabel("loss, first epoch = 1", color=theme.quiet, fontsize=9)
    label_right(axes, float(len(history)), labels, theme)
    return sheet.figure


def stop_sentence(model: Model) -> str:
    """Where training stopped and why; empty where that was not kept."""
    card, settings = model.card, model.settings
    history = card.history or ()
    if not history:
        return ""
    epochs = counted(len(history), "epoch")
    if history[-1].validation is None:
        return f"Trained for {epochs}: its data left no validation part to watch."
    best = f"the validation loss was lowest after epoch {card.epochs}, whose weights were kept"
    if len(history) < settings.epochs:
        return (
            f"Stopped after {epochs}, the last {settings.patience} of them without a better"
            f" validation loss: {best}."
        )
    return f"All {epochs} were used: {best}."
