"""The search for settings: folds, trials, early stops, and what is said of the best."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from synthetic import garch_history

from forecaster.errors import DataError, ModelError, SettingsError, TrainingDiverged
from forecaster.evaluation.folds import split_panel
from forecaster.evaluation.significance import diebold_mariano
from forecaster.jobs import confirmation, trials
from forecaster.jobs.confirmation import SEEDS, compared
from forecaster.jobs.trials import HELD_BACK, MeasuredFold, relative_losses, search_folds
from forecaster.jobs.tune import SearchPlan, TuneResult, tune
from forecaster.market.bars import PRICE_FIELDS, Panel
from forecaster.model.settings import Settings

PANEL = Panel(tuple(garch_history(f"T{i}", 700 - 50 * i, seed=i) for i in range(2)))
TINY = Settings(units=2, horizon=2, epochs=1, context=8, quantiles=(0.05, 0.5, 0.95))
BY_DROPOUT = ("dropout", "layers")


class Fits:
    """Losses in the place of networks: better with more dropout, and a little noise by session.

    Attributes:
        asked: settings and cutoff of every fit, in order.
        diverge: whether settings diverge.
        slope: of the losses over dropout where trials are scored, and where they are confirmed.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[Settings, np.datetime64]] = []
        self.diverge = lambda settings, place: False
        self.slope = (0.1, 0.1)

    def __call__(self, panel, measured, settings, on_epoch):
        cutoff = measured.fold.cutoff
        self.asked.append((settings, cutoff))
        confirms = int(settings.seed != TINY.seed)
        if self.diverge(settings, confirms):
            raise TrainingDiverged("it did. Lower it.")
        inside = (panel.sessions >= measured.fold.test_from) & (
            panel.sessions <= measured.fold.test_to
        )
        noise = np.random.default_rng(int(1000 * settings.dropout) + settings.seed)
        level = 1.0 - self.slope[confirms] * settings.dropout + 0.001 * settings.layers
        return level + 0.01 * noise.standard_normal(np.count_nonzero(inside))


@pytest.fixture
def fits(monkeypatch) -> Fits:
    made = Fits()
    monkeypatch.setattr(trials, "fold_losses", made)
    monkeypatch.setattr(confirmation, "fold_losses", made)
    return made


def search(panel: Panel = PANEL, settings: Settings = TINY, **options) -> TuneResult:
    study = options.pop("study", None)
    plan = SearchPlan(**{"search": BY_DROPOUT, "trials": 12, **options})
    return tune(panel, settings, plan, study=study, device="cpu")


class TestFolds:
    def test_they_expand_and_leave_the_horizon_out_and_end_before_the_test(self):
        split = split_panel(PANEL, 5)
        seen = PANEL.up_to(split.train_end)
        folds = search_folds(seen, 5, 3)
        sessions = seen.sessions.tolist()
        assert len(folds) == 3 + HELD_BACK
        for fold, after in zip(folds, [*folds[1:], None], strict=True):
            assert sessions.index(fold.test_from.item()) - sessions.index(fold.cutoff.item()) == 5
            assert fold.test_to == (split.train_end if after is None else after.cutoff)
        assert split.test_from > folds[-1].test_to

    @pytest.mark.parametrize(("horizon", "count"), [(2, 1), (2, 3), (20, 1), (60, 3)])
    def test_too_short_a_range_is_refused_with_the_length_that_is_enough(self, horizon, count):
        def of(sessions: int):
            return search_folds(Panel((garch_history("A", sessions, 1),)), horizon, count)

        with pytest.raises(DataError, match="needs") as refused:
            of(30)
        enough = int(str(refused.value).partition("needs ")[2].partition(".")[0])
        assert len(of(enough)) == count + HELD_BACK
        with pytest.raises(DataError):
            of(enough - 3)


