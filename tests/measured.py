"""Measured errors for tests of what shows them, made in a second without Keras."""

from __future__ import annotations

import json
from typing import Any

from synthetic import garch_history, random_model, trained_to

from forecaster.jobs.backtest import Backtest, Plan, score_model
from forecaster.market.bars import Panel
from forecaster.model.settings import Settings
from forecaster.output.backtest import backtest_json

LEVELS = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
BASELINES = ("naive", "drift", "ewma", "garch", "har")
PANEL = Panel((garch_history("LONG", 320, seed=1), garch_history("OTHER", 320, seed=2)))


def scored(baselines: tuple[str, ...] = BASELINES, horizon: int = 7) -> Backtest:
    """A network with random weights, scored on the last hundred sessions."""
    settings = Settings(units=3, horizon=horizon, quantiles=LEVELS)
    model = trained_to(random_model(settings, PANEL, size=0.2), PANEL.sessions[-1])
    plan = Plan(train_end=PANEL.sessions[220], baselines=baselines)
    return score_model(PANEL, model, plan, allow_overlap=True)


def document(result: Backtest) -> dict[str, Any]:
    """The JSON that the command writes."""
    return json.loads(backtest_json(result, PANEL))
