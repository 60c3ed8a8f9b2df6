"""Baselines by their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import garch_history, noise_after, weekdays

from forecaster.errors import SettingsError
from forecaster.evaluation.baselines import ewma, naive
from forecaster.evaluation.baselines.fit import ALL, QUICK, check_names, fit_baselines
from forecaster.evaluation.baselines.naive import ENOUGH, PastQuantiles
from forecaster.features.volatility import measure, pooled_variance
from forecaster.market.bars import history_from_closes

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
LONG = garch_history("LONG", 260, seed=1)
SHORT = garch_history("SHORT", 40, seed=2)


def fitted(histories, horizon=3, levels=LEVELS, names=QUICK):
    return {b.name: b for b in fit_baselines(names, histories, horizon, levels).baselines}


def history_of(closes, ticker="A"):
    return history_from_closes(ticker, weekdays("2020-01-06", len(closes)), np.array(closes))


def slow_quantile(values, level):
    """Linear between order statistics, the definition that numpy calls ``linear``."""
    ordered = sorted(values)
    place = level * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def past_returns(history, step):
    prices = history.adjusted_close
    return [float(np.log(prices[t + step] / prices[t])) for t in range(len(prices) - step)]


class TestNaive:
    def test_is_the_quantiles_of_past_returns_about_their_median(self):
        found = fitted([LONG])["naive"].forecast(LONG, np.array([259]))[0]
        for h in (1, 2, 3):
            past = past_returns(LONG, h)
            middle = slow_quantile(past, 0.5)
            expected = [slow_quantile(past, q) - middle for q in LEVELS]
            assert found[h - 1] == pytest.approx(expected, abs=1e-14)

    def test_has_its_median_at_the_last_price(self):
        for history in (LONG, SHORT):
            found = fitted([LONG, SHORT])["naive"].forecast(history, np.array([5]))[0]
            assert found[:, 2] == pytest.approx([0.0] * 3, abs=2e-4)
        assert np.abs(fitted([LONG])["naive"].forecast(LONG, np.array([5]))[0][:, 2]).max() < 1e-15

    def test_a_steady_climb_moves_nothing(self):
        climb = history_of(100 * 1.01 ** np.arange(ENOUGH + 5))
        found = fitted([climb])["naive"].forecast(climb, np.array([50]))
        assert found == pytest.approx(np.zeros((1, 3, 5)), abs=1e-14)

    def test_says_the_same_from_every_session(self):
        found = fitted([LONG])["naive"].forecast(LONG, np.array([3, 100, 259]))
        assert found.shape == (3, 3, 5)
        assert np.array_equal(found[0], found[2])


class TestDrift:
    def test_moves_the_naive_forecast_by_h_mean_returns(self):
        both = fitted([LONG])
        rows = np.array([200])
        mean = np.mean(past_returns(LONG, 1))
        moved = both["drift"].forecast(LONG, rows) - both["naive"].forecast(LONG, rows)
        for h in (1, 2, 3):
            assert moved[0, h - 1] == pytest.approx([mean * h] * 5, rel=1e-9)

    def test_a_steady_climb_is_continued(self):
        climb = history_of(100 * 1.01 ** np.arange(ENOUGH + 5))
        found = fitted([climb])["drift"].forecast(climb, np.array([50]))[0]
        for h in (1, 2, 3):
            assert found[h - 1] == pytest.approx([h * np.log(1.01)] * 5, abs=1e-13)

    def test_a_short_history_borrows_the_mean_of_all_returns(self):
        both = fitted([LONG, SHORT])
        rows = np.array([20])
        mean = np.mean(past_returns(LONG, 1) + past_returns(SHORT, 1))
        moved = both["drift"].forecast(SHORT, rows) - both["naive"].forecast(SHORT, rows)
        assert moved[0, 0] == pytest.approx([mean] * 5, rel=1e-9)


class TestEwma:
    @pytest.mark.parametrize("panel", [[LONG], [LONG, SHORT]], ids=["one", "two"])
    def test_is_volatility_times_quantiles_of_the_panels_past_standardised_returns(self, panel):
        ewma = fitted(panel)["ewma"]
        prior = pooled_variance(panel)
        for history, rows in zip(panel, ((100, 259), (5, 39)), strict=False):
            found = ewma.forecast(history, np.array(rows))
            volatility = measure(history, prior).volatility
            for h in (1, 3):
                past = []
                for each in panel:
                    unit = measure(each, prior).volatility
                    past += [
                        r / (unit[t] * np.sqrt(h)) for t, r in enumerate(past_returns(each, h))
                    ]
                for place, t in enumerate(rows):
                    expected = [slow_quantile(past, q) * volatility[t] * np.sqrt(h) for q in LEVELS]
                    assert found[place, h - 1] == pytest.approx(expected, rel=1e-12)

    def test_is_wider_after_a_wild_session(self):
        closes = LONG.close.copy()
        closes[150:] *= 1.15
        wild = history_of(closes, "LONG")
        found = fitted([LONG])["ewma"].forecast(wild, np.array([149, 150]))
        width = found[:, 0, -1] - found[:, 0, 0]
        assert width[1] > 1.5 * width[0]


class TestBorrowing:
    def test_a_history_with_enough_returns_uses_its_own(self):
        naive = fitted([LONG, SHORT])["naive"]
        assert naive.quantiles.for_ticker("SHORT") is naive.quantiles.panel
        assert set(naive.quantiles.by_ticker) == {"LONG"}

    @pytest.mark.parametrize(("returns", "own"), [(ENOUGH - 1, False), (ENOUGH, True)])
    def test_enough_is_counted_at_the_longest_step(self, returns, own):
        history = garch_history("EDGE", returns + 3, seed=3)
        naive = fitted([history, LONG])["naive"]
        assert ("EDGE" in naive.quantiles.by_ticker) is own

    def test_borrowed_quantiles_are_those_of_all_histories_together(self):
        found = fitted([LONG, SHORT])["naive"].forecast(SHORT, np.array([10]))[0]
        pool = []
        for history in (LONG, SHORT):
            past = past_returns(history, 1)
            middle = slow_quantile(past, 0.5)
            pool += [r - middle for r in past]
        assert found[0] == pytest.approx([slow_quantile(pool, q) for q in LEVELS], abs=1e-14)

    def test_a_ticker_never_seen_uses_the_panel_too(self):
        new = garch_history("NEW", 300, seed=9)
        for baseline in fitted([LONG, SHORT], names=ALL).values():
            found = baseline.forecast(new, np.array([0, 299]))
            assert found.shape == (2, 3, 5)
            assert np.all(np.isfinite(found))
            assert np.all(np.diff(found, axis=-1) >= 0)


class TestShortPanels:
    def test_steps_beyond_every_history_grow_with_the_root_of_h(self):
        # three bars give two one-step returns and no three-step return
        tiny = history_of([100.0, 110.0, 100.0])
        found = fitted([tiny], horizon=4, levels=(0.0001, 0.5, 0.9999))["naive"]
        quantiles = found.forecast(tiny, np.array([2]))[0]
        assert quantiles[2] == pytest.approx(quantiles[0] * np.sqrt(3), rel=1e-12)
        assert quantiles[3] == pytest.approx(quantiles[0] * 2.0, rel=1e-12)
        assert quantiles[0, 2] == pytest.approx(np.log(1.1), rel=1e-3)

    @pytest.mark.parametrize("sessions", [2, 3, 5, 10])
    def test_every_baseline_has_an_answer(self, sessions):
        tiny = garch_history("TINY", sessions, seed=3)
        for baseline in fitted([tiny], horizon=5, names=ALL).values():
            found = baseline.forecast(tiny, np.array([sessions - 1]))
            assert found.shape == (1, 5, 5)
            assert np.all(np.isfinite(found))
            assert np.all(np.diff(found, axis=-1) >= 0)

    @pytest.mark.parametrize("name", ["ewma", "har"])
    def test_standardised_steps_beyond_every_history_grow_with_the_root_of_h_once(self, name):
        # three bars: no return of three steps is known, so the third step is the first one's
        # shape times √3, and no more
        tiny = garch_history("TINY", 3, seed=3)
        found = fitted([tiny], horizon=4, names=(name,))[name].forecast(tiny, np.array([2]))[0]
        assert found[3] == pytest.approx(found[2] * np.sqrt(4 / 3), rel=1e-12)
        if name == "ewma":
            assert found[2] == pytest.approx(found[0] * np.sqrt(3), rel=1e-12)
        assert np.abs(found).max() < 1.0

    def test_constant_prices_have_an_answer(self):
        flat = history_of([7.0] * 150)
        for baseline in fitted([flat], horizon=5, names=ALL).values():
            assert baseline.forecast(flat, np.array([149])) == pytest.approx(
                np.zeros((1, 5, 5)), abs=1e-12
            )


def test_quantiles_of_unknown_columns_come_from_the_spare():
    nan = np.nan
    found = PastQuantiles.of([], np.array([[1.0, nan], [3.0, nan]]), (0.5,))
    assert found.panel == pytest.approx(np.array([[2.0], [2.0 * np.sqrt(2)]]), rel=1e-14)


def test_of_very_many_tickers_every_nth_is_pooled(monkeypatch):
    made = [garch_history(f"T{n}", 120, seed=n) for n in range(6)]
    monkeypatch.setattr(ewma, "MOST_POOLED", 250)
    monkeypatch.setattr(naive, "MOST_POOLED", 250)
    of_all = fitted(made, horizon=3, names=("naive", "ewma"))
    monkeypatch.undo()
    of_some = fitted(made[::2], horizon=3, names=("naive", "ewma"))
    assert np.array_equal(of_all["naive"].quantiles.panel, of_some["naive"].quantiles.panel)
    assert set(of_all["naive"].quantiles.by_ticker) == {h.ticker for h in made}
    past = np.concatenate([of_all["ewma"].scaling.scale(h).targets(3) for h in made[::2]])
    assert np.array_equal(of_all["ewma"].shape[2], np.nanquantile(past[:, 2], LEVELS))


class TestNames:
    def test_come_in_the_order_asked_for_and_once(self):
        assert check_names(["har", "naive", "har"]) == ("har", "naive")
        found = fit_baselines(("ewma", "har", "naive"), [SHORT], 2, LEVELS)
        assert [b.name for b in found.baselines] == ["ewma", "har", "naive"]

    def test_an_unknown_one_is_refused_with_those_that_are_known(self):
        with pytest.raises(SettingsError, match="'prophet'") as refused:
            check_names(["naive", "prophet"])
        assert all(name in str(refused.value) for name in ALL)

    def test_quick_ones_come_first(self):
        assert ALL[: len(QUICK)] == QUICK == ("naive", "drift", "ewma")


@pytest.mark.parametrize("name", ALL)
def test_a_forecast_never_reads_later_bars(name):
    levels, rows = LEVELS, np.array([5, 255])
    long = garch_history("LONG", 330, seed=1)
    day = long.sessions[255]
    noisy = noise_after(long, day)
    one, other = (fit_baselines((name,), [h.up_to(day), SHORT], 3, levels) for h in (long, noisy))
    assert one.notes == other.notes
    clean = one.baselines[0].forecast(long, rows)
    assert np.array_equal(clean, other.baselines[0].forecast(noisy, rows))
    assert np.array_equal(clean, one.baselines[0].forecast(long.up_to(day), rows))
    assert np.array_equal(clean, one.baselines[0].forecast(noisy, rows))
    if name not in ("naive", "drift"):
        later = np.array([300])
        assert not np.array_equal(
            one.baselines[0].forecast(long, later), one.baselines[0].forecast(noisy, later)
        )
