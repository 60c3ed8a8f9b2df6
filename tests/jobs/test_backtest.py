"""Backtests: what is fitted on, what is scored, and what strange panels give."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from synthetic import garch_history, noise_after, random_model, same_weights, trained_to

from forecaster.errors import DataError, SettingsError
from forecaster.evaluation.folds import plan_folds
from forecaster.jobs import fitting
from forecaster.jobs.backtest import ModelReference, Plan, backtest, score_model
from forecaster.market.bars import Panel, history_from_closes
from forecaster.model.settings import Settings
from forecaster.output.format import remark_sentence, table_state

TINY = Settings(units=3, horizon=3, epochs=2, context=16, quantiles=(0.05, 0.25, 0.5, 0.75, 0.95))
QUICK = ("naive", "ewma")


def panel_of(*histories) -> Panel:
    return Panel(tuple(histories))


def day(text: str) -> np.datetime64:
    return np.datetime64(text, "D")


LONG = garch_history("LONG", 320, seed=1)
OTHER = garch_history("OTHER", 320, seed=2)
CUTOFF = LONG.sessions[219]


class TestFolds:
    def test_one_fold_begins_horizon_sessions_after_the_cutoff(self):
        (fold,) = plan_folds(panel_of(LONG), 3, train_end=CUTOFF, count=1)
        assert fold.cutoff == LONG.sessions[219]
        assert fold.test_from == LONG.sessions[222]
        assert fold.test_to == LONG.sessions[319]

    def test_several_folds_share_the_sessions_after_the_first_cutoff(self):
        folds = plan_folds(panel_of(LONG), 3, train_end=CUTOFF, count=4)
        assert [f.cutoff for f in folds] == [LONG.sessions[i] for i in (219, 244, 269, 294)]
        assert [f.test_to for f in folds] == [LONG.sessions[i] for i in (244, 269, 294, 319)]

    def test_without_a_date_seventy_percent_come_before(self):
        (fold,) = plan_folds(panel_of(LONG), 3, train_end=None, count=1)
        assert fold.cutoff == LONG.sessions[223]

    @pytest.mark.parametrize("count", [25, 100])
    def test_folds_without_a_session_to_score_are_refused(self, count):
        with pytest.raises(DataError, match="fewer folds"):
            plan_folds(panel_of(LONG), 3, train_end=CUTOFF, count=count)
        with pytest.raises(DataError, match=r"earlier train_end or a shorter horizon\.$"):
            plan_folds(panel_of(LONG), 3, train_end=LONG.sessions[-3], count=1)

    def test_a_cutoff_before_any_history_is_refused(self):
        with pytest.raises(DataError, match="later train_end"):
            plan_folds(panel_of(LONG), 3, train_end=day("1990-01-01"), count=1)


@pytest.mark.network
class TestBacktest:
    def test_scores_every_model_at_every_step(self):
        plan = Plan(train_end=CUTOFF, baselines=("naive", "drift", "ewma", "garch", "har"))
        result = backtest(panel_of(LONG, OTHER), TINY, plan, device="cpu")
        found = {(r.model, r.step) for r in result.table.rows}
        names = ("gru", "naive", "drift", "ewma", "garch", "har")
        assert found == {(m, h) for m in names for h in (1, 2, 3)}
        first = result.table.rows[0]
        assert first.n == 2 * (319 - 222)
        assert set(first.skill) == set(names) - {"gru"}
        assert result.table.tickers == 2
        assert json.dumps(table_state(result.table), allow_nan=False)

    def test_noise_after_the_last_origin_changes_no_forecast_made_before(self):
        """Baselines and network alike: the whole run again, with the future replaced by noise."""
        plan = Plan(train_end=CUTOFF, baselines=("naive", "drift", "ewma", "garch", "har"))
        seen = panel_of(LONG, OTHER)
        changed = panel_of(*(noise_after(h, LONG.sessions[270], seed=5) for h in seen))
        parts = [
            backtest(p.up_to(LONG.sessions[270]), TINY, plan, device="cpu") for p in (seen, changed)
        ]
        assert table_state(parts[0].table) == table_state(parts[1].table)

    def test_fitting_sees_nothing_after_the_cutoff(self, monkeypatch):
        kept = []
        original = fitting._fit_past

        def watch(past, *rest):
            fitted = original(past, *rest)
            kept.append((past, fitted))
            return fitted

        monkeypatch.setattr("forecaster.jobs.fitting._fit_past", watch)
        for panel in (panel_of(LONG), panel_of(noise_after(LONG, CUTOFF, seed=9))):
            backtest(panel, TINY, Plan(train_end=CUTOFF, baselines=QUICK), device="cpu")
        assert all(past.sessions[-1] == CUTOFF for past, _ in kept)
        assert same_weights(kept[0][1].network, kept[1][1].network)

    def test_refit_never_fits_once_and_fold_fits_at_each(self, monkeypatch):
        cutoffs = []
        original = fitting._fit_past

        def count(past, *rest):
            cutoffs.append(past.sessions[-1])
            return original(past, *rest)

        monkeypatch.setattr("forecaster.jobs.fitting._fit_past", count)
        for refit, expected in (("never", [219]), ("fold", [219, 269])):
            cutoffs.clear()
            plan = Plan(train_end=CUTOFF, folds=2, refit=refit, baselines=QUICK)
            result = backtest(panel_of(LONG), TINY, plan, device="cpu")
            assert cutoffs == [LONG.sessions[i] for i in expected]
            assert result.table.rows[0].n == (270 - 222) + (319 - 272)

    def test_seeds_are_averaged_and_their_spread_is_shown(self):
        plan = Plan(train_end=CUTOFF, seeds=2, baselines=QUICK, stride=3)
        result = backtest(panel_of(LONG), TINY, plan, device="cpu")
        spread = result.spreads["gru"]
        assert spread.seeds == 2
        assert spread.lowest < spread.highest
        loss = result.table.rows[0].pinball
        assert loss <= spread.highest
        assert result.table.rows[0].n == len(range(222, 319, 3))

    def test_several_cells_stand_in_one_table(self):
        plan = Plan(train_end=CUTOFF, cells=("rnn", "lstm"), baselines=QUICK)
        result = backtest(panel_of(LONG), TINY, plan, device="cpu")
        assert {r.model for r in result.table.rows} == {"rnn", "lstm", "naive", "ewma"}
        assert {v.model for v in result.table.verdicts} == {"rnn", "lstm"}

    def test_strange_panels_are_scored(self):
        """Late and early tickers, other trading days, a price that stands still, a 60% gap."""
        late = garch_history("LATE", 320, seed=3).slice(230, 320)
        early = garch_history("EARLY", 320, seed=4).slice(0, 240)
        other_days = replace(OTHER, ticker="SHIFT", sessions=OTHER.sessions + 1)
        flat = history_from_closes("FLAT", LONG.sessions, np.full(320, 5.0))
        fallen = garch_history("GAP", 320, seed=6)
        prices = np.where(np.arange(320) >= 250, 0.4, 1.0) * fallen.close
        gap = replace(history_from_closes("GAP", fallen.sessions, prices), volume=fallen.volume)
        panel = panel_of(LONG, late, early, other_days, flat, gap)
        plan = Plan(train_end=CUTOFF, baselines=("naive", "drift", "ewma", "garch", "har"))
        result = backtest(panel, TINY, plan, device="cpu")
        assert result.table.tickers == 6
        assert all(np.isfinite(r.pinball) for r in result.table.rows)
        assert any(
            note.ticker == "FLAT" and "ewma stands in" in note.message for note in result.notes
        )
        assert json.dumps(table_state(result.table), allow_nan=False)


class TestRefusals:
    def test_a_test_end_before_every_history(self):
        with pytest.raises(DataError, match="test_end"):
            backtest(panel_of(LONG), TINY, Plan(test_end=day("1990-01-01")))

    def test_a_cutoff_after_the_last_session(self):
        with pytest.raises(DataError, match="earlier train_end"):
            backtest(panel_of(LONG), TINY, Plan(train_end=LONG.sessions[-1]))

    @pytest.mark.parametrize("name", ["folds", "stride", "seeds"])
    def test_counts_below_one(self, name):
        with pytest.raises(SettingsError, match=f"^{name} is 0"):
            Plan(**{name: 0})


class TestSavedModel:
    def model(self):
        return trained_to(random_model(TINY, panel_of(LONG)), CUTOFF)

    def test_of_every_fourth_session_three_forecasts_in_a_row_overlap(self):
        """Some twenty forecasts of 10 sessions do for a test then, and not if ten in a row did."""
        model = trained_to(random_model(replace(TINY, horizon=10), panel_of(LONG)), CUTOFF)
        for stride, tested in ((4, True), (1, False)):
            first = CUTOFF if stride == 4 else LONG.sessions[280]
            plan = Plan(train_end=first, baselines=("naive",), stride=stride)
            last = score_model(panel_of(LONG), model, plan).table.of("random")[-1]
            assert (last.step, 20 <= last.n < 50) == (10, True)
            assert (last.dm_p["naive"] is not None) == tested

    def test_is_scored_after_its_own_training_range(self):
        result = score_model(panel_of(LONG, OTHER), self.model(), Plan(baselines=QUICK))
        assert result.folds[0].cutoff == CUTOFF
        assert result.table.rows[0].model == "random"
        assert result.model == ModelReference("random", self.model().id)
        assert result.table.rows[0].n == 2 * (319 - 222)

    def test_it_is_named_as_it_forecast(self):
        calibrated = trained_to(random_model(TINY, panel_of(LONG), calibrated=True), CUTOFF)
        for model, calibrate, named, said in (
            (calibrated, True, calibrated, True),
            (calibrated, False, calibrated.uncalibrated(), False),
            (self.model(), True, self.model(), False),
        ):
            plan = Plan(baselines=QUICK, calibrate=calibrate)
            result = score_model(panel_of(LONG), model, plan)
            assert (result.model.id, result.plan.calibrate) == (named.id, said)

    def test_an_overlap_is_refused_unless_asked_for(self):
        plan = Plan(train_end=LONG.sessions[150], baselines=QUICK)
        with pytest.raises(SettingsError, match="allow_overlap"):
            score_model(panel_of(LONG), self.model(), plan)
        result = score_model(panel_of(LONG), self.model(), plan, allow_overlap=True)
        assert result.folds[0].test_from == LONG.sessions[153]
        assert result.hindsight is not None
        assert "seen part of this test" in remark_sentence(result.hindsight)
        assert result.hindsight not in result.remarks

    def test_hindsight_says_whether_all_of_the_test_was_seen(self):
        def seen_all(end: int) -> bool:
            plan = Plan(train_end=LONG.sessions[150], test_end=LONG.sessions[end], baselines=QUICK)
            result = score_model(panel_of(LONG), self.model(), plan, allow_overlap=True)
            return result.hindsight.whole

        assert seen_all(219)
        assert not seen_all(220)
        plan = Plan(baselines=QUICK)
        assert score_model(panel_of(LONG), self.model(), plan).hindsight is None

    def test_needs_no_training(self, monkeypatch):
        import sys

        monkeypatch.setitem(sys.modules, "keras", None)
        assert score_model(panel_of(LONG), self.model(), Plan(baselines=QUICK)).table.rows
