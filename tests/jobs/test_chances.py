from __future__ import annotations

import math

import pytest

from forecaster.errors import SettingsError
from forecaster.jobs.chances import checked_marks, with_chances
from forecaster.jobs.predict import Step, TickerForecast

STEP = Step(1, "2024-01-03", False, 100.0, {0.05: 90.0, 0.5: 101.0, 0.95: 120.0})
FORECAST = TickerForecast("A", "2024-01-02", 100.0, None, (STEP,), "f")


def chance(side, mark):
    (asked,) = checked_marks(side, [mark])
    (forecast,) = with_chances([FORECAST], [asked])
    return forecast.steps[0].chances[0]


@pytest.mark.parametrize(
    ("side", "mark", "probability"),
    [
        ("below", "90", 0.05),
        ("above", 90.0, 0.95),
        ("below", "101", 0.5),
        ("below", str(math.sqrt(90.0 * 101.0)), 0.275),
        ("above", "last", 1 - (0.05 + 0.45 * math.log(100 / 90) / math.log(101 / 90))),
    ],
)
def test_is_the_level_of_the_mark_in_logs_of_prices(side, mark, probability):
    found = chance(side, mark)
    assert found.probability == pytest.approx(probability)
    assert not found.outside


@pytest.mark.parametrize(
    ("side", "mark", "probability"),
    [("below", 1.0, 0.05), ("above", 1.0, 0.95), ("above", 500.0, 0.05), ("below", 500.0, 0.95)],
)
def test_outside_the_outer_levels_a_bound_alone_is_known(side, mark, probability):
    found = chance(side, mark)
    assert found.outside
    assert found.probability == pytest.approx(probability)


@pytest.mark.parametrize("mark", ["abc", "0", "-5", "nan", "inf", ""])
def test_what_is_no_price_is_refused(mark):
    with pytest.raises(SettingsError, match="above is"):
        checked_marks("above", [mark])


def test_names_are_those_of_columns():
    assert chance("above", "450.50").name == "above-450.5"
    assert chance("below", "last").name == "below-last"


def test_a_mark_counts_once():
    assert checked_marks("above", ["450", "last", "450.0", "last"]) == [
        ("above", 450.0), ("above", "last"),
    ]  # fmt: skip
