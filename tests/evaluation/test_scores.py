from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forecaster.documents import Exceedances
from forecaster.evaluation.losses import Actuals, ForecastLosses
from forecaster.evaluation.scores import score
from forecaster.evaluation.significance import diebold_mariano

LEVELS = (0.25, 0.5, 0.75)


def tiny():
    """Two tickers, two sessions each, H = 2; the second step of the last session is unknown."""
    nan = np.nan
    return Actuals(
        ticker=np.array([0, 0, 1, 1]),
        session=np.array(["2020-01-02", "2020-01-03"] * 2, "datetime64[D]"),
        last_close=np.array([100.0, 110.0, 50.0, 40.0]),
        log_return=np.array([[0.1, 0.2], [-0.1, nan], [0.0, -0.2], [0.3, nan]]),
    )


def spread(centre, width):
    """Quantiles ``(4, 2, 3)``: centre of each forecast, the same for both steps."""
    centre = np.asarray(centre, dtype=float)[:, None]
    three = np.stack([centre - width, centre, centre + width], axis=-1)
    return np.broadcast_to(three, (4, 2, 3))


def losses_of(actuals, forecasts, levels=LEVELS):
    """Losses of quantile tables; naive's point forecast is the last price."""
    return {
        name: ForecastLosses.of(actuals, np.asarray(q), levels, last_price=name == "naive")
        for name, q in forecasts.items()
    }


FORECASTS = {
    "gru": spread([0.1, 0.1, -0.1, 0.1], 0.15),
    "naive": spread([0.05, 0.05, 0.05, 0.05], 0.1),
    "drift": spread([0.01, 0.01, 0.01, 0.01], 0.1),
}


class TestRows:
    table = score(tiny(), losses_of(tiny(), FORECASTS), LEVELS, ("naive", "drift"))

    def row(self, model, step):
        return next(r for r in self.table.rows if (r.model, r.step) == (model, step))

    def test_come_step_by_step_and_model_by_model(self):
        names = [(r.step, r.model) for r in self.table.rows]
        assert names == [(h, m) for h in (1, 2) for m in ("gru", "naive", "drift")]

    def test_count_forecasts_whose_actual_is_known(self):
        assert [r.n for r in self.table.rows] == [4, 4, 4, 2, 2, 2]
        assert self.table.sessions_scored == 2
        assert self.table.tickers == 2

    def test_pinball_by_hand(self):
        # naive, second step: actuals 0.2 and −0.2 against −0.05, 0.05, 0.15
        # 0.25·0.25 + 0.5·0.15 + 0.75·0.05 = 0.175; 0.75·0.15 + 0.5·0.25 + 0.25·0.35 = 0.325
        assert self.row("naive", 2).pinball == pytest.approx((0.175 + 0.325) / 6, rel=1e-13)

    def test_point_errors_are_in_prices(self):
        row = self.row("gru", 1)
        actual = [100 * np.exp(0.1), 110 * np.exp(-0.1), 50.0, 40 * np.exp(0.3)]
        made = [100 * np.exp(0.1), 110 * np.exp(0.1), 50 * np.exp(-0.1), 40 * np.exp(0.1)]
        errors = [abs(x - y) for x, y in zip(actual, made, strict=True)]
        assert row.mae == pytest.approx(sum(errors) / 4, rel=1e-13)
        assert row.rmse == pytest.approx(np.sqrt(sum(e * e for e in errors) / 4), rel=1e-13)
        share = [e / x for e, x in zip(errors, actual, strict=True)]
        assert row.mape == pytest.approx(25 * sum(share), rel=1e-12)

    def test_the_naive_point_forecast_is_the_last_price_itself(self):
        actual = np.array([100 * np.exp(0.1), 110 * np.exp(-0.1), 50.0, 40 * np.exp(0.3)])
        row = self.row("naive", 1)
        assert row.mae == pytest.approx(np.abs(actual - [100, 110, 50, 40]).mean(), rel=1e-13)
        assert row.direction is None

    def test_direction_leaves_out_what_did_not_move(self):
        assert self.row("gru", 1).direction == pytest.approx(2 / 3)
        assert self.row("gru", 2).direction == 1.0

    def test_coverage_of_the_intervals_whose_levels_exist(self):
        assert self.row("gru", 1).coverage == {"0.5": 0.5}
        assert self.row("gru", 2).coverage == {"0.5": 1.0}

    def test_calibration_is_the_share_of_actuals_at_or_below_each_level(self):
        # gru, first step: actuals 0.1, −0.1, 0, 0.3 against (−0.05, 0.1, 0.25) around 0.1 and
        # (−0.25, −0.1, 0.05) around −0.1: below 0.25 only −0.1; the 0.1 is at its own median
        assert self.row("gru", 1).calibration == {"0.25": 0.25, "0.5": 0.5, "0.75": 0.75}

    def test_width_is_in_percent_of_the_last_price(self):
        # gru: 100·(e^(c+0.15) − e^(c−0.15)) over centres 0.1, 0.1, −0.1, 0.1
        wide = 100 * (np.exp(0.15) - np.exp(-0.15))
        expected = wide * (3 * np.exp(0.1) + np.exp(-0.1)) / 4
        assert self.row("gru", 1).width == {"0.5": pytest.approx(expected, rel=1e-13)}

    def test_value_at_risk_is_of_levels_that_exist(self):
        assert self.row("gru", 1).var == {}

    def test_skill_is_over_each_other_baseline(self):
        gru, naive = self.row("gru", 1), self.row("naive", 1)
        assert set(gru.skill) == {"naive", "drift"}
        assert set(naive.skill) == {"drift"}
        assert gru.skill["naive"] == pytest.approx(1 - gru.pinball / naive.pinball, rel=1e-12)

    def test_too_few_sessions_have_no_p(self):
        assert self.row("gru", 1).dm_p == {"naive": None, "drift": None}
        assert all(v.word == "ties" and v.p is None for v in self.table.verdicts)

    def test_verdicts_are_the_networks_at_the_first_and_the_last_step(self):
        found = [(v.model, v.baseline, v.step) for v in self.table.verdicts]
        assert found == [("gru", b, h) for h in (1, 2) for b in ("naive", "drift")]
        assert self.table.verdicts[0].skill == self.row("gru", 1).skill["naive"]


