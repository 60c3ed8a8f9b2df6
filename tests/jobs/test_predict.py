from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import close_only, garch_history, noise_after, random_model, weekdays

from forecaster.errors import DataError, ModelError, SettingsError
from forecaster.features.cross_section import FEWEST
from forecaster.jobs.predict import USUAL_STEPS, predict
from forecaster.market.bars import Panel, history_from_closes
from forecaster.market.calendars import Calendars, Schedule
from forecaster.model.settings import Settings

LEVELS = (0.05, 0.25, 0.5, 0.9)
SETTINGS = Settings(units=4, horizon=3, quantiles=LEVELS, context=40)


def model_of(panel, **changes):
    return random_model(replace(SETTINGS, **changes), panel, seed=2)


def crowd_of(tickers):
    """Histories of 120 sessions that end on one day."""
    return tuple(
        garch_history(f"T{i}", 120, seed=50 + i, last="2018-01-01") for i in range(tickers)
    )


def prices(forecast) -> np.ndarray:
    return np.array([list(step.quantiles.values()) for step in forecast.steps])


class TestForecast:
    def test_is_the_networks_answer_as_dated_prices(self, panel):
        from forecaster.model.inference import outputs_now

        model = model_of(panel)
        history = next(iter(panel))
        found = predict(model, [history]).forecasts[0]
        encoded = model.representation.encode(history)
        answer = outputs_now(model.network, [encoded], 40)[0]
        sigma = encoded.scale.measures.volatility[-1]
        assert (found.ticker, found.cutoff, found.currency) == ("LONG", history.cutoff, "USD")
        assert found.last_close == history.close[-1]
        assert [s.step for s in found.steps] == [1, 2, 3]
        for step in found.steps:
            assert step.naive == found.last_close
            assert step.session_estimated
            assert tuple(step.quantiles) == LEVELS
            returns = answer[step.step - 1].astype(float) * sigma * np.sqrt(step.step)
            assert list(step.quantiles.values()) == pytest.approx(
                found.last_close * np.exp(returns), rel=1e-12
            )

    def test_prices_are_as_traded_and_not_adjusted(self, panel):
        model = model_of(panel)
        history = next(iter(panel))
        halved = replace(history, adjusted_close=history.adjusted_close / 2)
        one, other = (predict(model, [h]).forecasts[0] for h in (history, halved))
        assert prices(one) == pytest.approx(prices(other), rel=1e-6)
        assert abs(np.log(prices(one)[0, 2] / history.close[-1])) < 0.2

    def test_sessions_follow_the_cutoff(self):
        history = history_from_closes("A", weekdays("2020-01-06", 60), 50 + np.arange(60.0))
        found = predict(model_of(Panel((history,))), [history]).forecasts[0]
        sessions = [str(s.session) for s in found.steps]
        assert sessions == ["2020-03-30", "2020-03-31", "2020-04-01"]

    def test_sessions_come_from_the_calendar_and_past_its_end_are_estimated(self):
        days = weekdays("2020-01-06", 63)  # to Wednesday 2020-04-01
        known = days[days != np.datetime64("2020-03-30")]
        plain = history_from_closes("A", days[:60], 50 + np.arange(60.0))  # to Friday 2020-03-27
        history = replace(plain, calendar="XNYS")
        closes = known.astype("datetime64[s]") + np.timedelta64(20, "h")
        calendars = Calendars({"XNYS": Schedule("XNYS", known, closes, days[0], days[-1])})
        model = model_of(Panel((history,)))
        found = predict(model, [history, replace(plain, ticker="B")], calendars=calendars)
        named, unnamed = (
            [(str(s.session), s.session_estimated) for s in f.steps] for f in found.forecasts
        )
        assert named == [("2020-03-31", False), ("2020-04-01", False), ("2020-04-02", True)]
        assert unnamed == [("2020-03-30", True), ("2020-03-31", True), ("2020-04-01", True)]
        assert np.array_equal(prices(found.forecasts[0]), prices(found.forecasts[1]))
        # as of an earlier day, the sessions after that day
        earlier = predict(model, [history], as_of=days[56], calendars=calendars).forecasts[0]
        assert [str(s.session) for s in earlier.steps] == [str(d) for d in days[57:60]]
        assert not any(s.session_estimated for s in earlier.steps)

    @pytest.mark.parametrize("scale", ["volatility", "minmax", "standard"])
    @pytest.mark.parametrize("supervise", ["prefixes", "last"])
    def test_quantiles_rise_for_histories_of_every_length(self, panel, scale, supervise):
        histories = [*panel, close_only(garch_history("NEW", 2, seed=8))]
        found = predict(model_of(panel, scale=scale, supervise=supervise), histories)
        assert found.failures == ()
        assert [f.ticker for f in found.forecasts] == [h.ticker for h in histories]
        for forecast in found.forecasts:
            assert np.all(np.isfinite(prices(forecast)))
            assert np.all(prices(forecast) > 0)
            assert np.all(np.diff(prices(forecast), axis=1) >= 0)

    def test_fewer_histories_than_companions_need_are_each_alone(self, panel):
        model = model_of(panel)
        few = panel.histories[: FEWEST - 1]
        for history, one in zip(few, predict(model, few).forecasts, strict=True):
            alone = predict(model, [history]).forecasts[0]
            assert prices(one) == pytest.approx(prices(alone), rel=1e-6)

    @pytest.mark.parametrize("scale", ["minmax", "standard"])
    def test_price_levels_are_each_alone_however_many(self, scale):
        crowd = crowd_of(FEWEST + 2)
        model = model_of(Panel(crowd), scale=scale)
        for history, one in zip(crowd, predict(model, crowd).forecasts, strict=True):
            alone = predict(model, [history]).forecasts[0]
            assert prices(one) == pytest.approx(prices(alone), rel=1e-6)

    def test_enough_histories_each_see_the_others_same_session(self):
        crowd = crowd_of(FEWEST)
        model = model_of(Panel(crowd))
        together = predict(model, crowd).forecasts
        for history, one in zip(crowd, together, strict=True):
            alone = predict(model, [history]).forecasts[0]
            assert not np.array_equal(prices(one), prices(alone))
        # a wild last session of one moves the forecasts of all
        wild = replace(crowd[0], high=crowd[0].high * np.append(np.ones(119), 1.3))
        changed = predict(model, [wild, *crowd[1:]]).forecasts
        for one, other in zip(together, changed, strict=True):
            assert not np.array_equal(prices(one), prices(other))

    def test_of_the_others_nothing_later_than_its_own_cutoff_is_seen(self):
        # the first history ends 20 sessions before the others
        early, *rest = crowd_of(FEWEST + 1)
        early = early.slice(0, 100)
        model = model_of(Panel((early, *rest)))
        one = predict(model, [early, *rest]).forecasts[0]
        for later in (
            [noise_after(h, early.cutoff) for h in rest],
            [h.up_to(early.cutoff) for h in rest],
        ):
            assert predict(model, [early, *later]).forecasts[0] == one
        before = [noise_after(h, early.sessions[-2]) for h in rest]
        assert predict(model, [early, *before]).forecasts[0] != one

    def test_reads_its_context_and_nothing_before_it(self):
        # with minmax a known ticker's inputs are its prices alone, without any memory
        days, closes = weekdays("2020-01-06", 300), np.full(300, 10.0)
        history = history_from_closes("A", days, closes)
        model = model_of(Panel((history,)), scale="minmax", context=5)
        changed = closes.copy()
        changed[:295] = 11.0
        same = predict(model, [history_from_closes("A", days, changed)]).forecasts[0]
        assert np.array_equal(prices(same), prices(predict(model, [history]).forecasts[0]))
        changed[295] = 11.0
        other = predict(model, [history_from_closes("A", days, changed)]).forecasts[0]
        assert not np.array_equal(prices(other), prices(same))


