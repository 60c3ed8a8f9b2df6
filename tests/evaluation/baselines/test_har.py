from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from synthetic import close_only, garch_history, weekdays

from forecaster.evaluation.baselines.har import Har
from forecaster.features.range_regression import SPANS, design
from forecaster.features.scaling import VolatilityScaling
from forecaster.features.volatility import Measures, future_log_ranges, measure
from forecaster.market.bars import history_from_closes

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
PANEL = [garch_history("A", 300, seed=1), garch_history("B", 180, seed=2)]


def fitted(histories, horizon=3, levels=LEVELS) -> Har:
    return Har.fit(histories, VolatilityScaling.fit(list(histories)), horizon, levels)


class TestDesign:
    def test_equals_a_slow_loop(self):
        m = measure(garch_history("A", 200, seed=3), 2e-4)
        found = design(m)
        assert found.shape == (200, 8)
        for t in range(200):
            z = min(max(m.returns[t] / m.volatility_before[t], -6.0), 6.0)
            row = [1.0]
            for span in (1, 5, 22, 120):
                last = m.session_variance[max(t + 1 - span, 0) : t + 1]
                row.append(np.log(np.sqrt(sum(last) / len(last) + 1e-9)))
            row += [np.log(m.volatility[t]), z, abs(z)]
            assert found[t] == pytest.approx(row, rel=1e-9, abs=1e-12)

    def test_a_crash_counts_as_six_deviations(self):
        ones = np.ones(2)
        crash = Measures(np.array([0.0, -0.5]), 0.01 * ones, 0.01 * ones, 1e-4 * ones)
        assert design(crash)[1, 6:].tolist() == [-6.0, 6.0]

    def test_spans_are_a_day_a_week_a_month_and_half_a_year(self):
        assert SPANS == (1, 5, 22, 120)

    def test_a_row_depends_on_its_past_alone_to_the_bit(self):
        history = garch_history("A", 260, seed=3)
        whole = design(measure(history, 2e-4))
        for t in range(0, 260, 11):
            part = design(measure(history.slice(0, t + 1), 2e-4))
            assert np.array_equal(part, whole[: t + 1])


class TestFit:
    def test_recovers_the_line_that_made_the_data(self, monkeypatch):
        # the next session's log range lies on a known line of today's regressors
        true = np.array([-0.4, 0.15, 0.3, 0.2, 0.1, 0.15, -0.06, 0.05])
        n, rng = 600, np.random.default_rng(1)
        variance, returns, volatility = np.full(n, 1e-4), np.zeros(n), np.full(n, 0.01)
        for t in range(n - 1):
            returns[t + 1] = rng.normal() * volatility[t]
            volatility[t + 1] = np.sqrt(0.94 * volatility[t] ** 2 + 0.06 * returns[t + 1] ** 2)
            before = np.concatenate([volatility[:1], volatility[:-1]])
            so_far = Measures(*(x[: t + 1] for x in (returns, volatility, before, variance)))
            variance[t + 1] = np.exp(2 * design(so_far)[-1] @ true) - 1e-9
        before = np.concatenate([volatility[:1], volatility[:-1]])
        made = Measures(returns, volatility, before, variance)
        closes = 50 * np.exp(np.cumsum(returns))
        history = history_from_closes("A", weekdays("2000-01-03", n), closes)
        scale = SimpleNamespace(measures=made)
        monkeypatch.setattr(VolatilityScaling, "scale", lambda *_: scale)
        har = Har.fit([history], VolatilityScaling(1e-4), 2, LEVELS)
        assert har.regression.coefficients.shape == (8, 2)
        assert har.regression.coefficients[:, 0] == pytest.approx(true, abs=1e-7)
        # so that the forecast deviation of the next session is the range that it will have
        rows = np.arange(50, n - 1)
        width = har.forecast(history, rows)[:, 0, -1] / har.regression.shape[0, -1]
        assert width == pytest.approx(np.sqrt(variance[rows + 1] + 1e-9), rel=1e-6)

    def test_is_least_squares_over_all_histories_together(self):
        har = fitted(PANEL)
        prior = VolatilityScaling.fit(PANEL).prior
        for h in (1, 2, 3):
            rows, goals = [], []
            for history in PANEL:
                m = measure(history, prior)
                rows.append(design(m)[:-h])
                goals.append(future_log_ranges(m.session_variance, 3)[:-h, h - 1])
            x, y = np.concatenate(rows), np.concatenate(goals)
            # the residuals of a least-squares fit are at right angles to every regressor
            residual = y - x @ har.regression.coefficients[:, h - 1]
            assert x.T @ residual == pytest.approx(np.zeros(8), abs=1e-8 * len(y))


class TestForecast:
    def test_by_hand(self):
        har = fitted(PANEL)
        history = PANEL[0]
        found = har.forecast(history, np.array([150, 299]))
        assert found.shape == (2, 3, 5)
        m = measure(history, har.scaling.prior)
        for place, row in enumerate((150, 299)):
            for h in (1, 2, 3):
                level = design(m)[row] @ har.regression.coefficients[:, h - 1]
                expected = np.exp(level) * np.sqrt(h) * har.regression.shape[h - 1]
                assert found[place, h - 1] == pytest.approx(expected, rel=1e-12)

    def test_its_shape_is_the_quantiles_of_past_returns_in_units_of_the_fit(self):
        har = fitted(PANEL)
        for h in (1, 3):
            past = []
            for history in PANEL:
                x = design(measure(history, har.scaling.prior))
                logs = np.log(history.adjusted_close)
                for t in range(len(history) - h):
                    unit = np.exp(x[t] @ har.regression.coefficients[:, h - 1]) * np.sqrt(h)
                    past.append((logs[t + h] - logs[t]) / unit)
            assert har.regression.shape[h - 1] == pytest.approx(np.quantile(past, LEVELS), rel=1e-9)

    def test_covers_its_own_past_as_often_as_it_says(self):
        har = fitted(PANEL)
        below = []
        for history in PANEL:
            rows = np.arange(len(history) - 1)
            moved = np.diff(np.log(history.adjusted_close))
            below.append(moved[:, None] <= har.forecast(history, rows)[:, 0])
        assert np.concatenate(below).mean(axis=0) == pytest.approx(LEVELS, abs=0.005)

    def test_is_wider_after_a_wide_day_with_the_same_close(self):
        history = garch_history("A", 400, seed=5)
        har = fitted([history])
        high = history.high.copy()
        high[399] *= 1.08
        found = [
            har.forecast(each, np.array([399]))[0, 0, -1]
            for each in (history, replace(history, high=high))
        ]
        assert found[1] > found[0]

    @pytest.mark.parametrize("prices", ["constant", "closes alone", "constant after a while"])
    def test_prices_that_hardly_say_anything_have_an_answer(self, prices):
        history = garch_history("A", 200, seed=6)
        if prices == "closes alone":
            history = close_only(history)
        else:
            still = 0 if prices == "constant" else 100
            closes = history.close.copy()
            closes[still:] = closes[still]
            history = history_from_closes("A", history.sessions, closes)
        har = fitted([history], horizon=20)
        found = har.forecast(history, np.arange(200))
        assert found.shape == (200, 20, 5)
        assert np.all(np.isfinite(found))
        assert np.all(np.diff(found, axis=-1) >= 0)
        if prices == "constant":
            assert np.all(found == 0)
