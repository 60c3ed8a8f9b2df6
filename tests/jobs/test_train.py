from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from synthetic import garch_history, same_weights

from forecaster.errors import DataError
from forecaster.evaluation.baselines.fit import QUICK
from forecaster.evaluation.metrics import pinball
from forecaster.evaluation.verdict import Verdict
from forecaster.jobs import train as jobs_train
from forecaster.jobs.predict import predict
from forecaster.jobs.train import train
from forecaster.market.bars import Panel
from forecaster.model import settings as model_settings
from forecaster.model.artifact import from_bytes, to_bytes
from forecaster.model.settings import Settings
from forecaster.output.format import table_state, verdict_sentence

END = "2018-01-01"
HISTORIES = (
    garch_history("LONG", 260, seed=1, last=END),
    garch_history("MIDDLE", 150, seed=2, last=END),
    garch_history("TEN", 10, seed=4, last=END),
    garch_history("FIVE", 5, seed=5, last=END),
)
PANEL = Panel(HISTORIES)
SETTINGS = Settings(
    units=3, horizon=2, quantiles=(0.05, 0.5, 0.95), epochs=2, context=32, batch_size=64
)


def run(panel=PANEL, settings=SETTINGS, **more):
    return train(panel, settings, name="test", device="cpu", **more)


class TestWithoutKeras:
    @pytest.mark.parametrize(
        "histories", [(), (garch_history("A", 4, 1), garch_history("B", 1, 1))]
    )
    def test_histories_that_are_all_too_short_are_refused(self, histories):
        with pytest.raises(DataError, match="no history has 5 sessions") as refused:
            run(Panel(histories))
        assert refused.value.exit_code == 4
        if histories:
            assert "A 4, B 1" in str(refused.value)

    def test_the_sentence_of_a_verdict(self):
        verdicts = [
            Verdict("gru", "naive", 1, "beats", 0.01, 0.034),
            Verdict("gru", "drift", 1, "ties", 0.6, 0.001),
            Verdict("gru", "ewma", 1, "ties", None, 0.5),
            Verdict("gru", "naive", 5, "loses to", 0.01, -0.2),
        ]
        assert verdict_sentence(verdicts) == (
            "1 session ahead gru beats naive by 3.4%, ties drift, cannot be told from ewma by so"
            " few sessions; 5 sessions ahead gru loses to naive."
        )
        assert verdict_sentence([]) == "Nothing could be compared."


@pytest.fixture(scope="module")
def trained():
    seen = []
    return run(on_progress=seen.append), seen


@pytest.fixture(scope="module")
def plain():
    """Without the refit."""
    return run(refit=False)


