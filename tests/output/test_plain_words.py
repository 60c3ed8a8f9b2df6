"""A forecast in one sentence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from printed import printed

from forecaster.jobs.predict import Predictions, Step, TickerForecast
from forecaster.model.artifact import load
from forecaster.model.past_forecasts import Calibration, PastLosses
from forecaster.model.registry import BOXED
from forecaster.output.predict import predict_table
from forecaster.output.tabular.plain_words import (
    calibration_line,
    forecast_sentence,
    level_legend,
    past_skill_line,
)

APPLE = {0.05: 404.26, 0.25: 421.27, 0.5: 432.01, 0.75: 442.72, 0.95: 460.4}


def ahead(
    quantiles: dict[float, float], last: float, steps: int = 5, currency: str | None = "USD"
) -> TickerForecast:
    day = np.datetime64("2024-01-02")
    made = tuple(Step(h, day + h, False, last, quantiles) for h in range(1, steps + 1))
    return TickerForecast("ABC", day, last, currency, made, "f" * 64)


def test_the_last_step_in_one_sentence():
    assert forecast_sentence(ahead(APPLE, 430.47)) == (
        "In 5 sessions: half the time between 421 and 443 USD, one time in ten outside 404 to 460;"
        " direction is hardly forecast."
    )


@pytest.mark.parametrize(
    ("scale", "words"),
    [
        (1e-6, "between 0.000421 and 0.000443 USD, one time in ten outside 0.000404 to 0.000460;"),
        (0.1, "between 42.1 and 44.3 USD, one time in ten outside 40.4 to 46.0;"),
        (100, "between 42,100 and 44,300 USD, one time in ten outside 40,400 to 46,000;"),
    ],
)
def test_prices_have_two_digits_of_the_spread(scale, words):
    scaled = {level: price * scale for level, price in APPLE.items()}
    assert words in forecast_sentence(ahead(scaled, 430.47 * scale))


def test_one_session_is_one_and_an_unknown_currency_is_not_named():
    said = forecast_sentence(ahead(APPLE, 430.47, 1, None))
    assert said.startswith("In 1 session: half the time between 421 and 443, one")


def test_a_forecast_that_is_late_counts_from_its_cutoff():
    late = replace(ahead(APPLE, 430.47), sessions_behind=3)
    assert forecast_sentence(late).startswith("5 sessions after 2024-01-02: half the time")


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (430.0, "direction is hardly forecast."),
        (421.27, "75% of the time above 421.27."),
        (451.0, "84% of the time below 451.00."),
        (400.0, "more than 95% of the time above 400.00."),
        (500.0, "more than 95% of the time below 500.00."),
    ],
)
def test_a_direction_is_named_where_one_is_forecast(last, words):
    assert forecast_sentence(ahead(APPLE, last)).endswith(f"; {words}")


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        ((0.1, 0.5, 0.9), "In 5 sessions: 80% of the time between 409 and 456 USD; "),
        (
            (0.05, 0.1, 0.5, 0.9, 0.95),
            "In 5 sessions: 80% of the time between 409 and 456 USD, one time in ten outside 404",
        ),
        (
            (0.05, 0.25, 0.75, 0.9),
            "In 5 sessions: half the time between 421 and 443 USD; ",
        ),
        ((0.1, 0.5, 0.75), "In 5 sessions: 65% of the time between 409 and 443 USD; "),
        ((0.3, 0.5, 0.7), "In 5 sessions: 40% of the time between 423 and 441 USD; direction"),
        ((0.5,), "In 5 sessions: 50% of the time below 432.01 USD."),
        ((0.6, 0.8), "In 5 sessions: 60% of the time below "),
    ],
)
def test_a_model_says_what_its_levels_allow(levels, words):
    prices = {level: float(np.interp(level, list(APPLE), list(APPLE.values()))) for level in levels}
    assert forecast_sentence(ahead(prices, prices[levels[0]] + 5)).startswith(words)


def test_an_outer_interval_is_one_that_the_model_has():
    wide = {0.025: 390.0, 0.25: 421.27, 0.75: 442.72, 0.975: 480.0}
    assert forecast_sentence(ahead(wide, 430.47)) == (
        "In 5 sessions: half the time between 421 and 443 USD, 5% of the time outside 390 to 480;"
        " direction is hardly forecast."
    )


def test_a_price_that_does_not_move_has_an_interval_without_width():
    assert "between 7.0000 and 7.0000 USD" in forecast_sentence(ahead(dict.fromkeys(APPLE, 7.0), 7))


def test_each_of_several_tickers_has_its_own_and_the_direction_is_said_once():
    one = ahead(APPLE, 430.47)
    two = replace(ahead({q: p / 10 for q, p in APPLE.items()}, 43.047), ticker="XYZ")
    said = printed(predict_table(Predictions((one, two), ()), load(BOXED), 200))
    assert said.index("421 and 443 USD") < said.index("XYZ  43.05") < said.index("42.1 and 44.3")
    assert said.lower().count("direction is hardly forecast") == 1
    assert said.count("how often the price should be below") == 1


def test_the_levels_are_explained_as_they_are():
    assert level_legend([0.025, 0.5, 0.975]).plain == (
        "2.5% to 97.5%: how often the price should be below that; median: half the time below"
    )
    assert level_legend([0.1]).plain == "10%: how often the price should be below that"
    assert level_legend([0.5]).plain == "median: half the time below"


def calibrated(ticker: str, spread: float, weight: float, past: int) -> TickerForecast:
    losses = PastLosses(min(past, 250), before=1.05, after=0.99, ewma=1.0)
    found = Calibration(past, (spread, spread, 1.0), (weight, 0.0, 0.0), losses)
    return replace(ahead(APPLE, 430.47, steps=3), ticker=ticker, calibration=found)


def test_a_line_says_what_calibration_did():
    assert calibration_line(ahead(APPLE, 430.47)) == ""
    assert calibration_line(calibrated("A", 0.9, 0.3, 750)) == (
        "Calibrated by 750 past forecasts: spread × 0.90 and × 1.00, har weighs 30% and 0% at"
        " h = 1 and 3."
    )
    assert calibration_line(calibrated("A", 1.001, 0.0, 1)) == (
        "Calibrated by 1 past forecast: spread as it was at h = 1 and 3."
    )


def test_a_line_says_whose_past_forecasts_had_what_skill():
    one, two = calibrated("A", 0.9, 0.3, 750), calibrated("B", 1.1, 0.0, 100)
    skill = "one session ahead: skill -5.0% over ewma before calibration, +1.0% after."
    assert past_skill_line([one]) == f"On the last 250 sessions of this ticker, {skill}"
    assert past_skill_line([one, two]) == f"On the last 250 sessions of 2 tickers, {skill}"
    assert past_skill_line([ahead(APPLE, 1.0), two]) == f"On the last 100 sessions of B, {skill}"
    assert past_skill_line([ahead(APPLE, 1.0)]) == ""


def test_a_skill_over_few_past_forecasts_is_not_told():
    assert past_skill_line([calibrated("A", 1.0, 0.0, 59)]) == ""
    assert past_skill_line([calibrated("A", 1.0, 0.0, 60)]) != ""
