"""Drawings of a report: calibration and skill of each network, and the fan of each history."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from forecaster.evaluation.monthly import MonthlyLosses
from forecaster.evaluation.scores import ScoreTable
from forecaster.jobs.fan_chart import Fan
from forecaster.jobs.predict import in_hindsight
from forecaster.jobs.report import ModelSubject
from forecaster.model.artifact import Model
from forecaster.output.charts.backtest import (
    calibration_figure,
    left_out,
    over_time,
    over_time_figure,
)
from forecaster.output.charts.fan import band_name, fan_figure, frame_of
from forecaster.output.charts.figure import inline, settled
from forecaster.output.charts.learning import learning_figure, stop_sentence
from forecaster.output.charts.theme import LIGHT, clipped
from forecaster.output.format import unit
from forecaster.output.tabular.plain_words import HARDLY, direction_of, sentence
from forecaster.wording import listed


@dataclass(frozen=True)
class Plot:
    """One network's errors as drawings.

    Attributes:
        network: its name, clipped.
        calibration: with its skill by step, as SVG.
        over_time: its skill by month, as SVG; None where losses by month were not kept.
    """

    network: str
    calibration: str
    over_time: str | None


@dataclass(frozen=True)
class Plots:
    """Drawings of all networks.

    Attributes:
        networks: a plot for each.
        baselines: names of those that are drawn over time.
        monthly: whether losses by month were kept.
        left_out: a sentence on the months that are not drawn; empty where all are.
    """

    networks: Sequence[Plot]
    baselines: Sequence[str]
    monthly: bool
    left_out: str


def plots(scores: ScoreTable, losses: MonthlyLosses | None) -> Plots:
    """Calibration, skill by step and loss over time of every network."""
    shown = over_time(scores.baselines)
    drawn = []
    with settled():
        for number, network in enumerate(scores.networks, start=1):
            name, months = clipped(network, 40), None
            label = f"Calibration of {name} one session ahead, and its skill by step"
            figure = calibration_figure(scores, network, LIGHT)
            calibration = inline(figure, label, f"c{number}", LIGHT)
            if losses is not None:
                label = f"Skill of {name} over {listed(shown)} in each month"
                figure = over_time_figure(scores, losses, network, LIGHT)
                months = inline(figure, label, f"t{number}", LIGHT)
            drawn.append(Plot(name, calibration, months))
    return Plots(drawn, shown, losses is not None, left_out(losses) if losses else "")


@dataclass(frozen=True)
class Learning:
    """How a model was trained.

    Attributes:
        svg: losses by epoch, as a drawing.
        sentence: where training stopped and why.
    """

    svg: str
    sentence: str


def learning(model: Model) -> Learning | None:
    """The learning curve of a model; None where its card has none."""
    if not model.card.history:
        return None
    with settled():
        svg = inline(learning_figure(model, LIGHT), "Losses by epoch of training", "l", LIGHT)
    return Learning(svg, stop_sentence(model))


@dataclass(frozen=True)
class Held:
    """How often an interval held where it was measured.

    Attributes:
        share: of the held-out prices.
        step: h.
    """

    share: float
    step: int


@dataclass(frozen=True)
class Forecast:
    """One history's fan as a drawing.

    Attributes:
        fan: its numbers.
        title: above it.
        svg: the drawing.
        sentence: what it says in words.
        held: how often its widest interval did; None where that was not measured.
        in_hindsight: whether the model has seen what came next.
    """

    fan: Fan
    title: str
    svg: str
    sentence: str
    held: Held | None
    in_hindsight: bool

    @property
    def interval(self) -> str:
        """The name of the widest interval."""
        return band_name(self.fan.bands[0])


def forecasts(carded: ModelSubject, fans: Sequence[Fan]) -> list[Forecast]:
    """A drawing for each fan."""
    model, drawn = carded.model, []
    with settled():
        for number, fan in enumerate(fans, start=1):
            frame = frame_of([fan], model)
            figure = fan_figure([fan], frame.within("html"), LIGHT)
            label = f"Forecast of {clipped(fan.ticker, 40)} from {fan.cutoff}"
            svg = inline(figure, label, f"f{number}", LIGHT)
            seen = in_hindsight(model, fan.cutoff)
            held = _held(carded.table, fan)
            drawn.append(Forecast(fan, frame.title, svg, _sentence(fan), held, seen))
    return drawn


def _sentence(fan: Fan) -> str:
    """What a fan says of its last step."""
    quantiles = {} if fan.median is None else {0.5: float(fan.median[-1])}
    for band in fan.bands:
        quantiles[band.low_level] = float(band.low[-1])
        quantiles[band.high_level] = float(band.high[-1])
    if not quantiles:
        return ""
    direction = direction_of(quantiles, fan.last_close) or (HARDLY if len(quantiles) > 1 else "")
    return sentence(quantiles, len(fan.ahead), unit(fan.currency), direction)


def _held(scores: ScoreTable | None, fan: Fan) -> Held | None:
    """How often a fan's widest interval held, at the measured step nearest to the fan's end."""
    if scores is None or not fan.bands:
        return None
    own, widest = scores.networks, fan.bands[0]
    measured = [
        Held(share, row.step)
        for row in scores.rows
        if row.model in own
        for key, share in row.coverage.items()
        if math.isclose(float(key), widest.high_level - widest.low_level)
    ]
    return min(measured, key=lambda held: abs(held.step - len(fan.ahead)), default=None)
