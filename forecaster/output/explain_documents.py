"""A forecast unrolled, as JSON and CSV."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from forecaster.jobs.explain import Explanation
from forecaster.jobs.importance import Gain, Importance
from forecaster.jobs.rolling_forecast import Day
from forecaster.jobs.scoring import plain
from forecaster.model.artifact import Model
from forecaster.output.documents import level_key, model_object, to_csv, to_json


def explain_json(found: Explanation, model: Model) -> str:
    """The document ``explain/1``; the same bars, model and seed give the same text."""
    return to_json(
        plain(
            {
                "schema": "explain/1",
                "model": model_object(model),
                "ticker": found.history.ticker,
                "cutoff": str(found.history.cutoff),
                "currency": found.history.currency,
                "step": found.step,
                "interval": None if found.levels is None else list(found.levels),
                "days": [_day(day) for day in found.days],
                "withheld": [asdict(w) for w in found.withheld],
                "looks_back": found.looks_back,
                "importance": None if found.importance is None else _importance(found.importance),
                "seed": found.seed,
                "notes": list(found.notes),
            }
        )
    )


def _day(day: Day) -> dict[str, Any]:
    return {
        "session": str(day.session),
        "close": day.close,
        "bar": {
            "return_percent": day.bar.change,
            "range_percent": day.bar.range,
            "gap_percent": day.bar.gap,
            "volume_times_usual": day.bar.volume,
            "volatility_percent_a_year": day.bar.volatility,
        },
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


def _importance(weighed: Importance) -> dict[str, Any]:
    return {
        "part": weighed.part,
        "first": str(weighed.first),
        "last": str(weighed.last),
        "sessions": weighed.sessions,
        "pinball": weighed.loss,
        "groups": [_gain(g) for g in weighed.groups],
        "inputs": [_gain(g) for g in weighed.inputs],
    }


def _gain(gain: Gain) -> dict[str, Any]:
    """Growth of the loss in percent and its spread; None where shuffling cannot tell."""
    return {
        "name": gain.name,
        "inputs": list(gain.inputs),
        "loss_percent": gain.mean,
        "spread_points": gain.spread,
    }


def explain_csv(found: Explanation) -> str:
    """A row for each session, without the standardised inputs."""
    header = [
        "ticker", "session", "close", "return_percent", "range_percent", "gap_percent",
        "volume_times_usual", "volatility_percent_a_year", "state_size", "step", "target", "low",
        "median", "high", "width_percent", "width_change_percent", "drift_percent", "moved_most",
    ]  # fmt: skip
    rows = [
        [
            found.history.ticker, str(d.session), d.close, d.bar.change, d.bar.range, d.bar.gap,
            d.bar.volume, d.bar.volatility, d.state_size, found.step, str(d.target.session), d.low,
            d.median, d.high, d.width, d.width_change, d.drift, str(d.moved_most).lower(),
        ]
        for d in found.days
    ]  # fmt: skip
    return to_csv(header, rows)