def three_tickers(horizon=1):
    """Three tickers on two sessions, nobody moves, and forecasts wrong by a given amount."""
    actuals = Actuals(
        ticker=np.array([0, 0, 1, 1, 2, 2]),
        session=np.array(["2020-01-02", "2020-01-03"] * 3, "datetime64[D]"),
        last_close=np.full(6, 10.0),
        log_return=np.zeros((6, horizon)),
    )

    def wrong_by(*amounts):
        return np.broadcast_to(np.array(amounts)[:, None, None], (6, horizon, 1))

    return actuals, wrong_by


def test_tickers_won_counts_mean_losses():
    actuals, wrong_by = three_tickers()
    net = wrong_by(0.1, 0.1, 0.5, 0.0, 0.3, 0.3)  # means 0.1, 0.25 and 0.3
    naive = wrong_by(0.2, 0.2, 0.3, 0.3, 0.3, 0.1)  # means 0.2, 0.3 and 0.2
    losses = losses_of(actuals, {"net": net, "naive": naive, "drift": net}, (0.5,))
    table = score(actuals, losses, (0.5,), ("naive", "drift"))
    assert table.rows[0].tickers_won == {"naive": (2, 3), "drift": (0, 3)}
    assert table.rows[1].tickers_won == {"drift": (1, 3)}


def test_verdicts_are_given_for_the_first_and_the_last_step_alone():
    actuals, wrong_by = three_tickers(horizon=4)
    both = {"net": wrong_by(*[0.1] * 6), "naive": wrong_by(*[0.2] * 6)}
    table = score(actuals, losses_of(actuals, both, (0.5,)), (0.5,), ("naive",))
    assert [r.step for r in table.rows] == [1, 1, 2, 2, 3, 3, 4, 4]
    assert [v.step for v in table.verdicts] == [1, 4]


