"""Risk of portfolios: what it must equal, what it must not depend on, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from synthetic import garch_history, noise_after, random_model, trained_to

from forecaster.errors import DataError, SettingsError
from forecaster.jobs.joint_forecast import joint_forecast, lag_notes, notes_on
from forecaster.jobs.joint_past import JointPast
from forecaster.jobs.predict import predict
from forecaster.jobs.risk import risk
from forecaster.jobs.risk_backtest import NETWORK, risk_backtest
from forecaster.joint.holdings import CASH, Holdings, Position, holdings_of_words
from forecaster.market.bars import Panel, history_from_closes
from forecaster.market.calendars import NO_CALENDARS, Calendars, Schedule
from forecaster.model.settings import Settings
from forecaster.output.risk import risk_backtest_json, risk_json, risk_rows

SETTINGS = Settings(units=4, horizon=5, context=40)
HISTORIES = tuple(garch_history(name, 400, seed) for seed, name in enumerate("ABCD", 1))
MODEL = random_model(SETTINGS, Panel(HISTORIES), seed=2, size=0.1)


def of(words, **options):
    options = {"draws": 20_000, **options}
    return risk(MODEL, holdings_of_words(words.split()), HISTORIES, **options)


def test_a_single_holding_has_its_own_quantiles():
    result = of("A=10", draws=200_000)
    (alone,) = predict(MODEL, HISTORIES[:1], market=HISTORIES, horizon=5).forecasts
    for step in result.steps:
        quantiles = alone.steps[step.step - 1].quantiles
        for level in step.levels:
            lost = 10 * (alone.last_close - quantiles[round(1 - level.level, 2)])
            assert level.value_at_risk == pytest.approx(lost, abs=5 * level.value_at_risk_error)
            assert level.value_at_risk_error < 0.02 * lost
            assert level.shortfall > level.value_at_risk
            assert level.shares.tolist() == pytest.approx([level.shortfall])
            assert level.alone == pytest.approx(level.shortfall)


def test_shares_of_the_shortfall_add_up_and_diversification_saves():
    result = of("A=10 B=5 C=20 CASH=300")
    for step in result.steps:
        for level in step.levels:
            assert level.shares.sum() == pytest.approx(level.shortfall, rel=1e-6)
            assert level.shortfall < level.alone
            assert level.shares[-1] == 0.0
            assert set(level.others) == {"historical", "riskmetrics"}


def test_a_short_position_offsets_a_long_one():
    both, long_alone = of(["A=10", "A=10"][0] + " CASH=1"), of("A=10 B=-1 CASH=500")
    assert both.steps[0].levels[0].value_at_risk > 0
    assert long_alone.portfolio.values[1] < 0


def test_cash_in_a_portfolio_is_safe():
    rich, poor = of("A=10 CASH=100000"), of("A=10")
    mine, other = rich.steps[0].levels[0], poor.steps[0].levels[0]
    assert mine.value_at_risk == pytest.approx(other.value_at_risk)
    assert rich.steps[0].loss_probability == 0.0


def test_weights_give_the_percentages_of_shares():
    shares = of("A=10 B=5")
    weights = tuple(
        Position(p.ticker, value / shares.portfolio.value, "weight")
        for p, value in zip(shares.portfolio.positions, shares.portfolio.values, strict=True)
    )
    again = risk(MODEL, Holdings(weights), HISTORIES, draws=20_000)
    mine, other = again.steps[0].levels[0], shares.steps[0].levels[0]
    assert again.portfolio.value == pytest.approx(1.0)
    assert mine.value_at_risk == pytest.approx(other.value_at_risk / shares.portfolio.value)


def test_the_probability_of_a_loss_falls_with_its_size():
    odds = [of("A=10 B=5", loss=loss).steps[-1].loss_probability for loss in (0.01, 0.03, 0.1)]
    assert odds == sorted(odds, reverse=True)
    assert odds[0] > odds[-1]


def test_the_same_seed_gives_the_same_bits():
    first, again, other = of("A=1 B=2"), of("A=1 B=2"), of("A=1 B=2", seed=1)
    assert np.array_equal(first.steps[0].profits, again.steps[0].profits)
    assert not np.array_equal(first.steps[0].profits, other.steps[0].profits)


def test_nothing_after_the_cutoff_changes_a_draw():
    cutoff = HISTORIES[0].sessions[300]
    held = holdings_of_words(["A=1", "B=2", "C=-1"])
    noisy = [noise_after(history, cutoff) for history in HISTORIES]
    results = [risk(MODEL, held, some, as_of=cutoff, draws=2000) for some in (HISTORIES, noisy)]
    for one, other in zip(*(result.steps for result in results), strict=True):
        assert np.array_equal(one.profits, other.profits)
        assert [level.others for level in one.levels] == [level.others for level in other.levels]


def test_a_ticker_of_another_calendar_has_its_own_count_of_sessions():
    days = np.arange(HISTORIES[0].sessions[0], HISTORIES[0].sessions[-1] + 1)
    daily = garch_history("COIN", len(days), 9)
    daily = replace(daily, sessions=days, calendar="24/7")
    result = risk(MODEL, holdings_of_words(["A=100", "COIN=1"]), (*HISTORIES, daily), draws=2000)
    stocks, coin = result.forecast.own_steps.T
    assert stocks.tolist() == [1, 5]
    assert coin.tolist()[1] == 7  # a week of days


@pytest.mark.parametrize(
    ("words", "options", "error", "says"),
    [
        ("E=1", {}, DataError, "E is held"),
        ("A=1", {"steps": [6]}, SettingsError, "trained for 1 to 5 sessions"),
        ("A=1", {"steps": []}, SettingsError, "trained for 1 to 5 sessions"),
        ("A=1", {"loss": 0.0}, SettingsError, "loss is 0%"),
        ("A=1", {"loss": 1.5}, SettingsError, "loss is 150%"),
        ("A=1", {"draws": 10}, SettingsError, "draws is 10"),
        ("A=1", {"seed": -1}, SettingsError, "seed is -1"),
        ("A=-1", {}, SettingsError, "worth"),
    ],
)
def test_what_cannot_be_done_is_refused(words, options, error, says):
    with pytest.raises(error, match=says):
        of(words, **options)


def test_two_bars_are_enough_and_one_is_not():
    young = HISTORIES[0].slice(398, 400)
    some = (young, *HISTORIES[1:])
    held = holdings_of_words(["A=1", "B=1"])
    result = risk(MODEL, held, some, draws=2000)
    assert result.steps[0].levels[0].value_at_risk > 0
    assert result.steps[0].levels[0].others == {}
    with pytest.raises(DataError, match="at least 2"):
        risk(MODEL, held, (young.slice(1, 2), *HISTORIES[1:]), draws=2000)


@pytest.mark.parametrize("words", ["A=1 B=1", "B=1 A=1"])
def test_too_early_a_date_names_one_from_which_on_all_can_be_forecast(words):
    some = (HISTORIES[0], HISTORIES[1].slice(100, 400))
    held, first = holdings_of_words(words.split()), some[1].sessions[1]
    for day in (HISTORIES[0].first, some[1].first):
        with pytest.raises(DataError, match=f"B begins on .*Ask for {first} or later"):
            risk(MODEL, held, some, draws=2000, as_of=day)
    assert risk(MODEL, held, some, draws=2000, as_of=first).forecast.cutoff == first


@pytest.mark.parametrize("words", ["A=1 B=50", "A=50 B=1"])
def test_a_history_that_ended_long_before_is_refused_until_asked_for(words):
    some = (HISTORIES[0], HISTORIES[1].slice(0, 200))
    held, end = holdings_of_words(words.split()), some[1].cutoff
    with pytest.raises(DataError, match=f"B ends on .*as_of {end}"):
        risk(MODEL, held, some, draws=2000)
    assert risk(MODEL, held, some, draws=2000, as_of=end).forecast.cutoff == end


@pytest.mark.parametrize(("behind", "known"), [(1, True), (2, True), (4, False), (15, False)])
def test_a_price_of_some_sessions_ago_is_named(behind, known):
    some = (HISTORIES[0], HISTORIES[1].slice(0, 400 - behind))
    code = "XNYS" if known else None
    some = tuple(replace(history, calendar=code) for history in some)
    days = some[0].sessions
    schedule = Schedule("XNYS", days, days.astype("datetime64[s]"), days[0], days[-1])
    calendars = Calendars({"XNYS": schedule} if known else {})
    result = risk(MODEL, holdings_of_words(["A=1", "B=1"]), some, draws=2000, calendars=calendars)
    assert result.forecast.behind.tolist() == [0, behind]
    notes = notes_on(MODEL, result.forecast, None)
    assert [(note.ticker, note.loud) for note in notes] == [("B", True)] * (behind in {2, 15})
    assert all(f"{behind} sessions " in note.message for note in notes)
    assert not notes_on(
        MODEL, result.forecast, result.forecast.cutoff
    )  # said of any date asked for
    cutoffs = [holding["cutoff"] for holding in json.loads(risk_json(result, MODEL))["holdings"]]
    assert cutoffs == [str(history.cutoff) for history in some]


def test_many_prices_of_some_sessions_ago_are_one_remark():
    late = [history.slice(0, 400 - n) for n, history in enumerate(HISTORIES) if n]
    some = (HISTORIES[0], *(history.slice(0, len(history) - 5) for history in late))
    forecast = risk(
        MODEL, holdings_of_words(["A=1", "B=1", "C=1", "D=1"]), some, draws=2000
    ).forecast
    (note,) = lag_notes(forecast)
    assert note.ticker == "D"
    assert "so it is with B, C" in note.message


def test_few_sessions_leave_cells_of_baselines_empty():
    some = (HISTORIES[0].slice(375, 400), HISTORIES[1])
    header, rows = risk_rows(risk(MODEL, holdings_of_words(["A=1", "B=1"]), some, draws=2000))
    assert header[-4:] == [
        f"{name}_{part}" for name in ("historical", "riskmetrics") for part in ("var", "es")
    ]
    assert None not in rows[0]
    assert rows[-1][-4:] == [None] * 4


def test_a_model_of_one_level_is_refused():
    model = random_model(replace(SETTINGS, quantiles=(0.5,)), Panel(HISTORIES))
    with pytest.raises(SettingsError, match="quantile levels"):
        risk(model, holdings_of_words(["A=1"]), HISTORIES)


class TestBacktest:
    model = trained_to(MODEL, HISTORIES[0].sessions[250])

    def test_rows_by_step_level_and_model(self):
        held = holdings_of_words(["A=1", "B=2", f"{CASH}=10"])
        result = risk_backtest(self.model, held, Panel(HISTORIES))
        assert result.first == HISTORIES[0].sessions[250]
        assert [(r.step, r.level, r.model) for r in result.rows[:3]] == [
            (1, 0.95, NETWORK), (1, 0.95, "historical"), (1, 0.95, "riskmetrics")
        ]  # fmt: skip
        by_step = {row.step: row.sessions for row in result.rows}
        assert by_step == {1: 149, 5: 29}
        for row in result.rows:
            assert row.coverage.expected == pytest.approx((1 - row.level) * row.sessions)
            assert np.isfinite(row.loss)
            assert (row.dm_p is None) == (row.model == NETWORK)
        assert len(result.verdict) >= 2

    def test_where_a_shortfall_is_a_gain_no_loss_is_defined(self, recwarn):
        """Money market funds: in the past even the worst days rose."""
        rng = np.random.default_rng(0)
        days = HISTORIES[0].sessions[:280]
        steady = tuple(
            history_from_closes(
                name, days, 100 * np.exp(np.cumsum(3e-4 + 2e-5 * rng.standard_normal(280)))
            )
            for name in "AB"
        )
        held = holdings_of_words(["A=1", "B=2"])
        result = risk_backtest(self.model, held, Panel(steady))
        assert not [w for w in recwarn if issubclass(w.category, RuntimeWarning)]
        for row in result.rows:
            if row.model == "historical":
                assert (row.shortfall_statistic, row.loss, row.dm_p) == (None, None, None)
        rows = json.loads(risk_backtest_json(result, self.model))["rows"]
        assert {row["fz0"] for row in rows if row["model"] == "historical"} == {None}
        (said,) = [v for v in result.verdict if v.startswith("1 session ahead, 95%")]
        assert "historical's" not in said
        assert "no loss is defined for the network and historical, whose shortfall" in said

    def test_a_test_of_what_was_trained_on_is_refused(self):
        with pytest.raises(SettingsError, match="trained to"):
            risk_backtest(
                self.model, holdings_of_words(["A=1"]), Panel(HISTORIES),
                train_end=HISTORIES[0].sessions[200],
            )  # fmt: skip

    def test_too_few_sessions_are_refused(self):
        late = trained_to(MODEL, HISTORIES[0].sessions[385])
        with pytest.raises(DataError, match="sessions can be tested"):
            risk_backtest(late, holdings_of_words(["A=1"]), Panel(HISTORIES))

    def test_what_is_known_at_an_origin_is_what_a_forecast_as_of_it_knows(self):
        days = HISTORIES[0].sessions
        past = JointPast(MODEL, Panel(HISTORIES), days[254:260])
        now = joint_forecast(MODEL, HISTORIES, (1, 5), as_of=days[254], calendars=NO_CALENDARS)
        members = np.arange(len(HISTORIES))
        then = past.dependence(0, members, None)
        assert then.copula == now.dependence.copula
        assert then.correlation == pytest.approx(now.dependence.correlation, abs=1e-9)
        for place, step in enumerate((1, 5)):
            ahead = past.marginals(0, members, days[254 + step])
            assert ahead.quantiles == pytest.approx(now.marginals(place).quantiles, abs=1e-5)
