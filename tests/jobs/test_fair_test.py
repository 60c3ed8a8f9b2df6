"""Tests of a saved model on bars that end with its training: what is said, and that it works."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import garch_history, random_model, trained_to

from forecaster.errors import DataError
from forecaster.jobs.backtest import Plan, score_model
from forecaster.jobs.joint_past import fair_origins
from forecaster.market.bars import Panel
from forecaster.model.settings import Settings

TINY = Settings(units=3, horizon=3, epochs=2, context=16, quantiles=(0.05, 0.25, 0.5, 0.75, 0.95))
PANEL = Panel((garch_history("LONG", 320, seed=1),))
DAYS = PANEL.sessions
MODEL = trained_to(random_model(TINY, PANEL), DAYS[-2])


def backtest(train_end=None, test_end=None, *, allow_overlap=False) -> object:
    plan = Plan(train_end=train_end, test_end=test_end, baselines=("naive",))
    return score_model(PANEL, MODEL, plan, allow_overlap=allow_overlap)


def test_a_model_with_no_later_bars_is_told_what_can_be_done():
    said = (
        f"^model random was trained to {DAYS[-2]}, and 1 session of these bars follows; a test"
        " needs 5. Give newer bars, or an earlier train_end with allow_overlap.$"
    )
    with pytest.raises(DataError, match=said):
        backtest()
    backtest(DAYS[200], allow_overlap=True)


def test_a_date_of_the_user_s_is_called_one():
    said = f"^train_end is {DAYS[-3]}, and 2 sessions .* or an earlier train_end.$"
    with pytest.raises(DataError, match=said):
        backtest(DAYS[-3], allow_overlap=True)
    said = f"^train_end is {DAYS[-1]}, and 0 sessions .* train_end with allow_overlap.$"
    with pytest.raises(DataError, match=said):
        backtest(DAYS[-1])


def test_an_end_of_the_test_is_what_can_be_later():
    with pytest.raises(DataError, match=r"0 sessions .* Give a later test_end, or an earlier"):
        backtest(test_end=DAYS[100])


def test_joint_tests_say_the_same():
    late = trained_to(MODEL, DAYS[-1])
    said = "^model random was trained to .*, and 0 sessions .* needs 2.* with allow_overlap.$"
    with pytest.raises(DataError, match=said):
        fair_origins(late, DAYS, None, None)
    found = fair_origins(late, DAYS, DAYS[-9], None, allow_overlap=True)
    assert np.array_equal(found, DAYS[-9:])