@pytest.mark.network
class TestTrained:
    def test_trains_histories_of_very_different_lengths_together(self, trained):
        made, _ = trained
        assert made.notes == ()
        found = predict(made.model, HISTORIES)
        assert [f.ticker for f in found.forecasts] == ["LONG", "MIDDLE", "TEN", "FIVE"]
        for forecast in found.forecasts:
            for step in forecast.steps:
                quantiles = list(step.quantiles.values())
                assert quantiles == sorted(quantiles)
                assert 0 < quantiles[0] < forecast.last_close < quantiles[-1] < np.inf

    def test_twice_with_one_seed_gives_the_same_to_the_bit(self, trained):
        made, _ = trained
        again = run()
        assert same_weights(again.model.network, made.model.network)
        assert again.model.id == made.model.id
        assert predict(again.model, HISTORIES) == predict(made.model, HISTORIES)
        assert table_state(again.table) == table_state(made.table)

    def test_sessions_that_chose_the_epoch_count_as_seen(self, plain):
        assert plain.split.fit_end < plain.split.train_end
        assert plain.model.trained_to == plain.split.train_end

    def test_errors_are_measured_before_the_refit(self, trained, plain):
        made, _ = trained
        assert table_state(plain.table) == table_state(made.table)
        assert not same_weights(plain.model.network, made.model.network)
        assert made.model.trained_to == PANEL.sessions[-1]
        # LONG and MIDDLE up to fit_end, with a later session each
        early = PANEL.up_to(made.split.fit_end)
        assert plain.model.card.targets == sum(len(h) - 1 for h in early)
        assert made.model.card.targets == PANEL.bars - len(PANEL)

    def test_progress_goes_from_fit_to_refit(self, trained):
        made, seen = trained
        stages = [p.stage for p in seen]
        assert stages == sorted(stages)
        assert set(stages) == {"fit", "refit"}
        assert stages.count("refit") == made.model.card.epochs
        assert all(p.epoch.validation is not None for p in seen if p.stage == "fit")
        assert all(p.epoch.validation is None for p in seen if p.stage == "refit")

    def test_table_has_the_network_and_every_baseline_at_every_step(self, trained):
        made, _ = trained
        assert [r.step for r in made.table.rows] == sorted(r.step for r in made.table.rows)
        names = [r.model for r in made.table.rows if r.step == 1]
        assert names[0] == "gru"
        assert names[1:] == list(QUICK)
        assert set(made.table.rows[0].skill) == set(QUICK)
        # from the first session on, a forecast needs one bar before it and one to be scored by
        origins = [np.flatnonzero(h.sessions >= made.split.test_from)[:-1] for h in PANEL]
        assert made.table.rows[0].n == sum(np.count_nonzero(r > 0) for r in origins)

    def test_card_says_where_the_model_comes_from(self, trained):
        made, _ = trained
        card = made.model.card
        assert card.data.tickers == ("LONG", "MIDDLE", "TEN", "FIVE")
        assert card.data.bars == 425
        assert card.data.fingerprint == PANEL.fingerprint
        assert card.weights == made.model.network.weight_count
        assert card.device == "cpu"
        assert card.packages["keras"].startswith("3.")
        json.dumps(card.model_dump(mode="json"), allow_nan=False)

    def test_card_keeps_the_network_at_every_step_and_losses_by_month(self, trained):
        made, _ = trained
        scores = made.model.card.scores
        every = sorted({row.step for row in made.table.rows})
        steps = {name: [r.step for r in scores.rows if r.model == name]
                 for name in ("gru", "naive")}  # fmt: skip
        assert steps["gru"] == every
        assert steps["naive"] == [h for h in every if h in (1, 5, every[-1])]
        assert scores.rows[0].model == "gru"
        assert [m.month for m in scores.months] == [str(m) for m in made.losses.months]
        assert sum(m.sessions for m in scores.months) >= scores.sessions_scored - 1
        assert set(scores.months[0].pinball) == {"gru", "naive", "drift", "ewma"}

    def test_model_file_round_trip(self, trained):
        made, _ = trained
        again = from_bytes(to_bytes(made.model), "memory")
        assert predict(again, HISTORIES) == predict(made.model, HISTORIES)
        assert again.card == made.model.card


@pytest.mark.network
class TestShortPanels:
    def test_five_and_ten_sessions_train_together(self):
        panel = Panel(HISTORIES[2:])
        made = run(panel, Settings(units=2, horizon=5))
        assert made.table is None
        assert made.model.card.scores is None
        unmeasured, few = made.notes
        assert "errors are not measured" in unmeasured.message
        assert "step 5 was learned from 5 targets" in few.message
        found = predict(made.model, panel.histories)
        assert [len(f.steps) for f in found.forecasts] == [5, 5]
        for forecast in found.forecasts:
            for step in forecast.steps:
                assert np.all(np.isfinite(list(step.quantiles.values())))

    def test_shorter_ones_are_left_out_with_a_note(self):
        four = garch_history("FOUR", 4, seed=6, last=END)
        made = run(Panel((HISTORIES[2], four)), replace(SETTINGS, epochs=1))
        assert "FOUR was left out" in made.notes[0].message
        assert made.model.card.data.tickers == ("TEN",)

    def test_a_test_part_in_which_nobody_has_two_sessions_is_not_measured(self):
        # LONG ends where the test begins, and SPARSE has the last session alone
        long = HISTORIES[0]
        days = np.append(long.sessions[:60], long.sessions[-1] + np.timedelta64(3, "D"))
        sparse = replace(garch_history("SPARSE", 61, seed=7), sessions=days)
        end = long.sessions[-3]
        made = run(Panel((long, sparse)), replace(SETTINGS, epochs=1), train_end=end, refit=False)
        assert made.split.test_from == long.cutoff
        assert made.table is None
        assert "not measured" in made.notes[0].message


