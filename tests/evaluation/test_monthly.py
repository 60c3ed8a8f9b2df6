"""Losses and skill month by month, on numbers made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from forecaster.evaluation.losses import Actuals, ForecastLosses
from forecaster.evaluation.monthly import MonthlyLosses

DAYS = np.array(["2024-01-30", "2024-01-31", "2024-02-01"], dtype="datetime64[D]")


def forecast_losses(losses: list[float]) -> ForecastLosses:
    """Losses of which only the loss one session ahead matters."""
    pinball = np.column_stack([losses, np.full(len(losses), 9.0)])
    return ForecastLosses(pinball, pinball, np.zeros(pinball.shape, np.uint8), 1, {}, len(losses))


# two tickers, end to end; the second ends a session earlier than its last forecast
ACTUALS = Actuals(
    ticker=np.array([0, 0, 0, 1, 1]),
    session=np.concatenate([DAYS, DAYS[:2]]),
    last_close=np.ones(5),
    log_return=np.array([[0.1, 0.1], [0.1, 0.1], [0.1, np.nan], [0.1, 0.1], [np.nan, np.nan]]),
)
LOSSES = MonthlyLosses.of(
    ACTUALS,
    {
        "gru": forecast_losses([1.0, 2.0, 4.0, 3.0, np.nan]),
        "naive": forecast_losses([2.0, 4.0, 2.0, 4.0, np.nan]),
        "flat": forecast_losses([0.0] * 5),
    },
)


def test_each_month_has_the_mean_over_its_sessions_of_the_mean_over_tickers():
    assert [str(month) for month in LOSSES.months] == ["2024-01", "2024-02"]
    assert LOSSES.sessions.tolist() == [2, 1]
    assert LOSSES.pinball["gru"].tolist() == [2.0, 4.0]
    assert LOSSES.pinball["naive"].tolist() == [3.5, 2.0]


def test_a_months_skill_compares_its_mean_losses():
    assert LOSSES.skill("gru", "naive") == pytest.approx([1 - 4 / 7, 1 - 4 / 2])


def test_a_baseline_without_loss_has_no_skill_to_compare_with():
    assert np.isnan(LOSSES.skill("gru", "flat")).all()