class TestLosses:
    def test_by_hand(self):
        # two tickers on one session, one on the next; steps weigh 1 and 1/2
        day = np.array(["2020-01-02", "2020-01-03", "2020-01-02"], dtype="datetime64[D]")
        pinball = np.array([[2.0, 4.0], [1.0, math.nan], [4.0, 10.0]])
        made = relative_losses(pinball, day, (1.0, 2.0))
        first, third = (2.0 + 0.5 * 2.0) / 1.5, (4.0 + 0.5 * 5.0) / 1.5
        assert made == pytest.approx([(first + third) / 2, 1.0])
        steps = np.arange(1.0, 21.0)
        (far,) = relative_losses(steps[None], day[:1], np.ones(20))  # each step as bad as it is far
        assert far == pytest.approx(20 / (1 / steps).sum())

    def test_ewma_is_its_own_yardstick(self):
        fold = search_folds(PANEL, 2, 1)[0]
        measured = MeasuredFold.of(PANEL, fold, TINY)
        assert len(measured.yardstick) == 2
        assert all(0.001 < loss < 0.1 for loss in measured.yardstick)

    def test_prices_that_stand_still_have_a_yardstick(self):
        prices = {field: np.full(700, 5.0) for field in PRICE_FIELDS if field != "volume"}
        panel = Panel((replace(PANEL.histories[0], **prices),))
        measured = MeasuredFold.of(panel, search_folds(panel, 2, 1)[0], TINY)
        assert measured.yardstick == (1.0, 1.0)

    def test_a_step_that_no_session_of_a_fold_knows_has_one(self):
        far = replace(TINY, horizon=30)
        panel = PANEL.up_to(PANEL.sessions[349])
        last = search_folds(panel, 30, 1)[-1]
        yardstick = MeasuredFold.of(panel, last, far).yardstick
        assert yardstick[-1] == 1.0
        assert all(0.0 < loss < 0.5 for loss in yardstick[:10])

    def test_gain_and_p_are_of_the_two_series(self):
        folds = [MeasuredFold(fold, (1.0, 1.0)) for fold in search_folds(PANEL, 2, 1)[-2:]]
        rng = np.random.default_rng(3)
        default = 1.0 + 0.1 * rng.standard_normal(100)
        best = default - 0.02 + 0.05 * rng.standard_normal(100)
        found = compared(default, best, folds, horizon=2)
        assert found.gain == pytest.approx(1.0 - best.mean() / default.mean())
        assert found.p == pytest.approx(diebold_mariano(best, default, 2))
        assert 0.0 < found.p < 0.05
        assert (found.sessions, found.first) == (100, folds[0].fold.test_from)

    def test_too_few_sessions_have_no_p(self):
        folds = [MeasuredFold(fold, (1.0,)) for fold in search_folds(PANEL, 2, 1)[-2:]]
        found = compared(np.full(30, 1.0), np.full(30, 0.5), folds, horizon=20)
        assert (found.gain, found.p) == (0.5, None)


