from __future__ import annotations

import numpy as np
import pytest

from forecaster.evaluation.losses import Actuals, ForecastLosses
from forecaster.evaluation.scores import score

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def made(m: int, horizon: int = 3, seed: int = 0):
    """Random actuals, the last ones with unknown steps, and quantiles around them."""
    rng = np.random.default_rng(seed)
    moved = rng.normal(0, 0.02, (m, horizon))
    moved[-2:, 1:] = np.nan
    actuals = Actuals(
        ticker=rng.integers(0, 3, m).astype(np.intp),
        session=np.datetime64("2020-01-01") + np.arange(m),
        last_close=rng.uniform(10, 20, m),
        log_return=moved,
    )
    quantiles = np.sort(rng.normal(0, 0.02, (m, horizon, len(LEVELS))), axis=-1)
    return actuals, quantiles


def part(actuals: Actuals, chosen: slice) -> Actuals:
    return Actuals(
        actuals.ticker[chosen],
        actuals.session[chosen],
        actuals.last_close[chosen],
        actuals.log_return[chosen],
    )


def test_losses_by_a_slow_twin():
    actuals, quantiles = made(12)
    losses = ForecastLosses.of(actuals, quantiles, LEVELS, last_price=False)
    for i in range(12):
        for h in range(3):
            actual, costs = actuals.log_return[i, h], []
            for j, level in enumerate(LEVELS):
                forecast = quantiles[i, h, j]
                # an interval score's way to say it: (1{y ≤ q} − level) · (q − y)
                costs.append(((actual <= forecast) - level) * (forecast - actual))
                assert losses.below([i], h + 1)[0, j] == (actual <= forecast)
            if np.isnan(actual):
                assert np.isnan(losses.pinball[i, h])
            else:
                assert losses.pinball[i, h] == pytest.approx(np.mean(costs), rel=1e-12)
            assert losses.median[i, h] == quantiles[i, h, 2]
    assert losses.count == 12


def test_widths_by_hand():
    actuals = Actuals(
        np.zeros(2, np.intp),
        np.array(["2020-01-01", "2020-01-02"], "datetime64[D]"),
        np.array([100.0, 50.0]),
        np.zeros((2, 1)),
    )
    logs = np.log([[0.9, 0.95, 1.0, 1.05, 1.1], [0.8, 0.9, 1.0, 1.2, 1.4]])
    losses = ForecastLosses.of(actuals, logs[:, None], LEVELS, last_price=False)
    # 50%: 10% and 30% of the last price; 90%: 20% and 60%; 80% has no levels of its own
    assert set(losses.width) == {"0.5", "0.9"}
    assert losses.width["0.5"] == pytest.approx([20.0], rel=1e-13)
    assert losses.width["0.9"] == pytest.approx([40.0], rel=1e-13)


def test_the_last_price_as_point_forecast_leaves_the_quantiles_alone():
    actuals, quantiles = made(12)
    plain = ForecastLosses.of(actuals, quantiles, LEVELS, last_price=False)
    naive = ForecastLosses.of(actuals, quantiles, LEVELS, last_price=True)
    assert np.array_equal(naive.median, np.zeros((12, 3)))
    assert np.array_equal(naive.pinball, plain.pinball, equal_nan=True)
    assert np.array_equal(naive.exceeded, plain.exceeded)


def test_folds_joined_equal_one_piece():
    actuals, quantiles = made(40)
    folds = [slice(0, 7), slice(7, 8), slice(8, 40)]
    whole = ForecastLosses.of(actuals, quantiles, LEVELS, last_price=False)
    parts = [part(actuals, f) for f in folds]
    joined = ForecastLosses.join(
        [
            ForecastLosses.of(a, quantiles[f], LEVELS, last_price=False)
            for a, f in zip(parts, folds, strict=True)
        ]
    )
    together = Actuals.join(parts)
    for field in ("ticker", "session", "last_close", "log_return"):
        assert np.array_equal(
            getattr(together, field), getattr(actuals, field), equal_nan=field == "log_return"
        )
    for field in ("pinball", "median", "exceeded"):
        assert np.array_equal(
            getattr(joined, field), getattr(whole, field), equal_nan=field == "pinball"
        )
    assert joined.count == whole.count
    for share, width in whole.width.items():
        assert joined.width[share] == pytest.approx(width, rel=1e-13)
    one = score(actuals, {"net": whole}, LEVELS, ())
    other = score(together, {"net": joined}, LEVELS, ())
    for ours, theirs in zip(one.rows, other.rows, strict=True):
        assert (ours.pinball, ours.mae, ours.coverage) == (
            theirs.pinball,
            theirs.mae,
            theirs.coverage,
        )


def test_quantiles_that_come_in_parts_lose_as_much():
    actuals, quantiles = made(40)
    whole = ForecastLosses.of(actuals, quantiles, LEVELS, last_price=False)
    parts = (quantiles[rows] for rows in (slice(0, 7), slice(7, 8), slice(8, 40)))
    joined = ForecastLosses.in_parts(actuals, parts, LEVELS, last_price=False)
    for field in ("pinball", "median", "exceeded"):
        assert np.array_equal(getattr(joined, field), getattr(whole, field), equal_nan=True)


def test_which_quantiles_were_exceeded_takes_a_byte():
    actuals, quantiles = made(9)
    losses = ForecastLosses.of(actuals, quantiles, LEVELS, last_price=False)
    assert losses.exceeded.nbytes == actuals.log_return.size
