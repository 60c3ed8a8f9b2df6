"""Tables, JSON and CSV of an explained forecast."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from rich.console import RenderableType

from forecaster.evaluation.metrics import level_place
from forecaster.jobs.explain import Explanation
from forecaster.jobs.importance import Importance
from forecaster.jobs.intervals import quantile
from forecaster.jobs.rolling_forecast import Day
from forecaster.model.artifact import Model
from forecaster.output.console import Text
from forecaster.output.format import (
    level_key,
    number,
    plain,
    price,
    to_csv,
    to_json,
    unit,
)
from forecaster.output.predict import model_object
from forecaster.output.tabular.layout import NARROW, Column, fitting, fitting_table
from forecaster.output.tabular.plain_words import level_legend, level_name
from forecaster.wording import counted, plural

_MARK = "◂"


def explain_table(explanation: Explanation, model: Model, width: int) -> list[RenderableType]:
    """The last sessions, the worth of older bars, the importance of inputs, and notes."""
    history = explanation.history
    ahead = f"{explanation.step} {plural('session', explanation.step)}"
    days = _days(explanation, model, width)
    shown = {column.name for column in days}
    legend = [text for name, text in _meanings(explanation, model).items() if name in shown]
    worth = f"{price(float(history.close[-1]))}{unit(history.currency)}"
    parts: list[RenderableType] = [
        Text(
            f"{history.ticker}  {worth} on {history.cutoff};"
            f" forecasts {ahead} ahead by {model.name} ({model.settings.cell}, {model.id})",
            style="bold",
        ),
        Text(""),
        Text("The forecast after each session", style="bold"),
        fitting_table(days, width, [i for i, d in enumerate(explanation.days) if d.moved_most]),
        Text(_move_sentence(explanation)),
        *([Text("; ".join(legend), "dim")] if legend else []),
        Text(""),
    ]
    if explanation.withheld:
        parts += [
            Text("The last forecast without older bars", style="bold"),
            _withheld(explanation, model, width),
        ]
    parts += [Text(lookback_sentence(explanation, model)), Text("")]
    if explanation.importance is not None:
        parts += [
            Text("How much the loss grows when inputs are shuffled over time", style="bold"),
            _gains(explanation.importance, width),
            Text(importance_sentence(explanation.importance, model)),
        ]
    return parts + [Text(note.message, style="yellow") for note in explanation.notes]


def _days(explanation: Explanation, model: Model, width: int) -> list[Column]:
    """Columns with a row for each session, and a mark at the one that moved the forecast most."""
    days, levels, short = explanation.days, explanation.levels, width < NARROW
    dates = [str(d.session)[5:] if short else str(d.session) for d in days]
    columns = [
        Column("day" if short else "session", dates, left=True),
        Column("return", [number(d.bar.return_percent, "+.2f") for d in days], 6, unit="%"),
        Column("range", [number(d.bar.range_percent, ".2f") for d in days], 8, unit="%"),
        Column("gap", [number(d.bar.gap_percent, "+.2f") for d in days], 10, unit="%"),
        Column("volume", [number(d.bar.volume_times_usual, ".2f") for d in days], 9, unit="×"),
        Column(
            "σ year", [number(d.bar.volatility_percent_a_year, ".1f") for d in days], 7, unit="%"
        ),
        Column("state", [number(d.state_size, ".2f") for d in days], 5),
        *_quantiles(explanation, model, short=short),
        Column("width", [number(d.width, ".2f") for d in days], 4, unit="%"),
        Column(
            "change",
            [_change(d, "" if short else " ") for d in days],
            unit="points" if levels is None else "%",
        ),
    ]
    if levels is None:
        columns = [c for c in columns if c.name != "width"]
    return fitting(columns, width)


def _quantiles(explanation: Explanation, model: Model, *, short: bool) -> list[Column]:
    """A column for each level shown: the interval's ends, and the median if the model has it."""
    levels = _shown_levels(explanation, model)
    days, currency = explanation.days, explanation.history.currency or ""
    return [
        Column(
            level_name(q),
            [price(quantile(d.target.quantiles, q), short=short) for d in days],
            1 if level_name(q) == "median" else 3,
            unit=currency,
        )
        for q in levels
    ]


def _shown_levels(explanation: Explanation, model: Model) -> list[float]:
    middle = [0.5] if _has_median(model) else []
    return sorted({*(explanation.levels or model.settings.quantiles), *middle})


def _has_median(model: Model) -> bool:
    return level_place(model.settings.quantiles, 0.5) is not None


def _change(day: Day, gap: str) -> str:
    """Change of the width in percent, or of the median in points where there is no width."""
    change = number(day.width_change, "+.1f")
    if day.width is None:
        change = number(day.drift_change, "+.2f")
    return f"{change}{gap}{_MARK if day.moved_most else ' '}"


def _move_sentence(explanation: Explanation) -> str:
    """A sentence on the day that moved the forecast most."""
    if all(day.drift_change is None for day in explanation.days):
        return "It is the first forecast that this history allows, so no change is known."
    for day in explanation.days:
        if day.moved_most and day.width is not None and day.width_change is not None:
            word = "wider" if day.width_change > 0 else "narrower"
            return (
                f"{_MARK} {day.session} moved it most: the interval became"
                f" {abs(day.width_change):.1f}% {word}."
            )
        if day.moved_most and day.drift_change is not None:
            moved = number(day.drift_change, "+.2f")
            return (
                f"{_MARK} {day.session} moved it most: the median's distance from the"
                f" close by {moved} points."
            )
    return "No session changed it."