@pytest.mark.network
def test_a_train_end_before_any_history_has_two_sessions_is_refused():
    days = np.datetime64("2020-01-06") + np.arange(60)
    one = replace(garch_history("A", 60, seed=1), sessions=np.append(days[:1], days[1:] + 7))
    two = replace(garch_history("B", 60, seed=2), sessions=days + 1)
    with pytest.raises(DataError, match="no history has two sessions up to 2020-01-07"):
        run(Panel((one, two)), train_end=np.datetime64("2020-01-07"))


@pytest.mark.network
class TestErrorsAreThoseOfPredict:
    def test_the_tables_loss_is_that_of_forecasts_made_day_by_day(self):
        # with windows every forecast reads exactly its context, in the table and in predict
        settings = replace(SETTINGS, supervise="last", context=8, epochs=1)
        made = run(Panel(HISTORIES[:1]), settings, refit=False)
        history = HISTORIES[0]
        losses = []
        for t in np.flatnonzero(history.sessions >= made.split.test_from)[:-1]:
            forecast = predict(made.model, [history], as_of=history.sessions[t]).forecasts[0]
            quantiles = np.array(list(forecast.steps[0].quantiles.values()))
            actual = np.log(history.adjusted_close[t + 1] / history.adjusted_close[t])
            returns = np.log(quantiles / history.close[t])
            losses.append(pinball(np.array([actual]), returns[None], settings.quantiles)[0])
        row = made.table.rows[0]
        assert (row.model, row.step, row.n) == ("gru", 1, len(losses))
        # a backtest renews its calibration every few sessions, a forecast on each
        assert row.pinball == pytest.approx(np.mean(losses), rel=3e-4)


@pytest.mark.network
@pytest.mark.parametrize(
    "changes",
    [
        {"cell": "lstm", "supervise": "last", "bidirectional": True, "windows": "vary"},
        {"cell": "rnn", "activation": "relu", "layers": 2, "scale": "minmax"},
        {"cell": "lstm", "layers": 2, "scale": "standard", "clip_value": 0.5, "context": 4},
    ],
)
def test_other_networks_train_and_forecast(changes):
    settings = replace(SETTINGS, **{"epochs": 1, "context": 8, "units": 2, **changes})
    made = run(Panel(HISTORIES[1:]), settings, refit=False)
    assert made.table.rows[0].model == changes["cell"]
    found = predict(from_bytes(to_bytes(made.model), "memory"), HISTORIES)
    assert len(found.forecasts) == 4
    for forecast in found.forecasts:
        for step in forecast.steps:
            quantiles = list(step.quantiles.values())
            assert quantiles == sorted(quantiles)
            assert np.all(np.isfinite(quantiles))


@pytest.mark.network
@pytest.mark.parametrize(
    ("count", "scale", "said"),
    [
        (2, "volatility", "has bars of 3 or more of its tickers, which are needed. Name more"),
        (3, "standard", "a network of price levels reads closes alone. Leave it out."),
        (3, "volatility", None),
    ],
)
def test_a_market_that_makes_no_state_is_said_and_not_kept(count, scale, said):
    market = tuple(garch_history(f"M{n}", 260, seed=9 + n, last=END) for n in range(count))
    settings = replace(SETTINGS, scale=scale, epochs=1)
    made = run(replace(PANEL, market=market), settings, refit=False)
    notes = [note.message for note in made.notes if "market had no effect" in note.message]
    assert len(notes) == (said is not None)
    assert all(said in note for note in notes)
    assert made.model.card.market == (None if said else ("M0", "M1", "M2"))


def test_batches_are_as_large_as_what_came_before_the_test_lets_them_be(monkeypatch):
    """How many sessions follow a cutoff may not change what is trained up to it."""
    history = garch_history("A", 6000, seed=1)
    tried = []

    class Enough(Exception):
        """Ends the training before it begins."""

    def stop(_panel, _split, settings, *_):
        tried.append(settings.batch_size)
        raise Enough

    monkeypatch.setattr(jobs_train, "fit_and_watch", stop)
    monkeypatch.setattr(model_settings, "STEPS_WANTED", 1)
    settings = Settings(units=2, horizon=2, context=64)
    for train_end, panel in ((1500, history), (1500, history.slice(0, 2000)), (5900, history)):
        with pytest.raises(Enough):
            train(Panel((panel,)), settings, name="m", train_end=history.sessions[train_end])
    assert tried == [32, 32, 128]