class TestHorizon:
    @pytest.mark.parametrize(("model", "steps"), [(1, 1), (4, 4), (5, 5), (20, 5)])
    def test_is_a_week_of_sessions_unless_asked_for(self, panel, model, steps):
        assert USUAL_STEPS == 5
        made = model_of(panel, horizon=model)
        assert len(predict(made, panel.histories).forecasts[0].steps) == steps
        asked = predict(made, panel.histories, horizon=model).forecasts[0].steps
        assert len(asked) == model
        assert asked[:steps] == predict(made, panel.histories).forecasts[0].steps

    def test_may_be_shorter_than_the_models(self, panel):
        model = model_of(panel)
        whole = predict(model, panel.histories)
        part = predict(model, panel.histories, horizon=2)
        for one, other in zip(whole.forecasts, part.forecasts, strict=True):
            assert other.steps == one.steps[:2]

    @pytest.mark.parametrize("horizon", [0, -1, 4, 250])
    def test_beyond_the_models_is_refused(self, panel, horizon):
        with pytest.raises(SettingsError, match="1 to 3 sessions") as refused:
            predict(model_of(panel), panel.histories, horizon=horizon)
        assert f"horizon is {horizon}" in str(refused.value)
        assert ("train again" in str(refused.value)) == (horizon > 3)