class TestSignificance:
    def setup_method(self):
        rng = np.random.default_rng(0)
        days = np.datetime64("2020-01-01") + np.arange(60)
        self.actuals = Actuals(
            ticker=np.repeat([0, 1], 60),
            session=np.concatenate([days, days]),
            last_close=np.full(120, 10.0),
            log_return=rng.normal(0, 0.01, (120, 1)),
        )
        z = np.array([-0.674, 0.0, 0.674]) * 0.01
        self.good = np.broadcast_to(z, (120, 1, 3))
        self.bad = np.broadcast_to(z * 4, (120, 1, 3))

    def table(self, ours, theirs):
        losses = losses_of(self.actuals, {"net": ours, "naive": theirs})
        return score(self.actuals, losses, LEVELS, ("naive",))

    def losses(self, quantiles):
        e = self.actuals.log_return - quantiles[:, 0]
        q = np.array(LEVELS)
        return np.maximum(q * e, (q - 1) * e).mean(axis=1)

    def test_p_is_of_losses_averaged_over_tickers_first(self):
        table = self.table(self.good, self.bad)
        ours = self.losses(self.good).reshape(2, 60).mean(axis=0)
        theirs = self.losses(self.bad).reshape(2, 60).mean(axis=0)
        assert table.rows[0].dm_p["naive"] == pytest.approx(
            diebold_mariano(ours, theirs, 1), rel=1e-9
        )

    @pytest.mark.parametrize(("stride", "spans"), [(1, 20), (3, 7), (10, 2), (20, 1), (30, 1)])
    def test_only_forecasts_that_overlap_are_tested_as_such(self, stride, spans):
        """Of the forecasts of 20 sessions from every tenth one, two in a row overlap."""
        moves = np.random.default_rng(1).normal(0, 0.01, (120, 20))
        self.actuals = replace(self.actuals, log_return=moves)
        self.good, self.bad = (np.repeat(q, 20, axis=1) for q in (self.good, self.bad))
        losses = losses_of(self.actuals, {"net": self.good, "naive": self.bad})
        table = score(self.actuals, losses, LEVELS, ("naive",), stride)
        ours, theirs = (
            losses[name].pinball[:, 19].reshape(2, 60).mean(axis=0) for name in ("net", "naive")
        )
        expected = diebold_mariano(ours, theirs, spans)
        (found,) = [row.dm_p["naive"] for row in table.of("net") if row.step == 20]
        assert found == (None if np.isnan(expected) else pytest.approx(expected, rel=1e-9))
        assert (found is None) == (spans == 20)

    def test_words(self):
        for first, second, word in (
            (self.good, self.bad, "beats"),
            (self.bad, self.good, "loses to"),
            (self.good, self.good, "ties"),
        ):
            table = self.table(first, second)
            assert [(v.word, v.step) for v in table.verdicts] == [(word, 1)]

    def test_a_horizon_of_one_is_judged_once(self):
        table = self.table(self.good, self.bad)
        assert len(table.verdicts) == 1


def test_a_step_that_no_history_reaches_has_no_rows():
    actuals = tiny()
    actuals.log_return[:, 1] = np.nan
    table = score(actuals, losses_of(actuals, FORECASTS), LEVELS, ("naive", "drift"))
    assert {r.step for r in table.rows} == {1}
    assert {v.step for v in table.verdicts} == {1}


def test_levels_without_a_median_are_read_between_their_neighbours():
    quantiles = np.broadcast_to(np.array([-0.1, 0.3]), (4, 2, 2))
    losses = losses_of(tiny(), {"net": quantiles, "naive": quantiles}, (0.4, 0.6))
    table = score(tiny(), losses, (0.4, 0.6), ("naive",))
    # the median is 0.1: right on 0.1 and 0.3, wrong on −0.1
    assert table.rows[0].direction == pytest.approx(2 / 3)
    assert table.rows[0].coverage == {}


def test_several_networks_are_each_judged():
    losses = losses_of(tiny(), {"gru": FORECASTS["gru"], "lstm": FORECASTS["drift"]})
    losses |= losses_of(tiny(), {"naive": FORECASTS["naive"]})
    table = score(tiny(), losses, LEVELS, ("naive",))
    found = [(v.model, v.baseline, v.step) for v in table.verdicts]
    assert found == [(m, "naive", h) for h in (1, 2) for m in ("gru", "lstm")]
    assert set(table.rows[0].skill) == {"naive"}


class TestValueAtRisk:
    """250 sessions of two tickers: the first falls below its 5% quantile 12 times (4.8%), the
    second 25 times (10%). Kupiec's test keeps the first and rejects the second.
    """

    levels = (0.05, 0.5, 0.95)

    def table(self):
        returns = np.full((500, 2), 0.001)
        returns[:12, 0] = -0.03
        returns[250:275, 0] = -0.03
        actuals = Actuals(
            ticker=np.repeat([0, 1], 250),
            session=np.tile(np.datetime64("2020-01-01") + np.arange(250), 2),
            last_close=np.full(500, 10.0),
            log_return=returns,
        )
        quantiles = np.broadcast_to(np.array([-0.02, 0.0, 0.02]), (500, 2, 3))
        losses = losses_of(actuals, {"net": quantiles}, self.levels)
        return score(actuals, losses, self.levels, ())

    def test_by_hand(self):
        assert self.table().rows[0].var == {"0.05": Exceedances(share=37 / 500, rejected=(1, 2))}

    def test_is_for_the_next_session_alone(self):
        assert self.table().rows[1].var == {}

    def test_coverage_counts_what_is_between_the_two_levels(self):
        # above the 5% quantile and not above the 95% quantile: all but the 37 falls
        assert self.table().rows[0].coverage == {"0.9": pytest.approx(463 / 500, rel=1e-14)}
        assert self.table().rows[1].coverage == {"0.9": 1.0}
