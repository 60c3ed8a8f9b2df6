from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import garch_history

from forecaster.features.scaling import (
    LevelScaling,
    VolatilityScaling,
    fit_scaling,
    future_log_returns,
    scaling_from_state,
)
from forecaster.market.bars import history_from_closes

SCALES = ("volatility", "minmax", "standard")


def history_of(*closes: float, ticker: str = "A"):
    return history_from_closes(
        ticker, np.datetime64("2020-01-01") + np.arange(len(closes)), np.array(closes)
    )


class TestFutureLogReturns:
    def test_by_hand(self):
        found = future_log_returns(history_of(1.0, 2.0, 8.0), 2)
        two = np.log(2.0)
        assert found[0] == pytest.approx([two, 3 * two], abs=1e-15)
        assert found[1, 0] == pytest.approx(2 * two, abs=1e-15)
        assert np.array_equal(np.isnan(found), [[False, False], [False, True], [True, True]])

    def test_a_horizon_beyond_the_history_is_unknown(self):
        found = future_log_returns(history_of(1.0, 2.0), 250)
        assert found.shape == (2, 250)
        assert np.count_nonzero(np.isfinite(found)) == 1

    def test_one_bar_has_no_future(self):
        assert np.all(np.isnan(future_log_returns(history_of(3.0), 5)))

    def test_are_of_adjusted_closes(self):
        split = replace(history_of(100.0, 50.0), adjusted_close=np.array([50.0, 50.0]))
        assert future_log_returns(split, 1)[0, 0] == 0.0


@pytest.mark.parametrize("name", SCALES)
@pytest.mark.parametrize("sessions", [2, 5, 10, 300])
def test_targets_become_the_log_returns_they_came_from(name, sessions):
    history = garch_history("A", sessions, seed=4)
    scale = fit_scaling(name, [history]).scale(history)
    targets = scale.targets(5)
    rows = np.arange(sessions)
    back = scale.log_returns(targets[:, :, None], rows)[:, :, 0]
    wanted = future_log_returns(history, 5)
    known = np.isfinite(wanted)
    assert np.array_equal(np.isfinite(targets), known)
    assert back[known] == pytest.approx(wanted[known], abs=1e-13)


@pytest.mark.parametrize("name", SCALES)
def test_log_returns_rise_with_the_outputs(name):
    history = garch_history("A", 60, seed=4)
    scale = fit_scaling(name, [history]).scale(history)
    outputs = np.sort(np.random.default_rng(0).normal(0, 5, (3, 4, 7)), axis=-1)
    found = scale.log_returns(outputs, np.array([10, 30, 59]))
    assert np.all(np.isfinite(found))
    assert np.all(np.diff(found, axis=-1) >= 0)


@pytest.mark.parametrize("name", SCALES)
def test_state_round_trip(name):
    histories = [garch_history("A", 60, seed=4), garch_history("B", 30, seed=5)]
    scaling = fit_scaling(name, histories)
    again = scaling_from_state(scaling.state())
    assert again == scaling


class TestVolatility:
    def test_target_by_hand(self):
        # σ_0 is the prior's root, 0.02; two steps ahead the unit is 0.02·√2
        scale = VolatilityScaling(4e-4).scale(history_of(100.0, 101.0, 104.0))
        first = scale.targets(2)[0]
        assert first == pytest.approx(
            [np.log(1.01) / 0.02, np.log(1.04) / (0.02 * np.sqrt(2))], rel=1e-13
        )

    def test_range_by_hand(self):
        # closes alone: a session's variance is its squared return; σ_0 is 0.02
        scale = VolatilityScaling(4e-4).scale(history_of(100.0, 101.0, 104.0))
        one, two = np.log(1.01), np.log(104 / 101)
        root = np.sqrt((one**2 + two**2) / 2 + 1e-9)
        found = scale.ranges(2)
        assert found[0] == pytest.approx(
            [np.log(np.sqrt(one**2 + 1e-9) / 0.02), np.log(root / 0.02)], rel=1e-12
        )
        assert np.isnan(found[1, 1])
        assert np.all(np.isnan(found[2]))

    def test_the_range_of_a_still_price_is_cut_to_size(self):
        scale = VolatilityScaling(4e-4).scale(history_of(100.0, 100.0, 100.0))
        assert scale.ranges(1)[0] == -2.5

    def test_a_ticker_is_scaled_by_its_own_past_whatever_was_fitted(self):
        history = garch_history("NEW", 50, seed=6)
        scaling = VolatilityScaling.fit([garch_history("OLD", 90, seed=7)])
        alone = VolatilityScaling(scaling.prior)
        assert np.array_equal(scaling.scale(history).targets(3), alone.scale(history).targets(3),
                              equal_nan=True)  # fmt: skip