class TestAsOf:
    @pytest.mark.parametrize("scale", ["volatility", "minmax", "standard"])
    def test_equals_cutting_the_file(self, panel, scale):
        model = model_of(panel, scale=scale)
        history = next(iter(panel))
        for t in (1, 30, 150, 298):
            day = history.sessions[t]
            cut = predict(model, [history.slice(0, t + 1)])
            asked = predict(model, [history], as_of=day)
            assert asked == cut
            assert asked.forecasts[0].cutoff == day

    def test_on_a_day_without_a_session_it_is_the_session_before(self, panel):
        history = next(iter(panel))
        friday = next(
            d for d in history.sessions[50:] if not np.is_busday(d + np.timedelta64(1, "D"))
        )
        model = model_of(panel)
        found = predict(model, [history], as_of=friday + np.timedelta64(1, "D"))
        assert found == predict(model, [history], as_of=friday)

    def test_before_the_first_session_is_a_failure_of_that_ticker_alone(self, panel):
        long, five = panel.histories[0], panel.histories[-1]
        found = predict(model_of(panel), [five, long], as_of=long.sessions[100])
        assert [f.ticker for f in found.forecasts] == ["LONG"]
        assert [f.ticker for f in found.failures] == ["FIVE"]
        assert isinstance(found.failures[0].error, DataError)
        assert str(five.first) in str(found.failures[0].error)

    def test_too_early_a_date_names_the_first_one_that_can_be_forecast_from(self, panel):
        long, model = panel.histories[0], model_of(panel)
        for day in (long.first - np.timedelta64(30, "D"), long.first):
            found = predict(model, [long], as_of=day)
            assert found.forecasts == ()
            message = str(found.failures[0].error)
            assert f"LONG begins on {long.first} and {day} was asked for" in message
            assert message.endswith(f"Ask for {long.sessions[1]} or later.")
        assert len(predict(model, [long], as_of=long.sessions[1]).forecasts) == 1


class TestFailures:
    def test_one_bar_fails_and_the_others_succeed(self, panel):
        lone = garch_history("LONE", 1, seed=1)
        found = predict(model_of(panel), [panel.histories[0], lone, panel.histories[1]])
        assert [f.ticker for f in found.forecasts] == ["LONG", "MIDDLE"]
        failure = found.failures[0]
        assert failure.ticker == "LONE"
        assert failure.error.exit_code == 4
        message = str(failure.error)
        assert "LONE has 1 bar" in message
        assert "at least 2" in message

    def test_two_bars_succeed(self, panel):
        found = predict(model_of(panel), [garch_history("TWO", 2, seed=1)])
        assert len(found.forecasts) == 1

    def test_nothing_gives_nothing(self, panel):
        found = predict(model_of(panel), [])
        assert found.forecasts == found.failures == ()

    def test_a_network_that_overflows_fails_for_that_ticker(self, panel):
        model = random_model(
            replace(SETTINGS, cell="rnn", activation="relu", units=16), panel, size=1000.0
        )
        found = predict(model, [panel.histories[0], garch_history("TWO", 2, seed=1)])
        assert [f.ticker for f in found.failures] == ["LONG", "TWO"]
        assert isinstance(found.failures[0].error, ModelError)
        assert "no finite price" in str(found.failures[0].error)

    @pytest.mark.parametrize("centre", [1e30, -1e30, np.nan])
    def test_a_price_of_nothing_is_as_little_a_price_as_one_without_end(self, panel, centre):
        model = model_of(panel)
        head = model.network.head
        bias = np.where(np.arange(6) < 3, np.float32(centre), head.bias)
        network = replace(model.network, head=replace(head, bias=bias))
        found = predict(replace(model, network=network), panel.histories[:2])
        assert [f.ticker for f in found.failures] == ["LONG", "MIDDLE"]
