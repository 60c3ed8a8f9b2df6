"""Tables for people: what is shown, and that it fits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from measured import PANEL, scored
from printed import printed, text

from forecaster.documents import ScoreRow
from forecaster.evaluation.folds import Split
from forecaster.evaluation.scores import ScoreTable
from forecaster.jobs.compare import Comparison, ComparisonResult
from forecaster.jobs.predict import Predictions, Step, TickerForecast
from forecaster.model.artifact import load
from forecaster.model.registry import BOXED, RegistryEntry
from forecaster.output import backtest, compare, models, predict
from forecaster.output.format import price, remark_sentence
from forecaster.output.tabular.score_table import calibration_tables, error_table

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
SPLIT = Split(
    *map(np.datetime64, ("2023-01-03", "2023-03-01", "2023-06-01", "2023-06-09", "2024-01-02"))
)


def a_forecast(last: float = 100.0, levels: tuple[float, ...] = LEVELS) -> TickerForecast:
    prices = {q: last * (0.9 + 0.2 * q) for q in levels}
    step = Step(1, np.datetime64("2024-01-03"), True, last, prices)
    return TickerForecast("ABC", np.datetime64("2024-01-02"), last, "USD", (step,), "f" * 64)


def a_row(model: str, step: int, skill: dict[str, float]) -> ScoreRow:
    return ScoreRow(
        model=model, step=step, n=100, pinball=0.0018921, skill=skill, mae=1.192, rmse=3.013,
        mape=0.874, direction=None if model == "naive" else 0.516,
        coverage={"0.5": 0.496, "0.8": 0.79, "0.9": 0.893}, dm_p={}, tickers_won={},
        width={}, calibration={}, var={},
    )  # fmt: skip


TABLE = ScoreTable(
    rows=(
        a_row("gru", 1, {"naive": 0.0871, "ewma": 0.022}),
        a_row("naive", 1, {"ewma": -0.0713}),
        a_row("gru", 20, {"naive": 0.0555, "ewma": 0.0116}),
        a_row("naive", 20, {"ewma": -0.0462}),
    ),
    verdicts=(),
    sessions_scored=750,
    tickers=31,
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1234.567, "1,234.57"),
        (10.0, "10.00"),
        (9.87654, "9.8765"),
        (0.012345678, "0.01234568"),
        (0.00000911234, "0.000009112"),  # of a coin: eight decimals would leave three digits of it
        (7.256334e-10, "0.0000000007256"),  # and none of this one
        (-7.256334e-10, "-0.0000000007256"),
        (7.256334e-15, "7.256334e-15"),
        (0.0, "0.00000000"),
    ],
)
def test_prices_have_the_decimals_that_their_size_asks_for(value, shown):
    assert price(value) == shown


@pytest.mark.parametrize(
    ("currency", "shown"),
    [
        ("USD", "100.00 USD on"),
        ("GBP", "100.00 GBP on"),
        ("GBp", "100.00 GBp (pence) on"),
        ("ZAc", "100.00 ZAc (cents) on"),
        ("ILA", "100.00 ILA (agorot) on"),
        (None, "100.00 on"),
    ],
)
def test_hundredths_of_a_currency_are_called_by_their_name(currency, shown):
    forecast = replace(a_forecast(), currency=currency)
    assert f"ABC  {shown} 2024-01-02" in printed(
        predict.predict_table(Predictions((forecast,), ()), load(BOXED), 100)
    )


def test_a_forecast_shows_session_last_price_median_and_two_intervals():
    shown = text(predict._forecast_table(a_forecast(), 100))
    assert shown.split("median")[0].split()[-2:] == ["5%", "25%"]
    assert shown.splitlines()[2].split() == ["USD"] * 6
    assert next(c for c in shown.split("\n") if "2024-01-03~" in c).split() == [
        "1", "2024-01-03~", "100.00", "91.00", "95.00", "100.00", "105.00", "109.00",
    ]  # fmt: skip


def test_a_narrow_terminal_keeps_the_median_and_the_outer_interval():
    shown = text(predict._forecast_table(a_forecast(1234.56), 40), 40)
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= 40
    assert "…" not in shown
    for needed in ("2024-01-03~", "5%", "median", "95%"):
        assert needed in shown


def test_levels_without_the_usual_intervals_are_all_shown():
    shown = text(predict._forecast_table(a_forecast(levels=(0.1, 0.6)), 100))
    assert "10%" in shown
    assert "60%" in shown


def test_the_error_table_shows_every_column_where_there_is_room():
    shown = printed(error_table(TABLE, 200))
    for name in ("pinball", "vs naive", "vs ewma", "MAE", "RMSE", "MAPE", "dir", "in 90%"):
        assert name in shown
    assert "0.1892" in shown
    assert "+8.7" in shown
    assert "51.6" in shown


@pytest.mark.parametrize(("shares", "named"), [(("0.5", "0.9"), "90%"), (("0.8",), "80%")])
def test_the_legend_names_an_interval_that_the_table_has(shares, named):
    row = a_row("gru", 1, {}).model_copy(update={"coverage": dict.fromkeys(shares, 0.7)})
    shown = printed(error_table(ScoreTable((row,), (), 1, 1), 400), 400)
    assert f"in {named}: prices inside that interval" in shown


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_the_error_table_fits_and_keeps_what_matters(width):
    shown = printed(error_table(TABLE, width), width)
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= width
    assert "…" not in shown
    for needed in ("model", "pinball", "vs naive"):
        assert needed in shown


def test_markup_in_names_is_printed_as_it_is():
    row = a_row("[bold]x[/]", 1, {})
    assert "[bold]x[/]" in printed(error_table(ScoreTable((row,), (), 1, 1), 200))


CALIBRATED = {f"{q:g}": q for q in (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 1.0)}


@pytest.mark.parametrize("width", [30, 40, 60, 75, 200])
def test_calibration_keeps_every_level_at_every_width(width):
    row = a_row("naive", 1, {}).model_copy(update={"calibration": CALIBRATED})
    made = calibration_tables([row], width)
    shown = "".join(text(table, width) for table in made)
    lines = [line.rstrip() for line in shown.splitlines()]
    assert max(map(len, lines)) <= width
    assert "…" not in shown
    heads = [w for line in lines if "model" in line for w in line.split()[1:]]
    cells = [w for line in lines if "naive" in line for w in line.split()[1:]]
    assert heads == [f"{100 * q:g}%" for q in CALIBRATED.values()]
    assert cells == [f"{100 * q:.1f}" for q in CALIBRATED.values()]
    if width >= 75:
        assert len(made) == 2


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_a_comparison_fits_and_keeps_what_matters(width):
    first, last = a_row("gru", 1, {"naive": 0.1, "har": 0.02}), a_row("gru", 20, {"naive": 0.05})
    made = [
        Comparison("bidirectional lstm", 23_400, 12.3, 98_765.4, 7, 12, first, last),
        Comparison("gru", 11_720, 1.0, 8.0, 7, 3, first, last),
    ]
    shown = printed(
        compare.compare_table(ComparisonResult(tuple(made), SPLIT, ("A",), 9), width), width
    )
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= width
    assert "…" not in shown
    for needed in ("network", "pinball", "vs naive", "+10.0"):
        assert needed in shown
    assert ("targets" in shown) is (width > 100)


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_the_list_of_models_fits_and_keeps_name_and_id(width):
    model = load(BOXED)
    parts = models.models_table(
        [RegistryEntry(BOXED, model), RegistryEntry(Path("broken.forecast"), None)], width
    )
    shown = text(parts[0], width)
    assert max(len(line.rstrip()) for line in shown.splitlines()) <= width
    assert "…" not in shown
    assert f"{model.name}  {model.id}" in shown
    assert "broken  damaged" in shown
    assert ("created" in shown) is (width > 80)


def test_hindsight_is_said_above_the_verdict_and_once():
    result = scored(("naive",), 1)
    lines = [text(part).strip() for part in backtest.backtest_table(result, PANEL, 120)]
    assert result.hindsight is not None
    sentence = remark_sentence(result.hindsight)
    said = [n for n, line in enumerate(lines) if " ".join(line.split()) == sentence]
    assert len(said) == 1
    assert lines[said[0] + 1].startswith("1 session ahead random ")
