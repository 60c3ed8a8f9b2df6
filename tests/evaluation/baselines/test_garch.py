from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from synthetic import garch_history, weekdays

from forecaster.evaluation.baselines import garch
from forecaster.evaluation.baselines.ewma import Ewma
from forecaster.evaluation.baselines.fit import fit_baselines
from forecaster.evaluation.baselines.garch import (
    SHORTEST,
    Garch,
    GarchParameters,
    cumulative_variances,
    fit_garch,
    next_variances,
)
from forecaster.features.volatility import log_returns
from forecaster.market.bars import History, history_from_closes

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
TRUE = GarchParameters(mu=0.05, omega=0.06, alpha=0.09, beta=0.87, nu=6.0, start=2.0)


def history_of(returns, ticker: str = "A") -> History:
    closes = 50.0 * np.exp(np.concatenate([[0.0], np.cumsum(returns)]))
    return history_from_closes(ticker, weekdays("2000-01-03", len(closes)), closes)


def simulated(true: GarchParameters, n: int, seed: int) -> np.ndarray:
    """Log returns of a GARCH(1,1) with Student-t errors."""
    rng = np.random.default_rng(seed)
    variance = true.omega / (1.0 - true.alpha - true.beta)
    returns = np.empty(n)
    for t in range(n):
        shock = np.sqrt(variance) * rng.standard_t(true.nu) * np.sqrt((true.nu - 2) / true.nu)
        returns[t] = true.mu + shock
        variance = true.omega + true.alpha * shock**2 + true.beta * variance
    return returns / 100.0


@pytest.fixture(scope="module")
def simulation() -> History:
    return history_of(simulated(TRUE, 10_000, seed=4))


@pytest.fixture(scope="module")
def found(simulation) -> GarchParameters:
    fitted = fit_garch(simulation)
    assert isinstance(fitted, GarchParameters), fitted
    return fitted


def spare_for(history: History, horizon: int = 3) -> Ewma:
    return Ewma.fit([history], horizon, LEVELS)


class TestFit:
    def test_recovers_the_parameters_of_a_simulation(self, found):
        # tolerances of about three standard errors at 10,000 returns
        assert found.mu == pytest.approx(TRUE.mu, abs=0.04)
        assert found.omega == pytest.approx(TRUE.omega, abs=0.04)
        assert found.alpha == pytest.approx(TRUE.alpha, abs=0.03)
        assert found.beta == pytest.approx(TRUE.beta, abs=0.05)
        assert found.alpha + found.beta == pytest.approx(0.96, abs=0.025)
        assert found.nu == pytest.approx(TRUE.nu, abs=1.2)

    @pytest.mark.parametrize(("returns", "fits"), [(SHORTEST - 1, False), (SHORTEST, True)])
    def test_needs_so_many_returns(self, returns, fits):
        fitted = fit_garch(garch_history("A", returns + 1, seed=1))
        if fits:
            assert isinstance(fitted, GarchParameters)
        else:
            assert str(returns) in fitted
            assert str(SHORTEST) in fitted

    def test_a_constant_price_has_none(self):
        assert fit_garch(history_of(np.zeros(400))) == "its price hardly moves"

    @pytest.mark.parametrize(
        ("flag", "values"), [(4, [0.0, 0.1, 0.1, 0.8, 5.0]), (0, [0.0, 0.1, 0.1, np.nan, 5.0])]
    )
    def test_a_search_that_fails_has_none(self, monkeypatch, flag, values):
        import arch

        result = SimpleNamespace(params=np.array(values), convergence_flag=flag)
        model = SimpleNamespace(fit=lambda **_: result)
        monkeypatch.setattr(arch, "arch_model", lambda *_, **__: model)
        assert "no maximum" in fit_garch(garch_history("A", 400, seed=1))


