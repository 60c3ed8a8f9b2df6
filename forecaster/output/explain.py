"""Tables, JSON and CSV of an explained forecast."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from rich.console import RenderableType
from rich.table import Table

from forecaster.jobs.explain import Explanation
from forecaster.jobs.importance import Importance
from forecaster.jobs.rolling_forecast import Day
from forecaster.model.artifact import Model
from forecaster.output.console import Text
from forecaster.output.format import (
    NARROW,
    Column,
    fitting_table,
    level_key,
    plain,
    price,
    to_csv,
    to_json,
    unit,
)
from forecaster.output.predict import model_object
from forecaster.wording import counted, plural

_MARK = "◂"


def explain_table(explanation: Explanation, model: Model, width: int) -> list[RenderableType]:
    """The last sessions, the worth of older bars, the importance of inputs, and notes."""
    history = explanation.history
    ahead = f"{explanation.step} {plural('session', explanation.step)}"
    worth = f"{price(float(history.close[-1]))}{unit(history.currency)}"
    parts: list[RenderableType] = [
        Text(
            f"{history.ticker}  {worth} on {history.cutoff};"
            f" forecasts {ahead} ahead by {model.name} ({model.settings.cell}, {model.id})",
            style="bold",
        ),
        Text(""),
        Text("The forecast after each session", style="bold"),
        _days(explanation, width),
        Text(_move_sentence(explanation)),
        Text(_state_sentence(model)),
        Text(""),
    ]
    if explanation.withheld:
        parts += [
            Text("The last forecast without older bars", style="bold"),
            _withheld(explanation, width),
        ]
    parts += [Text(lookback_sentence(explanation, model)), Text("")]
    if explanation.importance is not None:
        parts += [
            Text("How much the loss grows when inputs are shuffled over time", style="bold"),
            _gains(explanation.importance, width),
            Text(importance_sentence(explanation.importance, model)),
        ]
    return parts + [Text(note.message, style="yellow") for note in explanation.notes]


def _days(explanation: Explanation, width: int) -> Table:
    """A row for each session, with a mark at the one that moved the forecast most."""
    days, levels, short = explanation.days, explanation.levels, width < NARROW
    low, high = ("", "") if levels is None else (f"{100 * q:g}%" for q in levels)
    dates = [str(d.session)[5:] if short else str(d.session) for d in days]
    columns = [
        Column("day" if short else "session", dates, left=True),
        Column("return", [_percent(d.bar.return_percent, "+.2f") for d in days], 6),
        Column("range", [_percent(d.bar.range_percent, ".2f") for d in days], 8),
        Column("gap", [_percent(d.bar.gap_percent, "+.2f") for d in days], 10),
        Column("volume", [_percent(d.bar.volume_times_usual, ".2f", "×") for d in days], 9),
        Column("σ year", [_percent(d.bar.volatility_percent_a_year, ".1f") for d in days], 7),
        Column("state", [f"{d.state_size:.2f}" for d in days], 5),
        Column(low, [_price(d.low, short) for d in days], 3),
        Column("median", [_price(d.median, short) for d in days], 1),
        Column(high, [_price(d.high, short) for d in days], 3),
        Column("width", [_percent(d.width, ".2f") for d in days], 4),
        Column("change", [_change(d, "" if short else " ") for d in days]),
    ]
    if levels is None:
        columns = [c for c in columns if c.name not in ("", "width")]
    return fitting_table(columns, width, [i for i, d in enumerate(days) if d.moved_most])


def _change(day: Day, gap: str) -> str:
    """Change of the width in percent, or of the median in points where there is no width."""
    change = day.drift_change if day.width is None else day.width_change
    return f"{_percent(change, '+.1f')}{gap}{_MARK if day.moved_most else ' '}"


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
            return f"{_MARK} {day.session} moved it most: the median by {day.drift_change:+.2f}%."
    return "No session changed it."


def _state_sentence(model: Model) -> str:
    """A sentence on the columns of the table."""
    settings = model.settings
    cells = settings.layers * (2 if settings.bidirectional else 1)
    size = f"{settings.units * cells} numbers"
    if settings.cell == "rnn" and settings.activation == "relu":
        bound = "without a limit"
    else:
        bound = f"at most {np.sqrt(settings.units * cells):.1f}"
    return (
        f"state: length of the {size} remembered, {bound}. width: of the interval, in percent of"
        " the close. volume: times its mean of 20 sessions."
    )


def _withheld(explanation: Explanation, width: int) -> Table:
    columns = [
        Column("sessions kept", [str(w.sessions) for w in explanation.withheld]),
        Column("median", [f"{w.median_change:+.2f}%" for w in explanation.withheld]),
        Column("width", [_percent(w.width_change, "+.1f") for w in explanation.withheld]),
    ]
    return fitting_table(columns, width)


def lookback_sentence(explanation: Explanation, model: Model) -> str:
    """Sentences on how far back the model looks."""
    what = "the median" if explanation.levels is None else "the interval's width"
    older = "; its inputs sum up older ones" if model.settings.scale == "volatility" else ""
    reads = f"The network reads {model.settings.context_length} sessions{older}."
    if not explanation.withheld:
        return f"The history is too short to say how far back the model looks. {reads}"
    if explanation.looks_back is None:
        return (
            f"The model looks back further than {explanation.withheld[-1].sessions} sessions:"
            f" without older bars {what} still changes by 1% or more. {reads}"
        )
    sessions = counted(explanation.looks_back, "session")
    return f"The model looks back {sessions}: what is older changes {what} by less than 1%. {reads}"


def _gains(importance: Importance, width: int) -> Table:
    groups = importance.groups
    columns = [
        Column("inputs", [g.name for g in groups], left=True),
        Column("loss", [_percent(g.loss_percent, "+.2f") for g in groups]),
        Column("±", [_percent(g.spread_points, ".2f") for g in groups], 1),
    ]
    return fitting_table(columns, width)


def importance_sentence(importance: Importance, model: Model) -> str:
    """A sentence on the sessions of the loss, and whether training has seen them."""
    where = f"Scored on {importance.sessions} sessions, {importance.first} to {importance.last}, "
    unknown = any(g.loss_percent is None for g in importance.groups)
    dash = " – is for inputs that are the same in every session." if unknown else ""
    if importance.part == "unseen":
        return f"{where}which came after training.{dash}"
    if importance.part == "held out":
        return f"{where}held out when {model.name} was measured; its last fit has seen them.{dash}"
    return f"{where}which {model.name} may have been trained on: it has none held out here.{dash}"


def _percent(value: float | None, form: str, unit: str = "%") -> str:
    return "–" if value is None else f"{value:{form}}{unit}"


def _price(value: float | None, short: bool) -> str:
    return "–" if value is None else price(value, short=short)


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
