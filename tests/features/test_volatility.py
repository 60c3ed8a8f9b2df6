from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic import close_only, garch_history

from forecaster.features import volatility
from forecaster.features.volatility import (
    DECAY,
    damped_squares,
    decay_of,
    decaying_mean,
    future_log_ranges,
    log_returns,
    measure,
    overnight_gaps,
    pooled_variance,
    range_variance,
)
from forecaster.market.bars import history_from_closes


def history_of(*closes: float, ticker: str = "A"):
    return history_from_closes(
        ticker, np.datetime64("2020-01-01") + np.arange(len(closes)), np.array(closes)
    )


def slow_decaying_mean(values, decay, prior, prior_sessions):
    """The definition, one session at a time."""
    total, weight, means = prior_sessions * prior, prior_sessions, []
    for value in values:
        total, weight = decay * total + value, decay * weight + 1.0
        means.append(total / weight)
    return np.array(means)


class TestDecayingMean:
    def test_three_values_by_hand(self):
        # prior 8 counts as 2 sessions and fades by half:
        # (4 + 2·½·8)/(1 + 2·½) = 6, (2 + 4/2 + 2·¼·8)/(1 + ½ + ½) = 4, and so on
        found = decaying_mean(np.array([4.0, 2.0, 6.0]), 0.5, 8.0, 2.0)
        assert found == pytest.approx([6.0, 4.0, 5.0], abs=1e-15)

    def test_without_a_prior_the_first_mean_is_the_first_value(self):
        assert decaying_mean(np.array([3.0, 5.0]), 0.5, 99.0, 0.0) == pytest.approx(
            [3.0, (5 + 1.5) / 1.5], abs=1e-15
        )

    @given(
        st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=400),
        st.sampled_from([0.5, 0.9, DECAY, decay_of(60), decay_of(250)]),
        st.floats(0.0, 10.0),
        st.sampled_from([0.0, 1.0, 10.0, 500.0]),
    )
    def test_equals_a_slow_loop(self, values, decay, prior, sessions):
        fast = decaying_mean(np.array(values), decay, prior, sessions)
        slow = slow_decaying_mean(values, decay, prior, sessions)
        assert fast == pytest.approx(slow, rel=1e-10, abs=1e-8)

    @pytest.mark.parametrize("half_life", [1.0, 11.0, 250.0])
    def test_equals_a_slow_loop_over_many_blocks(self, half_life):
        values = np.random.default_rng(0).exponential(1e-4, 10_000)
        fast = decaying_mean(values, decay_of(half_life), 2e-4, 10.0)
        slow = slow_decaying_mean(values, decay_of(half_life), 2e-4, 10.0)
        assert fast == pytest.approx(slow, rel=1e-11)

    @pytest.mark.parametrize("decay", [0.5, DECAY, decay_of(250)])
    def test_later_values_change_nothing_before_them_to_the_bit(self, decay):
        values = np.random.default_rng(1).exponential(1.0, 900)
        whole = decaying_mean(values, decay, 1.0, 10.0)
        for n in (1, 2, 5, 16, 17, 18, 190, 193, 194, 195, 500, 899):
            assert np.array_equal(decaying_mean(values[:n], decay, 1.0, 10.0), whole[:n]), n

    def test_no_values_give_no_means(self):
        assert decaying_mean(np.empty(0), 0.9, 1.0, 1.0).shape == (0,)

    def test_a_half_life_halves(self):
        assert decay_of(5.0) ** 5 == pytest.approx(0.5, abs=1e-15)


class TestReturns:
    def test_by_hand(self):
        found = log_returns(history_of(100.0, 110.0, 99.0))
        assert found == pytest.approx([0.0, 0.09531018, -0.10536052], abs=5e-9)

    def test_are_of_adjusted_closes(self):
        history = history_of(100.0, 50.0)
        split = replace(history, adjusted_close=np.array([50.0, 50.0]))
        assert log_returns(split) == pytest.approx([0.0, 0.0], abs=0)

    def test_range_variance_by_hand(self):
        # previous close 100; open 102, high 105, low 101, close 104
        bar = replace(
            history_of(100.0, 104.0),
            open=np.array([100.0, 102.0]),
            high=np.array([100.0, 105.0]),
            low=np.array([100.0, 101.0]),
        )
        gap, spread, body = np.log(102 / 100), np.log(105 / 101), np.log(104 / 102)
        expected = gap**2 + 0.5 * spread**2 - 0.38629436111989 * body**2
        assert expected == pytest.approx(0.00100075, abs=5e-9)
        assert range_variance(bar, log_returns(bar)) == pytest.approx([0.0, expected], abs=1e-15)

    def test_a_bar_without_a_range_counts_its_squared_return(self):
        history = history_of(100.0, 110.0)
        assert range_variance(history, log_returns(history))[1] == pytest.approx(
            np.log(1.1) ** 2, abs=1e-15
        )

    def test_range_variance_is_never_negative(self):
        # a bar whose body is its whole range, and one whose range is smaller than its body
        bar = replace(
            history_of(100.0, 110.0),
            open=np.array([100.0, 100.0]),
            high=np.array([100.0, 100.0]),
            low=np.array([100.0, 100.0]),
        )
        assert np.all(range_variance(bar, log_returns(bar)) >= 0)

    def test_a_square_is_damped_to_25_times_the_variance_before_it(self):
        prior = 1e-4
        found = damped_squares(np.array([0.01, 0.9]), prior)
        assert found == pytest.approx([1e-4, 25 * 1e-4], rel=1e-12)