class TestSearch:
    def test_a_better_setting_is_found_with_its_gain_and_p(self, fits):
        result = search()
        assert result.default.settings == TINY
        assert result.best.settings.dropout == 0.4
        assert result.better
        assert result.settings == result.best.settings
        gain = result.confirmation.gain
        assert gain == pytest.approx(0.03, abs=0.005)
        assert result.confirmation.p < 0.01

    def test_it_is_confirmed_on_later_folds_with_other_seeds(self, fits):
        result = search()
        scored = {cutoff for s, cutoff in fits.asked if s.seed == TINY.seed}
        confirmed = [(s.dropout, s.seed, cutoff) for s, cutoff in fits.asked if s.seed != TINY.seed]
        assert scored == {fold.cutoff for fold in result.folds}
        assert len(confirmed) == len(set(confirmed)) == 2 * len(result.held_back) * SEEDS
        assert {cutoff for *_, cutoff in confirmed} == {f.cutoff for f in result.held_back}
        assert max(scored) < min(fold.cutoff for fold in result.held_back)
        seeds = [{seed for d, seed, _ in confirmed if d == value} for value in (0.1, 0.4)]
        assert seeds[0] == seeds[1]

    def test_what_was_only_lucky_where_it_was_chosen_is_not_better(self, fits):
        fits.slope = (0.1, 0.0)
        result = search()
        assert result.gain(result.best) > 0.02
        assert not result.better
        assert result.settings == TINY
        assert result.confirmation.p > 0.05

    def test_significantly_worse_is_not_better(self, fits):
        fits.slope = (0.1, -0.2)
        result = search()
        assert (result.better, result.confirmation.p < 0.01) == (False, True)

    def test_where_the_default_is_the_best_nothing_is_confirmed(self, fits):
        fits.slope = (-0.1, 0.0)
        result = search(settings=replace(TINY, dropout=0.0))
        assert (result.best.number, result.confirmation, result.better) == (0, None, False)
        assert all(settings.seed == TINY.seed for settings, _ in fits.asked)

    def test_a_small_space_ends_the_search(self, fits):
        result = search(trials=99)
        assert len(result.trials) == result.planned == 12

    def test_trials_that_diverge_are_recorded_and_the_search_goes_on(self, fits):
        fits.diverge = lambda settings, confirms: settings.dropout > 0.25
        result = search()
        states = {t.values["dropout"]: t.state for t in result.trials}
        assert states[0.3] == states[0.4] == "diverged"
        assert result.best.settings.dropout == 0.2
        lost = next(t for t in result.trials if t.state == "diverged")
        assert (lost.loss, result.gain(lost), lost.reason) == (None, None, "it did. Lower it.")

    def test_forecasts_that_are_not_finite_are_a_divergence(self, fits, monkeypatch):
        def unstable(panel, measured, settings, on_epoch):
            if settings.layers == 2:
                raise ModelError("not finite. Lower it.")
            return fits(panel, measured, settings, on_epoch)

        monkeypatch.setattr(trials, "fold_losses", unstable)
        assert {t.state for t in search().trials if t.values["layers"] == 2} == {"diverged"}

    def test_a_default_that_diverges_is_worse_than_what_does_not(self, fits):
        fits.diverge = lambda settings, confirms: settings.dropout == TINY.dropout
        result = search()
        assert result.default.state == "diverged"
        assert (result.better, result.confirmation.gain) == (True, None)

    def test_a_best_trial_that_diverges_where_it_is_confirmed_is_not_better(self, fits):
        fits.diverge = lambda settings, confirms: confirms and settings.dropout == 0.4
        result = search()
        assert (result.better, result.confirmation.loss) == (False, None)
        assert result.settings == TINY

    def test_all_that_diverge_end_it(self, fits):
        fits.diverge = lambda settings, confirms: True
        with pytest.raises(TrainingDiverged, match="all 12 trials diverged"):
            search()