class TestVariances:
    def test_next_ones_equal_a_slow_loop(self):
        returns = simulated(TRUE, 300, seed=1)
        variance, expected = TRUE.start, []
        for r in returns:
            variance = TRUE.omega + TRUE.alpha * (100 * r - TRUE.mu) ** 2 + TRUE.beta * variance
            expected.append(variance)
        assert next_variances(TRUE, returns) == pytest.approx(expected, rel=1e-11)

    def test_cumulative_ones_equal_a_slow_loop(self):
        following = np.array([0.5, 1.5, 9.0])
        found = cumulative_variances(TRUE, following, 7)
        for i, first in enumerate(following):
            each, total = first, 0.0
            for h in range(7):
                total += each
                assert found[i, h] == pytest.approx(total, rel=1e-12)
                each = TRUE.omega + (TRUE.alpha + TRUE.beta) * each

    def test_equal_those_of_the_arch_package(self, simulation, found):
        from arch import arch_model

        returns = log_returns(simulation)[1:]
        model = arch_model(100 * returns, mean="Constant", vol="GARCH", p=1, q=1, dist="t")
        parameters = np.array([found.mu, found.omega, found.alpha, found.beta, found.nu])
        theirs = model.fix(parameters)
        ours = next_variances(found, returns)
        assert ours[:-1] == pytest.approx(theirs.conditional_volatility[1:] ** 2, rel=1e-9)
        ahead = theirs.forecast(horizon=10, start=len(returns) - 50, reindex=False).variance
        expected = np.cumsum(np.asarray(ahead), axis=1)
        assert cumulative_variances(found, ours[-50:], 10) == pytest.approx(expected, rel=1e-9)

    def test_a_shock_that_never_fades_still_has_a_variance(self):
        forever = GarchParameters(mu=0.0, omega=0.01, alpha=0.1, beta=0.9, nu=5.0, start=1.0)
        returns = simulated(TRUE, 500, seed=2)
        following = next_variances(forever, returns)
        assert np.all(np.isfinite(following))
        assert np.all(following > 0)
        found = cumulative_variances(forever, np.array([2.0]), 20)[0]
        # each expected variance is the last one plus ω, nearly
        expected = np.cumsum(2.0 + 0.01 * np.arange(20))
        assert found == pytest.approx(expected, rel=1e-3)


class TestForecast:
    levels = tuple(np.linspace(0.0005, 0.9995, 1000).tolist())

    def garch_of(self, parameters, levels=LEVELS, horizon=5):
        spare = Ewma.fit([garch_history("A", 50, seed=1)], horizon, levels)
        return Garch({"A": parameters}, spare, horizon, levels)

    def test_by_hand(self):
        from scipy.stats import t as student

        history = history_of(simulated(TRUE, 60, seed=3))
        found = self.garch_of(TRUE).forecast(history, np.array([10, 60]))
        assert found.shape == (2, 5, 5)
        for place, row in enumerate((10, 60)):
            following = next_variances(TRUE, log_returns(history)[1:])[row - 1]
            total, each = 0.0, following
            for h in range(1, 6):
                total += each
                each = TRUE.omega + 0.96 * each
                nu = 4 + 2 * h  # 6, 8, 10: tails nearer to a normal's with every step
                for level, value in zip(LEVELS, found[place, h - 1], strict=True):
                    unit = student.ppf(level, nu) * np.sqrt((nu - 2) / nu)
                    expected = (TRUE.mu * h + np.sqrt(total) * unit) / 100
                    assert value == pytest.approx(expected, rel=1e-9, abs=1e-15)

    @pytest.mark.parametrize("nu", [5.0, 8.0, 40.0])
    def test_the_quantiles_have_the_forecast_variance(self, nu):
        # the mean square of a thousand quantiles about their centre is the variance, but for tails
        parameters = replace(TRUE, mu=0.1, nu=nu)
        history = history_of(simulated(TRUE, 300, seed=5))
        rows = np.array([300])
        made = self.garch_of(parameters, self.levels).forecast(history, rows)[0]
        following = next_variances(parameters, log_returns(history)[1:])[rows - 1]
        variances = cumulative_variances(parameters, following, 5)[0] / 1e4
        for h in range(5):
            centre = parameters.mu / 100 * (h + 1)
            found = np.mean((made[h] - centre) ** 2)
            assert found == pytest.approx(variances[h], rel=0.04)

    def test_very_heavy_tails_keep_their_shape_at_every_step(self):
        heavy = replace(TRUE, mu=0.0, nu=3.0)
        made = self.garch_of(heavy).forecast(history_of(simulated(TRUE, 60, seed=3)), np.array([9]))
        shape = made[0] / made[0][:, -1:]
        assert shape == pytest.approx(np.broadcast_to(shape[0], shape.shape), rel=1e-9, abs=1e-15)

    def test_before_the_first_return_it_is_where_the_fit_began(self):
        history = history_of(simulated(TRUE, 60, seed=3))
        (made,) = self.garch_of(TRUE, (0.25, 0.75), horizon=1).forecast(history, np.array([0]))
        spread = (made[0, 1] - made[0, 0]) ** 2
        other = replace(TRUE, start=9 * TRUE.start)
        (made,) = self.garch_of(other, (0.25, 0.75), horizon=1).forecast(history, np.array([0]))
        assert (made[0, 1] - made[0, 0]) ** 2 == pytest.approx(9 * spread, rel=1e-9)

    @pytest.mark.parametrize("seed", [1, 5, 7])
    def test_where_a_shock_changes_nothing_volatility_is_still_that_of_the_returns(self, seed):
        """It falls, the likeliest α is 0 and β nearly 1: a start elsewhere would never be left."""
        rng = np.random.default_rng(seed)
        spread = 0.01 * np.exp(-0.004 * np.arange(300))
        history = history_of(spread * rng.standard_normal(300))
        fitted = fit_garch(history)
        assert isinstance(fitted, GarchParameters)
        assert (fitted.alpha, fitted.beta) == pytest.approx((0, 1), abs=0.02)
        (made,) = self.garch_of(fitted, (0.25, 0.75), horizon=1).forecast(history, np.array([300]))
        usual = 2 * 0.6745 * spread[-1]
        assert made[0, 1] - made[0, 0] == pytest.approx(usual, rel=0.25)

    def test_covers_a_simulation_as_often_as_it_says(self, found):
        later = history_of(simulated(TRUE, 20_000, seed=77))
        rows = np.arange(300, 19_990)
        made = self.garch_of(found, horizon=5).forecast(later, rows)
        logs = np.log(later.close)
        for h in (1, 5):
            moved = logs[rows + h] - logs[rows]
            for j, level in enumerate(LEVELS):
                share = np.mean(moved <= made[:, h - 1, j])
                assert share == pytest.approx(level, abs=0.015), (h, level)