class TestMinmax:
    def test_lowest_training_price_is_0_and_highest_1(self):
        history = garch_history("A", 120, seed=8)
        levels = LevelScaling.fit("minmax", [history]).scale(history).levels()
        assert levels.min() == 0.0
        assert levels.max() == 1.0

    def test_target_is_the_scaled_future_price(self):
        history = history_of(10.0, 30.0, 20.0)
        targets = LevelScaling.fit("minmax", [history]).scale(history).targets(2)
        assert targets[0] == pytest.approx([1.0, 0.5], abs=1e-15)
        assert targets[1, 0] == pytest.approx(0.5, abs=1e-15)

    def test_prices_after_training_may_leave_0_to_1(self):
        train, later = history_of(10.0, 20.0), history_of(10.0, 20.0, 40.0)
        levels = LevelScaling.fit("minmax", [train]).scale(later).levels()
        assert levels == pytest.approx([0.0, 1.0, 3.0], abs=1e-15)

    def test_each_ticker_has_its_own_range(self):
        a, b = history_of(1.0, 2.0, ticker="A"), history_of(100.0, 300.0, ticker="B")
        scaling = LevelScaling.fit("minmax", [a, b])
        assert scaling.fitted == {"A": (1.0, 1.0), "B": (100.0, 200.0)}

    def test_a_level_below_zero_is_read_as_a_thousandth_of_the_last_price(self):
        history = history_of(10.0, 20.0)
        scale = LevelScaling.fit("minmax", [history]).scale(history)
        found = scale.log_returns(np.array([[[-50.0, 1.0]]]), np.array([1]))
        assert found[0, 0] == pytest.approx([np.log(1e-3), 0.0], abs=1e-15)


class TestStandard:
    def test_training_prices_have_mean_0_and_deviation_1(self):
        history = garch_history("A", 120, seed=8)
        levels = LevelScaling.fit("standard", [history]).scale(history).levels()
        assert levels.mean() == pytest.approx(0.0, abs=1e-12)
        assert levels.std() == pytest.approx(1.0, abs=1e-12)

    def test_by_hand(self):
        scaling = LevelScaling.fit("standard", [history_of(2.0, 4.0, 6.0)])
        assert scaling.fitted["A"] == pytest.approx((4.0, np.sqrt(8 / 3)), rel=1e-14)


@pytest.mark.parametrize("name", ["minmax", "standard"])
class TestUnknownTicker:
    def test_uses_only_its_own_past(self, name):
        scaling = LevelScaling.fit(name, [history_of(1.0, 9.0, 5.0, ticker="OTHER")])
        history = garch_history("NEW", 40, seed=9)
        whole = scaling.scale(history)
        for n in (1, 2, 7, 39):
            part = scaling.scale(history.slice(0, n))
            assert np.array_equal(part.offset, whole.offset[:n])
            assert np.array_equal(part.width, whole.width[:n])

    def test_equals_a_fit_on_that_past(self, name):
        history = garch_history("NEW", 40, seed=9)
        running = LevelScaling(name, {}).scale(history)
        for t in (1, 20, 39):
            fitted = LevelScaling.fit(name, [history.slice(0, t + 1)]).fitted["NEW"]
            assert (running.offset[t], running.width[t]) == pytest.approx(fitted, rel=1e-14)

    def test_constant_prices_have_a_width(self, name):
        scale = LevelScaling(name, {}).scale(history_of(5.0, 5.0, 5.0))
        assert np.all(scale.width > 0)
        assert scale.levels() == pytest.approx([0.0, 0.0, 0.0], abs=1e-15)


def test_running_standard_levels_equal_a_slow_loop():
    history = garch_history("NEW", 60, seed=9)
    prices = history.adjusted_close
    scale = LevelScaling("standard", {}).scale(history)
    for t in range(1, 60):
        assert scale.offset[t] == pytest.approx(prices[: t + 1].mean(), rel=1e-13)
        assert scale.width[t] == pytest.approx(prices[: t + 1].std(), rel=1e-9)