class TestMeasure:
    def test_two_sessions_by_hand(self):
        # prior 4e-4 counts as ten sessions: σ² = (r² + 10·0.94·4e-4) / (1 + 9.4)
        m = measure(history_of(100.0, 101.0), 4e-4)
        r = np.log(1.01)
        assert m.returns == pytest.approx([0.0, r], abs=1e-15)
        assert m.volatility == pytest.approx(
            [0.02, np.sqrt((r * r + 9.4 * 4e-4) / 10.4)], rel=1e-14
        )
        assert m.volatility_before == pytest.approx([0.02, 0.02], rel=1e-14)

    @pytest.mark.parametrize("sessions", [1, 2, 5, 10])
    def test_short_histories_have_a_volatility(self, sessions):
        m = measure(garch_history("A", sessions, seed=1), 2e-4)
        for values in (m.returns, m.volatility, m.volatility_before, m.session_variance):
            assert values.shape == (sessions,)
            assert np.all(np.isfinite(values))
        assert np.all(m.volatility > 0)

    def test_constant_prices_keep_a_positive_volatility(self):
        m = measure(history_of(*[7.0] * 3000), 4e-4)
        assert m.volatility[-1] == volatility._FLOOR
        assert np.all(np.diff(m.volatility) <= 0)

    def test_one_large_gap_moves_the_volatility_no_further_than_damping_allows(self):
        closes = 100 * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.01, 200)))
        closes[150:] *= 0.4
        m = measure(history_of(*closes), 1e-4)
        assert m.returns[150] < -0.85
        assert m.volatility[150] / m.volatility[149] == pytest.approx(
            np.sqrt(0.94 + 0.06 * 25), rel=1e-3
        )
        assert m.session_variance[150] == pytest.approx(25 * m.volatility[149] ** 2, rel=1e-12)

    def test_volatility_before_is_yesterdays(self):
        m = measure(garch_history("A", 50, seed=2), 2e-4)
        assert np.array_equal(m.volatility_before[1:], m.volatility[:-1])


class TestPooledVariance:
    def test_is_the_history_in_the_middle_weighted_by_length(self):
        # 5, 3 and 3 returns: half of the eleven lie within the first two histories
        quiet = history_of(*[1.0, 1.01] * 3)
        usual = history_of(*[1.0, 1.02] * 2)
        wild = history_of(*[1.0, 2.0] * 2)
        found = pooled_variance([wild, usual, quiet])
        assert found == pytest.approx(np.log(1.02) ** 2, rel=1e-12)

    def test_falls_back_to_two_percent(self):
        assert pooled_variance([history_of(5.0)]) == 0.02**2
        assert pooled_variance([]) == 0.02**2

    def test_is_positive_for_prices_that_never_move(self):
        assert pooled_variance([history_of(5.0, 5.0, 5.0)]) > 0

    def test_reads_closes_alone_without_complaint(self):
        full = garch_history("A", 80, seed=3)
        assert pooled_variance([close_only(full)]) == pooled_variance([full])


class TestFutureRanges:
    def test_equal_a_slow_loop(self):
        variance = np.random.default_rng(0).exponential(1e-4, 40)
        found = future_log_ranges(variance, 6)
        for t in range(40):
            for h in range(1, 7):
                if t + h < 40:
                    mean = sum(variance[t + 1 : t + 1 + h]) / h
                    expected = np.log(np.sqrt(mean + 1e-9))
                    assert found[t, h - 1] == pytest.approx(expected, rel=1e-10)
                else:
                    assert np.isnan(found[t, h - 1])

    def test_by_hand(self):
        # the root mean of 4 and 9 is √6.5
        found = future_log_ranges(np.array([1.0, 4.0, 9.0]), 2)
        assert found[0] == pytest.approx([np.log(2), 0.5 * np.log(6.5)], rel=1e-8)
        assert found[1, 0] == pytest.approx(np.log(3), rel=1e-8)

    @pytest.mark.parametrize("n", [1, 2, 3])
    def test_a_horizon_beyond_the_history_is_unknown(self, n):
        found = future_log_ranges(np.ones(n), 20)
        assert found.shape == (n, 20)
        assert np.count_nonzero(np.isfinite(found)) == n * (n - 1) // 2


class TestOvernightGaps:
    def test_by_hand(self):
        # closes 100 and 104, the second session opens at 102
        history = replace(
            history_of(100.0, 104.0),
            open=np.array([100.0, 102.0]),
            high=np.array([100.0, 105.0]),
            low=np.array([100.0, 101.0]),
        )
        found = overnight_gaps(history, log_returns(history))
        assert np.isnan(found[0])
        assert found[1] == pytest.approx(np.log(1.02), rel=1e-12)

    def test_are_unknown_without_bars(self):
        history = close_only(garch_history("A", 20, seed=1))
        assert np.all(np.isnan(overnight_gaps(history, log_returns(history))))