class TestStandIn:
    def test_what_cannot_be_fitted_is_said_and_forecast_by_ewma(self):
        long = garch_history("LONG", 300, seed=1)
        short = garch_history("SHORT", 100, seed=2)
        flat = history_of(np.zeros(300), "FLAT")
        panel = [long, short, flat]
        fitted = fit_baselines(("ewma", "garch"), panel, 3, LEVELS)
        assert [n.message.split(";")[0] for n in fitted.notes] == [
            f"garch could not be fitted to SHORT (99 returns up to the cutoff, and a fit needs"
            f" {SHORTEST})",
            "garch could not be fitted to FLAT (its price hardly moves)",
        ]
        assert all(n.message.endswith("ewma stands in") for n in fitted.notes)
        ewma, ours = fitted.baselines
        for history in (short, flat, garch_history("NEW", 30, seed=3)):
            rows = np.arange(len(history))
            assert np.array_equal(ours.forecast(history, rows), ewma.forecast(history, rows))
        rows = np.array([299])
        assert not np.array_equal(ours.forecast(long, rows), ewma.forecast(long, rows))

    def test_a_failing_search_is_one_note_and_the_others_go_on(self, monkeypatch):
        good = GarchParameters(0.0, 0.1, 0.1, 0.8, 6.0, 1.0)
        monkeypatch.setattr(
            garch, "fit_garch", lambda h: "no maximum of its likelihood was found"
            if h.ticker == "B" else good,
        )  # fmt: skip
        panel = [garch_history(t, 260, seed=i) for i, t in enumerate("ABC")]
        made, notes = Garch.fit(panel, spare_for(panel[0]), 3, LEVELS)
        assert set(made.parameters) == {"A", "C"}
        assert len(notes) == 1
        assert "B (no maximum" in notes[0].message

    def test_fitting_makes_no_noise(self, capfd, recwarn):
        for seed in range(3):
            fit_garch(garch_history("A", 260, seed=seed))
        assert capfd.readouterr() == ("", "")
        assert not recwarn.list