class TestEarlyStops:
    def test_a_trial_worse_than_half_of_those_before_stops(self, fits):
        result = search(folds=3, together=4)
        first, later = result.trials[:4], result.trials[4:]
        assert all(trial.state == "complete" for trial in first)
        assert any(trial.state == "stopped" for trial in later)
        for trial in later:
            before = [t for t in result.trials if t.number // 4 < trial.number // 4]
            for count in range(1, len(trial.losses) + 1):
                others = [np.mean(t.losses[:count]) for t in before if len(t.losses) >= count]
                worse = np.mean(trial.losses[:count]) > np.median(others)
                last = count == len(trial.losses)
                assert worse == (last and trial.state == "stopped") or (last and count == 3)

    def test_the_best_is_never_one_that_stopped(self, fits):
        result = search()
        complete = [t.loss for t in result.trials if t.state == "complete"]
        assert result.best.loss == min(complete)

    def test_nothing_stops_in_a_search_of_one_fold(self, fits):
        assert {trial.state for trial in search(folds=1).trials} == {"complete"}


class TestTime:
    def test_no_trial_but_the_default_starts_when_time_is_up(self, fits):
        result = search(minutes=1e-9)
        assert [trial.number for trial in result.trials] == [0]
        assert (result.planned, result.better) == (12, False)

    def test_a_search_with_time_is_whole(self, fits):
        assert len(search(minutes=60.0).trials) == 12


class TestPlan:
    @pytest.mark.parametrize(
        ("changed", "named"),
        [
            ({"trials": 1}, "trials is 1; it must be at least 2"),
            ({"folds": 0}, "folds is 0"),
            ({"together": 0}, "together is 0"),
            ({"minutes": 0.0}, "minutes is 0"),
            ({"minutes": -1.0}, "minutes is -1"),
            ({"minutes": math.nan}, "minutes is nan"),
            ({"minutes": math.inf}, "minutes is inf"),
        ],
    )
    def test_what_cannot_work_is_refused(self, changed, named):
        with pytest.raises(SettingsError, match=named):
            SearchPlan(**changed)


class TestPanels:
    def test_one_history(self, fits):
        assert search(Panel(PANEL.histories[:1])).tickers == ("T0",)

    def test_histories_that_share_no_date(self, fits):
        early = garch_history("EARLY", 400, seed=1, first="2001-01-02")
        late = garch_history("LATE", 400, seed=2, first="2010-01-04")
        result = search(Panel((early, late)))
        assert result.tickers == ("EARLY", "LATE")
        assert result.better

    def test_a_history_that_begins_with_the_test_is_named(self, fits):
        young = garch_history("YOUNG", 20, seed=1, last=str(PANEL.sessions[-1]))
        (about,) = search(Panel((*PANEL.histories, young))).notes
        assert "YOUNG was not used" in about.message

    @pytest.mark.parametrize("lengths", [[1], [30, 20], [1, 1]])
    def test_too_little(self, lengths):
        panel = Panel(tuple(garch_history(f"S{i}", n, seed=i) for i, n in enumerate(lengths)))
        with pytest.raises(DataError, match="longer histories"):
            search(panel)


class TestStudy:
    def test_a_search_that_is_resumed_ends_as_if_it_had_not_been_cut(self, fits, tmp_path):
        whole = search(study=tmp_path / "whole.json")
        asked = len(fits.asked)
        document = json.loads((tmp_path / "whole.json").read_bytes())
        for kept in (0, 1, 5, 11):
            cut = {**document, "trials": document["trials"][:kept], "confirmations": []}
            (tmp_path / "cut.json").write_text(json.dumps(cut))
            again = search(study=tmp_path / "cut.json")
            assert all(map(same, again.trials, whole.trials))
            assert again.confirmation == whole.confirmation
        fits.asked.clear()
        assert search(study=tmp_path / "whole.json").confirmation == whole.confirmation
        assert asked > 0
        assert fits.asked == []

    def test_gaps_of_trials_that_ran_at_the_kill_are_filled(self, fits, tmp_path):
        path = tmp_path / "study.json"
        whole = search(study=path)
        document = json.loads(path.read_bytes())
        del document["trials"][5], document["confirmations"][2]
        path.write_text(json.dumps(document))
        fits.asked.clear()
        again = search(study=path)
        assert again.confirmation == whole.confirmation
        missing = whole.trials[5]
        tried = [(s.dropout, s.layers) for s, _ in fits.asked[:-1]]
        assert tried == [(missing.settings.dropout, missing.settings.layers)] * len(missing.losses)

    def test_defaults_that_depend_on_the_panel_are_those_of_training(self, fits):
        search()
        assert {s.batch_size for s, _ in fits.asked} == {32}
        fits.asked.clear()
        long = Panel(tuple(garch_history(f"L{i}", 3000, seed=i) for i in range(20)))
        result = search(long, trials=2)
        filled = TINY.for_panel([len(h) for h in long.up_to(result.train_end)])
        assert {s.batch_size for s, _ in fits.asked} == {filled.batch_size} == {128}
        assert result.default.settings.batch_size is None

    def test_more_trials_go_on_from_fewer(self, fits, tmp_path):
        search(study=tmp_path / "s.json", trials=6)
        more = search(study=tmp_path / "s.json")
        assert [t.values for t in more.trials] == [t.values for t in search().trials]

    def test_another_search_does_not_take_its_file(self, fits, tmp_path):
        search(study=tmp_path / "s.json")
        with pytest.raises(SettingsError, match="is of another study: it has epochs 1"):
            search(study=tmp_path / "s.json", settings=replace(TINY, epochs=2))


def same(one, other) -> bool:
    return replace(one, seconds=0.0) == replace(other, seconds=0.0)
