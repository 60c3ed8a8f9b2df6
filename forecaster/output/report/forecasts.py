"""The forecasts of a report: a fan for each history, and what may be said of it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from forecaster.evaluation.scores import ScoreTable
from forecaster.jobs.fan_chart import Fan
from forecaster.jobs.predict import in_hindsight
from forecaster.jobs.report import ModelSubject
from forecaster.output.charts.fan import fan_figure, frame_of
from forecaster.output.charts.figure import inline, settled
from forecaster.output.format import price, unit
from forecaster.output.html import data, day, figure, paragraph, section, words
from forecaster.output.report import tables
from forecaster.output.report.text import HINDSIGHT
from forecaster.output.theme import LIGHT, clipped


def forecasts(
    carded: ModelSubject, fans: Sequence[Fan], failures: Sequence[tuple[str, str]]
) -> str:
    """A fan for each history, and which ones failed."""
    model = carded.model
    parts = []
    with settled():
        for number, fan in enumerate(fans, start=1):
            frame = frame_of([fan], model)
            drawn = fan_figure([fan], frame.within("html"), LIGHT)
            label = f"Forecast of {clipped(fan.ticker, 40)} from {fan.cutoff}"
            caption = _fan_words(fan, carded.table)
            if in_hindsight(model, fan.cutoff):
                caption += f" {HINDSIGHT}"
            parts.append(f"<h3>{words(frame.title)}</h3>\n")
            parts.append(figure(inline(drawn, label, f"f{number}", LIGHT), caption, end=True))
    for ticker, reason in failures:
        parts.append(paragraph(f"<strong>{words(ticker)}</strong> is not here: {words(reason)}"))
    return section("forecasts", "Forecasts", *parts)


def _fan_words(fan: Fan, scores: ScoreTable | None) -> str:
    """Where a fan ends, in numbers."""
    currency = f" {words(unit(fan.currency))}" if fan.currency else ""
    median = float(fan.median[-1])
    said = (
        f"From {data(fan.last_close, price(fan.last_close))}{currency} on {day(fan.cutoff)} the"
        f" median leads to {data(median, price(median))} on {day(fan.ahead[-1])}"
        f"{' (date estimated)' if fan.estimated else ''}"
    )
    if fan.bands:
        low, high = float(fan.bands[0].low[-1]), float(fan.bands[0].high[-1])
        span = fan.bands[0].high_level - fan.bands[0].low_level
        said += (
            f"; the model’s {100 * span:g}% interval is then {data(low, price(low))} to"
            f" {data(high, price(high))} ({_held(scores, span, len(fan.ahead))})"
        )
    return f"{said}. Dashed: the last price, which is the naive forecast."


def _held(scores: ScoreTable | None, span: float, steps: int) -> str:
    """How often an interval held where it was measured, at the step nearest to a forecast's end."""
    own = [] if scores is None else scores.networks
    measured = {
        row.step: held
        for row in ([] if scores is None else scores.rows)
        if row.model in own
        for key, held in row.coverage.items()
        if math.isclose(float(key), span)
    }
    if not measured:
        return "how often it holds was not measured"
    step = min(measured, key=lambda step: abs(step - steps))
    return f"which held {tables.share(measured[step])} of held-out prices, {tables.ahead(step)}"
