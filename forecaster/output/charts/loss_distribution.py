"""The distribution of a portfolio's profit as a picture, one panel for each step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forecaster.jobs.risk import Risk, StepRisk
from forecaster.model.artifact import Model
from forecaster.output.charts.figure import Frame, Kind, Sheet, inline, picture, settled
from forecaster.output.charts.theme import LIGHT, Theme
from forecaster.output.format import percent
from forecaster.wording import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PANEL, _GAP, _HEAD = 2.3, 0.75, 0.2
"""Inches."""
_WIDTH = 1200
_BINS = 120


def loss_picture(result: Risk, model: Model, kind: Kind) -> bytes:
    """The content of a picture file."""
    theme = LIGHT
    frame = _frame(result, model)
    with settled():
        figure = _sheet(result, frame.within(kind), theme).figure
        return picture(figure, kind, _WIDTH, frame, None, theme)


def loss_drawing(result: Risk, model: Model) -> str:
    """The picture as an element of a page, in the page's colours."""
    frame = _frame(result, model)
    with settled():
        figure = _sheet(result, frame.within("html"), LIGHT).figure
        return inline(figure, f"{frame.title}. {frame.subtitle}", "losses", LIGHT)


def loss_figure(result: Risk, model: Model) -> Figure:
    """The picture as a figure."""
    with settled():
        return _sheet(result, _frame(result, model), LIGHT).figure


def _frame(result: Risk, model: Model) -> Frame:
    return Frame(
        f"What {counted(len(result.portfolio.positions), 'holding')} may lose or win",
        f"after {result.forecast.cutoff}, in percent of the value; {result.draws:,} draws",
        (
            f"Model {model.name}, trained to {model.card.trained_to}. Dark: the worst 5%; the"
            " dotted lines are the values at risk.",
        ),
    )


def _sheet(result: Risk, frame: Frame, theme: Theme) -> Sheet:
    sheet = Sheet(frame, (_PANEL + _GAP) * len(result.steps) + _HEAD, theme)
    for place, step in enumerate(result.steps):
        bottom = sheet.top - _HEAD - (_PANEL + _GAP) * (place + 1) + _GAP
        _panel(sheet, bottom, step, result.portfolio.value, theme)
    return sheet


def _panel(sheet: Sheet, bottom: float, step: StepRisk, value: float, theme: Theme) -> None:
    axes = sheet.panel(0.95, bottom, 10.7, _PANEL)
    profits = 100.0 * step.profits.astype(np.float64) / value
    low, high = np.quantile(profits, [0.0005, 0.9995])
    counts, edges = np.histogram(profits, _BINS, range=(float(low), float(high)))
    at_risk = [-100.0 * level.value_at_risk / value for level in step.levels]
    tail = edges[:-1] < at_risk[0]
    middles = (edges[:-1] + edges[1:]) / 2.0
    shares = 100.0 * counts / len(profits)
    width = float(edges[1] - edges[0])
    axes.bar(middles[~tail], shares[~tail], width, color=theme.grid)
    axes.bar(middles[tail], shares[tail], width, color=theme.ink)
    top = float(shares.max())
    for line, (level, x) in enumerate(zip(step.levels, at_risk, strict=True)):
        axes.axvline(x, color=theme.quiet, linewidth=1.0, linestyle=(0, (1, 2)))
        text = f"{100 * level.level:g}%  {percent(level.value_at_risk / value, 1)} "
        axes.text(
            x, top * (1.0 - 0.12 * line), text,
            ha="right", va="top", fontsize=9, color=theme.ink, parse_math=False,
        )  # fmt: skip
    axes.set_title(
        f"{counted(step.step, 'session')} ahead", loc="left", fontsize=10, color=theme.ink
    )
    axes.set_ylabel("draws, %", color=theme.quiet, fontsize=9)