_OF_WIDTH = f"change: of that width; {_MARK}: the largest ratio, up or down"
_OF_DISTANCE = "change: of the median's distance from the close, in percent of it"


def _meanings(explanation: Explanation, model: Model) -> dict[str, str]:
    """What columns of the table mean, by their heads."""
    levels = _shown_levels(explanation, model)
    settings = model.settings
    cells = settings.layers * (2 if settings.bidirectional else 1)
    size = f"{settings.layer_units * cells} numbers"
    if settings.cell == "rnn" and settings.activation == "relu":
        bound = "without a limit"
    else:
        bound = f"at most {np.sqrt(settings.layer_units * cells):.1f}"
    return {
        "volume": "volume: times its mean of 20 sessions",
        "σ year": "σ year: volatility of a year",
        "state": f"state: length of the {size} remembered, {bound}",
        level_name(levels[0]): level_legend(levels).plain,
        "width": "width: of the interval, in percent of the close",
        "change": _OF_WIDTH if explanation.levels else _OF_DISTANCE,
    }


def _withheld(explanation: Explanation, model: Model, width: int) -> RenderableType:
    withheld = explanation.withheld
    columns = [Column("sessions kept", [str(w.sessions) for w in withheld])]
    if _has_median(model):
        changes = [number(w.median_change, "+.2f") for w in withheld]
        columns.append(Column("median", changes, unit="%"))
    if explanation.levels is not None:
        changes = [number(w.width_change, "+.1f") for w in withheld]
        columns.append(Column("width", changes, unit="%"))
    return fitting_table(columns, width)


def lookback_sentence(explanation: Explanation, model: Model) -> str:
    """Sentences on how far back the model looks."""
    what = "the median" if explanation.levels is None else "the interval's width"
    older = "; its inputs sum up older ones" if model.settings.scale == "volatility" else ""
    reads = f"The network reads {counted(model.settings.context_length, 'session')}{older}."
    if not explanation.withheld:
        return f"The history is too short to say how far back the model looks. {reads}"
    kept = explanation.withheld[-1].sessions
    if explanation.looks_back is None:
        return (
            f"The model looks back further than {counted(kept, 'session')}:"
            f" without older bars {what} still changes by 1% or more. {reads}"
        )
    sessions = counted(explanation.looks_back, "session")
    return f"The model looks back {sessions}: what is older changes {what} by less than 1%. {reads}"


def _gains(importance: Importance, width: int) -> RenderableType:
    groups = importance.groups
    columns = [
        Column("inputs", [g.name for g in groups], left=True),
        Column("loss", [number(g.loss_percent, "+.2f") for g in groups], unit="%"),
        Column("±", [number(g.spread_points, ".2f") for g in groups], 1, unit="points"),
    ]
    return fitting_table(columns, width)


def importance_sentence(importance: Importance, model: Model) -> str:
    """A sentence on the sessions of the loss, and whether training has seen them."""
    sessions = counted(importance.sessions, "session")
    where = f"Scored on {sessions}, {importance.first} to {importance.last}, "
    unknown = any(g.loss_percent is None for g in importance.groups)
    dash = " – is for inputs that are the same in every session." if unknown else ""
    if importance.part == "unseen":
        return f"{where}which came after training.{dash}"
    if importance.part == "held out":
        return f"{where}held out when {model.name} was measured; its last fit has seen them.{dash}"
    return f"{where}which {model.name} may have been trained on: it has none held out here.{dash}"


def explain_json(explanation: Explanation, model: Model) -> str:
    """The document ``explain/1``; equal bars, model and seed give equal text."""
    importance = explanation.importance
    return to_json(
        plain(
            {
                "schema": "explain/1",
                "model": model_object(model),
                "ticker": explanation.history.ticker,
                "cutoff": explanation.history.cutoff,
                "currency": explanation.history.currency,
                "step": explanation.step,
                "interval": explanation.levels,
                "days": [_day(day) for day in explanation.days],
                "withheld": [asdict(w) for w in explanation.withheld],
                "looks_back": explanation.looks_back,
                "importance": importance and asdict(importance),
                "seed": explanation.seed,
                "notes": [note.message for note in explanation.notes],
            }
        )
    )


def _day(day: Day) -> dict[str, Any]:
    return {
        "session": str(day.session),
        "close": day.close,
        "bar": asdict(day.bar),
        "inputs": day.inputs,
        "state": {"size": day.state_size, "cells": [asdict(s) for s in day.states]},
        "target": str(day.target.session),
        "target_estimated": day.target.session_estimated,
        "quantiles": {level_key(q): p for q, p in day.target.quantiles.items()},
        "median": day.median,
        "low": day.low,
        "high": day.high,
        "drift_percent": day.drift,
        "drift_change_points": day.drift_change,
        "width_percent": day.width,
        "width_change_percent": day.width_change,
        "moved_most": day.moved_most,
    }


def explain_csv(explanation: Explanation) -> str:
    """A row for each session, without the standardised inputs."""
    header = [
        "ticker", "session", "close", "return_percent", "range_percent", "gap_percent",
        "volume_times_usual", "volatility_percent_a_year", "state_size", "step", "target", "low",
        "median", "high", "width_percent", "width_change_percent", "drift_percent", "moved_most",
    ]  # fmt: skip
    ticker, step = explanation.history.ticker, explanation.step
    rows = [
        [
            ticker, str(d.session), d.close, *asdict(d.bar).values(), d.state_size, step,
            str(d.target.session), d.low,
            d.median, d.high, d.width, d.width_change, d.drift, str(d.moved_most).lower(),
        ]
        for d in explanation.days
    ]  # fmt: skip
    return to_csv(header, rows)
