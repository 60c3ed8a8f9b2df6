"""A forecast unrolled: it is predict's forecast, of each session, and nothing later reaches it."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date

import numpy as np
import pytest
from synthetic import close_only, garch_history, noise_after, random_model, random_network

from forecaster.errors import DataError, SettingsError
from forecaster.features.representation import LEVEL_FEATURES, REACH, VOLATILITY_FEATURES
from forecaster.jobs.explain import LOOKBACKS, explain
from forecaster.jobs.importance import importance
from forecaster.jobs.predict import predict
from forecaster.market.bars import Action, Panel, history_from_closes
from forecaster.model.card import SplitDates
from forecaster.model.numpy_rnn import forward_last, traces
from forecaster.model.settings import Settings

LONG = garch_history("LONG", 420, seed=1)
PANEL = Panel((LONG, *(garch_history(f"OTHER{i}", 420, seed=20 + i) for i in range(3))))
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
KINDS = {
    "gru": {},
    "two layers of lstm": {"cell": "lstm", "layers": 2},
    "rnn on windows": {"cell": "rnn", "supervise": "last"},
    "both ways": {"cell": "lstm", "supervise": "last", "bidirectional": True},
    "minmax": {"scale": "minmax"},
    "standard": {"scale": "standard"},
}


def model_of(panel=PANEL, **more):
    settings = {"units": 4, "horizon": 3, "quantiles": LEVELS, "context": 16, **more}
    return random_model(Settings(**settings), panel, size=0.1)


@pytest.fixture(params=KINDS)
def model(request):
    return model_of(**KINDS[request.param])


def carded(model, trained_to: str, test_from: str | None = None):
    day = date.fromisoformat(trained_to)
    first = None if test_from is None else date.fromisoformat(test_from)
    end, last = min(day, first or day), max(day, first or day)
    split = SplitDates(fit_end=end, valid_from=None, train_end=end, test_from=first, last=last)
    update = {"trained_to": day, "split": split}
    return replace(model, card=model.card.model_copy(update=update))


class TestUnrolled:
    @pytest.mark.parametrize("step", [1, 3])
    def test_the_last_session_is_what_predict_says_to_the_bit(self, model, step):
        (day,) = explain(model, LONG, last=1, step=step).days
        (made,) = predict(model, [LONG], horizon=step).forecasts
        assert day.target == made.steps[-1]
        assert day.session == made.cutoff
        assert (day.low, day.median, day.high) == tuple(
            made.steps[-1].quantiles[q] for q in (0.05, 0.5, 0.95)
        )

    def test_every_session_is_what_predict_said_then_to_the_bit(self, model):
        days = explain(model, LONG, last=6).days
        assert [d.session for d in days] == LONG.sessions[-6:].tolist()
        for day in days:
            (made,) = predict(model, [LONG], horizon=1, as_of=day.session).forecasts
            assert day.target == made.steps[0]

    def test_changes_are_from_one_session_to_the_next(self):
        days = explain(model_of(), LONG, last=7).days
        widths = [100 * (d.high - d.low) / d.close for d in days]
        drifts = [100 * (d.median / d.close - 1) for d in days]
        assert [d.width for d in days] == pytest.approx(widths)
        for i in range(1, 7):
            assert days[i].width_change == pytest.approx(100 * (widths[i] / widths[i - 1] - 1))
            assert days[i].drift_change == pytest.approx(drifts[i] - drifts[i - 1])
        assert days[0].width_change == explain(model_of(), LONG, last=8).days[1].width_change
        moves = [abs(np.log1p(d.width_change / 100)) for d in days]
        assert [d.moved_most for d in days] == [m == max(moves) for m in moves]

    def test_bars_are_in_plain_units(self):
        day = explain(model_of(), LONG, last=1).days[0]
        close, before = LONG.adjusted_close[-1], LONG.adjusted_close[-2]
        assert day.bar.return_percent == pytest.approx(100 * (close / before - 1))
        assert day.bar.range_percent == pytest.approx(100 * (LONG.high[-1] / LONG.low[-1] - 1))
        assert day.bar.gap_percent == pytest.approx(100 * (LONG.open[-1] / LONG.close[-2] - 1))
        assert day.bar.volume_times_usual == pytest.approx(
            LONG.volume[-1] / LONG.volume[-21:-1].mean()
        )
        sigma = model_of().representation.encode(LONG).scale.measures.volatility[-1]
        assert day.bar.volatility_percent_a_year == pytest.approx(
            100 * sigma * np.sqrt(252), rel=1e-6
        )

    def test_what_the_bars_do_not_tell_is_unknown(self):
        bar = explain(model_of(), close_only(LONG), last=1).days[0].bar
        assert (bar.range_percent, bar.gap_percent, bar.volume_times_usual) == (None, None, None)
        assert bar.return_percent is not None

    def test_a_coin_has_365_sessions_a_year(self):
        coin = replace(LONG, sessions=LONG.sessions[0] + np.arange(len(LONG)))
        stock = explain(model_of(), LONG, last=1).days[0].bar.volatility_percent_a_year
        ours = explain(model_of(), coin, last=1).days[0].bar.volatility_percent_a_year
        assert ours / stock == pytest.approx(np.sqrt(365 / 252))

    def test_inputs_are_the_networks_own_and_companions_unknown(self):
        model = model_of()
        day = explain(model, LONG, last=1).days[0]
        row = model.representation.encode(LONG).inputs[-1]
        assert list(day.inputs) == list(VOLATILITY_FEATURES)
        for name, value in zip(VOLATILITY_FEATURES, row, strict=True):
            if name.startswith("companions"):
                assert day.inputs[name] is None
            else:
                assert day.inputs[name] == pytest.approx(float(value))
        assert list(explain(model_of(scale="minmax"), LONG).days[0].inputs) == list(LEVEL_FEATURES)

    def test_states_are_those_that_the_forecast_was_made_from(self, model):
        day = explain(model, LONG, last=1).days[0]
        window = model.representation.encode(LONG).inputs[-16:][None]
        found = traces(model.network, window)
        assert len(day.states) == len(found)
        for state, trace in zip(day.states, found, strict=True):
            end = trace.state[0, 0 if trace.backward else -1]
            assert state.size == pytest.approx(np.sqrt(np.sum(end**2)), rel=1e-5)
            assert (state.memory is None) == (model.settings.cell != "lstm")
        whole = np.sqrt(sum(s.size**2 for s in day.states))
        assert day.state_size == pytest.approx(whole)

    def test_the_outermost_levels_stand_in_for_a_missing_interval(self):
        found = explain(model_of(quantiles=(0.1, 0.5, 0.8)), LONG, last=2)
        assert found.levels == (0.1, 0.8)
        alone = explain(model_of(quantiles=(0.5,)), LONG, last=3)
        assert alone.levels is None
        assert {d.width for d in alone.days} == {None}
        assert sum(d.moved_most for d in alone.days) == 1
        assert {w.width_change for w in alone.withheld} == {None}

    @pytest.mark.parametrize("levels", [(0.05, 0.25, 0.75, 0.95), (0.1, 0.9), (0.3, 0.6)])
    def test_a_median_between_two_levels_is_between_their_prices(self, levels):
        (day,) = explain(model_of(quantiles=levels), LONG, last=1).days
        below, above = (max(q for q in levels if q < 0.5), min(q for q in levels if q > 0.5))
        share = (0.5 - below) / (above - below)
        low, high = np.log([day.target.quantiles[below], day.target.quantiles[above]])
        assert np.log(day.median) == pytest.approx(low + share * (high - low), rel=1e-12)
        assert day.drift == pytest.approx(100 * (day.median / day.close - 1), rel=1e-9)


def test_traces_end_in_the_forecast(model):
    inputs = np.random.default_rng(3).normal(size=(2, 9, len(model.representation.features)))
    inputs = inputs.astype(np.float32)
    found = traces(model.network, inputs)
    top = [t for t in found if t.layer == model.settings.layers - 1]
    final = np.concatenate([t.state[:, 0 if t.backward else -1] for t in top], axis=-1)
    answer = model.network.head.quantiles(final, inputs[:, -1], LEVELS)
    assert np.array_equal(answer, forward_last(model.network, inputs))
    for trace in found:
        if trace.cell_state is not None:
            assert np.all(np.abs(trace.state) <= np.abs(np.tanh(trace.cell_state)) + 1e-6)


class TestWithheld:
    def test_it_is_what_predict_says_of_a_shorter_history(self, model):
        found = explain(model, LONG, step=2)
        assert [w.sessions for w in found.withheld] == list(LOOKBACKS)
        (whole,) = predict(model, [LONG], horizon=2).forecasts
        all_of = whole.steps[-1].quantiles
        for one in found.withheld:
            part = LONG.slice(len(LONG) - one.sessions - 1, len(LONG))
            (made,) = predict(model, [part], horizon=2).forecasts
            less = made.steps[-1].quantiles
            shift = 100 * (less[0.5] - all_of[0.5]) / LONG.close[-1]
            wider = 100 * ((less[0.95] - less[0.05]) / (all_of[0.95] - all_of[0.05]) - 1)
            assert one.median_change == pytest.approx(shift, abs=1e-12)
            assert one.width_change == pytest.approx(wider, abs=1e-12)

    def test_a_model_looks_back_to_the_last_change_that_counts(self):
        found = explain(model_of(), LONG)
        changes = {w.sessions: abs(w.width_change) for w in found.withheld}
        enough = [k for k in LOOKBACKS if all(v < 1 for j, v in changes.items() if j >= k)]
        assert found.looks_back == (min(enough) if enough else None)

    def test_price_levels_in_a_window_look_back_no_further_than_it(self):
        # minmax with fitted levels: nothing but the window reaches the forecast
        found = explain(model_of(scale="minmax", context=16), LONG)
        assert found.looks_back is not None
        assert found.looks_back <= 20
        assert [w.width_change for w in found.withheld if w.sessions >= 20] == [0.0] * 4

    def test_a_short_history_withholds_what_it_can_and_says_so(self):
        found = explain(model_of(), LONG.slice(0, 8), last=20)
        assert [w.sessions for w in found.withheld] == [1, 2, 5]
        assert len(found.days) == 7
        assert any("7 sessions are shown instead of 20" in n.message for n in found.notes)
        assert any("10, 20, 60, 120, 250" in n.message for n in found.notes)
        assert found.importance is None
        assert any("Too few sessions" in n.message for n in found.notes)

    def test_two_bars_are_enough_and_one_is_not(self):
        found = explain(model_of(), LONG.slice(0, 2))
        assert (len(found.days), found.withheld, found.looks_back) == (1, (), None)
        assert found.days[0].width_change is None
        assert not found.days[0].moved_most
        assert "LONG has 2 bars, so 1 session is shown instead of 10." in [
            n.message for n in found.notes
        ]
        with pytest.raises(DataError, match="has 1 bar"):
            explain(model_of(), LONG.slice(0, 1))


class TestNothingLater:
    CUTOFF = LONG.sessions[299]

    @pytest.mark.parametrize("kind", KINDS)
    def test_reaches_an_explanation_as_of_a_date(self, kind):
        model = model_of(Panel(tuple(h.up_to(self.CUTOFF) for h in PANEL)), **KINDS[kind])
        ours = explain(model, LONG, as_of=self.CUTOFF, one_by_one=True)
        for other in (noise_after(LONG, self.CUTOFF), LONG.up_to(self.CUTOFF)):
            theirs = explain(model, other, as_of=self.CUTOFF, one_by_one=True)
            assert ours.days == theirs.days
            assert ours.withheld == theirs.withheld
            assert asdict(ours.importance) == asdict(theirs.importance)
            assert ours.notes == theirs.notes
        assert explain(model, noise_after(LONG, self.CUTOFF)).days != explain(model, LONG).days

    def test_reaches_an_earlier_session(self):
        days = explain(model_of(scale="standard"), LONG, last=20).days
        noisy = noise_after(LONG, LONG.sessions[-6])
        for one, other in zip(days, explain(model_of(scale="standard"), noisy, last=20).days,
                              strict=True):  # fmt: skip
            same = (one.target, one.bar, one.inputs, one.states, one.width_change) == (
                other.target, other.bar, other.inputs, other.states, other.width_change,
            )  # fmt: skip
            assert same == (one.session <= LONG.sessions[-6])


def test_a_model_that_has_seen_what_came_next_says_so():
    model = carded(model_of(), str(LONG.sessions[-1]))
    early = explain(model, LONG, as_of=LONG.sessions[300]).notes
    assert any("seen what came after" in note.message for note in early)
    assert not any("seen what came after" in n.message for n in explain(model, LONG).notes)


def test_companions_are_said_to_be_unknown():
    assert any(
        "one history is read by itself" in n.message for n in explain(model_of(), LONG).notes
    )
    single = model_of(Panel((LONG,)))
    assert any("trained without them" in n.message for n in explain(single, LONG).notes)
    assert not any(
        "ther tickers" in n.message for n in explain(model_of(scale="minmax"), LONG).notes
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [({"last": 0}, "last is 0"), ({"last": 251}, "last"), ({"step": 4}, "1 to 3"),
     ({"step": 0}, "step is 0")],
)  # fmt: skip
def test_options_out_of_range_are_refused(options, said):
    with pytest.raises(SettingsError, match=said):
        explain(model_of(), LONG, **options)


def test_a_price_that_never_moves_is_explained_too():
    still = history_from_closes("STILL", LONG.sessions[:60], np.full(60, 5.0))
    found = explain(model_of(), still)
    assert len(found.days) == 10
    assert np.isfinite(found.days[-1].state_size)


def test_a_relu_network_and_one_without_a_90_percent_interval():
    settings = Settings(cell="rnn", activation="relu", units=3, horizon=1, quantiles=(0.1, 0.5))
    model = model_of(cell="rnn", activation="relu")
    network = random_network(settings, len(VOLATILITY_FEATURES), size=0.05)
    model = replace(model, settings=settings, network=network)
    assert explain(model, LONG, last=1).days[0].state_size >= 0


def test_a_long_history_is_read_as_far_as_predict_reads_it():
    long = garch_history("LONG", REACH + 60, seed=3)
    days = explain(model_of(), long, last=2).days
    for day in days:
        (made,) = predict(model_of(), [long], horizon=1, as_of=day.session).forecasts
        assert day.target == made.steps[0]
    whole = importance(model_of(), long, step=1, seed=0, one_by_one=False)
    newer = importance(model_of(), long.slice(60, len(long)), step=1, seed=0, one_by_one=False)
    assert whole.pinball == pytest.approx(newer.pinball, rel=1e-3)


def test_a_split_that_came_later_is_undone_as_predict_undoes_it():
    split = Action(LONG.sessions[-3], 2.0)
    history = replace(LONG, splits=(split,))
    days = explain(model_of(), history, last=6).days
    for day in days:
        (made,) = predict(model_of(), [history], horizon=1, as_of=day.session).forecasts
        assert day.target == made.steps[0]
    assert days[0].close == pytest.approx(2.0 * LONG.close[-6])
    plain = explain(model_of(), LONG, last=6).days
    assert [d.width_change for d in days] == pytest.approx([d.width_change for d in plain])
    assert [d.bar.gap_percent for d in days] == pytest.approx([d.bar.gap_percent for d in plain])
