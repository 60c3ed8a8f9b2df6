"""Equal identity, equal forecast: the market state is an input like a ticker's own bars."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from synthetic import closing_at, garch_history, random_model

from forecaster.features.cross_section import FEWEST
from forecaster.jobs.packed_panel import pack
from forecaster.jobs.predict import predict
from forecaster.market.bars import Panel
from forecaster.model.settings import Settings

SETTINGS = Settings(units=4, horizon=3, quantiles=(0.05, 0.5, 0.95), context=40)
HOURS = {"XTKS": 6, "XNYS": 21, None: 0}
CROWD = tuple(
    garch_history(f"T{i:02d}", 120 - 2 * i, seed=50 + i, last="2018-01-01") for i in range(9)
)
MARKET = tuple(garch_history(f"M{i}", 200, seed=80 + i, last="2018-01-01") for i in range(FEWEST))


@pytest.fixture(scope="module")
def model():
    return random_model(SETTINGS, Panel(CROWD), seed=2)


def quantiles(forecast) -> np.ndarray:
    return np.array([list(step.quantiles.values()) for step in forecast.steps])


def assert_same(one, other):
    """Equal in all but the last bits: a product of one row rounds otherwise than one of several."""
    assert replace(one, steps=()) == replace(other, steps=())
    assert np.allclose(quantiles(one), quantiles(other), rtol=1e-12, atol=0)


def test_other_neighbours_are_another_identity(model):
    alone, listed, more = (
        predict(model, CROWD[:count]).forecasts[0] for count in (1, FEWEST, FEWEST + 2)
    )
    assert [f.market_tickers for f in (alone, listed, more)] == [0, FEWEST, FEWEST + 2]
    assert len({f.fingerprint for f in (alone, listed, more)}) == 3
    assert alone.fingerprint == CROWD[0].fingerprint  # as it was before there was a market state
    assert not np.allclose(quantiles(alone), quantiles(listed), rtol=1e-6)


def test_with_a_market_set_neighbours_do_not_matter(model):
    alone = predict(model, CROWD[:1], market=MARKET).forecasts[0]
    for others in (CROWD, CROWD[::-1], (CROWD[0], CROWD[4])):
        for market in (MARKET, MARKET[::-1]):
            made = predict(model, others, market=market).forecasts
            (again,) = [f for f in made if f.ticker == alone.ticker]
            assert_same(again, alone)
    assert alone.market_tickers == FEWEST
    assert alone != predict(model, CROWD[:1]).forecasts[0]


def test_a_market_set_may_hold_the_ticker_itself(model):
    inside = predict(model, CROWD[:1], market=CROWD[: FEWEST + 1]).forecasts[0]
    assert inside.market_tickers == FEWEST + 1
    listed = predict(model, CROWD[: FEWEST + 1]).forecasts[0]
    assert (inside.fingerprint, inside.steps) == (listed.fingerprint, listed.steps)


def test_a_market_set_that_lacks_the_session_is_no_state(model):
    early = tuple(history.slice(0, 150) for history in MARKET)
    made = predict(model, CROWD[:1], market=early).forecasts[0]
    assert made.market_tickers == 0
    assert made.fingerprint != CROWD[0].fingerprint  # earlier sessions saw it
    never = predict(model, CROWD[:1], market=()).forecasts[0]
    assert np.array_equal(quantiles(never), quantiles(predict(model, CROWD[:1]).forecasts[0]))


def test_a_model_without_a_market_state_is_never_asked_for_one(model):
    plain = replace(model, representation=replace(model.representation, market_state=False))
    alone, listed = (predict(plain, CROWD[:count]).forecasts[0] for count in (1, FEWEST))
    assert_same(alone, listed)
    assert listed.market_tickers == 0


@pytest.mark.parametrize("seed", range(20))
def test_rows_of_equal_identity_hold_equal_quantiles(model, seed):
    """Random watchlists, orders, cutoffs, calendars, market sets and tickers that failed."""
    choose = random.Random(seed)
    found: dict[tuple[str, str, str], np.ndarray] = {}
    calendars = {history.ticker: choose.choice(list(HOURS)) for history in CROWD}
    every = [
        history if (code := calendars[history.ticker]) is None
        else closing_at(history, code, HOURS[code])
        for history in CROWD
    ]  # fmt: skip
    repeated = 0
    tasks = []
    for _ in range(10):
        market = choose.choice([None, MARKET, tuple(choose.sample(every, FEWEST))])
        day = choose.choice([None, every[0].sessions[-5]])
        tasks.append((choose.sample(every, choose.randint(1, len(every))), market, day))
    for chosen, market, day in [*tasks, *((c[::-1], m and m[::-1], d) for c, m, d in tasks[:4])]:
        for forecast in predict(model, chosen, market=market, as_of=day).forecasts:
            key = (forecast.ticker, str(forecast.cutoff), forecast.fingerprint)
            if key in found:
                repeated += 1
                assert np.allclose(found[key], quantiles(forecast), rtol=1e-9, atol=0)
            found[key] = quantiles(forecast)
    assert repeated
    assert len({np.round(q[0, 0], 9) for q in found.values()}) > 20


def test_a_packed_panel_keeps_its_market_and_closing_times():
    timed = tuple(closing_at(history, "XNYS", 21) for history in CROWD[:2])
    for panel in (Panel(timed, MARKET), Panel(CROWD[:3]), Panel(timed, ())):
        unpacked = pack(panel).panel()
        assert unpacked.fingerprint == panel.fingerprint
        assert unpacked.market_tickers == panel.market_tickers
        for one, two in zip(unpacked, panel, strict=True):
            assert (one.closes is None) == (two.closes is None)
            assert one.closes is None or np.array_equal(one.closes, two.closes)


def test_a_panel_is_cut_with_its_market():
    panel = Panel(CROWD, MARKET)
    day = MARKET[0].sessions[100]
    assert all(history.cutoff <= day for history in panel.up_to(day).market)
    assert panel.keep(lambda history: len(history) > 110).market == MARKET
    assert panel.fingerprint != Panel(CROWD).fingerprint
