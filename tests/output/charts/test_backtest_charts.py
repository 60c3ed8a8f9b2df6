"""Pictures of backtests: every number of the panels is one of the result."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from boxes import extent
from synthetic import garch_history, random_model, trained_to

from forecaster.jobs.backtest import Plan, score_model
from forecaster.market.bars import Panel
from forecaster.model.settings import Settings
from forecaster.output.charts.backtest import (
    backtest_figure,
    backtest_picture,
    frame_of,
    over_time,
)
from forecaster.output.charts.figure import settled
from forecaster.output.charts.terminal import backtest_charts
from forecaster.output.charts.theme import LIGHT, THEMES

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def scored(baselines: tuple[str, ...], bars: int, horizon: int):
    panel = Panel((garch_history("LONG", bars, seed=1), garch_history("OTHER", bars, seed=2)))
    settings = Settings(units=3, horizon=horizon, quantiles=LEVELS)
    model = trained_to(random_model(settings, panel), panel.sessions[-1])
    cutoff = panel.sessions[bars - 100 if bars > 150 else bars - 20]
    plan = Plan(train_end=cutoff, baselines=baselines)
    return score_model(panel, model, plan, allow_overlap=True)


CASES = {
    "all": scored(("naive", "drift", "ewma", "garch", "har"), 320, 10),
    "one": scored(("naive",), 320, 1),
    "days": scored(("naive", "ewma"), 60, 3),
}
each_case = pytest.mark.parametrize("result", CASES.values(), ids=CASES)


def figure(result, theme=LIGHT):
    with settled():
        drawn = backtest_figure(result, frame_of(result), theme)
        drawn.canvas.draw()
    return drawn


@each_case
def test_the_panels_show_what_was_measured(result):
    calibration, by_step, by_month = figure(result).axes
    (network,) = result.table.networks
    rows = [r for r in result.table.rows if r.model == network]
    zero, own, *_ = calibration.lines
    assert list(zero.get_ydata()) == [0.0, 0.0]
    assert own.get_xdata() == pytest.approx([5, 25, 50, 75, 95])
    off = [100 * (s - float(q)) for q, s in rows[0].calibration.items()]
    assert own.get_ydata() == pytest.approx(off)
    (shade,) = calibration.collections
    most = max(abs(y) for path in shade.get_paths() for _, y in path.vertices)
    assert most == pytest.approx(100 * 1.96 * 0.5 / np.sqrt(result.table.sessions_scored))
    for line, baseline in zip(by_step.lines[1:], rows[0].skill, strict=True):
        assert list(line.get_xdata()) == [r.step for r in rows]
        assert line.get_ydata() == pytest.approx([100 * r.skill[baseline] for r in rows])
    shown = over_time(result.table.baselines)
    assert "drift" not in shown
    for line, baseline in zip(by_month.lines[1:], shown, strict=True):
        losses = result.losses.settled()
        assert list(line.get_xdata()) == losses.months.astype(int).tolist()
        assert line.get_ydata() == pytest.approx(100 * losses.skill(network, baseline))
    assert [t.get_text() for t in by_month.texts[:-1]] == shown
    assert by_month.get_xticklabels()
    for tick in by_month.get_xticklabels():
        assert re.fullmatch("[A-Z][a-z]{2} 20[0-9]{2}", tick.get_text())


@each_case
@pytest.mark.parametrize("theme", THEMES)
def test_labels_do_not_collide(result, theme):
    drawn = figure(result, THEMES[theme])
    renderer = drawn.canvas.get_renderer()
    width, height = drawn.get_size_inches() * drawn.dpi
    texts = [t for axes in drawn.axes for t in axes.texts] + list(drawn.texts)
    boxes = [extent(t, renderer) for t in texts]
    for place, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height
        for other in boxes[:place]:
            assert not box.overlaps(other), texts[place].get_text()


@pytest.mark.parametrize("kind", ["png", "svg", "html"])
def test_files_are_the_same_twice_and_say_what_was_tested(kind):
    one, two = (backtest_picture(CASES["all"], kind, 1200) for _ in range(2))
    assert one == two
    if kind == "svg":
        ElementTree.fromstring(one)
    if kind != "png":
        assert CASES["all"].hindsight is not None
        assert "has seen all of this test" in " ".join(one.decode().split())
        for needed in ("Calibration", "by step", "Loss over time", "over garch", "advice"):
            assert needed in one.decode()


@each_case
@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_terminal_gets_the_same_three(result, width):
    lines = [str(part) for part in backtest_charts(result, width)]
    assert max(len(line) for line in lines) <= width
    joined = "\n".join(lines)
    for needed in (
        "Backtest of random",
        "Calibration",
        "by sessions ahead",
        "by month",
        "n over naive",
        "●",
    ):
        assert needed in joined
    row = result.table.rows[0]
    for share in row.calibration.values():
        assert f"{100 * share:.1f}%" in joined


def with_sessions(*counts: int):
    """The first case in months of so many sessions."""
    result = CASES["all"]
    losses = replace(
        result.losses,
        months=np.datetime64("2016-01", "M") + np.arange(len(counts)),
        sessions=np.array(counts),
        pinball={m: np.linspace(0.01, 0.02, len(counts)) for m in result.losses.pinball},
    )
    return replace(result, losses=losses)


@pytest.mark.parametrize(
    ("counts", "kept"), [((3, 20, 10, 9), [1, 2]), ((3, 9), [0, 1]), ((20, 10), [0, 1])]
)
def test_months_of_a_few_sessions_are_left_out_and_that_is_said(counts, kept):
    result = with_sessions(*counts)
    _, _, over_time = figure(result).axes
    first = np.datetime64("2016-01", "M").astype(int)
    assert list(over_time.lines[1].get_xdata()) == [first + k for k in kept]
    said = "Months with fewer than 10 sessions are left out."
    texts = [*frame_of(result).foot, *map(str, backtest_charts(result, 80))]
    assert sum(said in text for text in texts) == (2 if len(kept) < len(counts) else 0)
    shown = "\n".join(texts)
    assert str(np.datetime64("2016-01", "M") + kept[-1]) in shown
    if len(kept) < len(counts):
        assert str(np.datetime64("2016-01", "M") + len(counts) - 1) not in shown


def test_labels_of_skills_near_zero_differ():
    result = CASES["days"]
    near = [
        row.model_copy(update={"skill": dict.fromkeys(row.skill, 1e-4 * row.step)})
        for row in result.table.rows
    ]
    result = replace(result, table=replace(result.table, rows=tuple(near)), losses=None)
    lines = [str(part) for part in backtest_charts(result, 80)]
    labels = [label for line in lines if "│" in line and (label := line.split("│")[0].strip())]
    assert len(set(labels)) == len(labels) > 2
