"""Forecasts of a calibrated model: what counts as evidence, and that it is the same everywhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import close_only, garch_history, random_model

from forecaster.features.representation import Representation
from forecaster.market.bars import Panel
from forecaster.model.artifact import Model, from_bytes, to_bytes
from forecaster.model.calibration import WINDOW
from forecaster.model.forecaster import Forecaster
from forecaster.model.inference import outputs_now
from forecaster.model.past_forecasts import RENEWED
from forecaster.model.rulers import Rulers
from forecaster.model.settings import Settings

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
SETTINGS = Settings(units=4, horizon=6, quantiles=LEVELS, context=12)
TRAINED = Panel(tuple(garch_history(f"OLD{i}", 400, 20 + i) for i in range(2)))
DAWN = np.datetime64("1990-01-01")
HISTORIES = [garch_history(f"NEW{i}", n, i) for i, n in enumerate((900, 300, 40, 3, 2))]


def model(**changes) -> Model:
    settings = replace(SETTINGS, **changes)
    return random_model(settings, TRAINED, seed=3, size=0.1, calibrated=True)


def now(forecaster: Forecaster, histories, *, record: bool = False):
    """Forecasts from the ends of histories, each encoded by itself, and how they came about."""
    last = forecaster.sessions_read
    encoded = [forecaster.representation.encode_all([h], last=last)[0] for h in histories]
    answers = outputs_now(forecaster.network, encoded, forecaster.settings.context_length)
    return list(zip(answers, forecaster.calibrated(encoded, answers, record=record), strict=True))


def at(forecaster: Forecaster, history, rows) -> np.ndarray:
    encoded = forecaster.representation.encode_all([history])
    return forecaster.quantiles_at(encoded, [np.asarray(rows)])[0]


def test_evidence_is_counted():
    found = [calibration for _, (_, calibration) in now(model().forecaster, HISTORIES)]
    counts = [None if each is None else each.past_forecasts for each in found]
    assert counts == [WINDOW, 298, 38, 1, None]


def test_networks_that_read_windows_look_at_every_seventh_session():
    found = [c for _, (_, c) in now(model(supervise="last").forecaster, HISTORIES)]
    assert [c and c.past_forecasts for c in found] == [107, 42, 5, None, None]


def test_without_rulers_the_network_answers():
    for answer, (made, calibration) in now(model().uncalibrated().forecaster, HISTORIES):
        assert np.array_equal(answer, made)
        assert calibration is None


@pytest.mark.parametrize("supervise", ["prefixes", "last"])
def test_a_forecast_now_is_that_of_a_backtest(supervise):
    forecaster = model(supervise=supervise).forecaster
    for history, (_, (made, _)) in zip(HISTORIES, now(forecaster, HISTORIES), strict=True):
        rows = [len(history) - 1]
        returns = at(forecaster, history, rows)[0]
        expected = forecaster.representation.scaling.scale(history).log_returns(
            made[None], np.array(rows)
        )[0]
        assert returns == pytest.approx(expected, rel=2e-3, abs=1e-4)


def test_others_beside_it_change_nothing():
    forecaster = model().forecaster
    together = now(forecaster, HISTORIES)
    for history, (_, (made, calibration)) in zip(HISTORIES, together, strict=True):
        ((_, (alone, found)),) = now(forecaster, [history])
        assert made == pytest.approx(alone, rel=1e-12)
        assert (calibration is None) == (found is None)
        if found is not None:
            assert calibration.spread == pytest.approx(found.spread, rel=1e-12)


def test_a_backtest_corrects_anew_every_few_sessions():
    forecaster = model().forecaster
    history = HISTORIES[1]
    rows = np.arange(250, 290)
    every, raw = (at(f, history, rows) for f in (forecaster, forecaster.uncalibrated()))
    ratio = (every[:, 0, -1] - every[:, 0, 0]) / (raw[:, 0, -1] - raw[:, 0, 0])
    assert len(np.unique(ratio.round(9))) > 1
    alone = np.concatenate([at(forecaster, history, [row]) for row in rows])
    assert every == pytest.approx(alone, rel=0.05, abs=5e-3)
    assert RENEWED < 10


class TestTickersOfTheTraining:
    def forecaster(self, place: int) -> Forecaster:
        sessions = HISTORIES[1].sessions
        made = model().forecaster
        return replace(made, trained_on=frozenset({"NEW1"}), trained_to=sessions[place])

    def test_have_no_evidence_from_before_its_end(self):
        ((answer, (made, calibration)),) = now(self.forecaster(-1), HISTORIES[1:2])
        assert np.array_equal(answer, made)
        assert calibration is None

    def test_have_evidence_from_then_on(self):
        ((_, (_, calibration)),) = now(self.forecaster(-51), HISTORIES[1:2])
        assert calibration.past_forecasts == 50

    def test_need_more_evidence_than_others(self):
        forecaster = replace(model(), network=_wider(model().network, 1.3)).forecaster
        known = replace(forecaster, trained_on=frozenset({"NEW1"}), trained_to=DAWN)
        spreads = [now(f, HISTORIES[1:2])[0][1][1].spread[0] for f in (forecaster, known)]
        assert spreads[0] < spreads[1] <= 1.0

    def test_are_forecast_as_ever_before_it(self):
        forecaster, rows = self.forecaster(-51), np.arange(200, 299)
        made = at(forecaster, HISTORIES[1], rows)
        raw = at(forecaster.uncalibrated(), HISTORIES[1], rows)
        seen = 300 - 51
        assert np.array_equal(made[: seen - 200], raw[: seen - 200])
        assert not np.array_equal(made[-1], raw[-1])


def test_the_record_is_of_the_last_year():
    found = [calibration for _, (_, calibration) in now(model().forecaster, HISTORIES, record=True)]
    assert [c.losses.forecasts for c in found if c] == [250, 250, 38, 1]
    wide = replace(
        model(), network=_wider(model().network, 2.0)
    ).forecaster  # twice as wide as it should be, or nearly
    ((_, (_, calibration)),) = now(wide, HISTORIES[:1], record=True)
    assert calibration.losses.after < calibration.losses.before
    assert calibration.spread[0] < 0.9


def _wider(network, factor: float):
    horizon = network.horizon
    bias = network.head.bias.copy()
    bias[horizon:] += np.float32(np.log(factor))
    return replace(network, head=replace(network.head, bias=bias))


@pytest.mark.parametrize(
    "changes", [{"scale": "minmax"}, {"quantiles": (0.5,)}], ids=["price levels", "one level"]
)
def test_networks_without_volatilities_or_distributions_are_left_alone(changes):
    made = model(**changes)
    assert made.rulers is None
    for answer, (same, calibration) in now(made.forecaster, HISTORIES):
        assert np.array_equal(answer, same)
        assert calibration is None


def test_an_unstable_network_is_not_corrected():
    network = model().network
    broken = replace(
        network, head=replace(network.head, bias=network.head.bias * np.float32(np.nan))
    )
    ((answer, (made, calibration)),) = now(
        replace(model(), network=broken).forecaster, HISTORIES[:1]
    )
    assert calibration is None
    assert np.array_equal(answer, made, equal_nan=True)


class TestRulersInTheFile:
    def test_come_back_to_the_bit(self):
        one = model()
        two = from_bytes(to_bytes(one), "a file")
        assert two.id == one.id
        for name, numbers in one.rulers.arrays().items():
            assert np.array_equal(numbers, two.rulers.arrays()[name])

    def test_are_part_of_the_id(self):
        one = model()
        assert len({one.id, one.uncalibrated().id}) == 2
        assert from_bytes(to_bytes(one.uncalibrated()), "a file").rulers is None

    @pytest.mark.parametrize("name", ["coefficients", "shape", "ewma"])
    def test_are_checked(self, name):
        arrays = dict(model().rulers.arrays())
        key = f"rulers/{name}"
        for wrong in (
            arrays[key][:, :-1],
            arrays[key].astype(np.float32),
            arrays[key] * np.nan,
        ):
            with pytest.raises(ValueError, match="finite 64-bit"):
                Rulers.from_arrays(arrays | {key: wrong}, 6, len(LEVELS))
        del arrays[key]
        with pytest.raises(KeyError):
            Rulers.from_arrays(arrays, 6, len(LEVELS))

    def test_must_rise(self):
        arrays = dict(model().rulers.arrays())
        arrays["rulers/shape"] = arrays["rulers/shape"][:, ::-1].copy()
        with pytest.raises(ValueError, match="do not rise"):
            Rulers.from_arrays(arrays, 6, len(LEVELS))


def test_rulers_of_many_sessions_are_fitted_on_some(monkeypatch):
    from forecaster.model import rulers

    histories = list(TRAINED.histories) * 4
    scaling = Representation.fit("volatility", histories).scaling
    every = Rulers.fit(scaling, histories[::4], 6, LEVELS)
    monkeypatch.setattr(rulers, "_MOST_SESSIONS", 800)
    some = Rulers.fit(scaling, histories, 6, LEVELS)
    assert np.array_equal(some.regression.coefficients, every.regression.coefficients)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", ["constant", "stuck", "two bars"])
def test_rulers_of_next_to_nothing_leave_finite_forecasts(kind):
    """Of constant prices, or of one return, a ruler has no width."""
    bars = garch_history("OLD", 2 if kind == "two bars" else 300, 1)
    still = bars.close.copy()
    if kind in ("constant", "stuck"):
        still[0 if kind == "constant" else 100 :] = still[0]
        bars = replace(close_only(bars), close=still, adjusted_close=still)
    made = random_model(SETTINGS, Panel((bars,)), size=0.05, calibrated=True).forecaster
    flat = replace(close_only(HISTORIES[1]), close=np.full(300, 9.0), adjusted_close=np.ones(300))
    for history in (*HISTORIES, flat, flat.slice(0, 10)):
        (_, (quantiles, calibration)) = now(made, [history], record=True)[0]
        assert np.all(np.abs(quantiles) < 1e3)
        assert np.all(np.diff(quantiles) >= 0)
        assert calibration is None or np.all(np.isfinite(calibration.spread))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [-1e3, 1e3])
def test_a_regression_far_from_what_it_was_fitted_on_leaves_finite_forecasts(size):
    forecaster = model().forecaster
    wild = replace(forecaster.rulers.regression, coefficients=np.full((8, 6), size))
    forecaster = replace(forecaster, rulers=replace(forecaster.rulers, regression=wild))
    for _, (quantiles, _) in now(forecaster, HISTORIES, record=True):
        assert np.all(np.abs(quantiles) < 1e3)
